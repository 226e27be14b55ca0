"""What the table of commands is made of."""

from typing import NamedTuple


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


def flag(name: str, help: str, *flags: str) -> Param:
    return Param(name, flags or (f"--{name.replace('_', '-')}",), help)


def text(
    name: str,
    help: str,
    *flags: str,
    metavar: str = "TEXT",
    choices: tuple[str, ...] = (),
    required: bool = False,
) -> Param:
    return Param(
        name, flags or (f"--{name.replace('_', '-')}",), help, "text", metavar, choices, required
    )


def integer(name: str, help: str, metavar: str = "N") -> Param:
    return Param(name, (f"--{name.replace('_', '-')}",), help, "int", metavar)


def many(name: str, help: str, *flags: str, metavar: str = "TEXT") -> Param:
    return Param(name, flags or (f"--{name.replace('_', '-')}",), help, "many", metavar)


def arg(name: str, metavar: str, *, kind: str = "text") -> Param:
    return Param(name, (), "", kind, metavar)
