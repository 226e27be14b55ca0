"""What a loop does while its agent cannot work: no task is charged with it (SPEC 7, L11)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from test_loop import QUICK, events, loop, made, on_base, rescued, start, task
from world import PATIENCE, Place, until

from ralphgit.app.workspace import agent_pause, heartbeat
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.loop.agent_away import AgentAway
from ralphgit.loop.agent_command import Command
from ralphgit.loop.attempt_memory import Attempts
from ralphgit.loop.event_log import Journal
from ralphgit.loop.heartbeat_writer import HeartbeatWriter
from ralphgit.loop.waiting import Pauses
from ralphgit.model.config import Config
from ralphgit.rules.agent_outcome import Unavailable

ONE = task("T-1", "scope: {write: [f.txt]}", "verify: [grep -q good f.txt]")
PROFILE = '[agents.ops]\ncommand = "codex"\n'
GOOD = "test $RALPH_TASK = T-2 && echo 2 > two.txt || echo good > f.txt"
#: Half a day off: a time that is just past is that of today, and nobody waits for it.
ENDS = datetime.now(UTC) + timedelta(hours=12)
LIMIT = f"You've hit your session limit · resets {ENDS:%I:%M%p} (UTC)"
LOGIN = "Not logged in · Please run /login"


def tool(place: Place, does: str, name: str = "claude") -> dict[str, str]:
    """A program of that name on PATH; it counts its starts in the file `starts`."""
    folder = place.path.parent / "programs"
    folder.mkdir(exist_ok=True)
    path = folder / name
    count = f'echo x >> "{folder}/starts"; n=$(wc -l < "{folder}/starts")'
    path.write_text(f"#!/bin/sh\ncat > /dev/null\n{count}\n{does}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{place.environ['PATH']}"}


def starts(place: Place) -> int:
    file = place.path.parent / "programs" / "starts"
    return len(file.read_text().splitlines()) if file.exists() else 0


def note(place: Place) -> Path:
    (found,) = (Path(place.environ["HOME"]) / ".local/state/ralphgit/agents").glob("*.yaml")
    return found


def outcomes(place: Place) -> list[tuple[int, str]]:
    return [(e["attempt"], e["outcome"]) for e in events(place, "attempted")]


def is_untouched(place: Place, before: str) -> None:
    """T-1 is as it was: on the base, in the leases, in the worktree."""
    seen = (
        place.git("rev-parse", "origin/main"),
        place.git("for-each-ref", "refs/ralph"),
        place.git("status", "--porcelain"),
        place.read("task-graph.yaml"),
    )
    assert seen == (before, "", "", place.git("show", "origin/main:task-graph.yaml") + "\n")


def waiting(place: Place) -> heartbeat.Heartbeat:
    """The heartbeat of a loop that waits for its agent."""

    def beat() -> heartbeat.Heartbeat | None:
        found = heartbeat.read(str(place.path))
        return found if found is not None and found.why else None

    until(lambda: beat() is not None)
    found = beat()
    assert found is not None
    return found


def worker(place: Place, name: str) -> dict[str, Any]:
    rows = place.ralph("status", "--json").data["workers"]
    return next(row for row in rows if row["worker"] == name)


# -- limits --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("code", [1, 0])
def test_a_limit_pauses_every_loop_of_the_agent(code: int, tmp_path: Path) -> None:
    first = ONE.replace("    status: pending\n", "    status: pending\n    priority: 0\n")
    alpha = made(tmp_path, first, task("T-2", "outputs: [two.txt]"))
    beta = alpha.world.worktree("beta")
    path = tool(alpha, f'if [ $n = 1 ]; then echo "{LIMIT}"; exit {code}; fi; {GOOD}')
    running = start(alpha, "--agent", "claude", env=path)
    other = None
    try:
        assert f"claude is limited: {LIMIT}" == waiting(alpha).why
        other = start(beta, "--agent", "claude", env=path)
        assert waiting(beta).until == waiting(alpha).until
        assert starts(alpha) == 1
        held = worker(beta, "alpha")
        assert (held["task"], held["waits"]) == ("T-1", f"claude is limited: {LIMIT}")
        assert held["until"].endswith(f"T{ENDS:%H:%M}:00Z")
        shown = alpha.ralph("status").out
        assert f"claude is limited: {LIMIT}, until {held['until']} (in " in shown
        assert alpha.task("T-1")["status"] == "in-progress"
        note(alpha).unlink()  # as if the time had come
        for one in (running, other):
            one.communicate(timeout=PATIENCE)
    finally:
        for one in filter(None, (running, other)):
            one.kill()
            one.communicate()
    assert {on_base(alpha, id)["status"] for id in ("T-1", "T-2")} == {"complete"}
    assert outcomes(alpha)[:2] == [(1, "limited"), (1, "done")]


@pytest.mark.slow
def test_no_number_of_limits_is_an_attempt(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    does = (
        "if [ $n -lt 10 ]; then echo 'Error 429: retry after 0.01 s'; exit 1; fi; echo good > f.txt"
    )
    ran = loop(alpha, "--agent", "mine", env={
        **tool(alpha, does, "mine"), "RALPH_LOOP_BACKOFF": "0.001", "RALPH_AGENT_ATTEMPTS": "1",
    })  # fmt: skip
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert outcomes(alpha) == [(1, "limited")] * 9 + [(1, "done")]
    assert not list((Path(alpha.environ["HOME"]) / ".local/state/ralphgit/agents").iterdir())


def test_of_two_limits_the_later_end_counts(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    first = agent_pause.AgentPause("claude", agent_pause.LIMITED, LIMIT, 500.0, 100.0)
    agent_pause.write(environ, first)
    agent_pause.write(environ, first._replace(until=300.0, at=101.0))
    assert agent_pause.read(environ, "claude") == first
    assert agent_pause.every(environ) == [first]
    # Another account of the same agent is not limited; nor is one that worked since.
    assert agent_pause.read({**environ, "OPENAI_API_KEY": "k"}, "claude") is None
    agent_pause.forget(environ, "claude", before=100.0)
    assert agent_pause.read(environ, "claude") == first
    agent_pause.forget(environ, "claude", before=100.5)
    assert agent_pause.read(environ, "claude") is None


# -- logins, services, trust ----------------------------------------------------------------

AWAY = {
    "claude": ("claude", f"echo '{LOGIN}'; exit 1", LOGIN),
    "gemini": ("gemini", "echo Invalid auth method; exit 41", "Invalid auth method"),
    "exit 0": ("claude", "echo 'Credit balance is too low'", "Credit balance is too low"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("agent, does, said", AWAY.values(), ids=AWAY.keys())
def test_an_agent_that_cannot_work_leaves_its_task_as_it_was(
    agent: str, does: str, said: str, tmp_path: Path
) -> None:
    alpha = made(tmp_path, ONE, task("T-2", "outputs: [two.txt]"))
    before = alpha.git("rev-parse", "origin/main")
    ran = loop(alpha, "--agent", agent, "--json", "-q", env=tool(alpha, does, agent))
    assert (ran.code, ran.error) == (7, "agent_unavailable")
    assert ran.json["error"]["message"] == (
        f"{agent} cannot work: {said}; no task was blocked for it"
    )
    assert (ran.data["done"], ran.data["blocked"], ran.data["lost"]) == ([], [], [])
    assert outcomes(alpha) == [(1, "unavailable")] * 3
    is_untouched(alpha, before)
    # It will not go on by itself, and status says so, until it has worked again.
    (seen,) = alpha.ralph("status", "--json").data["attention"]
    assert (seen["code"], seen["message"]) == ("agent_unavailable", f"{agent} cannot work: {said}")
    (asked,) = alpha.world.ralph("inbox", "--json").data["questions"]
    assert (asked["title"], asked["question"]) == (f"{agent} cannot work", said)
    env = tool(alpha, GOOD, agent)
    assert loop(alpha, "--agent", agent, env=env).code == 0
    assert alpha.ralph("status", "--json").data["attention"] == []


def test_only_agents_that_a_repository_uses_need_a_person_there(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, files={"ralph.toml": PROFILE}, remote=False)
    for line in ("/elsewhere/ag.sh", "codex"):
        note = agent_pause.AgentPause(line, agent_pause.UNAVAILABLE, LOGIN, 9e9, time.time())
        agent_pause.write(alpha.environ, note)
    seen = alpha.ralph("status", "--json").data["attention"]
    assert [one["message"] for one in seen] == [f"codex cannot work: {LOGIN}"]
    assert alpha.ralph("wait", "--for", "attention", "--timeout", "1").code == 0
    (asked,) = alpha.ralph("inbox", "--json").data["questions"]
    assert (asked["reason"], asked["question"]) == ("agent_unavailable", LOGIN)
    assert (asked["title"], asked["command"]) == ("codex cannot work", "ralphgit run")
    shown = alpha.ralph("inbox").out
    assert f"agent_unavailable: {LOGIN}" in shown
    alpha.world.write("ralph.toml", "")
    alpha.world.commit("No profile")
    assert alpha.ralph("status", "--json").data["attention"] == []
    assert alpha.ralph("inbox").out == "Nothing waits for a person.\n"


@pytest.mark.slow
def test_a_loop_that_waits_tries_an_agent_that_was_away_again(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    does = f"if [ $n -le 4 ]; then echo '{LOGIN}'; exit 1; fi; echo good > f.txt"
    env = {**tool(alpha, does), "RALPH_LOOP_COOLDOWN": "0.45"}
    running = start(alpha, "--agent", "claude", "--idle", "wait", env=env)
    out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out.splitlines()[0]) == (0, "done: T-1"), err
    assert outcomes(alpha) == [(1, "unavailable")] * 4 + [(1, "done")]
    assert f"claude cannot work: {LOGIN}; T-1 is given back as it was" in err
    assert "tried again in 0 s" in err


@pytest.mark.slow
@pytest.mark.parametrize("idle", ["exit", "wait"])
def test_an_agent_that_is_away_keeps_no_one_where_all_is_done(idle: str, tmp_path: Path) -> None:
    profiles = "".join(f'[agents.{name}]\ncommand = "{name}"\n' for name in ("claude", "codex"))
    alpha = made(
        tmp_path, task("T-1", "agent: claude", "priority: 0", "verify: [test -s one.txt]"),
        task("T-2", "agent: codex", "priority: 5", "outputs: [two.txt]"),
        files={"ralph.toml": profiles},
    )  # fmt: skip
    go = tmp_path / "go"
    tool(alpha, f"echo '{LOGIN}'; exit 1")
    env = tool(alpha, f'until test -e "{go}"; do sleep 0.02; done; echo 2 > two.txt', "codex")
    words = ("run", "--land", "merge", "--idle", idle)
    with subprocess.Popen(
        [sys.executable, "-m", "ralphgit", *words], cwd=alpha.path,
        env={**alpha.environ, **QUICK, **env}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        try:
            until(lambda: starts(alpha) == 4)
            # Somebody else does what its first agent could not.
            beta = alpha.world.worktree("beta")
            beta.did("T-1", {"one.txt": "1\n"})
            landed = beta.ralph("land", "--all")
            assert landed.code == 0, landed.err
            go.touch()
            out, err = running.communicate(timeout=PATIENCE)
        finally:
            running.kill()
    assert "given back as it was" in err
    assert (running.returncode, out.splitlines()[0]) == (0, "done: T-2"), err
    assert out.splitlines()[-1] == "The loop has ended: everything is done."


@pytest.mark.slow
def test_work_of_before_is_kept_when_the_agent_goes_away(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    does = f"if [ $n = 1 ]; then echo bad > f.txt; exit 0; fi; echo '{LOGIN}'; exit 1"
    ran = loop(alpha, "--agent", "claude", env=tool(alpha, does))
    assert ran.code == 7
    assert outcomes(alpha) == [(1, "failed")] + [(2, "unavailable")] * 3
    (kept,) = rescued(alpha)
    assert alpha.git("show", f"{kept}:f.txt") == "bad"
    assert f"the work so far is kept in {kept}" in ran.err
    assert on_base(alpha, "T-1")["status"] == "pending"


def away(folder: Path, name: str, asked: list[str]) -> AgentAway:
    """What one of several loops of a machine does; `asked` gets what a person is told."""
    top = folder / name
    top.mkdir()
    around = Surroundings(str(top), {"HOME": str(folder)}, time.time, lambda: "id")
    journal = Journal(str(top), name, lambda entry: asked.append(str(entry["event"])))
    pauses = Pauses(str(top), HeartbeatWriter(str(top), name), journal, lambda _: None)
    quick = Config(loop_backoff=0.001, loop_cooldown=0.2)
    command = Command(("claude",), "claude")
    return AgentAway(around, quick, command, str(top), pauses, journal, lambda _: None)


def test_a_person_is_asked_once_for_all_loops_and_one_of_them_tries_again(tmp_path: Path) -> None:
    asked: list[str] = []
    first, second = (away(tmp_path, name, asked) for name in ("first", "second"))
    gone = Unavailable(LOGIN)
    assert [first.gives_back(Attempts("c", unavailable=n), gone) for n in range(3)] == [
        False, False, True
    ]  # fmt: skip
    assert first.why == second.why == f"claude cannot work: {LOGIN}"
    assert second.gives_back(Attempts("d"), gone), "the others know it at once"
    later = away(tmp_path, "later", asked)
    assert later.why == "", "who starts a loop has helped"
    while second.why:
        second.wait(60)
    assert first.why, "which waits, as it is being tried"
    assert second.gives_back(Attempts("e"), gone)
    assert asked == ["unavailable"]
    began = time.time()
    second.worked(began)
    first.wait(60)
    assert first.why == second.why == ""
    assert first.gives_back(Attempts("f", unavailable=2), gone)
    assert asked == ["unavailable"] * 2


@pytest.mark.slow
def test_what_is_done_lands_while_the_agent_is_limited(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    go = tmp_path / "go"
    env = tool(alpha, f'until test -e "{go}"; do sleep 0.02; done; {GOOD}')
    running = start(alpha, "--agent", "claude", env=env)
    try:
        until(lambda: starts(alpha) == 1)
        now = time.time()
        note = agent_pause.AgentPause("claude", agent_pause.LIMITED, LIMIT, now + 9e3, now + 9e3)
        agent_pause.write({**alpha.environ, **env}, note)
        go.touch()
        until(lambda: on_base(alpha, "T-1")["status"] == "complete")
    finally:
        running.terminate()
        running.communicate()


# -- silence and time limits ----------------------------------------------------------------


@pytest.mark.slow
def test_a_silent_agent_is_ended_and_tried_again(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = {**tool(alpha, "if [ $n = 1 ]; then exec sleep 600; fi; echo good > f.txt"),
           "RALPH_AGENT_SILENCE": "0.5", "RALPH_AGENT_ATTEMPTS": "1"}  # fmt: skip
    ran = loop(alpha, "--agent", "claude", env=env)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert outcomes(alpha) == [(1, "silent"), (1, "done")]
    assert "claude cannot work: no output and no change for 0 s; trying again" in ran.err


@pytest.mark.slow
def test_an_agent_that_prints_nothing_and_changes_files_is_not_silent(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    does = "for i in 1 2 3 4 5 6 7 8; do echo $i > f.txt; sleep 0.2; done; echo good > f.txt"
    env = {**tool(alpha, does), "RALPH_AGENT_SILENCE": "0.7"}
    assert loop(alpha, "--agent", "claude", env=env).code == 0
    assert outcomes(alpha) == [(1, "done")]


@pytest.mark.slow
def test_the_length_of_silence_is_shown(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    running = start(alpha, "--agent", "claude", env=tool(alpha, "echo hello; exec sleep 600"))
    try:
        until(lambda: starts(alpha) == 1)
        beat = heartbeat.read(str(alpha.path))
        assert beat is not None
        heartbeat.write(str(alpha.path), beat._replace(silent=3900.0, phase="agent"))
        row = worker(alpha, "alpha")
        assert row["silent_s"] >= 3900
        assert "; silent for 1 h" in alpha.ralph("status").out
    finally:
        running.terminate()
        running.communicate()


@pytest.mark.slow
def test_a_time_limit_is_no_attempt_and_the_work_goes_on(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    does = "test $n = 1 && { echo half > f.txt; exec sleep 600; }; sed -i s/half/good/ f.txt"
    env = {**tool(alpha, does), "RALPH_AGENT_TIMEOUT": "1"}
    ran = loop(alpha, "--agent", "claude", env=env)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert outcomes(alpha) == [(1, "over"), (1, "done")]
    assert "go on from there" in alpha.read(".ralph/prompt.md")


# -- presets -------------------------------------------------------------------------------


@pytest.mark.slow
def test_codex_may_write_where_git_keeps_a_linked_worktree_s_data(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = tool(alpha, f'printf "%s\\n" "$@" > {tmp_path}/words; echo good > f.txt', "codex")
    assert loop(alpha, "--agent", "codex", env=env).code == 0
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:5] == ["exec", "--json", "--sandbox", "workspace-write", "-c"]
    common, own = json.loads(words[5].removeprefix("sandbox_workspace_write.writable_roots="))
    assert words[6:] == ["-"]
    assert common == os.path.realpath(alpha.world.path / ".git")
    assert own == os.path.realpath(alpha.git("rev-parse", "--absolute-git-dir"))


#: Tools that do not work without a word of the preset, as they were seen to: what they print and
#: how they end.
ASKS = {
    "gemini": ("--skip-trust", "echo 'Gemini CLI is not running in a trusted directory.' >&2", 55),
    "opencode": ("--auto", "echo '! permission requested: external_directory; auto-rejecting'", 0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name, asks", ASKS.items(), ids=ASKS.keys())
def test_a_preset_has_what_its_tool_needs_in_a_new_worktree(
    name: str, asks: tuple[str, str, int], tmp_path: Path
) -> None:
    word, said, code = asks
    alpha = made(tmp_path, ONE)
    does = f'case " $* " in *" {word} "*) echo good > f.txt;; *) {said}; exit {code};; esac'
    ran = loop(alpha, "--agent", name, env=tool(alpha, does, name))
    assert (ran.code, outcomes(alpha)) == (0, [(1, "done")]), ran.err


@pytest.mark.slow
def test_status_says_that_the_circuit_breaker_is_open(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = {**tool(alpha, "echo bad > f.txt"), "RALPH_LOOP_FAILURES": "1"}
    running = start(alpha, "--agent", "claude", env=env)
    try:
        until(lambda: "breaker" in waiting(alpha).why)
        assert waiting(alpha).why == "the circuit breaker is open (1 failure)"
        shown = alpha.ralph("status").out
        assert "the circuit breaker is open (1 failure), until " in shown, shown
        held = worker(alpha, "alpha")
        assert (held["task"], held["waits"]) == ("T-1", "the circuit breaker is open (1 failure)")
    finally:
        running.terminate()
        running.communicate()
