"""What goes wrong besides the work itself: what ends the loop, and what another try gets over."""

from __future__ import annotations

from ralphgit.app.doctor import examine
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, InvalidRecord, NeedsPerson, RalphError, UsageError
from ralphgit.loop.event_log import Journal

#: What trying again does not change: a person has to.
_FINAL = (GuardRefused, InvalidRecord, NeedsPerson, UsageError)
#: ... but for these, which others' work brings and takes.
_PASSING = ("unsettled", "worktree_busy")
#: Other refusals (a git that was killed, a lock, a full disk) in a row, before the loop ends.
MOST = 12
#: Before the next try, for each in a row.
PAUSE_S = 0.5


def final(error: RalphError) -> bool:
    """Whether the loop has to end for it."""
    if error.code == "no_agent":
        return True
    return isinstance(error, _FINAL) and error.code not in _PASSING


def mend(project: Project, journal: Journal) -> None:
    """Remove the locks of a git that was killed, and the like."""
    for finding in examine.examine(project, fix=True):
        if finding.fixed:
            journal.write("mended", code=finding.code, message=finding.message)
