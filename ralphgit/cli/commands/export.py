"""`export`: the tasks for other tools, and for `import`."""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.exchange import export_tasks
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe, safe_lines
from ralphgit.model.printable import counted


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    name = str(options.get("file", "-"))
    file = "" if name == "-" else name
    wanted = export_tasks.ExportOptions(
        form=str(options.get("format", "jsonl")),
        file=file,
        at=str(options.get("at", "")),
        force=bool(options.get("force")),
    )
    done = export_tasks.export(opening.project(around, warnings), wanted)
    data = {
        "format": wanted.form,
        "tasks": done.tasks,
        "file": file or None,
        "text": None if file else done.text,
    }
    if file:
        tasks = counted(done.tasks, "task")
        return Outcome(data, before=(f"{tasks} written to {safe(file)}",))
    # A file or a pipe gets every byte; a terminal nothing that it would act on.
    text = done.text.removesuffix("\n")
    return Outcome(data, before=safe_lines(text) if screen.terminal else [text] if text else [])
