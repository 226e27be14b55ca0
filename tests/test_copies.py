"""What the tests begin with and git has not made is as git makes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from known_configuration import QUESTION, asked_once
from world import Place, World

from ralphgit.git.run_git import Git


def made(folder: Path, text: str) -> World:
    world = World(folder)
    world.write("a.txt", text)
    world.write("src/b.sh", "#!/bin/sh\n").chmod(0o755)
    world.commit()
    return world


def seen(world: World) -> dict[str, bytes]:
    """All but the indexes, which know times of files."""
    files = world.snapshot().items()
    mine = str(world.folder).encode()
    return {name: data.replace(mine, b"/") for name, data in files if "/index" not in name}


def changed(world: World) -> None:
    world.write("a.txt", "3")


def staged(world: World) -> None:
    world.write("c.txt", "3")
    world.git("add", "c.txt")


def gone(world: World) -> None:
    (world.path / "a.txt").unlink()


def converted(world: World) -> None:
    world.write(".gitattributes", "a.txt text eol=crlf\n")
    world.write("a.txt", "3\n")
    world.commit()


def linked(world: World) -> None:
    (world.path / "link").symlink_to("a.txt")
    world.commit()


def hooked(world: World) -> None:
    hook = world.write(".git/hooks/post-checkout", "#!/bin/sh\necho hooked > hooked\n")
    hook.chmod(0o755)


@pytest.mark.parametrize(
    "change",
    [None, changed, staged, gone, converted, linked, hooked],
    ids=lambda change: getattr(change, "__name__", "clean"),
)
def test_a_worktree_is_as_git_makes_it(
    tmp_path: Path, change: Callable[[World], None] | None
) -> None:
    first = made(tmp_path / "1", "1\n")
    first.worktree("alpha")
    other, by_git = made(tmp_path / "2", "2\n"), made(tmp_path / "3", "2\n")
    for world in (other, by_git):
        if change:
            change(world)
    alpha = other.worktree("alpha")
    by_git.git("worktree", "add", "--quiet", "--no-track", "-b", "alpha", "../proj-alpha", "HEAD")
    assert seen(other) == seen(by_git)
    tree = alpha.git("rev-parse", "HEAD^{tree}")
    assert alpha.git("write-tree") == tree
    assert alpha.git("diff-files") == ""
    mode = (alpha.path / "src/b.sh").stat().st_mode
    assert mode == (by_git.folder / "proj-alpha/src/b.sh").stat().st_mode
    assert alpha.run("git", "fsck", "--strict").code == 0


def test_a_first_commit_is_as_git_makes_it(tmp_path: Path) -> None:
    worlds = [World(tmp_path / name) for name in "12"]
    for world in worlds:
        world.write("a/b.txt", "1\n")
        world.write("c", "").chmod(0o755)
        (world.path / "d").symlink_to("a")
        (world.path / "e").mkdir()
    ours, by_git = worlds
    ours.commit("Begin: all")
    Place.commit(by_git, "Begin: all")
    assert seen(ours) == seen(by_git)
    assert ours.git("status", "--porcelain") == ""
    assert ours.git("ls-files", "--stage") == by_git.git("ls-files", "--stage")
    assert ours.run("git", "fsck", "--strict").code == 0


@pytest.mark.parametrize("at", ["origin/main", "main"])
def test_a_worktree_of_the_base_is_as_git_makes_it(tmp_path: Path, at: str) -> None:
    """Also behind a remote, and where something of the user's has paths in it."""
    worlds = [made(tmp_path / name, "1") for name in "123"]
    for world in worlds:
        assert world.origin
        trust = world.folder / "home" / ".local" / "trust"
        trust.parent.mkdir()
        trust.write_text(str(world.path))
    *others, by_git = worlds
    for world in others:
        world.worktree("alpha", at=at)
    by_git.git("worktree", "add", "--quiet", "--no-track", "-b", "alpha", "../proj-alpha", at)
    assert seen(others[0]) == seen(others[1]) == seen(by_git)


def test_a_configuration_that_is_known_is_as_git_lists_it(tmp_path: Path) -> None:
    """Of the same folder, whatever was changed in between, and of others."""
    first, second = (made(tmp_path / name, "1") for name in ("one", "two"))
    own = first.worktree("own")
    with asked_once():

        def asked(*places: World | Place, **env: str) -> None:
            for place in places:
                git = Git(str(place.path), {**place.environ, **env})
                said = git.start(*QUESTION).finish()
                assert said == git.try_run(*QUESTION)
                assert git.start(*QUESTION).finish() == said

        asked(first, second, own)
        first.git("config", "core.x", "1")
        asked(first, second, own)
        first.git("config", "extensions.worktreeConfig", "true")
        own.git("config", "--worktree", "core.y", "2")
        asked(own, first, own)
        user = first.write("user", "[core]\n\tz = 3\n")
        asked(first, GIT_CONFIG_GLOBAL=str(user))
        first.git("config", "include.path", str(user))
        asked(first)
        first.write("user", "[core]\n\tz = 4\n")
        asked(first, own)
        (second.path / ".git" / "HEAD").unlink()
        asked(second)
