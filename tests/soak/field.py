"""A graph of many tasks, a remote behind `git daemon`, and loops in linked worktrees."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from servers import GitDaemon
from world import Place, World

_TASK = """\
  - id: {id}
    title: Task {number}
    status: pending
    story: S-{story}
{depends}    verify:
      - {verify}
    outputs:
      - {file}
    scope:
      write: [{file}]
    x-script:
      sleep: {sleep}
      write:
        {file}: "{id}\\n"
"""


#: A command for all tasks: to what comes later nobody needs to agree.
_ANY = 'grep -qrx "$RALPH_TASK" work'


def task_id(number: int) -> str:
    return f"T-{number:03d}"


def graph(
    count: int, *, sleep: float, first: int = 0, share: int = 0, steps: tuple[int, ...] = (7, 12)
) -> str:
    """Tasks `first` to `count`; two of three depend on those that stand `steps` before them.

    They are in ten stories by turns, or in stories of `share` tasks that follow each other, each
    on the files of the one before it.
    """
    text = "version: 1\ntasks:\n"
    for number in range(first, count):
        needed = [number - step for step in steps if number >= steps[-1] and number % 3]
        depends = ""
        if needed:
            lines = "".join(f"      - {task_id(other)}\n" for other in needed)
            depends = f"    depends_on:\n{lines}"
        text += _TASK.format(
            id=task_id(number), number=number, depends=depends, sleep=sleep,
            file=f"work/{number % share if share else task_id(number)}.txt",
            verify=_ANY if share else f"grep -q {task_id(number)} work/{task_id(number)}.txt",
            story=number // share if share else number % 10,
        )  # fmt: skip
    return text


class Field:
    """The repository and its loops. Used as a context, which ends the server and all loops."""

    def __init__(
        self,
        folder: Path,
        *,
        text: str,
        loops: int,
        files: Mapping[str, str] | None = None,
        layout: str = "",
        packs: bool = False,
    ) -> None:
        """`packs`: git packs loose objects when it finds them too many."""
        self._packs = packs
        self.world = World(folder)
        self.world.write_graph(text)
        if layout:
            self.world.commit("Begin with one file")
            parted = self.world.ralph("shard", "--layout", layout)
            assert parted.code == 0, parted.err
        for name, content in (files or {}).items():
            self.world.write(name, content)
        self.world.commit("Begin")
        served = folder / "served"
        served.mkdir()
        self.world.git("clone", "--quiet", "--bare", str(self.world.path), str(served / "o.git"))
        self._daemon = GitDaemon(served, self.world.environ)
        self._served = served / "o.git"
        self._names = [f"w{number}" for number in range(loops)]
        self.loops: dict[str, subprocess.Popen[bytes]] = {}
        self.starts = 0

    def __enter__(self) -> Self:
        self._daemon.__enter__()
        self.address = self._daemon.where("o.git")
        world = self.world
        for repository in (world.path, self._served):
            many = "6700" if self._packs else "0"  # git's own number
            world.git("-C", str(repository), "config", "gc.auto", many)
        world.git("remote", "add", "origin", self.address)
        world.git("fetch", "--quiet", "origin")
        world.git("remote", "set-head", "origin", "main")
        world.ralph("trust", "--yes")
        self.places = {name: world.worktree(name, at="origin/main") for name in self._names}
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._daemon.__exit__()

    def stop(self) -> None:
        """End all loops."""
        for process in self.loops.values():
            process.kill()
            process.wait()

    def start(self, name: str) -> None:
        """Start a loop, or start it again."""
        place: Place = self.places[name]
        self.starts += 1
        environ = {
            **place.environ,
            "RALPH_AGENT_ATTEMPTS": "1000", "RALPH_LOOP_FAILURES": "1000",
            "RALPH_LOOP_BACKOFF": "0.05", "RALPH_LOOP_IDLE": "0.3",
        }  # fmt: skip
        with open(place.path.with_name(f"{name}.err"), "ab") as errors:
            self.loops[name] = subprocess.Popen(
                [sys.executable, "-m", "ralphgit", "run", "--agent", "scripted",
                 "--land", "merge", "--idle", "wait"],
                cwd=place.path, env=environ, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip

    def running(self) -> list[str]:
        """The loops that have not ended."""
        return [name for name, process in self.loops.items() if process.poll() is None]

    def said(self, name: str) -> str:
        """The end of what a loop wrote to stderr."""
        path = self.places[name].path.with_name(f"{name}.err")
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def base(self) -> str:
        """The folder of the bare repository that decides."""
        return os.fspath(self._served)
