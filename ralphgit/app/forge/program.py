"""Run the forges' programs, `gh` and `glab`, and read what they answer.

Each call is bounded in time and never prompts. What they get is argument words, never a
shell's line.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from typing import Any

from ralphgit.app.processes import verify_command
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NeedsPerson, RalphError, RemoteUnavailable
from ralphgit.git import child_process
from ralphgit.records.redact_secrets import redact, secrets_in

_QUIET = {
    "GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1", "NO_PROMPT": "true",
    "GLAB_CHECK_UPDATE": "false", "NO_COLOR": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
}  # fmt: skip
#: Signs that only the network is to blame.
_PASSING = re.compile(
    r"(?i)error connecting|connection re|timed? ?out|no such host|could not resolve|HTTP 5\d\d"
    r"|dial tcp|rate limit|HTTP 429|network is unreachable"
)
#: Signs that it does not know us: no repetition changes that.
_UNKNOWN = re.compile(
    r"(?i)\b401\b|unauthori[sz]ed|bad credentials|not logged in|auth login"
    r"|authentication (?:fail|req)"
)
_SHOWN_LINES = 10


def answer(project: Project, program: str, *words: str) -> object:
    """The JSON that a forge's program answers with. Raises: as `ask`."""
    out = ask(project, program, *words)
    try:
        return json.loads(out or "null")
    except ValueError:
        raise RalphError(
            f"{program} {words[0]} {words[1]} did not answer with JSON",
            code="forge_failed", hint=f"is this {program} recent enough?",
        ) from None  # fmt: skip


def mapping(value: object) -> dict[str, Any]:
    """A mapping of an answer; empty for what is none."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[dict[str, Any]]:
    """The mappings in a list of an answer."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def line_of(path: object, line: object) -> str:
    """`path:line`, as far as it is known."""
    return ":".join(str(one) for one in (path, line) if one)


def ask(project: Project, program: str, *words: str) -> str:
    """stdout of a forge's program.

    Raises: RemoteUnavailable, NeedsPerson (forge_login), RalphError (no_forge, forge_failed).
    """
    environ = verify_command.environment(project.around.environ, ("inherit",), _QUIET)
    timeout, what = project.config.fetch_timeout, f"{program} {words[0]} {words[1]}"
    try:
        process = child_process.started(lambda: subprocess.Popen(
            [program, *words], cwd=project.top, env=environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        ))  # fmt: skip
    except OSError as error:
        raise RalphError(
            f"{program} cannot be started: {error.strerror}",
            code="no_forge", hint=f"install {program}, or set land.via",
        ) from error  # fmt: skip
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise RemoteUnavailable(
            f"{what} gave no answer within {timeout:g} s", hint="check the network"
        ) from None
    finally:
        _end(process)
    if process.returncode == 0:
        return out.decode("utf-8", "replace")
    text = redact(err.decode("utf-8", "replace").strip(), secrets_in(environ))
    first = text.split("\n")[0] or f"exit {process.returncode}"
    if _PASSING.search(text):
        raise RemoteUnavailable(f"{what}: {first}", hint="check the network")
    if _UNKNOWN.search(text):
        raise NeedsPerson(
            f"{what}: {first}; the branch is pushed and nothing is lost: log in, then repeat",
            code="forge_login",
            hint=f"{program} auth login",
        )
    raise RalphError(
        f"{what} failed: {first}; the branch is pushed and nothing is lost",
        code="forge_failed",
        hint=f"{program} auth status",
        lines=text.split("\n")[1:][-_SHOWN_LINES:],
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of its group, and reap it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
