"""Find records and graph files that a move has left where nothing reads them."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator

from ralphgit.app.gate.problem import Problem, in_file
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import InvalidRecord, Refused
from ralphgit.model import paths
from ralphgit.model.printable import counted
from ralphgit.records import graph_file
from ralphgit.records.schemas import FILED

#: Where a graph is that nobody has moved: by default, and as `shard` makes it.
_GRAPH, _FOLDER = "task-graph.yaml", "graph"
#: With more graph files than these in that folder, no more are read.
_MOST = 50
#: What a records folder is called.
_USUAL = ("records",)


def problems(project: Project, tree: Tree, tasks: Collection[str]) -> Iterator[Problem]:
    """Find what looks like this graph's, by the ids of its `tasks`, and is outside its places."""
    yield from _records(project, tree, tasks)
    yield from _graphs(tree, tasks)


def _records(project: Project, tree: Tree, tasks: Collection[str]) -> Iterator[Problem]:
    own = {project.config.records, project.settings.records_here}
    for folder in _folders(tree):
        if folder in own:
            continue
        found = [
            f"{folder}/{kind}/{task}/{name}"
            for kind in FILED
            for task in sorted(tree.listed(f"{folder}/{kind}"))
            if task in tasks
            for name in sorted(tree.listed(f"{folder}/{kind}/{task}"))
            if name.endswith(".yaml")
        ]
        if found:
            home = project.config.records
            task = found[0].removeprefix(f"{folder}/").split("/")[1]
            place = shlex.quote(found[0].replace(folder, home, 1).rpartition("/")[0])
            many = counted(len(found), "record")
            said = f"{many} in {folder}, and records are read in {home} alone"
            old = shlex.quote(found[0].rpartition("/")[0])
            hint = f"mkdir -p {place} && git mv {old}/*.yaml {place}/"
            yield in_file(
                "stranded_record", tree, found[0], said, hint, task=task, severity="warning"
            )


def _folders(tree: Tree) -> Iterator[str]:
    """List the folders that have folders named as those of records: at the top, and one deeper
    where they have a usual name.
    """
    for name, is_folder in sorted(tree.listed("").items()):
        if not is_folder or paths.is_own_folder(name):
            continue
        inner = tree.listed(name)
        if any(inner.get(kind) for kind in FILED):
            yield name
        for other, is_inner in sorted(inner.items()):
            # Only there: to list each folder of a large tree takes a question to git each.
            deep = is_inner and other in _USUAL and tree.listed(f"{name}/{other}")
            if deep and any(deep.get(kind) for kind in FILED):
                yield f"{name}/{other}"


def _graphs(tree: Tree, tasks: Collection[str]) -> Iterator[Problem]:
    known = {path for path, _ in tree.shards}
    top = tree.listed("")
    files = [_GRAPH] if top.get(_GRAPH) is False else []
    if top.get(_FOLDER):
        names = [name for name in sorted(tree.listed(_FOLDER)) if name.endswith(".yaml")]
        files += [f"{_FOLDER}/{name}" for name in names[:_MOST]]
    for path in files:
        try:
            data = None if path in known else tree.read_any(path)
            rows = graph_file.rows(graph_file.parse(data, path=path)) if data is not None else ()
        except (InvalidRecord, Refused):
            continue  # no graph, or a pipe
        if both := [row.id for row in rows if row.id in tasks]:
            named = ", ".join(sorted(known))
            said = (
                f"{path} has {counted(len(both), 'task')} of the graph, which is {named} now; what "
                "only it says has to go there first"
            )
            hint = f"git rm {shlex.quote(path)}"
            yield in_file(
                "stranded_graph", tree, path, said, hint, task=both[0], severity="warning"
            )
