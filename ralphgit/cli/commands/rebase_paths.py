"""`rebase-paths`: the paths of unfinished tasks after a folder has moved."""

import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.tasks import rebase_paths
from ralphgit.app.tasks.rebase_paths import PathChange, Rebased
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.model.printable import counted

#: With more than these, only their number is shown.
_FEW = 40


class Options(NamedTuple):
    old: str
    new: str
    dry_run: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    with WorktreeLock(project):
        done = rebase_paths.rebase_paths(project, options.old, options.new, dry_run=options.dry_run)
    data = {
        "old": done.old,
        "new": done.new,
        "changes": [_shown(one, "from", "to") for one in done.changes],
        "left": [_shown(one, "text", "why") for one in done.left],
        "files": list(done.files),
        "dry_run": options.dry_run,
    }
    advice: tuple[str, ...] = ()
    if done.files and not options.dry_run:
        advice = (f"Not committed: git add {safe(shlex.join(done.files))} && git commit",)
    return Outcome(data, before=[*_lines(done, options)], advice=advice)


def _shown(one: PathChange, first: str, second: str) -> dict[str, str]:
    return {"task": one.task, "field": one.field, first: one.old, second: one.new or one.why}


def _lines(done: Rebased, options: Options) -> Iterator[str]:
    yield from _some([f"{one.task}  {one.field}: {one.old} -> {one.new}" for one in done.changes])
    yield from _some([f"left: {one.task}  {one.field}: {one.old}: {one.why}" for one in done.left])
    if not done.changes:
        where = "" if done.old == "." else f" begins with {done.old}"
        yield safe(f"No path of an unfinished task{where or ' changes'}. Nothing was written.")
        return
    tasks = counted(len({one.task for one in done.changes}), "task")
    verb = "would change" if options.dry_run else "changed"
    yield f"{counted(len(done.changes), 'path')} of {tasks} {verb}"


def _some(lines: Sequence[str]) -> Iterator[str]:
    yield from map(safe, lines[:_FEW])
    if len(lines) > _FEW:
        yield f"... and {len(lines) - _FEW} more"
