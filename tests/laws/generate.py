"""Graph files as people and programs write them, from a source of random numbers.

Everything is drawn from a `random.Random`, so that one code serves both Hypothesis (which
can stand in for it, and shrink) and the long run (which is fast, and reproducible by seed).
The writer knows which line belongs to which field, and so can say what an edit may touch
without asking the code under test.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from laws.block import Block, Layout, between, chance, id_source, may_read_on, task_block


@dataclass(frozen=True, slots=True)
class Written:
    """A graph file and what its writer knows about it."""

    head: tuple[str, ...]
    blocks: tuple[Block, ...]
    foot: tuple[str, ...]
    eol: str
    final_eol: bool
    bom: bool = False
    odd: bool = False
    """Some layout in it is legal YAML that may be refused, but must not be damaged."""

    @property
    def text(self) -> str:
        lines = list(self.head)
        for block in self.blocks:
            lines += [line.text for line in block.lines]
            lines += block.gap
        lines += self.foot
        text = self.eol.join(lines) + (self.eol if self.final_eol else "")
        return "\ufeff" + text if self.bom else text

    @property
    def data(self) -> bytes:
        return self.text.encode()

    def touching(self, first: int, second: int) -> bool:
        """Whether changes of these two tasks may fall on lines with none between them."""
        first, second = sorted((first, second))
        return (
            second == first + 1
            and not self.blocks[first].gap
            and self.blocks[first].ends_with_lifecycle
            and self.blocks[second].opens_with_lifecycle
        )

    def with_block(self, index: int, block: Block) -> Written:
        blocks = (*self.blocks[:index], block, *self.blocks[index + 1 :])
        return dataclasses.replace(self, blocks=blocks)


def graph(
    rng: random.Random,
    *,
    fewest: int = 1,
    most: int = 40,
    odd: bool = False,
    ids: Sequence[str] = (),
) -> Written:
    """A graph file. `odd` lets in layouts that an edit may refuse; `ids` fixes the ids."""
    count = len(ids) or _count(rng, fewest, most)
    ids = ids or _ids(rng, count)
    layout = Layout(
        ids=id_source(rng),
        dash=rng.choice((2, 2, 2, 0, 0, 1, 3, 4)),
        eol=rng.choice(("\n", "\n", "\n", "\r\n")),
        flow=rng.choice((0.0, 0.0, 0.0, 0.3, 1.0)),
        chatter=rng.choice((0.0, 0.1, 0.3)),
        odd=odd,
        bracket=chance(rng, 0.04),
    )
    blocks = [task_block(rng, layout, id, ids[:place]) for place, id in enumerate(ids)]
    blocks = [dataclasses.replace(block, gap=_gap(rng, layout, block)) for block in blocks]
    final_eol = chance(rng, 0.8)
    foot = _foot(rng, layout)
    return Written(
        head=_head(rng, layout),
        blocks=tuple(blocks),
        foot=foot,
        eol=layout.eol,
        final_eol=final_eol,
        bom=chance(rng, 0.02),
        odd=odd,
    )


@st.composite
def graphs(draw: st.DrawFn, *, fewest: int = 1, most: int = 5, odd: bool = False) -> Written:
    """Graph files, small ones, that shrink."""
    rng = draw(st.randoms(use_true_random=False, note_method_calls=False))
    return graph(rng, fewest=fewest, most=most, odd=odd)


# -- the file around the tasks ---------------------------------------------------------


def _count(rng: random.Random, fewest: int, most: int) -> int:
    if chance(rng, 0.6):
        most = min(most, max(fewest, 6))
    return rng.randint(fewest, most)


def _ids(rng: random.Random, count: int) -> list[str]:
    # Numbers as ids are legal, and slow to read: each is looked up as it was written.
    styles = ("{}", "0{}", "{}e3") if chance(rng, 0.05) else ("T-{:03}", "S-024.{}", "a{}-x.y")
    style = rng.choice(styles)
    start = rng.choice((1, 1, 9, 98))
    ids = [style.format(start + number) for number in range(count)]
    if chance(rng, 0.2):
        rng.shuffle(ids)
    return ids


def _head(rng: random.Random, layout: Layout) -> tuple[str, ...]:
    lines = []
    if chance(rng, 0.3):
        lines.append("# yaml-language-server: $schema=schemas/task-graph.schema.json")
    lines += between(rng, layout, (0, 2))
    if chance(rng, 0.1):
        lines.append("---")
    root = [["version: 1"]]
    if chance(rng, 0.3):
        root.append(["project: solar"])
    if chance(rng, 0.2):
        root.append(["notes: |", "  tasks:", "    - id: T-1", "      status: pending", ""])
    if chance(rng, 0.1):
        root.append(["settings:", "  tasks:", "    - id: T-1", "  status: pending"])
    rng.shuffle(root)
    for entry in root:
        lines += entry
        lines += between(rng, layout, (0,))
    key = rng.choice(("tasks:", "tasks:", "tasks:", "tasks:  # in order", '"tasks":', "tasks : "))
    lines.append("tasks: [" if layout.bracket else key)
    lines += between(rng, layout, (0, layout.dash, layout.dash + 2))
    return tuple(lines)


def _foot(rng: random.Random, layout: Layout) -> tuple[str, ...]:
    close = ["]"] if layout.bracket else []
    if not chance(rng, 0.25):
        return tuple(close)
    entry = rng.choice(
        (
            ["stories:", "  - id: S-1", "    status: pending"],
            ["stories:", "- id: S-1", "  status: pending"],
            ["tail: >-", "  - id: T-1", "  status: pending"],
            ["owner: nobody"],
        )
    )
    return (*close, *entry, *between(rng, layout, (0,)))


def _gap(rng: random.Random, layout: Layout, block: Block) -> tuple[str, ...]:
    columns = [0, layout.dash]
    if block.flow or layout.odd or not may_read_on(block.lines):
        columns += [layout.dash + 2, layout.dash + 5]
    lines = between(rng, layout, columns)
    if chance(rng, 0.15):
        lines.append("")
    return tuple(lines)
