"""Profiles of agents: who does which task (SPEC 3.1, 7)."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_loop import QUICK, events, made, on_base, task
from world import Place, Result, World

WRITES = "sh -c 'cat > /dev/null; echo $RALPH_TASK $WHO > $RALPH_TASK.txt' x"


def profile(name: str, *lines: str) -> str:
    """Settings of a profile, whose agent says who it is."""
    own = (f'command = "{WRITES}"', f'environment = {{WHO = "{name}"}}', *lines)
    return "\n".join((f"[agents.{name}]", *own, "", ""))


def run(place: Place, *words: str) -> Result:
    return place.ralph("run", "--land", "merge", *words, env=QUICK)


def did(place: Place, *tasks: str) -> list[str]:
    """Who did each of these tasks, as its file on the base says."""
    return [place.git("show", f"origin/main:{id}.txt").partition(" ")[2] for id in tasks]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# -- the settings ----------------------------------------------------------------------------


def test_what_a_profile_may_have_is_checked(world: World) -> None:
    world.write_graph("version: 1\ntasks: []\n")
    world.commit("Begin")
    for text, place, said in (
        ('[agents.ops]\ncomand = "x"\n', "2", "unknown setting agents.ops.comand"),
        ('[agents."a b"]\ncommand = "x"\n', "2", "unknown setting agents.a b.command"),
        ('agents = "x"\n', "1", "unknown setting agents"),
        ("[agents.ops]\ntimeout = -1\n", "", "agents.ops.timeout is -1, and should be a positive"),
        ('[agents.ops]\nenvironment = ["A"]\n', "", "and should be a list of NAME=VALUE"),
    ):
        world.write("ralph.toml", text)
        found = world.ralph("next")
        assert found.code in (2, 6), found
        assert said in found.err, text
        assert f"ralph.toml:{place}:" in found.err or not place, found.err


def test_git_s_configuration_has_profiles_and_a_worktree_s_file_has_none(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "agent: ops"))
    alpha.write("ralph.toml", profile("ops"))
    ran = run(alpha, "--agent", "ops")
    assert ran.code == 7, "a file that is not committed has no say"
    assert "ralph.toml of this worktree has no effect on agents.ops.command" in ran.err
    (alpha.path / "ralph.toml").unlink()
    for key, value in (("command", WRITES), ("environment", "WHO=me"), ("timeout", "60")):
        alpha.git("config", f"ralph.agents.ops.{key}", value)
    assert run(alpha, "--agent", "ops").code == 0, "and asks nobody"
    assert did(alpha, "T-1") == ["me"]


@pytest.mark.slow
def test_consent_is_to_the_command_and_the_variables_of_a_profile(tmp_path: Path) -> None:
    text = profile("ops") + profile("dev", 'story = ["S-1"]')
    alpha = made(tmp_path, task("T-1", "agent: ops"), files={"ralph.toml": text})
    alpha.world.ralph("trust", "--revoke")
    asked = alpha.world.ralph("trust", "--list").out
    for name, line in (("dev", 6), ("ops", 2)):
        where = f"(agents.{name}.command, origin/main:ralph.toml:{line})"
        assert f"untrusted  WHO={name} {WRITES}  {where}\n" in asked
    refused = run(alpha)
    assert (refused.code, "nobody has agreed yet" in refused.err) == (7, True), refused.err
    alpha.world.ralph("trust", "--yes")
    assert run(alpha).code == 0
    alpha.world.write("ralph.toml", text.replace('WHO = "ops"', 'WHO = "ops", PATH = "/tmp/x"'))
    alpha.world.commit("Steer")
    alpha.world.git("pull", "-q", "--rebase", "origin", "main")
    alpha.world.git("push", "-q", "origin", "main")
    assert run(alpha).code == 7


# -- who takes what --------------------------------------------------------------------------


@pytest.mark.slow
def test_each_task_gets_the_agent_of_its_profile(tmp_path: Path) -> None:
    alpha = made(
        tmp_path,
        task("T-1", "agent: librarian"),
        task("T-2", "story: S-OPS"),
        task("T-3", "story: S-OPS", "agent: librarian"),
        task("T-4"),
        files={"ralph.toml": profile("librarian") + profile("ops", 'story = "S-OPS"')},
    )
    ran = run(alpha, "--agent", WRITES)
    assert (ran.code, did(alpha, "T-4")) == (0, [""])
    assert ran.out == (
        "done: T-4\nThe loop has ended: nothing is ready; T-1 asks for the profile librarian; "
        "T-2 asks for the profile ops; T-3 asks for the profile librarian.\n"
    )
    assert on_base(alpha, "T-1")["status"] == "pending"
    ran = run(alpha, "--json")
    assert (ran.code, sorted(ran.data["done"])) == (0, ["T-1", "T-2", "T-3"]), ran.err
    assert did(alpha, "T-1", "T-2", "T-3") == ["librarian", "ops", "librarian"]


@pytest.mark.slow
def test_a_loop_of_a_profile_takes_its_tasks_and_those_of_none(tmp_path: Path) -> None:
    alpha = made(
        tmp_path,
        task("T-1", "agent: dev"), task("T-2"), task("T-3", "agent: ops"),
        files={"ralph.toml": profile("dev") + profile("ops")},
    )  # fmt: skip
    only = run(alpha, "--agent", "dev", "--only-profile", "--json")
    assert (only.code, only.data["done"]) == (0, ["T-1"]), only.err
    assert only.data["why"].endswith("T-2 asks for no profile; T-3 asks for the profile ops")
    assert run(alpha, "--agent", "dev", "--json").data["done"] == ["T-2"]
    assert did(alpha, "T-1", "T-2") == ["dev", "dev"]
    hint = run(alpha, "--agent", "dev").err.splitlines()[-1]
    assert hint == "hint: ralphgit run --agent ops"
    assert run(alpha, "--agent", "sh", "--only-profile").code == 2


def test_a_task_of_an_unknown_profile_is_said_and_left(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "agent: libarian"))
    ran = alpha.ralph("run", "--land", "merge", env={**QUICK, "RALPH_AGENT_COMMAND": WRITES})
    assert ran.code == 7
    said = "T-1 asks for the profile libarian, which nobody has set"
    assert f"{said}; it is left (ralphgit check)\n" in ran.err
    assert ran.err.endswith("hint: ralphgit check\n")
    assert not events(alpha, "claimed")
    checked = alpha.ralph("check", "--at", "main")
    assert f"main:task-graph.yaml:6:12: warning: {said}" in checked.out + checked.err, checked


def test_a_profile_whose_program_is_not_here_leaves_its_tasks_to_others(tmp_path: Path) -> None:
    text = '[agents.far]\ncommand = "no-such-program"\n' + profile("near")
    alpha = made(
        tmp_path, task("T-1", "agent: far"), task("T-2", "agent: near"), files={"ralph.toml": text}
    )
    ran = run(alpha)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-2"), ran.err
    assert "there is no such program; what asks for the profile far is left" in ran.err
    assert "nothing is ready; T-1 asks for the profile far." in ran.out
    assert run(alpha, "--agent", "far").code == 7


@pytest.mark.slow
def test_the_time_limit_of_a_profile_is_its_own(tmp_path: Path) -> None:
    text = '[agents.slow]\ncommand = "sleep 60"\ntimeout = 0.3\n'
    alpha = made(tmp_path, task("T-1", "agent: slow"), files={"ralph.toml": text})
    ran = alpha.ralph("run", env={**QUICK, "RALPH_AGENT_ATTEMPTS": "1"})
    assert (ran.code, "stopped after 0.3 s" in ran.err) == (7, True), ran.err


# -- the task's field ------------------------------------------------------------------------


def test_a_task_says_its_profile_and_whoever_reads_it_sees_it(world: World) -> None:
    world.write("ralph.toml", profile("ops", 'story = "S-1"') + profile("dev"))
    world.write_graph("version: 1\ntasks: []\n")
    world.commit("Begin")
    one = ("--id", "T-001", "--title", "One", "--agent", "dev", "--review", "ops")
    for words in (one, ("--id", "T-002", "--title", "Two", "--story", "S-1")):
        assert world.ralph("add", *words).code == 0
    shown = [line.split() for line in world.ralph("show", "T-001").out.splitlines()]
    assert ["agent", "dev"] in shown and ["review", "ops"] in shown
    assert "agent: dev\n" in world.ralph("packet", "T-001").out
    assert "agent: ops\n" in world.ralph("packet", "T-002").out, "the story's"
    assert world.ralph("edit", "T-001", "--agent", "ops").code == 0
    assert world.ralph("show", "T-001", "--json").data["task"]["agent"] == "ops"
    refused = world.ralph("edit", "T-001", "--agent", "no name")
    assert (refused.code, "not the name of a profile" in refused.err) == (2, True)


def test_a_list_names_agents(world: World) -> None:
    one, two = "- [ ] T1 One\n  - **Agent**: `librarian`\n", "- [ ] T2 Two\n  - Agent: a b\n"
    world.write("tasks.md", one + two)
    world.write_graph("version: 1\ntasks: []\n")
    world.commit("Begin")
    assert world.ralph("import", "tasks.md").code == 0
    first, second = world.ralph("list", "--json").data["tasks"]
    assert first["agent"] == "librarian"
    assert "agent" not in second and "Agent: a b" in second["description"]


@pytest.mark.slow
def test_a_batch_gives_each_task_the_agent_of_its_profile(tmp_path: Path) -> None:
    alpha = made(
        tmp_path, task("T-1", "agent: ops"), task("T-2"), files={"ralph.toml": profile("ops")}
    )
    ran = alpha.world.ralph("batch", "run", "--agent", WRITES, env=QUICK)
    assert ran.out.endswith("BATCH_COMPLETE T-1=done T-2=done\n"), ran.err
    assert did(alpha, "T-1", "T-2") == ["ops", ""]
