"""`status`: what needs a person first, then who does what; and the JSON of every command."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from world import ROOT, Place, Result, World, grown

from ralphgit.app.workspace import heartbeat, tracked_pull_requests
from ralphgit.model.pull_request import Pull, PullState

ENVELOPE = Draft202012Validator(
    json.loads((ROOT / "schemas" / "output.schema.json").read_text(encoding="utf-8"))
)


def task(id: str, *lines: str, status: str = "pending") -> str:
    more = "".join(f"    {line}\n" for line in lines)
    return f"  - id: {id}\n    title: Task {id}\n    status: {status}\n{more}"


def world_of(folder: Path, *tasks: str) -> World:
    made = World(folder)
    made.write_graph("version: 1\ntasks:\n" + "".join(tasks))
    made.commit("Begin")
    return made


def test_a_look_writes_no_index(tmp_path: Path) -> None:
    """Where only times have changed, `git diff` would."""
    world = world_of(tmp_path, task("T-1"))
    world.write("a.txt", "a\n")
    world.write("b.txt", "b\n")
    world.commit()
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("c.txt", "c\n")
    for name in ("a.txt", "b.txt"):
        os.utime(alpha.path / name, (1_000_000_000, 1_000_000_000))
    index = Path(alpha.git("rev-parse", "--path-format=absolute", "--git-path", "index"))
    before = index.read_bytes()
    for words in (("status",), ("wait", "--timeout", "0"), ("next",), ("board", "--json")):
        world.ralph(*words)
        assert index.read_bytes() == before, words


# -- the picture -------------------------------------------------------------------------


@pytest.fixture
def busy() -> World:
    return grown(at_work_everywhere)


def at_work_everywhere(folder: Path) -> World:
    """Tasks in every state, and workers at some of them."""
    record = "{id: x1, by: ann, at: t, reason: r}"
    world = world_of(
        folder,
        task("DONE", "claim: {id: g1, by: old}",
             "result: {id: r1, claim: g1, outcome: done, at: t}", status="complete"),
        task("DROPPED", f"cancelled: {record}", status="cancelled"),
        task("LATER", "depends_on: [READY]"),
        task("READY", "priority: 3"),
        task("URGENT", "priority: 0"),
        task("CLAIMED"),
        task("BEGUN"),
        task("REVIEW"),
        task("STUCK"),
    )  # fmt: skip
    places = {name: world.worktree(name) for name in ("anna", "ben", "cleo", "dora")}
    for place, id in zip(places.values(), ("CLAIMED", "BEGUN", "REVIEW", "STUCK"), strict=True):
        place.claim(id)
    places["ben"].commit("Half of it")
    places["cleo"].write("a", "x\n")
    assert places["cleo"].ralph("complete").code == 0
    words = ("block", "--reason", "scope", "--question", "May I touch b?")
    assert places["dora"].ralph(*words).code == 0
    return world


def test_the_picture_as_json(busy: World) -> None:
    before = busy.snapshot()
    result = busy.ralph("status", "--json")
    assert (result.code, result.err, result.json["warnings"]) == (0, "", [])
    assert busy.snapshot() == before
    data = result.data
    assert list(data)[4:] == ["workers", "attention", "unverified", "usage", "next", "nothing"]
    assert data["base"] == {
        "branch": "main",
        "remote": None,
        "ref": "main",
        "commit": busy.head,
        "local_ahead": 0,
    }
    assert data["counts"] == {
        "waiting": 1,
        "ready": 2,
        "claimed": 1,
        "in-progress": 1,
        "in-review": 1,
        "blocked": 1,
        "complete": 1,
        "cancelled": 1,
    }
    assert [(one["id"], one["state"]) for one in data["tasks"]] == [
        ("STUCK", "blocked"),
        ("REVIEW", "in-review"),
        ("BEGUN", "in-progress"),
        ("CLAIMED", "claimed"),
        ("READY", "ready"),
        ("URGENT", "ready"),
        ("LATER", "waiting"),
    ]
    assert data["total"] == 7
    begun = data["tasks"][2]["holder"]
    assert (begun["worker"], begun["where"]) == ("ben", "worktree ../proj-ben (branch ben)")
    assert [
        (one["worker"], one["task"], one["state"], one["reason"]) for one in data["workers"]
    ] == [
        ("anna", "CLAIMED", "planning", ""),
        ("ben", "BEGUN", "planning", ""),
        ("cleo", "REVIEW", "pr-ready", ""),
        ("dora", "STUCK", "stuck", "scope: May I touch b?"),
    ]
    ages = {key: data["workers"][1].pop(key) for key in ("for_s", "seen_s")}
    assert all(0 <= age < 600 for age in ages.values()), ages
    assert data["workers"][1] == {
        "worker": "ben",
        "path": str(busy.folder / "proj-ben"),
        "branch": "ben",
        "task": "BEGUN",
        "claim": begun["claim"],
        "since": begun["since"],
        "phase": "",
        "stale": False,
        "title": "Task BEGUN",
        "state": "planning",
        "files": 0,
        "insertions": 0,
        "deletions": 0,
        "reason": "",
        "waits": "",
        "until": None,
        "silent_s": 0.0,
        "url": "",
        "where": "worktree ../proj-ben (branch ben)",
        "heartbeat_age_s": None,
    }
    assert data["attention"] == [
        {
            "code": "blocked",
            "task": "STUCK",
            "message": "STUCK is blocked by dora (scope: May I touch b?)",
            "hint": 'ralphgit reply STUCK "TEXT"',
        }
    ]
    ENVELOPE.validate(result.json)


def test_the_picture_in_words(busy: World) -> None:
    result = busy.ralph("status")
    assert (result.code, result.err) == (0, "")
    assert re.sub(r"\t\d+s(?=\t)", "\tNs", result.out).splitlines() == [
        "! STUCK is blocked by dora (scope: May I touch b?)",
        '  ralphgit reply STUCK "TEXT"',
        "",
        "main: 1 waiting, 2 ready, 1 claimed, 1 in-progress, 1 in-review, 1 blocked, 1 complete, "
        "1 cancelled",
        "unverified: DONE, REVIEW",
        "WORKER\tTASK\tSTATE\tFOR\tFILES\tSEEN\tWHAT",
        "anna\tCLAIMED\tplanning\tNs\t0 (+0, -0)\tNs\tTask CLAIMED",
        "ben\tBEGUN\tplanning\tNs\t0 (+0, -0)\tNs\tTask BEGUN",
        "cleo\tREVIEW\tpr-ready\tNs\t1 (+1, -0)\tNs\tTask REVIEW",
        "dora\tSTUCK\tstuck\tNs\t0 (+0, -0)\tNs\tTask STUCK; scope: May I touch b?",
        "next: URGENT  Task URGENT",
        "next: READY  Task READY",
    ]


def test_how_far_each_worker_is(tmp_path: Path) -> None:
    world = world_of(tmp_path, *(task(f"T-{n}") for n in range(1, 6)))
    world.write("kept.txt", "one\ntwo\nthree\n")
    world.write("old.txt", "gone\n")
    world.commit()

    def told() -> dict[str, tuple[object, ...]]:
        keys = ("worker", "state", "files", "insertions", "deletions", "reason", "url")
        workers = world.ralph("status", "--json").data["workers"]
        return {one["task"] or one["worker"]: tuple(one[key] for key in keys) for one in workers}

    assert world.ralph("worktree", "new", "idle").code == 0
    assert told() == {"idle": ("idle", "registered", None, None, None, "", "")}
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    claim = alpha.claim("T-1")
    assert told()["T-1"] == ("alpha", "planning", 0, 0, 0, "", "")
    # What is committed, changed, new, binary and removed; records, and what git ignores, not.
    alpha.write("new.txt", "a\nb\nc")
    alpha.commit("Half")
    alpha.replace("two\n", "2\nzwei\n", "kept.txt")
    alpha.git("rm", "--quiet", "old.txt")
    alpha.write("draft/x.txt", "x\ny\n")
    alpha.write("blob", "\0\n\n")
    alpha.write(".git/info/exclude" if (alpha.path / ".git").is_dir() else ".gitignore", "junk\n")
    alpha.write("junk", "1\n2\n")
    before = world.snapshot()
    assert told()["T-1"] == ("alpha", "working", 6, 3 + 2 + 2 + 1, 1 + 1, "", "")
    assert world.snapshot() == before
    # A worktree that goes on to another task: its files are that one's.
    beta.did("T-2", {"b": "x\n"})
    assert told()["T-2"] == ("beta", "pr-ready", 1, 1, 0, "", "")
    beta.claim("T-3")
    assert [told()[name][:3] for name in ("T-2", "T-3")] == [
        ("beta", "pr-ready", None),
        ("beta", "planning", 0),
    ]
    # A pull request: its address, and what it is stuck at.
    pull = Pull(
        "T-1", claim, "alpha", 0, "alpha", alpha.head, "pr", "https://forge.example/1",
        PullState.OPEN,
    )  # fmt: skip
    alpha.complete()
    for changed, state, reason in (
        (pull, "pr-ready", ""),
        (
            pull._replace(state=PullState.COMMENTED, about="ann"),
            "pr-ready",
            "pull request commented: ann",
        ),
        (
            pull._replace(state=PullState.CONFLICT, about="a.txt"),
            "stuck",
            "pull request conflicts with the base: a.txt",
        ),
        (pull._replace(state=PullState.CLOSED), "stuck", "pull request closed"),
    ):
        tracked_pull_requests.note(str(alpha.path), changed)
        worker, found, *_, why, url = told()["T-1"]
        assert (worker, found, url) == ("alpha", state, pull.url)
        assert str(why).startswith(reason)
        assert bool(why) == bool(reason)


def test_what_became_of_the_last_task_of_a_worktree(tmp_path: Path) -> None:
    world = world_of(tmp_path, task("T-1"), task("T-2"))
    assert world.ralph("worktree", "new", "alpha").code == 0
    alpha = Place(world.folder / "proj-alpha", world.environ, world)
    alpha.did("T-1", {"a": "x\n"})
    world.merge("feature/alpha")
    (worker,) = world.ralph("status", "--json").data["workers"]
    assert (worker["task"], worker["title"], worker["state"]) == ("T-1", "Task T-1", "complete")


def test_needs_do_not_push_the_rest_off_the_screen(tmp_path: Path) -> None:
    record = "{id: k1, reason: other, question: q, at: t}"
    tasks = [
        task(f"T-{n}", f"claim: {{id: g{n}, by: ann, at: t}}", f"blocked: {record}",
             status="blocked")
        for n in range(1, 13)
    ]  # fmt: skip
    world = world_of(tmp_path, *tasks)
    lines = world.ralph("status").out.splitlines()
    assert [line for line in lines if line.startswith("! ")] == lines[0:20:2]
    assert lines[20:22] == ["  and 2 more: ralphgit inbox", ""]
    every = world.ralph("status", "--all").out.splitlines()
    assert sum(line.startswith("! ") for line in every) == 12


def test_when_everything_is_done(tmp_path: Path) -> None:
    world = world_of(tmp_path, task("T-1"), task("T-2", status="cancelled"))
    world.claim("T-1")
    world.write("a", "x\n")
    world.complete()
    assert world.ralph("status") == Result(
        0, "main: 1 complete, 1 cancelled\nunverified: T-1\nEverything is done.\n", ""
    )


def test_before_there_is_anything(tmp_path: Path) -> None:
    world = World(tmp_path)
    empty = world.ralph("status", "--json")
    assert (empty.code, empty.error) == (8, "no_commit")
    world.commit("Nothing")
    no_graph = world.ralph("status", "--json")
    assert (no_graph.code, no_graph.error) == (6, "no_graph")
    world.write_graph("version: 1\ntasks: []\n")
    world.commit()
    assert world.ralph("status") == Result(
        0, "main: no tasks\nnext: the task graph has no task yet\n", ""
    )
    assert world.ralph("add", "--title", "First").code == 0
    told = world.ralph("claim")
    assert told.code == 3
    assert "main has no task yet; 1 task in the files here is not on it" in told.err
    assert 'git add -A && git commit -m "Plan"' in told.err


def test_tasks_that_the_base_has_not_are_told_where_all_else_is_done(tmp_path: Path) -> None:
    world = world_of(tmp_path, "  - id: T-1\n    title: Old\n    status: complete\n")
    assert world.ralph("next").err == (
        "nothing is left to do; all tasks are done: 1 complete\nhint: ralphgit status\n"
    )
    assert world.ralph("add", "--title", "New").code == 0
    said = "all tasks of main are done: 1 complete; 1 task in the files here is not on it\n"
    told = world.ralph("next")
    assert (told.code, told.err) == (3, f'{said}hint: git add -A && git commit -m "Plan"\n')
    world.git("checkout", "-q", ".")
    alpha = world.worktree("alpha")
    assert alpha.ralph("add", "--title", "New").code == 0
    alpha.commit("Plan")
    assert alpha.ralph("claim").err.endswith(f"{said}hint: ralphgit land\n")
    assert alpha.ralph("land").code == 0
    assert alpha.ralph("claim").code == 0


def test_a_local_base_that_has_diverged_is_no_case_for_a_push(tmp_path: Path) -> None:
    world = world_of(tmp_path, task("T-1"))
    other = world.origin and world.clone("other")
    world.write("mine.txt", "mine\n")
    world.commit("Mine")
    (told,) = world.ralph("status", "--json").json["warnings"]
    assert told.endswith("1 commit ahead of origin/main, which decides: git push origin main")
    other.write("theirs.txt", "theirs\n")
    other.commit("Theirs")
    other.git("push", "--quiet", "origin", "HEAD:main")
    world.git("fetch", "--quiet", "origin")
    (told,) = world.ralph("status", "--json").json["warnings"]
    assert told.endswith("origin/main, which decides, and has moved on: ralphgit doctor")
    assert world.ralph("doctor", "--json").code == 1


def test_a_heartbeat_is_told_with_its_age(tmp_path: Path) -> None:
    world = world_of(tmp_path, task("T-1"))
    alpha = world.worktree("alpha")
    claim, pid = alpha.claim("T-1"), os.getpid()

    def beat(**fields: Any) -> dict[str, object]:
        alive = heartbeat.Heartbeat(
            pid=pid,
            started=heartbeat.start_time(pid),
            boot=heartbeat.boot_id(),
            host=heartbeat.host(),
            worker="alpha",
            task="T-1",
            claim=claim,
            phase="verify",
            time=time.time(),
        )
        heartbeat.write(str(alpha.path), alive._replace(**fields))
        (worker,) = world.ralph("status", "--json").data["workers"]
        found: dict[str, object] = worker
        return found

    fresh = beat()
    assert (fresh["phase"], fresh["stale"]) == ("verify", False)
    assert 0 <= float(str(fresh["heartbeat_age_s"])) < 60
    # Silent, and the claim was staged a moment ago; then nothing changes for long.
    assert beat(time=time.time() - 3600)["stale"] is False
    git_dir = Path(alpha.git("rev-parse", "--path-format=absolute", "--git-dir"))
    for path in (git_dir / "index", git_dir / "HEAD", git_dir / "logs" / "HEAD"):
        os.utime(path, (time.time() - 3600,) * 2)
    assert beat(time=time.time() - 200)["stale"] is False
    assert beat(time=time.time() - 3600)["stale"] is True
    draft = alpha.write("draft.txt", "going on\n")
    assert beat(time=time.time() - 3600)["stale"] is False
    os.utime(draft, (time.time() - 3600,) * 2)
    assert beat(time=time.time() - 3600)["stale"] is True
    assert beat(pid=2**22 + 1)["stale"] is True
    # A heartbeat of another claim says nothing about this one.
    other = beat(claim="g000000000", pid=2**22 + 1)
    assert (other["stale"], other["heartbeat_age_s"], other["phase"]) == (False, None, "")


def test_what_needs_a_person(tmp_path: Path) -> None:
    tasks = [task(f"T-{n}", *(["depends_on: [T-8, T-9]"] if n == 5 else [])) for n in range(1, 6)]
    world = world_of(tmp_path, *tasks)
    lost, won, gone, twice, same, empty = (
        world.worktree(name) for name in ("lost", "won", "gone", "twice", "same", "empty")
    )
    off = {"RALPH_LEASE": "off"}
    lost.claim("T-1")
    lost.commit("Mine")
    won.ralph("claim", "T-1", env=off)
    won.commit("Mine")
    world.merge("won")
    gone.claim("T-2")
    twice.claim("T-3")
    same.ralph("claim", "T-3", env=off)
    empty.claim("T-4")
    empty.git("reset", "--quiet", "--hard")
    shutil.rmtree(gone.path)
    result = empty.ralph("status", "--json")
    found = [(one["code"], one["task"], one["message"]) for one in result.data["attention"]]
    assert found == [
        (
            "unfinished_claim",
            "T-1",
            "the claim of won on T-1 was merged into main without its completion; if that was not "
            f"the work, ralphgit -C {world.path} reset T-1 frees it",
        ),
        (
            "claim_lost",
            "T-1",
            "the claim of lost on T-1 in worktree ../proj-lost (branch lost) can no longer land",
        ),
        ("stale", "T-2", "T-2 is claimed by gone, who is gone or silent (worktree ../proj-gone)"),
        (
            "double_claim",
            "T-3",
            "T-3 is claimed twice: same (worktree ../proj-same), twice (worktree ../proj-twice)"
            "; the first to merge has it",
        ),
        ("unknown_dependency", "", "T-5 depends on T-8, which does not exist (and 1 more)"),
        (
            "record_missing",
            "T-4",
            "this worktree has claimed T-4, but its files do not have the claim",
        ),
    ]
    ENVELOPE.validate(result.json)
    lost.write("work.txt", "work\n")
    assert lost.ralph("complete", "T-1").code == 5
    (rescued,) = [
        one for one in world.ralph("status", "--json").data["attention"] if one["code"] == "rescued"
    ]
    assert rescued["message"].startswith("1 rescue ref with kept work, the first: T-1/")


def test_a_graph_that_cannot_be_read_elsewhere_is_passed_over(tmp_path: Path) -> None:
    world = world_of(tmp_path, task("T-1"), task("T-2"))
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write_graph("<<<<<<< HEAD\n" + alpha.read())
    result = world.ralph("status", "--json")
    assert [one["state"] for one in result.data["tasks"]] == ["claimed", "ready"]
    (warning,) = result.json["warnings"]
    assert "(skipped while looking for claims)" in warning


# -- text from anywhere ------------------------------------------------------------------

HOSTILE = "\\u2066]0;own\\u200b \\u2066[31mred\\u202etxt.exe\\nnext: EVIL"
FIRST_LINE = HOSTILE.removesuffix("\\nnext: EVIL")


def test_hostile_text_is_shown_escaped(tmp_path: Path) -> None:
    """Titles, questions and names come from a repository that somebody else wrote."""
    raw = HOSTILE.encode().decode("unicode_escape")
    quoted = json.dumps(raw)
    record = f"{{id: k1, reason: other, question: {quoted}, at: t}}"
    world = world_of(
        tmp_path,
        f"  - id: T-1\n    title: {quoted}\n    status: pending\n",
        task("T-2", f"claim: {{id: g1, by: mallory, at: {quoted}}}", f"blocked: {record}",
             status="blocked"),
        task("T-3", f"claim: {{id: g2, by: mallory, at: {quoted}}}", status="in-progress"),
    )  # fmt: skip
    result = world.ralph("status")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        f"! T-2 is blocked by mallory (other: {FIRST_LINE})",
        '  ralphgit reply T-2 "TEXT"',
        "! the claim of mallory on T-3 was merged into main without its completion; if that was "
        "not the work, ralphgit reset T-3 frees it",
        "  ralphgit complete T-3 --by COMMIT",
        "",
        "main: 1 ready, 1 in-progress, 1 blocked",
        "WORKER\tTASK\tSTATE\tFOR\tFILES\tSEEN\tWHAT",
        f"mallory\tT-2\tstuck\t-\t-\t-\tTask T-2; other: {FIRST_LINE}; the base",
        "mallory\tT-3\tstuck\t-\t-\t-\tTask T-3; merged without its completion; the base",
        f"next: T-1  {HOSTILE}",
    ]
    for words in (["next"], ["list"], ["show", "T-2"], ["prompt", "T-1"], ["status", "-v"]):
        shown = world.ralph(*words)
        for line in (shown.out + shown.err).splitlines():
            assert line.replace("\t", "").isprintable(), words
    told = world.ralph("status", "--json")
    assert told.out.isascii()
    assert raw in [one["title"] for one in told.data["tasks"]]
    assert world.ralph("claim", "T-3").err.startswith("error: mallory has T-3 (in-progress)")


# -- the one object ----------------------------------------------------------------------


@pytest.mark.slow
def test_every_answer_is_one_object_of_the_schema(tmp_path: Path) -> None:
    world = world_of(
        tmp_path, task("T-1", "verify: ['test -s b']"), task("T-2"), task("T-3", "depends_on: [X]")
    )
    alpha, beta = world.worktree("alpha"), world.worktree("beta")

    def asks(place: Place, *words: str, code: int, error: str = "", kind: str = "") -> None:
        result = place.ralph(*words, "--json")
        told = result.json
        assert result.out.count("\n") == 1
        assert (result.code, result.error, result.err) == (code, error, ""), result.out
        assert told["kind"] == (kind or words[0])
        assert told["ok"] is (code == 0)
        assert list(told) == ["schema_version", "kind", "ok", "data", "warnings", "error"]
        if told["error"]:
            assert told["error"]["exit"] == code
        ENVELOPE.validate(told)

    asks(alpha, "claim", "T-1", code=0)
    asks(alpha, "claim", "T-1", code=0)
    asks(alpha, "claim", "T-2", code=8, error="already_working")
    asks(beta, "claim", "T-1", code=5, error="claim_held")
    asks(beta, "claim", "T-3", code=8, error="dependencies_incomplete")
    asks(beta, "claim", "T-9", code=2, error="unknown_task")
    asks(beta, "claim", "--nonsense", code=2, error="usage")
    asks(beta, "reset", code=2, error="usage")
    asks(beta, "reset", "T-1", "--reason", "x", code=8, error="linked_worktree")
    alpha.write("a", "x\n")
    asks(alpha, "trust", code=7, error="untrusted")
    asks(alpha, "complete", code=7, error="untrusted")
    asks(alpha, "trust", "--yes", code=0)
    asks(alpha, "complete", code=1, error="verification_failed")
    alpha.write("b", "x\n")
    asks(alpha, "complete", code=0)
    asks(alpha, "complete", code=0)
    asks(beta, "release", code=8, error="not_claimed")
    asks(beta, "claim", code=0)
    asks(beta, "block", "--question", "q", code=0)
    asks(world, "claim", "T-2", code=7, error="blocked")
    asks(world, "reset", "T-2", "--reason", "x", code=0)
    beta.git("reset", "--quiet", "--hard", "main")
    asks(beta, "claim", code=0)
    asks(beta, "release", code=0)
    asks(world, "status", code=0)
    asks(world, "next", code=0)
    asks(world, "next", "--story", "none", code=3, error="all_done")
    asks(world, "show", "T-1", code=0)
    asks(world, "list", code=0)
    asks(world, "check", code=1, error="problems_found")
    asks(alpha, "preflight", "T-1", code=5, error="claim_held")
    asks(Place(tmp_path, world.environ), "status", code=2, error="not_a_repository")
    world.write_graph("version: 1\ntasks:\n  - title: no id\n")
    asks(world, "list", code=6, error="invalid_record")


def test_status_shows_as_many_next_tasks_as_are_asked_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    tasks = (f"  - {{id: T-{n}, title: T, status: pending}}\n" for n in range(30))
    world.write_graph("version: 1\ntasks:\n" + "".join(tasks))
    world.commit()
    for words, shown in ((), 3), (("--limit", "5"), 5), (("--limit", "0"), 0), (("--all",), 30):
        lines = world.ralph("status", *words).out.splitlines()
        assert len([line for line in lines if line.startswith("next: ")]) == shown
        assert (lines[-1] == f"and {30 - shown} more: ralphgit next --all") == (shown < 30)
