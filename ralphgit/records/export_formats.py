"""Write tasks in formats that other tools read, and that `import` reads back.

Claims, results and all else that `LIFECYCLE_KEYS` names are about the repository where they were
made: only JSON lines, which hold a task as it is stored, keep them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ralphgit.model.task_status import Status
from ralphgit.records.task_mapping import LIFECYCLE_KEYS

#: Those that have a place for the graph's other root keys.
WITH_ROOT = ("markdown", "graph")
FORMATS = ("jsonl", "markdown", "graph")
_LEFT_OUT = frozenset({*LIFECYCLE_KEYS[1:], "x-source"})


def text(form: str, tasks: Sequence[Mapping[str, Any]], root: Mapping[str, Any]) -> str:
    """The tasks, normalised and in file order, and the graph's other root keys in `form`.

    JSON lines have no place for root keys, Markdown none but for stories and milestones.
    """
    if form == "jsonl":
        return "".join(f"{json.dumps(_without(task, {'x-source'}))}\n" for task in tasks)
    fresh = [_without(task, _LEFT_OUT) for task in tasks]
    root = {key: _unsourced(value) for key, value in root.items() if key != "x-source"}
    if form == "markdown":
        from ralphgit.records import export_markdown  # it reads back what it writes

        return export_markdown.document(fresh, root)
    return _graph(fresh, root)


def _without(task: Mapping[str, Any], keys: set[str] | frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in task.items() if key not in keys and value is not None}


def _unsourced(value: Any) -> Any:
    """A root key without what the entries of a list remember of their source."""
    entries = value if isinstance(value, list) else []
    if not entries or not all(isinstance(entry, Mapping) for entry in entries):
        return value
    return [{key: inner for key, inner in one.items() if key != "x-source"} for one in entries]


def _graph(tasks: Sequence[Mapping[str, Any]], root: Mapping[str, Any]) -> str:
    """Nodes, and an edge from each task to those that depend on it."""
    from ralphgit.records import yaml_writer

    nodes, edges = [], []
    for task in tasks:
        node = _without(task, {"depends_on"})
        if node["status"] in (Status.IN_PROGRESS, Status.BLOCKED):
            node["status"] = Status.PENDING.value
        nodes.append(node)
        edges += [{"from": other, "to": task["id"]} for other in task.get("depends_on") or ()]
    more = {key: value for key, value in root.items() if key != "version"}
    return yaml_writer.mapping({**more, "nodes": nodes, "edges": edges})
