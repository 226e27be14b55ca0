"""Read a well-formed command line.

It knows the table's options in their usual spellings (`--name VALUE`, `--name=VALUE`,
`-xVALUE`) and gives up, returning None, at anything else: then click reads the line and
explains what is wrong. A property test holds the two readers together.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.cli.command_spec import Param
from ralphgit.cli.command_table import COMMANDS, GLOBAL

_MOST_DIGITS = 18


class Line(NamedTuple):
    command: str
    options: dict[str, object]
    """By parameter name; global options too. Absent ones are not there."""


def read(words: Sequence[str]) -> Line | None:
    """Read the command line `words` (without the program's name); None if click must read it."""
    options: dict[str, object] = {}
    position = 0
    by_flag = {flag: param for param in GLOBAL for flag in param.flags}
    while position < len(words) and words[position].startswith("-"):
        taken = _option(words, position, by_flag, options)
        if not taken:
            return None
        position += taken
    if position == len(words) or words[position] not in COMMANDS:
        return None
    command = COMMANDS[words[position]]
    by_flag.update((flag, param) for param in command.params for flag in param.flags)
    arguments: list[str] = []
    position += 1
    while position < len(words):
        word = words[position]
        if word == "--":
            arguments.extend(words[position + 1 :])
            break
        if word.startswith("-") and word != "-":
            taken = _option(words, position, by_flag, options)
            if not taken:
                return None
            position += taken
        else:
            arguments.append(word)
            position += 1
    if any(p.required and p.name not in options for p in command.params):
        return None
    if not _arguments(arguments, [p for p in command.params if not p.flags], options):
        return None
    return Line(command.name, options)


def verb(words: Sequence[str]) -> str:
    """Return the command that a line names, also an unknown one; "" if it names none."""
    with_value = {flag for param in GLOBAL if param.kind != "flag" for flag in param.flags}
    position = 0
    while position < len(words) and words[position].startswith("-"):
        position += 2 if words[position] in with_value else 1
    return words[position] if position < len(words) else ""


def _option(
    words: Sequence[str], position: int, by_flag: dict[str, Param], options: dict[str, object]
) -> int:
    """Read the option at `position` into `options`; how many words it took, 0 for none."""
    word = words[position]
    name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
    if not word.startswith("--") and len(word) > 2:
        name, equals, value = word[:2], "=", word[2:]
    param = by_flag.get(name)
    if param is None:
        return 0
    if param.kind == "flag":
        if equals:
            return 0
        options[param.name] = True
        return 1
    taken = 1
    if not equals and param.alone:
        taken, value = stands_alone(words, position, param)
    elif not equals:
        if position + 1 == len(words):
            return 0
        value, taken = words[position + 1], 2
    if param.choices and value not in param.choices:
        return 0
    if param.kind == "int":
        if not value.isascii() or not value.isdigit() or len(value) > _MOST_DIGITS:
            return 0
        options[param.name] = int(value)
    elif param.kind == "many":
        known = options.setdefault(param.name, [])
        assert isinstance(known, list)
        known.append(value)
    else:
        options[param.name] = value
    return taken


def stands_alone(words: Sequence[str], position: int, param: Param) -> tuple[int, str]:
    """Read an option that may stand without its value: how many words it takes, and the value."""
    behind = words[position + 1] if position + 1 < len(words) else ""
    is_value = behind in param.choices if param.choices else _is_number(behind)
    return (2, behind) if is_value else (1, param.alone)


def _is_number(word: str) -> bool:
    return word.isascii() and word.replace(".", "", 1).isdigit()


def _arguments(given: list[str], params: list[Param], options: dict[str, object]) -> bool:
    """Give the arguments their names; whether their number and choices fit."""
    for param in params:
        if param.kind in ("rest", "any"):
            if not given and param.kind == "rest":
                return False
            if given:
                options[param.name] = tuple(given)
            given = []
        elif given:
            value, *given = given
            if param.choices and value not in param.choices:
                return False
            options[param.name] = value
        elif param.kind != "optional":
            return False
    return not given
