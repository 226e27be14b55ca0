"""Loops on other machines: they are seen, believed to be alive for a while, and relieved."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import ryaml
from world import Place, World

from ralphgit.app.active_claims.remote_beats import Seen
from ralphgit.app.active_claims.stale_holders import is_silent
from ralphgit.app.workspace import heartbeat

TASK = """\
  - id: {0}
    title: Thing {0}
    status: pending
    outputs: [{0}.txt]
    scope:
      write: [{0}.txt]
    x-script:
      write: {{{0}.txt: done}}
"""


def with_tasks(folder: Path, number: int = 3, settings: str = "") -> World:
    """A world with a remote, and tasks T-1 to T-NUMBER that depend on nothing."""
    made = World(folder)
    tasks = (TASK.format(f"T-{n}") for n in range(1, number + 1))
    made.write_graph("version: 1\ntasks:\n" + "".join(tasks))
    if settings:
        made.write("ralph.toml", settings)
    made.commit()
    assert made.origin.path.exists()
    return made


@pytest.fixture
def world(tmp_path: Path) -> World:
    return with_tasks(tmp_path, 2, 'lease = "remote"\n')


class Far:
    """A worker on a machine that we see nothing of but what it has pushed."""

    def __init__(self, world: World, host: str = "far") -> None:
        """It claims T-1 in a clone on `host`."""
        self.host = host
        self.clone, self.origin = world.clone("far"), world.origin
        self.clone.git("config", "ralph.worker", "farley")
        self.claim = self.clone.claim("T-1")
        lease = {**self.clone.lease("T-1"), "host": host, "worktree": "/srv/far"}
        self._set("refs/ralph/leases/T-1", ryaml.dumps(lease))

    def beat(self, **more: Any) -> None:
        """Its loop's heartbeat; its clock is three hours slow."""
        found = {
            **heartbeat.noted(os.getpid())._asdict(), "host": self.host, "worker": "farley",
            "task": "T-1", "claim": self.claim, "phase": "agent", "time": time.time() - 3 * 3600,
            **more,
        }  # fmt: skip
        self._set("refs/ralph/beats/farley", json.dumps(found))

    def _set(self, ref: str, text: str) -> None:
        oid = self.origin.git("hash-object", "-w", "--stdin", stdin=text)
        self.origin.git("update-ref", ref, oid)


def aged(place: Place, seconds: float) -> None:
    """As if what this repository has seen of others had been fetched so long ago."""
    path = ".git/ralphgit/beats-seen.yaml"
    noted = ryaml.loads(place.read(path))
    place.write(path, ryaml.dumps({oid: at - seconds for oid, at in noted.items()}))


def workers(place: Place) -> dict[str, Any]:
    """What `status` says of each worker."""
    return {one["worker"]: one for one in place.ralph("status", "--json").data["workers"]}


def test_a_loop_shows_itself_on_the_remote_while_it_runs(world: World) -> None:
    seen = world.folder / "seen"
    agent = world.write(
        "../agent.sh",
        "#!/bin/sh\nfor i in $(seq 600); do\n"
        f"git -C {world.origin.path} for-each-ref refs/ralph/beats > {seen}\n"
        f"test -s {seen} && break; sleep 0.1; done\necho done > $RALPH_TASK.txt\n",
    )
    agent.chmod(0o755)
    words = ("--once", "--worker", "alpha", "--agent", str(agent), "--land", "merge")
    done = world.ralph("run", *words)
    assert done.code == 0, done.err
    assert seen.read_text().split()[2] == "refs/ralph/beats/alpha"
    assert world.origin.git("for-each-ref", "refs/ralph/") == ""


@pytest.mark.slow
def test_a_remote_that_takes_no_beat_is_not_asked_twice(world: World) -> None:
    refuses = "#!/bin/sh\ncase $1 in refs/ralph/*) echo no refs of yours; exit 1;; esac\n"
    hook = world.origin.write("hooks/update", refuses)
    hook.chmod(0o755)
    done = world.ralph("run", "--agent", "scripted", "--land", "merge")
    assert done.code == 0, done.err
    assert 1 <= done.err.count("no refs of yours") <= 2  # lease and beat may go at the same time
    again = world.ralph("run", "--agent", "scripted", "--land", "merge")
    assert "no refs of yours" not in again.err
    assert (world.task("T-1")["state"], world.task("T-2")["state"]) == ("complete", "complete")
    told = [one["code"] for one in world.ralph("doctor", "--json").data["findings"]]
    assert "refused_refs" in told
    assert world.ralph("doctor", "--fix").code == 0
    assert "no refs of yours" not in world.ralph("doctor").out


def test_who_works_on_another_machine_is_shown(world: World) -> None:
    far = Far(world)
    assert world.ralph("next", "--fetch").code == 0
    one = workers(world)["farley"]
    assert (one["task"], one["where"]) == ("T-1", "worktree far on far")
    assert (one["phase"], one["stale"], one["path"]) == ("", False, "")
    far.beat()
    assert world.ralph("next", "--fetch").code == 0
    one = workers(world)["farley"]
    assert (one["task"], one["phase"], one["stale"]) == ("T-1", "agent", False)
    aged(world, 400)
    one = workers(world)["farley"]
    assert (one["state"], one["stale"]) == ("stuck", True)
    assert "farley" in world.ralph("status").out


def test_a_loop_without_a_task_elsewhere_is_shown_too(world: World) -> None:
    far = Far(world)
    far.beat(worker="other", task="", claim="", phase="waiting")
    world.origin.git("update-ref", "refs/ralph/beats/other", "refs/ralph/beats/farley")
    world.origin.git("update-ref", "-d", "refs/ralph/beats/farley")
    assert world.ralph("next", "--fetch").code == 0
    one = workers(world)["other"]
    assert (one["state"], one["task"], one["where"]) == ("registered", "", "on far")


def test_no_reset_of_what_beats_elsewhere(world: World) -> None:
    far = Far(world)
    far.beat()
    assert world.ralph("next", "--fetch").code == 0
    told = world.ralph("reset", "T-1", "--json")
    assert (told.code, told.error) == (8, "holder_alive")
    assert "farley is alive on far" in told.json["error"]["message"]
    aged(world, 400)
    assert world.ralph("reset", "T-1").code == 0
    assert world.origin.leases == []


@pytest.mark.slow
@pytest.mark.parametrize("host", ["far", heartbeat.host()], ids=["far", "another clone here"])
def test_a_lease_that_expired_is_taken_back_by_a_loop(world: World, host: str) -> None:
    """And what the old holder lands late is refused (law L3)."""
    far = Far(world, host)
    far.beat()
    assert world.ralph("next", "--fetch").code == 0
    loop = ("run", "--agent", "scripted", "--land", "merge", "--worker", "alpha")
    aged(world, 3000)
    assert world.ralph(*loop).code == 7  # a person may know more: it says how to reset
    assert (world.task("T-1")["state"], world.task("T-2")["state"]) == ("claimed", "complete")
    aged(world, 1000)
    done = world.ralph(*loop)
    assert done.code == 0, done.err
    assert f"T-1 is taken back from farley on {host}" in done.err
    task = world.task("T-1")
    assert (task["state"], task["epoch"], task["claim"]["by"]) == ("complete", 1, "alpha")
    far.clone.write("T-1.txt", "late\n")
    late = far.clone.ralph("complete", "--land", "merge", "--json")
    assert (late.code, late.error) == (5, "claim_lost"), late.out
    assert world.git("show", "origin/main:T-1.txt") == "done"


@pytest.mark.slow
def test_a_clone_on_this_machine_that_beats_keeps_its_task(world: World) -> None:
    """However long ago it has claimed; of this repository's own loops nothing is taken twice."""
    far = Far(world, heartbeat.host())
    far.beat()
    assert world.ralph("next", "--fetch").code == 0
    assert workers(world)["farley"]["task"] == "T-1"
    aged(world, 5000)
    far.beat(phase="verify")
    done = world.ralph("run", "--agent", "scripted", "--land", "merge", "--worker", "alpha")
    assert "is taken back" not in done.err
    assert world.task("T-1")["state"] == "claimed"


@pytest.mark.parametrize("host", ["far", "here"])
def test_a_lease_names_no_files_of_this_machine(world: World, host: str) -> None:
    """Machines may have the same folders, and anybody may write a lease; its branch, too."""
    far = Far(world)
    world.git("switch", "-q", "-c", "mine")
    world.write("secret.txt", "mine alone\n")
    world.commit("Mine")
    world.git("switch", "-q", "main")
    world.write("notes.txt", "mine alone\n")
    named = {"host": heartbeat.host() if host == "here" else host, "branch": "mine"}
    lease = {**far.clone.lease("T-1"), **named, "worktree": str(world.path)}
    far._set("refs/ralph/leases/T-1", ryaml.dumps(lease))
    world.ralph("status", "--fetch")
    assert world.ralph("reset", "T-1", "--reason", "silent", "--force").code == 0
    for place in (world, world.origin):
        refs = place.git("for-each-ref", "--format=%(refname)", "refs/ralph/rescue").split()
        found = [place.git("ls-tree", "--name-only", ref).split() for ref in refs]
        assert not {"notes.txt", "secret.txt"} & {name for names in found for name in names}


def test_a_remote_that_is_away_is_no_silence_of_others(world: World) -> None:
    far = Far(world)
    far.beat()
    assert world.ralph("next", "--fetch").code == 0
    aged(world, 4000)
    before, away = world.git("rev-parse", "main"), world.folder / "away.git"
    world.origin.path.rename(away)
    done = world.ralph("run", "--task", "T-1", "--agent", "scripted", "--land", "merge")
    assert done.code != 0
    assert "taken back" not in done.err
    assert world.git("rev-parse", "main") == before
    away.rename(world.origin.path)
    assert world.origin.leases == ["T-1"]


@pytest.mark.slow
def test_a_fresh_clone_takes_nobodys_task(world: World) -> None:
    """It has seen no silence yet, whatever the clock of the other machine says."""
    far = Far(world)
    far.beat(time=time.time() - 7 * 24 * 3600)
    near = world.clone("near")
    near.git("config", "ralph.worker", "near")
    assert near.ralph("run", "--agent", "scripted", "--land", "merge").code == 0
    assert near.task("T-1")["state"] == "claimed"
    assert near.task("T-2")["state"] == "complete"


@pytest.mark.parametrize("text", ["", "[]", '{"pid": "x"}', "\0", '{"pid": 1e999}'])
def test_a_beat_that_is_none_is_passed_over(world: World, text: str) -> None:
    far = Far(world)
    far._set("refs/ralph/beats/farley", text)
    assert world.ralph("next", "--fetch").code == 0
    assert workers(world)["farley"]["stale"] is False


@pytest.mark.parametrize("until", ["1e308", "-1e308", "999999999999", "9" * 400, "true"])
def test_a_time_that_no_calendar_has_is_none(world: World, until: str) -> None:
    far = Far(world)
    far.beat(phase="wait", why="limit", until=json.loads(until))
    assert world.ralph("next", "--fetch").code == 0
    assert workers(world)["farley"]["until"] in (None, "1970-01-01T00:00:01Z")
    assert world.ralph("status").code == 0


@pytest.mark.slow
def test_a_lease_without_a_beat_expires_where_a_loop_has_made_it(world: World) -> None:
    """Another loop may have taken the name of a dead one, and its heartbeat away in the end."""
    far = Far(world)
    assert world.ralph("next", "--fetch").code == 0
    loop = ("run", "--task", "T-1", "--agent", "scripted", "--land", "merge", "--worker", "alpha")
    aged(world, 4000)
    assert world.ralph(*loop).code != 0  # it was claimed by hand: nobody knows how that goes on
    assert world.task("T-1")["state"] == "claimed"
    lease = {**ryaml.loads(world.origin.git("cat-file", "-p", "refs/ralph/leases/T-1"))}
    far._set("refs/ralph/leases/T-1", ryaml.dumps({**lease, "loop": "4711"}))
    assert world.ralph("next", "--fetch").code == 0
    aged(world, 3000)
    assert world.ralph(*loop).code != 0
    aged(world, 1000)
    done = world.ralph(*loop)
    assert done.code == 0, done.err
    assert "T-1 is taken back from farley on far" in done.err
    assert world.task("T-1")["state"] == "complete"


@pytest.mark.parametrize(("seconds", "silent"), [(0.0, False), (300.0, False), (300.1, True)])
def test_a_loop_elsewhere_is_silent_after_five_minutes(seconds: float, silent: bool) -> None:
    beat = heartbeat.parse(
        {"pid": 1, "started": "", "boot": "", "host": "far", "worker": "farley", "task": "",
         "claim": "", "phase": "idle", "time": 0.0}
    )  # fmt: skip
    assert beat is not None
    assert is_silent(Seen(beat, since=1000.0), 1000.0 + seconds) is silent


def test_an_id_that_the_remote_has_given_meanwhile_is_taken(world: World) -> None:
    far = world.clone("far")
    assert far.ralph("add", "--id", "R-1", "--title", "Theirs").code == 0
    far.commit("Theirs")
    far.git("push", "--quiet", "origin", "main")
    done = world.ralph("edit", "T-1", "--rename", "R-1", "--json")
    assert (done.error, world.git("status", "--porcelain")) == ("duplicate_id", "")


@pytest.mark.parametrize(
    "line",
    ["edit T-1 --rename R-1", "shard --layout task", "rebase-paths T-1.txt a/T-1.txt",
     "edit T-1 --cancel no"],
)  # fmt: skip
def test_who_changes_the_plan_asks_the_remote_who_works_on_it(line: str, world: World) -> None:
    assert world.clone("far").claim("T-1")  # nobody here has heard of it
    before = world.read()
    done = world.ralph(*line.split(), "--json")
    assert done.error in ("claim_held", "claims_in_flight"), done.out
    assert world.read() == before
