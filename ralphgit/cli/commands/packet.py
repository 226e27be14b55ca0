"""`packet`: all that a worker needs for a task, as YAML."""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.handoff import packet
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen
from ralphgit.model.ids import parse_task_id


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings)
    made = packet.packet(project, parse_task_id(str(options["task"])))
    text = packet.encoded(project, made).decode("utf-8")
    return Outcome({"packet": packet.stored(made)}, before=text.splitlines())
