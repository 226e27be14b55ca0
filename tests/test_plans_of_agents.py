"""What an agent makes of the plan decides nothing until a person has seen it (SPEC L9)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from test_landing import agent
from test_loop import loop, made, on_base, rescued, task
from world import Place

RALPH = f"{sys.executable} -m ralphgit"
ONE = task("T-1", "scope: {write: [a.txt]}", "verify: [grep -q good a.txt]", "priority: 0")
TWO = task("T-2", "scope: {write: [b.txt]}", "verify: [grep -q good b.txt]")
BLOCK = f"git commit -qam plan; {RALPH} block --question 'Which?' -q || exit 9"


def graph_on_base(alpha: Place) -> str:
    return alpha.git("show", "origin/main:task-graph.yaml") + "\n"


EDITS = [
    "s/a.txt]}/'**']}/", "s/grep -q good a.txt/true/", "s/priority: 0/review: none/",
    "s/priority: 0/risk: low/", "s/^version: 1/version: 1\\nstories: {S: {title: x}}/",
]  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_a_block_lands_without_what_its_branch_makes_of_the_plan(edit: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    ran = loop(
        alpha, "--once", "--agent", agent(alpha, f'sed -i "{edit}" task-graph.yaml; {BLOCK}')
    )
    assert ran.code == 7, ran.err
    row = on_base(alpha, "T-1")
    assert (row["status"], row["blocked"]["question"].split("\n")[0]) == ("blocked", "Which?")
    was = ONE.replace("    status: pending\n", "").splitlines()
    assert set(was) <= set(graph_on_base(alpha).splitlines()), graph_on_base(alpha)
    assert "stories" not in graph_on_base(alpha)
    # Nothing is lost: the other plan waits for a person.
    (kept,) = rescued(alpha)
    assert kept in row["blocked"]["question"]
    assert alpha.git("diff", "--name-only", "origin/main", kept).split()[-1] == "task-graph.yaml"


def test_a_new_task_does_not_land_with_a_block(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    add = f"{RALPH} add --id T-9 --title More -q || exit 9"
    loop(alpha, "--once", "--agent", agent(alpha, f"{add}; {BLOCK}"))
    assert on_base(alpha, "T-1")["status"] == "blocked"
    assert "T-9" not in graph_on_base(alpha)
    (kept,) = rescued(alpha)
    assert "id: T-9" in alpha.git("show", f"{kept}:task-graph.yaml")


def test_a_claim_does_not_land_another_plan_with_a_block(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, TWO)
    alpha.ralph("claim", "T-1")
    alpha.replace("[a.txt]", "['**']")
    alpha.ralph("block", "--question", "Which?")
    alpha.git("commit", "-qam", "plan")
    branch = alpha.git("branch", "--show-current")
    ran = alpha.ralph("claim", "T-2")
    assert "T-1 blocked, T-1 edited did not land" in ran.err, ran.err
    assert f"ralphgit land {branch}" in ran.err
    assert on_base(alpha, "T-1")["status"] == "pending"
    # A person is told of it, and may land it.
    assert "T-1 blocked, T-1 edited" in alpha.ralph("land", branch, "--dry-run").out
