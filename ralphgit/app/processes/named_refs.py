"""Take down what the names mean (branches, tags) that a verify command may give to git.

What judges may come from one of them (`git show main:check.sh | sh`), and an agent can move it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from ralphgit.app.processes import named_outside
from ralphgit.app.workspace.project import Project
from ralphgit.git import worktrees

#: How a name in `changed_settings.Signs` begins.
PREFIX = "what git finds as "
#: What stands between two names, and behind one.
_BETWEEN = re.compile(r"\.{2,}|[\^~@]")
#: HEAD and its like, which git itself moves, and what is as good as an id.
_NO_NAME = re.compile(r"[A-Z_]*|[0-9a-f]*|git")


def words(lines: Iterable[str]) -> set[str]:
    """List the words of those shell lines that run git, as names of commits."""
    found = set[str]()
    for line in lines:
        said = named_outside.words(line) if "git" in line else set()
        if any(os.path.basename(word) == "git" for word in said):
            found.update(part for word in said for part in _BETWEEN.split(word))
    return {word for word in found if not _NO_NAME.fullmatch(word)}


def taken_down(project: Project, words: Iterable[str], own: str) -> dict[str, str]:
    """Say which object each word is of, "" for none; nothing of the base, of which the remote is
    asked, and of the branch `own`, full name, which is the worktree's.
    """
    base = project.base
    moving = {base.ref, f"refs/remotes/{base.remote}/HEAD", own}
    if base.remote:
        moving.discard(f"refs/heads/{base.branch}")
    kept = (word for word in words if moving.isdisjoint(_called(word)))
    return looked_up(project, [f"{PREFIX}{word}" for word in kept])


def _called(word: str) -> list[str]:
    """The full names of what git takes a word for, in any order."""
    kinds = ("heads/", "remotes/", "tags/", "")
    return [word, *(f"refs/{kind}{word}" for kind in kinds), f"refs/remotes/{word}/HEAD"]


def looked_up(project: Project, names: Iterable[str]) -> dict[str, str]:
    """Say of which object each of the names in `taken_down` is now; of others nothing."""
    asked = [name for name in names if name.startswith(PREFIX)]
    found = project.repository.objects.resolve([name.removeprefix(PREFIX) for name in asked])
    return {name: oid or "" for name, oid in zip(asked, found, strict=True)}


def has_come_along(project: Project, name: str, old: str, new: str) -> bool:
    """Whether what a name is of was brought on with the base, as a landing and `git pull` do: with
    where that is now, whoever has moved it; the remote is asked before anything is verified.
    """
    if not (name.startswith(PREFIX) and old and new):
        return False
    git, (base,) = project.repository.git, project.repository.objects.resolve([project.base.ref])
    return worktrees.is_ancestor(git, old, new) and worktrees.is_ancestor(git, new, base or "")
