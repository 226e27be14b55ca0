"""Read the settings in `ralph.toml`, and set `graph` in it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ralphgit.errors import InvalidRecord
from ralphgit.model import paths
from ralphgit.model.config import SETTINGS_FILE, setting_name
from ralphgit.model.setting_values import path_fault
from ralphgit.records import input_limits
from ralphgit.records.input_limits import MAX_DEPTH, position

FILE = SETTINGS_FILE
#: Keys that the file may have for other readers.
_IGNORED = frozenset({"version", "$schema"})


def parse(data: bytes, *, path: str = FILE) -> dict[str, object]:
    """The settings that the file makes, by field name; values are not yet checked.

    Raises: InvalidRecord for what is not TOML, and for a key that is not known: a typing
    mistake must not silently leave a default in force.
    """
    found: dict[str, object] = {}
    for key, value in _flat(_document(data, path)):
        name = setting_name(key)
        if name is None:
            if key in _IGNORED:
                continue
            raise InvalidRecord(
                f"unknown setting {key}",
                file=path,
                line=_line_of(data.decode("utf-8"), key.rpartition(".")[2]),
                code="unknown_setting",
                hint="the settings are listed in docs/configuration.md",
            )
        if wrong := path_fault(name, value):
            line, column = _place_of(data.decode("utf-8"), key.rpartition(".")[2], wrong[0])
            raise InvalidRecord(
                f"{key} is {wrong[0]!r}, which {wrong[1]}",
                file=path, line=line, column=column, code="bad_path", hint=paths.HINT,
            )  # fmt: skip
        found[name] = value
    return found


def _document(data: bytes, path: str) -> dict[str, Any]:
    """Raises: InvalidRecord for what is not TOML, and for more of it than anybody writes."""
    import tomllib

    if len(data) > _MOST_BYTES:
        message = f"the file has {len(data)} bytes, and the limit is {_MOST_BYTES}"
        raise InvalidRecord(message, file=path, code="too_large", hint="shorten it")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRecord("the file is not UTF-8", file=path) from None
    if found := re.search(_DEEP_KEY, text):
        line, column = position(text, found.start())
        raise _too_deep(path, line, column)
    try:
        document = tomllib.loads(text)
        input_limits.refuse_raw(text)
        input_limits.refuse_decoded(document, text)
        return document
    except InvalidRecord as error:
        raise error.at(path) from None
    except tomllib.TOMLDecodeError as error:
        line, column = _position(str(error), data)
        raise InvalidRecord(
            f"not TOML: {error}", file=path, line=line, column=column, code="syntax"
        ) from None
    except RecursionError:
        raise _too_deep(path) from None
    except ValueError:
        message = "not TOML: a whole number has too many digits"
        raise InvalidRecord(message, file=path, code="syntax", hint="shorten it") from None


def _too_deep(path: str, line: int = 1, column: int = 1) -> InvalidRecord:
    return InvalidRecord(
        "it is nested too deep", file=path, line=line, column=column, code="too_deep",
        hint="the settings are listed in docs/configuration.md",
    )  # fmt: skip


_MOST_BYTES = 64 * 1024
#: tomllib takes time that grows with the square of a key's parts.
_DEEP_KEY = (
    r"""(?<![\w.'"-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){"""
    f"{MAX_DEPTH}}}"
)


def _flat(table: dict[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for key, value in table.items():
        if isinstance(value, dict) and prefix.startswith("agents.") and key == "environment":
            # Names of variables are no settings: a table of them is a list.
            pairs.append((f"{prefix}{key}", [f"{name}={text}" for name, text in value.items()]))
        elif isinstance(value, dict):
            pairs.extend(_flat(value, f"{prefix}{key}."))
        else:
            pairs.append((f"{prefix}{key}", value))
    return pairs


def _position(message: str, data: bytes) -> tuple[int, int]:
    """From tomllib's "... (at line 3, column 5)" or "... (at end of document)"."""
    if message.endswith("(at end of document)"):
        lines = data.decode("utf-8").rstrip().split("\n")
        return len(lines), len(lines[-1]) + 1
    digits = [
        int(part) for part in message.replace(",", " ").replace(")", " ").split() if part.isdigit()
    ]
    return (digits[-2], digits[-1]) if len(digits) >= 2 else (1, 1)


# Here and below only text: compiled where they are needed, which is seldom.
_TABLE = r"[ \t]*\[([^\[\]]+)\]"
_KEY = r"""[ \t]*([A-Za-z0-9_."'-]+)[ \t]*="""


def line_of(data: bytes, name: str) -> int:
    """The line that makes the setting `name`; 0 where it cannot be told."""
    table = ""
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        if found := re.match(_TABLE, line):
            table = f"{found[1].strip()}."
        elif (found := re.match(_KEY, line)) and setting_name(table + found[1]) == name:
            return number
    return 0


def _line_of(text: str, key: str) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith((key, f"[{key}")):
            return number
    return 1


def _place_of(text: str, key: str, value: str) -> tuple[int, int]:
    """Line and column of a string that a setting has; of the setting, where it is escaped."""
    line = _line_of(text, key)
    start = sum(map(len, text.splitlines(keepends=True)[: line - 1]))
    quoted = (f'"{value}"', f"'{value}'")
    found = [at for word in quoted if (at := text.find(word, start)) >= 0]
    return position(text, min(found)) if found else (line, 1)


_STRING = r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'"""
_COMMENT = r"# ?([^\r\n]*)"


def with_graph(text: str, patterns: Sequence[str], *, path: str = FILE) -> str:
    """`text` with `graph` set to `patterns`; all else stays, and so do comments in the old list.

    Raises: InvalidRecord (unclear_layout) where the text does not show the setting.
    """
    import tomllib

    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    plain = text.replace("\r\n", "\n")
    # What tomlkit adds ends with a line feed alone.
    eol = "\r\n" if plain.count("\n") == text.count("\r\n") > 0 else "\n"
    value = tomlkit.array()
    try:
        document = tomlkit.parse(plain if eol == "\r\n" else text)
        old = document.item("graph") if "graph" in document else value
        if isinstance(old, tomlkit.items.Item):
            for comment in re.findall(_COMMENT, re.sub(_STRING, "", old.as_string())):
                value.add_line(comment=comment)
        if value.as_string() == "[]":
            value.extend(patterns)
        else:
            value.add_line(*patterns)
            value.add_line(indent="")
        document["graph"] = value
        made = tomlkit.dumps(document).replace("\n", eol)
        before, after = tomllib.loads(text), tomllib.loads(made)
        told_apart = not isinstance(before.get("graph"), dict)
        if told_apart and after == {**before, "graph": [*patterns]}:
            return made
    except (TOMLKitError, tomllib.TOMLDecodeError, RecursionError):
        pass  # as where it is a table
    message = "it is not clear where graph is set; nothing was written"
    hint = f"set it by hand: graph = {json.dumps([*patterns], ensure_ascii=False)}"
    raise InvalidRecord(message, file=path, code="unclear_layout", hint=hint)
