"""Run a task's verify commands on the base, without the work (`verify.before`)."""

from __future__ import annotations

from collections.abc import Sequence

from ralphgit.app.workspace.project import Project
from ralphgit.app.worktrees.proving_worktree import Ground
from ralphgit.errors import Refused


def exit_codes(
    project: Project, commit: str, wanted: Sequence[tuple[str, str, str]]
) -> dict[str, int]:
    """Run the commands of (task, claim, command) on `commit`, in a temporary worktree.

    What cannot be run there is warned of, and left out.

    Raises: NeedsPerson (untrusted), GitError.
    """
    found = {}
    with Ground(project) as ground:
        for one in wanted:
            try:
                (run,) = ground.run(commit, [one]).values()
                found[one[2]] = run.exit_code
            except Refused as error:
                why = error.message.partition(";")[0]
                project.warn(f"what {one[2]} did before the work is unknown: {why}")
    return found
