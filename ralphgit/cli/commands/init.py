"""`init`: begin a task graph here, or take that back."""

from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.setup import init_plan, managed_files, undo_plan
from ralphgit.app.setup.file_actions import Step
from ralphgit.app.setup.init_plan import Wishes
from ralphgit.app.workspace import base_branch
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import InvalidRecord, UsageError

_DONE = {
    "create": "created", "change": "changed", "renew": "renewed", "remove": "removed",
    "keep": "kept",
}  # fmt: skip


class Options(NamedTuple):
    wishes: Wishes = Wishes()
    dry_run: bool = False
    undo: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    undo, dry, wishes = options.undo, options.dry_run, options.wishes
    given = {"--layout": wishes.layout, "--no-agents": not wishes.agents, "--ci": wishes.ci}
    if undo and (wrong := next((flag for flag in given if given[flag]), "")):
        raise UsageError(f"{wrong} cannot be combined with --undo", hint="ralphgit init --help")
    unchosen = (
        None
        if undo
        else base_branch.unchosen(project.repository, project.base, project.config.base)
    )
    if unchosen is not None:
        project.warn(f"{unchosen.message}: {unchosen.hint}")
    landing = "" if undo or dry else _landing(project)  # before git's settings are changed
    if dry:
        planned, begun = _plan(project, options), False
    else:
        with WorktreeLock(project):
            planned, begun = _plan(project, options), _has_tasks(project)
            init_plan.apply(project, planned)
    words = {verb: verb for verb in _DONE} if dry else _DONE
    lines = [_line(step, words[step.verb]) for step in planned]
    data: dict[str, object] = {
        done: [step.name for step in planned if step.verb == verb] for verb, done in _DONE.items()
    }
    data["why"] = {step.name: step.why for step in planned if step.why}
    advice = _advice(landing, planned, undo, dry, begun=begun)
    return Outcome({**data, "dry_run": dry}, before=lines, advice=advice)


def _plan(project: Project, options: Options) -> list[Step]:
    if options.undo:
        return undo_plan.plan(project, skill=options.wishes.skill)
    return init_plan.plan(project, options.wishes)


def _line(step: Step, word: str) -> str:
    why = f"  ({step.why})" if step.why else ""
    return f"{word:7}  {safe(step.name)}{safe(why)}"


def _has_tasks(project: Project) -> bool:
    try:
        return bool(project.here.rows)
    except InvalidRecord:
        return True  # `check` says what is wrong with it


def _landing(project: Project) -> str:
    """Say how finished work gets into the base here."""
    from ralphgit.app.landing import land_way

    how = {
        "merge": "is merged into the base", "pr": "goes into a pull request",
        "none": "stays on its branch",
    }[land_way.of(project)]  # fmt: skip
    return f"Finished work {how} here (land.mode = {project.config.land_mode})."


def _advice(
    landing: str, planned: Sequence[Step], undo: bool, dry: bool, *, begun: bool
) -> tuple[str, ...]:
    changes = any(step.verb != "keep" for step in planned)
    if not undo and not dry:
        job = managed_files.JOBS["gitlab"]
        told = (f"Put this into .gitlab-ci.yml: {managed_files.INCLUDE}",)
        made = any(step.name == job and step.verb == "create" for step in planned)
        commit = ("Commit what was made.",) if changes else ()
        following = "ralphgit next" if begun else 'ralphgit add --title "TEXT"'
        return (*told * made, landing, *commit, f"Next: {following}")
    if not undo:
        return ()
    if not changes:
        return ("There is nothing of init's to take back.",)
    return () if dry else ("Next: git status shows what of it was committed.",)
