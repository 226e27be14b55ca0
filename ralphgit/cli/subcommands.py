"""Commands of several actions (`evidence add`, `worktree new`): which option goes with which."""

from __future__ import annotations

from collections.abc import Mapping

from ralphgit.cli.command_table import COMMANDS
from ralphgit.errors import UsageError


def action_of(command: str, takes: Mapping[str, set[str]], options: Mapping[str, object]) -> str:
    """The action that the line asks for; `takes` names the options that go with each.

    An option that is in none of `takes` goes with all.

    Raises: UsageError for an option of another action.
    """
    action = str(options["action"])
    for param in COMMANDS[command].params:
        owners = [name for name, own in takes.items() if param.name in own]
        if param.name in options and owners and action not in owners:
            name = param.flags[0] if param.flags else param.metavar.strip("[]")
            raise UsageError(
                f"{name} does not go with {command} {action}",
                hint=f"ralphgit {command} --help",
            )
    return action
