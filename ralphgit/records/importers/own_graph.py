"""Import a task graph of another repository: `version: 1` and `tasks`."""

from __future__ import annotations

from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported
from ralphgit.records.importers.parts.source_values import entries
from ralphgit.records.importers.source_file import SourceFile


def _sniff(file: SourceFile) -> int:
    return SURE if _is_graph(file) else NO


def _is_graph(file: SourceFile) -> bool:
    version = file.root.get("version")
    ours = "tasks" in file.root and version == 1 and type(version) is int
    return ours and "nodes" not in file.root


def _read(file: SourceFile) -> Imported:
    """The tasks as they are; what happened to them elsewhere is left out by who imports them."""
    if not _is_graph(file):
        raise file.refused("this is not a mapping with `version: 1` and `tasks`")
    tasks = tuple(task for _, task in entries(file.name, file.root, "tasks", file.body))
    root = {key: value for key, value in file.root.items() if key not in ("version", "tasks")}
    return Imported(tasks, root, (), (), stored=True)


IMPORTER = Importer(
    name="ralphgit",
    help="A task graph of ralphgit: `version: 1` and `tasks`.",
    sniff=_sniff,
    read=_read,
)
