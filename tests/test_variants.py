"""A few of the kinds of repositories of `python -m variants`, which tries all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from variants.__main__ import BEGIN, PAGE, verdict, written
from variants.kinds import KINDS

NAMED = {kind.name: kind for kind in KINDS}
OFTEN = (
    "object format sha256",
    "a sparse checkout without the records' folder",
    "a bare repository with worktrees",
    "inherited GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE",
)


@pytest.mark.parametrize("name", [kind.name for kind in KINDS if kind.refused])
def test_what_is_refused_is_refused_before_anything_is_made(name: str, tmp_path: Path) -> None:
    assert verdict(NAMED[name], tmp_path) == f"refused (`{NAMED[name].refused}`)"


@pytest.mark.slow
@pytest.mark.parametrize("name", OFTEN)
def test_all_goes_as_in_a_usual_repository(name: str, tmp_path: Path) -> None:
    assert verdict(NAMED[name], tmp_path) == "right"


def test_the_table_is_of_all_kinds() -> None:
    """And is found where `--write` puts it."""
    page = PAGE.read_text()
    table = page.partition(BEGIN)[2]
    assert all(f"\n| {kind.name} | " in table for kind in KINDS)
    rows = [(kind.name, "right") for kind in KINDS]
    made = written(page, rows)
    assert made.count("| right |") == len(KINDS)
    assert written(made, rows) == made
