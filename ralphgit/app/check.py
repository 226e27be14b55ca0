"""The gate: every record valid, every change legal, judged on the merged result (SPEC 8)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app import change, look
from ralphgit.app.project import Project
from ralphgit.app.view import Shard
from ralphgit.errors import InvalidRecord
from ralphgit.git import index, merge
from ralphgit.git.objects import Objects
from ralphgit.model.row import Row
from ralphgit.model.task import Scope
from ralphgit.records import graph, plain, tasks, validate
from ralphgit.records import text as texts
from ralphgit.records.files import TEMPORARY, read
from ralphgit.records.schema import file_name
from ralphgit.rules import gate, guards
from ralphgit.rules.contract import contract
from ralphgit.rules.overlap import covers_any


class Problem(NamedTuple):
    """What the gate stops (error), or shows (warning)."""

    code: str
    severity: str
    file: str
    line: int
    column: int
    task: str
    message: str
    hint: str = ""


class _Tree(NamedTuple):
    """A set of files to judge: a commit, a merge that was not made, a working tree."""

    label: str
    shards: tuple[Shard, ...]
    records: tuple[str, ...]
    """Paths below the records folder."""
    content: Callable[[str], bytes | None]


#: For problems whose file names its place already.
_NOWHERE = _Tree("", (), (), lambda path: None)
_ORDER = {"error": 0, "warning": 1}


def check(project: Project, *, base: str = "", at: str = "") -> list[Problem]:
    """Every problem of this worktree's records, or of a revision's.

    With `base`: also of what this branch changes, judged as merged into that revision, by
    a merge that is made aside. Reads only.

    Raises: UsageError (bad_revision), GuardRefused (bare), InvalidRecord (no_graph).
    """
    if base:
        return _sorted(_range(project, base, at or "HEAD"))
    if at:
        commit = look.commit_of(project, at)
        tree = _commit_tree(project, commit, f"{at}:", project.repository.objects)
        if not tree.shards:
            raise project.no_graph(at)
        return _sorted(_state(project, tree))
    return _sorted(_state(project, _working_tree(project)))


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(
        dict.fromkeys(problems), key=lambda p: (_ORDER[p.severity], p.file, p.line, p.column, p.code)
    )


# -- what is judged ----------------------------------------------------------------------


def _working_tree(project: Project) -> _Tree:
    top = project.top
    paths = project.paths_in(top)
    if not paths:
        raise project.no_graph("this worktree")
    folder = os.path.join(top, project.config.records)
    found = [
        os.path.relpath(os.path.join(parent, name), top)
        for parent, _, names in os.walk(folder)
        for name in names
        if name.endswith(".yaml") and not name.startswith(TEMPORARY)
    ]
    shards = tuple((path, "") for path in paths)
    return _Tree("", shards, tuple(sorted(found)), lambda path: read(os.path.join(top, path)))


def _commit_tree(project: Project, treeish: str, label: str, objects: Objects) -> _Tree:
    shards = project.shards_at([treeish]) if objects is project.repository.objects else {
        treeish: project.shards_in(objects, treeish)
    }  # fmt: skip
    folder = project.config.records
    listed = objects.files([treeish], (), (folder,), lambda path: path.endswith(".yaml"))[treeish]
    blobs = dict((*shards[treeish], *listed))

    def content(path: str) -> bytes | None:
        oid = blobs.get(path)
        return objects.read([oid]).get(oid) if oid else None

    return _Tree(label, shards[treeish], tuple(path for path, _ in listed), content)


# -- one state ---------------------------------------------------------------------------


def _state(project: Project, tree: _Tree) -> list[Problem]:
    problems: list[Problem] = []
    files = list(_graph_files(project, tree, problems))
    rows: list[Row] = []
    for file in files:
        rows.extend(graph.rows(file))
    where = {row.id: row for row in rows}
    problems += _twins(tree, rows)
    problems += [_place(tree, fault, where) for fault in gate.graph_faults(rows)]
    homes = _homes(project, tree)
    for file in files:
        for stored in file.tasks:
            row = where[stored["id"]]
            faults = gate.consistency(row.id, row.status, stored)
            faults += _claim_faults(stored, row, homes)
            problems += [_place(tree, fault, where) for fault in faults]
        problems += _advice(tree, file, where)
    for path in tree.records:
        problems += _record(project, tree, path, where)
    return problems


def _graph_files(
    project: Project, tree: _Tree, problems: list[Problem]
) -> Iterable[graph.GraphFile]:
    for path, _ in tree.shards:
        data = tree.content(path)
        if data is None:
            continue
        try:
            file, found = graph.parse_all(data, path=path, limit=project.config.max_graph_bytes)
        except InvalidRecord as error:
            problems.append(_from_error(tree, error))
            continue
        problems.extend(_from_error(tree, error) for error in found)
        if not found:
            yield file


def _from_error(tree: _Tree, error: InvalidRecord) -> Problem:
    return Problem(
        error.code, "error", tree.label + error.file, error.line, error.column,
        error.task or "", error.message, error.hint,
    )  # fmt: skip


def _place(tree: _Tree, fault: gate.Fault, rows: Mapping[str, Row]) -> Problem:
    row = rows.get(fault.task)
    file = tree.label + row.file if row else tree.label
    return Problem(
        fault.code, fault.severity, file, row.line if row else 1, 1, fault.task, fault.message, fault.hint
    )


def _twins(tree: _Tree, rows: Sequence[Row]) -> list[Problem]:
    first: dict[str, Row] = {}
    found = []
    for row in rows:
        known = first.setdefault(row.id.casefold(), row)
        if known is not row:
            found.append(
                Problem("duplicate_id", "error", tree.label + row.file, row.line, 1, row.id,
                        f"the id {row.id} stands twice; first at {known.file}:{known.line}",
                        "rename one of the two tasks")
            )  # fmt: skip
    return found


def _homes(project: Project, tree: _Tree) -> dict[str, str]:
    """Which task each claim was made on, by the attempts' audit files."""
    prefix = f"{project.config.records}/audit/"
    found = {}
    for path in tree.records:
        parts = path.removeprefix(prefix).split("/")
        if path.startswith(prefix) and len(parts) == 2:
            found[parts[1].removesuffix(".yaml")] = parts[0]
    return found


def _claim_faults(stored: Mapping[str, object], row: Row, homes: Mapping[str, str]) -> list[gate.Fault]:
    if not row.claim or not row.contract:
        return []
    home = homes.get(row.claim)
    if home is not None and home != row.id:
        return [gate.Fault("moved_claim", row.id,
                           f"claim {row.claim} on {row.id} was made on {home}",
                           f"a merge moved it: restore the block of {row.id}")]  # fmt: skip
    if contract(tasks.task(stored)) == row.contract:
        return []
    severity = "warning" if row.status in ("complete", "cancelled") else "error"
    return [gate.Fault("stale_contract", row.id,
                       f"what {row.id} promises has changed since claim {row.claim} was made",
                       f"ralphgit complete {row.id} --accept-contract, or restore the fields", severity)]  # fmt: skip


def _advice(tree: _Tree, file: graph.GraphFile, rows: Mapping[str, Row]) -> list[Problem]:
    """Neighbours written on one line each conflict when both are claimed."""
    found = []
    flow = [file.text[span.start : span.end].lstrip(" -").startswith("{") for span in file.spans]
    for number, stored in enumerate(file.tasks[:-1]):
        if flow[number] and flow[number + 1]:
            row = rows[stored["id"]]
            found.append(
                Problem("flow_style", "warning", tree.label + file.path, row.line, 1, row.id,
                        f"{row.id} and the next task are written on one line each: "
                        "claims of both will conflict", f"ralphgit edit {row.id} --block")
            )  # fmt: skip
    return found


# -- records -----------------------------------------------------------------------------

_KINDS = ("evidence", "audit", "guidance")


def _record(project: Project, tree: _Tree, path: str, rows: Mapping[str, Row]) -> list[Problem]:
    parts = path.removeprefix(f"{project.config.records}/").split("/")
    kind = parts[0]
    if kind not in _KINDS:
        return []
    data = tree.content(path)
    if data is None:
        return []
    try:
        text = texts.decode(data, limit=project.config.max_record_bytes)
        value = plain.load(text)
    except InvalidRecord as error:
        return [_from_error(tree, error.at(path))]
    label = tree.label + path
    found = [
        Problem("schema", "error", label, *validate.position(text, where), "", message,
                f"see schemas/{file_name(kind)}")
        for where, message in validate.problems(kind, value)
    ]  # fmt: skip
    if found or not isinstance(value, dict):
        return found
    task = value.get("task") or value.get("target")
    if len(parts) != 3 or (task is not None and parts[1] != task):
        found.append(Problem("misplaced", "error", label, 1, 1, str(task or ""),
                             f"a record of {task} belongs in {kind}/{task}/", "git mv it there"))  # fmt: skip
    if parts[1] not in rows:
        found.append(Problem("orphan", "warning", label, 1, 1, parts[1],
                             f"{parts[1]} is not in the graph", ""))  # fmt: skip
    return found


# -- a range -----------------------------------------------------------------------------


def _range(project: Project, base: str, head: str) -> list[Problem]:
    ours, theirs = look.commit_of(project, base), look.commit_of(project, head)
    repository = project.repository
    fork = repository.git.try_run("merge-base", ours, theirs)
    if fork.status:
        return [Problem("unrelated", "error", "", 1, 1, "", f"{head} and {base} share no history",
                        "a shallow clone? git fetch --unshallow")]  # fmt: skip
    start = fork.out.decode().strip()
    try:
        before = {row.id: row for row in project.view(ours, base).rows}
    except InvalidRecord as error:
        # Whoever mends the base must pass: what the branch does to its tasks cannot be told.
        found = _from_error(_NOWHERE, error)._replace(severity="warning")
        return [found, *_state(project, _commit_tree(project, theirs, "", repository.objects))]
    with merge.merged(repository, ours, theirs) as merged:
        if merged.conflicts:
            return _conflicts(project, merged.conflicts, base, start, before, theirs)
        tree = _commit_tree(project, merged.tree, "", merged.objects)
        if not tree.shards:
            raise project.no_graph(f"{head} merged into {base}")
        problems = _state(project, tree)
        rows = _rows(project, tree)
        if rows is None:
            return problems
        after = {row.id: row for row in rows}
        problems += _moves(project, tree, before, after)
        problems += _kept_records(project, start, theirs)
        problems += _completions(project, tree, merged, before, after)
        problems += _scope(project, start, theirs, before, after)
    return problems


def _rows(project: Project, tree: _Tree) -> list[Row] | None:
    """The merged graph; None where it cannot be read, which is a problem of its own."""
    try:
        return [
            row
            for path, _ in tree.shards
            for row in graph.rows(
                graph.parse(tree.content(path) or b"", path=path, limit=project.config.max_graph_bytes)
            )
        ]
    except InvalidRecord:
        return None


def _conflicts(
    project: Project, paths: Sequence[str], base: str, start: str, before: Mapping[str, Row], head: str
) -> list[Problem]:
    """A merge that conflicts; where the records do, which claim lost to which."""
    found = [
        Problem("merge_conflict", "error", path, 1, 1, "", f"the branch conflicts with {base} in {path}",
                f"git merge {base}")
        for path in paths
    ]  # fmt: skip
    graphs = {path for path in paths if change.is_record(project, path)}
    if not graphs:
        return found
    try:
        fork = {row.id: row for row in project.view(start, "the merge base").rows}
        mine = {row.id: row for row in project.view(head, "the branch").rows}
    except InvalidRecord as error:
        return [*found, _from_error(_NOWHERE, error)]
    for task, row in mine.items():
        known, theirs = fork.get(task), before.get(task)
        if theirs is None or theirs.file not in graphs or known == theirs:
            continue
        changed = known is None or _stage(row) != _stage(known)
        if changed and known is not None and _stage(theirs) != _stage(known) and _stage(theirs) != _stage(row):
            holder = f"{theirs.by} has it by claim {theirs.claim}" if theirs.claim else f"it is {theirs.status}"
            if theirs.epoch > row.epoch:
                holder = f"it was reset (epoch {theirs.epoch})"
            found.append(
                Problem("claim_lost", "error", row.file, row.line, 1, task,
                        f"claim {row.claim or '-'} of {row.by or 'this branch'} on {task} no longer "
                        f"stands: on {base} {holder}",
                        f"keep the work on a branch of its own, then: git reset --hard {base}")
            )  # fmt: skip
    return found


def _stage(row: Row) -> tuple[object, ...]:
    return (row.status, row.claim, row.epoch, row.mark)


def _moves(
    project: Project, tree: _Tree, before: Mapping[str, Row], after: Mapping[str, Row]
) -> list[Problem]:
    found = []
    for task, row in after.items():
        old = before.get(task)
        fault = gate.change(old, row)
        if old is not None and old.claim and row.epoch > old.epoch:
            if not _events(project, tree, old) & {"reset", "released"}:
                fault = gate.raised(old, row)
        if fault:
            found.append(_place(tree, fault, after))
    for task, row in before.items():
        if task not in after:
            found.append(_place(tree, gate.removed(row), before))
    return found


def _kept_records(project: Project, start: str, head: str) -> list[Problem]:
    """Evidence and guidance are never edited, audit only grows."""
    git, folder = project.repository.git, project.config.records
    found = []
    changed = index.differing(git, start, head, filter="MDT")
    old = project.repository.objects.read(f"{start}:{p}" for p in changed if p.startswith(f"{folder}/"))
    new = project.repository.objects.read(f"{head}:{p}" for p in changed if p.startswith(f"{folder}/"))
    for path in changed:
        kind, _, rest = path.removeprefix(f"{folder}/").partition("/")
        if not path.startswith(f"{folder}/") or kind not in _KINDS:
            continue
        before, after = old.get(f"{start}:{path}", b""), new.get(f"{head}:{path}")
        if after is not None and kind == "audit" and _grew(before, after):
            continue
        if after is not None and kind == "guidance" and _answered(before, after):
            continue
        what = "removed" if after is None else "edited"
        found.append(
            Problem(f"{what}_{kind}", "error", path, 1, 1, rest.partition("/")[0],
                    f"{kind} is never {what}", f"git checkout {start[:12]} -- {path}")
        )  # fmt: skip
    return found


def _mapping(data: bytes) -> dict[str, object]:
    try:
        value = plain.load(texts.decode(data, limit=max(len(data), 1)))
    except InvalidRecord:
        return {}
    return value if isinstance(value, dict) else {}


def _grew(before: bytes, after: bytes) -> bool:
    old, new = _mapping(before), _mapping(after)
    was, now = old.pop("events", None), new.pop("events", None)
    return isinstance(was, list) and isinstance(now, list) and old == new and now[: len(was)] == was


def _answered(before: bytes, after: bytes) -> bool:
    """An answer may be added to a question; nothing else of it may change."""
    old, new = _mapping(before), _mapping(after)
    return "answer" not in old and {k: v for k, v in new.items() if k != "answer"} == old


def _completions(
    project: Project, tree: _Tree, merged: merge.Merged, before: Mapping[str, Row], after: Mapping[str, Row]
) -> list[Problem]:
    """Each task that the change completes has passing, fresh evidence for each command."""
    found = []
    for task, row in after.items():
        old = before.get(task)
        if row.status != "complete" or (old is not None and old.status == "complete"):
            continue
        stored = tasks.task(_stored(row))
        if not row.claim or stored.lifecycle.result is None:
            fault = gate.Fault("not_claimed", task, f"{task} is complete, and nobody claimed it or no result says so",
                               f"ralphgit claim {task}, then: ralphgit complete {task}")  # fmt: skip
            found.append(_place(tree, fault, after))
            continue
        if row.contract and contract(stored) != row.contract:
            fault = gate.Fault("stale_contract", task,
                               f"{task} is completed under another contract than it has now",
                               f"ralphgit complete {task} --accept-contract")  # fmt: skip
            found.append(_place(tree, fault, after))
        if "force-completed" in _events(project, tree, row):
            fault = gate.Fault("forced", task, f"{task} was completed by force", "", "warning")
            found.append(_place(tree, fault, after))
            continue
        wanted = tasks.task(_stored(old)).verify if old is not None else stored.verify
        evidence = _evidence_of(project, tree, row)
        for command in wanted:
            digest = hashlib.sha256(command.encode()).hexdigest()
            mine = [e for e in evidence if e.get("command_digest") == digest]
            if not any(e.get("exit_code") == 0 for e in mine):
                fault = gate.Fault("missing_evidence", task, f"{task} is complete without evidence for: {command}",
                                   f"ralphgit complete {task}")  # fmt: skip
                found.append(_place(tree, fault, after))
            elif not any(_fresh(project, merged, stored.scope, e) for e in mine):
                fault = gate.Fault("stale_evidence", task,
                                   f"what {task} was judged by has changed since: {command}",
                                   "run the command again on the merged result", "warning")  # fmt: skip
                found.append(_place(tree, fault, after))
    return found


def _stored(row: Row) -> dict[str, object]:
    import json

    found: dict[str, object] = json.loads(row.json)
    return found


def _evidence_of(project: Project, tree: _Tree, row: Row) -> list[dict[str, object]]:
    prefix = f"{project.config.records}/evidence/{row.id}/"
    found = [_mapping(tree.content(path) or b"") for path in tree.records if path.startswith(prefix)]
    return [record for record in found if record.get("claim") == row.claim]


def _events(project: Project, tree: _Tree, row: Row) -> set[object]:
    """What happened to the row's claim, as its audit says."""
    path = f"{project.config.records}/audit/{row.id}/{row.claim}.yaml"
    events = _mapping(tree.content(path) or b"").get("events")
    if not isinstance(events, list):
        return set()
    return {event.get("event") for event in events if isinstance(event, dict)}


def _fresh(project: Project, merged: merge.Merged, scope: Scope, record: Mapping[str, object]) -> bool:
    subject = record.get("subject")
    digest = subject.get("scope_digest") if isinstance(subject, Mapping) else None
    return digest == change.scope_digest(project, merged.tree, scope, git=merged.objects.git)


def _scope(
    project: Project, start: str, head: str, before: Mapping[str, Row], after: Mapping[str, Row]
) -> list[Problem]:
    """The real diff lies inside the write scope of the tasks that the branch worked on."""
    worked = [
        row for task, row in after.items()
        if row.claim and (before.get(task) is None or _stage(before[task]) != _stage(row))
    ]  # fmt: skip
    # As the base has it: a branch cannot widen its own scope.
    promised = [before.get(row.id) or row for row in worked]
    if not worked or any(not row.write or guards.contract(row) for row in promised):
        return []
    allowed = [pattern for row in promised for pattern in row.write]
    names = ", ".join(row.id for row in worked)
    return [
        Problem("outside_scope", "error", path, 1, 1, worked[0].id if len(worked) == 1 else "",
                f"{path} is outside the write scope of {names}", "take it out, or widen the scope on the base")
        for path in index.differing(project.repository.git, start, head)
        if not change.is_record(project, path) and not covers_any(allowed, path)
    ]  # fmt: skip
