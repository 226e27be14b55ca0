"""The commands that change the plan and the settings."""

from __future__ import annotations

from world import World

from faults.stage import Scene
from faults.working import Case, beginning


def sharded(world: World, *layouts: str) -> Scene:
    """A graph that is moved to the last of `layouts`; the moves before it are committed."""
    beginning(world)
    for layout in layouts[:-1]:
        assert world.ralph("shard", "--layout", layout).code == 0
        world.commit("Another layout")
    return Scene(world, world, ("shard", "--layout", layouts[-1]))


MINE = {"AGENTS.md": "# Rules\n", "justfile": "build:\n    true\n", ".gitattributes": "*.png -text"}


def beginner(world: World) -> Scene:
    """Somebody's files, in which `init` puts its own lines."""
    for name, text in MINE.items():
        world.write(name, text)
    beginning(world)
    return Scene(world, world, ("init", "--skill", ".claude/skills"))


def regretting(world: World) -> Scene:
    scene = beginner(world)
    assert world.ralph(*scene.words).code == 0
    return scene._replace(words=("init", "--undo"))


def after_shard(world: World) -> None:
    """The whole graph in its new files, and nothing else; all of it is staged."""
    shown = world.ralph("list")
    assert [line.split("\t")[0] for line in shown.out.splitlines()] == ["T-1", "T-2", "T-3"]
    # What a killed write left is for doctor.
    there = sorted(str(path.relative_to(world.path)) for path in world.path.glob("**/[!.]*.yaml"))
    tracked = world.git("ls-files", "*.yaml", "*.toml").split()
    assert tracked == [*there, "ralph.toml"]
    assert "task-graph.yaml" not in there
    assert world.git("ls-files", "--others", "--exclude-standard") == ""
    assert world.git("diff", "--name-only") == ""
    assert list((world.path / ".git/ralphgit").glob("moving-*")) == []


def after_init(world: World) -> None:
    """All of it is there, once."""
    again = world.ralph("init", "--skill", ".claude/skills", "--json").data
    assert (again["created"], again["changed"]) == ([], [])
    assert set(again["why"]) == set()
    for name, text in MINE.items():
        found = world.read(name)
        assert text in found
        assert found.count("ralphgit:begin") + found.count("import") == 1
    assert world.git("config", "--get-all", "diff.ralphgit.xfuncname").count("\n") == 0


def after_init_undo(world: World) -> None:
    again = world.ralph("init", "--undo", "--json").data
    assert again["removed"] == again["changed"] == []
    assert world.ralph("doctor", "--fix").code == 0  # a killed write's file is ignored no more
    assert world.git("status", "--porcelain") == ""
    assert {name: world.read(name) for name in MINE} == MINE
    assert world.run("git", "config", "--get", "diff.ralphgit.xfuncname").code == 1


def added(world: World) -> Scene:
    beginning(world)
    return Scene(world, world, ("add", "--id", "T-9", "--title", "Ninth", "--write", "n.txt"))


def after_add(world: World) -> None:
    ids = [line.split("\t")[0] for line in world.ralph("list").out.splitlines()]
    assert sorted(ids) == ["T-1", "T-2", "T-3", "T-9"]
    assert world.git("diff", "--name-only").split() == ["task-graph.yaml"]


def renamed(world: World) -> Scene:
    """T-1 has records, and T-2 depends on it."""
    alpha = beginning(world)
    alpha.did("T-1", {"a.txt": "a\n"})
    assert world.merge("alpha").code == 0
    return Scene(world, world, ("edit", "T-1", "--rename", "A-1"))


def after_rename(world: World) -> None:
    assert world.task("A-1")["status"] == "complete"
    assert world.task("T-2")["depends_on"] == ["A-1"]
    world.commit("Renamed")
    names = world.git("ls-files", "records").splitlines()
    assert {name.split("/")[2] for name in names} == {"A-1"}
    assert world.ralph("check").code == 0


PLAN = "# Plan\n\n- [ ] X-1 One\n- [ ] X-2 Two\n"


def imported(world: World) -> Scene:
    beginning(world)
    world.write("plan.md", PLAN)
    world.commit("A plan")
    return Scene(world, world, ("import", "plan.md"))


def after_import(world: World) -> None:
    ids = [line.split("\t")[0] for line in world.ralph("list").out.splitlines()]
    assert sorted(ids) == ["T-1", "T-2", "T-3", "X-1", "X-2"]


CASES = {
    "add": Case(added, after_add, again=("duplicate_id",)),
    "edit-rename": Case(renamed, after_rename, again=("unknown_task",)),
    "import": Case(imported, after_import),
    "shard": Case(lambda world: sharded(world, "task"), after_shard),
    # The setting stays: between the first file and the last, tasks are there twice.
    "shard-within-a-glob": Case(lambda world: sharded(world, "task", "story"), after_shard),
    "init": Case(beginner, after_init),
    "init-undo": Case(regretting, after_init_undo),
}
