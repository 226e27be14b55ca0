"""Find a repository of the usual form without a process, as gitrepository-layout(5) describes it.

What is not quite as git itself writes it is left to git: bare repositories, submodules, every
extension (sha256, reftable, settings of one worktree), folders of another owner, for which git
asks `safe.directory`, and whatever a variable could change.
"""

import os
import re
import stat
from collections.abc import Mapping
from typing import NamedTuple


class Folders(NamedTuple):
    """Where a repository is, without symbolic links."""

    git_dir: str
    common_dir: str
    top: str


#: Variables that change how git looks for a repository, or for what is in it.
_GUIDING = (
    "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_IMPLICIT_WORK_TREE",
    "GIT_REFERENCE_BACKEND", "GIT_TEST_ASSUME_DIFFERENT_OWNER",
)  # fmt: skip
_LINK = b"gitdir: "
#: Of git's configuration, what says nothing but that a repository is a usual one,
_USUAL = (b"\trepositoryformatversion = 0\n", b"\tbare = false\n")
#: what may say that it is none, if one of these names is in it: a system whose file names have no
#: case may give others back,
_TELLING = (
    b"repositoryformatversion", b"bare", b"extensions", b"worktree", b"ignorecase",
    b"precomposeunicode",
)  # fmt: skip
#: and what does, unless it is a name or a value.
_UNUSUAL = (
    rb"(?m)\[\s*extensions|(?:^|\])\s*"
    rb"(?:repositoryformatversion|bare|worktree|ignorecase|precomposeunicode)\s*(?:[=#;]|$)"
)


def find(folder: str, environ: Mapping[str, str]) -> Folders | None:
    """Find the repository of the worktree at `folder`, its real path; None to have git look."""
    if any(name in environ for name in _GUIDING):
        return None
    try:
        return _found(folder)
    except OSError:
        return None


def _found(top: str) -> Folders | None:
    own = os.path.join(top, ".git")
    seen = os.lstat(own)
    git_dir = own
    if stat.S_ISREG(seen.st_mode):
        link = content(own).removesuffix(b"\n")
        if not link.startswith(_LINK) or len(link.splitlines()) != 1:
            return None
        git_dir = os.path.realpath(os.path.join(top, os.fsdecode(link.removeprefix(_LINK))))
    elif not stat.S_ISDIR(seen.st_mode):
        return None
    owners = {seen.st_uid, os.stat(top).st_uid, os.stat(git_dir).st_uid}
    if owners != {os.geteuid()} or not _is_head(content(os.path.join(git_dir, "HEAD"))):
        return None
    common_dir = git_dir
    if os.path.lexists(shared := os.path.join(git_dir, "commondir")):
        if git_dir == own:
            return None
        named = os.fsdecode(content(shared).removesuffix(b"\n"))
        common_dir = os.path.realpath(os.path.join(git_dir, named))
    whole = all(os.path.isdir(os.path.join(common_dir, name)) for name in ("objects", "refs"))
    usual = _are_usual(content(os.path.join(common_dir, "config")))
    return Folders(git_dir, common_dir, top) if whole and usual else None


def _are_usual(settings: bytes) -> bool:
    left = settings.lower()
    for line in _USUAL:
        left = left.replace(b"\n" + line, b"\n")
    return not (any(name in left for name in _TELLING) and re.search(_UNUSUAL, left))


def _is_head(said: bytes) -> bool:
    """Whether HEAD is at a branch or a commit, as git itself writes it."""
    return said.startswith(b"ref: refs/heads/") or is_id(said.removesuffix(b"\n"))


def is_id(said: bytes) -> bool:
    """Whether it is an object id, of 40 digits."""
    return len(said) == 40 and not said.strip(b"0123456789abcdef")


def content(path: str | bytes) -> bytes:
    """Return what is in a file, which is no symbolic link. Raises: OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.read(fd, _PIECE)
        while len(found) % _PIECE == 0 and (more := os.read(fd, _PIECE)):
            found += more
        return found
    finally:
        os.close(fd)


_PIECE = 1 << 16
