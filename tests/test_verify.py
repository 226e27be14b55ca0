"""Verify commands: whose end counts, what ends with them, and what a closed terminal does."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from world import PATIENCE, Place, World

from ralphgit.app.processes import run_program

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
    verify:
      - {command}
"""


def at_work(folder: Path, command: str) -> Place:
    """A worktree with something to complete, whose verify command is `command`."""
    world = World(folder)
    world.write_graph(GRAPH.format(command=command))
    world.commit("Begin")
    alpha = world.worktree("alpha")
    assert alpha.ralph("trust", "--yes").code == 0
    alpha.claim("T-1")
    alpha.write("a.txt", "work\n")
    return alpha


def open_fifo(folder: Path) -> tuple[Path, int]:
    """A pipe by name, and its reading end: it hangs up when no writer is left alive."""
    path = folder / "alive"
    os.mkfifo(path)
    return path, os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def hung_up(fd: int) -> bool:
    """Whether all that wrote into the pipe are gone, which is waited for."""
    poll = select.poll()
    poll.register(fd, 0)
    events = poll.poll(1000 * PATIENCE)
    return bool(events) and bool(events[0][1] & select.POLLHUP)


# -- the command's own end counts --------------------------------------------------------

BACKGROUND = {
    "a flood": "yes & {end}",
    "a drip": "while sleep 0.05; do echo drip; done & {end}",
    "silence": "sleep 600 & {end}",
}


@pytest.mark.parametrize("how", BACKGROUND)
@pytest.mark.parametrize("code", [3, 0])
def test_what_runs_on_in_the_background(tmp_path: Path, how: str, code: int) -> None:
    fifo, fd = open_fifo(tmp_path)
    command = BACKGROUND[how].format(end=f"echo end; exit {code}")
    alpha = at_work(tmp_path / "world", f"exec 3>'{fifo}'; {command}")
    alpha.git("config", "ralph.verify.timeout", "300")
    begin = time.monotonic()
    found = alpha.ralph("complete", "--json")
    assert time.monotonic() - begin < PATIENCE
    assert hung_up(fd)
    os.close(fd)
    if code == 0:
        assert (found.code, found.err) == (0, "")
        assert alpha.task("T-1")["status"] == "complete"
        return
    assert (found.code, found.error) == (1, "verification_failed")
    (run,) = found.data["verify"]
    assert run["exit_code"] == 3
    (said,) = found.data["missing"]
    assert said.startswith("verify failed (exit 3): exec 3>")


def test_output_that_is_there_at_the_end_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 kB: more than a pipe holds, written by a child that outlives the shell a little."""
    monkeypatch.setattr(run_program, "GRACE_S", PATIENCE)  # all the time that it needs
    alpha = at_work(tmp_path, "head -c 200000 /dev/zero | tr '\\0' x & sleep 0.1; exit 3")
    found = alpha.ralph("complete", "--json")
    assert (found.code, found.error) == (1, "verification_failed")
    (run,) = found.data["verify"]
    assert run["tail"] == "x" * 4096


# -- a closed terminal -------------------------------------------------------------------

#: Says that it began, then waits with a child in the background.
ENDLESS = "exec 3>'{fifo}'; echo begun >&3; sleep 600 & sleep 600"


def begun(fd: int) -> None:
    ready, _, _ = select.select([fd], [], [], PATIENCE)
    assert ready
    assert os.read(fd, 100) == b"begun\n"


def test_a_hang_up_ends_the_command_too(tmp_path: Path) -> None:
    fifo, fd = open_fifo(tmp_path)
    alpha = at_work(tmp_path / "world", ENDLESS.format(fifo=fifo))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    before = alpha.git("status", "--porcelain"), alpha.head
    with subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "complete"],
        cwd=alpha.path,
        env={**alpha.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        begun(fd)
        process.send_signal(signal.SIGHUP)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (129, b"", b"hung up\n")
    assert hung_up(fd)
    os.close(fd)
    assert os.listdir(scratch) == []
    assert (alpha.git("status", "--porcelain"), alpha.head) == before


def test_a_terminal_that_is_closed(tmp_path: Path) -> None:
    """What can no longer be said is no reason for another exit code."""
    fifo, fd = open_fifo(tmp_path)
    alpha = at_work(tmp_path / "world", ENDLESS.format(fifo=fifo))
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "complete"],
        cwd=alpha.path,
        env=alpha.environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as process:
        os.close(theirs)
        begun(fd)
        os.close(ours)
        assert process.wait(PATIENCE) == 129
    assert hung_up(fd)
    os.close(fd)
    assert alpha.task("T-1")["status"] == "in-progress"


def test_nohup_is_left_to_hold(tmp_path: Path) -> None:
    fifo, fd = open_fifo(tmp_path)
    go = tmp_path / "go"
    command = f"exec 3>'{fifo}'; echo begun >&3; while ! test -e '{go}'; do sleep 0.05; done"
    alpha = at_work(tmp_path / "world", command)
    with subprocess.Popen(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", sys.executable, "-m", "ralphgit", "complete"],
        cwd=alpha.path,
        env=alpha.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        begun(fd)
        process.send_signal(signal.SIGHUP)
        go.touch()
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, b"")
    os.close(fd)
    assert alpha.task("T-1")["status"] == "complete"
