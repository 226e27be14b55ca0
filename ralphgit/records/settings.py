"""`ralph.toml` -> settings."""

from __future__ import annotations

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
        line, column = _position(str(error))
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
                hint="the settings are listed in docs/format.md",
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


def _position(message: str) -> tuple[int, int]:
    """From tomllib's "... (at line 3, column 5)"."""
    digits = [
        int(part) for part in message.replace(",", " ").replace(")", " ").split() if part.isdigit()
    ]
    return (digits[-2], digits[-1]) if len(digits) >= 2 else (1, 1)


def _line_of(text: str, key: str) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith((key, f"[{key}")):
            return number
    return 1
