"""Two commands at once in one worktree: each sees what the other one has done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from running import lines_below
from world import Place, World, until

TASKS = 6
VERIFY = {2: "sleep 300"}
GRAPH = "version: 1\ntasks:\n" + "".join(
    f"  - id: T-{n}\n    title: Task {n}\n    status: pending\n"
    + (f"    verify:\n      - {VERIFY[n]}\n" if n in VERIFY else "")
    for n in range(TASKS)
)


@pytest.fixture
def alpha(tmp_path: Path) -> Place:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    world.commit()
    return world.worktree("alpha")


def together(place: Place, *lines: tuple[str, ...]) -> list[int]:
    """Run several commands at the same moment; their exit codes."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "ralphgit", *words],
            cwd=place.path, env=place.environ, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for words in lines
    ]  # fmt: skip
    return [process.wait() for process in running]


@pytest.mark.slow
def test_no_edit_is_lost(alpha: Place) -> None:
    edits = [("edit", f"T-{n}", "--priority", "5") for n in range(TASKS)]
    assert together(alpha, *edits, ("add", "--title", "New")) == [0] * (TASKS + 1)
    assert alpha.read().count("priority: 5") == TASKS
    assert "title: New" in alpha.read()


@pytest.mark.slow
def test_one_claim_at_a_time(alpha: Place) -> None:
    codes = together(alpha, *(("claim", f"T-{n}", "--no-fetch") for n in range(TASKS)))
    assert sorted(codes) == [0] + [8] * (TASKS - 1)
    assert alpha.read().count("status: in-progress") == 1
    assert len(alpha.git("for-each-ref", "refs/ralph/leases").splitlines()) == 1


def test_a_task_is_completed_once(alpha: Place) -> None:
    alpha.ralph("claim", "T-1")
    alpha.write("one.txt", "1\n")
    assert together(alpha, ("complete",), ("complete",)) == [0, 0]
    assert alpha.git("log", "--format=%s", "main..HEAD") == "T-1: Task 1"
    assert alpha.git("status", "--porcelain") == ""


def test_whoever_works_too_long_is_named(alpha: Place) -> None:
    alpha.ralph("trust", "--yes")
    alpha.ralph("claim", "T-2")
    alpha.write("one.txt", "1\n")
    slow = subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "complete"],
        cwd=alpha.path, env=alpha.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: any("sleep 300" in line for line in lines_below(slow.pid)))
        refused = alpha.ralph("edit", "T-4", "--priority", "1")
    finally:
        slow.terminate()
        slow.wait()
    assert (refused.code, refused.out, refused.err) == (
        8, "",
        "error: another ralphgit command is at work in this worktree; nothing was changed\n"
        "hint: wait until it has ended, then repeat the command\n",
    )  # fmt: skip


def test_what_was_verified_is_what_is_committed(alpha: Place, tmp_path: Path) -> None:
    """Whatever a formatter, or what a verify command left behind, does meanwhile.

    The file changes between the last look at it and the moment when it is staged.
    """
    alpha.ralph("claim", "T-1")
    alpha.write("one.txt", "good\n")
    programs = tmp_path / "programs"
    programs.mkdir()
    fake = programs / "git"
    staging = "-z --raw --no-renames --no-abbrev"  # what no other call says
    fake.write_text(
        f'#!/bin/sh\ncase " $* " in *" {staging} "*) echo BAD > {alpha.path}/one.txt ;;'
        f' esac\nexec {shutil.which("git")} "$@"\n'
    )
    fake.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    assert alpha.ralph("complete", env={"PATH": path}).code == 0
    assert alpha.read("one.txt") == "BAD\n"
    assert alpha.git("show", "HEAD:one.txt") == "good"


def test_a_change_within_the_second_of_the_checkout_is_committed(alpha: Place) -> None:
    """git knows such a file by the time of its index, so a copy of the index needs that too."""
    alpha.write("one.txt", "old\n")
    alpha.commit("An old file")
    alpha.git("config", "core.trustCtime", "false")
    alpha.ralph("claim", "T-1")
    path = alpha.path / "one.txt"
    index = Path(alpha.git("rev-parse", "--path-format=absolute", "--git-path", "index"))
    begun = path.stat().st_mtime_ns - 100 * 10**9
    os.utime(path, ns=(begun, begun))
    alpha.git("update-index", "--refresh")
    alpha.write("one.txt", "new\n")
    for file in (path, index):
        os.utime(file, ns=(begun, begun))
    seen = alpha.git("--no-optional-locks", "status", "--porcelain", "one.txt")
    assert seen == " M one.txt"
    alpha.complete()
    assert alpha.git("show", "HEAD:one.txt") == "new"
