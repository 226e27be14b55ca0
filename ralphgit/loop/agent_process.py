"""Run a coding agent once: its environment, how it ends, and the log of its output."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.processes import run_program
from ralphgit.errors import Refused
from ralphgit.loop import agent_command
from ralphgit.loop.agent_log import AgentLog
from ralphgit.model.task import Usage
from ralphgit.rules.agent_signs import Words

#: Why an agent is stopped that neither prints nor changes anything.
SILENT = "silent"
#: Seconds between SIGTERM and SIGKILL.
GRACE_S = 5.0


class Ended(NamedTuple):
    """How an agent ended."""

    code: int
    """Its exit code; 128 + N for signal N."""
    how: str
    """`run_program.EXITED`, `run_program.TIMED_OUT`, SILENT, or why else it was stopped."""
    tail: str
    """The end of its own words, redacted."""
    seconds: float
    words: Words | None = None
    """The words of its typed result, where it printed one."""
    usage: Usage = Usage()
    """What it said that it has used, with the seconds that it ran."""


class Silence:
    """Tells when an agent has neither printed nor changed anything for `most` seconds.

    `look` returns the state of the worktree; it is asked only when nothing was printed for so long.
    """

    def __init__(self, most: float, look: Callable[[], object]) -> None:
        self.most, self._look = most, look
        self._since = time.monotonic()
        self._first = self._seen = look()

    def heard(self) -> None:
        self._since = time.monotonic()

    def changed(self) -> bool:
        """Whether the worktree is not as it was at first, or nobody can say."""
        now = self._look()
        return now is None or now != self._first

    def why(self) -> str:
        """Return SILENT if that long is over; else ""."""
        if time.monotonic() - self._since < self.most:
            return ""
        now = self._look()
        if now is not None and now == self._seen:
            return SILENT
        self._seen = now
        self.heard()
        return ""


def run(
    words: Sequence[str],
    *,
    top: str,
    prompt: str,
    environ: Mapping[str, str],
    log: AgentLog,
    timeout: float,
    stop: Callable[[], str],
    silence: Silence,
    heard: Callable[[], None] = lambda: None,
) -> Ended:
    """Run an agent in the folder `top` with the file `prompt` as its stdin.

    `stop` may say why it has to end now, and so may `silence`; `heard` is called when it prints
    something that shows it alive. When this returns, or is left by an exception, no process of the
    agent is left (`run_program`).

    Raises: NeedsPerson (no_agent) where it cannot be started; Refused (supervisor_killed).
    """

    def hear(data: bytes) -> None:
        if data and log.add(data):
            silence.heard()
            heard()

    try:
        ended = run_program.run(
            words, top=top, environ=environ, timeout=timeout, hear=hear, stdin=prompt,
            stop=lambda: stop() or silence.why(), grace=GRACE_S,
        )  # fmt: skip
    except Refused as error:
        if error.code != "cannot_start":
            raise
        raise agent_command.not_there(error.message) from error
    finally:
        log.close()
    usage = log.usage._replace(seconds=round(ended.seconds, 3))
    return Ended(ended.code, ended.how, log.tail, ended.seconds, log.result, usage)


def environment(
    environ: Mapping[str, str], *, task: str, claim: str, worker: str, packet: str, report: str
) -> dict[str, str]:
    """Return an agent's environment: ours, without the variables that would point git elsewhere."""
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
