"""The JSON Schemas: in the wheel beside this package, in a checkout at its top."""

from __future__ import annotations

import os

from ralphgit.errors import Bug

KINDS = ("task-graph", "evidence", "audit", "guidance", "packet", "report", "config", "output")


def folder() -> str:
    """Where the schema files are."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for place in (
        os.path.join(package, "schemas"),
        os.path.join(os.path.dirname(package), "schemas"),
    ):
        if os.path.isfile(os.path.join(place, file_name("task-graph"))):
            return place
    raise Bug("the schemas are not installed with ralphgit")


def file_name(kind: str) -> str:
    return f"{kind}.schema.json"


#: Where a worktree keeps them for editors; never committed.
HOME = ".ralph/schemas"


def modeline(path: str, kind: str) -> str:
    """The first line of a file at `path` (relative to the top) that names its schema."""
    up = "../" * path.count("/")
    return f"# yaml-language-server: $schema={up}{HOME}/{file_name(kind)}\n"


def read(kind: str) -> bytes:
    """The schema of `kind`, one of KINDS."""
    return _read(folder(), kind)


def _read(place: str, kind: str) -> bytes:
    with open(os.path.join(place, file_name(kind)), "rb") as file:
        return file.read()


def schema_files() -> dict[str, bytes]:
    """Every schema, by file name."""
    place = folder()
    return {file_name(kind): _read(place, kind) for kind in KINDS}
