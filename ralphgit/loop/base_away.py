"""Wait for a base that cannot be read, or whose remote does not say where it is.

Neither is a fault of the task that is worked on.
"""

from __future__ import annotations

from contextlib import suppress

from ralphgit.app.base import fetch
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RemoteUnavailable
from ralphgit.loop import resume
from ralphgit.loop.event_log import Journal
from ralphgit.loop.loop_options import Say
from ralphgit.loop.waiting import Pauses
from ralphgit.model.config import Config


class BaseAway:
    """What one loop does while the base is away."""

    def __init__(self, config: Config, pauses: Pauses, journal: Journal, say: Say) -> None:
        self._config, self._pauses, self._journal, self._say = config, pauses, journal, say

    def wait_until_readable(self, project: Project) -> None:
        """Wait until the base's graph can be read, or a stop is asked for."""
        told, times = "", 0
        while (fault := resume.base_fault(project)) is not None:
            if told != str(fault):
                told = str(fault)
                self._journal.write("base-unreadable", message=told)
                self._say(f"{told}; waiting until it can be read, and no task is charged")
            times += 1
            self._pauses.after_failure(times, self._config)
            if self._pauses.stop_wanted():
                return
            with suppress(RemoteUnavailable):
                fetch.synchronise(project)
        if told:
            self._say(f"the graph on {project.base.label} can be read again")

    def ask_remote(self, project: Project) -> None:
        """Wait until the remote has said where the base is, whoever has moved the tracking branch.

        Raises: RemoteUnavailable where a stop is asked for meanwhile.
        """
        said = (
            f"{project.base.label} has moved while the agent worked, and its remote cannot be "
            "asked where it is"
        )
        times = 0
        while not _asked(project):
            if not times:
                self._journal.write("unreachable", message=said)
                self._say(f"{said}; waiting until it can be")
            times += 1
            self._pauses.after_failure(times, self._config)
            if self._pauses.stop_wanted():
                raise RemoteUnavailable(said)


def _asked(project: Project) -> bool:
    try:
        return fetch.synchronise(project)
    except RemoteUnavailable:  # where the settings require it
        return False
