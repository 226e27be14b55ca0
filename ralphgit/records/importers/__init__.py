"""Read other projects' task files as tasks of ours.

Each format is a module with one `Importer`: a name, what its files are, how they are recognised,
and how their tasks are read (`import_format`). A new one of ralphgit itself goes into `built_in`.
What is ours already passes unchanged. For the others:

- What can be computed again is left out and named in `dropped`.
- What else is changed, moved or left out is said in `notes`.
- A field of ours never gets a value it cannot hold: that value moves to `x-<field>`.
- Fields that are not ours stay as they are.

Several files, a graph and its tickets for one, are made one by `joined`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ralphgit.errors import InvalidRecord
from ralphgit.records.importers.built_in import BUILT_IN
from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported
from ralphgit.records.importers.parts.markdown_items import USUAL, Boxes
from ralphgit.records.importers.parts.merge_files import joined, renamed
from ralphgit.records.importers.source_file import SourceFile

__all__ = [
    "BUILT_IN", "Imported", "Importer", "SourceFile", "convert", "joined", "renamed",
    "source_file", "surest",
]  # fmt: skip


def convert(
    name: str,
    data: bytes,
    parse: Callable[[str], object],
    importers: Sequence[Importer] = BUILT_IN,
    *,
    wanted: Importer | None = None,
    boxes: Boxes = USUAL,
) -> Imported:
    """Read the tasks in `data`, a file called `name`, by the format that is surest of it.

    With `wanted` it is read as that. `parse` turns YAML text into values, `boxes` says what the
    signs in boxes mean.

    Raises: InvalidRecord when no format recognises the file, a task has no usable id, two ids
    are the same but for case, or an edge does not have two ends.
    """
    file = source_file(name, data, parse, importers, boxes)
    chosen = wanted or surest(file, importers)
    if chosen is None:
        raise file.refused("the format of this file is not known")
    return chosen.read(file)


def source_file(
    name: str,
    data: bytes,
    parse: Callable[[str], object],
    importers: Sequence[Importer],
    boxes: Boxes = USUAL,
) -> SourceFile:
    """The file as formats look at it. Raises: InvalidRecord for what is not UTF-8."""
    known = ", ".join(one.name for one in importers)
    hint = f"the formats are {known}; import --help tells of each, and --format takes one"
    return SourceFile(name, data, parse, hint=hint, boxes=boxes)


def surest(file: SourceFile, importers: Sequence[Importer]) -> Importer | None:
    """The importer for `file`, the first of several that are equally sure; None where none is.

    Raises: InvalidRecord where there is none, and one took the file for broken.
    """
    best: Importer | None = None
    most = NO
    broken: InvalidRecord | None = None
    for importer in importers:
        try:
            score = importer.sniff(file)
        except InvalidRecord as error:
            broken = broken or error
            continue
        if score > most:
            best, most = importer, score
        if most >= SURE:
            break
    if best is None and broken is not None:
        raise broken
    return best
