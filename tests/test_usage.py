"""What agents have used: of runs that are in no audit, too, and how little it takes to know it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from test_agent_away import ONE, tool
from test_agent_streams import case, replayed
from test_loop import QUICK, loop, made, start, task
from test_review_loop import SETTINGS
from world import PATIENCE, Place, until

from ralphgit.app.evidence import attempt_events
from ralphgit.app.status import usage_sums
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings

#: What one run of `claude-work` costs, in USD.
COST = 0.02055
SETUP = "test $n = 1 || echo good > f.txt"


def costs(place: Place, group: str) -> dict[str, float]:
    usage = place.ralph("status", "--json").data["usage"]
    return {name: one.get("cost_usd") for name, one in usage[group].items()}


def sums(place: Place) -> usage_sums.UsageSums:
    around = Surroundings(str(place.path), place.environ, lambda: 1.8e9, lambda: "id")
    return usage_sums.sums(Project.open(around, []))


@pytest.mark.slow
def test_what_was_used_for_a_task_that_is_given_back_counts(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = replayed(alpha, "claude-work")
    assert loop(alpha, "--agent", "claude", "--max-cost", "0.01", env=env).code == 7
    login = tool(alpha, "echo 'Not logged in · Please run /login'; exit 1")
    assert loop(alpha, "--agent", "claude", env=login).code == 7
    assert alpha.git("ls-tree", "-r", "--name-only", "origin/main", "records/") == ""
    assert costs(alpha, "tasks") == {"T-1": COST}
    assert costs(alpha, "workers") == {"alpha": COST}
    # Another worker does it: what the first one used stays its own.
    beta = alpha.world.worktree("beta")
    assert loop(beta, "--agent", "claude", env=replayed(beta, "claude-work", SETUP)).code == 0
    assert costs(beta, "workers")["alpha"] == COST


@pytest.mark.slow
def test_what_an_agent_used_until_it_was_stopped_counts(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    first = "\n".join(case("claude-work").printed.splitlines()[:2])
    (tmp_path / "first").write_text(first + "\n", "utf-8")
    env = tool(alpha, f'cat "{tmp_path}/first"; exec sleep 600')
    running = start(alpha, "--agent", "claude", env=env)
    until(lambda: "look around" in alpha.ralph("logs").out)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert sums(alpha).tasks["T-1"].input_tokens == 1200


@pytest.mark.slow
def test_a_review_says_what_it_has_used(tmp_path: Path) -> None:
    one = task("T-1", "review: critic", "scope: {write: [f.txt]}")
    settings = SETTINGS.replace("sh critic.sh", "claude")
    alpha = made(tmp_path, one, files={"ralph.toml": settings})
    does = 'test "$RALPH_ROLE" = review && echo "verdict: clear" > "$RALPH_REPORT" || echo > f.txt'
    env = {**QUICK, **replayed(alpha, "claude-work", does)}
    critic = alpha.world.worktree("critic")
    loop(alpha, "--agent", "claude", env=env)
    assert critic.ralph("run", "--role", "review", env=env).code == 0
    loop(alpha, "--agent", "claude", env=env)
    told = alpha.ralph("log", "T-1", "--json").data["events"]
    assert [(e["event"], e["usage"]["cost_usd"]) for e in told if "usage" in e] == [
        ("completed", COST), ("reviewed", COST)
    ]  # fmt: skip
    assert alpha.ralph("log", "T-1").out.endswith("used: 7.2k tokens in, 204 out, 0.04 USD\n")
    assert costs(alpha, "workers") == {"alpha": COST, "critic": COST}
    assert alpha.ralph("check").code == 0


@pytest.mark.slow
def test_work_after_a_review_says_what_both_rounds_have_used(tmp_path: Path) -> None:
    one = task("T-1", "review: critic", "scope: {write: [f.txt]}", "priority: 0")
    two = task("T-2", "scope: {write: [g.txt]}", "verify: [test -e g.txt]")
    settings = SETTINGS.replace(
        "sh critic.sh",
        "sh -c 'echo \\\"verdict: changes-needed\\nfindings: [{severity: major, text: no}]\\\"'",
    )
    alpha = made(tmp_path, one, two, files={"ralph.toml": settings})
    does = 'echo $n >> f.txt; test "$RALPH_TASK" = T-1 || { git checkout -q f.txt; echo > g.txt; }'
    env = replayed(alpha, "claude-work", does)
    loop(alpha, "--agent", "claude", env=env)  # both: T-2 comes between the rounds
    head = alpha.git("for-each-ref", "--format=%(objectname)", "refs/heads/ralph/T-1-*")
    added = alpha.world.ralph(
        "audit", "add", "T-1", "--target", head, "--verdict", "changes-needed", "--by", "critic",
        "--finding", "major: no",
    )  # fmt: skip
    assert added.code == 0, added.err
    alpha.world.commit("Review")
    alpha.world.git("pull", "-q", "--rebase", "origin", "main")
    alpha.world.git("push", "-q", "origin", "main")
    loop(alpha, "--agent", "claude", env=env)
    told = alpha.ralph("log", "T-1", "--json").data["events"]
    ended = [e["usage"]["cost_usd"] for e in told if e["event"] == "completed"]
    assert ended == [COST, 2 * COST], told


@pytest.mark.slow
def test_only_the_audits_that_are_new_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpha = made(tmp_path, ONE)
    assert loop(alpha, "--agent", "claude", env=replayed(alpha, "claude-work", SETUP)).code == 0
    read: list[str] = []
    parsed = attempt_events.parsed

    def noted(data: bytes, task: str, claim: str) -> object:
        read.append(task)
        return parsed(data, task, claim)

    monkeypatch.setattr(attempt_events, "parsed", noted)
    assert sums(alpha).total.cost_usd == 2 * COST
    assert set(read) == {"T-1"}
    del read[:]
    assert sums(alpha).total.cost_usd == 2 * COST
    assert read == []
