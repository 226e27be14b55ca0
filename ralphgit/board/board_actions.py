"""Write an answer or a reset from the board, as the commands do."""

from __future__ import annotations

from ralphgit.app.handoff import reply
from ralphgit.app.lifecycle import reset
from ralphgit.app.lifecycle.reset import Reopened, ResetOptions
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.errors import UsageError


def answer(around: Surroundings, task: str, claim: str, text: str) -> list[str]:
    """Answer the question of a claim that a person has seen; returns the lines to show.

    Raises: as `reply.reply` does; UsageError for an answer without words.
    """
    words = reply.words(text, "write one, then Enter")
    warnings: list[str] = []
    project = Project.open(around._replace(begun=None), warnings)
    try:
        found = reply.reply(project, reply.ReplyOptions(task=task, text=words, claim=claim))
    finally:
        project.repository.close()
    free = _becomes_free(found.done) or f"{task} is answered, and free again."
    return [free, *_told(found.done), *warnings]


def reset_task(around: Surroundings, home: str, options: ResetOptions) -> list[str]:
    """Reset a task from the main worktree; returns the lines to show.

    Raises: as `reset.reset` does; UsageError without a reason.
    """
    if not options.reason.strip():
        raise UsageError("a reset needs a reason", hint="write one, then Enter")
    warnings: list[str] = []
    project = Project.open(around._replace(begun=None, directory=home), warnings)
    try:
        done = reset.reset(project, options)
    finally:
        project.repository.close()
    return [_becomes_free(done) or f"{options.task} is free again.", *_told(done), *warnings]


def _becomes_free(done: Reopened) -> str:
    """Say what has to be merged first; "" where the base has it."""
    pull = done.pull
    return f"{done.task} is free once {pull.url or pull.branch} is merged." if pull else ""


def _told(done: Reopened) -> list[str]:
    return [f"Commit {done.commit[:12]}.", *(f"Kept: {ref}" for ref in done.rescued)]
