"""`stop`: end a loop."""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe
from ralphgit.loop import stop


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings)
    now = bool(options.get("now"))
    name = str(options.get("name", ""))
    asked = stop.stop(project, (name,) if name else (), every=bool(options.get("all")), now=now)
    lines = []
    for one in asked:
        where = safe(project.show_path(one.worktree))
        then = "now; its claim stays" if now else "after its task" if one.task else "now"
        lines.append(f"The loop in {where} (process {one.pid}) ends {then}.")
    return Outcome({"stopped": [one._asdict() for one in asked]}, before=lines or ["No loop runs."])
