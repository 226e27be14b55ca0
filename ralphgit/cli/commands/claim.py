"""`claim`: take a task, and say all that its worker has to know."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.handoff import packet
from ralphgit.app.lifecycle import claim
from ralphgit.app.lifecycle.claim import Claimed
from ralphgit.app.status import local_base
from ralphgit.app.workspace.project import Project
from ralphgit.cli import look_again
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, stored_task, telling
from ralphgit.errors import ClaimHeld, GuardRefused, NothingReady, RalphError
from ralphgit.model import ids
from ralphgit.model.handoff import NO_FILE, Packet
from ralphgit.rules.claim_options import ClaimOptions

Options = ClaimOptions


def run(call: Call, options: ClaimOptions) -> Outcome:
    def share_ended(project: Project) -> None:
        local_base.warn_if_ahead(project)
        _share_ended(call, project, options)

    def claimed_in(project: Project) -> tuple[Project, Claimed]:
        try:
            return project, claim.claim(project, options, first=share_ended)
        except (ClaimHeld, GuardRefused) as error:
            raise _awaited(project, options, error) from None

    project, claimed = look_again.until(call, claimed_in, options.wait or 0.0)
    row, lease, where = claimed.row, claimed.lease, claimed.brought
    clean = call.screen.json and packet.is_clean(project, row.id, lease.claim)
    task = project.here.task(row.id)
    made = packet.compile(project, task, claim=lease.claim, worker=lease.by, clean=clean)
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
    return Outcome(
        stored_task(row, claimed.task_state, packet=packet.stored(made), worktree=where.stored()),
        before=before,
        advice=tuple(_advice(project, made)),
    )


def _advice(project: Project, made: Packet) -> Iterator[str]:
    """What the worker does next, in commands with the task's id."""
    if made.may_change != NO_FILE:
        yield "The claim is staged; it travels in your first commit of the work."
    if not made.verify:
        lacks = "" if made.acceptance else ", and it has no criteria"
        yield f"No command verifies {made.task}{lacks}: say with --shows what you observed."
    yield f'If only a person can decide it: ralphgit block {made.task} --question "TEXT"'
    lands = "" if project.config.land_mode == "none" else " --land"
    observed = ""
    if not made.verify:
        observed = ' --shows "TEXT"'
        observed += "".join(f" --proves {shlex.quote(item.id)}" for item in made.acceptance)
    done = f'ralphgit complete {made.task}{lands} --summary "TEXT"{observed}'
    yield f"Next: do the work, then: {done}"


#: Refusals of one task that pass when others have ended their work.
_PASSING = ("claim_held", "dependencies_incomplete", "mode", "scope_overlap")


def _awaited(project: Project, options: ClaimOptions, error: RalphError) -> RalphError:
    """With --wait, what a task that was asked for by its id waits for; else the error itself."""
    if options.wait is None or not options.task or error.code not in _PASSING:
        return error
    from ralphgit.app.lifecycle import idle_errors  # what is rarely needed
    from ralphgit.rules.nothing_to_claim import Why

    claim_map = ClaimMap(project)
    found = next_tasks.takeable(project, task=options.task, claim_map=claim_map)
    awaited = idle_errors.nothing(claim_map, options, found)
    if awaited.code != Why.WAITING:
        return awaited
    details, hint = {**awaited.details, **error.details}, f"ralphgit claim {options.task} --wait"
    return NothingReady(
        error.message, code=Why.WAITING, hint=hint, details=details, lines=awaited.lines
    )


def _share_ended(call: Call, project: Project, options: ClaimOptions) -> None:
    """Land what was blocked or given back on this branch, before the claim of another task.

    Raises: as `claim.claim`, for a claim that is refused all the same: then nothing has landed.
    """
    worktree = project.repository.worktree
    if not options.fetch or worktree is None or worktree.head in ("", project.base.commit):
        return
    from ralphgit.app.landing import land_records  # a claim from the base itself needs none of it

    if not (ended := land_records.ended(project)):
        return
    ids.parse_worker(project.worker)
    if any(one.word == "given back" for one in ended):  # which may be what makes it possible
        claim.require_fit(project)
    else:
        claim.require_possible(project, options)
    shared = land_records.share_ended(project)
    where = f"landed on {project.base.label}"
    if shared.url is not None:
        where = safe(f"is in review {shared.url}".rstrip())
    for one in shared.told:
        telling(call.screen)(f"{one.task} ({one.word}): {where}")
    if shared.kept:
        telling(call.screen)(f"the work so far stays on {shared.kept}")
