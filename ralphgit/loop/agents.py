"""How a coding agent is started: presets, or any command. The prompt comes on its stdin.

The presets are the non-interactive command lines that each tool documents, with the leave to
change files in the worktree that unattended work needs. Another one: `--agent "CMD ..."`.
"""

from __future__ import annotations

import shlex
import sys
from typing import NamedTuple

from ralphgit.errors import UsageError

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
    "scripted": (sys.executable, "-m", "ralphgit.loop.scripted"),
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
