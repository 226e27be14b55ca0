"""The base branch, walked commit by commit: every move of every task legal, none done twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pygit2
import ryaml
from world import World

#: What one landing may do to a task: a claim and its end may arrive together.
_LEGAL = {
    ("pending", "in-progress"), ("pending", "complete"), ("pending", "blocked"),
    ("in-progress", "complete"), ("in-progress", "blocked"), ("in-progress", "pending"),
    ("blocked", "pending"), ("blocked", "in-progress"), ("blocked", "complete"),
}  # fmt: skip


def violations(world: World, base: str) -> list[str]:
    """What is wrong with the history of `main` in the repository `base`."""
    commits = world.git("-C", base, "rev-list", "--first-parent", "--reverse", "main").split()
    found: list[str] = []
    before: dict[str, dict[str, Any]] = {}
    completions: Counter[str] = Counter()
    repository, shards = pygit2.Repository(base), dict[str | None, pygit2.Blob]()
    for commit in commits:
        old_shards, shards = shards, _shards(repository, commit)
        changed = [blob for name, blob in shards.items() if blob != old_shards.get(name)]
        for task in _tasks(changed):
            old = before.get(task["id"])
            if old is not None and old != task:
                found += _moved(commit[:10], old, task, completions)
            before[task["id"]] = task
    found += [f"{id} was completed {n} times" for id, n in completions.items() if n > 1]
    landed = _landed(world, base)
    # Without a claim it was complete when the loops began.
    done = [task for task in before.values() if task["status"] == "complete" and "claim" in task]
    found += [f"{task['id']} is complete, and its file is not there" for task in done
              if not landed.issuperset(task["outputs"])]  # fmt: skip
    return found


def _moved(
    commit: str, old: dict[str, Any], new: dict[str, Any], completions: Counter[str]
) -> list[str]:
    where = f"{commit}: {new['id']}: {old['status']} -> {new['status']}"
    found = []
    raised = new.get("epoch", 0) > old.get("epoch", 0)
    # A lease that has expired is reset, whether or not its claim was on the base.
    unclaimed = raised and old["status"] == new["status"] == "pending"
    if (old["status"], new["status"]) not in _LEGAL and not unclaimed:
        found.append(f"{where} is not legal")
    if new.get("epoch", 0) < old.get("epoch", 0):
        found.append(f"{where} lowers the epoch")
    if new["status"] == "complete":
        completions[new["id"]] += 1
        if new["result"]["claim"] != new["claim"]["id"]:
            found.append(f"{where} under another claim's result")
    if {k: v for k, v in new.items() if k not in _LIFECYCLE} != {
        k: v for k, v in old.items() if k not in _LIFECYCLE
    }:
        found.append(f"{where} changes more than its lifecycle")
    return found


_LIFECYCLE = {"status", "claim", "reset", "cancelled", "result", "blocked", "epoch"}


def _landed(world: World, base: str) -> set[str]:
    return set(world.git("-C", base, "ls-tree", "-r", "--name-only", "main").splitlines())


def live(world: World, base: str) -> Counter[str]:
    """How many tasks of the graph are in each status on `main`."""
    tasks = _tasks(_shards(pygit2.Repository(base), "main").values())
    return Counter(task["status"] for task in tasks)


def states(world: World, base: str) -> Counter[str]:
    """How many tasks are in each status on `main`, those of the archive among them."""
    found = live(world, base)
    for name in _landed(world, base):
        if name.startswith("records/archive/"):
            lines = world.git("-C", base, "show", f"main:{name}").splitlines()
            blocks = [json.loads(line).get("block", "") for line in lines]
            found.update(task["status"] for block in blocks for task in ryaml.loads(block) or ())
    return found


def _shards(repository: pygit2.Repository, revision: str) -> dict[str | None, pygit2.Blob]:
    """The graph's files by their names, of whichever layout."""
    tree = repository.revparse_single(f"{revision}^{{tree}}")
    assert isinstance(tree, pygit2.Tree)
    if "graph" in tree:
        tree = tree / "graph"
        assert isinstance(tree, pygit2.Tree)
    found = {one.name: one for one in tree if isinstance(one, pygit2.Blob)}
    return {name: one for name, one in found.items() if name and name.endswith(".yaml")}


def _tasks(shards: Iterable[pygit2.Blob]) -> Iterator[dict[str, Any]]:
    for blob in shards:
        yield from ryaml.loads(blob.data.decode()).get("tasks") or ()


def statuses(text: str) -> Counter[str]:
    """How many tasks of a graph are in each status."""
    return Counter(task["status"] for task in ryaml.loads(text)["tasks"])
