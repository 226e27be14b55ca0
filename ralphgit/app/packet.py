"""The packet: everything a worker needs for one task, bounded (SPEC 3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ralphgit.app.project import Project
from ralphgit.app.report import PATH as REPORT
from ralphgit.app.report import STATUSES
from ralphgit.model.flight import Lease

if TYPE_CHECKING:
    from ralphgit.model.task import Task

STOP = (
    "the task needs a file outside the scope, or something that is not there",
    "the criteria contradict each other or what you find",
    "the verify commands cannot pass, however the task is done",
    "you would have to guess what is meant",
)


def compile(
    project: Project,
    task: Task,
    lease: Lease,
    *,
    clean: bool,
    guidance: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The packet of a claimed task, in the form of `packet.schema.json`."""
    scope = {
        name: list(patterns)
        for name, patterns in (
            ("write", task.scope.write), ("read", task.scope.read),
            ("resources", task.scope.resources),
        )
        if patterns
    }  # fmt: skip
    made: dict[str, Any] = {
        "task": task.id,
        "claim": lease.claim,
        "worker": lease.by,
        "mission": "\n\n".join(filter(None, [task.title, task.description])),
        "governing_ids": [*([task.story] if task.story else []), *(c.id for c in task.acceptance)],
        "acceptance": [{"id": item.id, "text": item.text} for item in task.acceptance],
        "scope": scope,
        "may_change": list(task.scope.write),
        "verify": list(task.verify),
        "outputs": list(task.outputs),
        "posture": "test-first" if task.verify else "observation-first",
        "source": {"base": lease.base or project.base.commit[:12], "clean": clean},
        "guidance": [dict(entry) for entry in guidance],
        "stop_conditions": list(STOP),
        "output_contract": {"report": REPORT, "statuses": list(STATUSES)},
    }
    return {key: value for key, value in made.items() if value or key in _ALWAYS}


_ALWAYS = ("acceptance", "scope", "may_change", "source", "output_contract")
