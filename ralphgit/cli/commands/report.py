"""`report`: the whole of it as one HTML file."""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.report import publish
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe, safe_lines


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    name = str(options.get("file", ""))
    wanted = publish.PageOptions(
        file="" if name == "-" else name,
        stdout=name == "-",
        at=str(options.get("at", "")),
        force=bool(options.get("force")),
    )
    done = publish.publish(opening.project(around, warnings), wanted)
    text = None if done.file else done.page.decode("utf-8")
    data = {
        "file": done.file or None,
        "tasks": done.tasks,
        "bytes": len(done.page),
        "text": text,
    }
    if text is None:
        return Outcome(data, before=(safe(done.file),))
    # A pipe gets every byte; a terminal nothing that it would act on.
    text = text.removesuffix("\n")
    return Outcome(data, before=safe_lines(text) if screen.terminal else [text])
