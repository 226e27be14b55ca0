"""The cache changes what a command costs, and never what it says."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from world import Place, World

from ralphgit.records import graph_file, row_memory
from ralphgit.records.row_cache import Cache
from ralphgit.records.row_memory import Memory
from ralphgit.rules import in_a_loop, sum_up_graph

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Première
    status: pending
    note: 🐌
  - id: T-2
    title: Second
    status: pending
    depends_on: [T-1]
"""
COMMANDS = (("next", "--json"), ("list", "--json"), ("show", "T-2", "--json"), ("status",))


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write("ralph.toml", 'graph = ["graph/*.yaml"]\nworker = "zoe"\n')
    made.write_graph(GRAPH, "graph/one.yaml")
    made.write_graph(GRAPH.replace("T-", "U-"), "graph/two.yaml")
    made.commit()
    return made


def cached(world: World) -> list[Path]:
    return sorted((world.path / ".git/ralphgit/cache").iterdir())


def told(world: Place) -> list[tuple[int, str, str]]:
    return [tuple(world.ralph(*words)) for words in COMMANDS]  # type: ignore[misc]


def _gone(world: World) -> None:
    shutil.rmtree(world.path / ".git/ralphgit")


def _replaced(change: Callable[[bytes], bytes]) -> Callable[[World], None]:
    def damage(world: World) -> None:
        for path in cached(world):
            path.write_bytes(change(path.read_bytes()))

    return damage


def _in_the_way(world: World) -> None:
    _gone(world)
    world.write(".git/ralphgit", "a file\n")


DAMAGE = {
    "gone": _gone,
    "a file in its place": _in_the_way,
    "empty": _replaced(lambda data: b""),
    "of another format": _replaced(lambda data: b"x" + data[1:]),
    "cut off in the header": _replaced(lambda data: data[:30]),
    "cut off": _replaced(lambda data: data[:-1]),
    "zeros at the end": _replaced(lambda data: data[:-9] + bytes(9)),
    "another byte": _replaced(
        lambda data: data[: len(data) // 2] + b"\x7f" + data[len(data) // 2 + 1 :]
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_cache_that_is_gone_or_damaged(damage: Callable[[World], None], world: World) -> None:
    cold = told(world)
    assert {path.suffix for path in cached(world)} == {".rows", ".index", ".settings", ".kept"}
    assert told(world) == cold
    damage(world)
    assert told(world) == cold
    assert told(world) == cold


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_no_answer_depends_on_what_is_cached(seed: int, world: World) -> None:
    """After each random step every command says with the cache what it says without."""
    chance = random.Random(seed)
    other = world.worktree("other")
    places = (world, other)
    for number in range(6):
        place = chance.choice(places)
        file = place.path / "graph" / chance.choice(("one.yaml", "two.yaml"))
        text = file.read_text(encoding="utf-8")
        step = chance.choice(("status", "title", "depend", "add", "claim", "damage"))
        if step == "claim":
            place.ralph("claim", "--no-fetch")
        elif step == "damage":
            path = chance.choice(cached(world)) if number else world.path / "ralph.toml"
            data = path.read_bytes()
            at = chance.randrange(len(data))
            if number:
                path.write_bytes(
                    data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
                )
        else:
            task = f"  - id: N-{number}\n    title: New\n    status: pending\n"
            ended = f"status: {chance.choice(('complete', 'cancelled'))}"
            old, new = {
                "status": ("status: pending", ended),
                "title": ("title: ", f"title: Again {number} "),
                "depend": ("status: pending", "status: pending\n    depends_on: [U-1]"),
                "add": ("tasks:\n", f"tasks:\n{task}"),
            }[step]
            if "depends_on: [U-1]" not in text or step != "depend":
                file.write_text(text.replace(old, new, 1), encoding="utf-8")
            if chance.random() < 0.7 and place.git("status", "--porcelain"):
                place.commit(f"Step {number}")
            if chance.random() < 0.5:
                _merge(world)
        warm = [_timeless(told(one)) for one in places]
        _gone(world)
        assert [_timeless(told(one)) for one in places] == warm, step


def _merge(world: World) -> None:
    """Bring what the other worktree has committed into the base; where it cannot be, nothing."""
    merged = world.run("git", "merge", "--quiet", "-X", "theirs", "-m", "Merge it", "other")
    if merged.code:
        world.run("git", "merge", "--abort")


def _timeless(answers: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Without how long ago something was."""
    return [(code, re.sub(r"\b\d+ ?(?:s|min|h)\b", "", out), err) for code, out, err in answers]


def test_settings_are_known_by_their_content(world: World) -> None:
    assert len(world.ralph("next", "--json").data["tasks"]) == 2
    world.write("ralph.toml", 'graph = ["graph/two.yaml"]\n')
    world.commit("Fewer")
    assert [task["id"] for task in world.ralph("next", "--json").data["tasks"]] == ["U-1"]
    world.write("ralph.toml", "graph = nothing\n")
    assert world.ralph("next").code == 6


def test_what_lands_work_believes_nothing_that_another_process_has_kept(world: World) -> None:
    shard = ("graph/one.yaml", "1" * 40)
    rows = graph_file.rows(graph_file.parse(GRAPH.encode(), path=shard[0]))
    index = sum_up_graph.index(rows)
    forged = Cache(str(world.path / ".git"))
    forged.store([shard], {shard: rows})
    forged.keep_index([shard], [], [2], index)
    forged.keep("a fact", 1)
    assert forged.settings(b"", lambda _: {"verify": False}) == {"verify": False}
    assert forged.archive([shard[1]], lambda _: [("T-9",)]) == {shard[1]: [("T-9",)]}
    lands = row_memory.of_repository(str(world.path / ".git"))
    for own, knows in ((forged, True), (lands, False)):
        assert (shard in own.load([shard])) is knows
        assert (own.row(shard, 1) is not None) is knows
        assert (own.index([shard], []) is not None) is knows
        assert own.kept("a fact") == (1 if knows else None)
        assert bool(own.settings(b"", lambda _: {})) is knows
        assert bool(own.archive([shard[1]], lambda _: [])[shard[1]]) is knows
    memory = Memory(str(world.path / ".git"))
    for number in range(5):  # what it has put there itself it knows, and so do others
        graph = [(shard[0], f"{number}" * 40)]
        memory.store(graph, {graph[0]: rows})
        memory.keep_index(graph, [], [2], index)
        for who in (memory, Cache(str(world.path / ".git"))):
            assert [row.id for row in who.load(graph)[graph[0]]] == ["T-1", "T-2"]
            assert who.index(graph, []) is not None


def test_the_command_lines_that_may_land_work() -> None:
    lines: list[tuple[str, dict[str, object]]] = [
        ("run", {}), ("worker", {}), ("land", {}), ("integrate", {}), ("batch", {"action": "run"}),
        ("complete", {"land": "auto"}),
    ]  # fmt: skip
    assert all(in_a_loop.may_land(*line) for line in lines)
    others: list[tuple[str, dict[str, object]]] = [
        ("next", {}), ("claim", {}), ("complete", {}), ("check", {}), ("reset", {}),
        ("land", {"dry_run": True}), ("batch", {"action": "plan"}),
    ]  # fmt: skip
    assert not any(in_a_loop.may_land(*line) for line in others)
