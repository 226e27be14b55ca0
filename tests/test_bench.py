"""The benchmark says plainly what is over its target, and by how much."""

from __future__ import annotations

import math
import os
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bench import curve, table
from bench.places import Place
from bench.table import Line
from world import ROOT, environment


def test_what_is_over_its_target_is_told_with_by_how_much(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = [
        table.against("kept", "1 ms", "before", 0.5, 0.5),
        table.against("slow", "3 ms", "before", 0.75, 0.5),
        table.below("large", "120 MB", 120, 80, "MB"),
        Line("a figure", "7"),
    ]
    over = table.show("1 round", lines)
    assert [line.missed for line in over] == [
        "slow: 0.75 x before, <= 0.5 x wanted, 50% more",
        "large: 120 MB, <= 80 MB wanted, 50% more",
    ]
    printed = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[-1] for line in printed] == ["ok", "over", "over", "7"]


FIGURES = {
    "check": {1_000: 200.0, 10_000: 400.0, 100_000: 4_000.0},
    "complete": {1_000: 200.0, 10_000: 210.0, 100_000: 260.0},
    "status": {1_000: 100.0, 10_000: 150.0, 100_000: 255.0},
    "claim": {1_000: 90.0, 10_000: 100.0, 100_000: 120.0},
    "next --limit 10": {1_000: 70.0, 10_000: 75.0, 100_000: 110.0},
    curve.GIT: {1_000: 12.0, 10_000: 14.0, 100_000: 40.0},
    curve.PYTHON: {1_000: 10.0, 10_000: 10.0, 100_000: 10.0},
}


def test_the_curve_is_drawn_from_its_figures_both_axes_logarithmic() -> None:
    text = curve.picture(FIGURES, "two cores & more")
    root = ElementTree.fromstring(text)
    name = "{http://www.w3.org/2000/svg}"
    lines = root.findall(f"{name}polyline")
    assert len(lines) == len(FIGURES)
    labels = [one for one in root.findall(f"{name}text") if one.text]
    said = [one.text for one in labels]
    assert {"1,000", "10,000", "100,000", "10 ms", "100 ms", "1 s", "10 s"} <= {*said}
    assert {
        "check, 4 s", "complete, 260 ms", "status, 255 ms", "claim, 120 ms",
        "next --limit 10, 110 ms", "git add, git commit, 40 ms", "python -c pass, 10 ms",
        "two cores & more",
    } <= {*said}  # fmt: skip
    named = tuple(f"{one}, " for one in FIGURES)
    ends = sorted(float(one.get("y", 0)) for one in labels if str(one.text).startswith(named))
    assert len(ends) == len(FIGURES)
    assert all(below - above >= 16 for above, below in pairwise(ends)), ends
    check = next(one.get("points", "") for one in lines if "--c0" in str(one.get("style")))
    points = [tuple(map(float, pair.split(","))) for pair in check.split()]
    steps = [(b[0] - a[0], a[1] - b[1]) for a, b in pairwise(points)]
    assert steps[0][0] == pytest.approx(steps[1][0], abs=0.2), "ten times is as far each time"
    assert steps[0][1] / steps[1][1] == pytest.approx(math.log10(2), abs=0.01)
    for one in lines:
        for pair in one.get("points", "").split():
            x, y = map(float, pair.split(","))
            assert 0 < x < 760 and 0 < y < 440


def test_the_picture_in_the_documents_is_one_that_the_benchmark_draws() -> None:
    text = (ROOT / "docs" / "images" / "cost.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert "prefers-color-scheme: dark" in text
    assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == len(FIGURES)
    assert "images/cost.svg" in (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def test_the_table_of_the_curve_has_every_figure() -> None:
    assert curve.table(FIGURES).splitlines()[:3] == [
        "| ms | 1,000 | 10,000 | 100,000 |", "|---|---|---|---|", "| check | 200 | 400 | 4,000 |",
    ]  # fmt: skip


def test_a_peak_is_of_the_command_and_not_of_who_measures_it(tmp_path: Path) -> None:
    env = {**os.environ, **environment(tmp_path)}
    held = bytearray(os.urandom(1)) * 200_000_000
    place = Place(tmp_path, "small", env, 24)
    peak = place.peak(sys.executable, "-c", "pass", at=tmp_path)
    assert 1_000_000 < peak < len(held) / 4
