"""Read and send the heartbeats of loops in other clones: `refs/ralph/beats/<worker>` (SPEC 9).

A lease whose loop beats no more, because another has its name now, say, is known by itself: since
when this repository has seen it.

The clocks of two machines differ, by hours if somebody has moved one. So the time in a beat is
shown and decides nothing: what counts is for how long this repository has seen the same beat, by
its own clock. That begins with the fetch that brought it, and a clone that is new knows nothing
of the time before.
"""

import json
import os
from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.app.active_claims.other_bases import elsewhere, has_remote_leases
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.heartbeat import Heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.git import remote
from ralphgit.git.run_git import Git
from ralphgit.model.active_claim import Lease
from ralphgit.records import runtime_notes

#: One ref for each worker that runs a loop.
PLACE = "refs/ralph/beats/"
#: The remote's, as they were last fetched, below its name.
_THERE = "refs/ralph/elsewhere-beats/"
_MOST_BYTES = 16 * 1024


class Seen(NamedTuple):
    """The last sign of a loop in another clone, mostly on another machine."""

    beat: Heartbeat
    since: float
    """When this repository first saw it, in seconds since 1970 by the clock here."""


def mirror(project: Project) -> dict[str, str]:
    """What a fetch is to bring along: the remote's beats, and where they go here."""
    return {PLACE: _there(project)} if has_remote_leases(project) else {}


def _there(project: Project) -> str:
    return f"{_THERE}{project.base.remote}/"


def note_seen(project: Project) -> None:
    """Note when each beat and lease that was fetched was first seen here. Raises: NotWritable."""
    places, now = (_there(project), elsewhere(project)), project.around.now()
    known, path = _noted(project), _path(project)
    found: dict[str, object] = {}
    for name, ref in project.repository.refs.items():
        if name.startswith(places):
            at = known.get(ref.oid)
            # A clock that was set back makes no beat older.
            found[ref.oid] = min(float(at), now) if isinstance(at, (int, float)) else now
    if found != known and (found or known):
        runtime_notes.write(path, found)


def every(project: Project) -> dict[str, Seen]:
    """The loops of other clones, on this machine and on others, as last fetched, by worker.

    Reads only. Those of this repository's own worktrees are read where they lie.
    """
    place = _there(project)
    names = {
        name.removeprefix(place): ref.oid
        for name, ref in project.repository.refs.items()
        if name.startswith(place)
    }
    if not names:
        return {}
    noted, now = _noted(project), project.around.now()
    blobs = project.repository.objects.read(names.values())
    found = {}
    own = {heartbeat.read(one.path) for one in project.repository.worktrees if one.exists}
    here = {beat.process for beat in own if beat is not None}
    for worker, oid in names.items():
        beat = _parse(blobs.get(oid, b""))
        if beat is not None and beat.process not in here:
            at = noted.get(oid)
            found[worker] = Seen(beat, float(at) if isinstance(at, (int, float)) else now)
    return found


def lease_age(project: Project, lease: Lease) -> float:
    """How long this repository has seen a lease of another machine, in seconds; 0 if unknown."""
    at, now = _noted(project).get(lease.oid), project.around.now()
    return now - min(float(at), now) if isinstance(at, (int, float)) else 0.0


def of_lease(beats: Mapping[str, Seen], lease: Lease) -> Seen | None:
    """The last sign of the loop that has a lease; None where no loop is known to have it."""
    seen = beats.get(lease.by)
    return seen if seen is not None and seen.beat.host == lease.host else None


def send(git: Git, where: str, beat: Heartbeat, *, timeout: float) -> None:
    """Set the ref of the worker on the remote. Raises: RemoteUnavailable, PushRefused."""
    data = json.dumps(beat._asdict(), sort_keys=True).encode()
    oid = git.run("hash-object", "-w", "--stdin", "--no-filters", stdin=data).decode().strip()
    remote.push(git, where, oid, PLACE + beat.worker, old=None, timeout=timeout, hooks=False)


def take_away(git: Git, where: str, worker: str, *, timeout: float) -> None:
    """Take the worker's ref off the remote: it has ended in good order.

    Raises: RemoteUnavailable, PushRefused.
    """
    remote.push(git, where, "", PLACE + worker, old=None, timeout=timeout, hooks=False)


def _parse(data: bytes) -> Heartbeat | None:
    try:
        value = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        return None
    return heartbeat.parse(value) if isinstance(value, dict) else None


def _noted(project: Project) -> Mapping[str, object]:
    return runtime_notes.read(_path(project))


def _path(project: Project) -> str:
    return os.path.join(project.repository.common_dir, "ralphgit", "beats-seen.yaml")
