"""Compute the digest of what a task promises."""

from __future__ import annotations

import hashlib
import json

from ralphgit.model.task import Task

DIGEST_LENGTH = 12
#: The keys of a stored task that it is made of.
PROMISED = ("id", "title", "acceptance", "verify", "outputs", "scope")


def contract(task: Task) -> str:
    """12 hex digits of SHA-256 over id, title, acceptance, verify, outputs and scope.

    The id is part of it, so a claim that a merge moved to another task's block no longer
    fits there. Comments, order of keys, quoting and everything else leave it unchanged.
    """
    promised = {
        "id": task.id,
        "title": task.title,
        "acceptance": [[item.id, item.text] for item in task.acceptance],
        "verify": [_command(task, command) for command in task.verify],
        "outputs": task.outputs,
        "scope": [task.scope.write, task.scope.read, task.scope.resources],
    }
    text = json.dumps(promised, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def _command(task: Task, command: str) -> object:
    """A verify command: its text, with the criteria that it proves only where it names some."""
    return [command, *task.proved_by(command)] if task.proved_by(command) else command
