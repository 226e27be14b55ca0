"""`worktree`: the workers' linked worktrees: new, list, remove, prune."""

import shlex
from typing import NamedTuple

from ralphgit.app.lifecycle import rescued_work
from ralphgit.app.workspace.project import Project
from ralphgit.app.worktrees import create, remove, survey
from ralphgit.app.worktrees.create import Made
from ralphgit.app.worktrees.remove import Pruned
from ralphgit.app.worktrees.survey import Seen
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, Table, safe
from ralphgit.errors import UsageError
from ralphgit.model.printable import counted

_LANDED = {
    "merged": "it has nothing that {base} lacks",
    "content": "its changes are on {base}",
    "records": "its tasks are on {base}",
}


class Options(NamedTuple):
    action: str
    name: str | None = None
    story: str = ""
    start: str = ""
    from_fetched: bool = True
    fetch: bool = False
    force: str | None = None
    dry_run: bool = False


def run(call: Call, options: Options) -> Outcome:
    _refuse_words(options)
    project = call.project(fetch=options.fetch)
    name = options.name or ""
    if options.action == "new":
        return _new(project, name, options)
    if options.action == "list":
        return _list(project)
    if options.action == "remove":
        return _remove(project, name, (options.force or "").strip())
    return _prune(project, dry_run=options.dry_run)


def _refuse_words(options: Options) -> None:
    """Raises: UsageError for words that do not go with the action."""
    action, given = options.action, options.name is not None
    named = action in ("new", "remove")
    if named and not given:
        raise UsageError(f"worktree {action} needs a NAME", hint=f"ralphgit worktree {action} NAME")
    if not named and given:
        raise UsageError(f"worktree {action} takes no NAME", hint=f"ralphgit worktree {action}")
    if options.force is not None and not options.force.strip():
        raise UsageError("--force needs a reason", hint="--force REASON")


# -- new -------------------------------------------------------------------------------------


def _new(project: Project, name: str, options: Options) -> Outcome:
    story, start = options.story, options.start
    made = create.new(project, name, story=story, start=start, fetch=options.from_fetched)
    data = {"worktree": {**_made(made, story), "from": start or project.base.label}}
    shown = project.show_path(made.path)
    lines = [
        f"Made {safe(shown)} on the new branch {made.branch}, "
        f"from {safe(start) or project.base.label} ({made.commit[:12]})."
    ]
    if story:
        lines.append(f"A loop in it takes only tasks of {story}.")
    if made.copied:
        names = ", ".join(made.copied[:5]) + (", ..." if len(made.copied) > 5 else "")
        count = counted(len(made.copied), "file")
        lines.append(f"Copied {count} that {create.INCLUDE} lists: {safe(names)}")
    error = create.failed_setup(project, made, data=data)
    advice: tuple[str, ...] = ()
    if error is None:
        if made.setup is not None:
            lines.append(f"Set up: {safe(made.setup.command)}")
        take = "ralphgit claim --stack" if start else "ralphgit claim"
        advice = (f"Next: cd {safe(shlex.quote(shown))} && {take}",)
    return Outcome(data, before=lines, error=error, advice=advice)


def _made(made: Made, story: str) -> dict[str, object]:
    setup = None
    if made.setup is not None:
        setup = {"command": made.setup.command, "exit_code": made.setup.exit_code,
                 "duration_s": made.setup.duration_s}  # fmt: skip
    return {**made._asdict(), "story": story, "setup": setup}


# -- list ------------------------------------------------------------------------------------


def _list(project: Project) -> Outcome:
    found = survey.survey(project)
    now = project.around.now()
    rows = []
    for one in found:
        bare = one.worktree.bare
        name = one.name + (" (main)" if one.worktree.main else "")
        branch = one.branch or ("-" if bare else "(detached)")
        commits = "-" if bare else f"+{one.ahead} -{one.behind}"
        tasks = ", ".join(held.task for held in one.held) or "-"
        rows.append((name, branch, commits, tasks, _loop(one, now), _files(one), _lock(one)))
    table = Table(("NAME", "BRANCH", "COMMITS", "TASK", "LOOP", "FILES", "LOCK"), rows)
    return Outcome({"worktrees": [_listed(one, now) for one in found]}, table=table)


def _loop(one: Seen, now: float) -> str:
    if one.beat is None:
        return "-"
    age = f"{max(0, round(now - one.beat.time))} s ago"
    return ", ".join(filter(None, (one.life, one.beat.phase, age)))


def _files(one: Seen) -> str:
    if one.worktree.bare:
        return "-"
    if one.missing:
        return "missing"
    clean = survey.clean(one)
    return "unreadable" if clean is None else "clean" if clean else "dirty"


def _lock(one: Seen) -> str:
    if not one.worktree.locked:
        return "-"
    return "locked" if one.ours else f"locked: {one.worktree.reason or 'no reason given'}"


def _listed(one: Seen, now: float) -> dict[str, object]:
    beat = None
    if one.beat is not None:
        beat = {
            "state": one.life, "phase": one.beat.phase, "age_s": round(now - one.beat.time, 1),
            "pid": one.beat.pid, "host": one.beat.host, "worker": one.beat.worker,
            "task": one.beat.task, "claim": one.beat.claim,
        }  # fmt: skip
    return {
        "name": one.name,
        "path": one.path,
        "branch": one.branch,
        "head": one.worktree.head,
        "main": one.worktree.main,
        "current": one.current,
        "bare": one.worktree.bare,
        "missing": one.missing,
        "ahead": one.ahead,
        "behind": one.behind,
        "task": one.held[0].task if one.held else None,
        "claims": [held._asdict() for held in one.held],
        "heartbeat": beat,
        "locked": one.worktree.locked,
        "lock_reason": one.worktree.reason,
        "clean": survey.clean(one),
        "story": one.story,
    }


# -- remove and prune ------------------------------------------------------------------------


def _remove(project: Project, name: str, force: str) -> Outcome:
    done = remove.remove(project, name, force=force)
    seen = done.seen
    lines = [f"Removed {safe(project.show_path(seen.path))}."]
    lines += [f"The branch {safe(branch)} went with it: it has landed." for branch in done.branches]
    if done.kept:
        lines.append(f"The branch {safe(done.kept)} stays.")
    lines += [f"Kept: {safe(ref)}" for ref in done.rescued]
    lines += [
        f"{held.by} still holds {held.task}: ralphgit reset {held.task} --reason TEXT"
        for held in seen.held
    ]
    about = {"name": seen.name, "path": seen.path, "branch": seen.branch, "landed": done.how}
    data = {
        "worktree": about,
        "branches_removed": list(done.branches),
        "rescued": list(done.rescued),
        "claims": [held._asdict() for held in seen.held],
    }
    return Outcome(data, before=lines)


def _prune(project: Project, *, dry_run: bool) -> Outcome:
    found = remove.prune(project, dry_run=dry_run)
    branches = remove.prune_branches(project, dry_run=dry_run)
    kept = rescued_work.landed(project) if dry_run else rescued_work.drop_landed(project)
    does = "would remove" if dry_run else "removed"
    after = [f"{does} the branch {safe(branch)}: it has landed" for branch in branches]
    after += [f"{does} {safe(one.ref)}: the base has all that it holds" for one in kept]
    table = Table(("ACTION", "NAME", "WHY"), [(one.action, *_why(project, one)) for one in found])
    listed = [
        {
            "name": one.seen.name,
            "path": one.seen.path,
            "branch": one.seen.branch,
            "action": one.action.replace(" ", "-"),
            "branches_removed": list(one.removed.branches) if one.removed else [],
            "reasons": [{"code": why.code, "message": why.message} for why in one.reasons],
        }
        for one in found
    ]
    before = () if found else ("There is no linked worktree.",)
    data = {"worktrees": listed, "branches": list(branches), "rescued": [one.ref for one in kept]}
    return Outcome(data, before=before, table=table, after=after)


def _why(project: Project, one: Pruned) -> tuple[str, str]:
    if one.reasons:
        return one.seen.name, "; ".join(reason.message for reason in one.reasons)
    why = _LANDED[one.how].format(base=project.base.label)
    if one.removed is not None and one.removed.branches:
        why += f"; removed with {', '.join(one.removed.branches)}"
    return one.seen.name, why
