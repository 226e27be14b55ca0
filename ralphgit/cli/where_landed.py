"""Say where a change of the base has gone: onto it, or into a pull request."""

from __future__ import annotations

from ralphgit.app.base.records_in_review import InReview
from ralphgit.app.workspace.project import Project
from ralphgit.cli.render import safe


def where_landed(project: Project, *, pushed: bool) -> str:
    """Name the base branch that has our commit: the remote's if it was pushed."""
    return project.base.label if pushed or not project.base.remote else project.base.branch


def once_merged(project: Project, pull: InReview) -> str:
    """Say when what is in review counts, and where it is, for the end of a sentence."""
    place = safe(pull.place(project.base.branch))
    return f"when {place} is merged: commit {pull.commit[:12]} on {pull.branch}"


def stored(pull: InReview | None) -> dict[str, object] | None:
    """Return what is in review as JSON has it; None where the base has it."""
    return pull.stored() if pull is not None else None
