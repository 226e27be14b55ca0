"""Task graphs of any size that look like a project half way through.

Stories of 24 tasks, some 475 bytes each: the first half of a story is complete, then come
eight that are ready, and four that wait for those. Four tasks are in progress, in graphs of
a thousand as of ten thousand. The same number of tasks gives the same bytes.
"""

from __future__ import annotations

from ralphgit.records import task_mapping
from ralphgit.rules.contract_digest import contract

_STORY = 24
_COMPLETE, _READY = 12, 8
#: No more are under way at once, however large the graph: workers are few.
_WORKERS = ("alpha", "beta", "gamma", "delta")
_AREAS = ("api", "billing", "charts", "forms", "import", "mail", "search", "sync", "users")
_VERBS = ("Add", "Cache", "Check", "Document", "Move", "Rename", "Split", "Test")
_THINGS = (
    "the retry policy", "paging of long lists", "the error page", "the date parser",
    "the session store", "column widths", "the audit export",
)  # fmt: skip
_HEAD = "version: 1\ntasks:\n"


def name(number: int) -> str:
    """The id of task `number`, counted from 0."""
    return f"T-{number // _STORY:04d}-{number % _STORY:02d}"


def status(number: int) -> str:
    """How far task `number` is: complete, in-progress, ready or waiting."""
    place, story = number % _STORY, number // _STORY
    if place < _COMPLETE:
        return "complete"
    if place == _COMPLETE and story % 10 == 4 and story // 10 < len(_WORKERS):
        return "in-progress"
    return "ready" if place < _COMPLETE + _READY else "waiting"


def ready(count: int) -> list[int]:
    """The numbers of the tasks that can be claimed in a graph of `count`."""
    return [number for number in range(count) if status(number) == "ready"]


def block(number: int, *, title: str = "") -> str:
    """Task `number` as it stands in a graph file."""
    story, place = divmod(number, _STORY)
    area = _AREAS[story % len(_AREAS)]
    title = title or f"{_VERBS[number % len(_VERBS)]} {_THINGS[number % len(_THINGS)]}"
    source = f"src/{area}/{story:04d}_{place:02d}"
    state = status(number)
    promised: dict[str, object] = {
        "id": name(number), "title": title, "status": "pending", "mode": "parallel",
        "acceptance": [f"{area} does as its page says"],
        "verify": [f"pytest tests/{area}"], "outputs": [f"{source}.py"],
        "scope": {"write": [f"{source}*"]},
    }  # fmt: skip
    lines = [f"  - id: {name(number)}", f"    title: {title}"]
    if state == "complete":
        lines += ["    status: complete", *_claim(number, promised), *_result(number)]
    elif state == "in-progress":
        lines += ["    status: in-progress", *_claim(number, promised)]
    else:
        lines += ["    status: pending"]
    lines += [f"    story: S-{story:04d}", f"    priority: {1 + number % 3}"]
    if needed := _needed(place):
        lines += ["    depends_on:", *(f"      - {name(story * _STORY + n)}" for n in needed)]
    lines += [
        "    description: With its edge cases.",
        "    acceptance:",
        f"      - {area} does as its page says",
        "    verify:",
        f"      - pytest tests/{area}",
        "    outputs:",
        f"      - {source}.py",
        "    scope:",
        f"      write: [{source}*]",
    ]
    return "\n".join(lines) + "\n"


def _needed(place: int) -> list[int]:
    """What a task depends on, by place in its story; complete ones form a chain."""
    if place < _COMPLETE:
        return [place - 1] if place else []
    if place < _COMPLETE + _READY:
        return [place - _COMPLETE]
    return [place - _READY // 2, _COMPLETE + 1]


def _claim(number: int, promised: dict[str, object]) -> list[str]:
    return [
        "    claim:",
        f"      id: {_id('c', number)}",
        f"      by: {_WORKERS[number // _STORY // 10 % len(_WORKERS)]}",
        f'      at: "2026-11-{1 + number % 20:02d}T10:00:00Z"',
        "      base: 3f2a9c1d5e60",
        f"      contract: {contract(task_mapping.task(promised))}",
    ]


def _result(number: int) -> list[str]:
    return [
        "    result:",
        f"      id: {_id('r', number)}",
        f"      claim: {_id('c', number)}",
        "      outcome: done",
        f'      at: "2026-11-{1 + number % 20:02d}T11:00:00Z"',
    ]


def _id(kind: str, number: int) -> str:
    return f"k{kind}{number:08d}"


def files(count: int, shards: int = 1) -> dict[str, str]:
    """A graph of `count` tasks as one file, or parted evenly into `shards` files."""
    if shards == 1:
        return {"task-graph.yaml": _HEAD + "".join(map(block, range(count)))}
    size = -(-count // shards)
    return {
        f"graph/part-{shard:03d}.yaml": _HEAD
        + "".join(map(block, range(shard * size, min(count, (shard + 1) * size))))
        for shard in range(shards)
    }
