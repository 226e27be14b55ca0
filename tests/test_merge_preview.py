"""The merge preview: a new git's and an old one's say what a real merge does, and leave nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from world import Place, World

from ralphgit.errors import RalphError
from ralphgit.git import merge_chain, merge_preview
from ralphgit.git.repository import Repository

TASK = "  - id: T-{n}\n    title: Task {n}\n    status: pending\n    story: S-1\n"
GRAPH = "version: 1\ntasks:\n" + "".join(TASK.format(n=n) for n in range(1, 4))
LONG = "".join(f"line {n}\n" for n in range(40))


def claim(place: Place, task: str, identity: str) -> None:
    text = place.read()
    at = text.index("    status: pending\n", text.index(f"- id: {task}\n"))
    record = f"    status: in-progress\n    claim: {{id: {identity}, by: {identity}}}\n"
    place.write_graph(text[:at] + record + text[at:].removeprefix("    status: pending\n"))


def nothing(ours: Place, theirs: Place) -> None:
    """Theirs is behind."""
    ours.write("a.txt", "ours\n")


def forward(ours: Place, theirs: Place) -> None:
    theirs.write("a.txt", "theirs\n")


def apart(ours: Place, theirs: Place) -> None:
    ours.write("a.txt", "ours\n")
    theirs.write("b.txt", "theirs\n")


def different_tasks(ours: Place, theirs: Place) -> None:
    claim(ours, "T-1", "alpha")
    claim(theirs, "T-2", "beta")


def one_task(ours: Place, theirs: Place) -> None:
    claim(ours, "T-1", "alpha")
    claim(theirs, "T-1", "beta")


def the_same_change(ours: Place, theirs: Place) -> None:
    claim(ours, "T-1", "alpha")
    claim(theirs, "T-1", "alpha")


def both_add(ours: Place, theirs: Place) -> None:
    ours.write("new.txt", "ours\n")
    theirs.write("new.txt", "theirs\n")


def changed_and_removed(ours: Place, theirs: Place) -> None:
    ours.write("long.txt", LONG + "more\n")
    theirs.git("rm", "--quiet", "long.txt")


def renamed_and_changed(ours: Place, theirs: Place) -> None:
    ours.git("mv", "long.txt", "moved.txt")
    theirs.write("long.txt", LONG.replace("line 20\n", "line twenty\n"))


def file_and_folder(ours: Place, theirs: Place) -> None:
    ours.write("new", "a file\n")
    theirs.write("new/inside", "in a folder\n")


def binary(ours: Place, theirs: Place) -> None:
    for place, byte in ((ours, "1"), (theirs, "2")):
        place.write("bin", f"\0{byte}\n")


def odd_names(ours: Place, theirs: Place) -> None:
    for place, text in ((ours, "ours\n"), (theirs, "theirs\n")):
        place.write("ä ö/ü \t'\".txt", text)


def mode_and_content(ours: Place, theirs: Place) -> None:
    os.chmod(ours.path / "long.txt", 0o755)
    theirs.write("long.txt", LONG + "more\n")


CASES: list[Callable[[Place, Place], None]] = [
    nothing, forward, apart, different_tasks, one_task, the_same_change, both_add,
    changed_and_removed, renamed_and_changed, file_and_folder, binary, odd_names,
    mode_and_content,
]  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.write("long.txt", LONG)
    made.commit("First")
    return made


def repository(place: Place) -> Repository:
    return Repository.open(str(place.path), place.environ)


@pytest.fixture(params=["git", "old git"])
def reading(request: pytest.FixtureRequest, world: World) -> Callable[[], Repository]:
    """Opens the repository with this git, or with one that knows no `merge-tree --write-tree`."""
    environ = world.environ if request.param == "git" else old_git(world)
    return lambda: Repository.open(str(world.path), environ)


def really(world: World, theirs: str) -> tuple[tuple[str, ...], str]:
    """The conflicts of `git merge`, and the tree where there are none."""
    place = world.worktree("real", at="main")
    done = place.merge(theirs)
    listed = place.git("ls-files", "-u", "-z").split("\0")
    paths = sorted({entry.partition("\t")[2] for entry in listed if entry})
    assert (done.code == 0) == (paths == [])
    return tuple(paths), "" if paths else place.git("rev-parse", "HEAD^{tree}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_preview_says_what_the_merge_does(
    world: World, case: Callable[[Place, Place], None], reading: Callable[[], Repository]
) -> None:
    theirs = world.worktree("theirs")
    case(world, theirs)
    world.commit("Ours")
    theirs.commit("Theirs")
    before = world.snapshot()
    with merge_preview.merged(reading(), world.head, theirs.head) as found:
        said = (found.conflicts, "" if found.conflicts else found.tree)
        graph = found.objects.read([f"{found.tree}:task-graph.yaml"]) if not found.conflicts else {}
    assert world.snapshot() == before
    conflicts, tree = really(world, "theirs")
    if case is file_and_folder:
        # git merge puts the file aside under another name; which of the two is told is its own.
        assert said[0]
        return
    assert said == (conflicts, tree)
    for data in graph.values():
        assert data == (world.folder / "proj-real/task-graph.yaml").read_bytes()


def test_histories_that_are_not_related(world: World, reading: Callable[[], Repository]) -> None:
    first = world.head
    world.git("checkout", "--quiet", "--orphan", "other")
    world.commit("Another beginning")
    before = world.snapshot()
    with merge_preview.merged(reading(), first, world.head) as found:
        assert (found.related, found.conflicts, found.tree) == (False, (), "")
    assert world.snapshot() == before


def test_several_merge_bases(world: World, reading: Callable[[], Repository]) -> None:
    """Both sides have merged each other: the base is itself a merge, made in memory too."""
    theirs = world.worktree("theirs")
    claim(world, "T-1", "alpha")
    ours = world.commit("Ours")
    claim(theirs, "T-3", "beta")
    other = theirs.commit("Theirs")
    world.git("merge", "--quiet", "--no-edit", other)
    theirs.git("merge", "--quiet", "--no-edit", ours)
    claim(world, "T-2", "alpha")
    world.commit("More")
    theirs.write("b.txt", "b\n")
    theirs.commit("More")
    before = world.snapshot()
    with merge_preview.merged(reading(), world.head, theirs.head) as found:
        said = (found.conflicts, found.tree)
    assert world.snapshot() == before
    assert said == really(world, "theirs")


def old_git(world: World) -> dict[str, str]:
    """An environment whose git knows no `merge-tree --write-tree`, as before 2.38."""
    folder = world.folder / "old"
    folder.mkdir()
    program = folder / "git"
    real = world.run("sh", "-c", "command -v git").out.strip()
    program.write_text(
        "#!/bin/sh\n"
        'for word; do test "$word" = --write-tree && {\n'
        "  echo 'usage: git merge-tree <base-tree> <branch1> <branch2>' >&2; exit 129; }; done\n"
        f'exec {real} "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    return {**world.environ, "PATH": f"{folder}{os.pathsep}{world.environ['PATH']}"}


def test_a_commit_that_is_not_there_is_an_error(
    world: World, reading: Callable[[], Repository]
) -> None:
    with (
        pytest.raises(RalphError),
        merge_preview.merged(reading(), world.head, "0" * 39 + "1"),
    ):
        pass


def test_configuration_that_would_decide_a_merge_does_not(world: World) -> None:
    """A merge driver, rerere or `merge=union` on this machine says nothing about the forge."""
    theirs = world.worktree("theirs")
    one_task(world, theirs)
    world.commit("Ours")
    theirs.commit("Theirs")
    world.git("config", "rerere.enabled", "true")
    world.git("config", "rerere.autoupdate", "true")
    (world.path / ".git" / "rr-cache").mkdir()
    world.merge("theirs")
    claimed = world.git("show", "HEAD:task-graph.yaml") + "\n"
    world.write_graph(claimed)
    world.git("commit", "--quiet", "-am", "Resolved")  # rerere has learnt it
    world.git("reset", "--quiet", "--hard", "HEAD^")
    before = world.snapshot()
    with merge_preview.merged(repository(world), world.head, theirs.head) as found:
        assert found.conflicts == ("task-graph.yaml",)
    assert world.snapshot() == before


def test_a_merge_attribute_hides_no_conflict(
    world: World, reading: Callable[[], Repository]
) -> None:
    """A forge knows no merge driver, and not every forge `merge=union`."""
    world.write(".gitattributes", "task-graph.yaml merge=union\n")
    world.commit("Attributes")
    theirs = world.worktree("theirs")
    one_task(world, theirs)
    world.commit("Ours")
    theirs.commit("Theirs")
    with merge_preview.merged(reading(), world.head, theirs.head) as found:
        assert found.conflicts == ("task-graph.yaml",)


def test_what_runs_between_two_merges_of_a_chain_writes_no_attribute_for_the_next(
    world: World, reading: Callable[[], Repository]
) -> None:
    theirs = world.worktree("theirs")
    one_task(world, theirs)
    world.commit("Ours")
    theirs.commit("Theirs")
    with merge_chain.chain(reading(), world.head, keep=False) as chain:
        Path(chain.git.directory, ".gitattributes").write_text("* merge=union\n")
        assert chain.merge(theirs.head, "Merge") == ("task-graph.yaml",)


def test_an_old_git_lands_on_a_base_that_is_news(world: World) -> None:
    places = {name: world.worktree(name) for name in ("alpha", "beta", "gamma")}
    world.environ.update(old_git(world))
    for number, place in enumerate(places.values(), 1):
        place.claim(f"T-{number}")
        place.write(f"{number}.txt", "made\n")
    places["alpha"].complete("--land", "merge")
    places["beta"].complete("--land", "merge")
    places["gamma"].complete()
    told = world.ralph("integrate", "gamma", "--json")
    assert (told.code, told.data["merged"]) == (0, ["gamma"])
    assert world.ralph("revert", "T-1", "--reason", "wrong").code == 0
    world.git("reset", "--quiet", "--hard")
    assert [(world.path / f"{n}.txt").exists() for n in (1, 2, 3)] == [False, True, True]
    assert [world.task(f"T-{n}")["status"] for n in (1, 2, 3)] == [
        "pending",
        "complete",
        "complete",
    ]
    assert world.ralph("check").code == 0
