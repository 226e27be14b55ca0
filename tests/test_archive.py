"""`archive`: finished tasks leave the working tree in one commit; everything still knows them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from world import ROOT, Place, World, grown

from ralphgit.app.workspace import archive_view
from ralphgit.records import archive_file

GRAPH = """\
version: 1
tasks:
  # The first of all.
  - id: T-1
    title: Say hello
    status: pending
    verify:
      - test -s hello.txt
    scope:
      write: [hello.txt]
  - id: T-2
    title: Say more
    status: pending
    depends_on: [T-1]
    scope:
      write: [more.txt]
  - id: T-3
    title: Say goodbye
    status: pending
    verify:
      - test -s bye.txt
    scope:
      write: [bye.txt]
"""


@pytest.fixture
def world() -> World:
    return grown(finished)


def finished(folder: Path) -> World:
    """T-1 and T-3 are complete on main, by alpha; T-2 is ready."""
    made = World(folder)
    made.write_graph(GRAPH)
    made.commit("Plan")
    alpha = made.worktree("alpha")
    assert alpha.ralph("trust", "--yes").code == 0
    for task, name in (("T-1", "hello.txt"), ("T-3", "bye.txt")):
        alpha.did(task, {name: "text\n"})
        assert made.merge("alpha").code == 0
    assert made.ralph("check").out == "No problem found.\n"
    return made


def archived(place: Place, *tasks: str) -> None:
    """Archive tasks, which succeeds."""
    done = place.ralph("archive", *tasks) if tasks else place.ralph("archive", "--older-than", "0")
    assert done.code == 0, done.err


def tree(place: Place, rev: str = "HEAD") -> str:
    """The records and graph files of a commit, with their blobs."""
    return place.git("ls-tree", "-r", rev, "--", "records", "task-graph.yaml", "graph")


def month(place: Place) -> str:
    """The one file of the archive."""
    (found,) = (place.path / "records" / "archive").iterdir()
    return f"records/archive/{found.name}"


def clean(place: Place, *words: str) -> None:
    """`check WORDS` finds nothing."""
    done = place.ralph("check", *words)
    assert (done.code, done.out) == (0, "No problem found.\n"), done.out + done.err


# -- there and back ----------------------------------------------------------------------------


def test_what_is_finished_leaves_in_one_legal_commit(world: World) -> None:
    before = world.head
    done = world.ralph("archive", "--older-than", "0", "--json")
    assert done.data["tasks"] == ["T-1", "T-3"]
    assert done.data["records"] == 4
    assert world.git("status", "--porcelain") == ""
    assert world.git("rev-parse", "HEAD~") == before
    assert tree(world).count("\n") == 1  # the graph, and the month
    assert "T-1" not in world.read().replace("depends_on: [T-1]", "")
    clean(world)
    clean(world, "--at", "HEAD")
    clean(world, f"{before}..HEAD")
    world.git("branch", "archiving")
    world.git("reset", "--quiet", "--hard", before)
    clean(world, "archiving", "--base", "main")


def test_what_a_killed_write_leaves_beside_the_archive_is_not_read(world: World) -> None:
    archived(world, "T-1")
    folder, name = month(world).rsplit("/", 1)
    world.write(f"{folder}/.ralph-tmp-1-0-{name}", world.read(f"{folder}/{name}"))
    assert world.ralph("show", "T-1").code == 0
    assert world.ralph("check").out == "No problem found.\n"


@pytest.mark.parametrize("step", ["the archive", "the graph", "the records"])
@pytest.mark.parametrize("by", ["archive", "doctor"])
def test_an_archive_that_was_killed_before_its_commit_is_taken_back(
    by: str, step: str, world: World
) -> None:
    before, graph, head = tree(world), world.read(), world.head
    archived(world, "T-1")
    world.git("reset", "--quiet", "--soft", "HEAD~1")
    world.git("restore", "--staged", ".")
    if step != "the records":
        world.git("restore", "records")
    if step == "the archive":
        world.git("restore", "task-graph.yaml")
    half = world.git("status", "--porcelain")
    assert world.ralph("archive", "T-1", "--dry-run").code in (0, 8)
    assert world.git("status", "--porcelain") == half
    if by == "doctor":
        assert findings(world, "--fix")[0]["fixed"]
        assert (tree(world), world.git("status", "--porcelain")) == (before, "")
        assert (world.read(), world.head) == (graph, head)
    archived(world, "T-1")
    clean(world)


def test_what_was_changed_beside_a_killed_archive_is_not_lost(world: World) -> None:
    before = tree(world)
    archived(world, "T-1")
    world.git("reset", "--quiet", "--soft", "HEAD~1")
    world.git("restore", "--staged", ".")
    world.write_graph(f"{world.read()}# mine\n")
    refused = world.ralph("archive", "T-1", "--json")
    assert (refused.code, refused.error) == (8, "uncommitted")
    assert world.run("sh", "-c", refused.json["error"]["hint"]).code == 0
    assert (tree(world), world.git("status", "--porcelain")) == (before, "")
    archived(world, "T-1")


def test_restoring_gives_back_every_byte(world: World) -> None:
    before, graph = tree(world), world.read()
    archived(world)
    done = world.ralph("archive", "--restore", "T-3", "T-1")
    assert done.code == 0, done.err
    assert [line for line in tree(world).splitlines() if "records" in line] == [
        line for line in before.splitlines() if "records" in line
    ]
    # They stand last; their text is what it was, with the comment before it.
    assert sorted(world.read().splitlines()) == sorted(graph.splitlines())
    assert "  # The first of all.\n  - id: T-1\n" in world.read()
    clean(world)
    clean(world, "HEAD~..HEAD")
    assert "2 tasks back from the archive" in world.ralph("diff", "HEAD~..HEAD").out


def test_a_diff_says_it_in_one_sentence(world: World) -> None:
    archived(world)
    done = world.ralph("diff", "HEAD~..HEAD")
    assert done.out.splitlines()[0] == "clear: 2 tasks archived"
    found = world.ralph("diff", "HEAD~..HEAD", "--json").data
    assert (found["archived"], found["removed"], found["notes"]) == (["T-1", "T-3"], [], [])


def test_show_and_log_know_what_is_archived(world: World) -> None:
    told, was = world.ralph("log", "T-1").out, world.task("T-1")
    archived(world)
    shown = world.ralph("show", "T-1", "--json").data
    assert shown["archived"] is True
    same = {key: value for key, value in shown["task"].items() if key not in ("file", "line")}
    assert same == {key: value for key, value in was.items() if key not in ("file", "line")}
    assert shown["task"]["file"] == month(world)
    assert "complete, archived" in world.ralph("show", "T-1").out
    assert world.ralph("log", "T-1").out.split("claimed")[1:] == told.split("claimed")[1:]


def test_a_question_lands_with_what_its_branch_has_archived(world: World) -> None:
    beta = world.worktree("beta")
    beta.claim("T-2")
    beta.write("more.txt", "half\n")
    beta.commit("Begin T-2")
    archived(beta, "T-1")
    assert beta.ralph("block", "T-2", "--question", "Which?").code == 0
    done = beta.ralph("claim")
    assert (done.code, "did not land" in done.err) == (7, False), done.err
    assert world.task("T-2")["status"] == "blocked"
    assert "/T-1/" not in tree(world)
    assert not (world.path / "more.txt").exists()
    clean(world)


def test_a_question_lands_with_no_plan_that_its_branch_has_beside_an_archived_task(
    world: World,
) -> None:
    beta = world.worktree("beta")
    beta.claim("T-2")
    beta.commit("Begin T-2")
    archived(beta, "T-1")
    beta.write_graph(f"{beta.read()}x-note: mine\n")
    beta.commit("Say more in the plan")
    assert beta.ralph("block", "T-2", "--question", "Which?").code == 0
    said = beta.ralph("claim").err
    assert "did not land: beta also changes the graph beside its tasks" in said
    assert world.task("T-2")["status"] == "pending"


def test_a_dependency_on_it_is_met(world: World) -> None:
    archived(world)
    assert [task["id"] for task in world.ralph("next", "--json").data["tasks"]] == ["T-2"]
    assert "T-1           complete" in world.ralph("show", "T-2").out
    beta = world.worktree("beta")
    assert beta.ralph("trust", "--yes").code == 0
    packet = beta.ralph("claim", "T-2", "--json").data["packet"]
    assert [one["task"] for one in packet["dependencies"]] == ["T-1"]
    assert packet["dependencies"][0]["commit"]
    beta.write("more.txt", "more\n")
    beta.ralph("evidence", "add", "T-2", "--shows", "it says more")
    beta.complete("T-2")
    done = beta.ralph("check", "--base", "main")
    assert done.code == 0, done.out


def test_an_id_is_never_given_twice(world: World) -> None:
    archived(world)
    refused = world.refused("add", "--id", "t-3", "--title", "x", code="duplicate_id", exit=6)
    assert "in the archive" in refused["message"]
    world.refused("edit", "T-2", "--rename", "T-3", code="duplicate_id", exit=6)
    done = world.ralph("add", "--title", "Next", "--json")
    assert done.code == 0, done.out
    assert done.data["task"]["id"] == "T-4"
    again = world.write("again.yaml", GRAPH[: GRAPH.index("  - id: T-2")])
    done = world.ralph("import", str(again), "--dry-run", "--json")
    assert (done.code, done.data["added"], done.data["unchanged"]) == (0, [], ["T-1"]), done.out


def test_commands_say_where_it_is_and_the_way_back_works(world: World) -> None:
    archived(world)
    alpha = world.worktree("beta")
    error = alpha.refused("claim", "T-1", code="archived", exit=2)
    assert error["hint"].endswith("ralphgit archive --restore T-1")
    for words in (("reset", "T-1", "--reopen"), ("edit", "T-1", "--title", "x")):
        world.refused(*words, code="archived", exit=2)
    assert world.ralph("archive", "--restore", "T-1").code == 0
    done = world.ralph("reset", "T-1", "--reopen", "--reason", "it was wrong")
    assert done.code == 0, done.err
    clean(world)


# -- what stays --------------------------------------------------------------------------------


def test_only_what_is_finished_on_the_base_goes(world: World) -> None:
    world.refused("archive", "T-2", code="not_archivable")
    beta = world.worktree("beta")
    beta.claim("T-2")
    done = world.ralph("archive", "--json")
    assert done.data["tasks"] == []
    assert [one["task"] for one in done.data["left"]] == ["T-1", "T-3"]  # it was just now
    # On this branch alone it is cancelled.
    world.git("checkout", "--quiet", "-b", "side")
    assert world.ralph("add", "--id", "T-9", "--title", "Late").code == 0
    assert world.ralph("edit", "T-9", "--cancel", "no").code == 0
    world.commit("Cancel")
    error = world.refused("archive", "T-9", code="not_archivable")
    assert "not so on main" in error["message"]


def test_a_claim_that_lost_keeps_the_task(world: World) -> None:
    """Its holder is still to be told who won."""
    first = world.git("rev-list", "--max-parents=0", "HEAD")
    world.git("checkout", "--quiet", "-b", "gamma", first)
    claim = "status: in-progress\n    claim: {id: zzzzzzzzzz, by: gamma, at: t}"
    world.write_graph(world.read().replace("status: pending", claim, 1))
    world.commit("Claim")
    world.git("checkout", "--quiet", "main")
    done = world.ralph("archive", "--older-than", "0", "--json")
    assert done.data["tasks"] == ["T-3"]
    assert "gamma" in done.data["left"][0]["why"]


def test_a_cancelled_task_that_somebody_waits_for_stays(world: World) -> None:
    world.ralph("add", "--id", "T-4", "--title", "Gone")
    world.ralph("add", "--id", "T-5", "--title", "Waits", "--depends-on", "T-4")
    world.ralph("edit", "T-4", "--cancel", "no")
    world.commit("More")
    done = world.ralph("archive", "--older-than", "0", "--json")
    assert done.data["tasks"] == ["T-1", "T-3"]
    assert [one["task"] for one in done.data["left"]] == ["T-4"]


def test_uncommitted_records_are_not_archived(world: World) -> None:
    world.replace("title: Say more", "title: Say much more")
    world.refused("archive", "T-1", code="uncommitted")


def test_a_hook_that_declines_leaves_everything(world: World) -> None:
    hook = world.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    before = tree(world)
    assert world.ralph("archive", "T-1").code != 0
    assert world.git("status", "--porcelain") == ""
    assert tree(world) == before


def test_files_that_a_kill_left_are_removed_by_the_next(world: World) -> None:
    files = {path: path.read_bytes() for path in (world.path / "records").rglob("*/T-1/*")}
    archived(world, "T-1")
    for path, data in files.items():
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    clean(world)
    archived(world)
    assert world.git("status", "--porcelain") == ""
    assert not any(path.exists() for path in files)


def test_a_pre_commit_check_lets_it_pass(world: World) -> None:
    hook = world.write(
        ".git/hooks/pre-commit", f"#!/bin/sh\nexec {sys.executable} -m ralphgit check\n"
    )
    hook.chmod(0o755)
    archived(world)


# -- branches beside it ------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["main", "beta"])
def test_a_claim_of_a_neighbour_merges_cleanly(world: World, first: str) -> None:
    """L2: archiving is a change of other tasks."""
    beta = world.worktree("beta")
    beta.claim("T-2")
    beta.commit("Claim")
    archived(world)
    place, other = (world, "beta") if first == "main" else (beta, "main")
    assert place.merge(other).code == 0
    assert place.ralph("check", "--at", "HEAD").code == 0
    assert world.path.joinpath("task-graph.yaml").exists()
    assert "T-2" in place.read()
    assert "id: T-1" not in place.read()


def test_two_who_archive_the_same_write_the_same(world: World) -> None:
    world.git("branch", "other")
    archived(world)
    beta = Place(world.folder / "b", world.environ, world)
    world.git("worktree", "add", "--quiet", str(beta.path), "other")
    archived(beta)
    assert beta.merge("main").code == 0
    clean(beta, "--at", "HEAD")
    assert tree(beta) == tree(world)


def test_two_who_archive_different_tasks_are_joined_by_resolve(world: World) -> None:
    beta = world.worktree("beta")
    archived(world, "T-1")
    archived(beta, "T-3")
    assert beta.merge("main").code != 0
    done = beta.ralph("resolve")
    assert done.code == 0, done.out + done.err
    beta.git("commit", "--quiet", "--no-edit")
    clean(beta, "--at", "HEAD")
    clean(beta, "--base", "main")
    assert [json.loads(line).get("id") for line in beta.read(month(beta)).splitlines()] == [
        None, "T-1", "T-3",
    ]  # fmt: skip


def test_branches_from_before_hold_nothing(world: World) -> None:
    """Those that were merged, and squashed ones that still have the task."""
    world.git("checkout", "--quiet", "-b", "old", "HEAD~1")
    world.git("checkout", "--quiet", "main")
    archived(world)
    found = world.ralph("status", "--json").data
    assert [task["id"] for task in found["tasks"]] == ["T-2"]
    assert found["attention"] == []
    # Its audit is gone from its file, which is not what a revert does (L12).
    assert "taken back" not in world.ralph("log").out + world.ralph("log", "T-1").out
    assert world.ralph("log", "--json").data["total"] == 0
    alpha = Place(world.folder / "proj-alpha", world.environ, world)
    assert alpha.ralph("status").code == 0
    assert world.ralph("worktree", "prune", "--json").code == 0
    shard = world.ralph("shard", "--layout", "task", "--dry-run")
    assert shard.code == 0, shard.err


def test_a_squashed_branch_has_still_landed(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    world.commit("Plan")
    alpha = world.worktree("alpha")
    alpha.ralph("trust", "--yes")
    alpha.did("T-1", {"hello.txt": "text\n"})
    world.git("merge", "--quiet", "--squash", "alpha")
    world.commit("T-1 (#1)")
    archived(world)
    done = world.ralph("worktree", "prune", "--dry-run")
    assert done.out == "would remove\talpha\tits tasks are on main\n"


def test_what_comes_late_goes_there_too(world: World) -> None:
    """A branch adds to the audit of a task that is archived meanwhile."""
    world.git("checkout", "--quiet", "-b", "late")
    path = next((world.path / "records/audit/T-1").iterdir()).relative_to(world.path).as_posix()
    more = '  - at: "2026-11-21T12:00:00Z"\n    event: landed\n    by: bob\n    from: complete\n'
    world.write(path, world.read(path) + more + "    to: complete\n")
    world.commit("Note")
    world.git("checkout", "--quiet", "main")
    archived(world)
    assert world.merge("late").code != 0
    done = world.ralph("resolve")
    assert done.code == 0, done.out + done.err
    world.git("commit", "--quiet", "--no-edit")
    clean(world)
    archived(world)
    assert tree(world).count("\n") == 1
    clean(world, "HEAD~..HEAD")
    assert "12:00" in world.ralph("log", "T-1").out


# -- what nobody may do with it ----------------------------------------------------------------


def forged(world: World, old: str, new: str) -> list[tuple[str, str]]:
    """Severity and code of what `check` finds once the archive has `new` in place of `old`."""
    world.git("checkout", "--quiet", "-b", "forged")
    path = month(world)
    text = world.read(path)
    assert old in text
    world.write(path, text.replace(old, new, 1))
    world.commit("Forge")
    found = world.ralph("check", "forged", "--base", "main", "--json").data["problems"]
    return sorted({(one["severity"], one["code"]) for one in found})


def test_archived_evidence_is_never_edited(world: World) -> None:
    archived(world)
    assert forged(world, "exit_code: 0", "exit_code: 1") == [("error", "edited_evidence")]


def test_an_archived_task_is_never_removed(world: World) -> None:
    archived(world)
    line = next(line for line in world.read(month(world)).splitlines() if '"T-1"' in line)
    found = forged(world, line + "\n", "")
    assert ("error", "removed_evidence") in found
    assert ("error", "removed_audit") in found


def test_a_task_is_archived_as_it_was(world: World) -> None:
    world.git("checkout", "--quiet", "-b", "side")
    archived(world)
    text = world.read(month(world))
    world.write(month(world), text.replace("Say hello", "Say what you like", 1))
    world.commit("Forge")
    found = world.ralph("check", "--base", "main", "--json").data["problems"]
    assert "archived_otherwise" in {one["code"] for one in found if one["severity"] == "error"}


@pytest.mark.parametrize("more", ["", "\\n    epoch: 1"])
def test_an_archived_task_is_never_rewritten(more: str, world: World) -> None:
    archived(world)
    found = forged(world, "title: Say hello", f"title: Say bye{more}")
    assert ("error", "archived_otherwise") in found
    told = world.ralph("diff", "main..forged", "--json").data
    assert told["verdict"] == "problems"
    assert [one["task"] for one in told["notes"] if one["code"] == "archived_otherwise"] == ["T-1"]


def test_what_is_added_to_an_archived_task_is_never_clear(world: World) -> None:
    archived(world)
    world.git("checkout", "--quiet", "-b", "forged")
    lines = world.read(month(world)).splitlines()
    told = json.loads(lines[1])
    audit = next(name for name in told["records"] if name.startswith("audit/"))
    told["records"][audit] += "  - {at: t, event: landed, by: ann, note: approved}\n"
    lines[1] = json.dumps(told, sort_keys=True)
    world.write(month(world), "".join(f"{line}\n" for line in lines))
    world.commit("Forge")
    found = world.ralph("diff", "main..forged", "--json").data
    noted = [(one["task"], one["code"]) for one in found["notes"]]
    assert (found["verdict"], noted) == ("concerns", [("T-1", "archived_otherwise")])


def test_what_is_not_finished_has_no_place_there(world: World) -> None:
    archived(world)
    found = forged(world, "status: complete", "status: pending")
    assert ("error", "archived_unfinished") in found


def test_the_archive_is_no_way_past_the_gate(world: World) -> None:
    """A branch that claims, completes without evidence and archives in one."""
    world.git("checkout", "--quiet", "-b", "side")
    block = (
        "  - id: T-2\n    title: Say more\n    status: complete\n    claim:\n      id: zzzzzzzzzz\n"
        '      by: eve\n      at: "2026-11-21T10:00:00Z"\n    result:\n      id: yyyyyyyyyy\n'
        '      claim: zzzzzzzzzz\n      outcome: done\n      at: "2026-11-21T11:00:00Z"\n'
        "    depends_on: [T-1]\n    scope:\n      write: [more.txt]\n"
    )
    header = json.dumps({"kind": "archive", "version": 1})
    one = json.dumps({"id": "T-2", "file": "task-graph.yaml", "block": block, "records": {}})
    world.write("records/archive/2026-11.jsonl", f"{header}\n{one}\n")
    graph = world.read()
    start, end = graph.index("  - id: T-2"), graph.index("  - id: T-3")
    world.write_graph(graph[:start] + graph[end:])
    world.commit("Done")
    found = world.ralph("check", "--base", "main", "--json").data["problems"]
    assert "status_without_event" in {one["code"] for one in found if one["severity"] == "error"}


@pytest.mark.parametrize("path", ["hooks/T-1/x.yaml", "audit/T-1/../x.yaml", "audit/T-3/x.yaml"])
def test_no_record_is_anywhere_else(world: World, path: str) -> None:
    """L10: restoring writes where records of the task are."""
    archived(world, "T-1")
    text = world.read(month(world))
    known = next(name for name in json.loads(text.splitlines()[1])["records"])
    world.write(month(world), text.replace(f'"{known}"', f'"{path}"', 1))
    world.commit("Forge")
    found = world.ralph("check", "--json").data["problems"]
    assert "bad_archive" in {one["code"] for one in found}
    world.refused("archive", "--restore", "T-1", code="bad_archive", exit=6)


def test_an_id_in_both_places_is_found(world: World) -> None:
    before = world.read()
    archived(world)
    world.write_graph(before)
    found = world.ralph("check", "--json").data["problems"]
    assert "duplicate_id" in {one["code"] for one in found}


@pytest.mark.parametrize("text", ["", "{}\n", '{"kind": "archive", "version": 2}\n', "<<<<<<< a\n"])
def test_an_archive_that_cannot_be_read_is_one_problem(world: World, text: str) -> None:
    archived(world)
    path = month(world)
    world.write(path, text)
    done = world.ralph("check", "--json")
    found = [one for one in done.data["problems"] if one["file"] == path]
    assert {one["code"] for one in found} <= {"bad_archive", "conflict_marker"} and found, done.out
    assert world.ralph("next").code in (0, 6)


# -- layouts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["task", "story"])
def test_files_that_are_of_no_use_go(world: World, layout: str) -> None:
    assert world.ralph("shard", "--layout", layout).code == 0
    world.commit("Shard")
    files = sorted(path.name for path in (world.path / "graph").iterdir())
    archived(world)
    left = sorted(path.name for path in (world.path / "graph").iterdir())
    assert left == (["T-2.yaml"] if layout == "task" else files)
    clean(world, "HEAD~..HEAD")
    before = tree(world, "HEAD~")
    assert world.ralph("archive", "--restore", "T-1", "T-3").code == 0
    if layout == "task":
        assert tree(world) == before
    clean(world)


def test_line_ends_of_windows_are_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = GRAPH.replace("\n", "\r\n").replace("status: pending", "status: complete", 1)
    world.write_graph(text)
    world.commit("Plan")
    done = world.ralph("archive", "T-1")
    assert done.code == 0, done.err
    assert world.ralph("archive", "--restore", "T-1").code == 0
    assert sorted(world.read().split("\r\n")) == sorted(text.split("\r\n"))


# -- killed ------------------------------------------------------------------------------------


def findings(place: Place, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = place.ralph("doctor", *words, "--json").data["findings"]
    return [one for one in found if one["code"] == "half_archived"]


def test_doctor_removes_what_an_archive_killed_after_its_commit_has_left(world: World) -> None:
    (path, *_) = world.git("ls-files", "records/audit/T-1").split()
    text = world.read(path)
    archived(world)
    assert findings(world) == []
    world.write(path, text)
    (found,) = findings(world)
    assert (found["fixable"], found["fixed"]) == (True, False)
    assert path in str(found["message"])
    assert findings(world, "--fix")[0]["fixed"]
    assert not (world.path / path).exists()
    world.write(path, f"{text}# changed since\n")
    assert findings(world) == []


def test_doctor_names_an_archive_that_was_killed_before_its_commit(world: World) -> None:
    graph, before = world.read(), world.head
    archived(world)
    world.git("reset", "--quiet", "--soft", before)
    world.write_graph(f"{world.read()}# mine\n")
    (found,) = findings(world, "--fix")
    assert not found["fixed"]
    assert str(found["message"]).startswith("an archive of 2 tasks was not committed")
    assert world.run("sh", "-c", str(found["hint"])).code == 0
    assert (world.read(), findings(world)) == (graph, [])
    assert world.git("status", "--porcelain") == ""
    archived(world)


def test_each_line_is_as_its_schema_says(world: World) -> None:
    archived(world)
    path = month(world)
    schema = Draft202012Validator(json.loads((ROOT / "schemas/archive.schema.json").read_text()))
    lines = [json.loads(line) for line in world.read(path).splitlines()]
    assert len(lines) == 3
    for line in lines:
        schema.validate(line)
    for wrong in ({"file": ""}, {"block": ""}, {"more": 1}, {"records": {"audit/x": "y"}}):
        line = {**lines[1], **wrong}
        assert not schema.is_valid(line)
        text = "".join(f"{json.dumps(one)}\n" for one in (lines[0], line, lines[2]))
        world.write(path, text)
        found = world.ralph("check", "--json").data["problems"]
        assert ("bad_archive", 2) in {(one["code"], one["line"]) for one in found}, wrong


def test_a_line_that_is_nested_too_deep_is_refused_with_its_place(world: World) -> None:
    head = json.dumps(archive_file.HEADER)
    world.write("records/archive/2026-11.jsonl", f"{head}\n{'[' * 200_000}\n")
    found = world.ralph("check", "--json")
    assert found.code in (1, 6), found.out
    assert "nested too deep" in found.out and "2026-11.jsonl" in found.out


def test_on_the_base_itself_an_archive_waits_for_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks:\n  - {id: T-1, title: One, status: complete}\n")
    world.commit()
    assert world.ralph("archive", "T-1").out.splitlines()[-1] == (
        f"Committed as {world.head[:12]}, on main."
    )


def test_a_file_of_the_archive_is_read_once_while_nothing_changes(tmp_path: Path) -> None:
    path, read = tmp_path / "2026-12.jsonl", list[str]()

    def reads(one: str) -> str:
        read.append(one)
        return path.read_text()

    def id_of(at: float) -> str:
        return archive_view.id_of(str(path), reads, at)

    path.write_text("a")
    now = path.stat().st_ctime
    assert [id_of(now + 1), id_of(now + 1), id_of(now + 3), id_of(now + 3)] == ["a"] * 4
    assert len(read) == 3  # it may change again within the same tick
    path.write_text("b")
    assert (id_of(now + 9), len(read)) == ("b", 4)
