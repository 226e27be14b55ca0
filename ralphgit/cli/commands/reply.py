"""`reply`: answer what a blocked task asks."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.base import opening
from ralphgit.app.handoff import reply
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe, stored_task
from ralphgit.errors import UsageError
from ralphgit.model.ids import parse_task_id


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    task = parse_task_id(str(options["task"]))
    text = reply.words(str(options["text"]), f'ralphgit reply {task} "TEXT"')
    by = str(options.get("by", "")).strip()
    if not by.isprintable() or ("by" in options and not by):
        raise UsageError("a name is one line of printable text", hint="--by NAME")
    project = opening.project(around, warnings)
    found = reply.reply(
        project,
        reply.ReplyOptions(
            task=task,
            text=text,
            by=by,
            push=not options.get("no_push"),
            fetch=not options.get("no_fetch"),
        ),
    )
    done = found.done
    project.refresh()
    row, task_state = next_tasks.on_base(project, done.task, commit=done.commit)
    where = project.base.label if done.pushed or not project.base.remote else project.base.branch
    lines = [
        f"{row.id} is answered and {task_state.state} again (epoch {row.epoch}), "
        f"commit {done.commit[:12]} on {where}",
        *(f"Kept: {safe(ref)}" for ref in done.rescued),
        f"The answer is in {found.record}, and in the next prompt of {row.id}.",
    ]
    if found.inbox:
        lines.append(f"The asking worktree has it too: {safe(project.show_path(found.inbox))}")
    if found.fenced:
        lines.append(
            f"The block in {safe(found.fenced)} can no longer land: there, once nothing else waits "
            f"to land, git reset --hard {project.base.label}"
        )
    return Outcome(
        stored_task(
            row,
            task_state,
            rescued=list(done.rescued),
            claim=done.claim,
            commit=done.commit,
            pushed=done.pushed,
            record=found.record,
            inbox=found.inbox or None,
        ),
        before=lines,
    )
