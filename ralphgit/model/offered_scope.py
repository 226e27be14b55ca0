"""What a task is offered as its scope by the source that it came from, until somebody takes it."""

from collections.abc import Mapping
from typing import NamedTuple

#: Where an offered scope stands; `edit ID --take-scope` makes it the task's own.
SUGGESTED = "x-suggested-scope"


def paths_of(task: Mapping[str, object]) -> list[str]:
    """The patterns that a task may change, or is offered."""
    found: list[str] = []
    for key in ("scope", SUGGESTED):
        scope = task.get(key)
        write = scope.get("write") if isinstance(scope, Mapping) else None
        found += write if isinstance(write, list) else []
    return list(dict.fromkeys(found))


class Offer(NamedTuple):
    """A scope that is offered."""

    write: tuple[str, ...]
    more: str
    """What the source names beside paths; "" where the list is closed."""


def offered(task: Mapping[str, object]) -> Offer | None:
    """What a task is offered; None where it is nothing that could be a scope."""
    offer = task.get(SUGGESTED)
    write = offer.get("write") if isinstance(offer, Mapping) else None
    if not isinstance(offer, Mapping) or not isinstance(write, list):
        return None
    paths = tuple(path for path in write if isinstance(path, str))
    return Offer(paths, str(offer.get("open") or "")) if paths else None


def taken(task: Mapping[str, object]) -> dict[str, object]:
    """What changes in `task` when it takes the scope that it is offered; None takes a field out.

    Nothing where it has a write scope, or the list that was offered is open.
    """
    offer, scope = offered(task), task.get("scope") or {}
    if offer is None or offer.more or not isinstance(scope, Mapping) or scope.get("write"):
        return {}
    return {"scope": {**scope, "write": list(offer.write)}, SUGGESTED: None}
