"""Take down what the names mean (branches, tags) that a verify command may give to git.

What judges may come from one of them (`git show main:check.sh | sh`), and an agent can move it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ralphgit.app.processes import named_outside
from ralphgit.app.workspace.project import Project
from ralphgit.git import worktrees

#: How a name in `changed_settings.Signs` begins.
PREFIX = "what git finds as "
#: Of a word that was no commit, and mostly is none: that it comes steers nothing.
MAYBE = "what git finds by now as "
#: What stands between two names, and behind one.
_BETWEEN = re.compile(r"\.{2,}|[\^~@:]")
#: HEAD and its like, which git itself moves, and what is as good as an id.
_NO_NAME = re.compile(r"[A-Z_]*|[0-9a-f]*|git")
#: A simple command that is git, with what is in its parentheses, and up to what ends it.
_GIT = re.compile(
    r"(?<![\w.-])git[\"']?\s"
    r"(?:\((?:[^()]|\([^()]*\))*\)|[^;&|\n)]|(?<=[<>])[&|]|&(?=>))*"
)
_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
#: Of what is in quotes: ends no command that is around it, and is none.
_WITHIN = re.compile(r"[;&|\n()]|\bgit\b")
#: Where git gets what stands elsewhere in the line.
_GIVEN = re.compile(r"\$[\w{]|--batch|--stdin")
_ELSEWHERE = re.compile(r"\bxargs\b|=[\"']?git\b")
#: Before a path in a commit, and around a range.
_OF_PATH = re.compile(r"(?:^|(?<=[\s\"'`]))([^\s;&|()<>`${}=:,\"']+):(?!//|\s|$)")
_RANGE = re.compile(r"[^\s;&|()<>`${}=:,\"']*\.\.[^\s;&|()<>`${}=:,\"']*")


def words(lines: Iterable[str]) -> Mapping[str, bool]:
    """List the words given to git by those shell lines, as names of commits, each with whether it
    can be nothing else (`X:PATH`, `X..Y`).
    """
    found = dict[str, bool]()
    for line in lines:
        for text in _given_to_git(line.replace("\\\n", "")) if "git" in line else ():
            sure = {*_OF_PATH.findall(text), *_RANGE.findall(text)}
            for said in (named_outside.words(text), sure):
                for name in (part for word in said for part in _BETWEEN.split(word)):
                    found[name] = said is sure or found.get(name, False)
    return {word: sure for word, sure in found.items() if not _NO_NAME.fullmatch(word)}


def _given_to_git(line: str) -> Iterable[str]:
    outer = _QUOTED.sub(lambda quoted: _WITHIN.sub(" ", quoted[0]), line)
    found = {one[0] for text in (line, outer) for one in _GIT.finditer(text)}
    return (
        {line}
        if _ELSEWHERE.search(line)
        else {line if _GIVEN.search(one) else one for one in found}
    )


def taken_down(
    project: Project, words: Mapping[str, bool], own: str, before: Iterable[str] = ()
) -> dict[str, str]:
    """Say which object each word is of, "" for none; nothing of the base, of which the remote is
    asked, of the branch `own`, full name, which is the worktree's, and of what is in `before`.
    """
    base = project.base
    moving = {base.ref, f"refs/remotes/{base.remote}/HEAD", own}
    if base.remote:
        moving.discard(f"refs/heads/{base.branch}")
    known = {*before}
    kept = [word for word in words if moving.isdisjoint(_called(word))]
    kept = [word for word in kept if known.isdisjoint((f"{PREFIX}{word}", f"{MAYBE}{word}"))]
    found = looked_up(project, [f"{PREFIX}{word}" for word in kept])
    return {
        name if oid or words[name.removeprefix(PREFIX)]
        else f"{MAYBE}{name.removeprefix(PREFIX)}": oid
        for name, oid in found.items()
    }  # fmt: skip


def _called(word: str) -> list[str]:
    """The full names of what git takes a word for, in any order."""
    kinds = ("heads/", "remotes/", "tags/", "")
    return [word, *(f"refs/{kind}{word}" for kind in kinds), f"refs/remotes/{word}/HEAD"]


def looked_up(project: Project, names: Iterable[str]) -> dict[str, str]:
    """Say of which object each of the names in `taken_down` is now; of others nothing."""
    asked = [name for name in names if name.startswith((PREFIX, MAYBE))]
    said = [name.removeprefix(PREFIX).removeprefix(MAYBE) for name in asked]
    found = project.repository.objects.resolve(said)
    return {name: oid or "" for name, oid in zip(asked, found, strict=True)}


def has_come_along(project: Project, name: str, old: str, new: str) -> bool:
    """Whether what a name is of was brought on with the base, as a landing and `git pull` do: with
    where that is now, whoever has moved it; the remote is asked before anything is verified.
    """
    if not (name.startswith(PREFIX) and old and new):
        return False
    git, (base,) = project.repository.git, project.repository.objects.resolve([project.base.ref])
    return worktrees.is_ancestor(git, old, new) and worktrees.is_ancestor(git, new, base or "")
