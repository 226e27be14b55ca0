"""Say of a plan of GSD what only the folders tell: that it is done, and what comes before it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from ralphgit.model.task_status import Status
from ralphgit.records.importers import Imported
from ralphgit.records.importers.parts.source_values import MISSING, safe_id

PLAN, _SUMMARY = "-PLAN.md", "-SUMMARY.md"
#: `01-02-PLAN.md`, `02.1-01-PLAN.md`: the phase, and the plan in it.
_NAME = re.compile(r"(?P<phase>[0-9]+(?:\.[0-9]+)*)-(?P<plan>[0-9]+)-PLAN\.md")


def beside_plans(listed: Sequence[str]) -> set[str]:
    """The files of a phase's folder that are GSD's own: reports, research, what is verified."""
    if not any(each.endswith(PLAN) for each in listed):
        return set()
    return {each for each in listed if each.endswith(".md") and not each.endswith(PLAN)}


def placed(folder: str, name: str, found: Imported, *, beside: bool) -> Imported:
    """What is in a plan: done where it has a summary, and behind the phase before its own.

    A plan that says itself what it depends on, also within its phase, waits for no more.
    """
    path = os.path.join(folder, name)
    if name.endswith(PLAN) and os.path.isfile(path.removesuffix(PLAN) + _SUMMARY):
        done = {"status": Status.COMPLETE.value}
        found = found._replace(tasks=tuple({**task, **done} for task in found.tasks))
    first, *others = found.tasks
    before = [] if MISSING in first else list(_before(path))
    if not before:
        return found
    # In a folder they are looked for among all that is read; a file alone keeps them aside.
    waits = {"depends_on" if beside else MISSING: before}
    return found._replace(tasks=({**first, **waits}, *others))


def _before(path: str) -> Iterator[str]:
    """The plans of the phase before that of the plan at `path`, in the folder beside its own."""
    place, file = os.path.split(path)
    own = _NAME.fullmatch(file)
    phases = os.path.dirname(os.path.abspath(place))
    if own is None or not os.path.basename(os.path.abspath(place)).startswith(own["phase"]):
        return
    plans = [
        (_number(plan["phase"]), int(plan["plan"]), plan)
        for each in os.listdir(phases)
        if each[0].isdecimal() and os.path.isdir(os.path.join(phases, each))
        for one in os.listdir(os.path.join(phases, each))
        if (plan := _NAME.fullmatch(one)) and _number(plan["phase"]) < _number(own["phase"])
    ]
    last = max((phase for phase, _, _ in plans), default=())
    for phase, _, plan in sorted(plans, key=lambda one: one[:2]):
        if phase == last:
            yield safe_id(f"{plan['phase']}-{plan['plan']}")


def _number(phase: str) -> tuple[int, ...]:
    return tuple(map(int, phase.split(".")))
