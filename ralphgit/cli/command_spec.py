"""Define what the table of commands is made of."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from ralphgit.model.ids import parse_task_id

if TYPE_CHECKING:
    from ralphgit.model.listed import Listed

#: What there is to choose from in a folder.
Listing = Callable[[str], "Iterable[Listed]"]
Parse = Callable[[str], object]


class Param(NamedTuple):
    """An option, or an argument where `flags` is empty."""

    name: str
    flags: tuple[str, ...]
    help: str
    kind: str = "flag"
    """flag, text, int, many (text, repeatable); for arguments: text, optional, rest (one or more),
    any (none or more)."""
    metavar: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    field: str = ""
    """What the command's `Options` call it; "" is `name`."""
    unsets: bool = False
    """A flag that makes its field False."""
    parse: Parse | None = None
    """Reads each word, and raises UsageError for what is not one; None leaves text as it is."""
    setting: bool = False
    """A setting as well, of which the command line is the strongest layer; in no `Options`."""
    actions: tuple[str, ...] = ()
    """The actions of the command that it goes with; () is all of them."""
    alone: str = ""
    """The value of an option that may stand without one: then the next word is its value only if
    it is one of `choices`, or without them a number."""
    listed: Listing | None = None
    """What there is to choose from, for help and completion that are asked for in a folder; other
    values may do as well."""


class Command(NamedTuple):
    name: str
    group: str
    help: str
    params: tuple[Param, ...] = ()
    detail: str = ""
    """More than one line, for `COMMAND --help`."""
    outside: bool = False
    """It needs no repository."""
    claims: bool = False
    """It takes a lease; git gets ready for that while the command is imported."""


def flag(name: str, help: str, *flags: str, unsets: str = "", setting: bool = False) -> Param:
    """Describe a flag. `unsets`: the field that it makes False."""
    return Param(
        name, flags or _usual(name), help, field=unsets, unsets=bool(unsets), setting=setting
    )


def text(
    name: str,
    help: str,
    *flags: str,
    metavar: str = "TEXT",
    choices: tuple[str, ...] = (),
    required: bool = False,
    field: str = "",
    task: bool = False,
    parse: Parse | None = None,
    setting: bool = False,
    alone: str = "",
    listed: Listing | None = None,
) -> Param:
    """Describe an option with a word. `task`: it is the id of one. `alone`: what it means without
    the word.
    """
    return Param(
        name, flags or _usual(name), help, "text", metavar, choices, required, field,
        parse=parse_task_id if task else parse, setting=setting, alone=alone,
        listed=listed,
    )  # fmt: skip


def integer(name: str, help: str, *flags: str, metavar: str = "N") -> Param:
    return Param(name, flags or _usual(name), help, "int", metavar)


def many(name: str, help: str, *, metavar: str = "TEXT", field: str = "") -> Param:
    return Param(name, _usual(name), help, "many", metavar, field=field)


def arg(
    name: str,
    metavar: str,
    *,
    kind: str = "text",
    choices: tuple[str, ...] = (),
    task: bool = False,
) -> Param:
    return Param(name, (), "", kind, metavar, choices, parse=parse_task_id if task else None)


def of(actions: str, *params: Param) -> tuple[Param, ...]:
    """Return `params` as options of some actions only: `of("list, prune", FETCH)`."""
    names = tuple(actions.split(", "))
    return tuple(
        param._replace(
            actions=names,
            help=param.help and f"{actions}: {param.help[0].lower()}{param.help[1:]}",
        )
        for param in params
    )


def _usual(name: str) -> tuple[str]:
    return (f"--{name.replace('_', '-')}",)
