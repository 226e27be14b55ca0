"""A `git config --list` whose answer is known is not run again: each command begins with one.

git says the same wherever the files that it reads are the same. Where anything else might count
(includes, variables that choose files, a git of the test's own, no plain repository), it is asked.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from unittest import mock

from ralphgit.git import run_git
from ralphgit.git.child_process import Child, ProcessResult
from ralphgit.git.run_git import Git

QUESTION = ("config", "--list", "-z")
#: What git's variables may be without that its configuration is another.
_FREE = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_TERMINAL_PROMPT", "GIT_TEMPLATE_DIR", "GIT_EDITOR",
         "GIT_OPTIONAL_LOCKS", "GIT_NO_REPLACE_OBJECTS", "GIT_CONFIG_NOSYSTEM",
         "GIT_CONFIG_GLOBAL")  # fmt: skip
_known: dict[object, ProcessResult] = {}


class Answer:
    """Of a child that was asked: of git where it was not before."""

    def __init__(self, key: object, child: Child | None) -> None:
        self._key, self._child = key, child

    def finish(self, stdin: bytes = b"", timeout: float | None = None) -> ProcessResult:
        if self._child is None:
            return _known[self._key]
        found = self._child.finish(stdin, timeout)
        if found.status == 0:
            _known[self._key] = found
        return found

    def forget(self) -> None:
        if self._child is not None:
            self._child.forget()


@contextmanager
def asked_once() -> Iterator[None]:
    """In the block, have `Git.start` ask once for each configuration."""
    start = Git.start

    def known(git: Git, *arguments: str) -> Child | Answer:
        key = files(git.directory, git.environ) if arguments == QUESTION else None
        if key is None:
            return start(git, *arguments)
        if key not in _known:
            return Answer(key, start(git, *arguments))
        run_git._ask()
        git.calls += 1
        return Answer(key, None)

    with mock.patch.object(Git, "start", known):
        yield


def files(top: str, environ: Mapping[str, str]) -> object:
    """All that git reads to list its configuration in a folder; None where it may be more."""
    odd = any(name.startswith("GIT_") and not name.startswith(_FREE) for name in environ)
    if odd or environ.get("GIT_CONFIG_NOSYSTEM") != "1" or "GIT_CONFIG_GLOBAL" not in environ:
        return None
    if run_git._place(environ) != _usual():
        return None
    own = os.path.join(top, ".git")
    try:
        if os.path.isfile(own):
            own = os.fsdecode(_content(own).removeprefix(b"gitdir: ").removesuffix(b"\n"))
        common = os.path.join(own, os.fsdecode(_content(f"{own}/commondir").removesuffix(b"\n")))
        on_branch = _content(f"{own}/HEAD").startswith(b"ref: refs/heads/")
        whole = all(os.path.isdir(os.path.join(common, name)) for name in ("objects", "refs"))
        ours = {os.lstat(one).st_uid for one in (top, own, common)} == {os.geteuid()}
        names = (environ["GIT_CONFIG_GLOBAL"], f"{common}/config", f"{own}/config.worktree")
        found = tuple(map(_content, names))
    except OSError:
        return None
    included = any(b"include" in text.lower() for text in found)
    return (environ["PATH"], found) if on_branch and whole and ours and not included else None


def _content(name: str) -> bytes:
    """What is in a file, b"" where there is none. Raises: OSError for what else is there."""
    try:
        mode = os.stat(name).st_mode
    except FileNotFoundError:
        return b""
    if not stat.S_ISREG(mode):
        raise OSError  # a pipe, say
    with open(name, "rb") as file:
        return file.read()


@cache
def _usual() -> str | None:
    return shutil.which("git")
