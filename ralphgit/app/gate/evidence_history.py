"""Compare evidence with the commit that added it, to find what was edited or removed since."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence

from ralphgit.app.gate.changed import Span
from ralphgit.app.gate.problem import Problem
from ralphgit.app.workspace.archive_view import Archive
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import trees
from ralphgit.model.evidence import Evidence
from ralphgit.model.task_row import Row
from ralphgit.records import evidence_file, worktree_files
from ralphgit.records.atomic_files import read
from ralphgit.records.record_task import with_task
from ralphgit.records.schemas import FILED


def edited_evidence(project: Project, commit: str = "") -> list[Problem]:
    """Find evidence that differs from what was first committed, and removed evidence and audit.

    Looks at `commit`, or at this worktree. What was edited and then restored is not reported, nor
    is what a shallow clone does not have, nor what a branch had removed again when it was merged.
    """
    head = commit or project.repository.known_head
    records = project.config.records
    folder, attempts = (f"{records}/{kind}" for kind in FILED[:2])
    present = project.repository.objects.resolve([f"{head}:{folder}", f"{head}:{attempts}"])
    rows = _rows(project, commit)
    done = any(row.status == "complete" and row.claim for row in rows.values())
    if not head or (present == [None, None] and not done):
        return []
    first = _first_added(project, head, folder, attempts)
    listed = project.repository.objects.files([head], (), (folder, attempts), lambda _: True)[head]
    changed = [
        path for path, oid in listed if first.get(path, oid) != oid and path.startswith(folder)
    ]
    there = {path for path, _ in listed}
    gone = sorted(set(first) - there)
    if not commit:
        here = changed_here(project, [folder], "MDT")
        changed = [path for path in changed if here.get(path, "D") == "D"]
        changed += [
            path
            for path, kind in here.items()
            if kind != "D" and not _is_first(project, path, first)
        ]
        gone += [path for path, kind in here.items() if kind == "D"]
        files = (worktree_files.below(project.top, place) for place in (folder, attempts))
        there.update(*files)
    archive = project.archive_at(commit) if commit else project.archive_in(project.top)
    gone = [
        path
        for path in gone
        if path.endswith(".yaml")  # and no file, link or submodule in place of a folder
        # What the archive has, and that it has it as it was, the gate looked at as it came there.
        and not _is_archived(archive, path.split("/")[-2])
        and not _is_renamed(project, path, there, commit, first)
    ]
    found = [_problem(path, first, folder, "edited") for path in dict.fromkeys(changed)]
    line = _first_added(project, head, folder, attempts, line=True) if gone else {}
    for path in dict.fromkeys(path for path in gone if path in line):
        if path.startswith(folder):
            evidence = _parsed(project, first.get(path, f"HEAD:{path}"))
            needed = evidence is not None and _proves(evidence, rows)
            if (
                evidence
                and evidence.claim
                and not needed
                and _attempt(attempts, evidence) not in there
            ):
                continue  # its claim was taken back with all that it had
            one = _problem(path, first, folder, "removed")
            found.append(one if needed else one._replace(severity="warning"))
        elif _is_attempt(path.removeprefix(f"{attempts}/"), rows):
            found.append(_problem(path, first, attempts, "removed"))
    return found


def edited_since(project: Project, span: Span) -> list[Problem]:
    """Find evidence that a change adds, and that a later commit of it, or a merge, has edited.

    Without it git is not asked, nor where the change is a single commit.
    """
    folder = f"{project.config.records}/{FILED[0]}"
    files = trees.differing(span.objects, span.old, span.new, kinds="A")
    added = [path for path in files if path.startswith(f"{folder}/")]
    if not added or _parents(span) == [span.old]:
        return []
    first = _first_added(project, span.head, folder, since=span.old)
    now = span.objects.resolve([f"{span.new}:{path}" for path in added])
    return [
        _problem(path, first, folder, "edited")
        for path, oid in zip(added, now, strict=True)
        if first.get(path, oid) != oid
    ]


def _parents(span: Span) -> list[str]:
    header = span.objects.read([span.head])[span.head].partition(b"\n\n")[0].split(b"\n")
    return [line[7:].decode() for line in header if line.startswith(b"parent ")]


def _is_archived(archive: Archive, task: str) -> bool:
    try:
        return archive.entry(task) is not None
    except InvalidRecord:
        return False  # `state` reports it


def _rows(project: Project, commit: str) -> Mapping[str, Row]:
    """Read the tasks; none where the graph cannot be read, which `state` reports."""
    try:
        return project.view(commit, commit[:12]).by_id if commit else project.here.by_id
    except InvalidRecord:
        return {}


def _is_renamed(
    project: Project, path: str, there: Collection[str], commit: str, first: Mapping[str, str]
) -> bool:
    """Whether a record that is gone is another task's now, and otherwise begins as it did."""
    folder, old, name = path.rsplit("/", 2)
    for place in there:
        parent, _, rest = place.rpartition("/")
        above, _, new = parent.rpartition("/")
        if (above, rest) != (folder, name) or new == old or path not in first:
            continue
        objects = project.repository.objects
        before = with_task(objects.read([first[path]])[first[path]], old, new)
        where = f"{commit}:{place}"
        after = objects.read([where]).get(where) if commit else read(project.file(place))
        if (after or b"").startswith(before):
            return True
    return False


def _parsed(project: Project, blob: str) -> Evidence | None:
    data = project.repository.objects.read([blob]).get(blob)
    try:
        return evidence_file.parse(data or b"", limit=project.config.max_record_bytes)
    except InvalidRecord:
        return None


def _attempt(folder: str, one: Evidence) -> str:
    """Where the audit of the claim is that an evidence record was made for."""
    return f"{folder}/{one.task}/{one.claim}.yaml"


def _proves(one: Evidence, rows: Mapping[str, Row]) -> bool:
    """Whether a task is complete under the claim that an evidence record was made for."""
    row = rows.get(one.task)
    return row is not None and row.status == "complete" and row.claim == one.claim


def _is_attempt(name: str, rows: Mapping[str, Row]) -> bool:
    """Whether `TASK/CLAIM.yaml` is the audit of the claim that completed the task."""
    task, _, claim = name.removesuffix(".yaml").partition("/")
    row = rows.get(task)
    return row is not None and row.status == "complete" and bool(claim) and row.claim == claim


def _first_added(
    project: Project, head: str, *folders: str, line: bool = False, since: str = ""
) -> dict[str, str]:
    """Find the blob with which each file below `folders` was first committed; with `line`, as the
    first parents have it; with `since`, by the commits that this one has not.
    """
    out = project.repository.git.run(
        "log", "--format=", "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=A",
        *(("-m", "--first-parent") if line else ()), head, *([f"^{since}"] if since else ()),
        "--", *folders,
    )  # fmt: skip
    fields = out.decode("utf-8", "surrogateescape").split("\0")
    # Newest first, so what is read last is the oldest.
    return {
        path: meta.split()[3] for meta, path in zip(fields[:-1:2], fields[1::2], strict=True)
    }  # fmt: skip


def changed_here(project: Project, folders: Sequence[str], filter: str) -> dict[str, str]:
    """Map files below `folders` ("" for all) that differ from HEAD, here or in the index, to how:
    a letter of git's.
    """
    # Unlike other commands, `git diff` refreshes the index even with --no-optional-locks.
    out = project.repository.git.run(
        "-c", "diff.autoRefreshIndex=false",
        "diff", "--name-status", "-z", "--no-renames", "--no-ext-diff", "--no-relative",
        f"--diff-filter={filter}", "HEAD", "--",
        *(f":(top,literal){folder}" for folder in folders),
    )  # fmt: skip
    told = out.decode("utf-8", "surrogateescape").split("\0")
    return dict(zip(told[1::2], told[::2], strict=False))


def _is_first(project: Project, path: str, first: dict[str, str]) -> bool:
    """Whether the file in this worktree is what was first committed, line endings aside."""
    data = read(project.file(path)) or b""
    blob_id = project.repository.objects.blob_id
    return first.get(path) in (blob_id(data), blob_id(data.replace(b"\r\n", b"\n")))


def _problem(path: str, first: Mapping[str, str], folder: str, what: str) -> Problem:
    kind = folder.rpartition("/")[2]
    oid = first.get(path, "")
    file = shlex.quote(path)
    restore = f"git cat-file blob {oid} > {file}" if oid else f"git checkout HEAD -- {file}"
    if kind != FILED[0]:
        restore = f"git log --diff-filter=D -- {file}, then: git checkout COMMIT~ -- {file}"
    again = "a new observation is a new record" if kind == FILED[0] else "it only grows"
    return Problem(
        code=f"{what}_{kind}",
        file=path,
        task=path.removeprefix(f"{folder}/").partition("/")[0],
        message=f"{kind} is never {what}: {again}",
        hint=restore,
    )
