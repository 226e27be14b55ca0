"""Every command of two versions, one after the other: what this checkout takes against another.

Both run with the same interpreter and packages, each in a repository of its own, so that
neither finds the other's caches. A ratio is the one of the least processor times over the
rounds: a command does the same work each time, and what else the machine does only adds to it.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from world import ROOT

from bench import graphs, places, timing
from bench.places import Place
from bench.table import Line
from bench.timing import Case, Cost

#: Above it a command counts as slower: two runs of one version differ by as much.
LIMIT = 1.02

_TASK = """\
  - id: B-1
    title: Say hello
    status: pending
    verify:
      - test -s hello.txt
    outputs:
      - hello.txt
    scope:
      write: [hello.txt]
"""

_LOOKS: tuple[tuple[str, ...], ...] = (
    ("--help",), ("next", "--json"), ("list", "--json"), ("show", "B-1"), ("status", "--json"),
    ("packet", "B-1"), ("prompt", "B-1"), ("log",), ("inbox",), ("graph",), ("preflight", "B-1"),
    ("independence", "--json"), ("doctor",), ("diff", "HEAD..HEAD"),
    ("export", "--format", "jsonl"), ("report", "-"),
)  # fmt: skip


class Version:
    """A repository that one version of ralphgit works in, again and again."""

    def __init__(
        self, folder: Path, name: str, checkout: Path, count: int, *, shards: int = 1
    ) -> None:
        env = {**places.surroundings(folder), "PYTHONPATH": str(checkout)}
        self._place = place = Place(folder, name, env, count, shards=shards)
        if shards > 1:
            last = place.path / "graph" / "part-last.yaml"
            last.write_text(f"version: 1\ntasks:\n{_TASK}", encoding="utf-8")
        else:
            # Without those in progress: no landing is refused for what they promise.
            done = (graphs.block(n) for n in range(count) if graphs.status(n) != "in-progress")
            graph = "version: 1\ntasks:\n" + "".join(done) + _TASK
            (place.path / "task-graph.yaml").write_text(graph, encoding="utf-8")
        place.commit("A task that can be done")
        self._start = place.git("rev-parse", "HEAD").strip()
        self.alpha = place.path.with_name(f"{place.path.name}-alpha")
        place.git("worktree", "add", "--quiet", "--no-track", "-b", "alpha", str(self.alpha))
        self._ralph("trust", "--yes")

    def _ralph(self, *words: str, at: Path | None = None) -> Cost:
        return self._place.timed(*places.RALPH, *words, at=at)

    def look(self, words: Sequence[str]) -> Cost:
        """A command that only shows something, in a worktree where nothing is claimed."""
        return self._ralph(*words, at=self.alpha)

    def peak(self, words: Sequence[str]) -> int:
        """The largest resident set of such a command, in bytes."""
        return self._place.peak(*places.RALPH, *words, at=self.alpha)

    def check(self, *words: str) -> Cost:
        """`check`: the generated graph has claims that no audit tells of, a valid "no"."""
        return self._place.timed(*places.RALPH, "check", *words, at=self.alpha, codes=(0, 1))

    def check_cold(self) -> Cost:
        """`check` where nothing is kept."""
        shutil.rmtree(self._place.path / ".git" / "ralphgit" / "cache", ignore_errors=True)
        return self.check()

    def commit(self) -> Cost:
        """Commit what is staged on the branch."""
        return self._place.timed("git", "commit", "--quiet", "-m", "Begin", at=self.alpha)

    def nothing(self) -> Cost:
        """Start Python, and no more."""
        return self._place.timed(sys.executable, "-c", "pass")

    def bare(self) -> Cost:
        """`git add` and `git commit` of what a claim writes."""
        self.claim()
        names = self._place.git("diff", "--cached", "--name-only", "-z", at=self.alpha).split("\0")
        self._place.git("reset", "--quiet", at=self.alpha)
        add = ("git", "add", "--", *filter(None, names))
        return timing.both(self._place.timed(*add, at=self.alpha), self.commit())

    def claim(self) -> Cost:
        self.restore()
        return self._ralph("claim", "B-1", "--no-fetch", at=self.alpha)

    def release(self) -> Cost:
        self.claim()
        return self._ralph("release", at=self.alpha)

    def block(self) -> Cost:
        self.claim()
        words = ("block", "--reason", "other", "--question", "Why?")
        return self._ralph(*words, at=self.alpha)

    def complete(self) -> Cost:
        self.claim()
        (self.alpha / "hello.txt").write_text("hello\n", encoding="utf-8")
        return self._ralph("complete", at=self.alpha)

    def land(self) -> Cost:
        self.complete()
        return self._ralph("land", "alpha")

    def reset(self) -> Cost:
        self.claim()
        return self._ralph("reset", "B-1", "--reason", "gone", "--force")

    def restore(self) -> None:
        """As if nobody had claimed anything."""
        place = self._place
        place.git("reset", "--hard", "--quiet", self._start)
        place.git("reset", "--hard", "--quiet", self._start, at=self.alpha)
        for ref in place.git("for-each-ref", "--format=%(refname)", "refs/ralph").split():
            place.git("update-ref", "-d", ref)
        shutil.rmtree(self.alpha / ".ralph", ignore_errors=True)


def measure(
    folder: Path, other: Path, count: int, tasks: int, commands: Sequence[str] = ()
) -> list[Line]:
    """Each command, or each of `commands`, `count` times with this checkout and with `other`."""
    versions = []
    for name, checkout in (("this", ROOT), ("other", other)):
        (folder / name).mkdir()
        versions.append(Version(folder / name, "proj", checkout, tasks))
    this, that = versions
    cases: list[tuple[str, Callable[[Version], Cost]]] = [
        (" ".join(words), partial(Version.look, words=words)) for words in _LOOKS
    ]
    cases += [
        ("check", Version.check), ("claim", Version.claim), ("complete", Version.complete),
        ("block", Version.block), ("release", Version.release), ("reset", Version.reset),
        ("land", Version.land),
    ]  # fmt: skip
    lines = []
    for name, measured in cases:
        if commands and name.split()[0] not in commands:
            continue
        pair = [Case("this", partial(measured, this)), Case("other", partial(measured, that))]
        found = timing.rounds(pair, count)
        least = timing.least(found["this"])
        ratio = least / timing.least(found["other"])
        lines.append(
            Line(
                name,
                f"{least * 1000:.1f} ms",
                f"{ratio:.2f} x before",
                f"<= {LIMIT:g} x",
                ratio <= LIMIT,
            )
        )
    return lines


def is_checkout(path: Path) -> bool:
    """Whether a folder has a version of the package in it."""
    return (path / "ralphgit" / "__init__.py").is_file()
