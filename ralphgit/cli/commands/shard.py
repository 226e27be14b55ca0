"""`shard`: move the graph between layouts."""

from typing import NamedTuple

from ralphgit.app.tasks import shard
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.model.printable import counted

#: With more files than this, only their number is shown.
_FEW = 20


class Options(NamedTuple):
    layout: str
    dry_run: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    layout, dry_run = options.layout, options.dry_run
    with WorktreeLock(project):
        done = shard.shard(project, layout, dry_run=dry_run)
    tasks = sum(len(ids) for _, ids in done.files)
    data = {
        "layout": layout,
        "files": [{"file": path, "tasks": ids} for path, ids in done.files],
        "written": done.written,
        "removed": done.removed,
        "tasks": tasks,
        "dry_run": dry_run,
    }
    would = "would be " if dry_run else ""
    lines = [
        *_paths(f"{would}written", done.written),
        *_paths(f"{would}removed", done.removed),
        f"{counted(tasks, 'task')} in {counted(len(done.files), 'file')}",
    ]
    if dry_run or not (done.written or done.removed):
        last = "Nothing was written." if dry_run else "That is the layout already."
        return Outcome(data, before=(*lines, last))
    advice = "Staged, not committed: git commit; then let other worktrees merge it first"
    return Outcome(data, before=lines, advice=(advice,))


def _paths(what: str, paths: tuple[str, ...]) -> list[str]:
    if len(paths) > _FEW:
        return [f"{what}: {counted(len(paths), 'file')}"]
    return [f"{what}  {safe(path)}" for path in paths]
