"""Read graphs from their bytes, and keep in this process what it has read and judged itself.

What decides whether work lands does not ask the repository's cache, into which whoever writes into
`.git` can write. A loop lands one task after another, though, and each landing changes a few: in
memory there is the last graph that was read as a whole, and of another one what it has otherwise
is read. All of it is known by content, so it is right or missing.
"""

from __future__ import annotations

from functools import lru_cache

from ralphgit.app.workspace.graph_loader import GraphLoader
from ralphgit.app.workspace.graph_view import GraphView, Shard
from ralphgit.app.workspace.project import Project
from ralphgit.git.objects import Objects
from ralphgit.records import row_memory

#: Where more tasks than this differ from the graph that was read as a whole, the next one is.
_MOST_CHANGES = 100


class OwnReading:
    """What this process has read and judged of one repository."""

    def __init__(self, common_dir: str) -> None:
        self.memory = row_memory.of_repository(common_dir)
        self._whole: GraphView | None = None

    def view(
        self, project: Project, treeish: str, objects: Objects, label: str = ""
    ) -> GraphView | None:
        """Return the graph of a tree or commit; None without a graph file. Raises: InvalidRecord.

        `label` is for errors.
        """
        shards = project.shards_in(objects, treeish)
        if not shards:
            return None
        archive = project.archive_at(treeish, label, objects)

        def read(shard: Shard) -> bytes:
            return objects.read([shard[1]])[shard[1]]

        limit = project.config.max_graph_bytes
        loader = GraphLoader(project.repository, self.memory, lambda: limit)
        prefix = f"{label}:" if label else ""
        found = loader.load(shards, read, label, prefix, archive, lambda: self._whole)
        if len(found.changes()) > _MOST_CHANGES:
            self._whole = None
        elif found.origin is found and (self._whole is None or self._whole.shards != found.shards):
            if not found.index.size:  # asked for, it is kept: the next graph is held against this
                return found
            # What `objects` reads may be gone by then.
            texts = {shard: read(shard) for shard in found.shards}
            self._whole = loader.load(shards, texts.__getitem__, label, prefix, archive)
            list(self._whole.rows)
        return found


@lru_cache(maxsize=2)
def of_repository(common_dir: str) -> OwnReading:
    """Return what this process knows of the repository with this git directory."""
    return OwnReading(common_dir)
