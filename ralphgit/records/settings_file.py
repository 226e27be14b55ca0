"""`ralph.toml` -> settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ralphgit.errors import InvalidRecord
from ralphgit.model.config import setting_name

FILE = "ralph.toml"
#: Keys that the file may have for other readers.
_IGNORED = frozenset({"version", "$schema"})


def parse(data: bytes, *, path: str = FILE) -> dict[str, object]:
    """The settings that the file makes, by field name; values are not yet checked.

    Raises: InvalidRecord for what is not TOML, and for a key that is not known: a typing
    mistake must not silently leave a default in force.
    """
    import tomllib

    try:
        document = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise InvalidRecord("the file is not UTF-8", file=path) from None
    except tomllib.TOMLDecodeError as error:
        line, column = _position(str(error), data)
        raise InvalidRecord(
            f"not TOML: {error}", file=path, line=line, column=column, code="syntax"
        ) from None
    found: dict[str, object] = {}
    for key, value in _flat(document):
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
        found[name] = value
    return found


def _flat(table: dict[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for key, value in table.items():
        if isinstance(value, dict):
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


def _line_of(text: str, key: str) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith((key, f"[{key}")):
            return number
    return 1


_GRAPH = re.compile(r"""^[ \t]*(?:graph|"graph"|'graph')[ \t]*=""", re.M)
_TABLE = re.compile(r"^[ \t]*\[", re.M)
_STRING = re.compile(r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_COMMENT = re.compile(r"#[^\r\n]*")


def with_graph(text: str, patterns: Sequence[str], *, path: str = FILE) -> str:
    """`text` with `graph` set to `patterns`; all else stays, comments too.

    A comment inside the old list comes before the new one.

    Raises: InvalidRecord (unclear_layout) where the setting cannot be told from the text.
    """
    import tomllib

    value = f"[{', '.join(json.dumps(one, ensure_ascii=False) for one in patterns)}]"
    before = tomllib.loads(text)
    for made in _set_to(text, value) if "graph" in before else (_added(text, value),):
        try:
            after = tomllib.loads(made)
        except tomllib.TOMLDecodeError:
            continue
        if after == {**before, "graph": list(patterns)}:
            return made
    raise InvalidRecord(
        "it is not clear where graph is set; nothing was written",
        file=path, code="unclear_layout", hint=f"set it by hand: graph = {value}",
    )  # fmt: skip


def _added(text: str, value: str) -> str:
    """`text` with the setting before the first table."""
    eol = "\r\n" if "\r\n" in text else "\n"
    table = _TABLE.search(text)
    at = table.start() if table else len(text)
    head = text[:at] if not at or text[:at].endswith("\n") else text[:at] + eol
    return f"{head}graph = {value}{eol}{eol if table else ''}{text[at:]}"


def _set_to(text: str, value: str) -> Iterator[str]:
    """`text` with the setting changed, for each place that it may be at."""
    eol = "\r\n" if "\r\n" in text else "\n"
    for found in _GRAPH.finditer(text):
        end = _end_of_value(text, found.start())
        if end < 0:
            continue
        old = text[found.end() : end]
        hidden = _STRING.sub(lambda string: " " * len(string[0]), old)
        comments = [old[c.start() : c.end()] for c in _COMMENT.finditer(hidden)]
        behind = f"  {comments.pop()}" if "#" in hidden.rstrip().rpartition("\n")[2] else ""
        above = "".join(f"{comment}{eol}" for comment in comments)
        line = f"{text[found.start() : found.end()]} {value}{behind}"
        yield f"{text[: found.start()]}{above}{line}{text[end:]}"


def _end_of_value(text: str, start: int) -> int:
    """Where the lines end on which a setting stands that begins at `start`, without the last
    line's end; -1 where no number of lines is one setting."""
    import tomllib

    end = start
    while end < len(text):
        end = text.find("\n", end + 1)
        end = len(text) if end < 0 else end
        without = text[start:end].removesuffix("\r")
        try:
            found = tomllib.loads(without)
        except tomllib.TOMLDecodeError:
            continue
        return start + len(without) if [*found] == ["graph"] else -1
    return -1
