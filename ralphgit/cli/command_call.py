"""Prepare one call of a command: its surroundings, and its options in the declared types.

A command is a module with `Options`, a NamedTuple, and `run(call, options)`. The table says how
its line is written; a test holds the two together.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.command_spec import Command, Param
from ralphgit.cli.render import Screen
from ralphgit.errors import UsageError
from ralphgit.model import characters
from ralphgit.model.ids import record_id

if TYPE_CHECKING:
    from ralphgit.app.workspace.project import Project


class Call(NamedTuple):
    around: Surroundings
    warnings: list[str]
    """Filled by the command as it goes, so that a failure still shows what was warned of."""
    screen: Screen
    guard: Callable[[Any], None] | None = None
    """Refuses the call in a project where it is none for a worker in a loop."""

    def project(self, *, fetch: bool = False, pulls: bool = False) -> "Project":
        """Open the project that the command works on; with `pulls`, what is fetched has the state
        of its pull requests, too.
        """
        from ralphgit.app.workspace.project import Project

        project = Project.open(self.around, self.warnings)
        if self.guard is not None:
            self.guard(project)
        if fetch:
            from ralphgit.app.base.fetch import synchronise

            synchronise(project, settle=False)
        if fetch and pulls:
            from ralphgit.app.landing import watch_pull_requests

            watch_pull_requests.refresh(project)
        return project


def surroundings(directory: object = "", flags: Mapping[str, object] | None = None) -> Surroundings:
    """Capture the outside world for `app`; without `directory`, from the current folder.

    `flags`: the settings that the command line names.
    """
    return Surroundings(
        directory=os.path.abspath(str(directory or os.getcwd())),
        environ=dict(os.environ),
        now=time.time,
        new_id=lambda: record_id(os.urandom(8)),
        flags=flags or {},
        person=sys.stdin.isatty() and sys.stdout.isatty(),
    )


def agrees(question: str) -> bool:
    """Ask the person at the terminal; the end of the input (Ctrl-D) is a no."""
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()  # noqa: T201 - what follows begins on a line of its own
        return False


def settings(command: Command, given: Mapping[str, object]) -> dict[str, object]:
    """Return the options of a line that are settings as well."""
    names = [param.name for param in command.params if param.setting]
    return {name: given[name] for name in names if name in given}


def options(command: Command, into: Any, given: Mapping[str, object]) -> Any:
    """Convert the words of a line to `into`, the command's `Options`; absent ones get its defaults.

    A field whose default is itself a NamedTuple is filled with its own share of them.

    Raises: UsageError for a word that cannot be read, and for an option of another action.
    """
    values: dict[str, object] = {}
    for param in command.params:
        if param.name in given:
            if param.actions and given["action"] not in param.actions:
                raise _of_another_action(command.name, param, str(given["action"]))
            if not param.setting:
                values[param.field or param.name] = _typed(param, given[param.name])
    return _filled(into, values)


#: What is named so is looked up, and gets into no record: any bytes may name it.
_FOREIGN = frozenset({"FILE", "DIR"})


def _typed(param: Param, value: Any) -> object:
    if param.kind == "flag":
        return not param.unsets
    for text in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(text, str) and not param.parse and param.metavar.strip("[].") not in _FOREIGN:
            characters.refuse(param.name.replace("_", " "), text)
    if not isinstance(value, (list, tuple)):
        return param.parse(value) if param.parse else value
    return tuple(map(param.parse, value)) if param.parse else tuple(value)


def _filled(into: Any, values: Mapping[str, object]) -> Any:
    groups = {
        name: _filled(type(default), values)
        for name, default in into._field_defaults.items()
        if hasattr(default, "_fields")
    }
    return into(**groups, **{name: values[name] for name in into._fields if name in values})


def _of_another_action(command: str, param: Param, action: str) -> UsageError:
    name = param.flags[0] if param.flags else param.metavar.strip("[]")
    return UsageError(
        f"{name} cannot be combined with {command} {action}", hint=f"ralphgit {command} --help"
    )
