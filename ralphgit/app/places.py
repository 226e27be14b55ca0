"""Which files are the task graph, by the `graph` setting."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from ralphgit.records import files

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
    exact = tuple(pattern for pattern in patterns if not _is_wild(pattern))
    globs = tuple(pattern for pattern in patterns if _is_wild(pattern))
    if not globs:
        return Places(exact, (), lambda path: False)
    from ralphgit.rules import overlap

    @lru_cache(maxsize=1 << 14)
    def matches(path: str) -> bool:
        name = path.rpartition("/")[2]
        return (
            path.endswith((".yaml", ".yml"))
            and not name.startswith(files.TEMPORARY)
            and overlap.covers_any(globs, path)
        )

    return Places(exact, tuple(dict.fromkeys(map(_fixed, globs))), matches)


def _is_wild(text: str) -> bool:
    return any(character in text for character in _WILD)


def _fixed(pattern: str) -> str:
    """The folders of a glob before its first wildcard."""
    kept = []
    for part in pattern.split("/")[:-1]:
        if _is_wild(part):
            break
        kept.append(part)
    return "/".join(kept)
