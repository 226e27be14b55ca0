"""Tell whether a worker is alive, by the heartbeat of its loop in `.ralph/heartbeat`.

A process id alone proves nothing, it may have been given to another process: with it goes the
boot it belongs to and the time it started. `next` asks it of every holder of a task: so Linux's
/proc is read here, and psutil, which takes a fifth of `next` to import, tells where there is none.
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.records import atomic_files

PATH = os.path.join(".ralph", "heartbeat")
#: Seconds between two beats, and how old one may be to count as a sign of life.
INTERVAL_S = 5.0
FRESH_S = 60.0
#: How long a worker may be silent, its worktree unchanged, before it counts as stale.
SILENT_S = 300.0
#: The role of a loop that reviews.
REVIEW = "review"
#: Its first second: no calendar has it.
_YEAR_10000 = 253_402_300_800


class Process(NamedTuple):
    """A process as it was noted."""

    pid: int
    started: str
    """As `start_time` gives it; "" where the system does not."""
    boot: str
    host: str

    @property
    def here(self) -> bool:
        """Whether it was one of this machine's."""
        return self.host == host()

    @property
    def gone(self) -> bool:
        """Whether it is provably gone; of another machine that is unknown."""
        if not self.here:
            return False
        if self.boot and (now := boot_id()) and self.boot != now:
            return True
        if self.pid <= 0 or not exists(self.pid):
            return True
        start, zombie = _look(self.pid)
        return zombie or bool(self.started and start and start != self.started)


class Heartbeat(NamedTuple):
    pid: int
    started: str
    """As `Process` has it, like boot and host."""
    boot: str
    host: str
    worker: str
    task: str
    claim: str
    phase: str
    time: float
    """Seconds since 1970, UTC."""
    why: str = ""
    """What it waits for; "" while it works."""
    until: float = 0.0
    """Until when, in seconds since 1970; 0 for no time."""
    silent: float = 0.0
    """Seconds since its agent has printed something."""
    role: str = ""
    """REVIEW, or "" of a loop that works."""
    provides: str = ""
    """What tasks may need and it has, with commas between."""

    @property
    def process(self) -> Process:
        return Process(self.pid, self.started, self.boot, self.host)


def noted(pid: int) -> Process:
    """What is to be noted of a process that runs now."""
    return Process(pid, start_time(pid), boot_id(), host())


def host() -> str:
    return os.uname().nodename


def boot_id() -> str:
    """This boot's id; "" where the system does not tell."""
    data = atomic_files.read("/proc/sys/kernel/random/boot_id")
    return data.decode().strip() if data else ""


def start_time(pid: int) -> str:
    """When the process started; "" if it is gone or unknown.

    On Linux in clock ticks since boot, elsewhere in seconds since 1970.
    """
    return _look(pid)[0]


def _look(pid: int) -> tuple[str, bool]:
    """When it started, and whether it has ended and nobody has asked how yet (a zombie)."""
    data = atomic_files.read(f"/proc/{pid}/stat")
    if data is not None:  # proc(5): the state is field 3, the start field 22
        fields = data.rpartition(b")")[2].split()
        return fields[19].decode(), fields[0] == b"Z"
    import psutil

    try:
        process = psutil.Process(pid)
        return str(process.create_time()), process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error as error:
        return "", isinstance(error, psutil.ZombieProcess)


def exists(pid: int) -> bool:
    """Whether a process has this number now."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    except OverflowError:  # no system counts that far
        return False
    return True


def write(worktree: str, beat: Heartbeat) -> None:
    """Replace the worktree's heartbeat. Raises: NotWritable."""
    from ralphgit.records import runtime_notes

    runtime_notes.write(os.path.join(worktree, PATH), beat._asdict())


def read(worktree: str) -> Heartbeat | None:
    """The worktree's newest heartbeat; None without one that can be read."""
    path = os.path.join(worktree, PATH)
    if not os.path.lexists(path):
        return None  # and no parser is loaded
    from ralphgit.records import runtime_notes

    return parse(runtime_notes.read(path))


def parse(value: Mapping[str, object]) -> Heartbeat | None:
    """The heartbeat that was written as `value`; None where it is none."""
    pid, time = value.get("pid"), value.get("time")
    if type(pid) is not int:
        return None
    return Heartbeat(
        pid=pid,
        started=str(value.get("started") or ""),
        boot=str(value.get("boot") or ""),
        host=str(value.get("host") or host()),
        worker=str(value.get("worker") or ""),
        task=str(value.get("task") or ""),
        claim=str(value.get("claim") or ""),
        phase=str(value.get("phase") or ""),
        time=seconds(time),
        why=str(value.get("why") or ""),
        until=seconds(value.get("until")),
        silent=seconds(value.get("silent")),
        role=str(value.get("role") or ""),
        provides=str(value.get("provides") or ""),
    )


def seconds(value: object) -> float:
    """A time, or how long something took, as a note has it; 0 for what a calendar does not have."""
    if not isinstance(value, (int, float)) or not 0 <= value < _YEAR_10000:
        return 0.0
    return float(value)


def remove(worktree: str, process: Process) -> None:
    """Take the heartbeat of `process` away: its loop has ended in good order.

    Another loop's stays.
    """
    beat = read(worktree)
    if beat is None or beat.process != process:
        return
    try:
        os.unlink(os.path.join(worktree, PATH))
    except OSError:
        return


def gone(beat: Heartbeat) -> bool:
    """Whether the process behind the heartbeat is provably gone."""
    return beat.process.gone


def alive(beat: Heartbeat, now: float) -> bool:
    """Whether the process is demonstrably alive: it exists and has beaten lately."""
    return not gone(beat) and now - beat.time < FRESH_S
