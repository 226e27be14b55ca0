"""Find what installed packages add to ralphgit: the values they name in an entry-point group.

A package that is broken is named in a warning and left out; what is built in goes on.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from ralphgit.errors import Refused

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

_NAME = re.compile(r"[a-z][a-z0-9-]*")


def is_name(word: str) -> bool:
    """Whether something that a package adds may be called `word`."""
    return _NAME.fullmatch(word) is not None


class Named(Protocol):
    """What can be added."""

    @property
    def name(self) -> str: ...
    @property
    def help(self) -> str: ...


_T = TypeVar("_T", bound=Named)


class Extension(NamedTuple):
    """Where a value comes from."""

    package: str
    """Name and version of the package, as a person looks it up."""
    entry: str
    """`name = module:attribute`, as the package wrote it."""

    def __str__(self) -> str:
        return f"{self.entry} of {self.package}"


class Broken(Refused):
    """What an installed package adds cannot be used."""

    code = "broken_extension"


def added(
    group: str,
    kind: type[_T],
    built_in: Iterable[_T],
    *,
    folder: str,
    warn: Callable[[str], None],
) -> list[tuple[Extension, _T]]:
    """Load what installed packages add to `built_in` under `group`, by the packages' names.

    What is built in is in a table and not among the entry points: reading the metadata of all
    packages takes 70 ms and more, most of it the import of importlib.metadata, and a source
    checkout has none. Packages that lie in `folder` itself, or where the program was started, are
    passed over: `python -m` looks there first, and what a repository holds is never run without
    consent.
    """
    taken = {one.name for one in built_in}
    found = []
    for extension, entry in _entries(group, folder):
        try:
            value = _loaded(extension, entry, kind)
            if value.name in taken:
                raise Broken(f"{extension} is a second {value.name}")
        except Broken as error:
            warn(f"left out: {error.message}")
            continue
        taken.add(value.name)
        found.append((extension, value))
    return found


def _entries(group: str, folder: str) -> list[tuple[Extension, EntryPoint]]:
    from importlib import metadata

    here = {os.path.realpath(folder), os.path.realpath("")}
    path = [one for one in sys.path if os.path.realpath(one) not in here]
    adding = (one for one in metadata.distributions(path=path) if group in _entry_points(one))
    found = []
    for name in sorted({str(one.metadata["Name"] or "") for one in adding} - {""}):
        # One package may be found twice; that which stands first on the path is imported.
        first = next(iter(metadata.distributions(name=name, path=path)))
        for entry in first.entry_points:
            if entry.group == group:
                words = f"{entry.name} = {entry.value}"
                found.append((Extension(f"{name} {first.version}", words), entry))
    return found


def _entry_points(one: Distribution) -> str:
    """What a package adds, as text: to read its name takes longer than all of this."""
    return one.read_text("entry_points.txt") or ""


def _loaded(extension: Extension, entry: EntryPoint, kind: type[_T]) -> _T:
    try:
        value = entry.load()
    except (Exception, SystemExit) as error:
        raise Broken(f"{extension} cannot be loaded: {cause(error)}") from error
    if not isinstance(value, kind):
        raise Broken(f"{extension} is not of the class {kind.__name__}")
    if not isinstance(value.name, str) or not is_name(value.name):
        raise Broken(f"{extension} has no name of small letters, digits and hyphens")
    if not isinstance(value.help, str) or not value.help.isprintable():
        raise Broken(f"{extension} has no help of one line")
    return value


def cause(error: BaseException) -> str:
    """What went wrong in somebody else's code, in one line."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
