"""`claim`: take a task."""

from __future__ import annotations

from ralphgit.app.lifecycle import claim
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, stored_task
from ralphgit.rules.claim_options import ClaimOptions

Options = ClaimOptions


def run(call: Call, options: ClaimOptions) -> Outcome:
    claimed = claim.claim(call.project(), options)
    row = claimed.row
    return Outcome(
        stored_task(row, claimed.task_state, worktree=claimed.brought.stored()),
        before=(f"{claimed.lease.by} has {row.id}: {safe(row.title)}",),
        advice=(
            "The claim is staged; it travels in your first commit of the work.",
            f"Next: do the work, then ralphgit complete {row.id}",
        ),
    )
