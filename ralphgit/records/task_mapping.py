"""One task's normalised mapping <-> `model.task`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ralphgit.model.task import (
    Blocked,
    Cancelled,
    Claim,
    Criterion,
    Lifecycle,
    Reset,
    Result,
    Scope,
    Task,
)
from ralphgit.model.task_status import DEFAULT_PRIORITY, Mode, Outcome, Reason, Status

#: The keys of a task that ralphgit changes, in the order in which it writes them.
LIFECYCLE_KEYS = ("status", "claim", "reset", "cancelled", "result", "blocked", "epoch")


def task(stored: Mapping[str, Any]) -> Task:
    """The task that a mapping, normalised by `records.task_fields`, stands for."""
    get = stored.get
    scope = get("scope") or {}
    priority = get("priority")
    return Task(
        id=stored["id"],
        title=stored["title"],
        lifecycle=lifecycle(stored),
        story=get("story") or "",
        priority=DEFAULT_PRIORITY if priority is None else priority,
        complexity=get("complexity") or "",
        depends_on=_texts(get("depends_on")),
        description=get("description") or "",
        acceptance=tuple(
            Criterion(id=item["id"], text=item["text"])
            if isinstance(item, dict)
            else Criterion(id=f"ACC-{number}", text=item)
            for number, item in enumerate(get("acceptance") or (), 1)
        ),
        verify=_texts(get("verify")),
        outputs=_texts(get("outputs")),
        scope=Scope(
            write=_texts(scope.get("write")),
            read=_texts(scope.get("read")),
            resources=_texts(scope.get("resources")),
        ),
        mode=Mode(get("mode") or Mode.PARALLEL),
        risk=get("risk") or "",
    )


def _texts(value: Any) -> tuple[str, ...]:
    """A list of text; one text alone counts as a list of one; absent as none."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def lifecycle(stored: Mapping[str, Any]) -> Lifecycle:
    """The lifecycle part of a normalised task mapping."""
    get = stored.get
    claim, result, blocked = get("claim"), get("result"), get("blocked")
    reset, cancelled = get("reset"), get("cancelled")
    return Lifecycle(
        status=Status(stored["status"]),
        claim=claim
        and Claim(
            id=claim["id"],
            by=claim["by"],
            at=claim.get("at") or "",
            base=claim.get("base") or "",
            contract=claim.get("contract") or "",
            unsynchronised=bool(claim.get("unsynchronised")),
        ),
        result=result
        and Result(
            id=result["id"],
            claim=result.get("claim") or "",
            outcome=Outcome(result["outcome"]),
            at=result["at"],
            concerns=_texts(result.get("concerns")),
        ),
        blocked=blocked
        and Blocked(
            id=blocked["id"],
            claim=blocked.get("claim") or "",
            reason=Reason(blocked["reason"]),
            question=blocked.get("question") or "",
            options=_texts(blocked.get("options")),
            at=blocked.get("at") or "",
        ),
        reset=reset
        and Reset(
            id=reset["id"],
            claim=reset.get("claim") or "",
            by=reset["by"],
            at=reset.get("at") or "",
            reason=reset.get("reason") or "",
        ),
        cancelled=cancelled
        and Cancelled(
            id=cancelled["id"],
            by=cancelled["by"],
            at=cancelled.get("at") or "",
            reason=cancelled.get("reason") or "",
        ),
        epoch=get("epoch") or 0,
    )


def stored_lifecycle(life: Lifecycle) -> dict[str, Any]:
    """The lifecycle as it is written: `LIFECYCLE_KEYS` in order, absent fields left out."""
    made: dict[str, Any] = {"status": life.status.value}
    if claim := life.claim:
        made["claim"] = {
            "id": claim.id, "by": claim.by, "at": claim.at,
            "base": claim.base, "contract": claim.contract,
        }  # fmt: skip
        if claim.unsynchronised:
            made["claim"]["unsynchronised"] = True
    if reset := life.reset:
        made["reset"] = {
            "id": reset.id, "claim": reset.claim, "by": reset.by,
            "at": reset.at, "reason": reset.reason,
        }  # fmt: skip
        if not reset.claim:  # a finished task that nobody had claimed was reopened
            del made["reset"]["claim"]
    if cancelled := life.cancelled:
        made["cancelled"] = {
            "id": cancelled.id, "by": cancelled.by,
            "at": cancelled.at, "reason": cancelled.reason,
        }  # fmt: skip
    if result := life.result:
        made["result"] = {
            "id": result.id, "claim": result.claim,
            "outcome": result.outcome.value, "at": result.at,
        }  # fmt: skip
        if result.concerns:
            made["result"]["concerns"] = list(result.concerns)
    if blocked := life.blocked:
        made["blocked"] = {
            "id": blocked.id, "claim": blocked.claim, "reason": blocked.reason.value,
            "question": blocked.question, "options": list(blocked.options), "at": blocked.at,
        }  # fmt: skip
    if life.epoch:
        made["epoch"] = life.epoch
    return made
