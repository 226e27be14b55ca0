"""Check the records of one state: a commit, a working tree, or an in-memory merge."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ralphgit.app.gate import record_files, stranded
from ralphgit.app.gate.problem import Problem, from_error, in_file, place
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.archive_view import NONE
from ralphgit.app.workspace.graph_files import own_folders
from ralphgit.app.workspace.graph_view import met
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import InvalidRecord
from ralphgit.model import paths
from ralphgit.model.config import SETTINGS_FILE
from ralphgit.model.task_row import Row
from ralphgit.records import graph_file, task_mapping
from ralphgit.records.archive_file import Entry
from ralphgit.records.schemas import FILED
from ralphgit.records.task_fields import Problem as Wrong
from ralphgit.rules import legal_changes
from ralphgit.rules.contract_digest import keeps
from ralphgit.rules.legal_changes import Fault

#: Faults that a task in another file would fix.
_ABSENCE = ("unknown_dependency",)


# -- one state ---------------------------------------------------------------------------


def state(project: Project, tree: Tree, *, only: Collection[str] | None = None) -> list[Problem]:
    """Find the problems of a tree. `only`: the records to read, where not all are wanted."""
    problems: list[Problem] = []
    files = list(_graph_files(project, tree, problems))
    problems += _linked_folders(project, tree)
    rows = [row for file in files for row in graph_file.rows(file)]
    archived = _archived(tree, problems)
    problems += _archived_twins(tree, rows, archived)
    where = {row.id: row for row in rows}
    # A task that seems to be missing may be in a file that could not be read.
    whole = len(files) == len(tree.shards)
    problems += _twins(tree, rows)
    faults = [
        fault
        for fault in legal_changes.graph_faults(met(rows, tree.archive if archived else NONE))
        if whole or fault.code not in _ABSENCE
    ]
    problems += [place(tree, fault, where) for fault in faults]
    homes = record_files.homes(project, tree)
    for file in files:
        for stored in project.around.progress.through(f"tasks in {file.path}", file.tasks):
            row = where[stored["id"]]
            faults = legal_changes.consistency(row.id, row.status, stored)
            faults += _claim_faults(stored, row, homes)
            faults += filter(None, [legal_changes.nothing_to_verify(row.id, stored)])
            problems += [place(tree, fault, where) for fault in faults]
        problems += _script_paths(tree, file)
        problems += _profiles(project, tree, file)
        problems += _advice(tree, file, where)
    wanted = tree.records if only is None else sorted({*tree.records} & {*only})
    known = {*where, *(entry.id for entry in archived)} if whole else None
    problems += record_files.faults(project, tree, wanted, known, homes)
    if known and only is None:
        problems += stranded.problems(project, tree, known)
    if tree.has_runtime():
        problems.append(runtime_tracked(tree.label))
    return problems


def runtime_tracked(label: str = "") -> Problem:
    """What is said of runtime state that is committed."""
    said = f"{runtime_files.FOLDER} is committed: it is what one worktree remembers"
    hint = f"git rm -r --cached {runtime_files.FOLDER}"
    return Problem("runtime_tracked", file=label + runtime_files.FOLDER, message=said, hint=hint)


def _graph_files(
    project: Project, tree: Tree, problems: list[Problem]
) -> Iterable[graph_file.GraphFile]:
    for path, _ in tree.shards:
        data = tree.content(path)
        if data is None:
            continue
        if tree.is_link(path):
            hint = "replace the link by the file itself"
            said = "the graph file is a symbolic link"
            problems.append(in_file("symbolic_link", tree, path, said, hint))
        limit = project.config.max_graph_bytes
        try:
            file, found = graph_file.parse_all(data, path=path, limit=limit)
        except InvalidRecord as error:
            problems.append(_refused(tree, error))
            continue
        problems.extend(_refused(tree, error) for error in found)
        if not found:
            yield file


def _linked_folders(project: Project, tree: Tree) -> Iterator[Problem]:
    """Find folders of the graph and of the records that are links: git has no file behind one."""
    records = project.config.records
    kinds = [f"{records}/{kind}" for kind in FILED]
    linked = {}
    for folder in (*own_folders(project.places), *kinds):
        parts = folder.split("/")
        for end, name in enumerate(parts):
            if name in tree.links("/".join(parts[:end])):
                linked["/".join(parts[: end + 1])] = ""
                break
    for kind in kinds:
        linked |= {f"{kind}/{name}": name for name in tree.links(kind)}
    for path, task in linked.items():
        if not path.endswith(".yaml"):  # what is filed in the wrong place is told as that
            said = f"{path} is a symbolic link, and git keeps no file behind one"
            hint = "replace the link by the folder itself"
            yield in_file("symbolic_link", tree, path, said, hint, task=task)


def _archived(tree: Tree, problems: list[Problem]) -> Sequence[Entry]:
    """List the tasks of the archive; none, with a problem, where it cannot be read."""
    try:
        return tree.archive.entries
    except InvalidRecord as error:
        problems.append(from_error(error, label=tree.label))
        return ()


def _archived_twins(
    tree: Tree, rows: Iterable[Row], archived: Iterable[Entry]
) -> Iterator[Problem]:
    known = {entry.id.casefold() for entry in archived}
    for row in rows if known else ():
        if row.id.casefold() in known:
            said = f"{row.id} is in the archive, too: {tree.archive.place(row.id)[0]}"
            hint = f"ralphgit edit {row.id} --rename NEW"
            yield in_file("duplicate_id", tree, row.file, said, hint, task=row.id, line=row.line)


def _refused(tree: Tree, error: InvalidRecord) -> Problem:
    return from_error(error.at(tree.label + error.file), label=tree.label)


def _twins(tree: Tree, rows: Iterable[Row]) -> Iterator[Problem]:
    first: dict[str, Row] = {}
    for row in rows:
        known = first.setdefault(row.id.casefold(), row)
        if known is not row:
            said = f"the id {row.id} is used twice; first at {known.file}:{known.line}"
            hint = "rename one of the two tasks"
            yield in_file("duplicate_id", tree, row.file, said, hint, task=row.id, line=row.line)


def _claim_faults(
    stored: Mapping[str, object], row: Row, homes: Mapping[str, str]
) -> Iterator[Fault]:
    if not row.claim or not row.contract:
        return
    home = homes.get(row.claim)
    if home is not None and home != row.id:
        said = f"{row.id} has claim {row.claim}, which is a claim of {home}"
        yield Fault("moved_claim", row.id, said, f"a merge moved it; restore the block of {row.id}")
    elif not keeps(task_mapping.task(stored), row.contract):
        said = f"what {row.id} promises has changed since claim {row.claim} was made"
        hint, severity = f"ralphgit complete {row.id} --accept-contract", "error"
        if row.status in ("complete", "cancelled"):
            anew = f"ralphgit reset {row.id} --reopen --reason TEXT"
            hint, severity = f"restore the fields; to have it done anew: {anew}", "warning"
        elif row.status == "blocked":
            hint, severity = f'ralphgit reply {row.id} "TEXT"', "warning"
        yield Fault("stale_contract", row.id, said, hint, severity)


def _script_paths(tree: Tree, file: graph_file.GraphFile) -> Iterator[Problem]:
    """Find what the built-in agent would be told to write where no task has files."""
    for stored, span in zip(file.tasks, file.spans, strict=True):
        script = stored.get("x-script")
        several = isinstance(script, list)
        attempts: list[object] = script if isinstance(script, list) else [script]
        for number, attempt in enumerate(attempts):
            written = attempt.get("write") if isinstance(attempt, dict) else None
            for path in written if isinstance(written, dict) else ():
                if isinstance(path, str) and (fault := paths.fault(path)):
                    at = ("x-script", *((number,) if several else ()), "write", path)
                    found = Wrong(at, f"x-script writes {path!r}, which {fault}")
                    error = graph_file.locate(file.text, span, found, path=file.path, task=stored)
                    yield in_file(
                        "bad_path", tree, file.path, error.message, paths.HINT,
                        task=stored["id"], line=error.line, column=error.column,
                    )  # fmt: skip


def _profiles(project: Project, tree: Tree, file: graph_file.GraphFile) -> Iterator[Problem]:
    """Warn of tasks still to be done that ask for a profile which nobody has set."""
    known = {one.name for one in project.config.agents}
    for stored, span in zip(file.tasks, file.spans, strict=True):
        for field in ("agent", "review"):
            name = stored.get(field)
            if not name or name in known or stored["status"] in ("complete", "cancelled"):
                continue
            task = stored["id"]
            found = Wrong((field,), f"{task} asks for the profile {name}, which nobody has set")
            error = graph_file.locate(file.text, span, found, path=file.path, task=stored)
            yield in_file(
                "unknown_profile", tree, file.path, error.message,
                f"set [agents.{name}] in {SETTINGS_FILE}, "
                f"or: ralphgit edit {task} --remove {field}",
                task=task, line=error.line, column=error.column, severity="warning",
            )  # fmt: skip


def _advice(tree: Tree, file: graph_file.GraphFile, rows: Mapping[str, Row]) -> Iterator[Problem]:
    """Warn of neighbours written on one line each: they conflict when both are claimed."""
    flow = [file.text[span.start : span.end].lstrip(" -").startswith("{") for span in file.spans]
    for number, stored in enumerate(file.tasks[:-1]):
        if flow[number] and flow[number + 1]:
            task = stored["id"]
            said = f"{task} and the next task are written on one line each: claims of both conflict"
            fault = Fault("flow_style", task, said, f"ralphgit edit {task} --block", "warning")
            yield place(tree, fault, rows)
