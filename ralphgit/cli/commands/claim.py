"""`claim`: take a task, and say all that its worker has to know."""

from __future__ import annotations

from ralphgit.app.handoff import packet
from ralphgit.app.lifecycle import claim
from ralphgit.app.lifecycle.claim import Claimed
from ralphgit.app.workspace.project import Project
from ralphgit.cli import look_again
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, stored_task, telling
from ralphgit.errors import GuardRefused
from ralphgit.model import ids
from ralphgit.rules.claim_options import ClaimOptions

Options = ClaimOptions


def run(call: Call, options: ClaimOptions) -> Outcome:
    def claimed_in(project: Project) -> tuple[Project, Claimed]:
        if options.fetch and project.worker:  # what is no name is refused before anything lands
            _share_ended(call, project)
        return project, claim.claim(project, options)

    project, claimed = look_again.until(call, claimed_in, options.wait or 0.0)
    row, lease, where = claimed.row, claimed.lease, claimed.brought
    made = packet.compile(
        project, project.here.task(row.id), claim=lease.claim, worker=lease.by, clean=False
    )
    before = [f"{lease.by} has {row.id}: {safe(row.title)}"]
    if where.moved:
        before.append(f"The branch was brought onto {project.base.label} ({where.commit[:12]}).")
    if where.rescue:
        before.append(f"What the attempt before had is kept in {where.rescue}.")
    try:
        told = packet.encoded(project, made, by_hand=True).decode("utf-8").splitlines()
        if not call.screen.quiet:
            before += ["", *(line for line in told if not line.startswith("#")), ""]
    except GuardRefused as error:
        project.warn(error.message)
    lands = "" if project.config.land_mode == "none" else " --land"
    return Outcome(
        stored_task(row, claimed.task_state, packet=packet.stored(made), worktree=where.stored()),
        before=before,
        advice=(
            "The claim is staged; it travels in your first commit of the work.",
            f"Next: do the work, then ralphgit complete {row.id}{lands}",
        ),
    )


def _share_ended(call: Call, project: Project) -> None:
    """Land what was blocked or given back on this branch.

    Raises: UsageError for a worker's name that claim refuses, too: then nothing has landed.
    """
    ids.parse_worker(project.worker)
    worktree = project.repository.worktree
    if worktree is None or worktree.head in ("", project.base.commit):
        return
    from ralphgit.app.landing import land_records  # a claim from the base itself needs none of it

    shared = land_records.share_ended(project)
    where = f"landed on {project.base.label}"
    if shared.url is not None:
        where = safe(f"is in review {shared.url}".rstrip())
    for one in shared.told:
        telling(call.screen)(f"{one} {where}")
    if shared.kept:
        telling(call.screen)(f"the work so far stays on {shared.kept}")
