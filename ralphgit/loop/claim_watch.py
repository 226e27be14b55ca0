"""Check now and then, while an agent works, that its claim is not lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ralphgit.app.active_claims import lost_claims, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import fetch
from ralphgit.app.processes import watched_settings
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.errors import NeedsPerson, RalphError
from ralphgit.loop.event_log import Journal
from ralphgit.model.active_claim import Lease

#: Why an agent is stopped.
LOST = "lost"


class Watch:
    """Checks in its own thread, since reading the agent's output must not wait for a fetch.

    Used as a context; leaving it in good order waits for a question that is still asked, so
    that no check runs in the repository afterwards.
    """

    def __init__(self, ask: Callable[[], str], every: float) -> None:
        """`ask` says why the agent has to stop, "" if it has not; `every` is in seconds."""
        self._ask, self._every = ask, every
        self._why = ""
        self._refused: NeedsPerson | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._ended.set()
        if kind is None:
            self._thread.join()

    def why(self) -> str:
        """Return why the agent has to stop; "" as long as it need not.

        Raises: NeedsPerson (settings_changed), where a check could not trust git any more.
        """
        if self._refused is not None:
            raise self._refused
        return self._why

    def _run(self) -> None:
        while not self._why and not self._ended.wait(self._every):
            try:
                self._why = self._ask()
            except NeedsPerson as error:
                self._refused = error
                return


def reason_to_stop(around: Surroundings, journal: Journal, lease: Lease) -> str:
    """Return LOST if the claim is known to be lost or given up; else "".

    Raises: NeedsPerson (settings_changed).
    """
    project: Project | None = None
    try:
        project = Project.open(around, [])
        fetch.synchronise(project)
        if own_claims.given_up(project.view("HEAD", "HEAD"), lease) is not None:
            return LOST
        claim_map = ClaimMap(project)
        lost = lost_claims.winner_over(claim_map, lease) or lost_claims.asked_anew(claim_map, lease)
        return LOST if lost else ""
    except RalphError as error:
        if error.code == watched_settings.CHANGED:
            raise
        journal.write("unchecked", task=lease.task, message=error.message)
        return ""
    finally:
        if project is not None:
            project.repository.close()
