"""The demo: it tells what really happens, fails where something else does, and cleans up."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from world import PATIENCE, ROOT, environment

DEMO = (sys.executable, "-m", "demo")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The demo's own variables, with a folder for temporary files that is seen to be empty."""
    (tmp_path / "home").mkdir()
    (tmp_path / "tmp").mkdir()
    examples = str(ROOT / "examples")
    return {
        **environment(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp"), "PYTHONPATH": examples,
    }  # fmt: skip


@pytest.fixture
def left(tmp_path: Path) -> list[str]:
    """What is to be empty after the demo."""
    return [str(tmp_path / "tmp"), str(tmp_path / "home")]


def _is_clean(folders: list[str]) -> bool:
    return not any(os.listdir(folder) for folder in folders)


@pytest.mark.slow
def test_the_demo_tells_the_whole_story(environ: dict[str, str], left: list[str]) -> None:
    environ["RALPH_LEASE"] = "nonsense"  # no setting of the user's is seen
    done = subprocess.run(DEMO, env=environ, capture_output=True, text=True, timeout=120)
    story = done.stdout
    assert (done.returncode, done.stderr) == (0, ""), story
    # The race: two claims in one conflict, a winner, and a loser whose work is kept.
    raced = re.search(r"<<<<<<< HEAD\n.*id: (\w+)\n.*=======\n.*id: (\w+)\n", story)
    assert raced and raced[1] != raced[2]
    assert f"alpha won ST-102 on origin/main (claim {raced[2]}," in " ".join(story.split())
    assert f"refs/ralph/rescue/ST-102/{raced[1]}" in story
    # The crash: kept, free again, and the late result refused.
    assert "task-reset" in story
    assert re.search(r"Kept: refs/ralph/rescue/ST-301/\w+", story)
    assert "ST-301 was reset on origin/main" in " ".join(story.split())
    assert "origin/main: 15 complete" in story
    assert "git fsck finds nothing" in story
    lines = story.splitlines()
    assert len(lines) <= 78  # two screens
    assert max(map(len, lines)) <= 100
    assert _is_clean(left)


@pytest.mark.slow
def test_a_surprise_fails_the_demo(
    environ: dict[str, str], left: list[str], tmp_path: Path
) -> None:
    """With a git that merges nothing there is no conflict, and the demo says so."""
    programs = tmp_path / "programs"
    programs.mkdir()
    fake = programs / "git"
    fake.write_text(f'#!/bin/sh\n[ "$1" = merge ] && exit 0\nexec {shutil.which("git")} "$@"\n')
    fake.chmod(0o755)
    environ["PATH"] = f"{programs}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(DEMO, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout
    expected = "The demo failed: expected exit 1, not 0, of beta$ git merge origin/main\n"
    assert done.stderr.startswith(expected)
    assert "15 complete" not in done.stdout
    assert _is_clean(left)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_a_signal_ends_the_demo(
    environ: dict[str, str], left: list[str], number: signal.Signals
) -> None:
    """Sent to the demo alone while all three workers are at work."""
    with subprocess.Popen(
        DEMO, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        story = iter(process.stdout)
        assert any(line.startswith("5. ") for line in story)
        process.send_signal(number)
        rest, complaints = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert complaints == "The demo was stopped.\n"
    assert "15 complete" not in rest
    assert _is_clean(left)
