"""Notify a person: run `notify.command`, and ring the terminal's bell.

The command gets the event in its environment and as a JSON object on stdin. A process of its
own sees to its time limit, so that the loop never waits for it, and its last word, that it has
ended, is still said when it is gone. What the command does or does not do changes nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

from ralphgit.app.processes import (
    changed_settings,
    named_files,
    named_programs,
    trust,
    verify_command,
)
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError
from ralphgit.git import child_process
from ralphgit.records.redact_secrets import redact, secrets_in

#: Events that a person is notified of, and the message of an entry that has none.
EVENTS = {
    "blocked": "{task} is blocked ({reason})",
    "pr-open": "the pull request of {task} is open: {url}",
    "pr-conflict": "the pull request of {task} conflicts with the base: {url}",
    "pr-failed": "checks of the pull request of {task} failed: {url}",
    "pr-changes": "a reviewer asks for changes of {task}: {url}",
    "pr-merged": "the pull request of {task} has landed: {url}",
    "pr-closed": "the pull request of {task} was closed: {url}",
    "lost": "the claim on {task} is lost",
    "breaker": "the loop pauses {seconds} s after failures in a row: {failures}",
    "unavailable": "the agent cannot work: {message}",
    "all-done": "everything is done",
    "ended": "the loop has ended: {why}",
}
LIMIT_S = 10
#: So much fits into a pipe before it is read, with room for the escapes of JSON.
_MOST_CHARACTERS = 4096
#: Runs the command of argv[1] for at most argv[2] seconds in argv[3]; standard library alone.
_CODE = """
import os, signal, subprocess, sys
child = subprocess.Popen(["/bin/sh", "-c", sys.argv[1]], stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         start_new_session=True, cwd=sys.argv[3])
try:
    child.communicate(sys.stdin.buffer.read(), timeout=float(sys.argv[2]))
except subprocess.TimeoutExpired:
    pass
try:
    os.killpg(child.pid, signal.SIGKILL)
except (ProcessLookupError, PermissionError):
    pass
child.wait()
"""


class Notifier:
    """Notifies a person of those events of one loop that need one."""

    def __init__(self, project: Project, signs: changed_settings.Signs) -> None:
        """`signs` are what steers as the loop began. Raises: NeedsPerson (untrusted)."""
        self._signs = signs
        self._command = project.config.notify_command
        if self._command:
            trust.require(project, [self._command])
        self._around = project.around._replace(begun=None)
        self._top, self._worker = project.top, project.worker
        self._environ, self._policy = project.around.environ, project.config.verify_env
        self._running: list[subprocess.Popen[bytes]] = []

    def hear(self, entry: Mapping[str, object]) -> None:
        """Notify of a journal entry, if its event needs a person. Never waits, never fails."""
        event = str(entry["event"])
        if event not in EVENTS:
            return
        _ring()
        if not self._command or self._is_changed():
            return
        said = str(entry.get("message") or EVENTS[event].format_map(entry))
        message = redact(said.replace("\0", ""), secrets_in(self._environ))[:_MOST_CHARACTERS]
        told = {
            "event": event, "task": str(entry.get("task", "")), "message": message,
            "worker": self._worker, "worktree": self._top, "at": str(entry.get("at", "")),
        }  # fmt: skip
        self._running = [one for one in self._running if one.poll() is None]
        try:
            self._start(told)
        except OSError:
            return

    def _is_changed(self) -> bool:
        """Whether the worktree has another version of a file that the command may name than the
        base, or a program is another than it was: it may be the agent's, and is not run.

        Where something else steers git, git is not asked: then the command may name no file.
        """
        try:
            project = Project.open(self._around)
            try:
                found = [
                    one.name for one in changed_settings.changes(project, self._signs) if one.steers
                ]
                if found:
                    programs = any(map(named_programs.is_program, found))
                    return programs or named_files.may_name(project, self._command)
                return bool(named_files.changed(project, self._command))
            finally:
                project.repository.close()
        except RalphError:
            return True

    def _start(self, told: dict[str, str]) -> None:
        names = ("event", "task", "message", "worker")
        extra = {f"RALPH_{name.upper()}": told[name] for name in names}
        extra |= named_files.UNCACHED
        environ = verify_command.environment(self._environ, self._policy, extra)
        process = child_process.started(lambda: subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _CODE, self._command, str(LIMIT_S), self._top],
            cwd="/", env=environ, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ))  # fmt: skip
        self._running.append(process)
        assert process.stdin is not None
        with process.stdin:
            process.stdin.write(json.dumps(told).encode() + b"\n")


def _ring() -> None:
    try:
        if sys.stderr.isatty():
            sys.stderr.write("\a")
            sys.stderr.flush()
    except (OSError, ValueError):
        return
