"""Tell a task's life from its audit: on the base, on branches, in worktrees and rescue refs."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.workspace import taken_back, tracked_pull_requests
from ralphgit.app.workspace.graph_view import HERE
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, UnknownTask
from ralphgit.model.active_claim import RESCUE
from ralphgit.model.task import Event, Usage
from ralphgit.records import atomic_files, worktree_files
from ralphgit.records.schemas import audit_path

TAKEN_BACK = "taken-back"


class Entry(NamedTuple):
    """Something that happened to a task."""

    task: str
    claim: str
    at: str
    """As the record has it; entries are in the order of these."""
    event: str
    """One of the audit's words, `reviewed`; where only history shows it, `landed` or `taken-back`;
    or how its pull request is, `pr-open`."""
    by: str
    note: str
    where: tuple[str, ...]
    """Where it is recorded: the base alone, if the base has it."""
    from_: str = ""
    to: str = ""
    usage: Usage | None = None
    """What the attempt has used until then; of a review, what it has used."""


def log(project: Project, task: str = "", *, landings: bool = True) -> list[Entry]:
    """List what happened to a task, or to all, oldest first.

    `landings`: also when the base got what no event says of; a look at its history.

    A claim that is only on a branch or in a worktree is shown with that place. Reads only.

    Raises: UnknownTask for a task that neither the graph nor the audit knows; InvalidRecord
    where there is neither audit nor a graph that can be read.
    """
    found: dict[tuple[str, str], list[tuple[str, bytes]]] = {}
    for where, path, data in _records(project, task):
        name, _, record = path.removeprefix(f"{project.config.records}/audit/").partition("/")
        found.setdefault((name, record), []).append((where, data))
    entries = [entry for (name, _), seen in found.items() for entry in _told(project, name, seen)]
    if not entries:
        _refuse_unknown(project, task)
    if landings and project.base.commit:
        entries += _landings(project, task, entries)
    return _sorted([*entries, *_taken_back(project, entries), *_in_review(project, entries)])


def _in_review(project: Project, entries: Sequence[Entry]) -> Iterator[Entry]:
    """How the pull requests of this machine are, as of the last look at them."""
    known = {(entry.task, entry.claim): entry for entry in entries}
    for pull in tracked_pull_requests.everywhere(project.repository.worktrees):
        if (last := known.get((pull.task, pull.claim))) and pull.at:
            said = "; ".join(filter(None, (pull.about, pull.place)))
            yield Entry(pull.task, pull.claim, pull.at, pull.event, pull.by, said, last.where)


def at_revision(project: Project, revision: str) -> list[Entry]:
    """List what the audit on a revision has, oldest first. Reads only.

    Raises: UsageError (bad_revision).
    """
    from ralphgit.app.workspace import record_tree, revisions

    commit = revisions.commit_of(project, revision)
    tree = record_tree.commit_tree(project, commit, f"{revision}:")
    entries: list[Entry] = []
    wanted = list(tree.filed(f"{project.config.records}/audit"))
    tree.read_ahead(path for _, path in wanted)
    for task, path in wanted:
        entries += _told(project, task, [(revision, tree.content(path) or b"")])
    return _sorted(entries)


def _taken_back(project: Project, entries: Sequence[Entry]) -> Iterator[Entry]:
    """When the base took back a claim that it had, and who did that (law L12)."""
    base = project.base
    try:
        rows = project.base_view.by_id if base.commit else {}
    except InvalidRecord:
        return  # what the tasks are on the base is not known
    last = {(entry.task, entry.claim): entry for entry in _sorted(entries)}
    for (task, claim), entry in last.items():
        row = rows.get(task)
        if row is None or row.claim == claim:
            continue
        if taken := taken_back.of(project, task, claim, ""):
            note = taken.commit[:12] or "the history was rewritten" * taken.is_rewritten
            at = max(taken.at, entry.at)
            yield Entry(task, claim, at, TAKEN_BACK, taken.by, note, (base.label,))


def _sorted(entries: Sequence[Entry]) -> list[Entry]:
    """By time; of what happened within one second, an older attempt's first, in its own order."""
    begun: dict[str, str] = {}
    for entry in entries:
        begun[entry.claim] = min(begun.get(entry.claim, entry.at), entry.at)
    last = {"landed": 1, "reviewed": 2, TAKEN_BACK: 3}
    return sorted(
        entries, key=lambda one: (one.at, begun[one.claim], one.claim, last.get(one.event, 0))
    )


def _refuse_unknown(project: Project, task: str) -> None:
    views = [project.base_view] if project.base.commit else []
    if project.repository.top is not None:
        views.append(project.here if views else project.require_here())
    if task and not any(task in view.by_id for view in views):
        raise UnknownTask(f"there is no task {task}, and no audit of it", hint="ralphgit list")


def _records(project: Project, task: str) -> Iterator[tuple[str, str, bytes]]:
    """Place, path and content of every audit file, the base's first; what it has too is left
    out of the others.
    """
    folder = f"{project.config.records}/audit" + (f"/{task}" if task else "")
    base, repository = project.base, project.repository
    tips = {base.commit: base.label} if base.commit else {}
    for name, ref in repository.refs.items():
        if name.startswith(("refs/heads/", "refs/remotes/")) and not ref.symref:
            short = name.removeprefix("refs/heads/").removeprefix("refs/remotes/")
            tips.setdefault(ref.oid, f"branch {short}")
        elif name.startswith(RESCUE):
            tips.setdefault(ref.oid, f"rescue {name.removeprefix(RESCUE)}")
    listed = repository.objects.files([*tips], (), (folder,), _is_record)
    wanted: dict[tuple[str, str], str] = {}
    for tip, label in tips.items():
        for path, oid in listed[tip]:
            # Who asks for all has what is not in the archive, also where a branch still has it.
            if task or not _is_archived(project, path.rsplit("/", 2)[1]):
                wanted.setdefault((path, oid), label)
    for taken in taken_back.known(project).values() if base.commit else ():
        if _is_archived(project, taken.task):
            continue
        # Also where every branch that had it is gone.
        path = audit_path(project.config.records, taken.task, taken.claim)
        before = f"{taken.commit}^:{path}"
        found = repository.objects.resolve([before])[0] if task in ("", taken.task) else None
        if taken.commit and found is not None:
            wanted.setdefault((path, found), f"before {taken.commit[:12]}")
    yield from _archived(project, task)
    contents = repository.objects.read(oid for _, oid in wanted)
    for (path, oid), label in wanted.items():
        yield label, path, contents[oid]
    known = {oid for _, oid in wanted}
    for worktree in repository.worktrees:
        if worktree.bare or not worktree.exists:
            continue
        for path in _files_below(project, worktree.path, folder):
            if not task and _is_archived(project, path.rsplit("/", 2)[1]):
                continue
            data = atomic_files.read(os.path.join(worktree.path, path))
            if data is not None and repository.objects.blob_id(data) not in known:
                yield f"worktree {project.show_path(worktree.path)}", path, data


def _is_archived(project: Project, task: str) -> bool:
    return bool(project.base.commit) and project.base_archive.entry(task) is not None


def _archived(project: Project, task: str) -> Iterator[tuple[str, str, bytes]]:
    """The audit of a task that is in the archive. Who asks for all has what is not."""
    views = [(project.base_view, project.base.label)] if task and project.base.commit else []
    if task and project.repository.top is not None:
        views.append((project.here, HERE))
    for view, label in views:
        if task not in view.by_id and view.archive.entry(task) is not None:
            for name, text in view.archive.task(task).records.items():
                if name.startswith("audit/"):
                    yield label, f"{project.config.records}/{name}", text.encode()
            return


def _is_record(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith(".yaml") and not name.startswith(atomic_files.TEMPORARY)


def _files_below(project: Project, top: str, folder: str) -> Iterator[str]:
    try:
        worktree_files.place(top, folder)
    except InvalidRecord as error:
        project.warn(error.message)
        return
    for path in filter(_is_record, worktree_files.below(top, folder)):
        if not os.path.islink(f"{top}/{path}"):
            yield path


def _told(project: Project, task: str, seen: Sequence[tuple[str, bytes]]) -> Iterator[Entry]:
    """The events of one audit file, which may be longer in one place than in another."""
    places: dict[tuple[str, Event], list[str]] = {}
    for where, data in seen:
        try:
            for claim, event in _events(data):
                places.setdefault((claim, event), []).append(where)
        except InvalidRecord as error:
            project.warn(f"{error.at(f'{where}: the audit of {task}')} (passed over)")
    base = project.base.label
    for (claim, event), all_places in places.items():
        yield Entry(
            task, claim, event.at, event.event, event.by,
            event.note or " ".join(event.summary.split()),
            (base,) if base in all_places else tuple(dict.fromkeys(all_places)),
            event.from_, event.to, event.usage,
        )  # fmt: skip


def _events(data: bytes) -> list[tuple[str, Event]]:
    from ralphgit.records import audit_file

    attempt = audit_file.events(data)
    if attempt is not None:
        _, claim, events = attempt
        return [(claim, event) for event in events]
    from ralphgit.model.printable import counted
    from ralphgit.records import review_file

    made = review_file.parse(data)
    if made is None:
        return []
    count = len(made.findings)
    found = f", {counted(count, 'finding')}" if count else ""
    note = f"{made.verdict}{found} ({made.target})"
    return [(made.claim, Event(made.at, "reviewed", made.by, "", "", note, usage=made.usage))]


def _landings(project: Project, task: str, entries: Sequence[Entry]) -> Iterator[Entry]:
    """When the base got what the audit says was completed, by its own history: `task`, or all.

    One process, for as much of the history as there are completions without the event.
    """
    told = {(entry.task, entry.claim) for entry in entries if entry.event == "landed"}
    ends = {
        audit_path(project.config.records, entry.task, entry.claim): entry
        for entry in entries
        if entry.event in ("completed", "force-completed")
        and entry.where == (project.base.label,)
        and (entry.task, entry.claim) not in told
    }
    if not ends:
        return
    folder = f"{project.config.records}/audit" + (f"/{task}" if task else "")
    out = project.repository.git.using({"TZ": "UTC0"}).run(
        "--literal-pathspecs", "log", "--first-parent", "--diff-merges=first-parent",
        "--diff-filter=AM",  # an archived record is gone from its file
        "--no-renames", "--name-only", "-z",
        "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%x00%cd %h %cn",
        project.base.commit, "--", folder,
    )  # fmt: skip
    for commit in out.decode("utf-8", "surrogateescape").split("\0\0"):
        said, _, names = commit.lstrip("\0").partition("\0")
        at, _, rest = said.partition(" ")
        short, _, by = rest.partition(" ")
        for path in names.removeprefix("\n").split("\0"):
            if end := ends.pop(path, None):
                yield Entry(
                    end.task, end.claim, max(at, end.at), "landed", by, short, end.where
                )  # fmt: skip
        if not ends:
            return
