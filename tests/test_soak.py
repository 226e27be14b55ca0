"""The short form of `python -m soak`: a drain over a real server, with kills or without index."""

from __future__ import annotations

from pathlib import Path

import pytest
from soak.__main__ import soak
from world import shared

#: Seconds; a loaded machine takes long.
LIMIT = 900


@pytest.mark.parametrize("kills", [0, 12])
@pytest.mark.slow
def test_loops_drain_a_graph(kills: int, tmp_path: Path) -> None:
    feed = 0 if kills else 12  # a plan that grows, and what is finished of it is archived
    wrong = soak(
        tmp_path, kills=kills, tasks=24, loops=3, seed=20261121, limit=LIMIT, feed=feed
    )  # fmt: skip
    assert wrong == []


@pytest.mark.slow
def test_loops_drain_imported_issues(tmp_path: Path) -> None:
    """Of 704 issues, 12 or some more that are open and depend on each other."""
    issues = shared("beads/issues.jsonl")
    assert soak(tmp_path, kills=0, tasks=12, loops=4, seed=20261121, limit=LIMIT, file=issues) == []


@pytest.mark.slow
def test_a_drain_without_an_index_differs_in_time_alone(tmp_path: Path) -> None:
    wrong = soak(
        tmp_path, kills=0, tasks=12, loops=4, seed=20261129, limit=LIMIT, no_index=True
    )  # fmt: skip
    assert wrong == []
