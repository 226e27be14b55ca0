"""Know the keys of git's configuration that may change while agents' code runs.

Whatever is not named here may say which content git sees, which program it runs, or where it
fetches from and pushes to, in this version of git or the next: it ends a loop. A loop gives its
own git an editor, a refspec and a remote, and no terminal, so that what only chooses these for a
person, or what git starts for one at a terminal (editors, pagers, tools to compare and merge), is
here. Of aliases that counts which a line of the loop names, as of programs: `changed_keys`.
ralphgit's own keys are not: a loop reads them once, and the next one reads them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SECTIONS = (
    "advice", "author", "blame", "color", "column", "committer", "delta", "difftool", "gitflow",
    "gui", "help", "mergetool", "pager",
)  # fmt: skip
_KEYS = frozenset((
    "branch.autosetupmerge", "branch.autosetuprebase", "branch.sort", "commit.verbose",
    "core.editor", "core.pager", "diff.colormoved", "diff.colormovedws", "diff.guitool",
    "diff.ralphgit.xfuncname", "diff.tool", "extensions.worktreeconfig", "fetch.prune", "gc.auto",
    "init.defaultbranch", "interactive.difffilter", "interactive.singlekey",
    "lfs.repositoryformatversion", "log.date", "maintenance.auto", "maintenance.strategy",
    "merge.conflictstyle", "merge.guitool", "merge.tool", "pull.ff", "pull.rebase",
    "push.autosetupremote", "push.default", "rebase.autosquash", "rebase.autostash",
    "safe.directory", "sequence.editor", "tag.sort", "user.email", "user.name",
    "user.useconfigonly", "versionsort.suffix",
))  # fmt: skip
#: Those of them that also say what a program reads that git prints to, where they say always.
_SHOWN = ("color.", "column.")
#: What a worktree has checked out, of its own.
SPARSE = frozenset(("core.sparsecheckout", "core.sparsecheckoutcone", "index.sparse"))
#: Another tool's note: git has no section with a hyphen, and none in what it says of a remote.
_NOTE = re.compile(r"[^.]*-[^.]*\..*|remote\..+\.[^.]*-[^.]*", re.DOTALL)
#: What git-lfs notes of a server as it pushes.
_OF_SERVERS = re.compile(r"lfs\..+\.(?:access|locksverify)")
#: What says of a submodule that it was asked for, and where it was when it was: its commit says
#: what it is.
_OF_SUBMODULES = re.compile(r"submodule\..+\.(?:active|url)")
_OF_BRANCHES = ("merge", "rebase", "description")
_BRANCH = re.compile(r"branch\.(.+)\.([^.]+)", re.DOTALL)
#: A remote by a name that is no address.
_REMOTE = re.compile(r"remote\.([\w-]+)\.(url|fetch|tagopt)")
#: An address for which git runs no program but its own.
_ADDRESS = re.compile(r"(?:(?:https?|ssh|git|file)://|(?![\w+.-]+:(?::|//))).*", re.DOTALL)
_ALIAS = re.compile(r"alias\.(.+?)(?:\.command)?", re.DOTALL)


def may_change(key: str, values: Iterable[str], *, is_new: bool) -> bool:
    """Whether a key may get other `values`, go, or with `is_new` come, as git spells it in a list.

    Keys of a branch, of a remote, and aliases, are judged apart.
    """
    section = key.partition(".")[0]
    if is_shown(key) and any("always" in one.lower() for one in values):
        return False
    if key in _KEYS or section in _SECTIONS or _NOTE.fullmatch(key):
        return True
    return bool(_OF_SERVERS.fullmatch(key) or (is_new and _OF_SUBMODULES.fullmatch(key)))


def is_shown(key: str) -> bool:
    """Whether the value of a key says if a program, too, reads what a person at a terminal does."""
    return key.startswith(_SHOWN)


def alias(key: str) -> str:
    """Return the command that a key makes; "" where it makes none."""
    found = _ALIAS.fullmatch(key)
    return found[1] if found else ""


def of_remote(key: str) -> str:
    """Return the remote of which a key says where it is, or what is fetched; "" for none."""
    found = _REMOTE.fullmatch(key)
    return found[1] if found else ""


def is_usual(key: str, values: Iterable[str]) -> bool:
    """Whether a key of a remote says what `git remote add` does, or nothing any more: its branches
    go to where no other remote's are, and no program is run but git's own.
    """
    name, said = _REMOTE.sub(r"\1", key), key.rpartition(".")[2]
    if said == "fetch":
        return {*values} <= {f"+refs/heads/*:refs/remotes/{name}/*"}
    return said == "tagopt" or all(_ADDRESS.fullmatch(one) for one in values)


def of_branch(key: str) -> tuple[str, str]:
    """Return the branch that a key is of, and what it says of it; ("", "") where it is of none."""
    found = _BRANCH.fullmatch(key)
    return (found[1], found[2]) if found else ("", "")


def is_of_upstream(said: str) -> bool:
    """Whether what a key says of a branch is only what a person's pull does there, or another
    tool's note: an editor's `vscode-merge-base`, say.
    """
    return said in _OF_BRANCHES or "-" in said
