"""Find what completed work waits for a person for: its worker is not sure of it."""

import json
import shlex

from ralphgit.app.workspace.project import Project
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.pull_request import PullState
from ralphgit.model.task_status import Outcome, Status

#: Of these nobody is asked there.
_NOT_ASKED = (PullState.PUSHED, PullState.CLOSED)


def concerns(project: Project, active: ActiveClaim) -> tuple[str, ...]:
    """Return the concerns for which complete work on a branch waits for a person; none with
    `land.concerns`, and none where a pull request is open: people are asked there.
    """
    if project.config.land_concerns or not active.ref:
        return ()
    result = json.loads(active.stored or "{}").get("result") or {}
    if active.status != Status.COMPLETE or result.get("outcome") != Outcome.DONE_WITH_CONCERNS:
        return ()
    if active.pull is not None and active.pull.state not in _NOT_ASKED:
        return ()
    told = result.get("concerns") or ["done with concerns"]
    return (told,) if isinstance(told, str) else tuple(told)


def command(active: ActiveClaim) -> str:
    """Return the command that lands work although its worker is not sure of it."""
    return f"ralphgit land {shlex.quote(branch(active))} --accept-concerns"


def branch(active: ActiveClaim) -> str:
    """Return the short name of the branch that has the work."""
    return active.ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")
