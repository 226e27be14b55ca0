"""Find the pull requests that go on only when a person acts. Reads only."""

import shlex
from collections.abc import Iterator

from ralphgit.app.active_claims import concerns, recovery_commands
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace.project import Project
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.pull_request import Pull, PullState
from ralphgit.model.task_status import State


def needs_person(project: Project, pull: Pull) -> bool:
    """Whether a pull request goes on only when a person acts: the agent is not given it again, or
    it could not be opened.
    """
    if pull.state == PullState.PUSHED:
        return bool(pull.about)
    left = 0 if pull.asks else project.config.land_fixes - pull.fixes
    return pull.waits and (pull.state == PullState.CLOSED or left <= 0)


def found(claim_map: ClaimMap) -> Iterator[tuple[ActiveClaim, Pull]]:
    """Find this machine's pull requests that wait for a person, each with its claim."""
    for row, task_state in claim_map.task_states.noted:
        if task_state.state != State.IN_REVIEW:
            continue
        for active in claim_map.active_claims.get(row.id, ()):
            pull = active.pull
            if pull is not None and needs_person(claim_map.project, pull):
                yield active, pull
                break


def sentence(pull: Pull) -> str:
    """Say what a pull request waits for."""
    if pull.state == PullState.CLOSED:
        return f"the pull request of {pull.by} was closed ({pull.place})"
    if pull.state == PullState.PUSHED:
        return f"{pull.by} could not open its pull request: {pull.about}"
    said = f"the pull request of {pull.by}: {pull.words} ({pull.place})"
    return f"{said}; {pull.by} says: {pull.asks.splitlines()[0]}" if pull.asks else said


def command(project: Project, active: ActiveClaim, pull: Pull) -> str:
    """Return the command for a pull request that waits: looked at again once it goes on, opened,
    or its work is given up.
    """
    if pull.state == PullState.PUSHED:
        return f"ralphgit land {shlex.quote(concerns.branch(active))} --land pr"
    if pull.state == PullState.CLOSED:
        return give_up_command(project, pull.task)
    return "ralphgit status --fetch"


def give_up_command(project: Project, task: str) -> str:
    """Return the command that moves work in review to a rescue ref, and frees its task."""
    return f"{recovery_commands.reset_command(project, task)} --force"
