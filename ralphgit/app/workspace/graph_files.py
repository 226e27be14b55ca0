"""Find the files of the task graph, by the `graph` setting."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from ralphgit.model import paths
from ralphgit.records import atomic_files, worktree_files

_WILD = "*?[{"


class Places(NamedTuple):
    """Where graph files are looked for; paths are relative to the top, `/`-separated."""

    exact: tuple[str, ...]
    folders: tuple[str, ...]
    """Where the globs begin to vary; "" is the top."""
    matches: Callable[[str], bool]
    """Whether a file below one of the folders is part of the graph."""


def places(patterns: Sequence[str]) -> Places:
    """The setting as exact paths, folders to look in, and what to take there."""
    exact = tuple(pattern for pattern in patterns if not is_wild(pattern))
    globs = tuple(pattern for pattern in patterns if is_wild(pattern))
    if not globs:
        return Places(exact, (), lambda path: False)
    from ralphgit.rules import pattern_overlap

    @lru_cache(maxsize=1 << 14)
    def matches(path: str) -> bool:
        name = path.rpartition("/")[2]
        return (
            path.endswith((".yaml", ".yml"))
            and not name.startswith(atomic_files.TEMPORARY)
            and pattern_overlap.covers_any(globs, path)
        )

    return Places(exact, tuple(dict.fromkeys(map(_fixed, globs))), matches)


def is_wild(text: str) -> bool:
    return any(character in text for character in _WILD)


def _fixed(pattern: str) -> str:
    """The folders of a glob before its first wildcard."""
    kept = []
    for part in pattern.split("/")[:-1]:
        if is_wild(part):
            break
        kept.append(part)
    return "/".join(kept)


def files_below(top: str, wanted: Places) -> list[str]:
    """The graph files that exist below `top`, sorted. A pipe is none, for git neither.

    Raises: InvalidRecord (bad_path) where one of them, or the way to it, leads out of there.
    """
    return sorted({*_below(top, wanted)})


def has_file(top: str, wanted: Places) -> bool:
    """Whether a graph file exists below `top`. Raises: as `files_below`."""
    return any(True for _ in _below(top, wanted))


def _below(top: str, wanted: Places) -> Iterator[str]:
    for path in wanted.exact:
        if os.path.isfile(worktree_files.place(top, path)):
            yield path
    for folder in wanted.folders:
        if folder:
            worktree_files.place(top, folder)
        inner = [f"{folder}/" if folder else ""]
        while inner:
            prefix = inner.pop()
            try:
                with os.scandir(os.path.join(top, prefix)) as entries:
                    listed = list(entries)
            except OSError:
                continue
            for entry in listed:
                path = prefix + entry.name
                # No link to a folder is followed.
                if entry.is_dir(follow_symlinks=False):
                    if not paths.is_own_folder(entry.name):
                        inner.append(f"{path}/")
                elif wanted.matches(path) and entry.is_file():
                    if entry.is_symlink():
                        worktree_files.place(top, path)
                    yield path


def linked_folder(top: str, wanted: Places, *others: str) -> str:
    """The first folder of the graph, or of the folders `others`, that is a link; "" for none.

    git keeps no file behind a link, so nothing that is written there can be committed.

    Raises: InvalidRecord (bad_path) where it leads out of there.
    """
    for folder in (*own_folders(wanted), *others):
        parts = folder.split("/")
        for end in range(1, len(parts) + 1):
            if os.path.islink(os.path.join(top, *parts[:end])):
                worktree_files.place(top, folder)
                return "/".join(parts[:end])
    return ""


def own_folders(wanted: Places) -> tuple[str, ...]:
    """The folders in which graph files are, but for the top."""
    exact = (os.path.dirname(path) for path in wanted.exact)
    return tuple(dict.fromkeys(filter(None, (*exact, *wanted.folders))))


def file_named(wanted: Places, name: str) -> str:
    """A graph file called `name`, below the first folder that can have one; "" for none."""
    for folder in wanted.folders:
        for ending in (".yaml", ".yml"):
            path = f"{folder}/{name}{ending}" if folder else name + ending
            if wanted.matches(path):
                return path
    return ""
