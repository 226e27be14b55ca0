"""The benchmark says plainly what is over its target, and by how much."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from bench import table
from bench.places import Place
from bench.table import Line
from world import environment


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


def test_a_peak_is_of_the_command_and_not_of_who_measures_it(tmp_path: Path) -> None:
    env = {**os.environ, **environment(tmp_path)}
    held = bytearray(os.urandom(1)) * 200_000_000
    place = Place(tmp_path, "small", env, 24)
    peak = place.peak(sys.executable, "-c", "pass", at=tmp_path)
    assert 1_000_000 < peak < len(held) / 4
