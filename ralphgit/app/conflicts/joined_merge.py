"""Join what conflicts in graph files alone, in memory, where `resolve` would ask nothing."""

from __future__ import annotations

from ralphgit.app.conflicts import task_merge
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import trees
from ralphgit.git.merge_preview import Merged, merge_base
from ralphgit.model.three_way_merge import ThreeWay
from ralphgit.records import graph_sections
from ralphgit.records.graph_sections import Pieces


def tree(project: Project, ours: str, theirs: str, merged: Merged) -> str:
    """The tree of the merge `merged` of two commits with its conflicts joined; "" if one is left.

    Two changes of one task's lifecycle are never joined (law L1), nor are a task that is in another
    file on one side, and a file that is no graph. What the tree needs is in the object store then.
    """
    fork = merge_base(project.repository, ours, theirs)
    if not fork or not merged.tree:
        return ""
    objects, limit, sides = project.repository.objects, project.config.max_graph_bytes, []
    shards = project.shards_at([fork, ours, theirs])
    try:
        for commit in (fork, ours, theirs):
            view = project.view_of(shards[commit], commit[:12])
            sides.append((dict(shards[commit]), {row.id: row.file for row in view.rows}))
        if any(path not in files for path in merged.conflicts for files, _ in sides):
            return ""
        sources: dict[str, ThreeWay[Pieces | None]] = {}
        for path in merged.conflicts:
            blobs = [files[path] for files, _ in sides]
            data = objects.read(blobs)
            versions = [graph_sections.split(data[oid], path=path, limit=limit) for oid in blobs]
            if any(homes.get(task, path) != path
                   for one in versions for task in one.tasks for _, homes in sides):  # fmt: skip
                return ""
            sources[path] = ThreeWay(*versions)
    except InvalidRecord:
        return ""
    decided = task_merge.decide(sources, {}, given_up={}, limit=limit)
    files = {path: data for path, data in decided.files.items() if data is not None}
    if decided.open or files.keys() != sources.keys():
        return ""
    made, new = trees.planned(objects, merged.tree, files)
    objects.write(new)
    return made
