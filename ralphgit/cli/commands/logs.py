"""`logs`: what the agents printed, and what the loop did."""

import os
import shlex
import sys
import time
from typing import NamedTuple

from ralphgit.app.workspace import worktree_names
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe_lines
from ralphgit.errors import GuardRefused
from ralphgit.loop import agent_logs, event_log, ssh_fleet

_PAUSE_S = 0.5


class Options(NamedTuple):
    name: str = ""
    follow: bool = False
    task: str = ""
    loop: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    names = (options.name,) if options.name else ()
    (worktree,) = ssh_fleet.worktrees(project, names, hint="ralphgit fleet status --fetch")
    top = worktree.path

    def path() -> str:
        if not options.loop:
            try:
                return agent_logs.newest(top, options.task)
            except GuardRefused as error:
                if not options.name and (other := _other(project, top, options.task)):
                    follow = "-f " if options.follow else ""
                    error.hint = f"ralphgit logs {follow}{shlex.quote(other)}"
                raise
        found = os.path.join(top, event_log.FOLDER, event_log.NAME)
        if not os.path.isfile(found):
            raise GuardRefused("no loop has run here", code="no_log", hint="ralphgit run")
        return found

    if not options.follow:
        with open(path(), "rb") as file:
            text = file.read().decode("utf-8", "replace")
        relative = os.path.relpath(path(), top)
        return Outcome({"file": relative, "text": text}, before=safe_lines(text))
    shown = ""
    for current, data in agent_logs.follow(top, path, lambda: time.sleep(_PAUSE_S)):
        if current != shown:
            shown = current
            print(f"==> {os.path.relpath(current, top)} <==", file=sys.stderr)
        for line in safe_lines(data.decode("utf-8", "replace")):
            print(line, flush=True)
    return Outcome({"file": os.path.relpath(shown, top)})


def _other(project: Project, top: str, task: str) -> str:
    """The name of another worktree that has such a log, the newest; "" for none."""
    found = []
    for worktree in project.repository.worktrees:
        if worktree.path != top and worktree.exists:
            try:
                log = agent_logs.newest(worktree.path, task)
            except GuardRefused:
                continue
            found.append((os.path.getmtime(log), worktree_names.name_of(project, worktree)))
    return max(found)[1] if found else ""
