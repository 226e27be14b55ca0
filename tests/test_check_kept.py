"""What `check` found of single tasks is kept: with it, it says the same, and lands nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from world import World

from ralphgit.app.gate import clean_graph, task_verdicts
from ralphgit.app.gate.check import check
from ralphgit.app.gate.own_reading import OwnReading
from ralphgit.app.gate.problem import Problem
from ralphgit.app.gate.task_verdicts import TaskVerdicts, Verdict
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.errors import InvalidRecord
from ralphgit.model.task_row import Row
from ralphgit.records import graph_file, row_cache, task_mapping
from ralphgit.records.graph_file import GraphFile
from ralphgit.rules import active_scopes, branch_changes, contract_digest, cycles

_GRAPH = "version: 1\ntasks:\n" + "".join(
    f"  - id: T-{number}\n    title: Do {number}\n    status: pending\n" for number in range(4)
)
#: What stands in place of T-1's last line, and what `check` says of it.
_WRONG = {
    "    status: in-progress\n": ["inconsistent"],
    '    status: pending\n    x-script:\n      write:\n        ../out: "x"\n': ["bad_path"],
    "    status: pending\n    agent: nobody\n": ["unknown_profile"],
    "    status: pending\n    mode: verify\n": ["nothing_to_verify"],
    "    status: pending\n    acceptance: [x, {id: ACC-1, text: y}]\n": ["duplicate_criterion"],
    "    status: pending\n    verify: [{run: x, proves: [A]}]\n": ["unknown_criterion"],
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


def _promise(number: int) -> str:
    stored = {"id": f"T-{number}", "title": "", "status": "pending", "mode": "parallel"}
    return contract_digest.contract(task_mapping.task(stored))


_BASE = "version: 1\ntasks:\n" + "".join(
    f"  - id: T-{n}\n    title: Do {n}\n    status: complete\n    claim:\n      id: c{n}\n"
    f'      by: ann\n      at: "2026-11-21T10:00:00Z"\n      contract: {_promise(n)}\n'
    f"    result:\n      id: r{n}\n"
    f'      claim: c{n}\n      outcome: done\n      at: "2026-11-21T11:00:00Z"\n'
    if n < 3
    else f"  - id: T-{n}\n    title: Do {n}\n    status: pending\n    depends_on: [T-{n - 1}]\n"
    for n in range(6)
)
#: What a branch has in place of some text of the base's graph, or beside it.
_CHANGES: dict[str, tuple[tuple[str, str], ...]] = {
    "nothing": (),
    "a title": (("title: Do 1", "title: Did 1"),),
    "two titles": (("title: Do 0", "title: Did 0"), ("title: Do 5", "title: Did 5")),
    "a cycle": (("depends_on: [T-2]", "depends_on: [T-5]"),),
    "an unknown one": (("depends_on: [T-4]", "depends_on: [T-9]"),),
    "one less": (("    depends_on: [T-4]\n", ""),),
    "another's claim": (("id: c1\n", "id: c0\n"), ("claim: c1\n", "claim: c0\n")),
    "claims that change places": (
        ("id: c1\n", "id: cx\n"), ("claim: c1\n", "claim: cx\n"), ("id: c0\n", "id: c1\n"),
        ("claim: c0\n", "claim: c1\n"), ("id: cx\n", "id: c0\n"), ("claim: cx\n", "claim: c0\n"),
    ),
    "a wrong pattern": (("title: Do 3\n", "title: Do 3\n    scope: {write: [/x]}\n"),),
    "nobody's profile": (("title: Do 3\n", "title: Do 3\n    agent: nobody\n"),),
    "a state without a claim": (("Do 3\n    status: pending", "Do 3\n    status: blocked"),),
    "a new one": (("  - id: T-5", "  - id: T-7\n    title: x\n    status: pending\n  - id: T-5"),),
    "one twice": (("  - id: T-5", "  - id: T-3\n    title: x\n    status: pending\n  - id: T-5"),),
    "one taken out": (
        ("  - id: T-5\n    title: Do 5\n    status: pending\n    depends_on: [T-4]\n", ""),
    ),
    "another id": (("  - id: T-5", "  - id: T-8"),),
    "others' places": (("id: T-5", "id: T-X"), ("id: T-4", "id: T-5"), ("id: T-X", "id: T-4")),
    "a task on a line": (
        ("  - id: T-3\n    title: Do 3\n    status: pending\n    depends_on: [T-2]\n",
         "  - {id: T-3, title: Do 3, status: pending, depends_on: [T-2]}\n"),
    ),
    "a task that is none": (("title: Do 3\n", "titel: Do 3\n"),),
    "another epoch": (("title: Do 4\n", "title: Do 4\n    epoch: 2\n"),),
    "an open again one": (("Do 0\n    status: complete", "Do 0\n    status: in-progress"),),
}  # fmt: skip


def _problems(world: World, *words: str, anew: bool) -> list[Problem]:
    around = Surroundings(str(world.path), world.environ, time.time, lambda: "")
    project = Project.open(around)
    try:
        return check(project, between=words[0] if words else "", anew=anew)
    finally:
        project.repository.close()


_BESIDE = (
    ("a title", "graph"), ("another's claim", "graph"), ("nobody's profile", "graph"),
    ("nothing", "audit"), ("a title", "audit"), ("one taken out", "audit"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "beside"), [*((name, "") for name in _CHANGES), *_BESIDE])
def test_what_is_looked_at_in_part_is_found_as_in_whole(
    world: World, name: str, beside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`beside`: what is wrong on the base, or comes with the change elsewhere."""
    text = _BASE
    if beside == "graph":
        text = text.replace("title: Do 2\n", "title: Do 2\n    agent: nobody\n")
    world.write_graph(text)
    world.commit("The base")
    assert world.ralph("next").code in (0, 3)  # keeps the index of the base
    world.git("switch", "--quiet", "--create", "work")
    for old, new in _CHANGES[name]:
        assert old in text
        text = text.replace(old, new)
    world.write_graph(text)
    if beside == "audit":
        world.write("records/audit/T-3/c0.yaml", "id: c0\nkind: event\ntask: T-3\nclaim: c0\n")
    world.git("add", "-A")
    world.git("commit", "--quiet", "--allow-empty", "-m", "The change")
    for words in (("main..work",), ("work",), ()):
        with monkeypatch.context() as patched:  # every task is read and judged
            patched.setattr(OwnReading, "view", lambda *_, **__: None)
            whole = _problems(world, *words, anew=True)
        for _ in range(2):  # the second time by what the first one kept
            assert _problems(world, *words, anew=False) == whole
            assert _problems(world, *words, anew=True) == whole


def test_a_landing_costs_what_it_changes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process has read and judged itself it does not read again, whole graphs least."""
    read: list[int] = []
    parse = graph_file.parse_all

    def counted(data: bytes, *, path: str, limit: int) -> tuple[GraphFile, list[InvalidRecord]]:
        found = parse(data, path=path, limit=limit)
        read.append(len(found[0].tasks))
        return found

    tasks = 300
    world.write_graph("version: 1\ntasks:\n" + "".join(
        f"  - id: T-{n}\n    title: Do {n}\n    status: pending\n" for n in range(tasks)
    ))  # fmt: skip
    world.commit()
    world.ralph("next")  # keeps the index of the base, which other parts ask for
    monkeypatch.setattr(graph_file, "parse_all", counted)
    judged: list[str] = []
    verdict = task_verdicts._judged

    def noted(row: Row, stored: Mapping[str, Any]) -> Verdict:
        judged.append(row.id)
        return verdict(row, stored)

    monkeypatch.setattr(task_verdicts, "_judged", noted)
    world.git("switch", "--quiet", "--detach", "main")
    for number in (10, 20, 30):
        read.clear()
        judged.clear()
        world.replace(f"title: Do {number}\n", f"title: Have done {number}\n")
        world.git("commit", "--quiet", "--all", "--message", f"Change T-{number}")
        assert _problems(world, "main..HEAD", anew=True) == []
        world.git("branch", "--quiet", "--force", "main", "HEAD")
        if number == 10:
            assert (sum(read) >= tasks, len(judged) >= tasks) == (True, True)
    assert (sum(read) < 10, len(judged) < 10) == (True, True)


#: Of what decides a verdict on one task, by `VERSION`.
RULES = {5: "432982a4fa620eeb"}


def test_another_rule_has_another_number() -> None:
    """What other rules found does not count: raise `VERSION`, and put its line here."""
    modules = (
        branch_changes, contract_digest, task_verdicts, task_mapping, clean_graph, cycles,
        active_scopes,
    )  # fmt: skip
    text = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules)
    assert RULES[task_verdicts.VERSION] == hashlib.sha256(text.encode()).hexdigest()[:16]
