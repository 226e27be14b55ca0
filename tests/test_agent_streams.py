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
from test_agent_away import LOGIN, outcomes, tool
from test_loop import events, loop, made, on_base, start, task
from test_outcomes import reset
from world import PATIENCE, ROOT, Place, until

from ralphgit.cli import render
from ralphgit.loop import presets
from ralphgit.loop.agent_log import AgentLog
from ralphgit.loop.budget import Budget
from ralphgit.loop.loop_options import LoopOptions
from ralphgit.loop.presets import event_parts
from ralphgit.model import usage
from ralphgit.model.task import Usage
from ralphgit.records import yaml_reader
from ralphgit.records.redact_secrets import secrets_in
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


def test_a_secret_of_several_lines_is_in_no_log(tmp_path: Path) -> None:
    """A value with line ends by its lines, and a private key by its shape."""
    lines = [f"line {n} of the certificate" for n in range(3)]
    key = [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "b3BlbnNzaC1r+/",
        "ZXktdjEA==",
        "-----END OPENSSH PRIVATE KEY-----",
    ]
    secrets = secrets_in({"SIGNING_KEY": "\n".join(lines)})
    log = AgentLog(
        str(tmp_path / "T-1.log"), limit=9999, secrets=secrets, reading=READING["claude"]
    )
    log.add(
        "\n".join(["before", *lines, *key, "between", key[0], "not base64!", "end", ""]).encode()
    )
    log.close()
    said = (tmp_path / "T-1.log").read_text("utf-8").splitlines()
    assert said == ["before", *["[redacted]"] * 7, "between", "[redacted]", "not base64!", "end"]
    assert not any(line in log.tail for line in [*lines, *key])


@pytest.mark.parametrize("seen", [3, 8, 30])
def test_where_a_line_that_is_too_long_is_parted_no_secret_is(tmp_path: Path, seen: int) -> None:
    log = AgentLog(str(tmp_path / "log"), limit=1 << 20, secrets=(), reading=READING["claude"])
    token = f"ghp_{'0123456789abcdefghij' * 2}"
    log.add(b"x " * (32 * 1024) + token[:seen].encode())
    log.add(f"{token[seen:]} end\n".encode())
    log.add(b"y" * 200_000)  # a word that is no secret
    log.close()
    said = (tmp_path / "log").read_text("utf-8")
    assert "ghp_" not in said
    assert "abcdefghij" not in said
    assert said.count("y") == 200_000


def test_what_an_agent_says_in_the_end_is_told_without_secrets(tmp_path: Path) -> None:
    """Why it cannot work goes into heartbeats, logs and notes of other loops."""
    secrets = secrets_in({"MY_API_KEY": "hunter2hunter2"})
    said = f"You have hit your usage limit (key hunter2hunter2, ghp_{'0123456789abcdefghij' * 2})"
    log = AgentLog(str(tmp_path / "log"), limit=9999, secrets=secrets, reading=READING["claude"])
    log.add(json.dumps({"type": "result", "is_error": True, "result": said}).encode() + b"\n")
    log.close()
    assert log.result is not None
    (told,) = log.result.lines
    assert told.startswith("You have hit your usage limit (key [redacted]")
    assert "ghp_" not in told


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


@pytest.mark.slow
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


@pytest.mark.slow
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


# -- what was used -------------------------------------------------------------------------


def audited(place: Place, id: str = "T-1") -> list[dict[str, Any]]:
    """The events of the one attempt at a task that is on the base."""
    (name,) = place.git("ls-tree", "--name-only", "origin/main", f"records/audit/{id}/").split()
    found: Any = yaml_reader.load(place.git("show", f"origin/main:{name}"))
    return [dict(event) for event in found["events"]]


@pytest.mark.slow
def test_what_was_used_is_in_the_audit_of_a_task_that_is_done(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = replayed(alpha, "claude-work", "test $n = 1 || echo good > f.txt")
    assert loop(alpha, "--agent", "claude", env=env).code == 0
    (done,) = (event for event in audited(alpha) if event["event"] == "completed")
    seconds = done["usage"].pop("seconds")
    assert seconds > 0
    assert done["usage"] == {  # of both attempts
        "agent": "claude", "model": "claude-opus-4-8[1m]", "input_tokens": 7200,
        "output_tokens": 204, "cost_usd": 0.0411,
    }  # fmt: skip
    assert [e["cost_usd"] for e in events(alpha, "attempted")] == [0.02055, 0.02055]
    assert alpha.ralph("check").code == 0


@pytest.mark.slow
def test_what_was_used_is_summed_up(tmp_path: Path) -> None:
    first = ONE + "    story: S-1\n"
    alpha = made(tmp_path, first, task("T-2", "outputs: [g.txt]"))
    assert "used" not in alpha.ralph("status").out
    assert alpha.ralph("status", "--json").data["usage"] is None
    does = 'test "$RALPH_TASK" = T-2 || echo good > f.txt'
    env = {**replayed(alpha, "claude-work", does), "RALPH_AGENT_ATTEMPTS": "2"}
    assert loop(alpha, "--agent", "claude", env=env).code == 7
    said = "10.8k tokens in, 306 out, 0.06 USD"
    assert f"used: {said}\n" in alpha.ralph("status").out
    usage = alpha.ralph("status", "--json").data["usage"]
    costs = {
        group: {name: one["cost_usd"] for name, one in usage[group].items()}
        for group in ("tasks", "stories", "workers")
    }
    assert costs == {
        "tasks": {"T-1": 0.02055, "T-2": 0.0411}, "stories": {"S-1": 0.02055},
        "workers": {"alpha": 0.06165},
    }  # fmt: skip
    assert list(usage["days"].values()) == [usage["total"]]
    assert alpha.ralph("log", "T-2").out.endswith("used: 7.2k tokens in, 204 out, 0.04 USD\n")
    assert alpha.ralph("log").out.endswith(f"used: {said}\n")
    told = alpha.ralph("log", "T-1", "--json").data["events"]
    assert [e["usage"]["cost_usd"] for e in told if "usage" in e] == [0.02055]
    assert alpha.ralph("report", "page.html").code == 0
    assert said in alpha.read("page.html")


def test_what_is_used_shows_before_it_has_landed(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = replayed(alpha, "claude-work")
    assert loop(alpha, "--agent", "claude", "--max-cost", "0.01", env=env).code == 7
    assert "used: 3.6k tokens in, 102 out, 0.02 USD\n" in alpha.ralph("status").out


@pytest.mark.slow
def test_what_was_used_is_in_the_audit_of_a_task_that_is_blocked(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = {**replayed(alpha, "gemini-work"), "RALPH_AGENT_ATTEMPTS": "2"}
    assert loop(alpha, "--agent", "gemini", env=env).code == 7
    (blocked,) = (event for event in audited(alpha) if event["event"] == "blocked")
    assert (blocked["usage"]["agent"], blocked["usage"]["output_tokens"]) == ("gemini", 272)
    assert "cost_usd" not in blocked["usage"]


@pytest.mark.slow
def test_a_loop_stops_after_what_it_may_cost(tmp_path: Path) -> None:
    two = ONE.replace("T-1", "T-2").replace("f.txt", "g.txt")
    alpha = made(tmp_path, ONE, two)
    does = 'test "$RALPH_TASK" = T-1 && echo good > f.txt || echo good > g.txt'
    env = replayed(alpha, "claude-work", does)
    ran = loop(alpha, "--agent", "claude", "--max-cost", "0.02", env=env)
    first = ran.out.splitlines()[0]
    assert (ran.code, first) in [(7, "done: T-1"), (7, "done: T-2")], ran.err
    assert "0.02 USD are spent (--max-cost 0.02); what was begun stays as it is" in ran.err
    ran = loop(alpha, "--agent", "claude", "--max-cost", "1", env=env)
    assert (ran.code, ran.out.splitlines()[0] != first) == (0, True), ran.err


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -1.0, 1e308, 10**400, True, "5"])
def test_a_cost_that_is_none_counts_as_not_told(value: object) -> None:
    assert event_parts.cost(value) is None
    told = usage.parsed({"cost_usd": value, "seconds": value, "input_tokens": 7})
    assert told == Usage(input_tokens=7)


def test_json_has_no_number_that_is_not_finite() -> None:
    with pytest.raises(ValueError, match="JSON"):
        render.encoded({"cost_usd": float("inf")})


@pytest.mark.slow
def test_a_loop_stops_after_an_attempt_that_failed_and_goes_on_later(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = replayed(alpha, "claude-work", "test $n = 1 || echo good > f.txt")
    for limit in (("--max-cost", "0.01"), ("--max-time", "0")):
        ran = loop(alpha, "--agent", "claude", *limit, "--json", env=env)
        assert (ran.code, ran.error) == (7, "budget_spent")
        if limit[0] == "--max-cost":
            assert alpha.task("T-1")["status"] == "in-progress"
    assert on_base(alpha, "T-1")["status"] == "complete"


@pytest.mark.slow
def test_a_task_whose_budget_is_spent_waits_for_a_person(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE + "    budget: 0.03\n", task("T-2", "outputs: [two.txt]"))
    does = 'test "$RALPH_TASK" = T-1 || echo 2 > two.txt'
    env = {**replayed(alpha, "claude-work", does), "RALPH_AGENT_ATTEMPTS": "5"}
    ran = loop(alpha, "--agent", "claude", env=env)
    assert (ran.code, ran.out.splitlines()[:2]) == (7, ["done: T-2", "blocked: T-1"]), ran.err
    assert on_base(alpha, "T-1")["blocked"]["question"] == (
        "0.04 USD are spent, and its budget is 0.03 USD. Should it have more?"
    )
    assert len(outcomes(alpha)) == 3


@pytest.mark.slow
def test_a_budget_says_that_an_agent_does_not_tell_its_cost(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = replayed(alpha, "codex-work", "echo good > f.txt")
    ran = loop(alpha, "--agent", "codex", "--max-cost", "0.01", env=env)
    assert ran.code == 0
    assert "codex does not say what it costs: no budget in USD can stop it" in ran.err
    for word in ("-1", "five", ""):
        assert alpha.ralph("run", "--max-cost", word).code == 2


# -- doctor --agent ------------------------------------------------------------------------

ANSWERS = """\
if [ "$1" = --version ]; then echo "2.1.198 (Claude Code)"; exit 0; fi
if grep -q written.txt .ralph/prompt.md; then DOES; fi
cat "PRINTED"
"""


def trial(place: Place, does: str, printed: str = "claude-work") -> dict[str, str]:
    """A claude that answers, and does something when it is asked for two files."""
    file = place.path.parent / "printed"
    file.write_text(case(printed).printed + "\n", "utf-8")
    return tool(place, ANSWERS.replace("DOES", does).replace("PRINTED", str(file)))


def test_doctor_tries_an_agent(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    before = [alpha.git(*words) for words in (("worktree", "list"), ("for-each-ref",))]
    env = trial(alpha, "echo written > written.txt; echo ran > ran.txt")
    ran = alpha.ralph("doctor", "--agent", "claude", env=env)
    assert ran.out == (
        f"installed: yes ({tmp_path}/programs/claude)\n"
        "version: yes (2.1.198, and the preset was tried with 2.1.197)\n"
        "answers: yes (3.6k tokens in, 102 out, 0.02 USD)\n"
        "writes here: yes\nruns commands: yes\n"
    )
    assert ran.code == 0
    assert ran.err.startswith("asking claude for one word, then for two small files")
    assert [alpha.git(*words) for words in (("worktree", "list"), ("for-each-ref",))] == before
    assert alpha.git("status", "--porcelain") == ""
    told = alpha.ralph("doctor", "--agent", "claude", "--json", env=env).data
    assert [one["ok"] for one in told["checks"]] == [True] * 5
    assert told["usage"]["cost_usd"] == 0.0411


def test_doctor_asks_nothing_of_an_agent_that_goes_by_the_task(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    ran = alpha.ralph("doctor", "--agent", "scripted")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[2] == (
        "answers: yes (it is not asked: it does what a task says in x-script, outputs, scope, "
        "mode, whatever the prompt)"
    )


def test_doctor_says_what_an_agent_cannot_do(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = trial(alpha, "echo written > written.txt")
    ran = alpha.ralph("doctor", "--agent", "claude", env=env)
    assert (ran.code, ran.out.splitlines()[-2][:17]) == (1, "runs commands: no"), ran
    assert "it may not use other tools" in ran.err
    env = tool(alpha, f'echo "{LOGIN}"; exit 1')
    ran = alpha.ralph("doctor", "--agent", "claude", "--json", env=env)
    assert (ran.code, ran.error) == (1, "agent_unfit")
    check = ran.data["checks"][-1]
    assert (check["name"], check["ok"], check["said"]) == ("answers", False, LOGIN)
    assert check["hint"] == "start claude by hand here, log in, and choose a model"
    ran = alpha.ralph("doctor", "--agent", "no-such-agent")
    assert (ran.code, ran.out.splitlines()[0][:13]) == (1, "installed: no")
    assert alpha.ralph("doctor", "--agent", "claude", "--fix").code == 2


def test_a_task_s_budget_is_spent_whoever_takes_away_what_is_noted(tmp_path: Path) -> None:
    (tmp_path / "ralphgit").mkdir()
    budget = Budget(LoopOptions(), str(tmp_path), "alpha", lambda line: None)
    budget.note("T-1", "k1", Usage(cost_usd=5.0))
    for name in (tmp_path / "ralphgit").iterdir():
        name.unlink()
    assert budget.of_task("k1", 2.0) == "5.00 USD are spent, and its budget is 2.00 USD"
    assert budget.of_task("k2", 2.0) == ""
