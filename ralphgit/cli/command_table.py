"""List every command as data: its name, its parameters, its module.

Help, completion and usage errors are click's, built from this table (`cli.click_application`). A
well-formed command line is read from the same table without it (`cli.fast_argv`), because
importing click takes as long as everything else that `ralphgit next` does. Of the table itself
only the group of the command that was asked for is imported.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from ralphgit.cli.command_spec import Command, flag, text

GLOBAL = (
    text("directory", "Work in DIR instead of the current folder.", "-C", metavar="DIR"),
    flag("json", "One JSON object on stdout, also for errors."),
    flag("quiet", "Say nothing but results and errors.", "-q", "--quiet"),
    flag("verbose", "Say more; with a bug, show the traceback.", "-v", "--verbose"),
    flag("no_color", "No colour (NO_COLOR does the same)."),
)

#: The names of each group's commands, in the order in which help shows them.
_NAMES = {
    "look": (
        *("status", "list", "show", "next", "prompt", "graph", "packet", "log", "inbox"),
        "wait",
    ),
    "work": (
        *("claim", "complete", "block", "release", "reset", "revert", "reply", "add", "edit"),
        "preflight",
    ),
    "loop": ("run", "worker", "stop", "logs", "worktree", "fleet", "batch"),
    "prove": ("independence", "evidence", "audit", "reconcile", "integrate", "land"),
    "review": ("check", "diff", "resolve", "report", "board"),
    "set up": (
        *(
            "init",
            "import",
            "export",
            "shard",
            "archive",
            "rebase-paths",
            "rescue",
            "trust",
            "doctor",
            "completion",
        ),
        "mcp",
    ),
}
GROUPS = tuple(_NAMES)
_GROUP_OF = {name: group for group, names in _NAMES.items() for name in names}


class _Commands(Mapping[str, Command]):
    """Every command by its name."""

    def __getitem__(self, name: str) -> Command:
        return _group(_GROUP_OF[name])[name]

    def __contains__(self, name: object) -> bool:
        return name in _GROUP_OF

    def __iter__(self) -> Iterator[str]:
        return iter(_GROUP_OF)

    def __len__(self) -> int:
        return len(_GROUP_OF)


@cache
def _group(group: str) -> dict[str, Command]:
    module = import_module(f"ralphgit.cli.specs.{group.replace(' ', '')}")
    return {command.name: command for command in module.COMMANDS}


COMMANDS: Mapping[str, Command] = _Commands()


def module_of(command: str) -> str:
    """Return the module that has the command's `run`."""
    return f"ralphgit.cli.commands.{command.replace('-', '_')}"
