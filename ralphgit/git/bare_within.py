"""Find a folder that is shaped like a bare repository and came with another repository's files.

git takes it for a repository where somebody stands in it, with its configuration, which names
programs to run; `safe.bareRepository` is "all" by default, and git before 2.38 does not know it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ralphgit.git.run_git import Git

_LINK = b"gitdir: "


def committed(top: str, folder: str, environ: Mapping[str, str]) -> bool:
    """Whether files of `folder` are committed to the repository whose worktree is at `top`."""
    if _is_of(top, folder):
        return False
    listing = ("--literal-pathspecs", "ls-files", "-z", "--", folder)
    return bool(Git(top, environ).try_run(*listing).out)


def _is_of(top: str, folder: str) -> bool:
    """Whether `folder` is in the git folder of the worktree at `top` itself."""
    own = os.path.join(top, ".git")
    if os.path.isfile(own):
        with open(own, "rb") as file:
            own = os.path.join(top, os.fsdecode(file.read(4096).removeprefix(_LINK).strip()))
    own = os.path.realpath(own)
    return folder == own or folder.startswith(own + os.sep)
