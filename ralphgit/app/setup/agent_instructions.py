"""Write the block in `AGENTS.md` that tells a coding agent about the task graph."""

from __future__ import annotations

from ralphgit.model.config import Config
from ralphgit.model.handoff import REPORT
from ralphgit.model.printable import safe
from ralphgit.records import init_marks

PACKET = ".ralph/packet.yaml"

_TEXT = """\
<!-- {seal}, which renews it. -->
## Tasks

The tasks of this repository are records in {graph}, kept by ralphgit. Several workers share
them, each in its own git worktree.

If `RALPH_TASK` is set, a loop has claimed that task for you: do what `{packet}` says,
write `{report}`, and run none of the commands below.

Otherwise, in a linked worktree (`ralphgit worktree new NAME`), again and again:

1. `ralphgit claim` takes the next task, brings the worktree onto the base, and prints all that
   you need. Where it names no write scope, change any file the task needs.
2. Do the work, and test it.
3. `ralphgit complete --land --summary TEXT` runs the verify commands, commits, and lands. Your
   branch then stands on the base. You need no other command.

If only a person can answer: `ralphgit block --question TEXT`, then claim another task. Once it is
answered, claim takes it up again. `ralphgit release --reason TEXT` gives a task back.

What an exit code asks of you:

- 1: not done; it lists what is missing. Finish that and repeat.
- 3, the rest waits for others: `ralphgit claim --wait`.
- 3, all tasks are done: stop.
- 4: the remote is away; repeat later.
- 5: another worker has the task, or won it; your work is kept. Claim another.
- 7: a person is needed; say what it printed. After `complete` claim another, else stop.
- 8: a guard refused. Do what its hint says.

Never

- pass `--force`, or consent (`ralphgit trust`) for a person;
- edit {records}/, or a task in the graph, by hand;
- update the branch yourself, or push to the base: claim and complete do both;
- weaken a test, a verify command or the scope to make a task pass.
"""


def block(config: Config) -> bytes:
    """The lines between the marks, true of a repository with these settings."""
    graph = " and ".join(f"`{_word(pattern)}`" for pattern in config.graph)
    return init_marks.sealed(
        _TEXT.format(
            seal=init_marks.SEAL, graph=graph, records=_word(config.records),
            packet=PACKET, report=REPORT,
        )
    )  # fmt: skip


def _word(path: str) -> str:
    """A path that cannot end the code span, or the comment, that it stands in."""
    return safe(path).replace("`", "'").replace("--", "- -")
