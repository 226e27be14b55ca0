"""Before the first attempt: can the verify commands run at all? And why an attempt failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_loop import events, loop, made, on_base, task
from world import Result

CHECK = "[worktree]\ncheck = true\n"


def refused(ran: Result, said: str) -> None:
    """A person is asked, and nothing was claimed or attempted."""
    assert ran.code == 7, ran.err
    assert said in ran.err
    assert "claimed T-1" not in ran.err


@pytest.mark.parametrize(
    ("toml", "verify", "said"),
    [
        (CHECK, "no-such-program --all", "no-such-program is not there on the untouched"),
        (
            CHECK + 'setup = "echo no network; exit 3"\n',
            "true",
            "the setup command failed (exit 3)",
        ),
    ],
)
def test_what_cannot_run_on_the_base_ends_the_loop(
    tmp_path: Path, toml: str, verify: str, said: str
) -> None:
    tasks = task("T-1", f"verify: [{verify}]", script="{write: {a.txt: a}}")
    alpha = made(tmp_path, tasks, files={"ralph.toml": toml}, remote=False)
    ran = loop(alpha, "--once")
    refused(ran, said)
    assert alpha.leases == [] and not events(alpha, "agent")
    assert on_base(alpha, "T-1")["status"] == "pending"
    assert len(alpha.git("worktree", "list").splitlines()) == 2


@pytest.mark.slow
def test_what_only_fails_on_the_base_is_work_to_do(tmp_path: Path) -> None:
    """A file that the task makes is no program that is missing."""
    script = "{write: {do.sh: 'exit 0'}}"
    tasks = task("T-1", "verify: [sh -c ./do.sh || sh do.sh, test -s do.sh]", script=script)
    alpha = made(tmp_path, tasks, files={"ralph.toml": CHECK}, remote=False)
    ran = loop(alpha, "--once")
    assert ran.code == 0, ran.err
    assert "checking the verify commands of T-1 on the untouched main" in ran.err
    assert on_base(alpha, "T-1")["status"] == "complete"


@pytest.mark.slow
def test_the_reason_of_a_failed_attempt_is_told(tmp_path: Path) -> None:
    tasks = task("T-1", "verify: [test -s other.txt]", script="{write: {a.txt: a}}")
    alpha = made(tmp_path, tasks, remote=False)
    ran = loop(alpha, "--once", env={"RALPH_AGENT_ATTEMPTS": "1"})
    why = "T-1 is not done: verify failed (exit 1): test -s other.txt"
    assert f"{why} (attempt 1)\n" in ran.err
    assert f"T-1 is blocked (verify-failed): 1 attempt failed. The last one: {why}\n" in ran.err
    assert f"ralphgit: attempt 1 failed: {why}\n" in alpha.ralph("logs").out


def test_show_has_the_reason_while_a_loop_goes_on(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"), remote=False)
    claim = alpha.claim("T-1")
    assert "attempts" not in alpha.ralph("show", "T-1", "--json").data
    alpha.write(".ralph/attempts.yaml", f"claim: {claim}\nfailed: 2\nfeedback: It broke\n")
    shown = alpha.ralph("show", "T-1")
    assert shown.out.endswith("attempts:\n  failed        2\n  the last      It broke\n")
    found = alpha.ralph("show", "T-1", "--json").data["attempts"]
    assert found == {"failed": 2, "why": "It broke"}
