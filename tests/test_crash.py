"""Law L6: killed, or failed, at any moment, a command leaves what repeating it completes.

Some moments of each command, spread over the whole run, and printed; `just faults` tries all.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import slow
from faults import CASES
from faults.stage import Moment, Stage
from faults.verdict import tried


def spread(moments: list[Moment], some: int) -> list[Moment]:
    """That many of them, from all over the run."""
    return [moments[(2 * n + 1) * len(moments) // (2 * some)] for n in range(some)]


def stopped(
    command: str, stage: Stage, moments: list[Moment], capsys: pytest.CaptureFixture[str],
    some: int,
) -> None:  # fmt: skip
    chosen = spread(moments, some)
    with capsys.disabled():
        told = ", ".join(f"{m.how} {m.words}" for m in chosen)
        print(f"\n{command}: {len(chosen)} of {len(moments)} moments: {told}")
    for moment in chosen:
        tried(stage, CASES[command], moment)


@pytest.mark.slow
@pytest.mark.parametrize("command", slow.but(2, CASES))
def test_a_killed_command_can_be_repeated(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path, CASES[command].made)
    # A reset waits for a lock before it gives up: with a remote and without, alike.
    stopped(command, stage, stage.kills(locks=command != "reset-and-push"), capsys, 2)


#: What takes the least.
SHORT = ["add", "init", "init-undo", "shard", "shard-within-a-glob"]


@pytest.mark.parametrize("command", slow.but(len(SHORT), dict.fromkeys([*SHORT, *CASES])))
def test_a_command_of_which_a_step_failed_can_be_repeated(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path, CASES[command].made)
    stopped(command, stage, stage.failures("ENOSPC"), capsys, 1)
