"""Whether a parsed task has the shape of SPEC 3.1, and what it means on reading.

The same rules stand in `schemas/task-graph.schema.json`; a test holds the two together.
This form is here because jsonschema takes 1.9 s for 10,000 tasks and 120 ms to import.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from ralphgit.model.ids import is_id
from ralphgit.model.task_status import STATUS_OF, Mode, Outcome, Reason

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """What is wrong at `path` inside a task or record."""

    path: Path
    message: str


_MODES = frozenset(Mode)
_RISKS = ("low", "medium", "high")
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
_RECORD_FIELDS = {
    name: tuple((key, kind.removeprefix("!"), kind[0] == "!") for key, kind in fields.items())
    for name, fields in _RECORDS.items()
}
_WORDS: dict[str, tuple[str, ...]] = {"outcome": tuple(Outcome), "reason": tuple(Reason)}
_REQUIRED = ("id", "title", "status")
_STORED = {word: status.value for word, status in STATUS_OF.items()}


def normalise(task: Any, as_written: Callable[[], Any]) -> list[Problem]:
    """Bring `task` (a mapping, changed in place) to its meaning; return what is wrong.

    Statuses of other names become ours. A number, date or boolean where text belongs is
    read as written: `as_written()` gives the task with every scalar as its source text,
    and is called only then. A null stands for an absent field and stays.
    """
    if not isinstance(task, dict):
        return [Problem((), "a task is a mapping with id, title and status")]
    look = _Look(as_written)
    for name in _REQUIRED:
        if name not in task:
            look.problems.append(Problem((), f"{name} is missing"))
        elif not isinstance(task[name], str):
            look.text(task, name, (name,))
    if look.problems:
        return look.problems
    if not is_id(task["id"]):
        look.problems.append(Problem(("id",), f"{task['id']!r} is not a task id"))
    if not task["title"].strip():
        look.problems.append(Problem(("title",), "title is empty"))
    status = _STORED.get(task["status"])
    if status is None:
        known = ", ".join(sorted(STATUS_OF))
        look.problems.append(Problem(("status",), f"{task['status']!r} is not one of {known}"))
    else:
        task["status"] = status
    for name, value in task.items():
        if value is not None and (check := _FIELDS.get(name)) is not None:
            check(look, task, name, (name,))
    return look.problems


class _Look:
    """One look at a task: what is wrong so far, and its source where that was needed."""

    __slots__ = ("_as_written", "_source", "problems")

    def __init__(self, as_written: Callable[[], Any]) -> None:
        self.problems: list[Problem] = []
        self._as_written = as_written
        self._source: Any = None

    # Each of these checks `container[key]`, which is not None; `path` leads there.

    def text(self, container: Any, key: Any, path: Path) -> bool:
        """Make it text; report it and return False where it cannot be."""
        value = container[key]
        if isinstance(value, str):
            return True
        if isinstance(value, (int, float)):
            if self._source is None:
                self._source = self._as_written()
            found = self._source
            for step in path:
                found = found[step]
            container[key] = found
            return True
        is_empty = " is empty, and" if value is None else ""
        self.problems.append(Problem(path, f"{_named(path)}{is_empty} should be text"))
        return False

    def name(self, container: Any, key: Any, path: Path) -> None:
        """It is text, and not empty."""
        if container[key] == "":
            self.problems.append(Problem(path, f"{_named(path)} is empty"))
        elif not isinstance(container[key], str):
            self.text(container, key, path)

    def id(self, container: Any, key: Any, path: Path) -> None:
        """It is text, and an id."""
        value = container[key]
        if isinstance(value, str) and is_id(value):
            return
        if self.text(container, key, path) and not is_id(container[key]):
            self.problems.append(Problem(path, f"{container[key]!r} is not an id"))

    def texts(self, container: Any, key: Any, path: Path) -> bool:
        """It is a list of names; report it and return False where it is no list."""
        items = container[key]
        if not isinstance(items, list):
            self.problems.append(Problem(path, f"{key} should be a list"))
            return False
        for index, item in enumerate(items):
            if not item or not isinstance(item, str):
                self.name(items, index, (*path, index))
        return True

    def depends_on(self, task: Any, key: str, path: Path) -> None:
        if self.texts(task, key, path):
            for index, other in enumerate(task[key]):
                if other and isinstance(other, str) and not is_id(other):
                    self.problems.append(Problem((*path, index), f"{other!r} is not a task id"))

    def priority(self, task: Any, key: str, path: Path) -> None:
        if not 0 <= self._whole(task, key) <= 5:
            self.problems.append(Problem(path, "priority is a whole number from 0 to 5"))

    def epoch(self, task: Any, key: str, path: Path) -> None:
        if self._whole(task, key) < 0:
            self.problems.append(Problem(path, "epoch is a whole number from 0"))

    def _whole(self, task: Any, key: str) -> int:
        """The whole number; -1 for anything else."""
        value = task[key]
        if type(value) is float and value.is_integer():
            value = task[key] = int(value)  # 1.0 is a whole number, to JSON Schema too
        return value if type(value) is int else -1

    def mode(self, task: Any, key: str, path: Path) -> None:
        if not isinstance(task[key], str) or task[key] not in _MODES:
            self.problems.append(Problem(path, f"mode is one of {', '.join(Mode)}"))

    def risk(self, task: Any, key: str, path: Path) -> None:
        if task[key] not in _RISKS:
            self.problems.append(Problem(path, f"risk is one of {', '.join(_RISKS)}"))

    def scope(self, task: Any, key: str, path: Path) -> None:
        scope = task[key]
        if not isinstance(scope, dict):
            self.problems.append(Problem(path, "scope is a mapping of write, read, resources"))
            return
        for name in ("write", "read", "resources"):
            if scope.get(name) is not None:
                self.texts(scope, name, (key, name))

    def acceptance(self, task: Any, key: str, path: Path) -> None:
        items = task[key]
        if not isinstance(items, list):
            self.problems.append(Problem(path, "acceptance should be a list"))
            return
        for index, item in enumerate(items):
            at: Path = (key, index)
            if not isinstance(item, dict):
                self.name(items, index, at)
                continue
            for name, check in (("id", self.id), ("text", self.name)):
                if name not in item:
                    message = f"a criterion has id and text; no {name} here"
                    self.problems.append(Problem(at, message))
                else:
                    check(item, name, (*at, name))

    def record(self, task: Any, name: str, path: Path) -> None:
        """A lifecycle record, as `_RECORDS` has it."""
        record = task[name]
        if not isinstance(record, dict):
            self.problems.append(Problem(path, f"{name} should be a mapping"))
            return
        for key, kind, required in _RECORD_FIELDS[name]:
            value = record.get(key)
            if value is None:
                if required:
                    self.problems.append(Problem(path, f"{name} has no {key}"))
            elif kind == "text":
                if not isinstance(value, str):
                    self.text(record, key, (name, key))
            elif kind == "id":
                self.id(record, key, (name, key))
            elif kind == "name":
                self.name(record, key, (name, key))
            elif kind == "list" or (kind == "texts" and isinstance(value, list)):
                self.texts(record, key, (name, key))
            elif kind == "truth":
                if not isinstance(value, bool):
                    self.problems.append(Problem((name, key), f"{key} is true or false"))
            elif words := _WORDS.get(kind):
                if value not in words:
                    message = f"{key} is one of {', '.join(words)}"
                    self.problems.append(Problem((name, key), message))
            else:  # texts: one alone stands for a list of one
                self.text(record, key, (name, key))


def _named(path: Path) -> str:
    """The value at `path` as people call it."""
    last = path[-1]
    return f"item {last + 1} of {path[-2]}" if isinstance(last, int) else last


#: How each optional field is looked at.
_FIELDS: dict[str, Callable[[_Look, Any, str, Path], object]] = {
    "complexity": _Look.text,
    "description": _Look.text,
    "milestone": _Look.text,
    "story": _Look.id,
    "verify": _Look.texts,
    "outputs": _Look.texts,
    "tags": _Look.texts,
    "depends_on": _Look.depends_on,
    "priority": _Look.priority,
    "epoch": _Look.epoch,
    "mode": _Look.mode,
    "risk": _Look.risk,
    "scope": _Look.scope,
    "acceptance": _Look.acceptance,
    **dict.fromkeys(_RECORDS, _Look.record),
}
