"""Validate records against their JSON Schemas."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from ralphgit.records import input_limits as texts
from ralphgit.records import schemas

if TYPE_CHECKING:
    import jsonschema_rs
    from jsonschema import Draft202012Validator

Path = tuple[str | int, ...]
#: More than these of one file help nobody.
_MOST = 20


@cache
def _quick(kind: str) -> jsonschema_rs.Draft202012Validator:
    # A quarter of what importing jsonschema takes, and a hundredth of it for each record.
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(json.loads(schemas.read(kind)))


def _is_valid(kind: str, value: object) -> bool:
    """Whether a value certainly keeps to its schema; where not, the words are jsonschema's."""
    try:
        return _quick(kind).is_valid(value)
    except ValueError:  # a key that is no text, say, which JSON has not got
        return False


@cache
def _validator(kind: str) -> Draft202012Validator:
    # Half of what `diff` takes; where every record is valid, nothing asks for it.
    from jsonschema import Draft202012Validator
    from referencing import Registry

    document = json.loads(schemas.read(kind))
    # An empty registry: a $ref can lead nowhere but into the schema itself.
    empty: Registry[Any] = Registry()
    return Draft202012Validator(document, registry=empty)


def problems(kind: str, value: object, *, finite: bool = False) -> Iterator[tuple[Path, str]]:
    """Where and how `value` breaks the schema of `kind` (evidence, audit, ...).

    A number that JSON has not got breaks each of them: what is shown of a record is JSON. `finite`:
    it is known that there is none.
    """
    for path in () if finite else itertools.islice(texts.not_finite(value), _MOST):
        yield path, f"{'.'.join(map(str, path))}: {texts.NOT_FINITE}"
    if _is_valid(kind, value):
        return
    for error in itertools.islice(_validator(kind).iter_errors(value), _MOST):
        path = tuple(error.absolute_path)
        name = ".".join(map(str, path))
        yield path, f"{name}: {error.message}" if name else error.message


#: The exact look at a text takes 20 ms a KiB.
_MOST_EXACT = 32 * 1024


def positions(text: str, paths: Sequence[Path]) -> list[tuple[int, int]]:
    """Line and column, from 1, of the values at `paths`; in a long text those of the first key."""
    if not paths:
        return []
    if len(text) > _MOST_EXACT:
        return [texts.position(text, _key_at(text, path)) for path in paths]
    from ralphgit.records import yaml_nodes  # only where something is wrong

    root = yaml_nodes.compose(text)
    nodes = [yaml_nodes.at_path(root, path) for path in paths]
    return [texts.position(text, node.start_mark.index) for node in nodes]


def _key_at(text: str, path: Path) -> int:
    key = re.escape(str(path[0])) if path else ""
    found = re.search(rf"(?m)^[\"']?{key}[\"']?[ \t]*:", text) if key else None
    return found.start() if found else 0
