"""How a coding agent is started: presets, or any command. The prompt comes on its stdin.

The presets are the non-interactive command lines that each tool documents, with the leave to
change files in the worktree that unattended work needs. Another one: `--agent "CMD ..."`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from typing import NamedTuple

from ralphgit.app.workspace.project import Project
from ralphgit.errors import Refused, UsageError

#: By name: the words of the command. Sources: Claude Code "headless mode" (-p reads stdin,
#: --permission-mode, --allowedTools), Codex "non-interactive mode" (`exec -` reads stdin,
#: --sandbox), Gemini CLI "headless mode" (stdin that is no terminal, --approval-mode),
#: opencode "run" (stdin is added to the message).
PRESETS = {
    "claude": (
        "claude", "-p", "--permission-mode", "acceptEdits",
        "--allowedTools", "Bash,Edit,Glob,Grep,Read,Write",
    ),
    "codex": ("codex", "exec", "--sandbox", "workspace-write", "-"),
    "gemini": ("gemini", "--approval-mode", "yolo"),
    "opencode": ("opencode", "run"),
    "scripted": (sys.executable, "-m", "ralphgit.loop.scripted_agent"),
}  # fmt: skip


class Command(NamedTuple):
    """What is started for a task."""

    words: tuple[str, ...]
    line: str
    """As it was configured: a preset's name or a command line."""
    preset: bool


def command(line: str) -> Command:
    """The command of a preset or of a command line, parted as a shell would.

    Raises: UsageError.
    """
    if line in PRESETS:
        return Command(PRESETS[line], line, preset=True)
    try:
        words = tuple(shlex.split(line))
    except ValueError as error:
        raise UsageError(f"--agent {line!r}: {error}", hint="quote it as for a shell") from None
    if not words:
        names = ", ".join(PRESETS)
        raise UsageError(
            "no agent is configured", code="no_agent",
            hint=f"--agent CMD, or one of {names}; or agent.command in ralph.toml",
        )  # fmt: skip
    return Command(words, line, preset=False)


def require(project: Project, command: Command) -> None:
    """See that the program is there, before anything is taken for it.

    One named by its place in the worktree may also stand on the base alone.

    Raises: Refused (no_agent).
    """
    program = command.words[0]
    if os.sep in program and not os.path.isabs(program):
        here = os.path.join(project.repository.top or "", program)
        on_base = f"{project.base.commit}:{os.path.normpath(program)}"
        known = os.access(here, os.X_OK) or any(project.repository.objects.resolve([on_base]))
    else:
        known = bool(shutil.which(program, path=project.around.environ.get("PATH")))
    if not known:
        raise not_there(f"{program} cannot be started: there is no such program")


def not_there(why: str) -> Refused:
    return Refused(
        f"the agent {why}",
        code="no_agent", hint="install it, or name another one: --agent CMD",
    )  # fmt: skip
