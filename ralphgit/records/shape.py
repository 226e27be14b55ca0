"""Whether a parsed task has the shape of SPEC 3.1, and what it means on reading.

The same rules stand in `schemas/task-graph.schema.json`; a test holds the two together.
This form is here because jsonschema takes 1.9 s for 10,000 tasks and 120 ms to import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ralphgit.model.ids import is_id
from ralphgit.model.status import DEFAULT_PRIORITY, STATUS_OF, Mode, Outcome, Reason

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """What is wrong at `path` inside a task or record."""

    path: Path
    message: str


_MODES = frozenset(Mode)
_REASONS = frozenset(Reason)
_OUTCOMES = frozenset(Outcome)
_TEXT = ("complexity", "description", "milestone")
_TEXT_LISTS = ("verify", "outputs")
_RECORDS: dict[str, tuple[str, ...]] = {
    # required keys first; every key but those in _FREE holds text
    "claim": ("id", "by"),
    "result": ("id", "outcome", "at"),
    "blocked": ("id", "reason", "at"),
    "reset": ("id", "claim", "by", "at"),
    "cancelled": ("id", "by", "at"),
}
_RECORD_TEXT = ("id", "by", "at", "base", "contract", "claim", "question")
_LISTS_OF_TEXT = frozenset({"concerns", "options"})


def normalise(task: Any, as_written: Callable[[], Any]) -> list[Problem]:
    """Bring `task` (a mapping, changed in place) to its meaning; return what is wrong.

    Statuses of other names become ours. A number, date or boolean where text belongs is
    read as written: `as_written()` gives the task with every scalar as its source text,
    and is called only then. A null stands for an absent field and stays.
    """
    if not isinstance(task, dict):
        return [Problem((), "a task is a mapping with id, title and status")]
    problems: list[Problem] = []
    source: Any = None

    def text_at(container: Any, key: Any, path: Path) -> None:
        """Make `container[key]` text, or report it."""
        nonlocal source
        value = container[key]
        if isinstance(value, str):
            return
        if isinstance(value, (int, float)):
            if source is None:
                source = as_written()
            found = source
            for step in path:
                found = found[step]
            container[key] = found
        elif value is None:
            problems.append(Problem(path, f"{path[-1]} is empty, and should be text"))
        else:
            problems.append(Problem(path, f"{path[-1]} should be text"))

    def text_list(container: Any, key: str, path: Path) -> bool:
        items = container.get(key)
        if items is None:
            return False
        if not isinstance(items, list):
            problems.append(Problem(path, f"{key} should be a list"))
            return False
        for index, item in enumerate(items):
            if not isinstance(item, str):
                text_at(items, index, (*path, index))
        return True

    for name in ("id", "title", "status"):
        if name not in task:
            problems.append(Problem((), f"{name} is missing"))
        elif not isinstance(task[name], str):
            text_at(task, name, (name,))
    if problems:
        return problems
    if not is_id(task["id"]):
        problems.append(Problem(("id",), f"{task['id']!r} is not a task id"))
    if not task["title"].strip():
        problems.append(Problem(("title",), "title is empty"))
    status = STATUS_OF.get(task["status"])
    if status is None:
        known = ", ".join(sorted(STATUS_OF))
        problems.append(Problem(("status",), f"{task['status']!r} is not one of {known}"))
    else:
        task["status"] = status.value

    get = task.get
    for name in _TEXT:
        if get(name) is not None and not isinstance(task[name], str):
            text_at(task, name, (name,))
    if get("story") is not None:
        if not isinstance(task["story"], str):
            text_at(task, "story", ("story",))
        if isinstance(task["story"], str) and not is_id(task["story"]):
            problems.append(Problem(("story",), f"{task['story']!r} is not an id"))
    for name in _TEXT_LISTS:
        text_list(task, name, (name,))
    if text_list(task, "depends_on", ("depends_on",)):
        for index, other in enumerate(task["depends_on"]):
            if isinstance(other, str) and not is_id(other):
                problems.append(Problem(("depends_on", index), f"{other!r} is not a task id"))
    priority = get("priority", DEFAULT_PRIORITY)
    if priority is not None and (type(priority) is not int or not 0 <= priority <= 5):
        problems.append(Problem(("priority",), "priority is a whole number from 0 to 5"))
    epoch = get("epoch", 0)
    if epoch is not None and (type(epoch) is not int or epoch < 0):
        problems.append(Problem(("epoch",), "epoch is a whole number from 0"))
    mode = get("mode")
    if mode is not None and mode not in _MODES:
        problems.append(Problem(("mode",), f"mode is one of {', '.join(Mode)}"))
    scope = get("scope")
    if scope is not None:
        if isinstance(scope, dict):
            for name in ("write", "read", "resources"):
                text_list(scope, name, ("scope", name))
        else:
            problems.append(Problem(("scope",), "scope is a mapping of write, read, resources"))
    if get("acceptance") is not None:
        _acceptance(task, text_at, problems)
    for name, required in _RECORDS.items():
        if get(name) is not None:
            _record(name, required, task[name], text_at, text_list, problems)
    return problems


def _acceptance(task: Any, text_at: Any, problems: list[Problem]) -> None:
    items = task["acceptance"]
    if not isinstance(items, list):
        problems.append(Problem(("acceptance",), "acceptance should be a list"))
        return
    for index, item in enumerate(items):
        path: Path = ("acceptance", index)
        if isinstance(item, dict):
            for name in ("id", "text"):
                if name not in item:
                    problems.append(Problem(path, f"a criterion has id and text; no {name} here"))
                else:
                    text_at(item, name, (*path, name))
        elif not isinstance(item, str):
            text_at(items, index, path)


def _record(
    name: str,
    required: tuple[str, ...],
    record: Any,
    text_at: Any,
    text_list: Any,
    problems: list[Problem],
) -> None:
    if not isinstance(record, dict):
        problems.append(Problem((name,), f"{name} should be a mapping"))
        return
    for key in required:
        if key not in record:
            problems.append(Problem((name,), f"{name} has no {key}"))
    for key in _RECORD_TEXT:
        if record.get(key) is not None:
            text_at(record, key, (name, key))
    if name != "blocked" and record.get("reason") is not None:
        text_at(record, "reason", (name, "reason"))
    for key in _LISTS_OF_TEXT:
        if isinstance(record.get(key), list):
            text_list(record, key, (name, key))
    if name == "blocked" and record.get("reason") not in _REASONS:
        problems.append(Problem((name, "reason"), f"reason is one of {', '.join(Reason)}"))
    if name == "result" and record.get("outcome") not in _OUTCOMES:
        problems.append(Problem((name, "outcome"), f"outcome is one of {', '.join(Outcome)}"))
