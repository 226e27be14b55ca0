"""`packet`: all that a worker needs for a task, as YAML."""

from typing import NamedTuple

from ralphgit.app.handoff import packet
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome


class Options(NamedTuple):
    task: str = ""


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    made = packet.packet(project, options.task)
    text = packet.encoded(project, made).decode("utf-8")
    return Outcome({"packet": packet.stored(made)}, before=text.splitlines())
