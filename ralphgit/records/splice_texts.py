"""Replace texts of a task where they stand; every other byte stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.records import graph_file, splice_task, yaml_nodes, yaml_writer


class Replacement(NamedTuple):
    """A text inside a task, and what it is to be."""

    path: tuple[str | int, ...]
    new: str
    change: Callable[[str], str]
    """Makes `new` of the old text; of the text as it is written, too, where that is possible."""


def replace(file: graph_file.GraphFile, index: int, wanted: list[Replacement]) -> str:
    """Replace texts of task number `index` in the text of `file`.

    Each keeps its quotes, or its lines, where the new one can be written so.

    Raises: InvalidRecord (unclear_layout) where this would touch more.
    """
    goal = splice_task.plain_copy(file.tasks[index])
    for one in wanted:
        goal = _with(goal, one.path, one.new)

    def edit(block: str) -> str:
        for one in wanted:
            block = _replaced(block, one)
        return block

    return splice_task.rewritten(file, index, goal, edit)


def _replaced(block: str, one: Replacement) -> str:
    node = yaml_nodes.at_path(yaml_nodes.compose(block), (0, *one.path))
    start, end = node.start_mark.index, node.end_mark.index
    goal = [_with(graph_file.read_block(block), one.path, one.new)]
    for text in _spellings(block[start:end], one):
        made = block[:start] + text + block[end:]
        try:
            if [graph_file.read_block(made)] == goal:
                return made
        except InvalidRecord:
            continue
    raise InvalidRecord(f"{one.new!r} cannot be written in place")


def _spellings(old: str, one: Replacement) -> Iterator[str]:
    if len(old) > 1 and old[0] == old[-1] and old[0] in "\"'":
        yield old[0] + one.change(old[1:-1]) + old[0]
    else:
        yield one.change(old)
    yield yaml_writer.scalar(one.new)


def _with(value: Any, path: tuple[str | int, ...], new: str) -> Any:
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {**value, step: _with(value[step], rest, new)}
    assert isinstance(step, int)
    return [*value[:step], _with(value[step], rest, new), *value[step + 1 :]]
