"""`reply`: answer what a blocked task asks."""

import shlex
from typing import NamedTuple

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.handoff import inbox_notes, reply
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, stored_task
from ralphgit.cli.where_landed import once_merged, stored, where_landed
from ralphgit.errors import UsageError


class Options(NamedTuple):
    task: str
    text: str
    by: str | None = None
    push: bool = True
    fetch: bool = True


def run(call: Call, options: Options) -> Outcome:
    task = options.task
    text = reply.words(options.text, f'ralphgit reply {task} "TEXT"')
    by = (options.by or "").strip()
    if not by.isprintable() or (options.by is not None and not by):
        raise UsageError("a name must be one line of printable text", hint="--by NAME")
    project = call.project()
    answer = reply.ReplyOptions(task, text, by, push=options.push, fetch=options.fetch)
    if (left := reply.note(project, answer)) is not None:
        return _noted(project, left)
    found = reply.reply(project, answer._replace(fetch=False))
    done = found.done
    row, task_state = next_tasks.on_base(project, done.task, commit=done.commit)
    where = where_landed(project, pushed=done.pushed)
    said = (
        f"{row.id} is answered and {task_state.state} again (epoch {row.epoch}), "
        f"commit {done.commit[:12]} on {where}"
    )
    if done.pull is not None:
        becomes = f"{task_state.state} (epoch {row.epoch})"
        said = f"{row.id} is answered, and becomes {becomes} {once_merged(project, done.pull)}"
        row, task_state = next_tasks.on_base(project, done.task)
    lines = [
        said,
        *(f"Kept: {safe(ref)}" for ref in done.rescued),
        f"The answer is in {found.record}, and in the next prompt of {row.id}.",
    ]
    if found.inbox:
        lines.append(f"The asking worktree has it too: {safe(project.show_path(found.inbox))}")
    if found.fenced:
        lines.append(
            f"The block in {safe(found.fenced)} can no longer land: there, once nothing else waits "
            f"to land, git reset --hard {shlex.quote(project.base.label)}"
        )
    about = {"rescued": done.rescued, "claim": done.claim, "commit": done.commit}
    told = {"pushed": done.pushed, "record": found.record, "inbox": found.inbox or None,
            "pull": stored(done.pull)}  # fmt: skip
    return Outcome(stored_task(row, task_state, **about, **told), before=lines)


def _noted(project: Project, left: inbox_notes.Left) -> Outcome:
    """Report a note to a worker; the task is as it was."""
    row, task_state = next_tasks.on_base(project, left.task)
    path = safe(project.show_path(left.path))
    lines = (
        f"{left.worker} works on {left.task}: the note is in its inbox, {path}, and in its next "
        "prompt; the task stays as it is.",
    )
    return Outcome(stored_task(row, task_state, inbox=left.path), before=lines)
