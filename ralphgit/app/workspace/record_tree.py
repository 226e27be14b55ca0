"""Read the records in a commit, an in-memory merge or a working tree.

And which paths of a repository are ralphgit's own: graph files and records.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from ralphgit.app.workspace.archive_view import NONE, Archive
from ralphgit.app.workspace.graph_view import HERE, Shard
from ralphgit.app.workspace.project import Project
from ralphgit.git.objects import Objects, TreeEntry
from ralphgit.model.paths import is_own_folder
from ralphgit.records import worktree_files
from ralphgit.records.atomic_files import TEMPORARY, read
from ralphgit.records.schemas import FILED, is_archive
from ralphgit.rules.pattern_overlap import covers


class Tree(NamedTuple):
    """Graph files and records, by path."""

    label: str
    shards: tuple[Shard, ...]
    records: tuple[str, ...]
    """Paths below the records folder."""
    content: Callable[[str], bytes | None]
    archive: Archive = NONE
    is_link: Callable[[str], bool] = lambda path: False
    listed: Callable[[str], Mapping[str, bool]] = lambda folder: {}
    """What any folder has ("" is the top): names, and whether each is a folder."""
    links: Callable[[str], Collection[str]] = lambda folder: ()
    """The names in a folder that are symbolic links."""
    read_any: Callable[[str], bytes | None] = lambda path: None
    """The content of any file."""
    runtime: Callable[[], str] = lambda: ""
    """Which folder of runtime state (`.ralph`, however it is spelt) is committed there."""
    read_ahead: Callable[[Iterable[str]], None] = lambda paths: None
    """Have `content` ready for many paths at once: of a commit each alone is a question to git."""

    def filed(self, folder: str, tasks: Collection[str] = ()) -> Iterator[tuple[str, str]]:
        """Task and path of each record in `folder/TASK/`, of all tasks or of `tasks`."""
        for path in self.records:
            task, slash, _ = path.removeprefix(f"{folder}/").partition("/")
            if path.startswith(f"{folder}/") and slash and (not tasks or task in tasks):
                yield task, path


def working_tree(project: Project) -> Tree:
    top = project.top
    paths = project.paths_in(top)
    if not paths:
        raise project.no_graph(HERE)
    folder = project.settings.records_here
    project.file(folder)
    found = [path for path in worktree_files.below(top, folder) if is_record_file(path)]
    shards = tuple((path, "") for path in paths)
    return Tree(
        label="",
        shards=shards,
        records=tuple(found),
        content=lambda path: _plain(os.path.join(top, path), links=path in paths),
        archive=project.archive_in(top),
        is_link=lambda path: os.path.islink(os.path.join(top, path)),
        listed=lambda folder: _folder(os.path.join(top, folder)),
        links=lambda folder: _links(os.path.join(top, folder)),
        read_any=lambda path: _plain(os.path.join(top, path), links=False),
        runtime=lambda: _runtime(_entries(project.repository.objects, "HEAD", "")),
    )


def is_record_file(path: str) -> bool:
    """Whether a file is called as a record is."""
    return path.endswith(".yaml") and not path.rpartition("/")[2].startswith(TEMPORARY)


def _folder(path: str) -> dict[str, bool]:
    try:
        with os.scandir(path) as entries:
            return {one.name: one.is_dir(follow_symlinks=False) for one in entries}
    except OSError:
        return {}


def _entries(objects: Objects, treeish: str, path: str) -> Mapping[str, TreeEntry]:
    oid = objects.resolve([f"{treeish}^{{tree}}" if not path else f"{treeish}:{path}/"])[0]
    return objects.trees([oid])[oid] if oid else {}


def _runtime(names: Iterable[str]) -> str:
    return next(filter(is_own_folder, names), "")


def _links(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(one.name for one in entries if one.is_symlink())
    except OSError:
        return []


def _plain(path: str, *, links: bool) -> bytes | None:
    """A file's content; of a link only with `links`: a record is not read through one."""
    return None if os.path.islink(path) and not links else read(path)


def commit_tree(
    project: Project, treeish: str, label: str = "", objects: Objects | None = None
) -> Tree:
    objects = objects or project.repository.objects
    shards = (
        project.shards_at([treeish])
        if objects is project.repository.objects
        else {treeish: project.shards_in(objects, treeish)}
    )
    folder = project.config.records
    listed = objects.files([treeish], (), (folder,), lambda path: path.endswith(".yaml"))[treeish]
    blobs = dict((*shards[treeish], *listed))

    ahead: dict[str, bytes] = {}

    def content(path: str) -> bytes | None:
        oid = blobs.get(path)
        if oid is None:
            return None
        found = ahead.pop(oid, None)
        return objects.read([oid]).get(oid) if found is None else found

    def read_ahead(paths: Iterable[str]) -> None:
        ahead.clear()
        ahead.update(objects.read(blobs[path] for path in paths if path in blobs))

    records = tuple(path for path, _ in listed)
    archive = project.archive_at(treeish, label.removesuffix(":"), objects)

    entries = partial(_entries, objects, treeish)

    def listed_in(path: str) -> dict[str, bool]:
        return {name: entry.is_tree for name, entry in entries(path).items()}

    def links(path: str) -> list[str]:
        return [name for name, entry in entries(path).items() if entry.is_link]

    def read_any(path: str) -> bytes | None:
        name = f"{treeish}:{path}"
        return objects.read([name]).get(name)

    return Tree(
        label, shards[treeish], records, content, archive, listed=listed_in, links=links,
        read_any=read_any,
        runtime=lambda: _runtime(entries("")),
        read_ahead=read_ahead,
    )  # fmt: skip


def is_record(project: Project, path: str) -> bool:
    """Whether a path is ralphgit's own: the graph or a record.

    Other files in the records' folder, or below a pattern of the graph, are anybody's.
    """
    if path.startswith(f"{project.config.records}/"):
        kind = path.removeprefix(f"{project.config.records}/").partition("/")[0]
        filed = kind in FILED and path.endswith(".yaml")
        return filed or is_archive(project.config.records, path)
    return (
        any(
            path == pattern or (path.endswith((".yaml", ".yml")) and covers(pattern, path))
            for pattern in project.config.graph
        )
        or path in project.graph_before
    )
