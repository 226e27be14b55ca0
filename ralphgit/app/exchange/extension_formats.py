"""List the import formats: those built in, and those that installed packages add."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import NamedTuple, TypeVar

from ralphgit.app.workspace import extensions
from ralphgit.app.workspace.extensions import Broken, Extension
from ralphgit.errors import InvalidRecord, UsageError
from ralphgit.model.listed import Listed
from ralphgit.records.importers import BUILT_IN, Imported, Importer, SourceFile
from ralphgit.records.importers.import_format import GROUP, NO, SURE
from ralphgit.records.importers.imported import Ignored

_T = TypeVar("_T")


class Formats(NamedTuple):
    """What a file is tried as."""

    known: tuple[Importer, ...]
    wanted: Importer | None
    """The one that was asked for by name."""


def to_try(name: str, *, folder: str, warn: Callable[[str], None]) -> Formats:
    """All formats, or only the one called `name`; `warn` hears of packages that are broken.

    Raises: UsageError (no_format).
    """
    if built_in := [one for one in BUILT_IN if one.name == name]:
        return Formats(BUILT_IN, built_in[0])
    added = extensions.added(GROUP, Importer, BUILT_IN, folder=folder, warn=warn)
    known = (*BUILT_IN, *(_guarded(extension, one, warn) for extension, one in added))
    wanted = next((one for one in known if one.name == name), None)
    if name and wanted is None:
        names = ", ".join(one.name for one in known)
        message = f"there is no import format called {name}"
        raise UsageError(message, code="no_format", hint=f"--format is one of {names}")
    return Formats(known, wanted)


def listed(folder: str) -> list[Listed]:
    """Every format with its help, for who has to choose; broken packages are left out."""
    added = extensions.added(GROUP, Importer, BUILT_IN, folder=folder, warn=lambda _: None)
    return [
        *(Listed(one.name, one.help) for one in BUILT_IN),
        *(Listed(one.name, one.help, extension.package) for extension, one in added),
    ]


def _guarded(extension: Extension, importer: Importer, warn: Callable[[str], None]) -> Importer:
    """`importer` whose every failure is one of ours, and names the package."""

    def sniff(file: SourceFile) -> int:
        try:
            score = _called(extension, lambda: importer.sniff(file))
            if not isinstance(score, int):
                raise Broken(f"{extension} gave no number for {file.name}")
        except Broken as error:
            warn(f"not asked: {error.message}")
            return NO
        return min(score, SURE)

    def read(file: SourceFile) -> Imported:
        found = _called(extension, lambda: importer.read(file))
        return _called(extension, lambda: _plain(found))

    def tick(file: SourceFile, raw: str, ids: Collection[str]) -> str:
        assert importer.tick is not None
        ticked = importer.tick
        text = _called(extension, lambda: ticked(file, raw, ids))
        if not isinstance(text, str):
            raise Broken(f"{extension} gave no text for {file.name}")
        return text

    return replace(importer, sniff=sniff, read=read, tick=tick if importer.tick else None)


def _called(extension: Extension, call: Callable[[], _T]) -> _T:
    """What `call` returns. Raises: InvalidRecord as `call` does; Broken for all else."""
    try:
        return call()
    except InvalidRecord:
        raise
    except (Exception, SystemExit) as error:
        hint = (
            "read the file as another format with --format, or report this to the package's authors"
        )
        raise Broken(f"{extension} failed: {extensions.cause(error)}", hint=hint) from error


def _plain(found: object) -> Imported:
    """What a package has read, as plain values with all that a task needs.

    Raises: TypeError, ValueError.
    """
    if not isinstance(found, Imported) or not isinstance(found.root, dict):
        raise TypeError("it did not return an Imported with a dictionary as root")
    parts = [found.tasks, found.root, found.dropped, found.notes, found.ignored]
    text = json.dumps(parts, ensure_ascii=False)
    text.encode("utf-8")
    tasks, root, dropped, notes, ignored = json.loads(text)
    for task in tasks:
        if not all(isinstance(task.get(key), str) for key in ("id", "title", "status")):
            raise ValueError("a task needs text for id, title and status")
    named = tuple(Ignored(str(reason), tuple(map(int, lines))) for reason, lines in ignored)
    local = bool(found.local)
    return Imported(tuple(tasks), root, tuple(dropped), tuple(notes), local=local, ignored=named)
