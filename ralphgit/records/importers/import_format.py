"""Define an import format: its name, how its files are recognised, and how they are read.

A format is one module with one `Importer`. Those of ralphgit itself are listed in `built_in`; an
installed package adds its own under the entry-point group `ralphgit.importers`. Help, completion,
the documents and the tests are made from the values. docs/extending.md has an example.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ralphgit.records.importers.imported import Imported
from ralphgit.records.importers.source_file import SourceFile

#: The entry-point group in which a package names its formats.
GROUP = "ralphgit.importers"

#: What `sniff` answers. Of two formats with the same score, the one of ralphgit reads the file.
NO = 0
LIKELY = 50  # the form fits, as it would for any Markdown task list
SURE = 100  # the file has keys or marks that no other format has


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """One import format."""

    name: str
    """As people call it, and `--format` takes it: a word in small letters."""
    help: str
    """What such a file is, in one line."""
    sniff: Callable[[SourceFile], int]
    """How sure it is that a file has this format, by its structure and never by its name alone.

    It may raise InvalidRecord where the file can be of this format alone, but is broken: that
    is what the user gets to see unless another format recognises the file.
    """
    read: Callable[[SourceFile], Imported]
    """The tasks in a file, which `--format` may have chosen although `sniff` says no.

    Raises: InvalidRecord, with the line, for a file that has no such format or is broken.
    """
    tick: Callable[[SourceFile, str, Collection[str]], str] | None = None
    """The file's text, given as it is, line ends and all, with tasks that are in it and open marked
    as done; every other character stays. None where `export --tick` cannot do that."""
