"""The Python door: typed values, the same errors, no output, nothing from the environment."""

from __future__ import annotations

import ast
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from running import lines_below
from world import ROOT, Place, World

import ralphgit
from ralphgit import errors

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Say hello
    status: pending
    priority: 1
    acceptance:
      - id: ACC-1
        text: there is a greeting
    outputs: [hello.txt]
    scope:
      write: [hello.txt]
  - id: T-2
    title: Say good-bye
    status: pending
    story: S-1
    depends_on: [T-1]
  - id: T-3
    title: Say nothing
    status: pending
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("The graph")
    return made


@pytest.fixture(autouse=True)
def silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing is ever printed, and no git is left behind."""
    yield
    assert capfd.readouterr() == ("", "")
    assert [line for line in lines_below(os.getpid()) if line.startswith("git ")] == []


def opened(place: Place, **more: str) -> ralphgit.Repo:
    return ralphgit.open(place.path, environ={**place.environ, **more})


# -- looking -----------------------------------------------------------------------------


def test_tasks_are_values(world: World) -> None:
    repo = opened(world)
    first, second, third = repo.tasks()
    assert (first.id, first.title, first.state, first.status) == (
        "T-1", "Say hello", "ready", "pending",
    )  # fmt: skip
    assert (second.state, second.blocked_on, second.depends_on) == ("waiting", ("T-1",), ("T-1",))
    assert (first.file, first.line, first.priority, first.holder) == ("task-graph.yaml", 3, 1, None)
    assert (second.story, third.story) == ("S-1", "")
    assert first.record.outputs == ("hello.txt",)
    assert first.record.acceptance[0].text == "there is a greeting"
    assert first.stored["scope"] == {"write": ["hello.txt"]}
    assert repo.show("T-1") == first
    assert repo.tasks(story="S-1") == repo.tasks(state="waiting") == (second,)
    assert repo.next() == (first, third)
    assert repo.next(priority=1) == (first,)
    assert repo.next(story="S-1") == ()


def test_values_do_not_change(world: World) -> None:
    repo = opened(world)
    for value in (repo.show("T-1"), repo.status(), repo.diff("HEAD..HEAD")):
        for one in fields(value):
            with pytest.raises(FrozenInstanceError):
                setattr(value, one.name, None)
    with pytest.raises(TypeError):
        repo.status().counts["ready"] = 3  # type: ignore[index]


def test_the_status_counts_and_names_who_works(world: World) -> None:
    alpha = world.worktree("alpha")
    assert opened(alpha).claim("T-1").holder is not None
    found = opened(world).status()
    assert (found.base, found.commit, found.local_ahead) == ("main", world.head, 0)
    assert {state: count for state, count in found.counts.items() if count} == {
        "claimed": 1, "waiting": 1, "ready": 1,
    }  # fmt: skip
    (worker,) = found.workers
    assert (worker.name, worker.task) == ("alpha", "T-1")
    assert [task.id for task in found.tasks] == ["T-1", "T-2", "T-3"]
    assert found.attention == ()


def test_looking_writes_nothing(world: World) -> None:
    before = world.snapshot()
    repo = opened(world)
    repo.tasks(), repo.show("T-1"), repo.next(), repo.status(), repo.diff("HEAD..HEAD")
    repo.check()
    assert world.snapshot() == before


def test_it_says_what_the_command_line_says(world: World) -> None:
    alpha = world.worktree("alpha")
    opened(alpha).claim("T-1")
    repo = opened(world)
    told = world.ralph("list", "--json").data["tasks"]
    for task, of_program in zip(repo.tasks(), told, strict=True):
        derived = ("state", "holder", "stale", "blocked_on", "file", "line")
        assert task.stored == {k: v for k, v in of_program.items() if k not in derived}
        assert (task.state, task.stale, list(task.blocked_on), task.line) == tuple(
            of_program[name] for name in ("state", "stale", "blocked_on", "line")
        )
        holder = of_program["holder"]
        assert (task.holder and task.holder.claim) == (holder and holder["claim"])
    alpha.commit("The claim")
    found = repo.diff("alpha")
    assert json.loads(found.json) == world.ralph("diff", "alpha", "--json").data
    assert found.text == world.ralph("diff", "alpha").out
    assert found.markdown == world.ralph("diff", "alpha", "--format", "markdown").out
    assert (found.verdict, [one.task for one in found.changes]) == ("clear", ["T-1"])


def test_the_gate_gives_its_problems(world: World) -> None:
    repo = opened(world)
    assert repo.check() == ()
    world.replace("depends_on: [T-1]", "depends_on: [T-9]")
    (problem,) = repo.check()
    assert (problem.code, problem.task, problem.file) == (
        "unknown_dependency", "T-2", "task-graph.yaml",
    )  # fmt: skip


# -- working -----------------------------------------------------------------------------


def test_a_task_from_claim_to_reset(world: World) -> None:
    alpha = world.worktree("alpha")
    repo = ralphgit.open(alpha.path, worker="ann", environ=alpha.environ)
    claimed = repo.claim()
    assert (claimed.packet.task, claimed.packet.outputs, claimed.packet.may_change) == (
        "T-1", ("hello.txt",), ("hello.txt",),
    )  # fmt: skip
    assert claimed.holder is not None and claimed.packet.claim == claimed.holder.claim
    assert (claimed.id, claimed.state, claimed.holder.worker) == ("T-1", "claimed", "ann")
    alpha.write("hello.txt", "hello\n")
    done = repo.complete(message="Greet", concerns=("it is short",))
    assert (done.task.state, done.commit, done.evidence) == ("in-review", alpha.head, ())
    assert alpha.git("log", "-1", "--format=%s") == "Greet"
    world.merge("alpha")
    main = opened(world)
    assert main.show("T-1").state == "complete"
    again = main.reset("T-1", reason="once more", reopen=True)
    assert (again.task.state, again.task.epoch, again.commit) == ("ready", 1, world.head)
    assert again.claim == claimed.holder.claim
    alpha.git("reset", "--quiet", "--hard", "main")
    held = repo.claim("T-1").holder
    assert held is not None and main.reset("T-1").claim == held.claim


def test_merged_work_is_completed(world: World) -> None:
    world.write("hello.txt", "hello\n")
    commit = world.commit("By hand")
    done = opened(world).complete("T-1", by=commit, summary="By hand.")
    assert (done.task.status, done.commit) == ("complete", world.head)
    assert done.task.holder is not None
    with pytest.raises(errors.UsageError):
        opened(world).complete(by=commit)


def test_a_claim_is_blocked_or_released(world: World) -> None:
    repo = opened(world.worktree("alpha"))
    repo.claim("T-1")
    given = repo.block(question="Which language?", answers=("English", "Latin"))
    assert (given.task.state, len(given.commit)) == ("blocked", 40)
    blocked = given.task.record.lifecycle.blocked
    assert blocked is not None
    assert (blocked.question, blocked.options) == ("Which language?", ("English", "Latin"))
    repo.claim("T-3")
    freed = repo.release(reason="later")
    assert (freed.task.id, freed.task.status, freed.task.epoch) == ("T-3", "pending", 1)


def test_refusals_are_those_of_the_tree(world: World, tmp_path: Path) -> None:
    alpha, beta = opened(world.worktree("alpha")), opened(world.worktree("beta"))
    alpha.claim("T-1")
    with pytest.raises(errors.ClaimHeld) as held:
        beta.claim("T-1")
    assert (held.value.code, held.value.exit_code) == ("claim_held", 5)
    with pytest.raises(errors.UnknownTask):
        beta.show("T-9")
    with pytest.raises(errors.UsageError) as bad:
        beta.show("../T-1")
    assert bad.value.code == "bad_id"
    with pytest.raises(errors.GuardRefused) as unclaimed:
        beta.complete()
    assert unclaimed.value.code == "not_claimed"
    with pytest.raises(errors.NothingReady):
        beta.claim(story="S-9")
    with pytest.raises(errors.NotARepository):
        ralphgit.open(tmp_path)
    assert issubclass(errors.ClaimHeld, ralphgit.errors.RalphError)


def test_warnings_are_heard(world: World) -> None:
    heard: list[str] = []
    repo = ralphgit.open(world.path, environ=world.environ, warn=heard.append)
    repo.claim("T-1")
    assert heard == []
    repo.claim("T-1")
    (sentence,) = heard
    assert "T-1" in sentence


def test_several_threads_may_ask(world: World) -> None:
    repo = opened(world)
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _number: repo.next(), range(8)))
    assert len(found) == 1


# -- what is taken from outside ----------------------------------------------------------


class Unread(dict[str, str]):
    """An environment that may not be read."""

    def _refuse(self, *_: object) -> str:
        raise AssertionError("the environment was read")

    __getitem__ = get = __contains__ = __iter__ = keys = items = values = copy = _refuse  # type: ignore[assignment]


@pytest.fixture
def poisoned(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment and a folder in which a command line would go wrong; where it would show."""
    mark = tmp_path / "git-was-taken-from-PATH"
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
    fake.chmod(0o755)
    home = tmp_path / "poison"
    home.mkdir()
    (home / ".gitconfig").write_text('[ralph]\n\tbase = nowhere\n[user]\n\tname = "Poison"\n')
    for name, value in {
        "PATH": str(fake.parent), "HOME": str(home), "XDG_CONFIG_HOME": str(home),
        "RALPH_BASE": "nowhere", "RALPH_WORKER": "poison", "GIT_DIR": str(home),
        "GIT_INDEX_FILE": str(home / "index"), "GIT_AUTHOR_NAME": "Poison",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    return mark


def test_nothing_of_the_environment_counts(world: World, poisoned: Path) -> None:
    repo = ralphgit.open(world.path)
    assert [task.id for task in repo.next()] == ["T-1", "T-3"]
    assert repo.status().base == "main"
    assert repo.check() == () and repo.diff("HEAD..HEAD").verdict == "unchanged"
    claimed = ralphgit.open(world.path, worker="ann").claim("T-1", fetch=False)
    assert claimed.holder is not None and claimed.holder.worker == "ann"
    assert not poisoned.exists()


def test_the_environment_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tempfile.gettempdir()  # where temporary files go is Python's to say; it asks once
    alpha = world.worktree("alpha")
    repo, main = opened(alpha), opened(world)
    alpha.write("hello.txt", "hello\n")
    main.tasks(), main.status(), main.check(), main.diff("HEAD..HEAD")  # imports may read it
    monkeypatch.setattr(os, "environ", Unread())
    main.tasks(), main.show("T-1"), main.next(), main.status(), main.check()
    assert main.diff("HEAD..HEAD").verdict == "unchanged"
    repo.claim("T-1")
    repo.complete()
    monkeypatch.undo()
    assert repo.show("T-1").state == "in-review"


def test_what_is_handed_in_counts(world: World) -> None:
    def worker(repo: ralphgit.Repo) -> str:
        claimed = repo.claim("T-1")
        assert claimed.holder is not None
        repo.release()
        return claimed.holder.worker

    assert worker(opened(world)) == "proj"
    assert worker(opened(world, RALPH_WORKER="zed")) == "zed"
    set_ = ralphgit.open(
        world.path, environ={**world.environ, "RALPH_WORKER": "zed"}, settings={"worker": "yan"}
    )
    assert worker(set_) == "yan"
    world.git("branch", "develop")
    with pytest.raises(errors.UsageError, match="unknown setting bogus"):
        ralphgit.open(world.path, settings={"bogus": 1})
    develop = ralphgit.open(world.path, environ=world.environ, settings={"base": "develop"})
    assert develop.status().base == "develop"


# -- the package -------------------------------------------------------------------------


def test_importing_it_imports_nothing_else(world: World) -> None:
    code = "import sys, typing; before = set(sys.modules); import ralphgit; " \
           "print(*set(sys.modules) - before)"  # fmt: skip
    assert world.run(sys.executable, "-c", code) == (0, "ralphgit\n", "")


def test_every_public_name_is_there() -> None:
    assert {name: getattr(ralphgit, name).__name__ for name in ralphgit.__all__} == {
        name: name if name != "errors" else "ralphgit.errors" for name in ralphgit.__all__
    }
    with pytest.raises(AttributeError):
        _ = ralphgit.nothing
    (types,) = (
        node for node in ast.parse((ROOT / "ralphgit" / "__init__.py").read_text()).body
        if isinstance(node, ast.If)
    )  # fmt: skip
    named = {name.name for node in types.body if isinstance(node, ast.ImportFrom)
             for name in node.names}  # fmt: skip
    assert named == set(ralphgit.__all__)


def test_it_is_typed() -> None:
    assert (ROOT / "ralphgit" / "py.typed").read_text() == ""


def test_values_that_are_none_are_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks: []\n")
    world.commit()
    repo = ralphgit.open(str(world.path))
    with pytest.raises(ralphgit.errors.UsageError, match="none of waiting, ready"):
        repo.tasks(state="bogus")
    with pytest.raises(ralphgit.errors.UsageError, match="none of needs_context"):
        repo.block("T-1", reason="bogus", question="?")
    with pytest.raises(ralphgit.errors.UsageError, match="1 is not a task id"):
        repo.show(1)  # type: ignore[arg-type]
