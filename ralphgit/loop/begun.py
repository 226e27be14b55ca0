"""What a worktree has begun, by the records, its lease and its note: where a loop goes on."""

from __future__ import annotations

from ralphgit.app import guard, mine, records, runtime, work
from ralphgit.app.lookaround import Situation
from ralphgit.app.project import Project
from ralphgit.loop.options import Options
from ralphgit.loop.pulls import Pulls
from ralphgit.model.flight import Lease


def unfinished(project: Project, landing: str, pulls: Pulls, told: Options) -> Lease | None:
    """This worktree's claim, or that of a task that has ended here and is still to land.

    Raises: ClaimLost, after what was lost has been given up; GuardRefused (already_working)
    and UnknownTask, where the loop is told just one task.
    """
    if told.task:
        project.base_view.row(told.task)
    found = _unfinished(project, landing, pulls)
    if found is not None and told.task not in ("", found.task):
        raise guard.already_working(found)
    return found


def _unfinished(project: Project, landing: str, pulls: Pulls) -> Lease | None:
    situation = Situation(project)
    for lease in mine.open_claims(project, situation):
        if winner := mine.winner_over(situation, lease):
            raise work.lose(project, lease, winner)
    own = guard.own_claim(project, situation)
    if own is not None:
        return own
    noted = runtime.remembered(project.top)
    end = mine.end_of(project.here, noted) if noted else ""
    if noted is None or not end:
        return None
    if not mine.end_of(project.view("HEAD", "HEAD"), noted):
        # Written and not committed: it was killed in between, and is ended again.
        if end == "blocked":
            records.take_back(project, noted)
        return noted
    if mine.end_of(situation.base, noted):
        return None
    if end == "blocked":
        row = situation.base.by_id.get(noted.task)
        answered = row is not None and row.epoch > noted.epoch
        return noted if landing == "merge" and not answered else None
    return noted if landing != "none" and not pulls.has(project, noted) else None
