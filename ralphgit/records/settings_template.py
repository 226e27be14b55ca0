"""Write `ralph.toml` as `init` does: every setting with its default, commented out.

Names and defaults are those of `Config`, the words those of its schema, so that the file says
what is so. Every setting is a line with a dotted key, and can be uncommented on its own.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from ralphgit.model.agent_profile import AGENTS
from ralphgit.model.config import CHOICES, COMMITTED, Config, family, setting_name
from ralphgit.records import init_marks, schemas

_HEAD = f"""\
#:schema {schemas.ADDRESS}/{schemas.file_name("config")}
# {init_marks.SEAL}.
#
# Settings of ralphgit. What is commented out is the default, and counts without this file, too.
# One that is marked (base) weakens a guard, runs something or says where the truth is: of this file
# it counts only as it is committed on the base branch.
"""
_WIDTH = 96


def text(graph: Sequence[str] = ()) -> bytes:
    """The file. With `graph`, that setting is made."""
    parts = [_HEAD]
    for key, words in described():
        name = setting_name(key)
        assert name is not None  # the schema has no other keys
        if family(name) in COMMITTED:
            words += " (base)"
        if choices := CHOICES.get(name):
            words += f" One of: {', '.join(choices)}."
        default = "claude" if family(name) == AGENTS else Config._field_defaults[name]
        if name == "graph" and graph:
            setting = f"{key} = {_toml(graph)}"
        else:
            setting = f"# {key} = {_toml(default)}"
        parts.append(f"{_comment(words)}{setting}\n")
    return init_marks.sealed("\n".join(parts))


def described() -> Iterator[tuple[str, str]]:
    """Each setting's key and description."""
    return _settings(json.loads(schemas.read("config")), "")


def _comment(words: str) -> str:
    return "".join(f"# {line}\n" for line in textwrap.wrap(words, _WIDTH))


def _settings(table: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Each setting's key and description, in the order of the schema."""
    for name, rule in table["properties"].items():
        if name == AGENTS:
            yield f"{AGENTS}.NAME.command", rule["description"]
        elif "properties" in rule:
            yield from _settings(rule, f"{prefix}{name}.")
        else:
            yield prefix + name, rule["description"]


def _toml(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # JSON's texts, numbers and words are TOML's, but for DEL and characters beyond the BMP.
    return json.dumps(value, ensure_ascii=False)
