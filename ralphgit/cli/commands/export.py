"""`export`: the tasks for other tools, and for `import`."""

from __future__ import annotations

from ralphgit.app.exchange import export_tasks
from ralphgit.app.exchange.export_tasks import ExportOptions
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, safe_lines
from ralphgit.model.printable import counted

Options = ExportOptions


def run(call: Call, options: ExportOptions) -> Outcome:
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
