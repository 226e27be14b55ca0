"""One run of a coding agent: a process group of its own, bounded in time, its output logged."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.errors import Refused
from ralphgit.loop.keeper import Keeper, end_group
from ralphgit.records.redact import redact, secrets_in

#: Seconds between SIGTERM and SIGKILL.
GRACE_S = 5.0
_TAIL_BYTES = 16 * 1024
_LONGEST_LINE = 64 * 1024
_TURN_MS = 200


class Ended(NamedTuple):
    """How an agent ended."""

    code: int
    """Its exit code; 128 + N for signal N."""
    how: str
    """exited, timed out, or why it was stopped."""
    tail: str
    """The end of its output, redacted."""
    seconds: float


class Log:
    """A log file that gets whole lines, redacted, up to a number of bytes."""

    def __init__(self, path: str, *, limit: int, secrets: tuple[str, ...]) -> None:
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 (closed by `close`)
        self._left = limit - os.fstat(self._file.fileno()).st_size
        self._secrets = secrets
        self._rest = b""
        self.tail = b""

    def add(self, data: bytes) -> None:
        """Take what was printed; the last line waits for its end, so that no secret is cut."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        if lines:
            self._write(b"\n".join(lines) + b"\n")

    def close(self) -> None:
        if self._rest:
            self._write(self._rest + b"\n")
            self._rest = b""
        self._file.close()

    def _write(self, data: bytes) -> None:
        clean = redact(data.decode("utf-8", "replace"), self._secrets).encode()
        self.tail = (self.tail + clean)[-_TAIL_BYTES:]
        if self._left <= 0:
            return
        self._left -= len(clean)
        if self._left <= 0:
            clean += b"[the log is full; what follows is not kept]\n"
        try:
            self._file.write(clean)
        except OSError:
            self._left = 0  # a full disk does not stop the agent


def run(
    words: Sequence[str],
    *,
    top: str,
    prompt: str,
    environ: Mapping[str, str],
    log: Log,
    timeout: float,
    keeper: Keeper,
    every: float,
    check: Callable[[], str],
) -> Ended:
    """Run an agent in the folder `top` with the file `prompt` as its stdin.

    Every `every` seconds `check` may say why it has to stop now. When this returns, or is
    left by an exception, nothing of the agent's process group runs any more.

    Raises: Refused (no_agent) where it cannot be started.
    """
    begin = time.monotonic()
    with open(prompt, "rb") as stdin:
        try:
            process = subprocess.Popen(
                list(words), cwd=top, env=dict(environ), stdin=stdin,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise Refused(
                f"the agent {words[0]} cannot be started: {error.strerror}",
                code="no_agent", hint="install it, or name another one: --agent CMD",
            ) from error  # fmt: skip
    keeper.started(process.pid)
    how = "exited"
    try:
        how = _attend(process, log, begin + timeout, every, check)
        if how != "exited":
            _stop(process)
    finally:
        end_group(process.pid)
        process.wait()
        keeper.ended(process.pid)
        _drain(process, log)
        log.close()
    code = process.returncode
    return Ended(
        code if code >= 0 else 128 - code,
        how,
        log.tail.decode("utf-8", "replace"),
        time.monotonic() - begin,
    )


def _attend(
    process: subprocess.Popen[bytes],
    log: Log,
    deadline: float,
    every: float,
    check: Callable[[], str],
) -> str:
    """Log what it prints until it ends or has to; how that came."""
    assert process.stdout is not None
    fd = process.stdout.fileno()
    os.set_blocking(fd, False)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    next_check = time.monotonic() + every
    open_ = True
    pause = 0.001
    while True:
        if not open_:
            # It has closed its output, and mostly is about to end.
            time.sleep(pause)
            pause = min(2 * pause, _TURN_MS / 10_000)
        elif poll.poll(_TURN_MS):
            chunk = os.read(fd, 1 << 16)
            log.add(chunk)
            open_ = bool(chunk)
        if process.poll() is not None:
            return "exited"
        now = time.monotonic()
        if now >= deadline:
            return "timed out"
        if now >= next_check:
            if why := check():
                return why
            next_check = time.monotonic() + every


def _drain(process: subprocess.Popen[bytes], log: Log) -> None:
    """What is still in the pipe, now that all its writers are gone."""
    assert process.stdout is not None
    try:
        while chunk := os.read(process.stdout.fileno(), 1 << 16):
            log.add(chunk)
    except BlockingIOError:
        pass  # somebody outside the group holds it open
    process.stdout.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and give it some seconds."""
    end_group(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        return


def environment(
    environ: Mapping[str, str], *, task: str, claim: str, worker: str, packet: str, report: str
) -> dict[str, str]:
    """The variables an agent sees: ours, without those that would point git elsewhere."""
    kept = {key: value for key, value in environ.items() if not key.startswith("GIT_")}
    resource = f"ralph.task={task},ralph.claim={claim},ralph.worker={worker}"
    known = environ.get("OTEL_RESOURCE_ATTRIBUTES")
    names = (
        "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL",
        "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_SSH_COMMAND", "GIT_ASKPASS",
    )  # fmt: skip
    return {
        **kept,
        **{name: environ[name] for name in names if name in environ},
        "RALPH_TASK": task, "RALPH_CLAIM": claim, "RALPH_WORKER": worker,
        "RALPH_PACKET": packet, "RALPH_REPORT": report,
        "OTEL_RESOURCE_ATTRIBUTES": f"{known},{resource}" if known else resource,
    }  # fmt: skip


def secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What an agent's output must not show."""
    return secrets_in(environ)
