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
_RISKS = ("low", "medium", "high")
_TEXT = ("complexity", "description", "milestone")
_TEXT_LISTS = ("verify", "outputs", "tags")
#: What each field of a lifecycle record holds; a required one begins with `!`.
_RECORDS: dict[str, dict[str, str]] = {
    "claim": {
        "id": "!id", "by": "!id", "at": "text", "base": "text", "contract": "text",
        "unsynchronised": "truth",
    },
    "result": {
        "id": "!id", "outcome": "!outcome", "at": "!text", "claim": "id", "concerns": "texts",
    },
    "blocked": {
        "id": "!id", "reason": "!reason", "claim": "id", "question": "text", "options": "list",
        "at": "text",
    },
    "reset": {"id": "!id", "by": "!name", "claim": "id", "at": "text", "reason": "text"},
    "cancelled": {"id": "!id", "by": "!name", "at": "text", "reason": "text"},
}  # fmt: skip
_WORDS: dict[str, tuple[str, ...]] = {"outcome": tuple(Outcome), "reason": tuple(Reason)}


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

    def text_at(container: Any, key: Any, path: Path) -> bool:
        """Make `container[key]` text; report it and return False where it cannot be."""
        nonlocal source
        value = container[key]
        if isinstance(value, str):
            return True
        if isinstance(value, (int, float)):
            if source is None:
                source = as_written()
            found = source
            for step in path:
                found = found[step]
            container[key] = found
            return True
        is_empty = " is empty, and" if value is None else ""
        problems.append(Problem(path, f"{_named(path)}{is_empty} should be text"))
        return False

    def name_at(container: Any, key: Any, path: Path) -> None:
        """The same, and the text is not empty."""
        if container[key] == "":
            problems.append(Problem(path, f"{_named(path)} is empty"))
        elif not isinstance(container[key], str):
            text_at(container, key, path)

    def id_at(container: Any, key: Any, path: Path) -> None:
        """The same, and the text is an id."""
        if text_at(container, key, path) and not is_id(container[key]):
            problems.append(Problem(path, f"{container[key]!r} is not an id"))

    def text_list(container: Any, key: str, path: Path) -> bool:
        items = container.get(key)
        if items is None:
            return False
        if not isinstance(items, list):
            problems.append(Problem(path, f"{key} should be a list"))
            return False
        for index, item in enumerate(items):
            if not item or not isinstance(item, str):
                name_at(items, index, (*path, index))
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
        id_at(task, "story", ("story",))
    for name in _TEXT_LISTS:
        text_list(task, name, (name,))
    if text_list(task, "depends_on", ("depends_on",)):
        for index, other in enumerate(task["depends_on"]):
            if other and isinstance(other, str) and not is_id(other):
                problems.append(Problem(("depends_on", index), f"{other!r} is not a task id"))
    for name in ("priority", "epoch"):
        if type(get(name)) is float and task[name].is_integer():
            task[name] = int(task[name])  # 1.0 is a whole number, to JSON Schema too
    priority = get("priority", DEFAULT_PRIORITY)
    if priority is not None and (type(priority) is not int or not 0 <= priority <= 5):
        problems.append(Problem(("priority",), "priority is a whole number from 0 to 5"))
    epoch = get("epoch", 0)
    if epoch is not None and (type(epoch) is not int or epoch < 0):
        problems.append(Problem(("epoch",), "epoch is a whole number from 0"))
    mode = get("mode")
    if mode is not None and (not isinstance(mode, str) or mode not in _MODES):
        problems.append(Problem(("mode",), f"mode is one of {', '.join(Mode)}"))
    if get("risk") is not None and task["risk"] not in _RISKS:
        problems.append(Problem(("risk",), f"risk is one of {', '.join(_RISKS)}"))
    scope = get("scope")
    if scope is not None:
        if isinstance(scope, dict):
            for name in ("write", "read", "resources"):
                text_list(scope, name, ("scope", name))
        else:
            problems.append(Problem(("scope",), "scope is a mapping of write, read, resources"))
    if get("acceptance") is not None:
        _acceptance(task["acceptance"], name_at, id_at, problems)
    readers = {"text": text_at, "name": name_at, "id": id_at}
    for name, fields in _RECORDS.items():
        if get(name) is not None:
            _record(name, fields, task[name], readers, text_list, problems)
    return problems


def _named(path: Path) -> str:
    """The value at `path` as people call it."""
    last = path[-1]
    return f"item {last + 1} of {path[-2]}" if isinstance(last, int) else last


def _acceptance(items: Any, name_at: Any, id_at: Any, problems: list[Problem]) -> None:
    if not isinstance(items, list):
        problems.append(Problem(("acceptance",), "acceptance should be a list"))
        return
    for index, item in enumerate(items):
        path: Path = ("acceptance", index)
        if not isinstance(item, dict):
            name_at(items, index, path)
            continue
        for name, read in (("id", id_at), ("text", name_at)):
            if name not in item:
                problems.append(Problem(path, f"a criterion has id and text; no {name} here"))
            else:
                read(item, name, (*path, name))


def _record(
    name: str, fields: dict[str, str], record: Any, readers: Any, text_list: Any,
    problems: list[Problem],
) -> None:  # fmt: skip
    if not isinstance(record, dict):
        problems.append(Problem((name,), f"{name} should be a mapping"))
        return
    for key, kind in fields.items():
        value, path = record.get(key), (name, key)
        kind = kind.removeprefix("!")
        if value is None:
            if fields[key] != kind:
                problems.append(Problem((name,), f"{name} has no {key}"))
        elif kind == "list" or (kind == "texts" and isinstance(value, list)):
            text_list(record, key, path)
        elif kind == "truth":
            if not isinstance(value, bool):
                problems.append(Problem(path, f"{key} is true or false"))
        elif words := _WORDS.get(kind):
            if value not in words:
                problems.append(Problem(path, f"{key} is one of {', '.join(words)}"))
        else:
            readers.get(kind, readers["text"])(record, key, path)
