"""The threat model names tests that exist, one at least for each of its rows."""

from __future__ import annotations

import re

from world import ROOT

_TEXT = (ROOT / "docs" / "security.md").read_text()
_DETAILS = (ROOT / "docs" / "security-details.md").read_text()


def test_every_row_is_held_by_tests_that_exist() -> None:
    rows = set(re.findall(r"(?m)^\| (\d+) \| (?!`tests)", _TEXT))
    held = dict(re.findall(r"(?m)^\| (\d+) \| (`tests/.*) \|$", _DETAILS))
    assert rows and set(held) == rows
    named = re.findall(r"`tests/(\w+)\.py::(\w+)`", "\n".join(held.values()))
    missing = [
        f"{file}::{test}"
        for file, test in named
        if f"\ndef {test}(" not in (ROOT / "tests" / f"{file}.py").read_text()
    ]
    assert missing == []


def test_each_row_says_who_what_and_what_stops_it() -> None:
    for line in re.findall(r"(?m)^\| \d+ \| (?!`tests)(.*) \|$", _TEXT):
        who, writes, wants, stops, _ = [cell.strip() for cell in line.split(" |")]
        assert who and writes and wants and stops, line
