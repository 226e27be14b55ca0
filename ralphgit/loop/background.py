"""Start a loop in the background: it outlives us, and prints to a log that says when it began."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from ralphgit.git import child_process
from ralphgit.records import atomic_files

#: How a loop ends that was interrupted or terminated.
_STOPPED = (130, 143, -signal.SIGINT, -signal.SIGTERM)
_MARK = b"-- started at "
_MOST_LOG_BYTES = 8 * 1024 * 1024
_TURN_S = 0.05
#: Kept until this process ends: it is not to wait for them.
_children: list[subprocess.Popen[bytes]] = []


def open_log(path: str) -> BinaryIO:
    """Open a log for what starts now; one that has become too long is put aside.

    Raises: OSError.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path) and os.path.getsize(path) > _MOST_LOG_BYTES:
        os.replace(path, f"{path}.1")
    file = atomic_files.appending(path)
    file.write(_MARK + time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()).encode() + b"\n")
    file.flush()
    return file


def start(words: Sequence[str], folder: str, environ: Mapping[str, str], log: BinaryIO) -> int:
    """Start a program in a session of its own; returns its process id. Raises: OSError."""
    process = child_process.started(lambda: subprocess.Popen(
        words, cwd=folder, env=environ, stdin=subprocess.DEVNULL,
        stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
    ))  # fmt: skip
    _children.append(process)
    return process.pid


def has_ended(pid: int) -> bool | None:
    """Whether a process that we have started has ended; None for any other."""
    return next((one.poll() is not None for one in _children if one.pid == pid), None)


def was_stopped(pid: int) -> bool:
    """Whether a loop that we started was stopped by a signal."""
    return any(one.pid == pid and one.poll() in _STOPPED for one in _children)


def last_error(log: str) -> str:
    """Return the last error that the newest loop has printed into its log; "" if it has none."""
    if not os.path.exists(log):
        return ""
    with open(log, "rb") as file:
        file.seek(max(0, os.path.getsize(log) - 64 * 1024))
        said = file.read().rpartition(_MARK)[2].decode("utf-8", "replace").splitlines()
    # In a window the bell rings first.
    said = [line.lstrip("\a") for line in said]
    errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
    return errors[-1] if errors else ""


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is true, at most so long; returns whether it is."""
    deadline = time.monotonic() + seconds
    while not (true := condition()) and time.monotonic() < deadline:
        time.sleep(_TURN_S)
    return true
