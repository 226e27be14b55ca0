"""Tell which loops work, and which provide what a task needs (`needs`, SPEC 9): by heartbeats.

A loop says in its heartbeat what its machine has. Those of this repository's worktrees are read
where they lie; those of other machines as they were last fetched.
"""

from collections.abc import Iterator, Sequence

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.stale_holders import is_silent
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.heartbeat import Heartbeat


def running(claim_map: ClaimMap, needs: Sequence[str]) -> tuple[str, ...]:
    """The workers whose loop gives a sign of life, and that provide all of `needs`. Reads only."""
    beats = {**dict(_here(claim_map)), **dict(_elsewhere(claim_map))}
    return tuple(
        name for name, beat in sorted(beats.items()) if {*needs} <= {*beat.provides.split(",")}
    )


def others_work(claim_map: ClaimMap) -> bool:
    """Whether another loop gives a sign of life that takes tasks, too. Reads only."""
    own, beats = claim_map.project.worker, (*_here(claim_map), *_elsewhere(claim_map))
    return any(name != own and beat.role != heartbeat.REVIEW for name, beat in beats)


def _here(claim_map: ClaimMap) -> Iterator[tuple[str, Heartbeat]]:
    for worktree in claim_map.project.repository.worktrees:
        beat = heartbeat.read(worktree.path)
        if beat is not None and not heartbeat.gone(beat):
            yield beat.worker, beat


def _elsewhere(claim_map: ClaimMap) -> Iterator[tuple[str, Heartbeat]]:
    now = claim_map.project.around.now()
    for name, seen in claim_map.beats.items():
        if not is_silent(seen, now):
            yield name, seen.beat
