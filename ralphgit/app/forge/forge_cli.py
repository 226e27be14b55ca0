"""Call the forges' programs, `gh` and `glab`: find, open and merge pull requests.

Each call is bounded in time and never prompts. What they get is argument words, never a
shell's line.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from typing import NamedTuple

from ralphgit.app.processes import verify_command
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, NeedsPerson, RalphError, RemoteUnavailable
from ralphgit.records.redact_secrets import redact, secrets_in

PROGRAMS = ("gh", "glab")
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
_URL = re.compile(r"https?://[!-~]+")


class Request(NamedTuple):
    """A pull request that is to be opened."""

    branch: str
    base: str
    title: str
    body: str
    file: str
    """Holds `body`."""


def find(project: Project, program: str, branch: str) -> str | None:
    """Where the open pull request of a branch is to be seen; None if there is none.

    Raises: RemoteUnavailable, NeedsPerson (forge_login), RalphError (forge_failed).
    """
    words: tuple[str, ...]
    if program == "gh":
        words = ("pr", "list", "--head", branch, "--state", "open", "--json", "number,url")
    else:
        words = ("mr", "list", "--source-branch", branch, "--output", "json")
    found = _answer(project, program, *words)
    first = found[0] if isinstance(found, list) and found else None
    if not isinstance(first, dict):
        return None
    where = first.get("url") or first.get("web_url") or first.get("number") or first.get("iid")
    return str(where or branch)


def create(project: Project, program: str, request: Request) -> str:
    """Open a pull request; where it is to be seen, "" where the program does not say.

    Raises: RemoteUnavailable, NeedsPerson (forge_login), RalphError (forge_failed).
    """
    words: tuple[str, ...]
    if program == "gh":
        words = (
            "pr", "create", "--base", request.base, "--head", request.branch,
            "--title", request.title, "--body-file", request.file,
        )  # fmt: skip
    else:
        words = (
            "mr", "create", "--source-branch", request.branch, "--target-branch", request.base,
            "--title", request.title, "--description", request.body, "--yes",
        )  # fmt: skip
    return url(_ask(project, program, *words))


def merge_when_allowed(project: Project, program: str, branch: str, method: str) -> None:
    """Have the forge merge it as soon as its rules are met; again changes nothing.

    Raises: RemoteUnavailable, NeedsPerson (forge_login), RalphError (forge_failed).
    """
    if program == "gh":
        _ask(project, program, "pr", "merge", branch, "--auto", f"--{method}")
    else:
        how = () if method == "merge" else (f"--{method}",)
        _ask(project, program, "mr", "merge", branch, "--auto-merge", *how, "--yes")


def closed(project: Project, program: str, branch: str) -> bool:
    """Whether somebody has closed the pull request without merging it.

    Raises: RemoteUnavailable, NeedsPerson (forge_login), RalphError (forge_failed).
    """
    if program == "gh":
        found = _answer(project, program, "pr", "view", branch, "--json", "state")
    else:
        found = _answer(project, program, "mr", "view", branch, "--output", "json")
    return isinstance(found, dict) and str(found.get("state", "")).lower() == "closed"


def merged_commit(project: Project, program: str, number: str) -> str:
    """The commit that the pull request `number` has become on its base.

    Raises: GuardRefused (not_merged); RemoteUnavailable, NeedsPerson (forge_login), RalphError
    (forge_failed).
    """
    if program == "gh":
        found = _answer(project, program, "pr", "view", number, "--json", "state,mergeCommit")
    else:
        found = _answer(project, program, "mr", "view", number, "--output", "json")
    told = found if isinstance(found, dict) else {}
    merged = told.get("mergeCommit")
    names = [merged.get("oid")] if isinstance(merged, dict) else []
    names += [told.get(name) for name in ("merge_commit_sha", "squash_commit_sha", "sha")]
    commit = next((name for name in names if isinstance(name, str) and name), "")
    if str(told.get("state", "")).lower() != "merged" or not commit:
        raise GuardRefused(
            f"pull request {number} is not merged; nothing was changed",
            code="not_merged",
            hint="merge it first, or name the commit on the base that did the work",
        )
    return commit


def url(text: str) -> str:
    """The last address in what a program printed."""
    found = _URL.findall(text)
    return found[-1].rstrip(".,;)>\"'") if found else ""


def _answer(project: Project, program: str, *words: str) -> object:
    out = _ask(project, program, *words)
    try:
        return json.loads(out or "null")
    except ValueError:
        raise RalphError(
            f"{program} {words[0]} {words[1]} did not answer with JSON",
            code="forge_failed", hint=f"is this {program} recent enough?",
        ) from None  # fmt: skip


def _ask(project: Project, program: str, *words: str) -> str:
    """stdout of a forge's program."""
    environ = verify_command.environment(project.around.environ, ("inherit",), _QUIET)
    timeout, what = project.config.fetch_timeout, f"{program} {words[0]} {words[1]}"
    try:
        process = subprocess.Popen(
            [program, *words], cwd=project.top, env=environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
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
