"""Which paths of a repository are ralphgit's own: graph files, records, runtime state."""

from ralphgit.app.workspace.project import Project
from ralphgit.records.schemas import FILED
from ralphgit.rules.pattern_overlap import covers


def is_record(project: Project, path: str) -> bool:
    """Whether a path is ralphgit's own: the graph, the records, the runtime state.

    Other files in the records' folder, or below a pattern of the graph, are anybody's.
    """
    if path.startswith(".ralph/"):
        return True
    if path.startswith(f"{project.config.records}/"):
        kind = path.removeprefix(f"{project.config.records}/").partition("/")[0]
        return kind in FILED and path.endswith(".yaml")
    return any(
        path == pattern or (path.endswith((".yaml", ".yml")) and covers(pattern, path))
        for pattern in project.config.graph
    )
