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

This repository's tasks are records in {graph}, kept by ralphgit for several workers, each in
its own worktree.

If `RALPH_TASK` is set, a loop has claimed that task for you: do what `{packet}` says,
write `{report}`, and run none of the commands below.

Otherwise, in a linked worktree (`ralphgit worktree new NAME`), again and again:

1. `ralphgit claim` takes the next task, brings the worktree onto the base, and prints all you
   need, commands included. Without a write scope, change any file the task needs.
2. Do the work, and test it.
3. `ralphgit complete --land --summary "TEXT"` verifies, commits, lands. Where no command verifies
   the task, add what you observed: `--shows "TEXT"`, and `--proves` each criterion. Not sure? Add
   `--concern "TEXT"`: a person decides.

Each command prints what is next; you need no help page between.

Only a person can answer? `ralphgit block ID --question "TEXT"`, then claim another. Once
answered, claim offers it again, with the answer.
`ralphgit release ID --reason "TEXT"` gives a task back.

What an exit code asks of you:

- 1: finish what it lists, and repeat.
- 3, the rest waits for others: `ralphgit claim --wait`; all tasks are done: stop.
- 4: the remote is away; repeat.
- 5: another has it; your work is kept. Claim another.
- 7: a person is needed. After `complete` claim another; after `claim` stop, or
  `ralphgit wait --for ready --fetch`, then claim.
- 8: do what its hint says.

Never

- answer (`ralphgit reply`), consent (`ralphgit trust`) or pass `--force` for a person;
- edit {records}/, or a task in the graph, by hand;
- update the branch, or push to the base: claim and complete do;
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
