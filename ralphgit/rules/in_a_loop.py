"""Decide which commands a worker inside a loop may call, for every command in one table.

A worker looks, works on its own task and plans on its branch. What lands or starts work is its
loop's, which has verified it (law L9), and what decides for others is a person's.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

#: The options of a command line, by name; only those that were given.
Given = Mapping[str, object]


class Barred(NamedTuple):
    """Why a command is none for a worker."""

    message: str
    hint: str
    code: str = "in_loop"
    beside: bool = True
    """Whether it is refused as well where nothing but the loop of this worktree tells of a worker:
    a person may be there, too."""


class Rule(NamedTuple):
    barred: Barred
    when: Callable[[Given], bool] = lambda _given: True


_ELSEWHERE = "in another worktree, or once the loop has ended"
_LANDS = Barred(
    "a worker in a loop neither lands nor starts work by itself: its loop verifies what it has "
    "done, and lands it; nothing was changed",
    f"end your turn, and the loop goes on; a person does it {_ELSEWHERE}",
)
_DECIDES = Barred(
    "this is a person's to decide, and not for a worker in a loop; nothing was changed",
    f"ask a person to do it {_ELSEWHERE}",
)
_CONSENTS = _DECIDES._replace(
    message="a worker cannot decide for a person what is trusted; nothing was changed",
    code="worker_consents",
)
_FORCES = _DECIDES._replace(
    message="a loop lands what it has verified itself, so nothing can be forced or completed for "
    "others inside it; nothing was changed",
    hint="ralphgit block --question TEXT",
)


#: Of what a worker may call, what changes the worktree in which it is called, or its task.
_CHANGES = frozenset((
    "claim", "complete", "block", "release", "evidence", "resolve", "add", "edit", "import",
    "shard", "rebase-paths", "init",
))  # fmt: skip
ELSEWHERE = _DECIDES._replace(
    message="this is another worktree, and a worker in a loop works in its own; nothing was changed"
)


def _one_of(*actions: str) -> Callable[[Given], bool]:
    return lambda given: given.get("action") in actions


def _with(*options: str) -> Callable[[Given], bool]:
    return lambda given: any(given.get(name) for name in options)


def _without(*options: str) -> Callable[[Given], bool]:
    return lambda given: not any(given.get(name) for name in options)


def _surely(barred: Barred) -> Barred:
    """Refused only where it is surely a worker: a person uses it beside a loop."""
    return barred._replace(beside=False)


#: They look, or change nothing but the worker's own worktree and task.
ALLOWED = frozenset((
    "status", "list", "show", "next", "prompt", "graph", "packet", "log", "inbox", "wait",
    "preflight", "independence", "evidence", "reconcile", "check", "diff", "report", "logs",
    "block", "release", "add", "edit", "resolve", "export", "rebase-paths", "init", "shard",
    "completion", "mcp",
))  # fmt: skip

RULES = {
    "claim": Rule(_FORCES, _with("force")),
    "complete": Rule(_FORCES, _with("force", "by")),
    # No option, but what the files say: that a task is complete.
    "import": Rule(_DECIDES, _with("done")),
    "land": Rule(_LANDS, _without("dry_run")),
    "integrate": Rule(_LANDS, _without("dry_run")),
    "batch": Rule(_LANDS, _one_of("run")),
    # The lock of the loop that works there refuses it, too, and says so.
    "run": Rule(_surely(_LANDS)),
    "worker": Rule(_surely(_LANDS)),
    "reset": Rule(_DECIDES),
    "revert": Rule(_DECIDES),
    "reply": Rule(_DECIDES),
    "audit": Rule(_DECIDES, _one_of("add")),
    "archive": Rule(_DECIDES, _without("dry_run")),
    "rescue": Rule(_DECIDES, _one_of("drop")),
    "trust": Rule(_CONSENTS, _without("list")),
    "stop": Rule(_surely(_DECIDES)),
    "board": Rule(_surely(_DECIDES)),
    "worktree": Rule(
        _surely(_DECIDES),
        lambda given: given.get("action") in ("remove", "prune") and not given.get("dry_run"),
    ),
    "doctor": Rule(_surely(_DECIDES), _with("fix", "agent")),
    "fleet": Rule(_surely(_LANDS), _one_of("up", "down")),
}


def barred(command: str, given: Given) -> Barred | None:
    """Why the command line is none for a worker; None where it is."""
    rule = RULES.get(command)
    return rule.barred if rule is not None and rule.when(given) else None


def may_land(command: str, given: Given) -> bool:
    """Whether the command line may bring work to the base, itself or by a loop that it starts."""
    rule = RULES.get(command)
    lands = rule is not None and rule.barred.message == _LANDS.message and rule.when(given)
    return lands or (command == "complete" and bool(given.get("land")))


def changes_its_worktree(command: str, given: Given) -> bool:
    """Whether the command line is for a worker in its own worktree alone."""
    if command == "evidence":
        return given.get("action") == "add"
    return command in _CHANGES and not given.get("dry_run")
