"""What `check` found of single tasks is kept: with it, it says the same, and lands nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from world import World

from ralphgit.app.gate import task_verdicts
from ralphgit.app.gate.task_verdicts import TaskVerdicts
from ralphgit.records import graph_file, row_cache, task_mapping
from ralphgit.rules import contract_digest, legal_changes

_GRAPH = "version: 1\ntasks:\n" + "".join(
    f"  - id: T-{number}\n    title: Do {number}\n    status: pending\n" for number in range(4)
)
#: What stands in place of T-1's last line, and what `check` says of it.
_WRONG = {
    "    status: in-progress\n": ["inconsistent"],
    '    status: pending\n    x-script:\n      write:\n        ../out: "x"\n': ["bad_path"],
    "    status: pending\n    agent: nobody\n": ["unknown_profile"],
    "    status: pending\n    mode: verify\n": ["nothing_to_verify"],
    "    status: pending\n    depends_on: [T-9]\n": ["unknown_dependency"],
    "    status: pending\n": [],
    "    status: pending\n  - {id: A, title: a, status: pending}\n"
    "  - {id: B, title: b, status: pending}\n": ["flow_style"],
}


def _codes(world: World) -> list[str]:
    return [one["code"] for one in world.ralph("check", "--json").json["data"]["problems"]]


def _forget(world: World) -> None:
    shutil.rmtree(world.path / ".git" / "ralphgit" / "cache")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(_GRAPH)
    made.commit()
    return made


def test_a_verdict_that_is_kept_says_the_same(world: World) -> None:
    for lines, codes in _WRONG.items():
        block = f"    title: Do 1\n{lines}"
        world.write_graph(_GRAPH.replace("    title: Do 1\n    status: pending\n", block))
        found = world.ralph("check", "--json").json["data"]
        assert [one["code"] for one in found["problems"]] == codes
        assert world.ralph("check", "--json").json["data"] == found
    _forget(world)
    assert world.ralph("check", "--json").json["data"] == found


def test_a_setting_counts_although_the_verdict_is_kept(world: World) -> None:
    world.replace("title: Do 1\n", "title: Do 1\n    agent: quick\n")
    world.commit()
    assert set(_codes(world)) == {"unknown_profile"}
    world.write("ralph.toml", '[agents.quick]\ncommand = "true"\n')
    world.commit()
    assert _codes(world) == []


def test_a_forged_verdict_lands_nothing(world: World) -> None:
    """An agent may write into `.git`, and say that everything was found valid (law L9)."""
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.commit("Claim it")
    alpha.replace(
        "    title: Do 2\n    status: pending\n", "    title: Do 2\n    status: blocked\n"
    )
    alpha.commit("Spoil another one")
    _forge(world, alpha.read())
    refused = world.ralph("land", "alpha")
    assert refused.code == 1
    assert "error: T-2 is blocked and has no claim [inconsistent]" in refused.out


def _forge(world: World, text: str) -> None:
    cache = row_cache.Cache(os.fspath(world.path / ".git"))
    rows = graph_file.rows(graph_file.parse(text.encode(), path="task-graph.yaml"))
    digests = [hashlib.blake2b(row.json.encode(), digest_size=16).digest() for row in rows]
    cache.keep(task_verdicts._KEY, dict.fromkeys(digests, ((), False)))
    assert [TaskVerdicts(cache).of(row).faults for row in rows] == [(), (), (), ()]
    assert any(TaskVerdicts(None).of(row).faults for row in rows)


#: Of what decides a verdict on one task, by `VERSION`.
RULES = {1: "36897173f2b36e0c"}


def test_another_rule_has_another_number() -> None:
    """What other rules found does not count: raise `VERSION`, and put its line here."""
    modules = (legal_changes, contract_digest, task_verdicts, task_mapping)
    text = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules)
    assert RULES[task_verdicts.VERSION] == hashlib.sha256(text.encode()).hexdigest()[:16]
