"""Word what a conflict leaves for a person to decide."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.conflicts.resolve import Resolved
from ralphgit.app.conflicts.task_merge import Open
from ralphgit.app.conflicts.yield_claim import change_id, landed
from ralphgit.app.workspace.project import Project
from ralphgit.errors import ClaimLost, RalphError, Refused
from ralphgit.model.printable import counted
from ralphgit.model.task import Lifecycle
from ralphgit.model.three_way_merge import Side


class Stand(NamedTuple):
    """The state of a task on one side."""

    whose: str
    """`base`, `branch`; `head`, `other` where neither is known to have landed."""
    where: str
    status: str
    worker: str
    claim: str
    """The id of the claim, or of the record in its place."""
    since: str
    epoch: int


_CALLED = {"base": "the base's", "branch": "the branch's", "head": "HEAD's", "other": "the other's"}


def stands(project: Project, resolved: Resolved, one: Open) -> list[Stand]:
    """Describe a task on both sides, the base's first; only where its state is the question."""
    if one.lives is None or one.question.code not in ("double_claim", "deleted"):
        return []
    # Either side may be the one that has not touched the task.
    double = one.question.code == "double_claim"
    base = landed(project, resolved.sides, one) if double else resolved.sides.landed
    found = []
    for side in Side if base is None else (base, base.other):
        if (life := one.lives.of(side)) is not None:
            if base is None:
                whose = "head" if side is Side.OURS else "other"
            else:
                whose = "base" if side is base else "branch"
            found.append(_stand(whose, resolved.sides.name(side), life))
    return found


def _stand(whose: str, where: str, life: Lifecycle) -> Stand:
    record = life.reset or life.cancelled or life.claim
    since = record.at if record else ""
    for end in (life.result, life.blocked):
        since = end.at if end else since
    return Stand(
        whose, where, life.status.value, record.by if record else "", change_id(life), since,
        life.epoch,
    )  # fmt: skip


def line(stand: Stand) -> str:
    """Word the state of one side for people."""
    who = f" by {stand.worker}" if stand.worker else ""
    reset = f", reset{who} (epoch {stand.epoch})" if stand.status == "pending" and who else who
    claim = f", claim {stand.claim}" if stand.claim else ""
    since = f", {stand.since}" if stand.since else ""
    return f"{_CALLED[stand.whose]} ({stand.where}): {stand.status}{reset}{claim}{since}"


def sentence(one: Open) -> str:
    """Word the question."""
    about = ", ".join(one.question.about)
    thing = one.task or one.file
    known = {
        "double_claim": f"{thing} has two claims or state changes, and only one of them can stay",
        "same_id": f"both sides have added {thing}, and they differ in {about}",
        "deleted": f"one side has removed {thing}, and the other has changed it",
        "field": f"both sides have changed {about} of {thing}",
        "moved": f"both sides have moved {thing}: to {' and to '.join(one.question.about)}",
        "order": f"both sides have reordered {thing}",
        "comments": f"both sides have changed comments of {thing}"
        + (f" at {about}" if about else ""),
        "layout": f"{thing} cannot be merged without touching more than the changes",
        "frame": f"both sides have changed lines of {thing} outside its tasks",
        "duplicate_id": f"the id {thing} would be used twice ({about})",
        "unreadable": one.says or about,
        "waits": f"{thing} waits until {about} is decided",
        "not_plain": f"{thing} is a link or a submodule on one side",
        "edited": f"{thing} was edited, by hand or by rerere, since git merged it",
        "record_edited": f"both sides have edited {thing} differently, and it is never edited",
        "record_deleted": f"{thing} was removed on one side and changed on the other",
        "same_path": f"both sides have added {thing}, with different content",
    }
    return known[one.question.code]


def refusal(project: Project, resolved: Resolved) -> RalphError | None:
    """Make the error of `resolve` where records are still in conflict."""
    if not resolved.open:
        return None
    doubles = [one for one in resolved.open if one.question.code == "double_claim"]
    if doubles:
        names = ", ".join(one.task for one in doubles)
        hint, other = _ways_out(project, resolved, doubles[0])
        return ClaimLost(
            f"{names}: two claims conflict, and one of them has to be given up",
            code="double_claim",
            hint=hint,
            lines=[f"to go on without the branch's claim: {other}"] if other else (),
            details={"tasks": [one.task for one in doubles]},
        )
    hint, line = _decision(resolved.open)
    return Refused(
        f"{counted(len(resolved.open), 'conflict')} left for you to decide",
        code="undecided",
        hint=hint,
        lines=[line],
    )


def _ways_out(project: Project, resolved: Resolved, one: Open) -> tuple[str, str]:
    """Return the commands out of a double claim: to abort, and to go on without the branch's claim;
    one where there is no other."""
    name = resolved.sides.merge.name
    base = landed(project, resolved.sides, one)
    if base is None:
        return f"ralphgit resolve --yield {one.task}/CLAIM", ""
    on = f"ralphgit resolve --yield {one.task}"
    if name in ("merge", "rebase") and _own_branch(resolved, base):
        # It keeps the work of a claim that is lost.
        return f"git {name} --abort && ralphgit complete {one.task}", on
    return (f"git {name} --abort", on) if name else (on, "")


def _own_branch(resolved: Resolved, base: Side) -> bool:
    """Whether the branch that is checked out is the one that has the claim."""
    return base is (Side.OURS if resolved.sides.merge.name == "rebase" else Side.THEIRS)


def _decision(left: Sequence[Open]) -> tuple[str, str]:
    """Return the command for a file that is right as it is, and what else can be done."""
    edited = next((one for one in left if one.question.code == "edited"), None)
    if edited is not None:
        file, shown = shlex.quote(edited.file), edited.file
        again = f"git checkout --merge -- {file} && ralphgit resolve"
        return f"git add {file}", f"to have {shown} decided again: {again}"
    shown = next(one for one in left if one.question.code != "waits").file
    return f"git add {shlex.quote(shown)}", f"decide it in {shown} first"
