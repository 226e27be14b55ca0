"""Resolve revisions as people name them: a commit, a range, the graph at a revision."""

import re

from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import UsageError
from ralphgit.git import plain_layout

#: How git goes on in a revision from what its first part names.
_GOES_ON = r"@\{|[~^:]"
#: What may be the beginning of an object's id.
_SHORT_ID = "[0-9a-f]{4,}"
_NO_NAMES = ("HEAD", "@", "")
_BRANCHES = ("refs/heads/", "refs/remotes/")


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
    """The commit that a revision names: the base by what it is called, else a branch, before a tag
    or a file of the git folder that is called the same, which everybody can make here.

    Raises: UsageError (bad_revision; ambiguous where several branches are called so).
    """
    name = re.split(_GOES_ON, revision, maxsplit=1)[0]
    base, objects = project.base, project.repository.objects
    places = [f"{one}{name}" for one in (*_BRANCHES, "refs/" if "/" in name else "") if one]
    places += [f"refs/remotes/{name}/HEAD"]
    if name == base.short and base.ref:
        places = [base.ref]
    if name in _NO_NAMES or name.startswith("refs/") or plain_layout.is_id(name.encode()):
        places = []
    specs = [f"{one}{revision.removeprefix(name)}^{{commit}}" for one in (*places, name)]
    *known, other = objects.resolve(specs)
    there = {place: oid for place, oid in zip(places, known, strict=True) if oid is not None}
    if len({*there.values()}) > 1:
        raise UsageError(
            f"{name} may be {' or '.join(there)}; nothing was looked at",
            code="ambiguous", hint=f"say which one in full: {[*there][-1]}",
        )  # fmt: skip
    found = next(iter(there.values()), other)
    if found is not None and re.fullmatch(_SHORT_ID, name) and places:
        _refuse_other_commit(project, name)
    if found is None:
        raise UsageError(f"{revision} is not a commit here", code="bad_revision", hint="git log")
    return found


def _refuse_other_commit(project: Project, name: str) -> None:
    """Refuse a name that a ref has and an object's id begins with: git takes the ref, which
    everybody can make, and the one who typed it has read it of a commit.
    """
    repository = project.repository
    refs = [one for one in repository.shadows(f"refs/remotes/{name}") if one]
    if refs and (ids := repository.git.run("rev-parse", f"--disambiguate={name}").split()):
        raise UsageError(
            f"{name} may be {refs[0]} or {ids[0].decode()}; nothing was looked at",
            code="ambiguous", hint=f"say which one in full: {ids[0].decode()}",
        )  # fmt: skip


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
