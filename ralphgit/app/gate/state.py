"""Check the records of one state: a commit, a working tree, or an in-memory merge."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.gate import clean_graph, record_files, stranded
from ralphgit.app.gate.problem import Problem, from_error, in_file, place
from ralphgit.app.gate.task_verdicts import TaskVerdicts
from ralphgit.app.workspace import graph_view
from ralphgit.app.workspace.archive_view import NONE
from ralphgit.app.workspace.graph_files import own_folders
from ralphgit.app.workspace.graph_view import GraphView, met
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import InvalidRecord
from ralphgit.model import paths
from ralphgit.model.config import SETTINGS_FILE
from ralphgit.model.task_row import Row
from ralphgit.records import graph_file, task_blocks
from ralphgit.records.archive_file import Entry
from ralphgit.records.row_cache import Cache
from ralphgit.records.schemas import FILED
from ralphgit.records.task_blocks import Block
from ralphgit.records.task_fields import Problem as Wrong
from ralphgit.rules import branch_changes
from ralphgit.rules.branch_changes import Fault

#: Faults that a task in another file would fix.
_ABSENCE = ("unknown_dependency",)


# -- one state ---------------------------------------------------------------------------


def state(
    project: Project,
    tree: Tree,
    *,
    only: Collection[str] | None = None,
    graph: GraphView | ReadGraph | None = None,
    kept: Cache | None = None,
) -> list[Problem]:
    """Find the problems of a tree. `only`: the records to read, where not all are wanted.

    `graph`: its graph, where it was read before. With a view, files are not parsed again, and what
    was found of single tasks before counts (`task_verdicts`), by the repository's cache or `kept`.
    """
    problems: list[Problem] = []
    homes = record_files.homes(project, tree)
    view = graph if isinstance(graph, GraphView) else None
    cache = kept or project.cache
    verdicts = TaskVerdicts(None if view is None else cache)
    archived = _archived(tree, problems)
    part, whole = None, True
    if view is not None:
        part = None if problems else clean_graph.rows_to_judge(project, view, homes, verdicts)
        files = list(_files_of(tree, view, view.rows if part is None else part, problems))
    else:
        read = graph if isinstance(graph, ReadGraph) else read_graph(project, tree)
        files = list(read.files)
        problems += read.problems
        # A task that seems to be missing may be in a file that could not be read.
        whole = read.whole
    where: Mapping[str, Row]
    if view is not None and part is not None:
        where = view.by_id
    else:
        rows = [row for file in files for row in file.rows]
        where = {row.id: row for row in rows}
        problems += _between_tasks(tree, rows, where, archived, whole)
        for file in files:
            problems += _advice(tree, file, where)
    problems += _linked_folders(project, tree)
    problems += _no_folders(project, tree, where)
    for file in files:
        placed = []
        for row in project.around.progress.through(f"tasks in {file.path}", file.rows):
            verdict = verdicts.of(row)
            if verdict.is_placed:
                placed.append(row)
            moved = [*_moved_claim(row, homes)]
            problems += [
                place(tree, fault, where)
                for fault in (*moved, *verdict.faults)
                # A claim that stands on another task does not fit what this one promises.
                if not moved or fault.code != "stale_contract"
            ]
        if placed:
            again = _again(file, placed)
            problems += _script_paths(tree, again)
            problems += _profiles(project, tree, again)
    verdicts.keep()
    wanted = tree.records if only is None else sorted({*tree.records} & {*only})
    known = {*where, *(entry.id for entry in archived)} if archived else where
    problems += record_files.faults(project, tree, wanted, known if whole else None, homes)
    if known and whole and only is None:
        problems += stranded.problems(project, tree, known)
    if folder := tree.runtime():
        problems.append(runtime_tracked(folder, tree.label))
    return problems


def _between_tasks(
    tree: Tree, rows: Sequence[Row], where: Mapping[str, Row], archived: Sequence[Entry],
    whole: bool,
) -> Iterator[Problem]:  # fmt: skip
    """Find what is wrong with tasks beside each other; `whole`: there are no others."""
    yield from _archived_twins(tree, rows, archived)
    yield from _twins(tree, rows)
    for fault in branch_changes.graph_faults(met([*rows], tree.archive if archived else NONE)):
        if whole or fault.code not in _ABSENCE:
            yield place(tree, fault, where)


class ValidFile(NamedTuple):
    """A graph file of which every task has the right shape."""

    path: str
    text: str
    rows: Sequence[Row]


class ReadGraph(NamedTuple):
    """The graph files of a tree, read from their bytes."""

    files: Sequence[ValidFile]
    problems: Sequence[Problem]
    """Why the others are not valid, and which are links."""
    whole: bool
    """Whether each could be read."""

    @property
    def by_id(self) -> Mapping[str, Row]:
        return {row.id: row for file in self.files for row in file.rows}


def _again(file: ValidFile, rows: Sequence[Row]) -> graph_file.GraphFile:
    """Some tasks of a file, with what their rows do not have."""
    tasks = tuple(graph_view.stored(row) for row in rows)
    spans = tuple(Block(row.start, row.end) for row in rows)
    return graph_file.GraphFile(file.path, file.text, tasks, spans, {})


def runtime_tracked(folder: str, label: str = "") -> Problem:
    """What is said of runtime state that is committed."""
    said = f"{folder} is committed: it is what one worktree remembers"
    hint = f"git rm -r --cached {shlex.quote(folder)}"
    return Problem("runtime_tracked", file=label + folder, message=said, hint=hint)


def read_graph(project: Project, tree: Tree) -> ReadGraph:
    """Read the graph files of a tree, from their bytes."""
    problems: list[Problem] = []
    files = []
    for path, _ in tree.shards:
        data = tree.content(path)
        if data is None:
            continue
        if tree.is_link(path):
            problems.append(_link(tree, path))
        limit = project.config.max_graph_bytes
        try:
            file, found = graph_file.parse_all(data, path=path, limit=limit)
        except InvalidRecord as error:
            problems.append(_refused(tree, error))
            continue
        problems.extend(_refused(tree, error) for error in found)
        if not found:
            files.append(ValidFile(path, file.text, graph_file.rows(file)))
    return ReadGraph(files, problems, len(files) == len(tree.shards))


def _files_of(
    tree: Tree, view: GraphView, rows: Iterable[Row], problems: list[Problem]
) -> Iterator[ValidFile]:
    """The files of a graph that have some of these rows, each with those."""
    by_file: dict[str, list[Row]] = {}
    for row in rows:
        by_file.setdefault(row.file, []).append(row)
    for path, _ in view.shards:
        if tree.is_link(path):
            problems.append(_link(tree, path))
        if path in by_file:
            yield ValidFile(path, view.content(path), by_file[path])


def _link(tree: Tree, path: str) -> Problem:
    hint = "replace the link by the file itself"
    return in_file("symbolic_link", tree, path, "the graph file is a symbolic link", hint)


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


def _no_folders(project: Project, tree: Tree, tasks: Collection[str]) -> Iterator[Problem]:
    """Find files and submodules in place of a folder that records of these tasks belong into."""
    top = project.config.records.split("/")
    kinds = [[*top, kind] for kind in FILED]
    folders = [top[: end + 1] for end in range(len(top))] + kinds
    found = [folder for folder in folders if _is_no_folder(tree, folder)]
    for kind in kinds:
        names = tree.listed("/".join(kind))
        found += ([*kind, name] for name in names if name in tasks and not names[name])
    for folder in found:
        path, name = "/".join(folder), folder[-1]
        if name not in tree.links("/".join(folder[:-1])):
            said = f"{path} is no folder, and no record can be put there"
            task = name if folder not in folders else ""
            hint = f"git rm -r --cached {shlex.quote(path)}"
            yield in_file("no_folder", tree, path, said, hint, task=task)


def _is_no_folder(tree: Tree, folder: Sequence[str]) -> bool:
    return not tree.listed("/".join(folder[:-1])).get(folder[-1], True)


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


def _moved_claim(row: Row, homes: Mapping[str, str]) -> Iterator[Fault]:
    home = homes.get(row.claim) if row.claim and row.contract else None
    if home is not None and home != row.id:
        said = f"{row.id} has claim {row.claim}, which is a claim of {home}"
        yield Fault("moved_claim", row.id, said, f"a merge moved it; restore the block of {row.id}")


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


def _advice(tree: Tree, file: ValidFile, rows: Mapping[str, Row]) -> Iterator[Problem]:
    """Warn of neighbours written on one line each: they conflict when both are claimed."""
    if clean_graph.FLOW.search(file.text) is None:
        return
    blocks = [file.text[row.start : row.end].lstrip() for row in file.rows]
    flow = [block.lstrip(" -").startswith("{") for block in blocks]
    for number, row in enumerate(file.rows[:-1]):
        if flow[number] and flow[number + 1]:
            task, in_list = row.id, blocks[number].startswith("{")
            said = f"{task} and the next task are written on one line each: claims of both conflict"
            hint = task_blocks.OWN_LINES if in_list else f"ralphgit edit {task} --block"
            fault = Fault("flow_style", task, said, hint, "warning")
            yield place(tree, fault, rows)
