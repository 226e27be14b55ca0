"""Decide whether a path that a record or a setting names may be used (SPEC L10).

It names something below the top of the worktree, in one way on every file system, and nothing of
git's or of this worktree's runtime state. Links are followed where the path is used
(`records.worktree_files`): what they lead to is judged by the same rules.
"""

from __future__ import annotations

import re
from enum import StrEnum

HINT = "write it from the top of the repository, with '/', and never into .git or .ralph"


class PathFault(StrEnum):
    """Why a path may not be used, as the end of a sentence that begins with it."""

    EMPTY = "is empty"
    ABSOLUTE = "is absolute"
    PARENT = "leads out of its folder by '..'"
    OWN_FOLDER = "enters .git or .ralph"
    BACKSLASH = "has a backslash, which is '/' on some systems"
    CONTROL = "has a control character"
    SAME_FOLDER = "has a part that is empty, or only '.'"
    TRAILING = "has a part that ends in '.' or a space, which some file systems drop"


#: Nearly every path: names of letters, digits and signs that no file system reads otherwise.
_PLAIN = re.compile(r"[\w@+-]+(?:[./][\w@+-]+)*", re.ASCII)
# Those below are only text: compiled where a path is another, which is seldom.
_CONTROL = r"[\x00-\x1f\x7f-\x9f]"
#: What HFS+ leaves out of a name when it compares; git refuses the same (`utf8.c`).
_IGNORED = dict.fromkeys((*range(0x200C, 0x2010), *range(0x202A, 0x202F),
                          *range(0x206A, 0x2070), 0xFEFF))  # fmt: skip
#: As git's `is_ntfs_dotgit`: short names, trailing dots and spaces, alternate streams.
_OWN = r"(?as)(?:\.(?:git|ralph)|(?:git|ralph)~[0-9]+)[. ]*(?::.*)?"
#: `\[id\]` in a pattern is the name `[id]`.
_QUOTED = r"\\(?=[][{}*?])"


def fault(path: str) -> PathFault | None:
    """The reason why `path` may not be used; None where it may."""
    if _PLAIN.fullmatch(path):
        return None
    if not path:
        return PathFault.EMPTY
    if is_absolute(path):
        return PathFault.ABSOLUTE
    if re.search(_CONTROL, path):
        return PathFault.CONTROL
    return _of_names(path.replace("\\", "/").split("/")) or (
        PathFault.BACKSLASH if "\\" in path else None
    )


def pattern_fault(pattern: str) -> PathFault | None:
    """The same of a pattern or an output, which may be `./a`, `out/` and have `\\[`."""
    return fault(re.sub(_QUOTED, "", pattern).removeprefix("./").removesuffix("/"))


def is_absolute(path: str) -> bool:
    r"""Whether `path` begins at a root: `/`, `\`, `C:`, `~/`."""
    return re.match(r"[/\\]|[A-Za-z]:|~(?:/|\Z)", path) is not None


def enters_own(path: str) -> bool:
    """Whether a part of `path` is `.git` or `.ralph`."""
    return any(map(is_own_folder, path.split("/")))


def is_own_folder(name: str) -> bool:
    """Whether some file system reads `name` as `.git` or `.ralph`."""
    return re.fullmatch(_OWN, name.translate(_IGNORED).lower()) is not None


def _of_names(names: list[str]) -> PathFault | None:
    if enters_own("/".join(names)):
        return PathFault.OWN_FOLDER
    if any(name.rstrip(" ") == ".." for name in names):
        return PathFault.PARENT
    if any(name in ("", ".") for name in names):
        return PathFault.SAME_FOLDER
    if any(name[-1] in ". " for name in names):
        return PathFault.TRAILING
    return None
