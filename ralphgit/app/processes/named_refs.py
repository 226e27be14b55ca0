"""Take down what the names mean (branches, tags) that a verify command may give to git.

What judges may come from one of them (`git show main:check.sh | sh`), and an agent can move it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from ralphgit.app.processes import named_outside
from ralphgit.app.workspace.project import Project
from ralphgit.git import worktrees
from ralphgit.git.repository import PLACES

#: How a name in `changed_settings.Signs` begins.
PREFIX = "what git finds as "
#: Of a word that was no commit, and mostly is none: that it comes steers nothing.
MAYBE = "what git finds by now as "
#: In the place of an object: of what is moved all the time.
_MOVES = "*"
#: What stands between two names, and behind one.
_BETWEEN = re.compile(r"\.{2,}|[\^~@:]")
#: What git itself moves as it works.
_NO_NAME = re.compile(r"(?:[A-Z]+_)?HEAD|git|")
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
    """Say which refs each word is of, in git's order, and which object; nothing of what is in
    `before`.

    Which object is not said of the base, of which the remote is asked, nor of the branch `own`,
    full name, which is the worktree's. A word that is of no ref may be of a commit, by the
    beginning of its id: a ref that comes goes before that.
    """
    base, known = project.base, {*before}
    moving = {base.ref, f"refs/remotes/{base.remote}/HEAD", own}
    kept = [word for word in words if known.isdisjoint((f"{PREFIX}{word}", f"{MAYBE}{word}"))]
    objects = project.repository.objects.resolve(kept)
    return {
        f"{PREFIX if refs or oid or words[word] else MAYBE}{word}": _sign(refs, oid, moving)
        for word, refs, oid in zip(kept, _refs(project, kept), objects, strict=True)
    }


def _refs(project: Project, words: Sequence[str]) -> list[list[str]]:
    """List the refs that git may take each word for, the one that it takes first."""
    common = project.repository.common_dir
    places = [[f"{place}{word}" for place in PLACES] + [f"refs/remotes/{word}/HEAD"]
              for word in words]  # fmt: skip
    names = dict.fromkeys(name for each in places for name in each if name.startswith("refs/"))
    objects = project.repository.objects.resolve([*names])
    there = {name for name, oid in zip(names, objects, strict=True) if oid}
    # git takes for one also a file of that name in its folder.
    own = (word for word in words if not word.startswith("/"))
    there |= {word for word in own if os.path.isfile(os.path.join(common, word))}
    return [[name for name in each if name in there] for each in places]


def _sign(refs: Sequence[str], oid: str | None, moving: Collection[str]) -> str:
    at = _MOVES if any(ref in moving for ref in refs) else oid or ""
    return "\n".join((*refs, at)) if refs else ""


def looked_up(project: Project, before: Mapping[str, str]) -> dict[str, str]:
    """Say the same of the names in `before` that `taken_down` has said it of; of others nothing."""
    asked = [name for name in before if name.startswith((PREFIX, MAYBE))]
    words = [name.removeprefix(PREFIX).removeprefix(MAYBE) for name in asked]
    objects = project.repository.objects.resolve(words)
    found = zip(asked, _refs(project, words), objects, strict=True)
    return {
        name: _sign(refs, oid, refs if before[name].endswith(f"\n{_MOVES}") else ())
        for name, refs, oid in found
    }


def has_come_along(project: Project, name: str, old: str, new: str) -> bool:
    """Whether what a name is of was brought on with the base, as a landing and `git pull` do: with
    where that is now, whoever has moved it; the remote is asked, and this once more, before
    anything is verified.
    """
    (*refs, was), (*now, at) = old.split("\n"), new.split("\n")
    if not (name.startswith(PREFIX) and refs == now and was and at):
        return False
    git, (base,) = project.repository.git, project.repository.objects.resolve([project.base.ref])
    return worktrees.is_ancestor(git, was, at) and worktrees.is_ancestor(git, at, base or "")
