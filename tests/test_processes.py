"""What a loop starts, and what of it is left: agents, verify commands, daemons, signals."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from test_loop import QUICK, events, loop, made, on_base, start, task
from world import PATIENCE, ROOT, Result, until

from ralphgit.app.processes import run_program
from ralphgit.app.workspace import heartbeat
from ralphgit.errors import Refused
from ralphgit.records import atomic_files

GOOD = ("scope: {write: [f.txt]}", "outputs: [f.txt]", "verify: [grep -q good f.txt]")


class Pipe:
    """A pipe by name. Whoever opened it to write is alive as long as it has not hung up."""

    def __init__(self, folder: Path, name: str = "alive") -> None:
        self.path = folder / name
        os.mkfifo(self.path)
        self._fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    def line(self) -> str:
        """The next thing that somebody writes."""
        assert self._poll.poll(1000 * PATIENCE), "nobody says anything"
        return os.read(self._fd, 200).decode()

    def hung_up(self) -> bool:
        """Whether all its writers are gone, which is waited for."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for _, event in self._poll.poll(1000):
                if event & select.POLLHUP:
                    return True
                os.read(self._fd, 1 << 16)
        return False


def agent(folder: Path, text: str, name: str = "agent.sh") -> str:
    """The command line of an agent that is this shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\ncat > /dev/null\n{text}\n")
    path.chmod(0o755)
    return str(path)


def ended(running: subprocess.Popen[str]) -> Result:
    out, err = running.communicate(timeout=PATIENCE)
    return Result(running.returncode, out, err)


# -- whether a process is the one that was noted ---------------------------------------------


@pytest.mark.parametrize("told", ["/proc", "psutil"])
def test_a_process_is_told_from_one_that_has_its_number(
    told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if told == "psutil":  # as where there is no /proc
        read = atomic_files.read
        monkeypatch.setattr(
            atomic_files, "read", lambda path: None if path.startswith("/proc") else read(path)
        )
    elif not os.path.isdir("/proc/self"):
        pytest.skip("a system without /proc")
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, text=True) as running:
        noted = heartbeat.noted(running.pid)
        assert noted.started
        assert not noted.gone
        assert noted._replace(started="5").gone
        assert not noted._replace(started="5", host="elsewhere").gone
        running.kill()
        until(lambda: noted.gone)  # nobody has asked yet how it ended
    assert noted.gone
    assert heartbeat.start_time(running.pid) == ""


# -- what an agent leaves behind -------------------------------------------------------------

DAEMONS = {
    "that prints for ever": "yes daemon",
    "that holds the pipe": "sleep 600",
    "that watches over another": "sh -c 'trap : TERM; while :; do sleep 600; done & wait'",
}


@pytest.mark.slow
@pytest.mark.parametrize("daemon", DAEMONS.values(), ids=DAEMONS.keys())
def test_a_daemon_of_the_agent_ends_with_its_attempt(daemon: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    alive = Pipe(tmp_path)
    script = f"exec 3> {alive.path}; echo good > f.txt; setsid {daemon} & echo begun >&3"
    running = start(alpha, "--agent", agent(tmp_path, script))
    assert alive.line() == "begun\n"
    assert alive.hung_up()
    assert ended(running).code == 0
    assert on_base(alpha, "T-1")["status"] == "complete"


def test_a_daemon_of_a_killed_loop_ends_too(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    alive = Pipe(tmp_path)
    script = f"exec 3> {alive.path}; setsid sleep 600 & echo begun >&3; sleep 600"
    running = start(alpha, "--agent", agent(tmp_path, script))
    assert alive.line() == "begun\n"
    running.kill()
    ended(running)
    assert alive.hung_up()


@pytest.mark.slow
def test_a_killed_loop_leaves_no_verify_command(tmp_path: Path) -> None:
    alive = Pipe(tmp_path)
    command = f"exec 3> {alive.path}; echo begun >&3; sleep 600; echo late > f.txt"
    alpha = made(tmp_path, task("T-1", "outputs: [f.txt]", f"verify: ['{command}']"))
    running = start(alpha)
    assert alive.line() == "begun\n"
    running.kill()
    ended(running)
    assert alive.hung_up()
    assert alpha.read("f.txt") == "T-1\n"


@pytest.mark.slow
def test_a_daemon_of_a_verify_command_ends_with_it(tmp_path: Path) -> None:
    alive = Pipe(tmp_path)
    command = f"setsid sleep 600 3> {alive.path} & echo begun > {alive.path}"
    alpha = made(tmp_path, task("T-1", "outputs: [f.txt]", f"verify: ['{command}']"))
    assert loop(alpha).code == 0
    assert alive.hung_up()


@pytest.mark.slow
def test_a_supervisor_that_is_killed_takes_the_agent_along(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    alive = Pipe(tmp_path)
    script = f"exec 3> {alive.path}; echo $PPID >&3; exec sleep 600"
    one = {"RALPH_AGENT_ATTEMPTS": "1"}
    running = start(alpha, "--agent", agent(tmp_path, script), env=one)
    os.kill(int(alive.line()), signal.SIGKILL)
    assert alive.hung_up()
    assert ended(running).code == 7
    assert "exit code 137" in on_base(alpha, "T-1")["blocked"]["question"]


@pytest.mark.slow
def test_a_supervisor_that_is_killed_before_it_begins_is_started_again(tmp_path: Path) -> None:
    """It says nothing of the agent, which was never tried."""
    alpha = made(tmp_path, task("T-1", *GOOD))
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/bash\n"
        f'case "$*" in *supervisor.py) mkdir {tmp_path}/killed 2>/dev/null && kill -9 $$;; esac\n'
        f'exec -a "$0" "{sys.executable}" "$@"\n'
    )
    python.chmod(0o755)
    path = os.pathsep.join((str(ROOT), sysconfig.get_path("purelib")))
    words = ("-m", "ralphgit", "run", "--agent", agent(tmp_path, "echo good > f.txt"), "--once")
    ran = alpha.run(str(python), *words, "--land", "merge", env={**QUICK, "PYTHONPATH": path})
    assert (tmp_path / "killed").exists()
    assert (ran.code, on_base(alpha, "T-1")["status"]) == (0, "complete"), ran.err


# -- signals ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_signal_lets_the_agent_tidy_up(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    alive = Pipe(tmp_path)
    bye = tmp_path / "bye"
    script = f"""trap 'sleep 0.3; echo bye > {bye}; exit 0' TERM
        exec 3> {alive.path}; echo begun >&3; sleep 600 & wait"""
    running = start(alpha, "--agent", agent(tmp_path, script))
    assert alive.line() == "begun\n"
    running.send_signal(signal.SIGTERM)
    assert ended(running).code == 143
    assert bye.read_text() == "bye\n"
    assert alive.hung_up()


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    alive = Pipe(tmp_path)
    script = f"""trap 'echo asked >&3' TERM; exec 3> {alive.path}; echo begun >&3
        while :; do sleep 600 & wait; done"""
    # The first one would wait longer than this test does.
    patient = "from ralphgit.loop import agent_process\nagent_process.GRACE_S = 600.0\n"
    (tmp_path / "sitecustomize.py").write_text(patient)
    path = {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    running = start(alpha, "--agent", agent(tmp_path, script), env=path)
    assert alive.line() == "begun\n"
    running.send_signal(signal.SIGINT)
    assert alive.line() == "asked\n"
    running.send_signal(signal.SIGINT)
    assert ended(running).code == 130
    assert alive.hung_up()


@pytest.mark.slow
def test_a_slow_remote_holds_up_neither_output_nor_the_time_limit(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    alive, fetches = Pipe(tmp_path), Pipe(tmp_path, "fetches")
    script = (
        f"exec 3> {alive.path}; until test -s {tmp_path}/asked; do sleep 0.05; done; "
        "echo seen; sleep 600"
    )
    slow = tmp_path / "slow"
    slow.write_text(
        f'#!/bin/sh\ntest -e {tmp_path}/go || exec git-upload-pack "$@"\n'
        f"echo asked > {tmp_path}/asked; echo asked > {fetches.path}\n"
        f"until test -e {tmp_path}/answer; do sleep 0.05; done\n"
    )
    slow.chmod(0o755)
    alpha.git("config", "remote.origin.uploadpack", str(slow))
    env = {"RALPH_LOOP_CHECK": "0.1", "RALPH_AGENT_TIMEOUT": "5", "RALPH_AGENT_ATTEMPTS": "1",
           "RALPH_FETCH_TIMEOUT": "600", "RALPH_LAND_MODE": "none"}  # fmt: skip
    begin = f"touch {tmp_path}/go; {script}"
    running = start(alpha, "--land", "none", "--agent", agent(tmp_path, begin), env=env)
    assert fetches.line() == "asked\n"
    until(lambda: "seen" in alpha.ralph("logs").out)
    (tmp_path / "go").unlink()
    assert alive.hung_up()
    (tmp_path / "answer").touch()
    assert ended(running).code == 7
    (attempted,) = events(alpha, "attempted")
    assert (attempted["outcome"], attempted["agent_s"] >= 5) == ("over", True)


# -- one loop for each worktree -----------------------------------------------------------------


@pytest.mark.slow
def test_of_loops_at_the_same_moment_one_gets_in(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    alive = Pipe(tmp_path)
    go = tmp_path / "go"
    script = f"exec 3> {alive.path}; echo begun >&3; until test -e {go}; do sleep 0.05; done"
    line = agent(tmp_path, f"{script}; echo good > f.txt")
    running = [start(alpha, "--once", "--agent", line) for _ in range(4)]
    assert alive.line() == "begun\n"
    until(lambda: sum(one.poll() is None for one in running) == 1)
    (first,) = [one for one in running if one.poll() is None]
    for other in running:
        if other is not first:
            said = ended(other)
            assert (said.code, said.err.splitlines()[0]) == (
                8,
                f"error: a loop works in this worktree already (process {first.pid}); "
                "ralphgit stop ends it",
            )  # fmt: skip
    assert (alpha.path / ".ralph" / "heartbeat").exists()
    go.touch()
    assert ended(first).code == 0
    assert len(events(alpha, "started")) == 1


@pytest.mark.slow
def test_a_loop_without_its_runtime_folder_is_still_alone(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    alive = Pipe(tmp_path)
    go = tmp_path / "go"
    script = f"""rm -rf .ralph; exec 3> {alive.path}; echo begun >&3
        until test -e {go}; do sleep 0.05; done; echo good > f.txt"""
    running = start(alpha, "--once", "--agent", agent(tmp_path, script))
    assert alive.line() == "begun\n"
    second = loop(alpha, "--json", "-q")
    assert (second.code, second.error) == (8, "loop_running")
    assert second.json["error"]["pid"] == running.pid
    go.touch()
    assert ended(running).code == 0


# -- stop --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_stop_while_the_breaker_is_open_starts_no_agent(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    env = {"RALPH_LOOP_FAILURES": "1", "RALPH_LOOP_COOLDOWN": "600", "RALPH_AGENT_ATTEMPTS": "9"}
    running = start(alpha, "--agent", agent(tmp_path, "exit 3"), env=env)
    until(lambda: (alpha.path / ".ralph/logs/loop.jsonl").exists() and events(alpha, "breaker"))
    assert alpha.ralph("stop").code == 0
    said = ended(running)
    assert (said.code, said.out) == (0, "The loop has ended: stopped.\n")
    assert "1 failure: pausing 600 s" in said.err
    assert len(events(alpha, "agent")) == 1


# -- what an agent puts in the way ---------------------------------------------------------------

REPORTS = {
    "a pipe": ("mkfifo $RALPH_REPORT", "it is not a regular file"),
    "a link": ("ln -s /dev/null $RALPH_REPORT", "it is a link"),
    "a folder": ("mkdir -p $RALPH_REPORT/in", "Is a directory"),
    "a flood": ("yes | head -c 80000000 > $RALPH_REPORT", "it has more than 262144 bytes"),
}


@pytest.mark.slow
@pytest.mark.parametrize("make, said", REPORTS.values(), ids=REPORTS.keys())
def test_a_report_that_is_no_file(make: str, said: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    script = f"echo good > f.txt; test $RALPH_ATTEMPT = 2 || {make}"
    ran = loop(alpha, "--agent", agent(tmp_path, script))
    assert ran.code == 0, ran.err
    assert f"the report was refused: .ralph/report.yaml must be a plain file: {said}" in ran.err
    assert [e["outcome"] for e in events(alpha, "attempted")] == ["failed", "done"]


NOTES = ("attempts.yaml", "breaker.yaml", "pulls.yaml", "heartbeat", "current.yaml", "left",
         "packet.yaml", "prompt.md", "logs/loop.jsonl")  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("how", ["mkfifo {}", "ln -s {outside} {}"], ids=["a pipe", "a link"])
def test_notes_that_are_no_files(how: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD), task("T-2", "outputs: [g.txt]"))
    outside = tmp_path / "outside"
    outside.write_text("mine\n")
    swap = "".join(
        f"rm -f .ralph/{name}; {how.format(f'.ralph/{name}', outside=outside)}\n" for name in NOTES
    )
    script = f"{swap}test $RALPH_TASK = T-1 && echo good > f.txt || echo good > g.txt"
    ran = loop(alpha, "--agent", agent(tmp_path, script))
    assert ran.code == 0, ran.err
    assert {on_base(alpha, id)["status"] for id in ("T-1", "T-2")} == {"complete"}, ran.err
    assert outside.read_text() == "mine\n"


@pytest.mark.slow
def test_secrets_of_the_environment_stay_out_of_questions(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD), task("T-2", "outputs: [g.txt]"))
    ask = (
        "status: needs_context\\nquestion: %s is refused, what now?\\n"
        "options: [use %s, ask]\\nsummary: %s\\nconcerns: [%s]\\n"
    )
    told = "status: done_with_concerns\\nsummary: fine\\nconcerns: [%s was in a log]\\n"
    four = '"$MY_API_TOKEN" "$MY_API_TOKEN" "$MY_API_TOKEN" "$MY_API_TOKEN"'
    script = (
        f"case $RALPH_TASK in T-1) printf '{ask}' {four};;\n"
        f"*) echo x > g.txt; printf '{told}' \"$MY_API_TOKEN\";; esac > $RALPH_REPORT"
    )
    secret = "hunter2hunter2"
    lands = {"RALPH_LAND_CONCERNS": "true"}
    ran = loop(alpha, "--agent", agent(tmp_path, script), env={"MY_API_TOKEN": secret, **lands})
    assert (ran.code, secret in ran.out + ran.err) == (7, False), ran.err
    asked = on_base(alpha, "T-1")["blocked"]
    assert asked["question"].startswith("[redacted] is refused, what now?")
    assert on_base(alpha, "T-2")["result"]["concerns"] == ["[redacted] was in a log"]
    assert secret not in alpha.read(".ralph/logs/loop.jsonl")
    assert alpha.run("git", "grep", "-q", secret, "origin/main").code == 1


# -- output -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_flood_of_output_costs_little_once_the_log_is_full(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    flood = "yes 'password=hunter2 and more' | head -c 182000000; echo the end; exit 3"
    env = {**alpha.environ, **QUICK, "RALPH_LOG_BYTES": "100000", "RALPH_AGENT_ATTEMPTS": "1"}
    line = ("run", "--agent", agent(tmp_path, flood), "--land", "merge")
    before = os.times()
    done = subprocess.run([sys.executable, "-m", "ralphgit", *line], cwd=alpha.path, env=env,
                          capture_output=True, check=False, timeout=PATIENCE)  # fmt: skip
    after = os.times()
    assert done.returncode == 7
    assert after.children_user - before.children_user < 8
    question = on_base(alpha, "T-1")["blocked"]["question"]
    assert "password=[redacted] and more\nthe end" in question
    assert "hunter2" not in question


# -- limits, and what is in the way -------------------------------------------------------------


@pytest.mark.slow
def test_a_lock_after_the_work_is_waited_for(tmp_path: Path) -> None:
    """The agent is not run again for it."""
    alpha = made(tmp_path, task("T-1", *GOOD))
    lock = alpha.git("rev-parse", "--git-path", "index.lock")
    line = agent(tmp_path, f"echo good > f.txt; touch {lock}")
    running = start(alpha, "--agent", line)
    log = alpha.path / ".ralph/logs/loop.jsonl"
    until(lambda: log.exists() and events(alpha, "trouble"))
    (alpha.path / lock).unlink()
    assert ended(running).code == 0
    assert on_base(alpha, "T-1")["status"] == "complete"
    assert len(events(alpha, "agent")) == 1


@pytest.mark.slow
def test_what_stays_in_the_way_counts_as_an_attempt(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    hook = Path(alpha.git("rev-parse", "--git-path", "hooks/pre-commit"))
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\ngit diff --cached --name-only | grep -q f.txt || exit 0\n"
        "echo Permission denied >&2; exit 1\n"
    )
    hook.chmod(0o755)
    ran = loop(
        alpha, "--agent", agent(tmp_path, "echo good > f.txt"), env={"RALPH_AGENT_ATTEMPTS": "1"}
    )
    assert (ran.code, ran.out.splitlines()[0]) == (7, "blocked: T-1"), ran.err
    assert [e["outcome"] for e in events(alpha, "attempted")] == ["failed"]
    assert "Permission denied" in on_base(alpha, "T-1")["blocked"]["question"]


def test_a_stop_of_before_is_another_loop_s(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    alpha.write(".ralph/stop", "")
    ran = loop(alpha, "--agent", agent(tmp_path, "echo good > f.txt"))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1")


# -- what a program is given -----------------------------------------------------------------


def given(tmp_path: Path, word: bytes, variable: bytes) -> bytes:
    """What a program finds as its argument and in its environment."""
    heard = bytearray()
    words = ["/bin/sh", "-c", 'printf "%s|%s" "$1" "$GIVEN"', "sh", os.fsdecode(word)]
    ended = run_program.run(
        words, top=str(tmp_path), environ={"GIVEN": os.fsdecode(variable)}, timeout=PATIENCE,
        hear=heard.extend,
    )  # fmt: skip
    assert ended.code == 0
    return bytes(heard)


def test_every_byte_arrives_as_it_is(tmp_path: Path) -> None:
    """Line ends, equal signs, separators, bytes that are no text: all but NUL."""
    every = bytes(range(1, 256))
    assert given(tmp_path, every, every[::-1]) == every + b"|" + every[::-1]
    assert given(tmp_path, b"", b"a=b\n=c") == b"|a=b\n=c"


@pytest.mark.parametrize("word, variable", [("a\0EVIL=1", "x"), ("a", "x\0EVIL=1")])
def test_a_nul_starts_nothing(tmp_path: Path, word: str, variable: str) -> None:
    with pytest.raises(Refused) as refused:
        run_program.run(
            ["/usr/bin/env", word], top=str(tmp_path), environ={"GIVEN": variable},
            timeout=PATIENCE, hear=lambda data: pytest.fail(f"it printed {data!r}"),
        )  # fmt: skip
    assert refused.value.code == "cannot_start"
