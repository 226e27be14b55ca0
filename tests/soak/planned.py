"""A graph of other people's tasks, each with something to do that a scripted agent can do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import ryaml
from world import World

from ralphgit.records import yaml_writer

Task = dict[str, Any]


def graph(folder: Path, file: Path, *, most: int, sleep: float) -> str:
    """What `import` makes of `file`, cut down to some `most` unfinished tasks and their needs.

    0 for all. Each unfinished task asks for a file of its own, instead of what it asked for.
    """
    world = World(folder, name="imported")
    done = world.ralph("import", os.fspath(file))
    assert done.code == 0, done.err
    tasks = {task["id"]: task for task in ryaml.loads(world.read())["tasks"]}
    for task in tasks.values():
        # What was cancelled there, or is held back, nobody does here: nothing is to wait for it.
        needs = [one for one in task.get("depends_on", []) if tasks[one]["status"] != "cancelled"]
        task.pop("depends_on", None)
        task |= {"depends_on": needs} if needs else {}
    chosen = _needed(tasks, most) if most else set(tasks)
    for id, task in tasks.items():
        if task["status"] == "pending":
            path = f"work/{id}.txt"
            task.pop("mode", None)
            task |= {
                "verify": [f"grep -q {id} {path}"], "outputs": [path], "scope": {"write": [path]},
                "x-script": {"sleep": sleep, "write": {path: f"{id}\n"}},
            }  # fmt: skip
    kept = [task for id, task in tasks.items() if id in chosen]
    return yaml_writer.mapping({"version": 1, "tasks": kept})


def _needed(tasks: dict[str, Task], most: int) -> set[str]:
    """The first unfinished tasks with all that they depend on, until there are `most`."""
    chosen: set[str] = set()
    for id, task in tasks.items():
        if task["status"] != "pending" or not task.get("depends_on"):
            continue
        waiting = [id]
        while waiting:
            other = waiting.pop()
            if other not in chosen:
                chosen.add(other)
                waiting += tasks[other].get("depends_on", [])
        if sum(tasks[other]["status"] == "pending" for other in chosen) >= most:
            break
    return chosen
