"""Whether a worker is alive: the heartbeat that its loop keeps in `.ralph/heartbeat`.

A process id alone proves nothing, it may have been given to another process: the record
also has the boot it belongs to and the process's start time (proc(5), field 22, in clock
ticks since boot).
"""

import os
from typing import NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.records import files

PATH = os.path.join(".ralph", "heartbeat")
#: Seconds between two beats, and how old one may be to count as a sign of life.
INTERVAL_S = 5.0
FRESH_S = 60.0
#: How long a worker may be silent, its worktree unchanged, before it counts as stale.
SILENT_S = 300.0


class Heartbeat(NamedTuple):
    pid: int
    started: str
    """Start time of the process in ticks since boot; "" where the system does not tell."""
    boot: str
    host: str
    worker: str
    task: str
    claim: str
    phase: str
    time: float
    """Seconds since 1970, UTC."""


def host() -> str:
    return os.uname().nodename


def boot_id() -> str:
    """This boot's id; "" where the system does not tell."""
    data = files.read("/proc/sys/kernel/random/boot_id")
    return data.decode().strip() if data else ""


def start_time(pid: int) -> str:
    """When the process started, in ticks since boot; "" if it is gone or not told."""
    data = files.read(f"/proc/{pid}/stat")
    if data is None:
        return ""
    fields = data.rpartition(b")")[2].split()
    return fields[19].decode() if len(fields) > 19 else ""


def write(worktree: str, beat: Heartbeat) -> None:
    """Replace the worktree's heartbeat. Not flushed: it is worth nothing after a power cut."""
    from ralphgit.records import emit

    data = emit.mapping(beat._asdict()).encode()
    files.write(os.path.join(worktree, PATH), data, durable=False)


def read(worktree: str) -> Heartbeat | None:
    """The worktree's newest heartbeat; None without one that can be read."""
    data = files.read(os.path.join(worktree, PATH))
    if data is None:
        return None
    from ralphgit.records import plain
    from ralphgit.records import text as texts

    try:
        value = plain.load(texts.decode(data, limit=64 * 1024))
    except InvalidRecord:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("pid"), int):
        return None
    return Heartbeat(
        pid=value["pid"],
        started=str(value.get("started") or ""),
        boot=str(value.get("boot") or ""),
        host=str(value.get("host") or host()),
        worker=str(value.get("worker") or ""),
        task=str(value.get("task") or ""),
        claim=str(value.get("claim") or ""),
        phase=str(value.get("phase") or ""),
        time=float(value["time"]) if isinstance(value.get("time"), (int, float)) else 0.0,
    )


def remove(worktree: str) -> None:
    """Take the heartbeat away: its loop has ended in good order."""
    try:
        os.unlink(os.path.join(worktree, PATH))
    except OSError:
        return


def exists(pid: int) -> bool:
    """Whether a process has this number now."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_zombie(pid: int) -> bool:
    """Whether the process has ended, and nobody has asked how yet (proc(5), field 3)."""
    data = files.read(f"/proc/{pid}/stat")
    return data is not None and data.rpartition(b")")[2].split()[:1] == [b"Z"]


def gone(beat: Heartbeat) -> bool:
    """Whether the process behind the heartbeat is provably gone."""
    if beat.host != host():
        return False
    if beat.boot and (now := boot_id()) and beat.boot != now:
        return True
    if beat.pid <= 0 or not exists(beat.pid) or _is_zombie(beat.pid):
        return True
    return bool(beat.started and (start := start_time(beat.pid)) and start != beat.started)


def alive(beat: Heartbeat, now: float) -> bool:
    """Whether the process is demonstrably alive: it exists and has beaten lately."""
    if beat.host != host():
        return now - beat.time < FRESH_S
    return not gone(beat) and now - beat.time < FRESH_S
