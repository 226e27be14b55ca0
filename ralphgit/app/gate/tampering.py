"""Find records of a change that no command has written: statuses, events, evidence and claims.

Nobody has to believe what is found to be consistent: who knows how may forge that, too. So whoever
lands work runs its commands again (SPEC, L9); this is what a reviewer is shown.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.gate.changed import BranchChange, Span
from ralphgit.app.gate.problem import Problem, in_file, place
from ralphgit.app.workspace import graph_view
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import merge_preview, trees
from ralphgit.git.objects import scratch_folder
from ralphgit.model.evidence import Evidence
from ralphgit.model.task import Event, Task
from ralphgit.model.task_row import Row
from ralphgit.records import audit_file, task_mapping
from ralphgit.rules import tampering

#: When a commit was made, in its header: at most so many digits that it is a time.
_COMMITTED = re.compile(rb"^committer .* (\d{1,11}) [-+]\d{4}$", re.MULTILINE)
#: The statuses that a claim has, and that its audit records.
_TOLD = ("in-progress", "blocked", "complete")


def problems(
    project: Project, span: Span, made: BranchChange, files: Content, faulty: Collection[str]
) -> Iterator[Problem]:
    """Find what was written by hand in a change; `files` are as after it.

    Of the tasks `faulty` it is known already that their state, or their move, is wrong.
    """
    tree, after = made.tree, made.after
    for row in made.moved:
        if row.claim and row.id not in faulty and row.status in _TOLD:
            result = _task(row).lifecycle.result
            if row.status == "complete" and result is None:
                continue  # it is not claimed, or has no result
            fault = tampering.status_without_event(
                row, result.at if result else "", _events(project, made, row)
            )
            if fault:
                yield place(tree, fault, after)
    yield from _claim_times(span, made, faulty)
    yield from _audits(project, span, made)
    yield from _evidence(project, span, made, files, faulty)


def _claim_times(span: Span, made: BranchChange, faulty: Collection[str]) -> Iterator[Problem]:
    """Find claims of completed tasks that are of a time that cannot be."""
    ended = [row for row in made.completed if row.claim and row.id not in faulty]
    commits = span.objects.read([row.base for row in ended if row.base])
    for row in ended:
        result = _task(row).lifecycle.result
        found = _COMMITTED.search(commits.get(row.base, b"").partition(b"\n\n")[0])
        began = datetime.fromtimestamp(int(found[1]), UTC) if found else None
        if fault := tampering.claim_time(row, result.at if result else "", began):
            yield place(made.tree, fault, made.after)


def _audits(project: Project, span: Span, made: BranchChange) -> Iterator[Problem]:
    """Find events that the graph has not, and claims of workers whose branch it is not."""
    folder = f"{project.config.records}/audit/"
    changes = [
        one
        for one in trees.changes(span.objects, span.old, span.new)
        if one.path.startswith(folder) and one.path.endswith(".yaml") and one.kind in "AM"
    ]
    added = []
    for one in changes:
        task, _, claim = one.path.removeprefix(folder).removesuffix(".yaml").partition("/")
        row, events = made.after.get(task), _read(made.tree.content(one.path))
        if fault := tampering.event_without_status(task, claim, row, events):
            yield in_file(fault.code, made.tree, one.path, fault.message, fault.hint, task=task)
        last = tampering.last_move(events)
        if one.kind == "A" and row is not None and last is not None and last.event == "claimed":
            if row.claim != claim:
                said = f"the audit of claim {claim} came along, and {task} has another claim"
                hint = f"git rm --cached {shlex.quote(one.path)}"
                yield in_file("carried_claim", made.tree, one.path, said, hint, task=task)
            elif row.status == "in-progress":
                added.append((one.path, row))
    yield from _carried(project, span, made, added)


def _carried(
    project: Project, span: Span, made: BranchChange, added: Sequence[tuple[str, Row]]
) -> Iterator[Problem]:
    """Find claims that another worker's commit has brought: it also has that one's own claim."""
    moved = {row.claim: row for row in made.moved if row.claim}
    if not any(other.by != row.by for _, row in added for other in moved.values()):
        return
    folder = f"{project.config.records}/audit/"
    own = [f"{folder}{row.id}/{claim}.yaml" for claim, row in moved.items()]
    for commit, paths in _commits(project, span, own, filter="AM"):
        for path, row in added:
            others = [
                moved[claim]
                for claim in (other.rpartition("/")[2].removesuffix(".yaml") for other in paths)
                if claim in moved and moved[claim].by != row.by
            ]
            if path in paths and others:
                other = others[0]
                said = (
                    f"claim {row.claim} of {row.by} on {row.id} came along with the work of "
                    f"{other.by} on {other.id}, in {commit[:12]}"
                )
                hint = f"take the block and the audit of {row.id} out of that commit"
                yield in_file(
                    "carried_claim", made.tree, row.file, said, hint, task=row.id, line=row.line
                )


def _commits(
    project: Project, span: Span, paths: Sequence[str], *, filter: str
) -> Iterator[tuple[str, list[str]]]:
    """List the commits of a change that add or change `paths`, each with those that it does."""
    out = project.repository.git.run(
        "--literal-pathspecs", "log", "--no-merges", "--format=%x00%H", "--name-only", "-z",
        "--no-renames", f"--diff-filter={filter}", f"{span.old}..{span.head}", "--", *paths,
    )  # fmt: skip
    for entry in out.decode("utf-8", "surrogateescape").split("\0\0"):
        commit, _, names = entry.lstrip("\0").partition("\0")
        if commit:
            yield commit, [name for name in names.removeprefix("\n").split("\0") if name]


# -- evidence ----------------------------------------------------------------------------


def _evidence(
    project: Project, span: Span, made: BranchChange, files: Content, faulty: Collection[str]
) -> Iterator[Problem]:
    """Find evidence of completed tasks that is of no content, or of a time before the claim.

    Only that of the task's own commands: nothing depends on what else was observed.
    """
    ended = [row for row in made.completed if row.claim and row.id not in faulty]
    if not ended:
        return
    known = judged_evidence.recorded(project, made.tree, [row.id for row in ended])
    for row in ended:
        task = _task(row)
        tasks = [task, *([_task(made.before[row.id])] if row.id in made.before else [])]
        wanted = {judged_evidence.digest_of(command) for command in tasks[-1].verify}
        own = {
            path: one
            for path, one in known.get(row.id, {}).items()
            if one.claim == row.claim and one.command_digest in wanted
        }
        for path, one in own.items():
            if fault := tampering.early_evidence(one, row):
                yield in_file(fault.code, made.tree, path, fault.message, fault.hint, task=row.id)
        away = {path: one for path, one in own.items() if not _bound(one, tasks, [files])}
        if away:
            yield from _unbound(project, span, made, row, tasks, away)


def _unbound(
    project: Project, span: Span, made: BranchChange, row: Row, tasks: Sequence[Task],
    away: dict[str, Evidence],
) -> Iterator[Problem]:  # fmt: skip
    """Find which of the records are of content that the change never had, at no commit.

    A branch may have been rebased or squashed since. So what counts, too, is the change that added
    the record, done anew on the commit that the claim was made from.
    """
    folders = {
        other.id: f"{project.config.records}/evidence/{other.id}/" for other in made.completed
    }
    commits = list(_commits(project, span, [*folders.values()], filter="A"))
    adding = [(commit, paths) for commit, paths in commits if not away.keys().isdisjoint(paths)]
    seen = [Content(project, commit) for commit in (span.head, *(commit for commit, _ in adding))]
    left = {path: one for path, one in away.items() if not _bound(one, tasks, seen)}
    if not left:
        return
    # Several commits that were made one: which change was whose is unknown.
    folder = folders[row.id]
    mixed = any(not path.startswith(folder) for _, paths in adding for path in paths)
    with scratch_folder() as scratch:
        for path, one in left.items():
            own_commits = [commit for commit, paths in adding if path in paths] or [span.head]
            if mixed or any(
                _replayed(project, scratch, span.old, row.base, commit, one, tasks)
                for commit in own_commits
            ):
                continue
            said = f"evidence {one.id} of {row.id} is of files that no commit of the change has"
            hint = f"ralphgit evidence verify {row.id} --rerun"
            yield in_file("unbound_evidence", made.tree, path, said, hint, task=row.id)


def _replayed(
    project: Project, scratch: str, old: str, base: str, commit: str, one: Evidence,
    tasks: Sequence[Task],
) -> bool:  # fmt: skip
    """Whether a record is of what `commit` changes, done on the commit that was claimed from."""
    repository = project.repository
    began = repository.objects.resolve([f"{base}^{{commit}}"])[0] if base else None
    fork = merge_preview.merge_base(repository, old, commit)
    if began is None or not fork:
        return False
    git = merge_preview.merging(repository, scratch, keep=False)
    tried = merge_preview.try_replay(repository, git, fork, commit, began)
    if tried.conflicts:
        return False
    objects = repository.objects.through(git)
    return _bound(one, tasks, [Content(project, tried.tree, objects=objects)])


def _bound(one: Evidence, tasks: Iterable[Task], contents: Sequence[Content]) -> bool:
    return any(judged_evidence.is_fresh(one, task, files) for task in tasks for files in contents)


def _task(row: Row) -> Task:
    return task_mapping.task(graph_view.stored(row))


def _events(project: Project, made: BranchChange, row: Row) -> Sequence[Event]:
    path = audit_file.path(project.config.records, row.id, row.claim)
    return _read(made.tree.content(path))


def _read(data: bytes | None) -> Sequence[Event]:
    """Read the events of an audit file; none of what cannot be read, which `state` reports."""
    try:
        known = audit_file.events(data) if data else None
    except InvalidRecord:
        return ()
    return known[2] if known else ()
