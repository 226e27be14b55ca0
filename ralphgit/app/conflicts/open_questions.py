"""What is left of a conflict to a person, in sentences."""

from __future__ import annotations

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
    """How a task stands on one side."""

    whose: str
    """`base`, `branch`; `head`, `other` where neither is known to have landed."""
    where: str
    status: str
    worker: str
    claim: str
    """The id of the claim, or of what stands in its place."""
    since: str
    epoch: int


_CALLED = {"base": "the base's", "branch": "the branch's", "head": "HEAD's", "other": "the other's"}


def stands(project: Project, resolved: Resolved, one: Open) -> list[Stand]:
    """How a task stands on both sides, the base's first; nothing where that is not the question."""
    if one.lives is None or one.question.code not in ("double_claim", "deleted"):
        return []
    # A task that one side has not touched stands there as on the base, whoever's side it is.
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
    """A side's state for people."""
    who = f" by {stand.worker}" if stand.worker else ""
    reset = f", reset{who} (epoch {stand.epoch})" if stand.status == "pending" and who else who
    claim = f", claim {stand.claim}" if stand.claim else ""
    since = f", {stand.since}" if stand.since else ""
    return f"{_CALLED[stand.whose]} ({stand.where}): {stand.status}{reset}{claim}{since}"


def sentence(one: Open) -> str:
    """What is asked."""
    about = ", ".join(one.question.about)
    thing = one.task or one.file
    known = {
        "double_claim": f"{thing} has two changes of who has it, and a merge joins none",
        "same_id": f"both sides have added {thing}, and not the same (they differ in {about})",
        "deleted": f"one side has removed {thing}, and the other has changed it",
        "field": f"both sides have changed {about} of {thing}",
        "moved": f"both sides have moved {thing}: to {' and to '.join(one.question.about)}",
        "order": f"both sides have put {thing} into another order",
        "comments": f"both sides have changed comments of {thing}"
        + (f" at {about}" if about else ""),
        "layout": f"{thing} cannot be put together without touching more than the changes",
        "frame": f"both sides have changed what stands around the tasks of {thing}",
        "duplicate_id": f"the id {thing} would stand twice ({about})",
        "unreadable": one.says or about,
        "waits": f"{thing} is decided together with {about}",
        "not_plain": f"{thing} is a link or a submodule on one side",
        "edited": f"{thing} is not as git wrote it: somebody, or rerere, has edited it",
        "record_edited": f"{thing} is never edited, and was, on both sides and not alike",
        "record_deleted": f"{thing} was removed on one side and changed on the other",
        "same_path": f"both sides have added {thing}, and not the same",
    }
    return known[one.question.code]


def refusal(project: Project, resolved: Resolved) -> RalphError | None:
    """What `resolve` ends with where something of the records is still in conflict."""
    if not resolved.open:
        return None
    doubles = [one for one in resolved.open if one.question.code == "double_claim"]
    if doubles:
        names = ", ".join(one.task for one in doubles)
        return ClaimLost(
            f"{names}: two claims, and one of them has to give way",
            code="double_claim",
            hint=_way_out(project, resolved, doubles[0]),
            details={"tasks": [one.task for one in doubles]},
        )
    return Refused(
        f"{counted(len(resolved.open), 'question')} left to you",
        code="undecided",
        hint=_hint(resolved.open),
    )


def _way_out(project: Project, resolved: Resolved, one: Open) -> str:
    """How to end a double claim: the whole way back, or on without the claim."""
    name = resolved.sides.merge.name
    base = landed(project, resolved.sides, one)
    ids = [stand.claim for stand in stands(project, resolved, one) if stand.claim]
    if base is None:
        ways = " or ".join(f"ralphgit resolve --yield {one.task}/{claim}" for claim in ids)
        return f"give one of them up: {ways}"
    on = f"ralphgit resolve --yield {one.task} goes on without the branch's claim"
    if name in ("merge", "rebase") and _own_branch(resolved, base):
        return f"git {name} --abort, then ralphgit complete {one.task} keeps your work; or {on}"
    return f"git {name} --abort; or {on}" if name else on


def _own_branch(resolved: Resolved, base: Side) -> bool:
    """Whether the branch that is checked out is the one that has the claim."""
    return base is (Side.OURS if resolved.sides.merge.name == "rebase" else Side.THEIRS)


def _hint(left: Sequence[Open]) -> str:
    edited = next((one for one in left if one.question.code == "edited"), None)
    if edited is not None:
        file = edited.file
        return (
            f"if it is as it should be: git add {file}; to have it decided here: "
            f"git checkout --merge -- {file}, then repeat"
        )
    file = next(one for one in left if one.question.code != "waits").file
    return f"decide it in {file}, then: git add {file}"
