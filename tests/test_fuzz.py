"""Any input at all gets a typed answer: hostile files and ids, and a short `just fuzz`."""

from __future__ import annotations

from pathlib import Path

from fuzz.__main__ import run

CASES = Path(__file__).resolve().parent / "cases" / "hostile"


def test_a_few_hundred_cases_hold(tmp_path: Path) -> None:
    found = run(20261121, range(200), tmp_path)
    assert [f"{one.index}: {one.what}" for one in found.faults] == []
    assert sum(found.ended.values()) == 200
