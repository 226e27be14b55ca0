"""Convert between a task's normalised mapping and `model.task`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
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
from ralphgit.model.task_row import DEFAULT_PRIORITY
from ralphgit.model.task_status import Mode, Status
from ralphgit.records.redact_secrets import words_of_record

#: The keys of a task that ralphgit changes, in the order in which it writes them.
LIFECYCLE_KEYS = ("status", "claim", "reset", "cancelled", "result", "blocked", "epoch")


def task(stored: Mapping[str, Any]) -> Task:
    """The task that a mapping, normalised by `records.task_fields`, stands for."""
    get = stored.get
    scope = get("scope") or {}
    priority = get("priority")
    checks = commands(get("verify"))
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
            Criterion(item["id"], item["text"]) for item in criteria(get("acceptance") or ())
        ),
        verify=tuple(command for command, _ in checks),
        proves=tuple((command, one) for command, proved in checks for one in proved),
        outputs=_texts(get("outputs")),
        scope=Scope(*(_texts(scope.get(name)) for name in Scope._fields)),
        mode=Mode(get("mode") or Mode.PARALLEL),
        risk=get("risk") or "",
        needs=_texts(get("needs")),
        agent=get("agent") or "",
        review=get("review") or "",
        budget=get("budget"),
    )


def _texts(value: Any) -> tuple[str, ...]:
    """A list of text; one text alone counts as a list of one; absent as none."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def commands(value: Any) -> list[tuple[str, tuple[str, ...]]]:
    """The verify commands of a task, each with the criteria that it proves."""
    return [
        (item["run"], _texts(item.get("proves"))) if isinstance(item, dict) else (item, ())
        for item in ([value] if isinstance(value, (str, dict)) else value or ())
    ]


def lifecycle(stored: Mapping[str, Any]) -> Lifecycle:
    """The lifecycle part of a normalised task mapping."""
    get = stored.get
    return Lifecycle(
        status=Status(stored["status"]),
        claim=_record(Claim, get("claim")),
        result=_record(Result, get("result")),
        blocked=_record(Blocked, get("blocked")),
        reset=_record(Reset, get("reset")),
        cancelled=_record(Cancelled, get("cancelled")),
        epoch=get("epoch") or 0,
    )


def _record(kind: Any, stored: Mapping[str, Any] | None) -> Any:
    """The `kind` of record that a mapping stands for, each field by its type; None for none."""
    if not stored:
        return None
    return kind(*[read(stored.get(name)) for name, read in _readers(kind)])


@cache
def _readers(kind: Any) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """The fields of a kind of record, each with what makes its value."""
    known: dict[Any, Callable[[Any], Any]] = {str: _text, tuple[str, ...]: _texts}
    return tuple((name, known.get(type_, type_)) for name, type_ in kind.__annotations__.items())


def _text(value: Any) -> str:
    return value or ""


#: What a record has only where it says something.
_OPTIONAL = {
    ("claim", "unsynchronised"), ("claim", "base_branch"), ("reset", "claim"),
    ("result", "concerns"), ("blocked", "shared"),
}  # fmt: skip


def stored_lifecycle(life: Lifecycle) -> dict[str, Any]:
    """The lifecycle as it is written: `LIFECYCLE_KEYS` in order, absent fields left out."""
    made: dict[str, Any] = {}
    for key in LIFECYCLE_KEYS:
        value: Any = getattr(life, key)
        if hasattr(value, "_asdict"):
            made[key] = {
                name: list(item) if isinstance(item, tuple) else item
                for name, item in value._asdict().items()
                if item or (key, name) not in _OPTIONAL
            }
        elif value:
            made[key] = value
    return words_of_record(made)


def criteria(items: Iterable[Any]) -> list[Any]:
    """The acceptance criteria of a task; one that is text alone gets its number for an id."""
    return [
        item if isinstance(item, dict) else {"id": f"ACC-{number}", "text": item}
        for number, item in enumerate(items, 1)
    ]


def same(key: str, old: object, new: object) -> bool:
    """Whether two values of the field `key` mean the same."""
    if key != "acceptance" or not isinstance(old, list) or not isinstance(new, list):
        return old == new
    return criteria(old) == criteria(new)
