"""Hold a problem that the gate finds, and its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import GuardRefused, InvalidRecord
from ralphgit.model.task_row import Row
from ralphgit.records.redact_secrets import redact, secrets_in
from ralphgit.rules import branch_changes


class Problem(NamedTuple):
    """What the gate stops (error), or shows (warning). Its code is in `rules.gate_rules`."""

    code: str
    severity: str = "error"
    file: str = ""
    line: int = 1
    column: int = 1
    task: str = ""
    message: str = ""
    hint: str = ""
    label: str = ""
    """The prefix of `file` where it is not in this worktree: `REV:`."""

    @property
    def path(self) -> str:
        """The file without its revision."""
        return self.file.removeprefix(self.label)

    @property
    def said(self) -> str:
        """The message, and below it the hint, if there is one."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def redacted(self, environ: Mapping[str, str]) -> Problem:
        """The same without secrets, for where others read it: it may name a command."""
        secrets = secrets_in(environ)
        return self._replace(message=redact(self.message, secrets), hint=redact(self.hint, secrets))


def from_error(error: InvalidRecord, *, label: str = "") -> Problem:
    """Make a problem of a file that was refused. `label`: what its name begins with already."""
    file, line, column, task = error.file, error.line, error.column, error.task or ""
    return Problem(error.code, "error", file, line, column, task, error.message, error.hint, label)


def place(tree: Tree, fault: branch_changes.Fault, rows: Mapping[str, Row]) -> Problem:
    """Make a task's fault a problem of the file that has the task."""
    row = rows.get(fault.task)
    file, line = (row.file, row.line) if row else ("", 1)
    code, task, message, hint, severity = fault
    return in_file(code, tree, file, message, hint, task=task, line=line, severity=severity)


def in_file(
    code: str,
    tree: Tree,
    path: str,
    message: str,
    hint: str = "",
    *,
    task: str = "",
    line: int = 1,
    column: int = 1,
    severity: str = "error",
) -> Problem:
    """Make a problem of the file at `path` in a tree."""
    file = tree.label + path
    return Problem(code, severity, file, line, column, task, message, hint, tree.label)


def not_landable(
    problems: Sequence[Problem], said: str, hint: str, **about: object
) -> GuardRefused:
    """Make the refusal to bring what has these problems to the base."""
    return GuardRefused(
        f"{said}; nothing was landed",
        code="not_landable",
        hint=hint,
        details={**about, "problems": [one.code for one in problems]},
        lines=[f"- {one.file}:{one.line}: {one.message}" for one in problems],
    )
