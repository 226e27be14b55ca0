"""Where the truth is (SPEC 6, law L9): what decides counts as committed.

`base` and `remote` as the remote's default branch has them, else the main worktree's commit;
`graph`, `records` and every safety setting as the base has them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from world import Place, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
    verify: ["true"]
    scope:
      write: [a.txt]

  - id: T-2
    title: Second
    status: pending
"""
NO_EFFECT = "ralph.toml of this worktree has no effect on {}: what is committed on {} counts"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.write("a.txt", "a\n")
    made.commit()
    return made


def landing(place: Place, *, files: dict[str, str]) -> tuple[int, str, list[str]]:
    """Exit code, error and warnings of `complete T-1 --land` after T-1 was claimed."""
    place.claim("T-1")
    for name, text in files.items():
        place.write(name, text)
    trusted = place.ralph("trust", "--yes")
    assert trusted.code == 0, trusted.err
    done = place.ralph("complete", "T-1", "--json")
    return done.code, done.error, done.json["warnings"]


def base_of(place: Place) -> str:
    return str(place.ralph("status", "--json").data["base"]["branch"])


# -- a worktree's own file -----------------------------------------------------------------


@pytest.mark.parametrize("how", ["ignored", "uncommitted", "committed"])
@pytest.mark.parametrize("remote", [True, False], ids=["remote", "no remote"])
def test_a_worktree_s_own_base_decides_nothing(world: World, how: str, remote: bool) -> None:
    if remote:
        assert world.origin
    alpha = world.worktree("alpha")
    world.git("branch", "x")
    if how == "ignored":
        world.write(".git/info/exclude", "/ralph.toml\n")
    alpha.write("ralph.toml", 'base = "x"\nremote = "elsewhere"\n')
    if how == "committed":
        alpha.commit("Own base")
    label = "origin/main" if remote else "main"
    told = alpha.ralph("status", "--json")
    assert told.data["base"]["branch"] == "main"
    assert NO_EFFECT.format("base and remote", label) in told.json["warnings"]
    alpha.claim("T-1")
    alpha.write("a.txt", "b\n")
    done = alpha.ralph("complete", "T-1", "--force", "by hand")
    assert done.code == 0, done.err
    landed = alpha.ralph("land")
    if how == "ignored":
        assert landed.code == 0, landed.err
        tip = (world.origin if remote else world).git("show", "main:a.txt")
        assert tip == "b"
    assert world.git("show", "x:a.txt") == "a"


@pytest.mark.parametrize("how", ["ignored", "committed"])
def test_a_record_is_what_the_base_calls_one(world: World, how: str) -> None:
    alpha = world.worktree("alpha")
    if how == "ignored":
        world.write(".git/info/exclude", "/ralph.toml\n")
    else:
        world.replace("[a.txt]", "[a.txt, ralph.toml]")
        world.commit()
        alpha.git("reset", "--quiet", "--hard", "main")
    files = {
        "a.txt": "b\n",
        "deploy/prod.yaml": "version: 1\ntasks: []\n",
        "ralph.toml": 'graph = ["task-graph.yaml", "deploy/*.yaml"]\n',
    }
    code, error, warnings = landing(alpha, files=files)
    assert (code, error) == (1, "not_done")
    assert NO_EFFECT.format("graph", "main") in warnings
    alpha.commit("All of it")
    found = world.ralph("check", "--base", "main", "--at", "alpha", "--json")
    outside = [p["file"] for p in found.data["problems"] if p["code"] == "outside_scope"]
    assert outside == ["deploy/prod.yaml"]
    span = world.ralph("check", "main...alpha", "--json")
    outside = [p["file"] for p in span.data["problems"] if p["code"] == "outside_scope"]
    assert outside == ["deploy/prod.yaml"]


def test_a_worktree_s_own_records_folder_makes_no_records(world: World) -> None:
    alpha = world.worktree("alpha")
    files = {"a.txt": "b\n", "lib/audit/x.yaml": "evil\n", "ralph.toml": 'records = "lib"\n'}
    code, error, warnings = landing(alpha, files=files)
    assert (code, error) == (1, "not_done")
    assert NO_EFFECT.format("records", "main") in warnings


def test_a_worktree_s_own_graph_hides_no_task(world: World) -> None:
    """Its own files are looked for where the base has them."""
    alpha = world.worktree("alpha")
    alpha.write("other.yaml", "version: 1\ntasks: []\n")
    alpha.write("ralph.toml", 'graph = ["other.yaml"]\n')
    for words in (("list",), ("next",)):
        told = alpha.ralph(*words, "--json")
        assert [task["id"] for task in told.data["tasks"]] == ["T-1", "T-2"], words
        assert NO_EFFECT.format("graph", "main") in told.json["warnings"], words
    assert [*alpha.task("T-1")["scope"]["write"]] == ["a.txt"]


def test_what_is_as_on_the_base_is_not_warned_of(world: World) -> None:
    world.write("ralph.toml", 'lease = "off"\nstory = "S-1"\n')
    world.commit()
    alpha = world.worktree("alpha")
    alpha.write("ralph.toml", 'lease = "off"\nbase = "main"\ngraph = ["task-graph.yaml"]\n')
    assert alpha.ralph("list", "--json").json["warnings"] == []
    alpha.write("ralph.toml", 'lease = "local"\n[agent]\ncommand = "sh x"\n')
    told = alpha.ralph("list", "--json").json["warnings"]
    assert told == [NO_EFFECT.format("agent.command and lease", "main")]
    env = {"RALPH_LEASE": "local", "RALPH_AGENT_COMMAND": "sh y"}
    assert alpha.ralph("list", "--json", env=env).json["warnings"] == []


def test_doctor_says_where_a_setting_is_from(world: World) -> None:
    world.write("ralph.toml", 'lease = "off"\n[verify]\ntimeout = 60\n')
    world.commit()
    world.write("ralph.toml", 'lease = "off"\nstory = "S-1"\n')
    world.git("config", "ralph.worker", "zoe")
    told = world.ralph("doctor", "-v", "--json", env={"RALPH_LOOP_IDLE": "3"}).data["settings"]
    assert told == {
        "lease": "ralph.toml on main",
        "loop.idle": "the environment",
        "story": "ralph.toml",
        "verify.timeout": "ralph.toml on main",
        "worker": "git config",
    }
    assert "set: worker  (git config)\n" in world.ralph("doctor", "-v").out
    assert "settings" not in world.ralph("doctor", "--json").data


# -- where base and remote count -----------------------------------------------------------


def test_the_remote_s_default_branch_says_which_branch_is_the_base(world: World) -> None:
    world.write("ralph.toml", 'base = "trunk"\n')
    world.commit()
    assert world.origin
    world.git("push", "--quiet", "origin", "main:trunk")
    world.git("fetch", "--quiet", "origin")
    alpha = world.worktree("alpha")
    alpha.git("rm", "--quiet", "ralph.toml")
    for place in (world, alpha):
        assert base_of(place) == "trunk"
    world.write("ralph.toml", 'base = "main"\n')
    world.commit("Not pushed")
    told = world.ralph("list", "--json").json["warnings"]
    assert (base_of(world), told) == ("trunk", [NO_EFFECT.format("base", "origin/main")])


def test_the_main_worktree_s_commit_says_it_where_there_is_no_remote(world: World) -> None:
    world.git("checkout", "--quiet", "-b", "trunk")
    world.write("ralph.toml", 'base = "trunk"\n')
    alpha = world.worktree("alpha")
    assert (base_of(world), base_of(alpha)) == ("main", "main")
    assert world.ralph("list", "--json").json["warnings"] == [NO_EFFECT.format("base", "trunk")]
    world.commit()
    assert (base_of(world), base_of(alpha)) == ("trunk", "trunk")
    alpha.write("ralph.toml", 'base = "alpha"\n')
    assert base_of(alpha) == "trunk"
    env = {"RALPH_BASE": "alpha"}
    assert alpha.ralph("status", "--json", env=env).data["base"]["branch"] == "alpha"


def test_settings_count_before_there_is_a_graph_to_decide(tmp_path: Path) -> None:
    """After `init` and before its commit: the main worktree's file serves, as its graph does."""
    world = World(tmp_path)
    world.write("README", "x\n")
    world.commit()
    assert world.ralph("init", "--layout", "story").code == 0
    added = world.ralph("add", "--title", "One", "--story", "S-1", "--json")
    assert added.data["task"]["file"] == "graph/S-1.yaml"
    told = world.ralph("next", "--json")
    assert [task["id"] for task in told.data["tasks"]] == ["T-1"]
    world.commit()
    told = world.ralph("next", "--json")
    assert [task["id"] for task in told.data["tasks"]] == ["T-1"]
    assert told.json["warnings"] == []


def test_a_pull_request_that_moves_the_graph_is_effective_once_merged(world: World) -> None:
    alpha = world.worktree("alpha")
    assert alpha.ralph("shard", "--layout", "task").code == 0
    told = alpha.ralph("list", "--json")
    assert [task["file"] for task in told.data["tasks"]] == ["graph/T-1.yaml", "graph/T-2.yaml"]
    assert NO_EFFECT.format("graph", "main") not in told.json["warnings"]
    alpha.commit("Shard")
    checked = world.ralph("check", "--base", "main", "--at", "alpha", "--json")
    assert (checked.code, checked.data["problems"]) == (0, []), json.dumps(checked.data)
    assert [t["file"] for t in world.ralph("next", "--json").data["tasks"]][:1] == [
        "task-graph.yaml"
    ]
    beta = world.worktree("beta")
    assert world.merge("alpha").code == 0
    # A worktree that has not got that yet still shows its files.
    told = beta.ralph("list", "--json")
    assert [task["file"] for task in told.data["tasks"]] == ["task-graph.yaml"] * 2
    assert beta.ralph("next", "--json").data["tasks"][0]["file"] == "graph/T-1.yaml"
    told = world.ralph("next", "--json")
    assert [t["file"] for t in told.data["tasks"]] == ["graph/T-1.yaml", "graph/T-2.yaml"]


# -- a loop, and its agent's file ----------------------------------------------------------

OWN = {
    "broken": "base = [",
    "another graph": 'graph = ["other.yaml"]',
    "another base": 'base = "x"',
}


@pytest.mark.parametrize("own", OWN)
def test_what_an_agent_writes_into_its_settings_lands_its_work_where_it_belongs(
    world: World, own: str
) -> None:
    world.replace('\n    verify: ["true"]', "")
    world.commit()
    alpha = world.worktree("alpha")
    world.git("branch", "x")
    world.write(".git/info/exclude", "/ralph.toml\n")
    agent = world.write("../agent.sh", f"echo b > a.txt; echo '{OWN[own]}' > ralph.toml\n")
    ran = alpha.ralph("run", "--task", "T-1", "--land", "merge", "--agent", f"sh {agent}")
    assert ran.code == 0, ran
    assert world.git("show", "main:a.txt") == "b"
    assert world.git("show", "x:a.txt") == "a"
