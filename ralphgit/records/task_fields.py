"""Check a parsed task against its JSON Schema, and normalise its values.

`schemas/task-graph.schema.json` is read into one check for each field: the few keywords that it
has, with words for people and the place in the file. Figures: docs/decisions/schema-reader.md.
"""

import json
from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

from ralphgit.model import paths
from ralphgit.model.ids import is_id
from ralphgit.model.task_status import STATUS_OF
from ralphgit.records import schemas

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """What is wrong at `path` inside a task or record."""

    path: Path
    message: str


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
    required, fields = _task()
    for name in required:
        if name not in task:
            look.problems.append(Problem((), f"{name} is missing"))
        elif not isinstance(task[name], str):
            look.text(task, name, ())
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
        if value is not None and (check := fields.get(name)) is not None:
            check(look, task, name, ())
    return look.problems


class _Look:
    """One look at a task: what is wrong so far, and its source where that was needed."""

    __slots__ = ("_as_written", "_source", "problems")

    def __init__(self, as_written: Callable[[], Any]) -> None:
        self.problems: list[Problem] = []
        self._as_written = as_written
        self._source: Any = None

    def report(self, above: Path, key: Any, message: str) -> None:
        self.problems.append(Problem((*above, key), message))

    # Each of these checks `container[key]`; `above` leads to the container.

    def text(self, container: Any, key: Any, above: Path) -> bool:
        """Make it text; report it and return False where it cannot be."""
        value = container[key]
        if isinstance(value, str):
            return True
        if isinstance(value, (int, float)):
            if self._source is None:
                self._source = self._as_written()
            found = self._source
            for step in above:
                found = found[step]
            container[key] = found[key]
            return True
        is_empty = " is empty, and" if value is None else ""
        self.report(above, key, f"{_named(key, above)}{is_empty} should be text")
        return False

    def name(self, container: Any, key: Any, above: Path) -> None:
        """It is text, and not empty."""
        if container[key] == "":
            self.report(above, key, f"{_named(key, above)} is empty")
        elif not isinstance(container[key], str):
            self.text(container, key, above)

    def output(self, container: Any, key: Any, above: Path) -> None:
        """It is text, and a path or pattern of this worktree."""
        value = container[key]
        if value == "" or not isinstance(value, str):
            self.name(container, key, above)
        elif found := paths.pattern_fault(value):
            self.report(above, key, f"{_named(key, above)} {found}: {value!r}")

    def id(self, container: Any, key: Any, above: Path) -> None:
        """It is text, and an id."""
        value = container[key]
        if isinstance(value, str) and is_id(value):
            return
        if isinstance(key, int) and value == "":
            self.name(container, key, above)
        elif self.text(container, key, above) and not is_id(container[key]):
            what = "a task id" if above == ("depends_on",) else "an id"
            self.report(above, key, f"{container[key]!r} is not {what}")


Check = Callable[[_Look, Any, Any, Path], object]
#: What the schema says by patterns, and we by a function.
_NAMED: dict[str, Check] = {"id": _Look.id, "pattern": _Look.output}


def _one_of(words: list[str], look: _Look, container: Any, key: Any, above: Path) -> None:
    if container[key] not in words:
        look.report(above, key, f"{key} is one of {', '.join(words)}")


def _truth(look: _Look, container: Any, key: Any, above: Path) -> None:
    if not isinstance(container[key], bool):
        look.report(above, key, f"{key} is true or false")


def _whole(
    least: int, most: int | None, look: _Look, container: Any, key: Any, above: Path
) -> None:
    value = container[key]
    if type(value) is float and value.is_integer():
        value = container[key] = int(value)  # 1.0 is a whole number, to JSON Schema too
    if type(value) is not int or value < least or (most is not None and value > most):
        to = "" if most is None else f" to {most}"
        look.report(above, key, f"{key} must be a whole number from {least}{to}")


#: As the schema says, which has one amount.
_MOST_USD = 1_000_000


def _amount(look: _Look, container: Any, key: Any, above: Path) -> None:
    value = container[key]
    if type(value) not in (int, float) or not 0 <= value <= _MOST_USD:
        look.report(above, key, f"{key} must be a number from 0 to {_MOST_USD}")


def _list(item: Check, look: _Look, container: Any, key: Any, above: Path) -> None:
    items = container[key]
    if not isinstance(items, list):
        look.report(above, key, f"{key} should be a list")
        return
    for index, value in enumerate(items):
        if not value or not isinstance(value, str) or item is not _Look.name:
            item(look, items, index, (*above, key))


def _text_or_list(item: Check, look: _Look, container: Any, key: Any, above: Path) -> None:
    """One text alone stands for a list of one."""
    if isinstance(container[key], list):
        _list(item, look, container, key, above)
    else:
        look.text(container, key, above)


def _mapping(
    fields: dict[str, Check], required: list[str], look: _Look, container: Any, key: Any,
    above: Path,
) -> None:  # fmt: skip
    record = container[key]
    if not isinstance(record, dict):
        what = "should be a mapping" if required else f"is a mapping of {', '.join(fields)}"
        look.report(above, key, f"{key} {what}")
        return
    here = (*above, key)
    for name, check in fields.items():
        value = record.get(name)
        if value is None:
            if name in required:
                look.report(above, key, f"{key} has no {name}")
        elif check is not _Look.text or not isinstance(value, str):
            check(look, record, name, here)


def _name_or_mapping(
    fields: dict[str, Check], required: list[str], noun: str, look: _Look, container: Any,
    key: Any, above: Path,
) -> None:  # fmt: skip
    item = container[key]
    if not isinstance(item, dict):
        look.name(container, key, above)
        return
    here = (*above, key)
    for name, check in fields.items():
        if name in item:
            check(look, item, name, here)
        elif name in required:
            needs = " and ".join(required)
            look.report(above, key, f"a {noun} has {needs}; no {name} here")


def _named(key: Any, above: Path) -> str:
    """The value as people call it."""
    return f"item {key + 1} of {above[-1]}" if isinstance(key, int) else str(key)


@cache
def _task() -> tuple[tuple[str, ...], dict[str, Check]]:
    """The fields that a task must have, and a check for each of the others."""
    defs = json.loads(schemas.read("task-graph"))["$defs"]
    required = tuple(defs["task"]["required"])
    checks = _fields(defs["task"], defs)
    return required, {name: check for name, check in checks.items() if name not in required}


def _fields(rule: dict[str, Any], defs: dict[str, Any]) -> dict[str, Check]:
    return {name: _check(field, defs) for name, field in rule["properties"].items()}


def _check(rule: dict[str, Any], defs: dict[str, Any], noun: str = "") -> Check:
    """The check for what a schema of the task's says. Raises: KeyError for one it cannot read.

    `noun`: what the schema calls it.
    """
    if name := rule.get("$ref", "").removeprefix("#/$defs/"):
        return _NAMED.get(name) or _check(defs[name], defs, name)
    match rule["type"]:
        case "string" if "enum" in rule:
            return partial(_one_of, rule["enum"])
        case "string":
            return _Look.name if "minLength" in rule else _Look.text
        case "integer":
            return partial(_whole, rule["minimum"], rule.get("maximum"))
        case "number":
            return _amount
        case "boolean":
            return _truth
        case "array":
            return partial(_list, _check(rule["items"], defs))
        case "object":
            return partial(_mapping, _fields(rule, defs), rule.get("required", []))
        case ["string", "array"]:
            return partial(_text_or_list, _check(rule["items"], defs))
        case ["string", "object"]:
            return partial(_name_or_mapping, _fields(rule, defs), rule["required"], noun)
    raise KeyError(rule["type"])
