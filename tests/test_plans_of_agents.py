"""What an agent makes of the plan decides nothing until a person has seen it (SPEC L9)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from test_landing import agent
from test_loop import loop, made, on_base, rescued, task
from world import Place

from ralphgit.model.agent_profile import AgentProfile
from ralphgit.model.task import Lifecycle, Scope, Task
from ralphgit.model.task_status import Status
from ralphgit.rules.planned_tasks import excess

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


@pytest.mark.slow
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


@pytest.mark.slow
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


PLAN = "echo good > a.txt; printf '\\n  - %s\\n' 'id: T-9' >> task-graph.yaml; " + "".join(
    f"printf '    %s\\n' '{line}' >> task-graph.yaml; "
    for line in ("title: More", "status: pending", "verify: [grep -q good a.txt]")
)


@pytest.mark.slow
def test_a_task_that_may_do_more_than_its_own_waits_for_a_person(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, TWO)
    wide = "printf '    %s\\n' 'scope: {write: [a.txt, ralph.toml]}' 'priority: 0'"
    ran = loop(
        alpha, "--max-tasks", "2", "--agent", agent(alpha, f"{PLAN}{wide} >> task-graph.yaml")
    )
    assert ran.code == 7
    assert "- T-1: T-9 is planned, which may change ralph.toml" in ran.err, ran.err
    assert "T-9" not in graph_on_base(alpha)
    assert alpha.world.ralph("land", "--all").code == 7
    landed = alpha.world.ralph("land", "--all", "--accept-concerns")
    assert (landed.code, on_base(alpha, "T-9")["status"]) == (0, "pending"), landed.err


def test_follow_up_work_lands_with_the_work(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    own = "printf '    %s\\n' 'scope: {write: [a.txt]}' >> task-graph.yaml"
    ran = loop(alpha, "--once", "--agent", agent(alpha, f"{PLAN}{own}"))
    assert on_base(alpha, "T-1")["status"] == "complete", ran.err
    assert on_base(alpha, "T-9")["status"] == "pending"


ORIGIN = Task(
    id="T-1", title="x", lifecycle=Lifecycle(status=Status.PENDING), verify=("make test",),
    scope=Scope(write=("src/**", "docs/*.md")), review="careful", risk="medium", budget=2.0,
)  # fmt: skip
AS_HELD = ORIGIN._replace(id="T-9", budget=1.5)


@pytest.mark.parametrize("write", ["src/**", "src/api/**", "src/a.py", "src/*.py", "docs/*.md"])
def test_a_task_within_the_scope_of_its_own_goes_on(write: str) -> None:
    assert excess(AS_HELD._replace(scope=Scope(write=(write,))), [ORIGIN]) == ""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"scope": Scope()}, "has no scope, as T-1 has"),
        ({"scope": Scope(write=("src/a", "ralph.toml"))}, "may change ralph.toml"),
        ({"scope": Scope(write=("**",))}, "may change **, outside the scope of T-1"),
        ({"scope": Scope(write=("src*/**",))}, "may change src*/**, outside the scope of T-1"),
        ({"scope": Scope(write=("docs/a.md/b",))}, "may change docs/a.md/b, outside"),
        ({"scope": Scope(write=("{src,checks}/a",))}, "may change {src,checks}/a, outside"),
        ({"scope": Scope(write=("src/../checks",))}, "may change src/../checks, outside the scope"),
        ({"verify": ("true",)}, "is not verified as T-1 is"),
        ({"verify": ("make test", "./x")}, "has a verify command that no task has yet: ./x"),
        ({"review": ""}, "is not reviewed as T-1 is"),
        ({"review": "", "risk": "high"}, "is not reviewed as T-1 is"),
        ({"review": "rubber"}, "is not reviewed as T-1 is"),
        ({"risk": "low"}, "says that its risk is low"),
        ({"agent": "reckless"}, "asks for the agent reckless"),
        ({"budget": None}, "has not the budget of T-1"),
        ({"budget": 3.0}, "has not the budget of T-1"),
    ],
)  # fmt: skip
def test_a_task_beyond_its_own_is_named(more: dict[str, Any], said: str) -> None:
    new = AS_HELD._replace(**more)
    assert excess(new, [ORIGIN]).startswith(f"T-9 is planned, which {said}")
    # One of the tasks that it came with may be as wide.
    assert excess(new, [ORIGIN, new._replace(id="T-2")]) == ""


def test_a_task_has_its_own_s_risk_and_no_wider_pattern() -> None:
    origin = ORIGIN._replace(risk="high", scope=Scope(write=("src/?/**", "lib/[!x]*/**")))
    new = AS_HELD._replace(risk="high", scope=Scope(write=("src/?/**",)))
    assert excess(new, [origin]) == ""
    said = "T-9 is planned, which "
    assert excess(new._replace(risk=""), [origin]) == f"{said}is not reviewed as T-1 is"
    for pattern in ("src/*/**", "lib/*/**", "src/a/b"):
        wider = new._replace(scope=Scope(write=(pattern,)))
        assert excess(wider, [origin]).startswith(f"{said}may change {pattern}, outside")


def test_a_story_that_a_profile_is_for_asks_for_that_agent() -> None:
    profiles = (AgentProfile("librarian", story=("S-DOCS",)),)
    new = AS_HELD._replace(story="S-DOCS")
    assert excess(new, [ORIGIN], profiles) == "T-9 is planned, which asks for the agent librarian"
    assert excess(new, [ORIGIN._replace(story="S-DOCS")], profiles) == ""
    assert excess(new, [ORIGIN._replace(agent="librarian")], profiles) == ""
    assert excess(AS_HELD._replace(story="S-CODE"), [ORIGIN], profiles) == ""


def test_a_verify_command_that_nobody_has_seen_waits_for_a_person(tmp_path: Path) -> None:
    """What another task of the base is verified by, a person has agreed to."""
    alpha = made(tmp_path, ONE, TWO)
    plan = PLAN.replace("good a.txt]", "good a.txt, grep -q good b.txt, ./x]")
    own = "printf '    %s\\n' 'scope: {write: [a.txt]}' >> task-graph.yaml"
    ran = loop(alpha, "--once", "--agent", agent(alpha, f"{plan}{own}"))
    said = "T-9 is planned, which has a verify command that no task has yet: ./x"
    assert said in ran.err, ran.err
    assert (ran.code, "T-9" in graph_on_base(alpha)) == (7, False)


def test_a_task_of_another_agents_story_waits_for_a_person(tmp_path: Path) -> None:
    settings = '[agents.librarian]\ncommand = "true"\nstory = ["S-DOCS"]\n'
    alpha = made(tmp_path, ONE, files={"ralph.toml": settings})
    more = "printf '    %s\\n' 'scope: {write: [a.txt]}' 'story: S-DOCS' >> task-graph.yaml"
    ran = loop(alpha, "--once", "--agent", agent(alpha, f"{PLAN}{more}"))
    assert "T-9 is planned, which asks for the agent librarian" in ran.err, ran.err
    assert (ran.code, "T-9" in graph_on_base(alpha)) == (7, False)
