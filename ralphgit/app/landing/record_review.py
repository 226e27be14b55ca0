"""Record a review on the base, where its worker cannot have written it (SPEC 3.3)."""

from __future__ import annotations

from ralphgit.app.base import update_base
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.base.records_in_review import Change
from ralphgit.app.forge import change_base
from ralphgit.app.forge.change_base import Changed
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git.commit_objects import commit_files
from ralphgit.model.review import Review
from ralphgit.records import audit_file, review_file


def record(project: Project, made: Review) -> Changed:
    """Bring a review to the base in one commit, or by pull request where nobody may push to it.

    Raises: GuardRefused (unsettled); as `change_base.advance`.
    """
    path = audit_file.path(project.config.records, made.task, made.id)
    title = f"{made.task}: review by {made.by}: {made.verdict}"
    for _ in range(update_base.ATTEMPTS):
        base = project.require_base().commit
        content = {path: review_file.encode(made, path)}
        commit = commit_files(project.repository, base, content, f"{title}\n")
        done = change_base.advance(project, base, commit, Change(title, (made.task,)), push=True)
        if done is not None:
            project.refresh()
            return done
        synchronise(project)
        project.refresh()
    raise GuardRefused(
        f"{project.base.label} kept moving; the review of {made.task} was not recorded",
        code="unsettled", hint="repeat the command",
    )  # fmt: skip
