"""The short form of `python -m far`: machines of their own kind, and one remote."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from far import simulation
from far.drain import drain
from far.pushers import Push, judged, pushers
from far.races import races
from far.site import Site, missing
from soak.field import graph


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for machines, where there can be any."""
    if reason := missing():
        assert os.environ.get("CI") != "true" or os.geteuid() != 0, reason
        pytest.skip(reason)
    return tmp_path


@pytest.mark.slow
def test_of_six_pushers_one_gets_the_task(folder: Path) -> None:
    with Site(folder, graph(2, sleep=0.0), machines=6) as site:
        assert races(site, ["T-000", "T-001"]) == []
        assert site.pushes()["leases"] >= 2


@pytest.mark.slow
def test_machines_in_trouble_drain_the_graph(folder: Path) -> None:
    with Site(folder, graph(8, sleep=0.05), machines=3, over="http") as site:
        assert drain(site, seed=3, troubles=6, lose=True, limit=600) == []


@pytest.mark.slow
@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
def test_twelve_pushers_all_get_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], apart: bool
) -> None:
    assert pushers(tmp_path, 1, seed=7, apart=apart) == []
    said = capsys.readouterr().out
    kind = "machines of their own" if apart else "clones of one machine"
    assert said.startswith(f"pushers, {kind}: 1 rounds of 12, waits median "), said


def test_who_waits_too_long_or_is_always_the_last_is_told() -> None:
    fair = [Push(worker, 1.0 + worker / 10, 1) for worker in range(12)]
    assert judged(fair * 24, Counter(dict.fromkeys(range(12), 2))) == []
    late = [*fair * 24, Push(3, 9.6, 7)]
    assert judged(late, Counter({3: 23, 5: 1})) == [
        "one waited for 9.60 s, 6.0 times the median",
        "the worker 3 was the last in 23 of 24 rounds",
    ]


COST = simulation.Cost(sleep=10.0, busy=2.0, landing=1.0, cpu=1.5)


def test_the_simulation_of_one_worker_is_its_round() -> None:
    assert simulation.rate(COST, workers=1, cores=2) == pytest.approx(60 / 13, rel=0.05)


def test_the_simulation_ends_where_the_processors_do() -> None:
    most = 2 / COST.cpu * 60
    assert simulation.rate(COST, workers=64, cores=2, seconds=200) <= most


def test_the_simulation_ends_where_landings_meet() -> None:
    few = simulation.rate(COST, workers=4, cores=0, seconds=200)
    many = simulation.rate(COST, workers=128, cores=0, seconds=200)
    assert 4 * few < many < 32 * few * 0.9
