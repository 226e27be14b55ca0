"""Read and write small YAML notes in `.ralph/`: what a worktree remembers, what an agent reports.

Whatever works in the worktree can write there, too. So only a plain file of its place counts,
and only so much of it is read; half a note is none.
"""

from __future__ import annotations

from collections.abc import Mapping

from ralphgit.errors import InvalidRecord, Refused
from ralphgit.model import characters
from ralphgit.records import atomic_files, yaml_reader
from ralphgit.records import input_limits as texts

MOST_BYTES = 1024 * 1024


def read(path: str) -> Mapping[str, object]:
    """Read the note at `path`; empty where there is none that can be read."""
    try:
        data = atomic_files.read_plain(path, limit=MOST_BYTES)
        value = yaml_reader.load(texts.decode(data, limit=MOST_BYTES)) if data is not None else None
    except (InvalidRecord, Refused):
        return {}
    return value if isinstance(value, dict) else {}


def write(path: str, value: Mapping[str, object]) -> None:
    """Replace the note at `path`, also where something else stands there.

    Not flushed: it is worth nothing after a power cut.

    Raises: NotWritable.
    """
    from ralphgit.records import yaml_writer

    data = yaml_writer.mapping(characters.values_without(dict(value))).encode()
    atomic_files.write(path, data, durable=False, follow=False)
