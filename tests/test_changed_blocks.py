"""Of a changed graph file only what has changed is read, and that says what the whole says."""

from __future__ import annotations

import time

import pytest
import slow
from bench import graphs
from hypothesis import given
from hypothesis import strategies as some

from ralphgit.errors import InvalidRecord
from ralphgit.model.task_row import Row
from ralphgit.records import changed_blocks, graph_file

_PATH = "task-graph.yaml"
_BLOCKS = (
    "  - id: {id}\n    title: Plain\n    status: pending\n",
    "  - id: {id}\n    title: 'Quoted'\n    status: pending\n\n  # a comment\n",
    "  -   id: {id}\n      title: |\n        - id: T-9\n          status: x\n      status: done\n",
    "  - {{id: {id}, title: In a line, status: pending}}\n",
    '  - id: {id}\n    title: "Two\n      lines"\n    status: done\n    claim: {{id: abc}}\n',
    "  - title: é 漢\n    id: {id}\n    status: pending\n    depends_on: [T-0]\n"
    "    x-kept: |+\n      a\n\n",
    "  -\n    id: {id}\n    title: Below\n    status: pending\n",
)
_PIECES = (
    "\n", " ", "-", "  - ", '"', "'", "[", "{", "}", "#", "  - id: T-7\n", "status: pending\n",
    "  - {id: T-8, title: x, status: pending}\n", "stories: []\n", "&a ", "*a", "|\n", "\t", "\r",
    "  # x\n", ": ", "x", "\x07", "...\n", "---\n",
)  # fmt: skip


@some.composite
def graph_texts(draw: some.DrawFn) -> str:
    kinds = draw(some.lists(some.sampled_from(_BLOCKS), max_size=5))
    blocks = [block.format(id=f"T-{number}") for number, block in enumerate(kinds)]
    end = draw(some.sampled_from(("", "", "", "stories: []\n", "# the end\n")))
    text = draw(some.sampled_from(("", "# head\n", "\ufeff"))) + "version: 1\ntasks:\n"
    text += "".join(blocks) + end
    return draw(some.sampled_from((text, text.replace("\n", "\r\n"))))


@some.composite
def changes(draw: some.DrawFn) -> tuple[str, str]:
    """A text, and another that is much like it: of the same blocks, or with pieces put anywhere."""
    old = draw(graph_texts())
    if draw(some.booleans()):
        return old, draw(graph_texts())
    new = old
    for _ in range(draw(some.integers(1, 3))):
        at = draw(some.integers(0, len(new)))
        end = at + draw(some.sampled_from((0, 0, 1, 5, 30)))
        new = new[:at] + draw(some.sampled_from(("", *_PIECES))) + new[end:]
    return old, new


def rows_of(text: str) -> list[Row] | None:
    """The rows of a graph file; None for one that is refused."""
    data = text.encode("utf-8")
    try:
        return graph_file.rows(graph_file.parse(data, path=_PATH))
    except InvalidRecord:
        return None


def shown(rows: list[Row]) -> list[tuple[object, ...]]:
    texts = Row._fields.index("texts")
    return [(*row[:texts], row.json) for row in rows]


@slow.examples(100)
@given(changes())
def test_what_has_changed_says_what_the_whole_says(pair: tuple[str, str]) -> None:
    old, new = pair
    before = rows_of(old)
    if before is None:
        return
    found = changed_blocks.of(old, before, new)
    if found is None:
        return
    behind = [
        row._replace(
            line=row.line + found.lines,
            start=row.start + found.characters,
            end=row.end + found.characters,
        )
        for row in before[found.first + found.before :]
    ]
    whole = rows_of(new)
    assert whole is not None, "the whole is refused"
    assert shown([*before[: found.first], *found.rows, *behind]) == shown(whole)


@pytest.mark.parametrize("number", [0, 11, 2_999])
def test_one_task_that_has_changed_is_all_that_is_read(number: int) -> None:
    old = graphs.files(3_000)[_PATH]
    block = graphs.block(number)
    new = old.replace(block, graphs.block(number, title="Another"))
    rows = rows_of(old)
    assert rows is not None
    begun = time.process_time()
    found = changed_blocks.of(old, rows, new)
    took = time.process_time() - begun
    assert found is not None
    assert (found.first, found.before, len(found.rows)) == (number, 1, 1)
    assert found.rows[0].title == "Another"
    assert found.rows[0].id == graphs.name(number)
    # Reading all of it takes some 0.1 s.
    assert took < 0.05


@pytest.mark.slow
def test_tasks_that_have_changed_far_apart_are_all_that_is_read() -> None:
    old = graphs.files(3_000)[_PATH]
    new = old
    for number in (3, 1_500, 2_990):
        new = new.replace(graphs.block(number), graphs.block(number, title="Another title"))
    rows = rows_of(old)
    assert rows is not None
    took, whole = [], []
    for _ in range(3):
        begun = time.process_time()
        found = changed_blocks.of(old, rows, new)
        took.append(time.process_time() - begun)
        begun = time.process_time()
        expected = rows_of(new)
        whole.append(time.process_time() - begun)
    assert found is not None
    assert (found.first, found.before, len(found.rows)) == (3, 2_988, 2_988)
    assert shown([*rows[:3], *found.rows]) == shown((expected or [])[:2_991])
    # A tenth of what reading all of it takes.
    assert min(took) < min(whole) / 2
