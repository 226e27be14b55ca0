"""Look at the pull requests that are open: how the forge has them, and what waits for whom."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.forge import choice, places
from ralphgit.app.forge.contract import Forge
from ralphgit.app.landing import auto_merge, pull_request
from ralphgit.app.workspace import tracked_pull_requests
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError
from ralphgit.model.pull_request import Pull, PullSeen, PullState, judged
from ralphgit.model.task_status import Status
from ralphgit.records.redact_secrets import redact, secrets_in

#: So much of what a forge tells is given to an agent.
_MOST_CHECKS, _MOST_LINES, _MOST_CHARACTERS = 3, 80, 6000


class Looked(NamedTuple):
    """A pull request as it is now, which is noted."""

    pull: Pull
    seen: PullSeen
    """What the forge says; where none can be asked, that it is as it was."""
    paths: tuple[str, ...]
    """Where it does not merge into the base."""


def look(project: Project, top: str, pull: Pull, there: Forge | None) -> Looked:
    """Ask how a pull request is, and note it in the worktree `top`.

    Raises: RemoteUnavailable, NeedsPerson (forge_login), RalphError (forge_failed), NotWritable.
    """
    state = PullState.CLOSED if pull.state == PullState.CLOSED else PullState.OPEN
    seen = PullSeen(state, pull.url, "", "", pull.commit)
    name = places.named(project, there, pull.branch, pull.url) if there is not None else None
    if there is not None and name is not None:
        seen = there.look(name)
    paths: tuple[str, ...] = ()
    if seen.state is PullState.OPEN:
        paths = pull_request.conflicts(project, pull.commit)
    now, about = judged(seen, commit=pull.commit, heard=pull.heard, paths=paths)
    found = pull._replace(url=seen.url or pull.url, state=now, about=about)
    if (found.state, found.about) != (pull.state, pull.about):
        found = found._replace(at=project.now(), asks="")
    tracked_pull_requests.note(top, found)
    return Looked(found, seen, paths)


def words(project: Project, looked: Looked, there: Forge | None) -> str:
    """What keeps a pull request from landing, as its forge tells it: the ends of the failed checks'
    logs, what reviewers want, the paths in conflict. Without secrets, and cut where it is long.
    """
    pull, seen, secrets = looked.pull, looked.seen, secrets_in(project.around.environ)
    parts = [f"Pull request: {pull.place}"]
    if looked.paths:
        parts.append("In conflict with the base: " + ", ".join(looked.paths))
    for check in seen.failed[:_MOST_CHECKS] if pull.state == PullState.FAILED else ():
        parts.append(f"The check {check.name} failed. {check.url}".rstrip())
        try:
            name = places.named(project, there, pull.branch, pull.url) if there else None
            log = there.log(name, check) if there and name else ""
        except RalphError as error:
            log = f"(its log cannot be had: {error.message})"
        if log:
            end = "\n".join(log.splitlines()[-_MOST_LINES:])[-_MOST_CHARACTERS:]
            parts.append(f"The end of what it printed:\n{end}")
    for said in seen.changes:
        if said.at > pull.heard:
            where = f" of {said.where}" if said.where else ""
            parts.append(f"{said.by} says{where}:\n{said.text[:_MOST_CHARACTERS]}")
    return redact("\n\n".join(parts), secrets)


def retarget(project: Project, top: str, there: Forge) -> list[Pull]:
    """Have pull requests merged into the base whose lower ones have landed; those.

    Once what a branch stands on is on the base, merging it into that one's branch would be lost.

    Raises: as `look`.
    """
    moved = []
    for pull in tracked_pull_requests.read(top):
        if not pull.base or not _stands_on_base(project, pull):
            continue
        # The forge says which that is: a worker can write the note.
        url = there.find(pull.branch)
        if url is None or not pull.branch.startswith("ralph/"):
            continue
        there.retarget(url, project.base.branch)
        tracked_pull_requests.note(top, pull._replace(base=""))
        if auto_merge.decided(project, [pull.task], pull.commit)[0]:
            there.merge_when_allowed(url, project.config.land_method, pull.commit)
        moved.append(pull)
    return moved


def _stands_on_base(project: Project, pull: Pull) -> bool:
    """Whether the base has every completion that a pull request brings, but for its own."""
    noted = tracked_pull_requests.everywhere(project.repository.worktrees)
    own = {one.task for one in noted if one.branch == pull.branch}
    base = project.base_view
    for row in project.view(pull.commit, pull.branch).rows:
        if row.id in own or row.status != Status.COMPLETE or not row.claim:
            continue
        known = base.known(row.id)
        if known is None or (known.claim, known.status) != (row.claim, row.status):
            return False
    return True


def refresh(project: Project) -> None:
    """Look at every pull request of this machine's worktrees; what fails is warned of.

    Each question to the forge has a limit of time, and the first that it does not answer ends the
    look. Those that have landed are left to the loop.
    """
    there = choice.of(project) if project.base.remote else None
    for worktree in project.repository.worktrees:
        if worktree.bare or not worktree.exists:
            continue
        try:
            if there is not None:
                retarget(project, worktree.path, there)
        except RalphError as error:
            project.warn(f"{error.message}; no pull request was given another base")
            return
        for pull in tracked_pull_requests.read(worktree.path):
            if not pull.is_at_forge or pull_request.has_landed(project, pull):
                continue
            try:
                look(project, worktree.path, pull, there)
            except RalphError as error:
                project.warn(f"{pull.task}: {error.message}; its pull request is shown as it was")
                return
