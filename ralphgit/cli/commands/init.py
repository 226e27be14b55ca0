"""`init`: begin a task graph here, or take that back."""

from __future__ import annotations

from collections.abc import Sequence

from ralphgit.app.base import opening
from ralphgit.app.setup import init_plan, managed_files, undo_plan
from ralphgit.app.setup.file_actions import Step
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe
from ralphgit.errors import UsageError

_DONE = {
    "create": "created", "change": "changed", "renew": "renewed", "remove": "removed",
    "keep": "kept",
}  # fmt: skip


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings)
    undo, dry = bool(options.get("undo")), bool(options.get("dry_run"))
    if undo and (wrong := next((n for n in ("layout", "no_agents", "ci") if n in options), "")):
        flag = f"--{wrong.replace('_', '-')}"
        raise UsageError(f"{flag} does not go with --undo", hint="ralphgit init --help")
    if dry:
        planned = _plan(project, options)
    else:
        with WorktreeLock(project):
            planned = _plan(project, options)
            init_plan.apply(project, planned)
    words = {verb: verb for verb in _DONE} if dry else _DONE
    lines = [_line(step, words[step.verb]) for step in planned]
    data: dict[str, object] = {
        done: [step.name for step in planned if step.verb == verb] for verb, done in _DONE.items()
    }
    data["why"] = {step.name: step.why for step in planned if step.why}
    return Outcome({**data, "dry_run": dry}, before=lines, advice=_advice(planned, undo, dry))


def _plan(project: Project, options: dict[str, object]) -> list[Step]:
    skill = str(options.get("skill", ""))
    if options.get("undo"):
        return undo_plan.plan(project, skill=skill)
    wishes = init_plan.Wishes(
        layout=str(options.get("layout", "")),
        agents=not options.get("no_agents"),
        skill=skill,
        ci=str(options.get("ci", "")),
    )
    return init_plan.plan(project, wishes)


def _line(step: Step, word: str) -> str:
    why = f"  ({step.why})" if step.why else ""
    return f"{word:7}  {safe(step.name)}{safe(why)}"


def _advice(planned: Sequence[Step], undo: bool, dry: bool) -> tuple[str, ...]:
    changes = any(step.verb != "keep" for step in planned)
    if not undo and not dry:
        job = managed_files.JOBS["gitlab"]
        told = (f"Put this into .gitlab-ci.yml: {managed_files.INCLUDE}",)
        made = any(step.name == job and step.verb == "create" for step in planned)
        return (*told * made, "Next: ralphgit add --title TEXT; then git add, git commit")
    if not undo:
        return ()
    if not changes:
        return ("There is nothing of init's to take back.",)
    return () if dry else ("Next: git status shows what of it was committed.",)
