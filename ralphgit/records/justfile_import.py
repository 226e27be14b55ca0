"""Add and remove the line in a justfile that imports the recipes in `ralph.just`."""

from __future__ import annotations

import re
from collections.abc import Collection

RECIPES = "ralph.just"
#: The names under which `just` looks for its recipes, in any case.
NAMES = ("justfile", ".justfile")
IMPORT = f"import '{RECIPES}'"

_LINE = re.compile(rb"^import '%s'\n" % re.escape(RECIPES.encode()), re.M)
_ANY = re.compile(
    rb"""^import\??[ \t]+x?(?P<q>['"]+)(?:\./)?%s(?P=q)""" % re.escape(RECIPES.encode()), re.M
)
#: What may stand before the first statement: comments and blank lines.
_BEFORE = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\n)*")


_RECIPE = re.compile(rb"^@?([A-Za-z_][\w-]*)(?:[ \t][^\n]*?)?:(?!=)", re.M)
_NAMED = re.compile(
    rb"^(?:alias[ \t]+([A-Za-z_][\w-]*)|(?:@|mod\??[ \t]+|)([A-Za-z_][\w-]*)(?![\w-]|[ \t]*:=))",
    re.M,
)
_SHARED = re.compile(rb"^set[ \t]+allow-duplicate-recipes[ \t]*(?::=[ \t]*true[ \t]*)?$", re.M)


def clashes(data: bytes, recipes: bytes) -> list[str]:
    """The names of `recipes` that a justfile has already: `just` takes no name twice."""
    if _SHARED.search(data):
        return []
    known = {one or other for one, other in _NAMED.findall(data)}
    return [name.decode() for name in _RECIPE.findall(recipes) if name in known]


def without(recipes: bytes, names: Collection[str]) -> bytes:
    """`recipes` without those of these names, their comments and attributes; a blank line parts
    one from the next."""
    parts = recipes.split(b"\n\n")
    known = [_RECIPE.search(part) for part in parts]
    kept = [
        part for part, found in zip(parts, known, strict=True)
        if found is None or found[1].decode() not in names
    ]  # fmt: skip
    return b"\n\n".join(kept).rstrip(b"\n") + b"\n"


def imports(data: bytes) -> bool:
    """Whether the recipes are imported, however that is written."""
    return bool(_ANY.search(data))


def with_import(data: bytes) -> bytes | None:
    """`data` with one line more; None where its lines do not end as ours does.

    Nothing but comments can stand before the first statement of a justfile, so the line goes
    there: behind the last blank line of what is at its head, because a comment may belong to the
    recipe below it.
    """
    if b"\r" in data or data.startswith(b"\xef\xbb\xbf"):
        return None
    head = _BEFORE.match(data)
    assert head is not None  # it matches nothing, too
    text = head[0]
    at = text.rfind(b"\n\n") + 2 if b"\n\n" in text else 0
    if not at and data.startswith(b"#!"):
        at = data.find(b"\n") + 1
        if not at:
            return None
    return data[:at] + f"{IMPORT}\n".encode() + data[at:]


def without_import(data: bytes) -> bytes:
    """`data` without the line that `with_import` has put there."""
    return _LINE.sub(b"", data, count=1)
