"""Run a task's verify commands, each bounded in time, its output hashed and capped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.processes import run_program, strays
from ralphgit.records.redact_secrets import longest, redact, redact_end, secrets_in

TAIL_BYTES = 4096
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

    Variables that would point git at another repository are never among them, and what their git
    reads nobody has replaced here alone.
    """
    if "inherit" in policy:
        kept = {k: v for k, v in environ.items() if not _points_git(k)}
    else:
        kept = {k: environ[k] for k in (*policy, "PATH") if k in environ}
    return {**kept, "GIT_NO_REPLACE_OBJECTS": "1", **extra}


def _points_git(name: str) -> bool:
    return name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX",
                    "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE")  # fmt: skip


def run(
    command: str,
    *,
    top: str,
    environ: Mapping[str, str],
    timeout: float,
    now: float,
    daemons: bool = False,
    heard: Callable[[bytes], None] = lambda output: None,
) -> Run:
    """Run `command` by sh in the folder `top`, stdin closed, in a process group of its own.

    When it ends, is timed out, or we are interrupted, nothing of it stays behind; with
    `daemons` only nothing of its group. What it leaves running in the background has no say:
    its own exit code counts. `heard` gets what it prints, as it comes.
    """
    digest, size, tail = hashlib.sha256(), 0, b""
    secrets = secrets_in(environ)
    kept = 2 * TAIL_BYTES + 4 * longest(secrets)  # a character has up to four bytes

    def hear(chunk: bytes) -> None:
        nonlocal size, tail
        digest.update(chunk)
        size += len(chunk)
        tail = (tail + chunk)[-kept:]
        heard(chunk)

    strays.end()  # what git has started since
    ended = run_program.run(
        ["/bin/sh", "-c", command],
        top=top, environ=environ, timeout=timeout, hear=hear, daemons=daemons,
    )  # fmt: skip
    timed_out = ended.how == run_program.TIMED_OUT
    text = (redact if size <= kept else redact_end)(tail.decode("utf-8", "replace"), secrets)
    return Run(
        command=command,
        exit_code=TIMED_OUT if timed_out else ended.code,
        started=now,
        duration_s=round(ended.seconds, 3),
        sha256=digest.hexdigest(),
        bytes=size,
        tail=_capped(text),
        timed_out=timed_out,
    )


def _capped(text: str) -> str:
    printable = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
    kept = printable.encode("utf-8")[-TAIL_BYTES:].decode("utf-8", "ignore")
    return "\n".join(line.rstrip() for line in kept.splitlines())
