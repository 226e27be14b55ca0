"""Nothing that an agent has set is run by the loop's own git (SPEC L9)."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from test_changed_settings import ONE, works
from test_landing import files_on_base
from test_loop import events, made, task

from ralphgit.app.processes import changed_settings, watched_settings
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Progress, Surroundings
from ralphgit.app.worktrees.proving_worktree import Ground
from ralphgit.errors import NeedsPerson
from ralphgit.git import run_git


def program(folder: Path, text: str) -> Path:
    """A script that notes that it was run; what is in its text beside, it does then."""
    path = folder / "evil.sh"
    path.write_text(f'#!/bin/sh\necho "$*" >> {folder}/ran\n{text}\n')
    path.chmod(0o755)
    return path


def test_what_watches_files_for_git_is_not_the_agents(tmp_path: Path) -> None:
    """It would be gone from git's settings once it has been run."""
    alpha = made(tmp_path, ONE)
    evil = program(tmp_path, "git config --unset core.fsmonitor; exit 1")
    ran = works(alpha, f"echo good > a.txt; git config core.fsmonitor {evil}", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["git config core.fsmonitor"]
    assert not (tmp_path / "ran").exists()
    assert [event["changed"] for event in events(alpha, "settings-changed")] == [
        ["git config core.fsmonitor"]
    ]
    assert "a.txt" not in files_on_base(alpha)


def test_a_git_of_the_agents_is_not_run_once(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    folder = tmp_path / "programs"
    folder.mkdir()
    evil = program(tmp_path, f'rm {folder}/git; exec {shutil.which("git")} "$@"')
    env = {"PATH": f"{folder}:{alpha.environ['PATH']}"}
    ran = works(alpha, f"echo good > a.txt; cp {evil} {folder}/git", "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["program git"]
    assert not (tmp_path / "ran").exists()
    assert "changed while the agent worked on T-1: program git" in ran.err


def test_a_look_at_the_claim_does_not_run_what_the_agent_has_set(tmp_path: Path) -> None:
    """It ends the attempt at once: it may be put back before the agent's end."""
    alpha = made(tmp_path, ONE)
    evil = program(tmp_path, 'exec git-upload-pack "$@"')
    does = (
        f"trap 'git config --unset remote.origin.uploadpack; exit' TERM; echo good > a.txt; "
        f"git config remote.origin.uploadpack {evil}; sleep 60 & wait"
    )
    begun = time.monotonic()
    ran = works(alpha, does, "--json", env={"RALPH_LOOP_CHECK": "2"})
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["git config remote.origin.uploadpack"]
    assert time.monotonic() - begun < 60
    assert not (tmp_path / "ran").exists()
    assert "a.txt" not in files_on_base(alpha)


def test_who_comes_next_does_not_run_it_either(tmp_path: Path) -> None:
    """As after a loop that was killed: git is asked nothing more before its note was compared."""
    alpha = made(tmp_path, ONE)
    evil = program(tmp_path, "exit 1")
    keys = ("core.fsmonitor", "remote.origin.uploadpack")
    does = "; ".join(f"git config {key} {evil}" for key in keys)
    assert works(alpha, f"echo good > a.txt; {does}").code == 7
    for words in (
        ("run", "--agent", "true", "--once"), ("land", "--all", "--land", "merge"),
        ("integrate", "alpha"), ("batch", "run", "--agent", "true"),
    ):  # fmt: skip
        ran = alpha.ralph(*words, "--json")
        assert (ran.code, ran.error) == (7, "settings_changed"), words
        assert not (tmp_path / "ran").exists(), words


def test_no_git_starts_before_it_was_compared(tmp_path: Path) -> None:
    """However it is called, and whoever calls it: this is asked where git is started."""
    alpha = made(tmp_path, ONE)
    project = Project.open(Surroundings(str(alpha.path), alpha.environ, time.time, lambda: "an id"))
    git, signs = project.repository.git, changed_settings.signs(project)
    with pytest.raises(NeedsPerson) as refused, watched_settings.watched(project, signs):
        git.run("config", "user.name", "Robot")  # which steers nothing
        with run_git.program_of_others():
            alpha.git("config", "core.fsmonitor", str(program(tmp_path, "exit 1")))
        before = git.calls
        for question in (git.run, git.at(str(tmp_path)).start, git.using({}).dialogue):
            with pytest.raises(NeedsPerson, match=r"core\.fsmonitor"):
                question("status")
        alpha.git("config", "--unset", "core.fsmonitor")
        assert git.calls == before + 3  # `git config` alone, to compare
        git.run("status")
    assert refused.value.code == "settings_changed"
    assert not os.path.exists(tmp_path / "ran")
    assert git.run("status")


def test_what_was_just_compared_is_not_compared_again(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    project = Project.open(Surroundings(str(alpha.path), alpha.environ, time.time, lambda: "an id"))
    git, signs = project.repository.git, changed_settings.signs(project)
    with watched_settings.watched(project, signs):
        with run_git.program_of_others():
            pass
        before = git.calls
        watched_settings.require_same(project, signs)
        git.run("status")
        assert git.calls == before + 2  # `git config` once


class Asks(Progress):
    """Asks git as soon as the command has printed something, as a thread of a loop may."""

    def __init__(self) -> None:
        self.ask: Callable[[], object] = list

    def heard(self, output: bytes) -> None:
        self.ask()


def test_no_git_starts_before_it_was_compared_where_merged_work_is_proved(tmp_path: Path) -> None:
    evil = program(tmp_path, "exit 1")
    command = f"git config core.fsmonitor {evil}; echo done"
    alpha = made(tmp_path, task("T-1", "outputs: [a.txt]", f"verify: ['{command}']"))
    asks = Asks()
    around = Surroundings(str(alpha.path), alpha.environ, time.time, lambda: "an-id", progress=asks)
    project = Project.open(around)
    with (
        pytest.raises(NeedsPerson, match=r"core\.fsmonitor") as refused,
        Ground(project, failing="nothing was done") as ground,
    ):
        asks.ask = lambda: project.repository.git.run("status")
        ground.run(project.base.commit, [("T-1", "", command)])
    assert refused.value.code == "settings_changed"
    assert not os.path.exists(tmp_path / "ran")
