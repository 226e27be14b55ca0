"""The repository of a night, its loops, its agents, and the person who is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from soak.field import Field, task_id

from night import clocked_loop, stand_in
from night.clock import Clock

_TASK = """\
  - id: {id}
    title: {title}
    status: pending
    story: {story}
{depends}    verify:
      - grep -q {id} work/{id}.txt
    outputs:
      - work/{id}.txt
    scope:
      write: [work/{id}.txt]
    agent: {agent}
"""
_ASKED = "asked.jsonl"
_SETTINGS = """\
[agent]
timeout = 7200
silence = 3600

[agents.builder]
command = "claude"

[agents.writer]
command = "codex"

[loop]
idle = 600
check = 86400

[notify]
command = "cat >> '{asked}'"
"""


class Night(NamedTuple):
    """How a night is to be."""

    seed: int
    tasks: int
    begins: float
    """In seconds since 1970, UTC."""
    limit_after: int
    """The builders' account has a limit after so many calls that worked."""
    login_after: int
    """The writers' login expires after so many calls that worked."""
    sleep_s: float
    """The person helps so many seconds after being asked."""
    loops: int = 4
    silences: int = 2
    wrong: float = 0.5
    """Of the first attempts of the flaky agent so many are wrong."""

    def plan(self) -> dict[str, Any]:
        """What the agent has to know."""
        return {
            "seed": self.seed, "limit_after": self.limit_after, "limit_s": 5 * 3600,
            "login_after": self.login_after, "silence": 3600, "silences": self.silences,
            "flaky": "w2", "silent": "w3", "wrong": self.wrong, "least": 4, "spread": 20,
        }  # fmt: skip


def graph(count: int) -> str:
    """Two stories, of builders and of writers; most tasks build on one or two before them."""
    text = "version: 1\ntasks:\n"
    for number in range(count):
        agent, what, story = (
            ("builder", "Build part", "S-BUILD"), ("writer", "Write page", "S-WRITE")
        )[number % 2]  # fmt: skip
        needed = [number - step for step in (7, 12) if number >= 12 and number % 3]
        depends = "".join(f"      - {task_id(other)}\n" for other in needed)
        text += _TASK.format(
            id=task_id(number), title=f"{what} {number // 2 + 1}", story=story, agent=agent,
            depends=f"    depends_on:\n{depends}" if needed else "",
        )  # fmt: skip
    return text


class NightField(Field):
    """A field whose loops go by the night's clock."""

    def __init__(self, folder: Path, night: Night) -> None:
        self.night, self.folder = night, folder / "night"
        self.folder.mkdir()
        settings = _SETTINGS.format(asked=self.folder / _ASKED)
        super().__init__(
            folder, text=graph(night.tasks), loops=night.loops, files={"ralph.toml": settings}
        )
        self.clock = Clock.create(
            self.folder / stand_in.CLOCK, waiters=night.loops, at=night.begins
        )
        (self.folder / stand_in.PLAN).write_text(json.dumps(night.plan()))
        (self.folder / stand_in.CALLS).touch()
        programs = folder / "programs"
        programs.mkdir()
        for name in ("claude", "codex"):
            line = f'exec "{sys.executable}" -S "{stand_in.__file__}" {name} "{self.folder}"'
            (programs / name).write_text(f"#!/bin/sh\n{line}\n")
            (programs / name).chmod(0o755)
        self._path = f"{programs}{os.pathsep}{self.world.environ['PATH']}"
        self.world.environ["PATH"] = self._path
        self.helped = 0.0
        """When the person helped."""

    def start(self, name: str) -> None:
        place = self.places[name]
        self.starts += 1
        tests = Path(__file__).resolve().parent.parent
        search = f"{tests}{os.pathsep}{tests.parent}"
        environ = {**place.environ, "PATH": self._path, "PYTHONPATH": search}
        with open(place.path.with_name(f"{name}.err"), "ab") as errors:
            self.loops[name] = subprocess.Popen(
                [sys.executable, clocked_loop.__file__, self.folder / stand_in.CLOCK, name[1:],
                 "run", "--land", "merge", "--idle", "wait"],
                cwd=place.path, env=environ, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip

    def pass_on(self) -> bool:
        """Let the clock go on, and the person help in time; false once all loops have ended."""
        alive = self.running()
        asked = () if self.helped else self.asked()
        helps = [float(one["seconds"]) + self.night.sleep_s for one in asked]
        self.clock.leap([int(name[1:]) for name in alive], helps)
        if helps and self.clock.now() >= min(helps):
            (self.folder / stand_in.RENEWED).touch()
            self.helped = self.clock.now()
        return bool(alive)

    def asked(self) -> Iterator[dict[str, Any]]:
        """What the person was told that asks for help, with its time in seconds."""
        path = self.folder / _ASKED
        for line in path.read_text().splitlines() if path.exists() else ():
            told = json.loads(line)
            if told["event"] == "unavailable":
                yield {**told, "seconds": datetime.fromisoformat(told["at"]).timestamp()}

    def calls(self) -> list[dict[str, Any]]:
        """The calls of the agents, in their order."""
        lines = (self.folder / stand_in.CALLS).read_text().splitlines()
        return [json.loads(line) for line in lines]
