"""How the cost of a command grows with the graph, as a table and as a picture (SVG).

All in graphs of 100 tasks a file, in processor time with all that a command starts. Beside them
what nobody can be below: a Python that does nothing, and a `git add` and `git commit` of what a
claim writes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape

from world import ROOT

from bench import timing
from bench.paired import Version
from bench.timing import Case, Cost

SIZES = (1_000, 10_000, 100_000)
_SHARD = 100
#: The lines that are no command of ours.
PYTHON, GIT = "python -c pass", "git add, git commit"
COMMANDS = ("check", "complete", "status", "claim", "next --limit 10")
Figures = Mapping[str, Mapping[int, float]]
"""Milliseconds, by line and number of tasks."""


def measure(folder: Path, sizes: Sequence[int], count: int) -> Figures:
    """Measure each command in graphs of these sizes, in `count` rounds. Raises: Failed."""
    found: dict[str, dict[int, float]] = {name: {} for name in (*COMMANDS, GIT, PYTHON)}
    for size in sizes:
        place = folder / str(size)
        place.mkdir(parents=True)
        version = Version(place, "proj", ROOT, size, shards=max(2, size // _SHARD))
        cases = [
            Case("next --limit 10", partial(_look, version, ("next", "--limit", "10", "--json"))),
            Case("status", partial(_look, version, ("status", "--json"))),
            Case("check", partial(_check, version)),
            Case("claim", version.claim),
            Case("complete", version.complete),
            Case(GIT, version.bare),
            Case(PYTHON, version.nothing),
        ]
        for name, costs in timing.rounds(cases, count).items():
            found[name][size] = timing.processor(costs) * 1000
        print(f"{size:,} tasks measured", file=sys.stderr, flush=True)
    return found


def _look(version: Version, words: Sequence[str]) -> Cost:
    version.claim()  # as it mostly is: somebody works
    return version.look(words)


def _check(version: Version) -> Cost:
    version.restore()
    return version.check()


def table(figures: Figures) -> str:
    """The figures in Markdown."""
    sizes = sorted({size for line in figures.values() for size in line})
    head = " | ".join(f"{size:,}" for size in sizes)
    lines = [f"| ms | {head} |", f"|---{'|---' * len(sizes)}|"]
    for name, line in figures.items():
        cells = " | ".join(f"{line[size]:,.0f}" for size in sizes)
        lines.append(f"| {name if name in COMMANDS else f'*{name}*'} | {cells} |")
    return "\n".join(lines)


# -- the picture ---------------------------------------------------------------------

_WIDTH, _HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 200, 44, 52
#: Between two labels, one above the other.
_LINE = 16
_STYLE = """\
    svg { --ground: #ffffff; --ink: #1f2328; --soft: #57606a; --grid: #d8dee4;
      --c0: #b42318; --c1: #9a6700; --c2: #1a7f37; --c3: #0969da; --c4: #8250df; }
    @media (prefers-color-scheme: dark) {
      svg { --ground: #0d1117; --ink: #e6edf3; --soft: #9198a1; --grid: #30363d;
        --c0: #ff7b72; --c1: #e3b341; --c2: #56d364; --c3: #79c0ff; --c4: #d2a8ff; }
    }
    text { font: 13px system-ui, sans-serif; fill: var(--ink); }
    .soft { fill: var(--soft); font-size: 12px; }
    .ground { fill: var(--ground); }
    .grid { stroke: var(--grid); }
    .line { fill: none; stroke-width: 2; }
    .reference { stroke: var(--soft); stroke-dasharray: 5 4; }
"""


def picture(figures: Figures, said: str) -> str:
    """Draw the figures, both axes logarithmic; `said` stands below them.

    It is read on a light and on a dark page, and each line has its name at its end.
    """
    sizes = sorted({size for line in figures.values() for size in line})
    values = [value for line in figures.values() for value in line.values()]
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))

    def x(size: float) -> float:
        share = math.log10(size / sizes[0]) / (math.log10(sizes[-1] / sizes[0]) or 1)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        share = math.log10(value / low) / (math.log10(high / low) or 1)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-labelledby="title said">',
        '  <title id="title">Processor time of a command by the size of the graph</title>',
        f'  <desc id="said">{escape(said)}</desc>',
        f"  <style>\n{_STYLE}  </style>",
        f'  <rect class="ground" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'  <text x="{_LEFT}" y="24">Processor time of a command, by the tasks in the graph</text>',
    ]
    value = low
    while value <= high:
        at = y(value)
        parts += [
            f'  <path class="grid" d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}"/>',
            f'  <text class="soft" x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">'
            f"{_time(value)}</text>",
        ]
        value *= 10
    for size in sizes:
        parts.append(
            f'  <text class="soft" x="{x(size):.1f}" y="{_HEIGHT - _BOTTOM + 20}" '
            f'text-anchor="middle">{size:,}</text>'
        )
    parts.append(f'  <text class="soft" x="{_LEFT}" y="{_HEIGHT - 10}">{escape(said)}</text>')
    ends = {name: y(line[max(line)]) for name, line in figures.items()}
    for name, label in zip(sorted(ends, key=ends.__getitem__), _apart(sorted(ends.values())),
                           strict=True):  # fmt: skip
        line = figures[name]
        points = " ".join(f"{x(size):.1f},{y(line[size]):.1f}" for size in sorted(line))
        own = name in COMMANDS
        colour = f' style="stroke: var(--c{COMMANDS.index(name)})"' if own else ""
        fill = f' style="fill: var(--c{COMMANDS.index(name)})"' if own else ' class="soft"'
        kind = "line" if own else "line reference"
        parts += [
            f'  <polyline class="{kind}"{colour} points="{points}"/>',
            f'  <text x="{_WIDTH - _RIGHT + 10}" y="{label + 4:.1f}"{fill}>{escape(name)}, '
            f"{_time(line[max(line)])}</text>",
        ]
    return "\n".join([*parts, "</svg>", ""])


def _apart(places: Sequence[float]) -> list[float]:
    """`places`, ascending, moved as far as labels need that stand there."""
    found = list(places)
    for number in range(1, len(found)):
        found[number] = max(found[number], found[number - 1] + _LINE)
    most = float(_HEIGHT - _BOTTOM)
    for number in reversed(range(len(found))):
        found[number] = min(found[number], most)
        most = found[number] - _LINE
    return found


def _time(milliseconds: float) -> str:
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.3g} s"
    return f"{milliseconds:.3g} ms"
