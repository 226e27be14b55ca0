"""Show a loop to other machines: its heartbeat is on the remote, too, where leases are (SPEC 9)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ralphgit.app.active_claims import remote_beats
from ralphgit.app.active_claims.other_bases import has_remote_leases
from ralphgit.app.workspace import refused_refs
from ralphgit.app.workspace.heartbeat import Heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NeedsPerson, RemoteUnavailable
from ralphgit.git.remote import PushRefused
from ralphgit.git.run_git import GitError
from ralphgit.loop.loop_options import Say

#: Seconds between two pushes.
INTERVAL_S = 60.0
#: How long a loop that ends waits for a push under way, in seconds.
_PATIENCE_S = 5.0


class RemoteBeat:
    """Pushes the heartbeat that `now` gives once a minute; used as a context.

    A push has a time limit, and what else the loop does never waits for one. A remote that
    declines such a ref is not asked again; one that is away is.
    """

    def __init__(self, project: Project, now: Callable[[], Heartbeat], say: Say) -> None:
        self._project, self._now, self._say = project, now, say
        self._git, self._where = project.repository.git, project.base.remote
        self._timeout = project.config.fetch_timeout
        self._wanted = has_remote_leases(project)
        self._ended = threading.Event()
        self._sent = False
        self._thread = threading.Thread(target=self._run, name="remote-beat", daemon=True)

    def __enter__(self) -> RemoteBeat:
        if self._wanted:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if not self._wanted:
            return
        self._thread.join(_PATIENCE_S)
        if self._sent and not self._now().task:
            try:
                remote_beats.take_away(
                    self._git, self._where, self._now().worker, timeout=self._timeout
                )
            except (RemoteUnavailable, PushRefused):
                return  # it grows old there, which is as true

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                remote_beats.send(self._git, self._where, self._now(), timeout=self._timeout)
                self._sent = True
            except PushRefused as error:
                if refused_refs.is_noted(self._project):
                    return  # a claim has said so
                refused_refs.note(self._project, error.message)
                self._say(f"{error.message}; other machines do not see this loop")
                return
            except (RemoteUnavailable, GitError, NeedsPerson):
                pass  # the next one is as good; what a person has to see, the loop says
            self._ended.wait(INTERVAL_S)
