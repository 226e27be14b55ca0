"""Compute the digest of what a task promises."""

from __future__ import annotations

import json

from ralphgit import digests
from ralphgit.model.task import Task

DIGEST_LENGTH = 12
#: The keys of a stored task that it is made of.
PROMISED = ("id", "acceptance", "verify", "outputs", "scope")


def contract(task: Task) -> str:
    """12 hex digits of SHA-256 over id, acceptance, verify, outputs and scope.

    The id is part of it, so a claim that a merge moved to another task's block no longer
    fits there. The title is not: who corrects it changes nothing of what is asked for. Comments,
    order of keys, quoting and everything else leave it unchanged.
    """
    return _digest(_promised(task))


def keeps(task: Task, digest: str, *titles: str) -> bool:
    """Whether a task promises what a claim's digest says; one without a digest asks for nothing.

    Digests of older records have the title in them: they hold for the title that the task has, and
    for each of `titles`, which it had before.
    """
    if digest in ("", contract(task)):
        return True
    return any(
        digest == _digest({**_promised(task), "title": title}) for title in (task.title, *titles)
    )


def _promised(task: Task) -> dict[str, object]:
    return {
        "id": task.id,
        "acceptance": [[item.id, item.text] for item in task.acceptance],
        "verify": [_command(task, command) for command in task.verify],
        "outputs": task.outputs,
        "scope": [task.scope.write, task.scope.read, task.scope.resources],
    }


def _digest(promised: dict[str, object]) -> str:
    text = json.dumps(promised, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
    return digests.begin("sha256", text, len(text)).hexdigest()[:DIGEST_LENGTH]


def _command(task: Task, command: str) -> object:
    """A verify command: its text, with the criteria that it proves only where it names some."""
    return [command, *task.proved_by(command)] if task.proved_by(command) else command
