"""Read the JSON Schemas, and name them in records for editors."""

from __future__ import annotations

#: What is filed below the records folder, a folder each.
FILED = ("evidence", "audit", "guidance")
#: The folder of the archive beside them, and how its files end.
ARCHIVE, ARCHIVE_SUFFIX = "archive", ".jsonl"
#: What editors are told of; `archive` is read by `check` alone.
KINDS = ("task-graph", "evidence", "audit", "guidance", "packet", "report", "config", "output")


def audit_path(records: str, task: str, claim: str) -> str:
    """Where the attempt `claim` at `task` is recorded, relative to the top."""
    return f"{records}/audit/{task}/{claim}.yaml"


def is_archive(records: str, path: str) -> bool:
    """Whether `path` is a file of the archive below the folder `records`.

    None is hidden: what a killed write leaves is.
    """
    folder, _, name = path.rpartition("/")
    return (
        folder == f"{records}/{ARCHIVE}"
        and name.endswith(ARCHIVE_SUFFIX)
        and not name.startswith(".")
    )


def file_name(kind: str) -> str:
    return f"{kind}.schema.json"


#: Where a worktree keeps them for editors that are told so; never committed.
HOME = ".ralph/schemas"
#: Where everybody has them: in a fresh clone there is no HOME yet.
ADDRESS = "https://raw.githubusercontent.com/ralphgit/ralphgit/main/schemas"


def modeline(kind: str) -> str:
    """Return the first line of a file, which names its schema for editors."""
    return f"# yaml-language-server: $schema={ADDRESS}/{file_name(kind)}\n"


def read(kind: str) -> bytes:
    """The schema of `kind`, one of KINDS or `archive`."""
    from ralphgit.records import package_files

    return package_files.read("schemas", file_name(kind))


def schema_files() -> dict[str, bytes]:
    """Every schema, by file name."""
    return {file_name(kind): read(kind) for kind in KINDS}
