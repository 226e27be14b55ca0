"""Two children of one base, merged for real in each way in which git can.

All pairs of a batch live in one repository, written by one `git fast-import`; each merge is
a git command of its own, but for `merge-tree`, which takes a batch on its standard input,
and libgit2, which is a library.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pygit2

Files = Mapping[str, bytes]
"""The files of a commit, by path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two lines of commits from one base. Who merges stands on `ours`."""

    base: Files
    ours: tuple[Files, ...]
    theirs: tuple[Files, ...]
    tip_alone: bool = False
    """Cherry-pick only the last commit of `theirs`, not all of them."""


class Outcome(NamedTuple):
    """What a merge left: the files, or None for a conflict."""

    files: Files | None

    @property
    def conflict(self) -> bool:
        return self.files is None


CONFLICT = Outcome(None)


class Loaded(NamedTuple):
    """A pair's commits in the repository, by object id."""

    base: str
    ours: str
    theirs: str
    before_theirs: str
    """Where a cherry-pick begins: `theirs` without its tip, or the base."""


_CONFIG = """\
[core]
	repositoryformatversion = 0
	bare = false
	autocrlf = false
	fsync = none
	hooksPath = /dev/null
[user]
	name = law
	email = law@example.invalid
[commit]
	gpgSign = false
[gc]
	auto = 0
[maintenance]
	auto = false
[rerere]
	enabled = false
[fastimport]
	unpackLimit = 0
[advice]
	skippedCherryPicks = false
	mergeConflict = false
"""
_WHEN = "1700000000 +0000"


class Arena:
    """A repository in a folder that is thrown away, out of reach of any configuration."""

    def __init__(self, parent: str | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="laws-", dir=parent)
        self.home = os.path.join(self._folder.name, "home")
        self.top = os.path.join(self._folder.name, "work")
        self.git_dir = os.path.join(self.top, ".git")
        os.mkdir(self.home)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": self.home,
            "LC_ALL": "C",
            "TZ": "UTC",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": _WHEN,
            "GIT_COMMITTER_DATE": _WHEN,
            "GIT_EDITOR": "true",
            "GIT_TERMINAL_PROMPT": "0",
        }
        self.run("init", "--quiet", "--template=", "--initial-branch=main", self.top, cwd=self.home)
        with open(os.path.join(self.git_dir, "config"), "w") as config:
            config.write(_CONFIG)
        for level in (
            pygit2.enums.ConfigLevel.GLOBAL,
            pygit2.enums.ConfigLevel.XDG,
            pygit2.enums.ConfigLevel.SYSTEM,
        ):
            pygit2.settings.search_path[level] = self.home
        self.library = pygit2.Repository(self.git_dir)

    def __enter__(self) -> Arena:
        return self

    def __exit__(self, *_: object) -> None:
        self.library.free()
        self._folder.cleanup()

    def run(
        self,
        *arguments: str,
        input: bytes = b"",
        cwd: str | None = None,
        status: Sequence[int] = (0,),
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git. Raises: RuntimeError when it exits otherwise than expected."""
        done = subprocess.run(
            ["git", *arguments], input=input, cwd=cwd or self.top, env=self.env, capture_output=True
        )
        if done.returncode not in status:
            words = b" ".join((done.stdout, done.stderr)).decode(errors="replace")
            raise RuntimeError(f"git {' '.join(arguments)}: exit {done.returncode}: {words}")
        return done

    def load(self, pairs: Sequence[Pair]) -> list[Loaded]:
        """Write the commits of all pairs."""
        stream: list[bytes] = []
        mark = 0

        def commit(files: Files, parent: int, words: str) -> int:
            nonlocal mark
            mark += 1
            stream.append(b"reset refs/heads/scratch\n")
            stream.append(f"commit refs/heads/scratch\nmark :{mark}\n".encode())
            stream.append(f"committer law <law@example.invalid> {_WHEN}\n".encode())
            stream.append(b"data %d\n%s\n" % (len(words), words.encode()))
            if parent:
                stream.append(b"from :%d\ndeleteall\n" % parent)
            for path, data in files.items():
                stream.append(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
            return mark

        marks = []
        for number, pair in enumerate(pairs):
            base = ours = commit(pair.base, 0, f"base {number}")
            for step, files in enumerate(pair.ours):
                ours = commit(files, ours, f"ours {number}.{step}")
            theirs = before = base
            for step, files in enumerate(pair.theirs):
                before = theirs if pair.tip_alone else base
                theirs = commit(files, theirs, f"theirs {number}.{step}")
            marks.append((base, ours, theirs, before))
        table = os.path.join(self.home, "marks")
        options = ("--quiet", "--force", f"--export-marks={table}")
        self.run("fast-import", *options, input=b"".join(stream))
        with open(table) as lines:
            ids = {int(line[1 : line.index(" ")]): line.split()[1] for line in lines}
        return [Loaded(*(ids[mark] for mark in row)) for row in marks]

    # -- in memory -----------------------------------------------------------------------

    def merge_tree(self, pairs: Sequence[Loaded]) -> list[Outcome]:
        """`git merge-tree --write-tree` of each pair, in one process."""
        orders = "".join(f"{pair.ours} {pair.theirs}\n" for pair in pairs).encode()
        done = self.run("merge-tree", "--stdin", "--name-only", "--no-messages", input=orders)
        parts = iter(done.stdout.decode().split("\0"))
        outcomes = []
        for _ in pairs:
            clean, tree = next(parts), next(parts)
            while next(parts):  # the paths in conflict, then nothing
                pass
            outcomes.append(self._tree(tree) if clean == "1" else CONFLICT)
        if any(parts):
            raise RuntimeError("git merge-tree --stdin says more than was asked")
        return outcomes

    def libgit2(self, pair: Loaded) -> Outcome:
        base, ours, theirs = (self.library[oid].tree for oid in pair[:3])
        index = self.library.merge_trees(base, ours, theirs)
        if index.conflicts is not None:
            return CONFLICT
        return Outcome({entry.path: self._blob(str(entry.id)).data for entry in index})

    def _tree(self, oid: str) -> Outcome:
        tree = self.library[oid]
        assert isinstance(tree, pygit2.Tree)
        return Outcome(dict(self._blobs(tree, "")))

    def _blob(self, oid: str) -> pygit2.Blob:
        found = self.library[oid]
        assert isinstance(found, pygit2.Blob)
        return found

    def _blobs(self, tree: pygit2.Tree, prefix: str) -> Iterator[tuple[str, bytes]]:
        for entry in tree:
            if isinstance(entry, pygit2.Tree):
                yield from self._blobs(entry, f"{prefix}{entry.name}/")
            else:
                yield f"{prefix}{entry.name}", self._blob(str(entry.id)).data

    # -- in the worktree -----------------------------------------------------------------

    def merge(self, pair: Loaded) -> Outcome:
        """`git merge`, with the strategy ort."""
        self._stand_on(pair.ours)
        return self._outcome("merge", "--quiet", "--no-edit", pair.theirs)

    def squash(self, pair: Loaded) -> Outcome:
        self._stand_on(pair.ours)
        return self._outcome("merge", "--quiet", "--squash", pair.theirs)

    def cherry_pick(self, pair: Loaded) -> Outcome:
        self._stand_on(pair.ours)
        return self._outcome(
            "cherry-pick", "--allow-empty", "--keep-redundant-commits",
            f"{pair.before_theirs}..{pair.theirs}",
        )  # fmt: skip

    def rebase(self, pair: Loaded) -> Outcome:
        """`theirs` rebased onto `ours`."""
        self._stand_on(pair.ours)
        return self._outcome("rebase", "--quiet", pair.ours, pair.theirs)

    def _stand_on(self, commit: str) -> None:
        for leftover in ("rebase-merge", "rebase-apply", "sequencer"):
            shutil.rmtree(os.path.join(self.git_dir, leftover), ignore_errors=True)
        self.run("checkout", "--quiet", "--force", "--detach", commit)

    def _outcome(self, *arguments: str) -> Outcome:
        done = self.run(*arguments, status=(0, 1))
        self.library.index.read()
        conflict = self.library.index.conflicts is not None
        if conflict != (done.returncode == 1):
            raise RuntimeError(f"git {' '.join(arguments)}: {done.stdout!r} {done.stderr!r}")
        return CONFLICT if conflict else Outcome(dict(self._worktree()))

    def _worktree(self) -> Iterator[tuple[str, bytes]]:
        for folder, folders, names in os.walk(self.top):
            if folder == self.top:
                folders.remove(".git")
            for name in names:
                full = os.path.join(folder, name)
                with open(full, "rb") as file:
                    yield os.path.relpath(full, self.top), file.read()


Way = Callable[[Arena, Loaded], Outcome]

IN_MEMORY = ("merge-tree", "libgit2")
IN_WORKTREE: dict[str, Way] = {
    "merge": Arena.merge,
    "squash": Arena.squash,
    "rebase": Arena.rebase,
    "cherry-pick": Arena.cherry_pick,
}
WAYS = (*IN_MEMORY, *IN_WORKTREE)


def outcomes(
    arena: Arena, pairs: Sequence[Pair], *, worktree_ways: Callable[[int], Sequence[str]]
) -> Iterator[tuple[int, str, Outcome]]:
    """The number of the pair, the way and the outcome, for every pair.

    Both ways in memory for all; of those in the worktree the ones that
    `worktree_ways(number)` names.
    """
    loaded = arena.load(pairs)
    for number, outcome in enumerate(arena.merge_tree(loaded)):
        yield number, "merge-tree", outcome
    for number, pair in enumerate(loaded):
        yield number, "libgit2", arena.libgit2(pair)
        for way in worktree_ways(number):
            yield number, way, IN_WORKTREE[way](arena, pair)
