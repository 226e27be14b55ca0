"""`claim`: take a task."""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.lifecycle import claim
from ralphgit.app.lifecycle.claim_guards import ClaimOptions
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe, stored_task


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    from ralphgit.model.ids import parse_task_id

    project = opening.project(around, warnings)
    priority = options.get("priority")
    claimed = claim.claim(
        project,
        ClaimOptions(
            task=parse_task_id(str(options["task"])) if "task" in options else "",
            story=str(options.get("story", "")),
            priority=priority if isinstance(priority, int) else None,
            fetch=not options.get("no_fetch"),
            stack=bool(options.get("stack")),
            force=str(options.get("force", "")),
        ),
    )
    row = claimed.row
    return Outcome(
        stored_task(row, claimed.task_state),
        before=(f"{claimed.lease.by} has {row.id}: {safe(row.title)}",),
        advice=(
            "The claim is staged; it travels in your first commit of the work.",
            f"Next: do the work, then ralphgit complete {row.id}",
        ),
    )
