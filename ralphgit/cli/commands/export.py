"""`export`: the tasks for other tools, and for `import`."""

from __future__ import annotations

import shlex

from ralphgit.app.exchange import export_tasks
from ralphgit.app.exchange.export_tasks import ExportOptions
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, safe_lines
from ralphgit.errors import UsageError
from ralphgit.model.printable import counted

Options = ExportOptions


def run(call: Call, options: ExportOptions) -> Outcome:
    if options.tick:
        return _tick(call, options)
    file = "" if options.file == "-" else options.file
    done = export_tasks.export(call.project(), options._replace(file=file))
    data = {
        "format": options.form,
        "tasks": done.tasks,
        "file": file or None,
        "text": None if file else done.text,
    }
    if file:
        tasks = counted(done.tasks, "task")
        return Outcome(data, before=(f"{tasks} written to {safe(file)}",))
    # A file or a pipe gets every byte; a terminal nothing that it would act on.
    text = done.text.removesuffix("\n")
    lines = safe_lines(text) if call.screen.terminal else [text] if text else []
    return Outcome(data, before=lines)


def _tick(call: Call, options: ExportOptions) -> Outcome:
    if options.file or options.form != ExportOptions().form:
        message = "--tick marks tasks in the files that it names, and exports nothing else"
        raise UsageError(message, hint=f"ralphgit export --tick {shlex.quote(options.tick[0])}")
    from ralphgit.app.exchange import tick_sources
    from ralphgit.app.workspace.locks import WorktreeLock

    project = call.project()
    with WorktreeLock(project):
        files = tick_sources.tick(project, options.tick, at=options.at)
    lines = []
    for one in files:
        name = safe(one.file)
        some = ", ".join(one.tasks) if one.tasks else "nothing"
        if one.tasks or len(files) == 1:
            lines.append(f"marked as done in {name}: {some}")
        if one.missing:
            lines.append(f"not found in {name}, or in other words: {', '.join(one.missing)}")
        if one.waiting:
            lines.append(f"marked once what is inside is complete: {', '.join(one.waiting)}")
    if len(files) > 1 and not any(one.tasks for one in files):
        lines.append(f"marked as done in {len(files)} files: nothing")
    ticked = [
        {**one._asdict(), "tasks": [*one.tasks], "missing": [*one.missing],
         "waiting": [*one.waiting]}
        for one in files
    ]  # fmt: skip
    number = sum(len(one.tasks) for one in files)
    data = {"format": None, "tasks": number, "file": None, "text": None, "ticked": ticked}
    return Outcome(data, before=lines)
