"""Resolve revisions as people name them: a commit, a range, the graph at a revision."""

from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import UsageError
from ralphgit.git import plain_layout

#: What a revision begins with that is no branch's short name.
_NO_NAMES = ("HEAD", "@", "refs/", ":")


def range_in(text: str) -> tuple[str, str, bool] | None:
    """The ends of `A..B` or `A...B`, where an empty one is HEAD, and whether it has three dots;
    None for what is not a range.
    """
    for dots in ("...", ".."):
        old, found, new = text.partition(dots)
        if found:
            return old or "HEAD", new or "HEAD", dots == "..."
    return None


def commit_of(project: Project, revision: str) -> str:
    """The commit that a revision names: a branch, before a tag or a file of the git folder that is
    called the same, which everybody can make here. Raises: UsageError (bad_revision).
    """
    is_no_name = revision.startswith(_NO_NAMES) or plain_layout.is_id(revision.encode())
    places = ("",) if is_no_name else ("refs/heads/", "refs/remotes/", "")
    known = project.repository.objects.resolve([f"{one}{revision}^{{commit}}" for one in places])
    found = next(filter(None, known), None)
    if found is None:
        raise UsageError(f"{revision} is not a commit here", code="bad_revision", hint="git log")
    return found


def view_at(project: Project, revision: str) -> GraphView:
    """This worktree's graph, or with `revision` that one's. Raises: as `at_revision`."""
    return at_revision(project, revision) if revision else project.require_here()


def at_revision(project: Project, revision: str) -> GraphView:
    """The graph on any revision.

    Raises: UsageError for what names no commit; InvalidRecord.
    """
    view = project.view(commit_of(project, revision), revision)
    if not view.shards:
        raise project.no_graph(revision)
    return view
