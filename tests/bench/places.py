"""The repositories that are measured, and what is done to them between two measurements."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from world import environment

from bench import graphs, timing
from bench.timing import Cost

_PEAK = """\
import os, resource, sys
out = os.open(os.devnull, os.O_WRONLY)
actions = [(os.POSIX_SPAWN_DUP2, out, 1)]
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
RALPH = (sys.executable, "-m", "ralphgit")


def surroundings(folder: Path) -> dict[str, str]:
    """The variables that every process sees: nothing of the user's, and compiled modules.

    Modules are compiled once, into `folder`: an installed package has them compiled, and a
    checkout is not written to.
    """
    home = folder / "home"
    home.mkdir()
    env = environment(home)
    del env["PYTHONWARNINGS"]
    return {**env, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


class Place:
    """A repository with a graph of generated tasks, all committed."""

    def __init__(
        self, folder: Path, name: str, env: Mapping[str, str], count: int, *, shards: int = 1
    ) -> None:
        self.path = folder / name
        self.env = env
        self._log = folder / "stderr"
        self._shards = shards
        self._count = count
        self._changes = 0
        self.path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "gc.auto", "0")
        for file, text in graphs.files(count, shards).items():
            self._write(file, text)
        if shards > 1:
            self._write("ralph.toml", 'graph = ["graph/*.yaml"]\n')
        self.commit("Generated")

    def _write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def git(self, *words: str, at: Path | None = None) -> str:
        """stdout of `git WORDS`, not timed."""
        done = subprocess.run(
            ["git", *words], cwd=at or self.path, env=self.env, capture_output=True, check=False
        )
        if done.returncode:
            raise timing.Failed(f"git {' '.join(words)}: {done.stderr.decode()}")
        return done.stdout.decode()

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", message)

    def timed(self, *argv: str, at: Path | None = None, codes: Sequence[int] = (0,)) -> Cost:
        return timing.run(argv, at=at or self.path, env=self.env, log=self._log, codes=codes)

    def peak(self, *argv: str, at: Path) -> int:
        """The largest resident set of `argv`, in bytes.

        Linux counts what a process had before it became another program: a small one starts it.
        """
        words = [sys.executable, "-c", _PEAK, *argv]
        done = subprocess.run(words, cwd=at, env=self.env, capture_output=True, text=True)
        if done.returncode:
            raise timing.Failed(f"{' '.join(argv)}: {done.stderr}")
        return int(done.stdout.split()[-1]) * timing.RSS_UNIT

    # -- next ------------------------------------------------------------------------

    def next(self) -> Cost:
        """`next --json`."""
        return self.timed(*RALPH, "next", "--json")

    def next_cold(self) -> Cost:
        """`next --json` that has to read the graph: there is no cache."""
        shutil.rmtree(self.path / ".git" / "ralphgit" / "cache", ignore_errors=True)
        return self.next()

    def next_changed(self) -> Cost:
        """`next --json` after one shard was changed and committed."""
        self._changes += 1
        shard = self._changes % self._shards
        size = -(-self._count // self._shards)
        first, name = shard * size, f"graph/part-{shard:03d}.yaml"
        old = (self.path / name).read_text(encoding="utf-8")
        new = graphs.block(first, title=f"Look again, number {self._changes}")
        at, end = old.index("  - id: "), old.index("  - id: ", old.index("  - id: ") + 1)
        self._write(name, old[:at] + new + old[end:])
        self.commit("Another title")
        return self.next()


class Worktree:
    """A linked worktree in which a task is claimed again and again."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.path = place.path.with_name(f"{place.path.name}-alpha")
        place.git("worktree", "add", "--quiet", "--no-track", "-b", "alpha", str(self.path))
        self.task = graphs.name(graphs.ready(24)[0])
        self._bytes: dict[str, bytes] = {}
        place.next()

    def claim(self) -> Cost:
        """`claim ID --no-fetch`, and the commit that takes it along."""
        self.restore()
        claimed = self._place.timed(*RALPH, "claim", self.task, "--no-fetch", at=self.path)
        names = self._place.git("diff", "--cached", "--name-only", "-z", at=self.path)
        self._bytes = {name: (self.path / name).read_bytes() for name in names.split("\0") if name}
        return timing.both(claimed, self._commit())

    def bare(self) -> Cost:
        """`git add` and `git commit` of the bytes that the last claim wrote."""
        self.restore()
        for name, data in self._bytes.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        added = self._place.timed("git", "add", "--", *self._bytes, at=self.path)
        return timing.both(added, self._commit())

    def _commit(self) -> Cost:
        return self._place.timed("git", "commit", "--quiet", "-m", "Begin", at=self.path)

    def restore(self) -> None:
        """As if nobody had claimed anything."""
        place = self._place
        place.git("reset", "--hard", "--quiet", "main", at=self.path)
        for ref in place.git("for-each-ref", "--format=%(refname)", "refs/ralph").split():
            place.git("update-ref", "-d", ref)
        shutil.rmtree(self.path / ".ralph", ignore_errors=True)
