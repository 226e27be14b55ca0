"""Decide what a task may be that comes with a worker's branch, and that nobody has looked at.

The next loop does it, and is judged by what it says. So it may be no more than the task that it
came with: what the worker could not have done there, it may not have done here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from ralphgit.model import agent_profile
from ralphgit.model.agent_profile import AgentProfile
from ralphgit.model.config import SETTINGS_FILE
from ralphgit.model.task import Task
from ralphgit.rules import review_verdict
from ralphgit.rules.pattern_overlap import covers_any, head

#: A name that a pattern has only where it stands for any, and how deep below a folder it is tried.
_ANY = "\ue000"
_DEPTHS = (1, 2, 3, 40)


def excess(
    new: Task, origins: Sequence[Task], profiles: Sequence[AgentProfile] = (),
    lines: Collection[str] = (),
) -> str:  # fmt: skip
    """Say what of `new` goes beyond each of `origins`, the tasks that it came with as the base has
    them; "" where one of them is as wide, and held to as much.

    `profiles` are the agents that tasks may ask for, by name or by their story; `lines` are the
    verify commands of all other tasks, which a person has agreed to.
    """
    found = [", ".join(_beyond(new, origin, profiles, lines)) for origin in origins]
    return next((f"{new.id} is planned, which {one}" for one in found if all(found)), "")


def _beyond(
    new: Task, origin: Task, profiles: Sequence[AgentProfile], lines: Collection[str]
) -> Iterator[str]:
    write = origin.scope.write
    if SETTINGS_FILE in new.scope.write and SETTINGS_FILE not in write:
        yield f"may change {SETTINGS_FILE}"
    if write and not new.scope.write:
        yield f"has no scope, as {origin.id} has"
    outside = [one for one in new.scope.write if write and not _is_within(one, write)]
    outside = [one for one in outside if one != SETTINGS_FILE]
    if outside:
        yield f"may change {', '.join(outside)}, outside the scope of {origin.id}"
    if any(command not in new.verify for command in origin.verify):
        yield f"is not verified as {origin.id} is"
    for command in new.verify:
        if command not in origin.verify and command not in lines:
            said = " ".join(command.split())
            yield f"has a verify command that no task has yet: {said}"
    is_less = new.risk != review_verdict.HIGH == origin.risk
    if is_less or origin.review not in ("", new.review):
        yield f"is not reviewed as {origin.id} is"
    if new.risk == "low" != origin.risk:
        yield "says that its risk is low"
    agent = agent_profile.wanted(new.agent, new.story, profiles)
    if agent not in ("", agent_profile.wanted(origin.agent, origin.story, profiles)):
        yield f"asks for the agent {agent}"
    if origin.budget is not None and (new.budget is None or new.budget > origin.budget):
        yield f"has not the budget of {origin.id}"


def _is_within(pattern: str, write: Iterable[str]) -> bool:
    """Whether all that a pattern names is in a scope, as far as the patterns show it simply: one
    with `?` or `[` names some of many.
    """
    if pattern in write:
        return True
    write = [one for one in write if "?" not in one and "[" not in one]
    try:
        folder = head(pattern).rpartition("/")[0]
        names = [f"{folder}{f'/{_ANY}' * depth}".lstrip("/") for depth in _DEPTHS]
        return all(covers_any(write, name) for name in names)
    except ValueError:
        return False
