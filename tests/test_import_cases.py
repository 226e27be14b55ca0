"""Plans as people have them, each with what its owner expects beside it (`tests/cases/plans`)."""

from __future__ import annotations

from pathlib import Path

import pytest
import ryaml

from ralphgit.records import yaml_writer
from ralphgit.records.importers import convert

FOLDER = Path(__file__).parent / "cases/plans"
EXPECTED = ".tasks.yaml"
PLANS = sorted(path for path in FOLDER.iterdir() if not path.name.endswith(EXPECTED))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_a_plan_becomes_what_its_owner_expects(path: Path) -> None:
    found = convert(path.name, path.read_bytes(), ryaml.loads)
    expected = (FOLDER / f"{path.name}{EXPECTED}").read_text(encoding="utf-8")
    assert yaml_writer.mapping({"tasks": list(found.tasks), "notes": list(found.notes)}) == expected


def test_every_expectation_has_its_plan() -> None:
    named = {path.name for path in FOLDER.iterdir()}
    assert named == {path.name for path in PLANS} | {f"{path.name}{EXPECTED}" for path in PLANS}
