"""A long history of finished tasks costs in proportion to its length: the work is counted here."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import history
from world import World

from ralphgit.app.evidence import tree_digest
from ralphgit.git.child_process import Dialogue
from ralphgit.model.task import Scope

_FEW, _MANY = 10, 40


def long(folder: Path, finished: int) -> World:
    """A repository with so many finished tasks."""
    folder.mkdir()
    world = World(folder)
    world.write_graph(history.HEAD)
    world.commit()
    for path, data in history.files(range(finished)):
        world.write(path, data.decode())
    world.commit("Plan")
    return world


@pytest.mark.parametrize("words", ["evidence verify", "evidence list --at HEAD", "report"])
def test_scopes_are_not_compared_with_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Each of 40 tasks has a file of its own: 40 comparisons, where every scope with every file
    would be 1,600. 2,000 tasks took 20 s."""
    compared: list[str] = []
    real = tree_digest.in_scope

    def in_scope(scope: Scope, path: str) -> bool:
        compared.append(path)
        return real(scope, path)

    world = long(tmp_path / "many", _MANY)
    monkeypatch.setattr(tree_digest, "in_scope", in_scope)
    done = world.ralph(*words.split())
    assert done.code == 0, done.err
    assert _MANY <= len(compared) <= 3 * _MANY


@pytest.mark.parametrize("words", ["evidence list --at HEAD", "report", "check --at HEAD"])
def test_records_of_a_commit_are_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """A question to git for each of 8,000 records costs 2 s of going to and fro."""
    asked: list[int] = []
    real = Dialogue.ask

    def ask(self: Dialogue, lines: bytes) -> None:
        asked.append(len(lines))
        real(self, lines)

    monkeypatch.setattr(Dialogue, "ask", ask)
    counts = []
    for name, finished in (("few", _FEW), ("many", _MANY)):
        world = long(tmp_path / name, finished)
        asked.clear()
        done = world.ralph(*words.split())
        assert done.code == 0, done.err
        counts.append(len(asked))
    assert counts[1] <= counts[0] + 5
