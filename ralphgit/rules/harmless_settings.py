"""Know the keys of git's configuration that may change while agents' code runs.

Whatever is not named here may say which content git sees, which program it runs, or where it
fetches from and pushes to, in this version of git or the next: it ends a loop. A loop gives its
own git an editor, a refspec and a remote, and no terminal, so that what only chooses these for a
person, or what git starts for one at a terminal (editors, pagers, tools to compare and merge), is
here. Of what a git that judges reads, too, only values are that change nothing of what it prints.
Of aliases that counts which a line of the loop names, as of programs: `changed_keys`.
ralphgit's own keys are not: a loop reads them once, and the next one reads them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_BOOLEAN = "true|false|yes|no|on|off|1|0"
#: Keys as git spells them, and the values that may come: those that every git takes, for by one
#: that it does not it ends, and `! git grep` has passed. Where a key has no value it is as "".
_MAY = tuple((re.compile(keys, re.DOTALL), re.compile(values, re.DOTALL)) for keys, values in (
    (r"(?:author|committer|user)\.(?:email|name)|(?:core|sequence)\.editor|core\.pager"
     r"|(?:diff|merge)\.(?:gui)?tool|interactive\.difffilter", ".+"),
    # As `git status` prints them they are not.
    (r"advice\.(?!status)[a-z]+", _BOOLEAN),
    (r"extensions\.worktreeconfig|fetch\.prune|maintenance\.auto|push\.autosetupremote"
     r"|rebase\.auto(?:squash|stash)", _BOOLEAN),
    # Not always, which a program, too, reads.
    (r"color\.(?!pager$)[a-z]+", f"{_BOOLEAN}|auto|never"),
    (r"gc\.auto", "[0-9]{1,9}"),
    (r"init\.defaultbranch", "main|master|trunk|develop"),
    (r"pull\.ff", f"{_BOOLEAN}|only"),
    (r"pull\.rebase", f"{_BOOLEAN}|merges"),
    (r"push\.default", "simple|current|upstream"),
    (r"safe\.directory", r"\*|/.*"),
    # Nothing that a line of a loop calls reads these, but for the colours of what is paged.
    (r"(?:delta|difftool|git-town|git-town-branch|gitflow|gui|mergetool)\..*|pager\.(?!color$).*",
     ".*"),
    # What git-lfs notes of a server as it pushes, and `gh` of what it has asked a person.
    (r"lfs\.repositoryformatversion", "0"),
    (r"lfs\..+\.access", "[a-z]+"),
    (r"lfs\..+\.locksverify", _BOOLEAN),
    (r"remote\.[^.]+\.gh-resolved", "base"),
    (r"diff\.ralphgit\.xfuncname", ".+"),
))  # fmt: skip
#: What says of a submodule that it was asked for, and where it was when it was: its commit says
#: what it is.
_MAY_COME = (
    (re.compile(r"submodule\..+\.active", re.DOTALL), re.compile("true")),
    (re.compile(r"submodule\..+\.url", re.DOTALL), re.compile(".+", re.DOTALL)),
)
#: What a worktree has checked out, of its own.
SPARSE = frozenset(("core.sparsecheckout", "core.sparsecheckoutcone", "index.sparse"))
#: What pulls, and notes of `gh` and of editors.
_OF_BRANCHES = re.compile(r"merge|rebase|description|(?:gh|github-pr|gk|vscode)-[a-z-]+")
_BRANCH = re.compile(r"branch\.(.+)\.([^.]+)", re.DOTALL)
#: A remote by a name that is no address.
_REMOTE = re.compile(r"remote\.([\w-]+)\.(url|fetch|tagopt)")
#: An address for which git runs no program but its own.
_ADDRESS = re.compile(r"(?:(?:https?|ssh|git|file)://|(?![\w+.-]+:(?::|//))).+", re.DOTALL)
_ALIAS = re.compile(r"alias\.(.+?)(?:\.command)?", re.DOTALL)


def may_change(key: str, values: Iterable[str] = (), *, is_new: bool) -> bool:
    """Whether a key may get other `values`, go, or with `is_new` come, as git spells it in a list.

    Keys of a branch, of a remote, and aliases, are judged apart.
    """
    known = (*_MAY, *_MAY_COME) if is_new else _MAY
    taken = next((taken for keys, taken in known if keys.fullmatch(key)), None)
    return taken is not None and all(map(taken.fullmatch, values))


def alias(key: str) -> str:
    """Return the command that a key makes; "" where it makes none."""
    found = _ALIAS.fullmatch(key)
    return found[1] if found else ""


def of_remote(key: str) -> str:
    """Return the remote of which a key says where it is, or what is fetched; "" for none."""
    found = _REMOTE.fullmatch(key)
    return found[1] if found else ""


def are_usual(key: str, values: Iterable[str]) -> bool:
    """Whether git takes the values of a key that may change, and judges what it did before."""
    if of_remote(key):
        return _are_of_another_remote(key, values)
    if of_branch(key)[0]:
        return all(values)
    return may_change(key, values, is_new=True) or not may_change(key, is_new=True)


def _are_of_another_remote(key: str, values: Iterable[str]) -> bool:
    """Whether a key of a remote says what `git remote add` does, or nothing any more: its branches
    go to where no other remote's are, and no program is run but git's own.
    """
    name, said = _REMOTE.sub(r"\1", key), key.rpartition(".")[2]
    if said == "fetch":
        return {*values} <= {f"+refs/heads/*:refs/remotes/{name}/*"}
    if said == "tagopt":
        return {*values} <= {"--tags", "--no-tags"}
    return all(_ADDRESS.fullmatch(one) for one in values)


def of_branch(key: str) -> tuple[str, str]:
    """Return the branch that a key is of, and what it says of it; ("", "") where it is of none."""
    found = _BRANCH.fullmatch(key)
    return (found[1], found[2]) if found else ("", "")


def is_of_upstream(said: str) -> bool:
    """Whether what a key says of a branch is only what a person's pull does there, or another
    tool's note: an editor's `vscode-merge-base`, say.
    """
    return _OF_BRANCHES.fullmatch(said) is not None
