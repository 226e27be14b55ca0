"""No entry of the index is believed where what is verified has to be committed (SPEC L9)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from test_git_settings import opened
from world import World

from ralphgit.git import index_entries
from ralphgit.git.objects import scratch_folder
from ralphgit.git.scratch_index import Scratch

#: What makes an index of each kind of a repository that has the files.
KINDS = {
    "version 2": "git update-index --index-version 2",
    "version 3": "touch new; git add -N new; git update-index --skip-worktree 1/skipped",
    "version 4": "git update-index --index-version 4",
    "version 4, extended": (
        "git update-index --index-version 4; git update-index --skip-worktree 1/skipped"
    ),
    "split": "git update-index --split-index",
    "without a digest": "git config index.skipHash true; git update-index --force-write-index",
    "a monitor": (
        r"""printf '#!/bin/sh\nprintf "x\\0"\n' > ../monitor; chmod +x ../monitor; """
        "git config core.fsmonitor $PWD/../monitor; git update-index --fsmonitor; git status"
    ),
}
FOUR = b"DIRC\0\0\0\4\0\0\0\1"
NAMES = ["a", "1/skipped", "1/b", "1/bb", "1/2/c", "2/name-that-is-" + "long" * 50, "2/ü"]


@pytest.mark.parametrize("form", ["sha1", "sha256"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_the_time_0_is_read(kind: str, form: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    shell = f"rm -rf .git; git init -q --object-format={form} -b main"
    assert world.run("sh", "-ec", f"{shell}; git config core.trustctime false").code == 0
    put(world, "old!\n")
    world.commit("Old")
    shell = f"{KINDS[kind]} > ../said 2>&1"
    assert world.run("sh", "-ec", shell).code == 0, (tmp_path / "said").read_text()
    put(world, "new!\n")
    assert "M" not in world.git("status", "--porcelain").split()  # so git believes it
    repository = opened(world).repository
    data = Path(repository.git_dir, "index").read_bytes()
    assert index_entries.is_split(data, repository.objects.id_bytes) == (kind == "split")
    with scratch_folder() as scratch:
        made = Scratch(repository, scratch, believed=False)
        made.add_all()
        tree = made.tree()
    for name in NAMES:
        said = "old!" if name == "1/skipped" and kind.endswith(("3", "extended")) else "new!"
        assert world.git("show", f"{tree}:{name}") == said, name


def put(world: World, text: str) -> None:
    """Write the files, which have been written at the time 0 then."""
    for name in NAMES:
        path = world.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        os.utime(path, (0, 0))


def test_what_an_index_says_of_trees_is_not_believed(tmp_path: Path) -> None:
    world = World(tmp_path)
    put(world, "old!\n")
    world.commit("Old")
    for name in NAMES:
        os.utime(world.path / name, (1e9, 1e9))
    world.git("add", "-A")
    world.git("write-tree")
    trees = [world.git("rev-parse", f"HEAD{name}") for name in ("^{tree}", ":1")]
    index = world.path / ".git" / "index"
    data = index.read_bytes()
    whole, part = map(bytes.fromhex, trees)
    index.write_bytes(data.replace(whole, part))
    assert world.git("write-tree") == trees[1]  # git itself believes it
    with scratch_folder() as scratch:
        made = Scratch(opened(world).repository, scratch, believed=False)
        made.add_all()
        assert made.tree() == trees[0]


@pytest.mark.parametrize("data", [b"", b"DIRC", b"DIRC\0\0\0\2\0\0\0\5", FOUR + b"x" * 80])
def test_what_is_no_index_is_left_to_git(data: bytes) -> None:
    assert index_entries.read_anew(data, 20) == data
    assert not index_entries.is_split(data, 20)


def test_an_empty_index_s_list_of_trees_is_not_believed() -> None:
    head = b"DIRC\0\0\0\2\0\0\0\0"
    forged = head + b"TREE\0\0\0\x1a" + b"\x000 0\n" + b"x" * 21
    assert index_entries.read_anew(forged + b"\0" * 20, 20) == head + b"\0" * 20
