"""Trees read and made through one process, against what git itself says of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import World

from ralphgit.git import trees
from ralphgit.git.repository import Repository
from ralphgit.git.run_git import GitError

#: Names that sort otherwise as a file than as a folder, or need care in a pipe.
_NAMES = ("a", "a.b", "a-b", "x/y/z", "x.y", "ü/ä b", "tab\there", "line\nend", '"quoted"')


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    for name in _NAMES:
        made.write(f"d/{name}", name)
    made.write("both", "a file")
    made.write("run", "#!/bin/sh\n").chmod(0o755)
    (made.path / "link").symlink_to("run")
    made.commit()
    made.write("d/a", "changed")
    (made.path / "both").unlink()
    made.write("both/inner", "a folder now")
    (made.path / "link").unlink()
    made.write("link", "a file now")
    (made.path / "run").chmod(0o644)
    (made.path / "d" / "x.y").unlink()
    made.write("new", "")
    made.commit()
    return made


def opened(world: World) -> Repository:
    return Repository.open(str(world.path), world.environ)


def test_what_a_tree_has_is_what_git_lists(world: World) -> None:
    listed = world.git("ls-tree", "-r", "-z", "--full-tree", "HEAD").split("\0")[:-1]
    found = trees.files(opened(world).objects, "HEAD")
    assert [f"{one.mode} blob {one.oid}\t{path}" for path, one in found] == listed


def test_where_two_differ_is_where_git_says(world: World) -> None:
    arguments = ("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames")
    fields = world.git(*arguments, "HEAD~1", "HEAD").split("\0")[:-1]
    zero = "0" * 40
    found = [
        field
        for one in trees.changes(opened(world).objects, "HEAD~1", "HEAD")
        for field in (
            f":{one.old_mode or '000000'} {one.new_mode or '000000'} "
            f"{one.old or zero} {one.new or zero} {one.kind}",
            one.path,
        )
    ]
    assert found == fields
    assert {field[-1] for field in fields[::2]} == {"A", "D", "M", "T"}


def test_a_tree_with_other_files_is_what_git_would_have_made(world: World) -> None:
    objects = opened(world).objects
    contents = {"d/a": b"anew", "d/q/r/s": b"\0", "link": b"x" * 100_000, "z": b""}
    made = trees.with_files(objects, "HEAD", contents)
    for name, data in contents.items():
        world.write(name, "").write_bytes(data)
    world.commit()
    assert made == world.git("rev-parse", "HEAD^{tree}")
    assert "error" not in world.git("fsck", "--strict")


def test_a_tree_in_a_repository_with_longer_ids(tmp_path: Path) -> None:
    world = World(tmp_path / "w")
    other = tmp_path / "w" / "long"
    world.git("init", "--quiet", "--object-format=sha256", str(other))
    world.git("-C", str(other), "commit", "--quiet", "--allow-empty", "-m", "First")
    objects = Repository.open(str(other), world.environ).objects
    made = trees.with_files(objects, "HEAD", {"a/b": b"c"})
    assert world.git("-C", str(other), "cat-file", "blob", f"{made}:a/b") == "c"


def test_what_is_no_tree_is_told(world: World) -> None:
    objects = opened(world).objects
    with pytest.raises(GitError):
        trees.files(objects, "HEAD:new")
    with pytest.raises(GitError):
        trees.changes(objects, "HEAD", "0" * 40)


def test_a_git_without_batch_command_is_asked_by_two_processes(
    world: World, tmp_path: Path
) -> None:
    """git before 2.36 ends at an option that it does not know."""
    found = world.run("sh", "-c", "command -v git").out.strip()
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text(
        f'#!/bin/sh\ncase " $* " in *" --batch-command "*) echo usage: git >&2; exit 129;; esac\n'
        f'exec {found} "$@"\n'
    )
    old.chmod(0o755)
    path = f"{old.parent}:{world.environ['PATH']}"
    repository = Repository.open(str(world.path), {**world.environ, "PATH": path})
    blob = repository.objects.resolve(["HEAD:d/a", "HEAD:gone"])
    assert blob == [world.git("rev-parse", "HEAD:d/a"), None]
    assert repository.objects.read([blob[0] or ""]) == {blob[0]: b"changed"}
    repository.close()
