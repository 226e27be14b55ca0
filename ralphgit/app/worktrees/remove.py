"""Remove worktrees whose work has landed; with force, first keep what has not."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.base import is_landed
from ralphgit.app.lifecycle import rescue_refs
from ralphgit.app.processes import watched_settings
from ralphgit.app.workspace import heartbeat, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import BRANCHES, TASK_BRANCHES
from ralphgit.app.worktrees import survey
from ralphgit.app.worktrees.survey import Reason, Seen
from ralphgit.errors import GuardRefused, NeedsPerson, NotWritable, RalphError
from ralphgit.git import refs
from ralphgit.git import worktrees as git_worktrees


class Removed(NamedTuple):
    seen: Seen
    how: str
    """How its HEAD had landed, "" if it had not."""
    branches: tuple[str, ...]
    """Branches that went with it: what they had is on the base."""
    kept: str
    """The branch that stays, "" if none."""
    rescued: tuple[str, ...]


class Pruned(NamedTuple):
    seen: Seen
    action: str
    """removed, would remove, kept."""
    reasons: tuple[Reason, ...]
    """Why it was kept."""
    how: str
    """How its HEAD has landed, "" if it has not."""
    removed: Removed | None = None


def remove(project: Project, name: str, *, force: str = "") -> Removed:
    """Remove the worktree called `name`, and its branch where that has landed.

    Refused while anything in it is not on the base. With `force`, a reason, all of it is kept
    first under `refs/ralph/rescue/`; what no ref can keep is refused even so. Ignored files
    go with the worktree. On a failure it is locked again as before.

    Raises: UsageError (unknown_worktree), GuardRefused (main_worktree, current_worktree,
    has_work), NeedsPerson (settings_changed), NotWritable, GitError.
    """
    seen = survey.survey(project, name)[0]
    how = survey.how_landed(project, seen)
    found = survey.reasons(project, seen, how=how)
    final = [reason for reason in found if reason.final]
    if found and (not force or final):
        raise _refusal(project, seen, found, final)
    rescued = _rescue(project, seen, force) if found else ()
    return _remove(project, seen, how=how, rescued=rescued, force=bool(found))


def _refusal(
    project: Project, seen: Seen, found: Sequence[Reason], final: Sequence[Reason]
) -> GuardRefused:
    shown = project.show_path(seen.path)
    where = [{"code": reason.code, "message": reason.message} for reason in found]
    details = {"worktree": seen.name, "path": seen.path, "reasons": where}
    if len(found) == 1 and found[0].code in ("main_worktree", "current_worktree"):
        main = seen.worktree.main
        message = "the main worktree" if main else f"the worktree you are in ({shown})"
        home = shlex.quote(project.repository.home)
        hint = "" if main else f"ralphgit -C {home} worktree remove {shlex.quote(seen.name)}"
        return GuardRefused(
            f"{message} is not removed; nothing was changed",
            code=found[0].code, hint=hint, details=details,
        )  # fmt: skip
    if any(reason.code == "broken" for reason in found):
        home = shlex.quote(project.repository.home)
        return GuardRefused(
            f"the worktree {shown} was not removed: git cannot tell what is in it",
            code="has_work",
            lines=[
                *(f"- {reason.message}" for reason in found),
                "where the command below does not help, keep what you need, and delete the folder",
            ],
            hint=f"git -C {home} worktree repair {shlex.quote(seen.path)}",
            details=details,
        )
    hint, lines = f"ralphgit worktree remove {shlex.quote(seen.name)} --force REASON", []
    if final:
        hint = "clear that up by hand, then repeat"
        if all(reason.code == "submodules" for reason in final):
            inner = "git push --all origin"
            hint = f"git -C {shlex.quote(seen.path)} submodule foreach {shlex.quote(inner)}"
    else:
        lines = ["with --force it is saved in a rescue ref first"]
        if any(reason.code == "not_landed" for reason in found) and project.base.remote:
            command = f"ralphgit worktree remove {shlex.quote(seen.name)} --fetch"
            lines.insert(0, f"if it was merged meanwhile: {command}")
    return GuardRefused(
        f"the worktree {shown} was not removed: it has work that would be lost",
        code="has_work",
        lines=[*(f"- {reason.message}" for reason in found), *lines],
        hint=hint,
        details=details,
    )


def _rescue(project: Project, seen: Seen, why: str) -> tuple[str, ...]:
    """Keep all that the worktree has and the base has not: the refs that hold it."""
    task, claim, by = f"worktree-{seen.name}", seen.worktree.head[:12], seen.name
    trailers = ""
    if seen.held:
        task, claim, by = seen.held[0]
        trailers = f"\nRalph-Task: {task}\nRalph-Claim: {claim}\n"
    message = (
        f"Rescue of worktree {seen.name}\n\n"
        f"What was not committed in {seen.path} when {by} was removed: {' '.join(why.split())}\n"
        f"{trailers}"
    )
    if not seen.worktree.head:
        return ()
    if seen.missing:
        found = rescue_refs.commit(project, seen.worktree.head, task, claim)
    else:
        found = rescue_refs.worktree(project, seen.path, task, claim, by, message=message)
    return (found.ref,) if found.ref else ()


def _remove(
    project: Project, seen: Seen, *, how: str, rescued: tuple[str, ...], force: bool
) -> Removed:
    git, worktree = project.repository.git, seen.worktree
    watched_settings.forget(project, seen.git_dir)  # which only from there can be compared
    runtime_files.exclude(project)  # else .ralph/ is one more thing that git finds in it
    if worktree.locked:
        git_worktrees.unlock(git, seen.path)
    try:
        git_worktrees.remove(git, seen.path, force=force)
    except BaseException as error:  # also a signal: what stays keeps its lock
        if worktree.locked:
            git_worktrees.lock(git, seen.path, reason=worktree.reason)
        if isinstance(error, RalphError) and not isinstance(error, NotWritable):
            message = f"git did not remove {project.show_path(seen.path)}: {error.message}"
            hint = "see what still runs in it, then repeat the command"
            raise GuardRefused(
                message, code="has_work", hint=hint, details=error.details
            ) from error
        raise
    project.repository.forget_worktrees()
    gone = _remove_branches(project, seen, how)
    branch = seen.branch if f"refs/heads/{seen.branch}" in project.repository.refs else ""
    return Removed(seen, how, gone, "" if branch in gone else branch, rescued)


def _remove_branches(project: Project, seen: Seen, how: str) -> tuple[str, ...]:
    """Remove the worktree's branches that have landed: its own, and the one of a task.

    Only ones that `worktree new` and the loop make; nobody else's, never the base.
    """
    git, known = project.repository.git, project.repository.refs
    own = BRANCHES + seen.name
    wanted = {own: ""}
    if seen.worktree.branch.startswith(TASK_BRANCHES) or seen.worktree.branch == own:
        wanted[seen.worktree.branch] = how
    gone = []
    for branch, landing in wanted.items():
        ref = known.get(branch)
        used = project.worktree_of(branch) is not None or branch == _base(project)
        if ref is None or used:
            continue
        same = branch == seen.worktree.branch and ref.oid == seen.worktree.head
        if not (landing if same else is_landed.landed(project, ref.oid)):
            continue
        if refs.swap(git, branch, new="", old=ref.oid):
            short = branch.removeprefix("refs/heads/")
            git_worktrees.forget_branch(git, short)
            gone.append(short)
    return tuple(gone)


def _base(project: Project) -> str:
    return f"refs/heads/{project.base.branch}"


def prune(project: Project, *, dry_run: bool = False) -> list[Pruned]:
    """Remove every linked worktree that has done its work: landed, clean, no worker in it.

    Kept, besides all that `remove` refuses: the one of the base branch, one with a detached
    HEAD, one whose loop is silent and not gone, and one in which nothing has been done yet.

    Raises: InvalidRecord, GuardRefused (no_commit), NotWritable.
    """
    found = []
    for seen in survey.survey(project):
        if seen.worktree.main:
            continue
        how = survey.how_landed(project, seen)
        why = [*survey.reasons(project, seen, how=how), *_still_wanted(project, seen)]
        if why or dry_run:
            found.append(Pruned(seen, "kept" if why else "would remove", tuple(why), how))
            continue
        try:
            gone = _remove(project, seen, how=how, rescued=(), force=False)
        except (GuardRefused, NeedsPerson) as error:
            reason = Reason(error.code, error.message)
            found.append(Pruned(seen, "kept", (reason,), how))
            continue
        found.append(Pruned(seen, "removed", (), how, gone))
    return found


def prune_branches(project: Project, *, dry_run: bool = False) -> tuple[str, ...]:
    """Remove the loop's local branches that have landed and that no worktree has.

    Returns their short names.
    """
    git, gone = project.repository.git, []
    for branch, ref in project.repository.refs.items():
        if not branch.startswith(TASK_BRANCHES) or project.worktree_of(branch) is not None:
            continue
        if branch == _base(project) or not is_landed.landed(project, ref.oid):
            continue
        if dry_run or refs.swap(git, branch, new="", old=ref.oid):
            short = branch.removeprefix("refs/heads/")
            if not dry_run:
                git_worktrees.forget_branch(git, short)
            gone.append(short)
    return tuple(gone)


def _still_wanted(project: Project, seen: Seen) -> list[Reason]:
    branch = seen.worktree.branch
    beat = seen.beat
    if seen.life == "silent" and beat is not None and beat.host == heartbeat.host():
        return [Reason("silent", f"its loop is silent, and process {beat.pid} still exists")]
    if branch == _base(project):
        return [Reason("base_branch", f"it has the base branch {seen.branch}")]
    if not branch:
        return [Reason("detached_head", "its HEAD is detached")]
    if not seen.missing and git_worktrees.fresh(seen.git_dir) and not seen.ahead:
        return [Reason("unused", "nothing has been done in it yet")]
    return []
