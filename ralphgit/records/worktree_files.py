"""Find the file of a worktree that a record or a setting names (SPEC L10)."""

from __future__ import annotations

import os
from contextlib import suppress

from ralphgit.errors import InvalidRecord
from ralphgit.model import paths

_CODE = "bad_path"


def place(top: str, path: str) -> str:
    """The full name of `path` in the worktree at `top`, also where there is nothing yet.

    What links on the way lead to is inside the worktree as well, and not in .git or .ralph.

    Raises: InvalidRecord (bad_path).
    """
    if found := paths.fault(path):
        raise InvalidRecord(f"the path {path!r} {found}", code=_CODE, hint=paths.HINT)
    full = os.path.join(top, path)
    link = _link(top, path)
    if not link:
        return full
    real = os.path.realpath(full)
    inside = os.path.relpath(real, os.path.realpath(top)).replace(os.sep, "/")
    leaves = inside.split("/")[0] == ".."
    if leaves or paths.enters_own(inside):
        where = "out of the worktree" if leaves else "into .git or .ralph"
        raise InvalidRecord(
            f"a link leads {where}: {path} is {real}; it was neither read nor written",
            file=path, code=_CODE, hint=f"replace the link: {link}",
        )  # fmt: skip
    return full


def below(top: str, folder: str) -> list[str]:
    """List the files below `folder`, a path in the worktree at `top`, by their paths there.

    No link is followed; one to a folder is not listed. What cannot be read has nothing below.
    """
    found: list[str] = []
    folders = [folder]
    while folders:
        path = folders.pop()
        with suppress(OSError), os.scandir(f"{top}/{path}") as entries:
            for entry in entries:
                name = f"{path}/{entry.name}"
                if not entry.is_dir():
                    found.append(name)
                elif not entry.is_symlink():
                    folders.append(name)
    return sorted(found)


def _link(top: str, path: str) -> str:
    """The first link on the way to `path`; "" for none, as most often."""
    end = 0
    while end != len(path):
        end = path.find("/", end + 1)
        end = len(path) if end < 0 else end
        if os.path.islink(f"{top}/{path[:end]}"):
            return path[:end]
    return ""
