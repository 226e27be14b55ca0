"""Wake somebody now and then while a fleet works: `fleet up --every 10m --wake CMD` (SPEC 7)."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence

from ralphgit.app.processes import run_program
from ralphgit.app.status import overview
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.loop import fleet_leftover, fleet_state
from ralphgit.loop.loop_options import Say
from ralphgit.records import atomic_files

_STATE = os.path.join(runtime_files.FOLDER, "wake.json")
#: How long what is woken may take; until it has ended nothing else is woken.
LIMIT_S = 3600.0
_LOOK_S = 0.5


def watch(
    opened: Callable[[], Project], worktrees: Sequence[str], command: str, every: float, say: Say
) -> None:
    """Run `command` by sh every `every` seconds until the loops in `worktrees` have ended, and
    once more then. It gets the state as a JSON object on stdin; what it prints is passed on.

    The loops do not depend on this: they go on when it is interrupted.

    Raises: NotWritable.
    """
    due = time.monotonic() + every
    while True:
        over = not any(map(fleet_state.runs, worktrees))
        if over or time.monotonic() >= due:
            project = opened()
            try:
                _wake(project, command, "ended" if over else "tick", say)
            finally:
                project.repository.close()
            due = time.monotonic() + every
        if over:
            return
        time.sleep(_LOOK_S)


def _wake(project: Project, command: str, event: str, say: Say) -> None:
    path = os.path.join(project.top, _STATE)
    data = json.dumps(state(project, event)).encode() + b"\n"
    atomic_files.write(path, data, durable=False, follow=False)
    printed: list[bytes] = []
    ended = run_program.run(
        ["/bin/sh", "-c", command], top=project.top, environ=project.around.environ,
        timeout=LIMIT_S, hear=printed.append, stdin=path,
    )  # fmt: skip
    for line in b"".join(printed).decode("utf-8", "replace").splitlines():
        say(f"| {line}")
    if ended.how == run_program.TIMED_OUT:
        say(f"what was woken was stopped after {LIMIT_S:.0f} s: {command}")
    elif ended.code:
        say(f"what was woken ended with exit code {ended.code}: {command}")


def state(project: Project, event: str) -> dict[str, object]:
    """Return what who is woken is told: the loops, the tasks by state, and what needs a person."""
    found, left = overview.overview(project), fleet_leftover.leftover(project)
    return {
        "event": event,
        "at": project.now(),
        "workers": [one._asdict() for one in fleet_state.workers(project)],
        "counts": found.counts,
        "attention": [one._asdict() for one in found.attention],
        "left": left._asdict() if left is not None else None,
    }
