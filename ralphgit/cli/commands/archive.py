"""`archive`: move finished tasks and their records into the archive, or back."""

from collections import Counter
from typing import NamedTuple

from ralphgit.app.tasks import archive
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import UsageError
from ralphgit.model.printable import counted

#: What is younger stays, unless it is asked for.
DAYS = 90
#: With more than these, only their number is shown.
_FEW = 20


class Options(NamedTuple):
    tasks: tuple[str, ...] = ()
    older_than: float | None = None
    """In seconds."""
    story: str = ""
    restore: bool = False
    dry_run: bool = False


def run(call: Call, options: Options) -> Outcome:
    tasks = tuple(dict.fromkeys(options.tasks))
    chosen = options.older_than is not None or bool(options.story)
    if tasks and chosen:
        raise UsageError(
            "ids cannot be combined with --older-than or --story", hint="leave one out"
        )
    if options.restore and (chosen or options.dry_run or not tasks):
        raise UsageError("--restore takes ids alone", hint="ralphgit archive --restore ID")
    age = DAYS * 86400.0 if options.older_than is None else options.older_than
    project = call.project()
    with WorktreeLock(project):
        if options.restore:
            done = archive.restore(project, tasks)
        else:
            wanted = archive.ArchiveOptions(tasks, age, options.story, options.dry_run)
            done = archive.archive(project, wanted)
    data = {
        "tasks": list(done.tasks), "records": done.records, "files": list(done.files),
        "left": [{"task": task, "why": why} for task, why in done.left.items()],
        "restored": options.restore, "commit": done.commit, "dry_run": options.dry_run,
    }  # fmt: skip
    return Outcome(data, before=_lines(done, options, age), advice=_advice(project, done))


def _lines(done: archive.ArchiveResult, options: Options, age: float) -> list[str]:
    verb = "restored" if options.restore else "archived"
    verb = f"would be {verb}" if options.dry_run else verb
    lines = [f"{verb}  {safe(task)}" for task in done.tasks] if len(done.tasks) <= _FEW else []
    reasons = Counter(
        f"finished less than {age / 86400:g} days ago" if why.startswith("finished") else why
        for why in done.left.values()
    )
    lines += [f"left: {counted(n, 'task')}: {safe(why)}" for why, n in reasons.items()]
    if not (done.tasks or done.records):
        return [*lines, "Nothing to archive."]
    said = f"{counted(len(done.tasks), 'task')} with {counted(done.records, 'record')} {verb}"
    where = "from" if options.restore else "in"
    return [*lines, f"{said}, {where} {safe(', '.join(done.files))}"]


def _advice(project: Project, done: archive.ArchiveResult) -> tuple[str, ...]:
    if not done.commit:
        return ()
    worktree, base = project.repository.worktree, project.base
    if worktree is not None and worktree.branch == base.ref:
        return (f"Committed as {done.commit[:12]}, on {base.label}.",)
    way = "git push, or a pull request: ralphgit check and diff know what it is"
    return (f"Committed as {done.commit[:12]}. It counts once the base has it: {way}",)
