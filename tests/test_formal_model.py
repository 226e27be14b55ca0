"""The short form of `python -m proof`: spin looks at every state of the model of claiming."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from proof import checking
from proof.checking import Search
from world import ROOT, installed


@pytest.fixture(autouse=True)
def _programs() -> None:
    installed("spin", "spin")
    installed("gcc", "gcc")


@pytest.mark.slow
@pytest.mark.parametrize("search", checking.QUICK, ids=lambda search: search.what)
def test_what_is_taken_out_is_missed_and_nothing_else(search: Search, tmp_path: Path) -> None:
    found = checking.run(search, tmp_path)
    assert (found.violated, found.complete) == (search.law, not search.law)
    assert found.states > 10


def test_the_steps_are_named_as_in_the_code() -> None:
    """Each `module.function` in the model's comments is one of ralphgit's."""
    named = set(re.findall(r"\b([a-z_]+(?:\.[a-z_]+)?)\.(\w+)\b", _comments()))
    assert len(named) > 10
    for module, name in sorted(named):
        path = f"**/{module.replace('.', '/')}.py"
        files = [file.read_text() for file in (ROOT / "ralphgit").glob(path)]
        assert any(f"def {name}(" in text for text in files), f"{module}.{name}"


def _comments() -> str:
    return "\n".join(re.findall(r"/\*.*?\*/", checking.MODEL.read_text(), flags=re.DOTALL))
