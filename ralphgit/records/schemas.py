"""Read the JSON Schemas, and name them in records for editors."""

from __future__ import annotations

from ralphgit.records import package_files

#: What is filed below the records folder, a folder each.
FILED = ("evidence", "audit", "guidance")
KINDS = ("task-graph", "evidence", "audit", "guidance", "packet", "report", "config", "output")


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
    return package_files.read("schemas", file_name(kind))


def schema_files() -> dict[str, bytes]:
    """Every schema, by file name."""
    return {file_name(kind): read(kind) for kind in KINDS}
