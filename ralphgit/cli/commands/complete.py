"""`complete`: verify and commit, and with --land bring it to the base."""

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base.fetch import readable_base
from ralphgit.app.handoff import worker_report
from ralphgit.app.lifecycle import complete
from ralphgit.app.lifecycle.complete import Completed, CompleteOptions
from ralphgit.app.workspace import inside_loop, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call, agrees
from ralphgit.cli.render import Outcome, safe, stored_task
from ralphgit.cli.where_landed import once_merged, stored
from ralphgit.errors import AwaitsPerson, RalphError, Refused, UnknownTask, UsageError
from ralphgit.model.printable import counted
from ralphgit.rules import evidence_verdict
from ralphgit.rules.claim_options import ClaimOptions
from ralphgit.rules.nothing_to_claim import Why


class Options(NamedTuple):
    told: CompleteOptions = CompleteOptions()
    land: str = ""


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    if options.told.proves and not options.told.shows.strip():
        raise UsageError(
            "--proves says which criteria an observation proves, and --shows what it is",
            hint='ralphgit complete --shows "TEXT" --proves CRITERION',
        )
    if options.told.by:
        return _by(project, options.told)
    readable_base(project)
    way = _way(project, options.land)
    try:
        done = complete.complete(
            project, _with_report(project, options.told), before=_before_work,
            agrees=_agrees if call.around.person and not call.screen.json else _unasked,
        )  # fmt: skip
    except UnknownTask as unknown:
        if options.land:
            unknown.lines = (*unknown.lines, "what --land takes: auto, merge, pr")
        raise
    except Refused as refused:
        if way and refused.hint.startswith("ralphgit complete"):
            refused.hint += f" --land {options.land}".removesuffix(" auto")
        raise
    worker_report.clear(project.top)
    what = counted(len(done.evidence), "evidence record")
    if done.criteria:
        what += f", {_criteria(done)}"
    lines = [f"{done.task} is {_end(done)}: commit {done.commit[:12]}, {what}"]
    lines += [f"passed before the work, too: {safe(one)}" for one in done.passed_before]
    landed: dict[str, object] | None = None
    error: RalphError | None = None
    left, following = way == "pr", []
    if way:
        try:
            landed, said = _landed(project, way, options.land)
            lines += said
            following = [_next(project)]
        except RalphError as refusal:
            error = refusal
            project.refresh()
            if isinstance(refusal, AwaitsPerson):
                left, following = True, [_next(project)]
    advice = _observe(done, lands=bool(way), left=left)
    advice += following
    # Of what was completed: the worktree may stand on the base by now.
    view = project.view(done.commit, done.commit[:12])
    row, task_state = next_tasks.pair(project, done.task, view)
    if not way and task_state.state == "in-review":
        advice.append(f"It counts once this branch is merged into {project.base.label}.")
    criteria = [{"task": done.task, **item._asdict()} for item in done.criteria]
    data = stored_task(
        row,
        task_state,
        commit=done.commit,
        evidence=list(done.evidence),
        landed=landed,
        verified=done.verified,
        criteria=criteria,
        passed_before=list(done.passed_before),
    )
    return Outcome(data, before=lines, advice=advice, error=error)


def _unasked(task: str, missing: Sequence[str]) -> bool:
    return True


def _agrees(task: str, missing: Sequence[str]) -> bool:
    """Ask the person at the terminal, who sees what is missing."""
    shown = "\n".join(f"  {safe(one)}" for one in missing) or "  nothing"
    print(f"Of {task} is missing:\n{shown}")  # noqa: T201 - seen before it is answered
    return agrees(f"\nComplete {task} by force? [y/N] ")


def _criteria(done: Completed) -> str:
    """Count the criteria: what is asked for beyond passing commands is said, and no more."""
    if any(one.support != evidence_verdict.ASSUMED for one in done.criteria):
        return evidence_verdict.summary(done.criteria)
    met = "1 criterion" if len(done.criteria) == 1 else f"{len(done.criteria)} criteria"
    return f"{met} assumed to be met, as the verify commands passed"


def _end(done: Completed) -> str:
    """How the task ended, with all that a reviewer would ask about."""
    if done.forced:
        return "complete by FORCE"
    if not done.verified:
        return "complete and unverified"
    left = evidence_verdict.open_criteria(done.criteria)
    return f"complete, with {', '.join(map(safe, left))} open" if left else "complete"


def _observe(done: Completed, *, lands: bool, left: bool) -> list[str]:
    """Say what nothing was observed of, and how the worker still can where the work is still
    here.
    """
    names = evidence_verdict.open_criteria(done.criteria)
    if done.verified and not names:
        return []
    said = f"Nothing was verified: {evidence_verdict.NOTHING}."
    if done.verified:
        said = f"Nobody has observed {', '.join(map(safe, names))}."
    if left:
        return [said]
    proves = f" --proves {shlex.quote(names[0])}" if names else ""
    how = f'ralphgit evidence add {done.task}{proves} --shows "TEXT"'
    how += f' && git commit -m "Evidence of {done.task}"' + " && ralphgit land" * lands
    return [f"{said} Say what you observed:", f"  {how}"]


def _before_work(
    project: Project, commit: str, wanted: Sequence[tuple[str, str, str]]
) -> dict[str, int]:
    from ralphgit.app.integration import before_work  # seldom needed, and slow to import

    return before_work.exit_codes(project, commit, wanted)


def _way(project: Project, asked: str) -> str:
    """How to land: merge, pr, or "" for not now.

    Raises: UsageError, GuardRefused, NeedsPerson where the work cannot land that way from here.
    """
    if not asked:
        return ""
    if inside_loop.works(project):
        project.warn("a loop works in this worktree, and lands what it has verified itself")
        return ""
    from ralphgit.app.landing import land_way

    return land_way.required(project, asked)


def _with_report(project: Project, told: CompleteOptions) -> CompleteOptions:
    """Add what the worker's report says, if it was written under this claim.

    Raises: InvalidRecord where the report is not valid.
    """
    noted = runtime_files.remembered(project.top)
    if noted is None:
        return told
    said = worker_report.of_claim(project, noted)
    if said.status in ("needs_context", "blocked"):
        project.warn(f"the report says {said.status}; where that still holds: ralphgit block")
    concerns = tuple(dict.fromkeys((*told.concerns, *worker_report.concerns(said))))
    return told._replace(
        concerns=concerns,
        summary=told.summary or said.summary,
        message=told.message or said.message,
    )


def _landed(project: Project, way: str, asked: str) -> tuple[dict[str, object], list[str]]:
    """Land what was completed; the result as JSON has it, and in lines."""
    from ralphgit.app.landing import land, land_way

    lease = runtime_files.remembered(project.top)
    assert lease is not None  # `complete` has just read it
    project.refresh()
    is_open = land_way.is_open(project, "" if asked == "auto" else asked)
    done = land.land(project, lease, way, is_open=is_open)
    project.refresh()
    base = project.base.label
    if done.way == "merge":
        lines = [f"landed on {base}: {done.commit[:12]}"]
    else:
        where = f"in review: {done.url}" if done.url else "in review"
        lines = [safe(line) for line in (*done.said, where)]
    brought = done.brought
    if brought.in_the_way:
        project.warn(f"this branch was not moved to {base}: {brought.in_the_way}")
    elif brought.on_base:
        lines.append(f"this branch stands on {base} ({brought.commit[:12]})")
    return done.stored(), lines


def _next(project: Project) -> str:
    """Say what is next for this worker."""
    claim_map = ClaimMap(project)
    found = next_tasks.takeable(project, claim_map=claim_map)
    if found.tasks:
        return f"Next: ralphgit claim ({counted(len(found.tasks), 'task')} ready)"
    from ralphgit.app.lifecycle import idle_errors

    error = idle_errors.nothing(claim_map, ClaimOptions(), found)
    if error.code != Why.WAITING:
        said = f"{error.message[0].upper()}{error.message[1:]}."
        return f"{said} Next: {error.hint}" if error.code == Why.NEEDS_PERSON else said
    return f"Next: {error.hint} ({error.message})"


def _by(project: Project, options: CompleteOptions) -> Outcome:
    """Complete the task by work that is merged already."""
    from ralphgit.app.integration import complete_merged

    done = complete_merged.complete_by(project, options)
    row, task_state = next_tasks.on_base(project, done.task, commit=done.commit)
    where = project.base.label if done.pushed or not project.base.remote else project.base.branch
    what = counted(len(done.evidence), "evidence record") if done.evidence else "unverified"
    about = {
        "commit": done.commit, "evidence": list(done.evidence), "pushed": done.pushed,
        "pull": stored(done.pull),
        "work": list(done.work.commits), "authors": list(done.work.authors),
    }  # fmt: skip
    said = f"{row.id} is complete on {where}: commit {done.commit[:12]}"
    if done.pull is not None:
        said = f"{row.id} is complete {once_merged(project, done.pull)}"
        row, task_state = next_tasks.on_base(project, done.task)
    lines = [said + ("" if done.again else f", {what}"), f"The work is {safe(done.work.sentence)}."]
    return Outcome(stored_task(row, task_state, **about), before=lines)
