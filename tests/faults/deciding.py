"""The commands of a person: land, answer, take back, archive, and the worktrees."""

from __future__ import annotations

from world import Place, World

from faults.stage import Scene
from faults.working import WORK, Case, beginning, held, place, subjects, working


def done(world: World) -> Place:
    """Alpha has completed T-1; its branch has not landed."""
    alpha = working(world)
    assert world.origin
    alpha.complete("T-1")
    return alpha


def landed(world: World) -> Place:
    alpha = done(world)
    assert alpha.ralph("land").code == 0
    return alpha


def land(world: World) -> Scene:
    return Scene(world, done(world), ("land", "alpha"))


def complete_and_land(world: World) -> Scene:
    alpha = working(world)
    assert world.origin
    return Scene(world, alpha, ("complete", "T-1", "--land"))


def after_landing(world: World) -> None:
    """The remote has the work, once; a pull brings it."""
    world.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert held(world, "origin/main")["status"] == "complete"
    for name, text in WORK.items():
        assert world.git("show", f"origin/main:{name}") + "\n" == text
    merged = world.git("log", "--first-parent", "--format=%s", "origin/main").splitlines()
    assert merged == ["Merge T-1 (alpha) into main", "The graph"]
    assert world.ralph("check").code == 0
    place(world, "beta").claim("T-2")


def reply(world: World) -> Scene:
    alpha = working(world)
    assert world.origin
    words = ("block", "T-1", "--reason", "needs_context", "--question", "Why?")
    assert alpha.ralph(*words).code == 0
    assert alpha.ralph("land").code == 0
    return Scene(world, world, ("reply", "T-1", "Because"))


def after_reply(world: World) -> None:
    world.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert world.task("T-1")["status"] == "pending"
    answers = world.git("grep", "-h", "Because", "origin/main", "--", "records/guidance")
    assert answers.count("Because") == 1
    found = place(world, "beta").ralph("claim", "T-1")
    assert (found.code, "Because" in found.out) == (0, True)


def revert(world: World) -> Scene:
    landed(world)
    return Scene(world, world, ("revert", "T-1", "--reason", "It was wrong"))


def after_revert(world: World) -> None:
    world.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert held(world)["status"] == "pending"
    assert world.git("ls-files", "a.txt", "src") == ""
    assert world.ralph("check").code == 0
    place(world, "beta").claim("T-1")


def archive(world: World) -> Scene:
    landed(world)
    return Scene(world, world, ("archive", "T-1"))


def after_archive(world: World) -> None:
    world.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert "id: T-1" not in world.read()
    assert world.ralph("show", "T-1").code == 0
    assert world.git("ls-files", "records/audit", "records/evidence") == ""
    assert world.git("status", "--porcelain") == ""
    assert world.ralph("check").code == 0
    place(world, "beta").claim("T-2")


def new_worktree(world: World) -> Scene:
    beginning(world)
    return Scene(world, world, ("worktree", "new", "gamma"))


def after_new_worktree(world: World) -> None:
    gamma = place(world, "gamma")
    assert gamma.git("rev-parse", "--abbrev-ref", "HEAD") == "feature/gamma"
    assert gamma.git("status", "--porcelain") == ""
    gamma.claim("T-1")


def remove_worktree(world: World) -> Scene:
    working(world)
    return Scene(world, world, ("worktree", "remove", "alpha", "--force", "it is in the way"))


def after_remove_worktree(world: World) -> None:
    assert not place(world, "alpha").path.exists()
    kept = world.git("for-each-ref", "--format=%(refname)", "refs/ralph/rescue/").split()
    assert len(kept) == 1
    for name, text in WORK.items():
        assert world.git("show", f"{kept[0]}:{name}") + "\n" == text
    assert subjects(world, "main") == ["The graph"]


CASES = {
    "land": Case(land, after_landing),
    "complete-and-land": Case(complete_and_land, after_landing, again=("illegal_move",)),
    "reply": Case(reply, after_reply),
    "revert": Case(revert, after_revert, again=("not_claimed",)),
    "archive": Case(archive, after_archive, again=("archived",)),
    "worktree-new": Case(new_worktree, after_new_worktree, again=("branch_exists",)),
    "worktree-remove": Case(
        remove_worktree, after_remove_worktree, again=("unknown_worktree",), told=("main",)
    ),
}
