"""Make a task's verify commands, each with the criteria that it proves, of what was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ralphgit.errors import UsageError
from ralphgit.records import task_mapping


def entries(
    commands: Sequence[str] | None, proves: Sequence[str] | None, acceptance: Any, old: Any
) -> list[Any] | None:
    """Return the list as a task stores it; None where nothing of it was given.

    `commands` take the place of the `old` ones. A command of `proves` (`ID=CMD`) that is not among
    them is added.

    Raises: UsageError (bad_proves, unknown_criterion).
    """
    if commands is None and proves is None:
        return None
    before = task_mapping.commands(old) if commands is None else [(one, ()) for one in commands]
    found: dict[str, list[str]] = {command: [*proved] for command, proved in before}
    known = [item["id"] for item in task_mapping.criteria(acceptance or ())]
    for told in proves or ():
        criterion, command = _parsed(told)
        if criterion not in known:
            raise UsageError(
                f"there is no criterion {criterion}; nothing was written",
                code="unknown_criterion",
                hint=f"one of: {', '.join(known)}" if known else "--acceptance TEXT adds one",
            )
        proved = found.setdefault(command, [])
        if criterion not in proved:
            proved.append(criterion)
    return [
        {"run": command, "proves": proved} if proved else command
        for command, proved in found.items()
    ]


def _parsed(told: str) -> tuple[str, str]:
    criterion, _, command = told.partition("=")
    if not criterion.strip() or not command.strip():
        raise UsageError(
            f"{told!r} does not name a criterion and a command",
            code="bad_proves", hint="--proves 'ACC-1=npm test'",
        )  # fmt: skip
    return criterion.strip(), command.strip()
