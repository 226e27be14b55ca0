"""`resolve`: a conflict in the records, merged by task."""

from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.conflicts import open_questions, resolve
from ralphgit.app.conflicts.resolve import Resolved
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe


class Options(NamedTuple):
    dry_run: bool = False
    yields: tuple[str, ...] = ()


def run(call: Call, options: Options) -> Outcome:
    dry_run, yields = options.dry_run, options.yields
    project = call.project()
    if dry_run:
        done = resolve.resolve(project, yields, dry_run=True)
    else:
        with WorktreeLock(project):
            done = resolve.resolve(project, yields)
    return Outcome(
        _data(project, done, dry_run),
        before=[safe(line) for line in _told(project, done, dry_run)],
        error=open_questions.refusal(project, done),
        advice=[safe(line) for line in _next(done, dry_run)],
    )


def _told(project: Project, done: Resolved, dry_run: bool) -> Iterator[str]:
    verb = "would be resolved" if dry_run else "resolved"
    for path, tasks in done.files.items():
        counts: dict[str, list[str]] = {}
        for one in tasks:
            where = done.sides.ours if one.how == "ours" else done.sides.theirs
            how = {"joined": "joined", "yielded": "claim given up"}.get(
                one.how, f"{one.change} on {'both' if one.how == 'both' else where}"
            )
            counts.setdefault(how, []).append(one.task)
        yield f"{verb}: {path}" + (" (gone)" if path in done.removed else "")
        for how, names in counts.items():
            yield f"  {how}: {', '.join(names)}"
    for given in done.yielded:
        kept = f", its work is kept in {given.rescue}" if given.rescue else ""
        would = "would be given up" if dry_run else "is given up"
        yield f"claim {given.claim} of {given.by} on {given.task} {would}{kept}"
        for path in given.records:
            yield f"  taken out: {path}"
    for asked in done.open:
        yield f"left: {asked.file}: {open_questions.sentence(asked)}"
        for stand in open_questions.stands(project, done, asked):
            yield f"  {open_questions.line(stand)}"
    for path in done.others:
        yield f"not a record: {path}"
    if not (done.files or done.open or done.yielded):
        yield "No record is in conflict."


def _next(done: Resolved, dry_run: bool) -> Iterator[str]:
    if done.yielded and not dry_run:
        yield "What was done under the claim is still in this merge: take out what should not stay."
    if done.then and not done.open and not dry_run:
        if done.others:
            yield f"next: resolve {', '.join(done.others)}, git add; then: {done.then}"
        else:
            yield f"next: {done.then}"


def _data(project: Project, done: Resolved, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "operation": done.sides.merge.name or None,
        "ours": done.sides.ours,
        "theirs": done.sides.theirs,
        "base_side": done.sides.landed.value if done.sides.landed else None,
        "resolved": [
            {"file": path, "removed": path in done.removed,
             "tasks": [one._asdict() for one in tasks]}
            for path, tasks in done.files.items()
        ],
        "yielded": [
            {"task": one.task, "claim": one.claim, "worker": one.by,
             "rescue": one.rescue or None, "records": list(one.records)}
            for one in done.yielded
        ],
        "open": [
            {"file": one.file, "task": one.task or None, "code": one.question.code,
             "message": open_questions.sentence(one), "about": list(one.question.about),
             "sides": [stand._asdict() for stand in open_questions.stands(project, done, one)]}
            for one in done.open
        ],
        "others": list(done.others),
        "next": done.then or None,
    }  # fmt: skip
