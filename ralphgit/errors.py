"""Define every error of ralphgit, in one tree.

    RalphError                      code, exit_code, hint, details
    ├── UsageError            2     the words of the command are off
    │   ├── UnknownTask       2
    │   └── NotARepository    2
    ├── NothingReady          3     no task can be taken now
    ├── RemoteUnavailable     4     network, authentication
    ├── ClaimHeld             5     another worker has the task
    ├── ClaimLost             5     this worktree's claim is lost
    ├── InvalidRecord         6     a file is not a record; file:line:column
    ├── NeedsPerson           7     blocked, untrusted
    │   └── AwaitsPerson      7     nothing went wrong, and only a person can move things on
    ├── GuardRefused          8     the state of the repository forbids it
    │   └── IllegalMove       8
    ├── Refused               1     a valid "no": verification failed, problems found
    │   └── NotWritable       1     the disk or its permissions refused
    └── Bug                  70     an invariant of ours broke

They are raised anywhere, carried unchanged, and rendered in one place (`cli/render.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class RalphError(Exception):
    """A refusal with a stable `code`, an exit code and the next command to try.

    `message` is one sentence; `details` become keys of the JSON error object; `lines` are
    shown to people below the message; `data` is what the command still has to tell programs.
    """

    exit_code = 1
    code = "refused"
    usual_hint = ""
    """The hint where none is given; for a class whose errors are all fixed the same way."""
    is_fault = True
    """Whether something went wrong; if not, no word says "error" to people."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str = "",
        details: Mapping[str, object] | None = None,
        lines: Sequence[str] = (),
        data: object = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.hint = hint or type(self).usual_hint
        self.details = dict(details or {})
        self.lines = tuple(lines)
        self.data = data

    def __str__(self) -> str:
        return self.message


class Refused(RalphError):
    """A valid "no": nothing is wrong with the question, the answer is negative."""


class NotWritable(Refused):
    """The file system refused a write; what was begun has been undone."""

    code = "not_writable"
    usual_hint = "free space or fix the permissions, then repeat the command"


class UsageError(RalphError):
    exit_code = 2
    code = "usage"


class UnknownTask(UsageError):
    code = "unknown_task"
    usual_hint = "ralphgit list"


class NotARepository(UsageError):
    code = "not_a_repository"


class NothingReady(RalphError):
    exit_code = 3
    code = "nothing_ready"
    is_fault = False


class RemoteUnavailable(RalphError):
    exit_code = 4
    code = "remote_unavailable"
    usual_hint = "check the network and your credentials, then repeat the command"
    needs_person = False
    """Whether it stays away until somebody does what the hint says."""


class ClaimHeld(RalphError):
    exit_code = 5
    code = "claim_held"
    usual_hint = "ralphgit next"


class ClaimLost(RalphError):
    exit_code = 5
    code = "claim_lost"


class InvalidRecord(RalphError):
    """A file that cannot be read as a record. `line` and `column` count from 1."""

    exit_code = 6
    code = "invalid_record"
    usual_hint = "fix the line, then repeat the command"

    def __init__(
        self,
        message: str,
        *,
        file: str = "",
        line: int = 1,
        column: int = 1,
        code: str | None = None,
        hint: str = "",
        task: str | None = None,
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.file, self.line, self.column, self.task = file, line, column, task
        self.details = {"file": file, "line": line, "column": column}
        if task is not None:
            self.details["task"] = task

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: " if self.file else ""
        return f"{where}{self.message}"

    def at(self, file: str) -> InvalidRecord:
        """The same refusal, in `file`."""
        place = {"line": self.line, "column": self.column}
        return InvalidRecord(
            self.message, file=file, **place, code=self.code, hint=self.hint, task=self.task
        )


class NeedsPerson(RalphError):
    exit_code = 7
    code = "needs_person"


class AwaitsPerson(NeedsPerson):
    """All went well so far; the rest is a person's to decide."""

    is_fault = False


class GuardRefused(RalphError):
    exit_code = 8
    code = "guard_refused"


class IllegalMove(GuardRefused):
    code = "illegal_move"


class Bug(RalphError):
    """An invariant of ours does not hold: the only error that is our fault."""

    exit_code = 70
    code = "bug"
    usual_hint = "repeat the command with -v and report what it prints"
