"""What the real tools print, as events: the log that comes of it, how it ends, what it used.

`tests/cases/agents/TOOL-CASE.txt` has each as it was recorded against a local server (`just
agents`), less what no reader looks at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_agent_away import outcomes, tool
from test_loop import loop, made, on_base, start, task
from test_outcomes import reset
from world import PATIENCE, ROOT, Place, until

from ralphgit.loop import presets
from ralphgit.loop.agent_log import AgentLog
from ralphgit.model.usage import Usage
from ralphgit.rules import agent_outcome
from ralphgit.rules.agent_outcome import End, Left

FOLDER = ROOT / "tests" / "cases" / "agents"
READING = {one.name: one.reading for one in presets.BUILT_IN}
ONE = task("T-1", "scope: {write: [f.txt]}", "verify: [grep -q good f.txt]")


@dataclass(frozen=True)
class Case:
    """What a tool printed, and what is to come of it."""

    name: str
    exit: str
    """A number, or that it was stopped by the time limit."""
    outcome: str
    usage: dict[str, Any]
    printed: str
    log: str

    @property
    def agent(self) -> str:
        return self.name.partition("-")[0]


def case(name: str) -> Case:
    head, _, rest = (FOLDER / f"{name}.txt").read_text("utf-8").partition("---- printed\n")
    printed, _, log = rest.partition("\n---- log\n")
    told = dict(line.split(": ", 1) for line in head.splitlines())
    return Case(name, told["exit"], told["outcome"], json.loads(told["usage"]), printed, log)


CASES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def fed(path: Path, one: Case, pieces: int, limit: int = 1 << 20) -> AgentLog:
    """The log of a case whose output comes in pieces of so many bytes."""
    log = AgentLog(str(path), limit=limit, secrets=(), reading=READING[one.agent], top="/top")
    data = (one.printed + "\n").encode()
    for place in range(0, len(data), pieces):
        log.add(data[place : place + pieces])
    log.close()
    return log


@pytest.mark.parametrize("name", CASES)
def test_a_stream_becomes_readable_lines_and_an_outcome(name: str, tmp_path: Path) -> None:
    one = case(name)
    for pieces in (7, 1 << 16):
        path = tmp_path / f"T-{pieces}.log"
        log = fed(path, one, pieces)
        assert path.read_text("utf-8") == one.log
    raw = path.with_suffix(".jsonl")
    events = [line for line in one.printed.splitlines() if line.startswith('{"type')]
    assert (raw.read_text("utf-8").splitlines() if raw.exists() else []) == events
    end, code = (End.OVER, 1) if one.exit == "timeout" else (End.EXITED, int(one.exit))
    left = Left(end, code, log.tail, one.outcome == "worked", 60.0, None, log.result)
    found = agent_outcome.outcome(left, agent=one.agent, reset=reset)
    assert type(found).__name__.lower() == one.outcome
    assert log.usage == Usage(**one.usage)


def test_every_tool_has_a_recorded_success_and_refusal() -> None:
    for name, reading in READING.items():
        if reading.read is not None:
            assert {f"{name}-work", f"{name}-login", f"{name}-limit"} <= {*CASES}


# -- in a loop -----------------------------------------------------------------------------


def replayed(place: Place, name: str, does: str = "") -> dict[str, str]:
    """The tool of a case on PATH: it does something, prints what was recorded, and ends so."""
    one = case(name)
    (place.path.parent / name).write_text(one.printed + "\n", "utf-8")
    return tool(
        place, f'{does or ":"}\ncat "{place.path.parent / name}"\nexit {one.exit}', one.agent
    )


def test_a_log_is_readable_while_the_agent_works(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    first, rest = case("claude-work").printed.split("\n", 1)[0], case("claude-work").printed
    (tmp_path / "first").write_text(first + "\nhunter2hunter2 is no JSON\n")
    (tmp_path / "rest").write_text(rest.split("\n", 1)[1] + "\n")
    wait = f'until test -e "{tmp_path}/go"; do sleep 0.02; done'
    does = f'cat "{tmp_path}/first"\n{wait}\necho good > f.txt\ncat "{tmp_path}/rest"'
    env = {**tool(alpha, does), "MY_PASSWORD": "hunter2hunter2"}
    running = start(alpha, "--agent", "claude", env=env)
    try:
        shown = "model claude-opus-4-8[1m]\n[redacted] is no JSON\n"
        until(lambda: alpha.ralph("logs").out == shown)
        (tmp_path / "go").touch()
        assert running.wait(PATIENCE) == 0
    finally:
        running.kill()
        running.communicate()
    log = case("claude-work").log.partition("\n")[2].replace("write f", "write /top/f")
    assert alpha.ralph("logs").out == shown + log
    (raw,) = (alpha.path / ".ralph/logs").glob("T-1-*.jsonl")
    assert [json.loads(line)["type"] for line in raw.read_text().splitlines()][-1] == "result"


def test_an_error_that_is_repeated_is_silence(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    error = next(line for line in case("codex-away").printed.splitlines() if "waiting" in line)
    (tmp_path / "error").write_text(error + "\n")
    env = tool(alpha, f'while :; do cat "{tmp_path}/error"; sleep 0.05; done', "codex")
    ran = loop(alpha, "--agent", "codex", env={**env, "RALPH_AGENT_SILENCE": "0.2"})
    assert ran.code == 7, ran.err
    assert "codex cannot work: error: Reconnecting... waiting for network" in ran.err
    assert outcomes(alpha) == [(1, "unavailable")] * 3
    assert on_base(alpha, "T-1")["status"] == "pending"


def test_both_logs_are_capped(tmp_path: Path) -> None:
    path = tmp_path / "T-1-c.log"
    fed(path, case("claude-work"), 100, limit=400)
    full = "[the log is full; what follows is not kept]"
    assert path.with_suffix(".jsonl").read_text("utf-8").splitlines()[-1] == full
    assert len(path.with_suffix(".jsonl").read_bytes()) < 1000
    assert path.read_text("utf-8") == case("claude-work").log


def test_a_tool_of_a_line_of_your_own_is_read_too(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = replayed(alpha, "codex-work", "echo good > f.txt")
    assert loop(alpha, "--agent", "codex exec --json --mine", env=env).code == 0
    assert "\nadd /top/f.txt\n" in alpha.ralph("logs").out
