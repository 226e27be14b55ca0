"""`python -m bench [--only store|targets|loops] [ROUNDS]`: print every figure with its target.

A benchmark, not a test: "over" is no failure. The exit code is 1 only if something that
was to be measured did not run.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench import curve, imports, loops, paired, places, table, targets, timing
from bench.places import Place, Worktree
from bench.table import Line
from bench.timing import Case, Cost

_LIMIT_COLD_S, _LIMIT_PEAK = 0.6, 250 * 1000 * 1000
_LIMIT_INDEPENDENCE_S = 2.0
_TABLES = ("store", "targets", "loops")
_SMALLEST = 1_000


def main() -> int:
    """Measure and print; the exit code."""
    reader = argparse.ArgumentParser(prog="bench", description=__doc__)
    reader.add_argument("rounds", nargs="?", type=int, default=15, help="default: 15")
    reader.add_argument("--only", choices=_TABLES, help="one of the tables")
    reader.add_argument(
        "--largest", type=int, default=100_000, help="tasks of the largest graph (100,000)"
    )
    reader.add_argument("--tasks", type=int, default=120, help="that several loops drain (120)")
    reader.add_argument(
        "--against", type=Path, metavar="DIR",
        help="every command in pairs with the version checked out in DIR, and nothing else",
    )  # fmt: skip
    reader.add_argument(
        "--command", action="append", default=[], metavar="NAME",
        help="with --against: this command alone (repeatable)",
    )  # fmt: skip
    reader.add_argument(
        "--curve", type=Path, metavar="FILE",
        help="how the cost grows with the graph, as a table and as a picture, and nothing else",
    )  # fmt: skip
    words = reader.parse_args()
    if words.against and not paired.is_checkout(words.against):
        reader.error(f"{words.against} is no checkout of ralphgit")
    count = max(1, words.rounds)
    home = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="ralphgit-bench-") as folder:
        try:
            if words.against:
                _pairs(Path(folder), words.against.resolve(), count, words.command)
                return 0
            if words.curve:
                _curve(Path(folder), home / words.curve, count, max(_SMALLEST, words.largest))
                return 0
            shown = (words.only,) if words.only else _TABLES
            over: list[Line] = []
            if "store" in shown:
                over += table.show(
                    f"{count} interleaved rounds; medians of whole processes, "
                    "interpreter called directly",
                    _measure(Path(folder), count),
                )
            if "targets" in shown:
                largest = max(_SMALLEST, words.largest)
                over += table.show(
                    f"{count} rounds; medians of processor time; before: {targets.BEFORE}",
                    targets.measure(Path(folder) / "targets", count, largest),
                )
            if "loops" in shown:
                over += table.show(
                    "git daemon on loopback; medians over the tasks",
                    loops.measure(Path(folder) / "loops", max(1, words.tasks)),
                )
            for line in over:
                print(f"missed: {line.missed}")
        except timing.Failed as failure:
            print(failure, file=sys.stderr)
            return 1
        finally:
            os.chdir(home)
    return 0


def _pairs(folder: Path, other: Path, count: int, commands: list[str]) -> None:
    for tasks in (24, 1_000):
        place = folder / str(tasks)
        place.mkdir()
        table.show(
            f"{tasks:,} tasks, {count} rounds in pairs with {other.name}; least processor time",
            paired.measure(place, other, count, tasks, commands),
        )


def _curve(folder: Path, file: Path, count: int, largest: int) -> None:
    """Print the table, and draw the picture into `file`."""
    sizes = [size for size in curve.SIZES if size <= largest]
    figures = curve.measure(folder, sizes, count)
    print(curve.table(figures))
    at = datetime.now(UTC).strftime("%Y-%m-%d")
    said = (
        f"just bench {count} --curve, {at}; {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}; 100 tasks a file, one task claimed"
    )
    file.write_text(curve.picture(figures, said), encoding="utf-8")


def _measure(folder: Path, count: int) -> list[Line]:
    env = places.surroundings(folder)
    thousand = Place(folder, "thousand", env, 1_000)
    single = Place(folder, "single", env, 10_000)
    sharded = Place(folder, "sharded", env, 10_000, shards=100)
    changing = Place(folder, "changing", env, 10_000, shards=100)
    cold = Place(folder, "cold", env, 10_000)
    # A third of the tasks is ready.
    many = Place(folder, "many", env, 3_000)
    small = Worktree(Place(folder, "small", env, 24))
    large = Worktree(Place(folder, "large", env, 1_000))
    script = shutil.which("ralphgit", path=str(Path(sys.executable).parent))
    cases = [
        Case("pass", lambda: thousand.timed(sys.executable, "-c", "pass")),
        Case("next 1,000", thousand.next),
        Case("next 10,000", single.next),
        Case("next sharded", sharded.next),
        Case("next changed", changing.next_changed),
        Case("next cold", cold.next_cold),
        Case("independence", lambda: many.timed(*places.RALPH, "independence", "--json")),
        Case("claim small", small.claim),
        Case("bare small", small.bare),
        Case("claim large", large.claim),
        Case("bare large", large.bare),
    ]
    if script:
        cases.append(Case("script", lambda: thousand.timed(script, "next", "--json")))
    found = timing.rounds(cases, count)

    def times(name: str, other: str, what: str, limit: float, title: str) -> Line:
        ratio = timing.ratio(found[name], found[other])
        return Line(
            title, _ms(found[name]), f"{ratio:.2f} x {what}", f"<= {limit:g} x", ratio <= limit
        )

    lines = [
        Line("a  python -c pass", _ms(found["pass"])),
        times("next 1,000", "pass", "a", 6, "b  next --json, 1,000 tasks"),
        times("next 10,000", "pass", "a", 8, "c  next --json, 10,000 tasks, one file"),
        times("next sharded", "pass", "a", 8, "c' the same, 100 shards"),
        times("next changed", "next sharded", "c'", 1.3, "d  one shard of 100 changed"),
    ]
    for size, tasks in (("small", "24"), ("large", "1,000")):
        bare = f"bare {size}"
        lines += [
            times(f"claim {size}", bare, "bare", 9, f"e  claim and commit, {tasks} tasks"),
            Line("     git add and git commit, same bytes", _ms(found[bare])),
        ]
    seconds = timing.median(found["next cold"])
    peak = max(cost.peak for cost in found["next cold"])
    lines += [
        Line("f  10,000 tasks in one file, cold", _ms(found["next cold"]), "",
             f"< {_LIMIT_COLD_S:g} s", seconds < _LIMIT_COLD_S),
        Line("     its peak memory", f"{peak / 1e6:.0f} MB", "",
             f"< {_LIMIT_PEAK / 1e6:.0f} MB", peak < _LIMIT_PEAK),
    ]  # fmt: skip
    together = timing.median(found["independence"])
    lines.append(
        Line("h  independence, 1,000 ready tasks", _ms(found["independence"]), "",
             f"< {_LIMIT_INDEPENDENCE_S:g} s", together < _LIMIT_INDEPENDENCE_S)
    )  # fmt: skip
    if script:
        lines.append(Line("   next --json, 1,000 tasks, console script", _ms(found["script"])))
    small.restore()
    for command, words in imports.usual(small.task).items():
        heavy = imports.of(imports.HEAVY, imports.imported(words, at=small.path, env=env))
        title = f"g  heavy imports of {command}"
        lines.append(Line(title, ", ".join(heavy) or "none", "", "none", not heavy))
    return lines


def _ms(costs: list[Cost]) -> str:
    return f"{timing.median(costs) * 1000:.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
