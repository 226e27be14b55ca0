"""`stop`: end a loop."""

import shlex
from typing import NamedTuple

from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.loop import ssh_fleet, stop


class Options(NamedTuple):
    name: str = ""
    now: bool = False
    all: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    names = (options.name,) if options.name else ()
    if names:
        down = shlex.join(("ralphgit", "fleet", "down", *names))
        ssh_fleet.worktrees(project, names, hint=down)
    asked = stop.stop(project, names, every=options.all, now=options.now)
    lines = []
    for one in asked:
        where = safe(project.show_path(one.worktree))
        then = "now; its claim stays" if options.now else "after its task" if one.task else "now"
        lines.append(f"The loop in {where} (process {one.pid}) ends {then}.")
    return Outcome({"stopped": [one._asdict() for one in asked]}, before=lines or ["No loop runs."])
