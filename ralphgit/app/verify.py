"""Running a task's verify commands, each bounded in time, its output hashed and capped."""

from __future__ import annotations

import hashlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ralphgit.records.redact import redact, secrets_in

TAIL_BYTES = 4096
GRACE = 0.2
"""Seconds for output that is still there when the command itself has ended."""
TIMED_OUT = 124
"""Exit code recorded for a command that was stopped at its time limit, as timeout(1) has it."""


class Run(NamedTuple):
    """What one command did."""

    command: str
    exit_code: int
    started: float
    """Seconds since 1970, UTC."""
    duration_s: float
    sha256: str
    """Of the whole output, stdout and stderr as they came."""
    bytes: int
    tail: str
    """The last 4 KiB, redacted."""
    timed_out: bool

    @property
    def passed(self) -> bool:
        return self.exit_code == 0


def environment(
    environ: Mapping[str, str], policy: Sequence[str], extra: Mapping[str, str]
) -> dict[str, str]:
    """The variables a verify command sees: all, or the ones named by `policy` and PATH.

    Variables that would point git at another repository are never among them.
    """
    if "inherit" in policy:
        kept = {k: v for k, v in environ.items() if not _points_git(k)}
    else:
        kept = {k: environ[k] for k in (*policy, "PATH") if k in environ}
    return {**kept, **extra}


def _points_git(name: str) -> bool:
    return name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX",
                    "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE")  # fmt: skip


def run(command: str, *, top: str, environ: Mapping[str, str], timeout: float, now: float) -> Run:
    """Run `command` by sh in the folder `top`, stdin closed, in a process group of its own.

    When it ends, is timed out, or we are interrupted, nothing of its group stays behind.
    What it leaves running in the background has no say: its own exit code counts.
    """
    begin = time.monotonic()
    digest, size, tail = hashlib.sha256(), 0, b""
    timed_out = False
    process: subprocess.Popen[bytes] | None = None
    try:
        with _Deferred():
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                cwd=top, env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        assert process.stdout is not None
        fd = process.stdout.fileno()
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        ended = 0.0
        while True:
            if not ended and process.poll() is not None:
                ended = time.monotonic()
            # Children of it in the background may hold the pipe, and print for ever.
            end = ended + GRACE if ended else begin + timeout
            left = end - time.monotonic()
            if left <= 0:
                timed_out = not ended
                break
            if poll.poll(min(left, GRACE) * 1000):
                chunk = os.read(fd, 1 << 16)
                if not chunk:
                    break
                digest.update(chunk)
                size += len(chunk)
                tail = (tail + chunk)[-2 * TAIL_BYTES :]
        if not timed_out:
            try:
                process.wait(max(0.0, begin + timeout - time.monotonic()))
            except subprocess.TimeoutExpired:
                timed_out = True
    finally:
        if process is not None:
            _end(process)
    code = TIMED_OUT if timed_out else process.returncode
    text = redact(tail.decode("utf-8", "replace"), secrets_in(environ))
    return Run(
        command=command,
        exit_code=code if code >= 0 else 128 - code,
        started=now,
        duration_s=round(time.monotonic() - begin, 3),
        sha256=digest.hexdigest(),
        bytes=size,
        tail=_capped(text),
        timed_out=timed_out,
    )


class _Deferred:
    """Lets a signal wait while a process is started: one that came between fork and return
    would leave a process behind that nobody knows of.

    Only the main thread gets signals; in another one there is nothing to wait for.
    """

    def __enter__(self) -> None:
        self._came: list[int] = []
        self._kept: list[tuple[int, Any]] = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            try:
                old = signal.signal(number, lambda came, _frame: self._came.append(came))
            except ValueError:
                return
            self._kept.append((number, old))

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for number, old in self._kept:
            signal.signal(number, old)
        for number in self._came:
            os.kill(os.getpid(), number)


def _capped(text: str) -> str:
    printable = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
    kept = printable.encode("utf-8")[-TAIL_BYTES:].decode("utf-8", "ignore")
    return "\n".join(line.rstrip() for line in kept.splitlines())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group, and reap the command."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()
    if process.stdout:
        process.stdout.close()
