"""Whether the records of one state are valid: a commit, a working tree, a merge made aside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.project import Project
from ralphgit.app.trees import Tree
from ralphgit.errors import InvalidRecord
from ralphgit.model.row import Row
from ralphgit.records import graph, plain, tasks, validate
from ralphgit.records import text as texts
from ralphgit.records.schema import file_name
from ralphgit.rules import gate
from ralphgit.rules.contract import contract


class Problem(NamedTuple):
    """What the gate stops (error), or shows (warning)."""

    code: str
    severity: str = "error"
    file: str = ""
    line: int = 1
    column: int = 1
    task: str = ""
    message: str = ""
    hint: str = ""


#: Faults that a task in another file would mend.
_ABSENCE = ("unknown_dependency",)
#: For problems whose file names its place already.
NOWHERE = Tree("", (), (), lambda path: None)


# -- one state ---------------------------------------------------------------------------


def state(project: Project, tree: Tree, *, only: Collection[str] | None = None) -> list[Problem]:
    """What is wrong with a tree. `only`: the records that are read, where not all are wanted."""
    problems: list[Problem] = []
    files = list(_graph_files(project, tree, problems))
    rows: list[Row] = []
    for file in files:
        rows.extend(graph.rows(file))
    where = {row.id: row for row in rows}
    # Of a task in a file that could not be read nothing can be said, also not that it is none.
    whole = len(files) == len(tree.shards)
    problems += _twins(tree, rows)
    faults = [fault for fault in gate.graph_faults(rows) if whole or fault.code not in _ABSENCE]
    problems += [place(tree, fault, where) for fault in faults]
    homes = _homes(project, tree)
    for file in files:
        for stored in file.tasks:
            row = where[stored["id"]]
            faults = gate.consistency(row.id, row.status, stored)
            faults += _claim_faults(stored, row, homes)
            problems += [place(tree, fault, where) for fault in faults]
        problems += _advice(tree, file, where)
    for path in tree.records if only is None else sorted({*tree.records} & {*only}):
        problems += _record(project, tree, path, where, whole=whole)
    return problems


def _graph_files(
    project: Project, tree: Tree, problems: list[Problem]
) -> Iterable[graph.GraphFile]:
    for path, _ in tree.shards:
        data = tree.content(path)
        if data is None:
            continue
        if tree.is_link(path):
            problems.append(
                Problem(
                    code="symbolic_link",
                    file=tree.label + path,
                    message="the graph file is a symbolic link",
                    hint="git keeps a link, and not what it leads to: put the file itself there",
                )
            )
        try:
            file, found = graph.parse_all(data, path=path, limit=project.config.max_graph_bytes)
        except InvalidRecord as error:
            problems.append(from_error(tree, error))
            continue
        problems.extend(from_error(tree, error) for error in found)
        if not found:
            yield file


def from_error(tree: Tree, error: InvalidRecord) -> Problem:
    return Problem(
        code=error.code,
        file=tree.label + error.file,
        line=error.line,
        column=error.column,
        task=error.task or "",
        message=error.message,
        hint=error.hint,
    )


def place(tree: Tree, fault: gate.Fault, rows: Mapping[str, Row]) -> Problem:
    row = rows.get(fault.task)
    return Problem(
        code=fault.code,
        severity=fault.severity,
        file=tree.label + row.file if row else tree.label,
        line=row.line if row else 1,
        task=fault.task,
        message=fault.message,
        hint=fault.hint,
    )


def _twins(tree: Tree, rows: Sequence[Row]) -> list[Problem]:
    first: dict[str, Row] = {}
    found = []
    for row in rows:
        known = first.setdefault(row.id.casefold(), row)
        if known is not row:
            found.append(
                Problem(
                    code="duplicate_id",
                    file=tree.label + row.file,
                    line=row.line,
                    task=row.id,
                    message=f"the id {row.id} stands twice; first at {known.file}:{known.line}",
                    hint="rename one of the two tasks",
                )
            )
    return found


def _homes(project: Project, tree: Tree) -> dict[str, str]:
    """Which task each claim was made on, by the attempts' audit files."""
    prefix = f"{project.config.records}/audit/"
    found = {}
    for path in tree.records:
        parts = path.removeprefix(prefix).split("/")
        if path.startswith(prefix) and len(parts) == 2:
            found[parts[1].removesuffix(".yaml")] = parts[0]
    return found


def _claim_faults(
    stored: Mapping[str, object], row: Row, homes: Mapping[str, str]
) -> list[gate.Fault]:
    if not row.claim or not row.contract:
        return []
    home = homes.get(row.claim)
    if home is not None and home != row.id:
        return [
            gate.Fault(
                code="moved_claim",
                task=row.id,
                message=f"claim {row.claim} on {row.id} was made on {home}",
                hint=f"a merge moved it: restore the block of {row.id}",
            )
        ]
    if contract(tasks.task(stored)) == row.contract:
        return []
    severity = "warning" if row.status in ("complete", "cancelled") else "error"
    return [
        gate.Fault(
            code="stale_contract",
            task=row.id,
            message=f"what {row.id} promises has changed since claim {row.claim} was made",
            hint=f"ralphgit complete {row.id} --accept-contract, or restore the fields",
            severity=severity,
        )
    ]


def _advice(tree: Tree, file: graph.GraphFile, rows: Mapping[str, Row]) -> list[Problem]:
    """Neighbours written on one line each conflict when both are claimed."""
    found = []
    flow = [file.text[span.start : span.end].lstrip(" -").startswith("{") for span in file.spans]
    for number, stored in enumerate(file.tasks[:-1]):
        if flow[number] and flow[number + 1]:
            row = rows[stored["id"]]
            found.append(
                Problem(
                    code="flow_style",
                    severity="warning",
                    file=tree.label + file.path,
                    line=row.line,
                    task=row.id,
                    message=f"{row.id} and the next task are written on one line each: "
                    "claims of both will conflict",
                    hint=f"ralphgit edit {row.id} --block",
                )
            )
    return found


# -- records -----------------------------------------------------------------------------

KINDS = ("evidence", "audit", "guidance")


def _record(
    project: Project, tree: Tree, path: str, rows: Mapping[str, Row], *, whole: bool
) -> list[Problem]:
    """What is wrong with one record. `whole`: `rows` are all tasks that there are."""
    parts = path.removeprefix(f"{project.config.records}/").split("/")
    kind = parts[0]
    if kind not in KINDS:
        return []
    if tree.is_link(path):
        return [
            Problem(
                code="symbolic_link",
                file=tree.label + path,
                message="the record is a symbolic link",
                hint="put the file itself there",
            )
        ]
    data = tree.content(path)
    if data is None:
        return []
    label, hint = tree.label + path, f"see schemas/{file_name(kind)}"
    try:
        text = texts.decode(data, limit=project.config.max_record_bytes)
        value = plain.load(text)
        if value is None:
            return [Problem(code="schema", file=label, message="the record is empty", hint=hint)]
        wrong = [
            (*validate.position(text, where), message)
            for where, message in validate.problems(kind, value)
        ]
    except InvalidRecord as error:
        return [from_error(tree, error.at(path))]
    if wrong or not isinstance(value, dict):
        return [
            Problem(code="schema", file=label, line=line, column=column, message=said, hint=hint)
            for line, column, said in wrong
        ]
    found = []
    task = value.get("task") or value.get("target")
    if len(parts) != 3 or (task is not None and parts[1] != task):
        found.append(
            Problem(
                code="misplaced",
                file=label,
                task=str(task or ""),
                message=f"a record of {task} belongs in {kind}/{task}/",
                hint="git mv it there",
            )
        )
    if whole and parts[1] not in rows:
        found.append(
            Problem(
                code="orphan",
                severity="warning",
                file=label,
                task=parts[1],
                message=f"{parts[1]} is not in the graph",
            )
        )
    return found
