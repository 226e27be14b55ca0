"""A small night of loops in fast motion, and the page that a large one has made."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from night.__main__ import small, spend
from world import ROOT

#: Seconds; a loaded machine takes long.
LIMIT = 900


def parts(page: str) -> tuple[dict[str, str], list[list[str]]]:
    """The figures of a page, and the lines of its log: time, who, what."""
    figures = dict(re.findall(r"^\| (\S.*?) +\| (.*?) +\|$", page, re.M))
    log = page.partition("```text\n")[2].partition("```")[0].splitlines()
    return figures, [line.split(None, 2) for line in log]


def agrees(page: str, tasks: int) -> None:
    """The figures of a page are as they should be, and as its log has it."""
    figures, log = parts(page)
    said = [what for _, _, what in log]
    assert figures["tasks complete on the base"] == f"{tasks} of {tasks}"
    assert figures["tasks blocked"] == "0"
    landed = Counter(what.split()[0] for what in said if what.endswith(" landed"))
    assert (len(landed), set(landed.values())) == (tasks, {1})
    assert figures["wrong work, each a charged attempt"] == str(
        sum(" failed (" in what for what in said)
    )
    met, waited = figures["calls that met the limit of 5 h, loops that waited for it"].split(", ")
    assert int(met) == sum(" limited (" in what for what in said) > 0
    assert int(waited) == len({who for _, who, what in log if "session limit" in what})
    assert int(figures["calls that were refused for the login"]) == sum(
        " unavailable (" in what for what in said
    )
    person = [what.split(":")[0] for _, who, what in log if who == "person"]
    assert person == ["is asked", "has renewed the login"]
    assert int(figures["silent for 1 h, and ended"]) == sum(" silent (1 h)" in s for s in said) > 0


@pytest.mark.slow
def test_a_small_night_ends_well(tmp_path: Path) -> None:
    wrong, page = spend(tmp_path, small(20261129), limit=LIMIT)
    assert wrong == []
    agrees(page, 14)


def test_the_page_tells_a_night_of_60_tasks() -> None:
    page = (ROOT / "docs" / "night.md").read_text("utf-8")
    agrees(page, 60)
    assert parts(page)[0]["loops, profiles"] == "4, 2"
