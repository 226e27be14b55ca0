"""Sixteen processes move one ref by `ralphgit.git.refs.swap`, all at the same moment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pygit2
from world import PATIENCE, ROOT, World

from race import RACERS

_REF = "refs/ralph/leases/T-1"


class Swaps:
    """One repository, sixteen processes that wait for orders, and rounds of swaps."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.world.commit()
        self._store = pygit2.Repository(str(self.world.path))
        self._made = 0
        path = os.pathsep.join((str(ROOT), str(Path(__file__).parent.parent)))
        self._racers = [
            subprocess.Popen(
                [sys.executable, "-m", "race.swapper", str(self.world.path)],
                env={**self.world.environ, "PYTHONPATH": path},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(RACERS)
        ]  # fmt: skip

    def __enter__(self) -> Swaps:
        return self

    def __exit__(self, *_: object) -> None:
        for racer in self._racers:
            assert racer.stdin and racer.stdout
            racer.stdin.close()
            racer.wait(PATIENCE)
            racer.stdout.close()

    def round(self) -> list[int]:
        """Create the ref, replace it, delete it, each by all at once; the winners of each.

        After one with a single winner the ref is at the winner's object, or gone.
        """
        found = []
        at = "-"
        for news in (self._objects(), self._objects(), ("-",) * RACERS):
            won = self._all(news, at)
            found.append(len(won))
            now = self.world.run("git", "rev-parse", "--verify", "--quiet", _REF).out.strip()
            if len(won) == 1 and now != news[won[0]].strip("-"):
                found[-1] = 0  # it was told that it had won, and the ref says otherwise
            at = now or "-"
        return found

    def _objects(self) -> tuple[str, ...]:
        """One for each racer that no ref was ever at, as no two leases are alike."""
        self._made += 1
        return tuple(
            str(self._store.create_blob(b"%d %d" % (number, self._made)))
            for number in range(RACERS)
        )

    def _all(self, news: tuple[str, ...], old: str) -> list[int]:
        """The numbers of the racers that moved the ref from `old` to their object."""
        for racer, new in zip(self._racers, news, strict=True):
            assert racer.stdin
            racer.stdin.write(f"{_REF} {new} {old}\n")
        for racer in self._racers:
            assert racer.stdin
            racer.stdin.flush()
        answers = []
        for racer in self._racers:
            assert racer.stdout
            answers.append(racer.stdout.readline().strip())
        assert set(answers) <= {"0", "1"}, f"a racer failed: {answers}"
        return [number for number, answer in enumerate(answers) if answer == "1"]
