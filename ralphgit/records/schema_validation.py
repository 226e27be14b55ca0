"""Validate records against their JSON Schemas. Slow to import, so only the gate does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry

from ralphgit.records import input_limits as texts
from ralphgit.records import schemas, yaml_nodes

Path = tuple[str | int, ...]
#: More than these of one file help nobody.
_MOST = 20


@cache
def _validator(kind: str) -> Draft202012Validator:
    document = json.loads(schemas.read(kind))
    # An empty registry: a $ref can lead nowhere but into the schema itself.
    empty: Registry[Any] = Registry()
    return Draft202012Validator(document, registry=empty)


def problems(kind: str, value: object) -> Iterator[tuple[Path, str]]:
    """Where and how `value` breaks the schema of `kind` (evidence, audit, ...)."""
    for number, error in enumerate(_validator(kind).iter_errors(value)):
        if number == _MOST:
            return
        path = tuple(error.absolute_path)
        name = ".".join(map(str, path))
        yield path, f"{name}: {error.message}" if name else error.message


def position(text: str, path: Path) -> tuple[int, int]:
    """Line and column, from 1, of the value at `path`."""
    return texts.position(text, yaml_nodes.at_path(yaml_nodes.compose(text), path).start_mark.index)
