"""Know the keys of git's configuration that may change while agents' code runs.

Whatever is not named here may say which content git sees, which program it runs, or where it
fetches from and pushes to, in this version of git or the next: it ends a loop. A loop gives its
own git an editor, a refspec and a remote, so that what only chooses these for a person is here.
ralphgit's own keys are not: a loop reads them once, and the next one reads them again.
"""

from __future__ import annotations

import re

_SECTIONS = ("advice", "author", "color", "column", "committer", "help")
_KEYS = frozenset((
    "branch.autosetupmerge", "branch.autosetuprebase", "branch.sort", "gc.auto",
    "init.defaultbranch", "lfs.repositoryformatversion", "maintenance.auto",
    "maintenance.strategy", "pull.ff", "pull.rebase", "push.autosetupremote", "push.default",
    "rebase.autosquash", "rebase.autostash", "safe.directory", "tag.sort", "user.email",
    "user.name", "user.useconfigonly", "versionsort.suffix",
))  # fmt: skip
#: What git-lfs notes of a server as it pushes.
_OF_SERVERS = re.compile(r"lfs\..+\.(?:access|locksverify)")
#: What says of a submodule that it was asked for, and where it was when it was: its commit says
#: what it is.
_OF_SUBMODULES = re.compile(r"submodule\..+\.(?:active|url)")
_OF_BRANCHES = ("merge", "rebase", "description")
_BRANCH = re.compile(r"branch\.(.+)\.([^.]+)", re.DOTALL)


def may_change(key: str, *, is_new: bool) -> bool:
    """Whether a key may get another value, go, or with `is_new` come, as git spells it in a list.

    Keys of a branch are judged apart: `of_branch`.
    """
    section = key.partition(".")[0]
    if key in _KEYS or section in _SECTIONS:
        return True
    return bool(_OF_SERVERS.fullmatch(key) or (is_new and _OF_SUBMODULES.fullmatch(key)))


def of_branch(key: str) -> tuple[str, str]:
    """Return the branch that a key is of, and what it says of it; ("", "") where it is of none."""
    found = _BRANCH.fullmatch(key)
    return (found[1], found[2]) if found else ("", "")


def is_of_upstream(said: str) -> bool:
    """Whether what a key says of a branch is only what a person's pull does there, or another
    tool's note: an editor's `vscode-merge-base`, say. git's own keys have no hyphen.
    """
    return said in _OF_BRANCHES or "-" in said
