"""The short form of `python -m life`: a repository goes through some random events."""

from __future__ import annotations

from pathlib import Path

import pytest
from life.__main__ import sequence


@pytest.mark.slow
def test_a_repository_lives(tmp_path: Path) -> None:
    life = sequence(tmp_path, 20261129, 15)
    assert life.wrong == [], "\n".join(life.field.said)
    assert life.counts.total() == 15
