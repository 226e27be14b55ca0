"""A git that somebody kills while it is asked something is asked once more."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from world import World

GRAPH = "version: 1\ntasks:\n  - id: T-1\n    title: One\n    status: pending\n"


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        *((verb, "next") for verb in ("rev-parse", "for-each-ref", "worktree", "config")),
        ("cat-file", "next"), ("ls-files", "claim"), ("log", "log"),
    ],
)  # fmt: skip
def test_a_question_survives_its_first_git(verb: str, command: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    world.commit()
    programs = tmp_path / "programs"
    programs.mkdir()
    fake = programs / "git"
    fake.write_text(
        f'#!/bin/sh\ncase " $* " in *" {verb} "*)\n'
        f"  mkdir {tmp_path}/killed 2>/dev/null && kill -9 $$ ;;\nesac\n"
        f'exec {shutil.which("git")} "$@"\n'
    )
    fake.chmod(0o755)
    # The variable has git asked for what is otherwise read from its files.
    env = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "GIT_CEILING_DIRECTORIES": "/x"}
    found = world.ralph(command, env=env)
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith({"next": "T-1\tready", "claim": "proj has T-1", "log": ""}[command])
    assert (tmp_path / "killed").exists()
