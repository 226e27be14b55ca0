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

The tasks of this repository are records in {graph}, kept by ralphgit.
Several workers share them, each in a git worktree of its own.

If `RALPH_TASK` is set, a loop has claimed that task for you. `{packet}` has all that you
need. Do the work, stay inside its write scope, and write `{report}`. The loop does the
rest: do not claim, complete, push, merge, rebase, reset, stash or switch branches.

Otherwise, in a worktree (`ralphgit worktree new NAME`):

1. `ralphgit next` lists what can be taken, `ralphgit packet ID` all that a worker needs for it.
2. `ralphgit claim ID` takes it. The claim is staged, and travels in your first commit.
3. Change only files in the task's write scope.
4. `ralphgit complete` runs the verify commands as they stand on the base branch and commits the
   work with its evidence. Exit 1: nothing was committed, and it says what is missing.
5. If you cannot go on: `ralphgit block --reason needs_context --question TEXT`, or
   `ralphgit release --reason TEXT` to give it back.

Never edit {records}/, nor the fields status, claim, result, blocked, reset, cancelled and epoch
of a task: ralphgit writes them. Never resolve a conflict between two claims by keeping both: one
of the two has lost. Never weaken a verify command to make it pass.

`--json` makes any command print one JSON object. Exit codes: 0 done, 1 a valid no, 2 wrong usage,
3 nothing is ready, 4 remote unavailable, 5 somebody else has the task, 6 invalid record,
7 a person is needed, 8 a guard refused.
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
