"""What has left whoever started it ends before a loop judges anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_loop import loop, made, on_base, task
from test_processes import GOOD, Pipe, agent
from world import PATIENCE, ROOT

from ralphgit.app.processes import run_program, supervisor, verify_command
from ralphgit.errors import NeedsPerson
from ralphgit.git import child_process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has child subreapers")
#: Is in nobody's group, and in nobody's session.
DAEMON = (
    "setsid sh -c 'exec 3> {0}; touch {0}.up; exec sleep 600' > /dev/null 2>&1 & "
    "while ! test -e {0}.up; do sleep 0.01; done"
)


@pytest.mark.slow
def test_what_an_agent_has_started_ends_also_where_it_kills_its_supervisor(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", *GOOD))
    alive, second = Pipe(tmp_path), tmp_path / "second"
    first = f"mkdir {second} && {{ {DAEMON.format(alive.path)}; kill -9 $PPID; exec sleep 600; }}"
    words = agent(tmp_path, f"{first} 2> /dev/null; echo good > f.txt")
    ran = loop(alpha, "--agent", words)
    assert "T-1: agent ended with exit code 137" in ran.err.replace("the agent", "T-1: agent")
    assert (ran.code, on_base(alpha, "T-1")["status"]) == (0, "complete"), ran.err
    assert alive.hung_up()


@pytest.mark.slow
def test_a_daemon_that_git_has_started_is_gone_before_anything_is_verified(tmp_path: Path) -> None:
    # What a line itself names outside of the worktree may not change meanwhile.
    number = "$(git rev-parse --git-common-dir)/number"
    gone = f"test -s {number} && ! kill -0 $(cat {number})"
    first = task("T-1", "outputs: [f.txt]", "verify: ['true']")
    alpha = made(
        tmp_path, first + task("T-2", "outputs: [f.txt]", f'verify: ["{gone}"]', depends="T-1")
    )
    hooks = alpha.git("rev-parse", "--path-format=absolute", "--git-path", "hooks")
    hook = Path(hooks, "reference-transaction")
    hook.parent.mkdir(exist_ok=True)
    place = hook.parent.parent / "number"
    daemon = f"setsid sh -c 'echo $$ > {place}; exec sleep 600' > /dev/null 2>&1 &"
    hook.write_text(f"#!/bin/sh\ntest -e {place} || {daemon}\n")
    hook.chmod(0o755)
    ran = loop(alpha, "--agent", agent(tmp_path, "echo more >> f.txt"))
    assert (ran.code, on_base(alpha, "T-2")["status"]) == (0, "complete"), ran.err


def test_a_command_that_kills_its_supervisor_proves_nothing(tmp_path: Path) -> None:
    """Where there is no loop, nobody else ends what it has started."""
    alive = Pipe(tmp_path)
    kills = f"test -e {tmp_path}/once || {{ touch {tmp_path}/once; kill -9 $PPID; sleep 60; }}"
    alpha = made(tmp_path, task("T-1", "outputs: [f.txt]", f'verify: ["{kills}"]'))
    assert alpha.ralph("claim", "T-1").code == 0
    alpha.write("f.txt", "good\n")
    ran = alpha.ralph("complete", "T-1", "--json")
    assert (ran.code, ran.error) == (7, "supervisor_killed"), ran.err
    assert "complete" not in alpha.git("log", "--format=%s")
    assert alpha.ralph("complete", "T-1").code == 0
    assert alive.path.exists()


def test_a_command_does_not_say_by_itself_how_it_has_ended() -> None:
    says = "echo 0 > /proc/$PPID/fd/1; sleep 0.2; exit 3"
    ran = verify_command.run(says, top="/", environ={}, timeout=PATIENCE, now=0)
    assert ran.exit_code == 3
    git = child_process.Child("/bin/cat", ["cat"], {}, private=True)
    for number in (git.stdin, git.stdout):
        with pytest.raises(OSError, match="No such device or address"):
            os.open(f"/proc/self/fd/{number}", os.O_WRONLY)
    git.forget()


#: As an ordinary user: root may look into all.
TAKES = """
import ctypes, os, sys
from ralphgit.app.processes import verify_command

libc = ctypes.CDLL(None, use_errno=True)
for capability in range(64):
    libc.prctl(24, capability, 0, 0, 0)
header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert libc.capset(ctypes.byref(header), none) == 0
take = (
    "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); "
    "print(libc.syscall(438, os.pidfd_open(int(os.environ['SUPERVISOR'])), 1, 0))"
)
line = f'SUPERVISOR=$PPID exec {sys.executable} -c "{take}"'
print(verify_command.run(line, top="/", environ={}, timeout=60, now=0).tail)
"""


def test_a_command_takes_nothing_of_its_supervisor_s() -> None:
    ran = subprocess.run([sys.executable, "-c", TAKES], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("-1\n", "")


SLOW = """
import sys, time
sys.path.insert(0, {0!r})
from ralphgit.app.processes import supervisor

say = supervisor._say
supervisor._say = lambda line: (time.sleep(0.3), say(line))
supervisor.main()
"""


def test_it_was_started_also_where_its_supervisor_dies_before_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW.format(str(ROOT)))
    monkeypatch.setattr(supervisor, "__file__", str(slow))
    alive = Pipe(tmp_path)
    line = f"exec 3> {alive.path}; kill -9 $PPID; exec sleep 600"
    with pytest.raises(NeedsPerson, match="was killed, and what that has started may go on"):
        run_program.run(
            ["/bin/sh", "-c", line], top="/", environ=os.environ, timeout=60,
            hear=lambda data: None,
        )  # fmt: skip
    assert alive.hung_up()


SETUP = """
import os, sys
from ralphgit.app.processes import run_program, strays

def run(line, daemons):
    run_program.run(
        ["/bin/sh", "-c", line], top="/", environ=os.environ, timeout=60,
        hear=lambda data: None, daemons=daemons,
    )

with strays.adopted():
    run(sys.argv[1], True)
    run("true", False)
    strays.end()
    print("ended", flush=True)
    sys.stdin.read()
"""


def test_a_service_that_a_setup_has_started_stays(tmp_path: Path) -> None:
    alive = Pipe(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", SETUP, DAEMON.format(alive.path)], cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ended\n"
        (service,) = children(process.pid)
        os.kill(service, 0)
        os.kill(service, signal.SIGKILL)
        assert alive.hung_up()


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
