"""`worker URL`: clones, does tasks, and leaves nothing behind that the remote has not."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import ryaml
from test_machines import with_tasks
from world import PATIENCE, Place, Result, World, until

from ralphgit.model.printable import shown_address


@pytest.fixture
def world(tmp_path: Path) -> World:
    return with_tasks(tmp_path)


def worker(world: World, *words: str) -> Result:
    """`ralphgit worker`, outside of any repository."""
    place = Place(world.folder, world.environ, world)
    return place.ralph("worker", str(world.origin.path), *words, "--land", "merge")


class Running:
    """A worker in a process of its own, whose agent has begun with T-1 and waits."""

    def __init__(self, world: World, *words: str) -> None:
        self.world = world
        begun = world.folder / "begun"
        agent = world.write(
            "../agent.sh",
            f"#!/bin/sh\necho half > $RALPH_TASK.txt\ntouch {begun}\nexec sleep {PATIENCE}\n",
        )
        agent.chmod(0o755)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ralphgit", "worker", str(world.origin.path), "--land", "merge",
             "--agent", str(agent), *words],
            cwd=world.folder, env=world.environ, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until(begun.exists)
        begun.unlink()

    def end(self, number: int) -> str:
        """Send it a signal, and give what it said."""
        os.kill(self.process.pid, number)
        return self.process.communicate(timeout=PATIENCE)[1]


def states(world: World) -> list[str]:
    world.git("fetch", "--quiet", "origin", "main")
    world.git("merge", "--quiet", "--ff-only", "origin/main")
    return [one["state"] for one in world.ralph("list", "--json", "--all").data["tasks"]]


@pytest.mark.slow
def test_a_worker_drains_the_graph_from_nothing(world: World) -> None:
    done = worker(world, "--agent", "scripted", "--json")
    assert done.code == 0, done.out
    assert done.data["done"] == ["T-1", "T-2", "T-3"]
    assert states(world) == ["complete"] * 3
    assert world.origin.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    again = worker(world, "--agent", "scripted", "--json")
    assert (again.code, again.data["why"]) == (0, "everything is done")


@pytest.mark.slow
def test_a_worker_takes_so_many_tasks(world: World) -> None:
    assert worker(world, "--agent", "scripted", "--max-tasks", "2").code == 0
    assert states(world) == ["complete", "complete", "ready"]


@pytest.mark.slow
def test_a_stopped_worker_keeps_its_work_on_the_remote(world: World) -> None:
    """SIGTERM: the machine is wanted back."""
    running = Running(world)
    assert world.origin.leases == ["T-1"]
    said = running.end(signal.SIGTERM)
    assert running.process.returncode == 143, said
    assert "T-1 is given back; the work so far is kept in refs/ralph/rescue/T-1/" in said
    (kept,) = world.origin.git("for-each-ref", "--format=%(refname)", "refs/ralph").split()
    assert kept.startswith("refs/ralph/rescue/T-1/")
    assert world.origin.git("show", f"{kept}:T-1.txt") == "half"
    assert states(world) == ["ready"] * 3
    # Another machine goes on.
    env = {"XDG_CACHE_HOME": str(world.folder / "other")}
    place = Place(world.folder, {**world.environ, **env}, world)
    done = place.ralph(
        "worker", str(world.origin.path), "--agent", "scripted", "--land", "merge", "--json"
    )
    assert done.data["done"] == ["T-1", "T-2", "T-3"]


@pytest.mark.slow
def test_a_killed_worker_is_succeeded_by_the_next_in_its_clone(world: World) -> None:
    running = Running(world)
    running.end(signal.SIGKILL)
    assert world.origin.leases == ["T-1"]
    done = worker(world, "--agent", "scripted")
    assert done.code == 0, done.err
    assert "resuming T-1" in done.err
    assert states(world) == ["complete"] * 3


@pytest.mark.slow
def test_two_workers_of_one_machine_have_clones_of_their_own(world: World) -> None:
    running = Running(world)
    try:
        done = worker(world, "--agent", "scripted", "--json")
        assert done.data["done"] == ["T-2", "T-3"]
        name = running.world.origin.lease("T-1")["by"]
        assert name.endswith("-1")
        refused = worker(world, "--agent", "scripted", "--worker", name, "--json")
        assert (refused.code, refused.error) == (8, "worker_runs")
    finally:
        running.end(signal.SIGTERM)
    assert states(world) == ["ready", "complete", "complete"]


@pytest.mark.slow
def test_consent_is_asked_for_or_given_with_the_command(world: World) -> None:
    world.replace("    title: Thing T-1\n", "    title: Thing T-1\n    verify: ['true']\n")
    world.commit()
    world.git("push", "--quiet", "origin", "main")
    refused = worker(world, "--agent", "scripted", "--json")
    assert (refused.code, refused.error) == (7, "untrusted")
    assert states(world)[0] == "ready"
    assert worker(world, "--agent", "scripted", "--trust").code == 0
    assert states(world) == ["complete"] * 3


@pytest.mark.slow
def test_work_that_waits_for_a_review_is_not_done_again(world: World) -> None:
    world.replace("    title: Thing T-1\n", "    title: Thing T-1\n    review: critic\n")
    world.commit()
    world.git("push", "--quiet", "origin", "main")
    done = worker(world, "--agent", "scripted")
    assert "T-1 is complete on origin/" in done.err, done.err
    assert [name[:4] for name in branches(world) if name != "main"] == ["T-1-"]
    assert world.origin.leases == ["T-1"]
    again = worker(world, "--agent", "scripted", "--worker", "another", "--json")
    assert again.data["done"] == []
    assert [name[:4] for name in branches(world) if name != "main"] == ["T-1-"]


def branches(world: World) -> list[str]:
    found = world.origin.git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads")
    return [name.removeprefix("ralph/") for name in found.split()]


def test_without_an_identity_no_agent_begins(world: World) -> None:
    named = {k: v for k, v in world.environ.items() if not k.startswith(("GIT_AUTHOR", "GIT_COMM"))}
    place = Place(world.folder, {**named, "GIT_CONFIG_GLOBAL": "/dev/null"}, world)
    world.write("../home/.gitconfig", "[user]\n\tuseConfigOnly = true\n")
    env = {"GIT_CONFIG_GLOBAL": str(world.folder / "home" / ".gitconfig")}
    line = ("worker", str(world.origin.path), "--agent", "scripted", "--land", "merge", "--json")
    done = place.ralph(*line, env=env)
    assert (done.code, done.error) == (7, "no_identity"), done.out
    assert "user.email" in done.json["error"]["hint"]
    assert world.origin.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_an_address_that_leads_nowhere(world: World) -> None:
    place = Place(world.folder, world.environ, world)
    gone = place.ralph("worker", str(world.folder / "nothing.git"), "--json")
    assert (gone.code, gone.error) == (4, "remote_unavailable")
    assert "nothing.git cannot be cloned" in gone.json["error"]["message"]
    left = [one.name for one in (world.folder / "home").rglob("*") if one.is_dir()]
    assert not [name for name in left if name.endswith((".part", "-1"))]


# -- fleet manifest ------------------------------------------------------------------------


def manifest(world: World, engine: str, *words: str) -> str:
    done = world.ralph("fleet", "manifest", "--for", engine, *words)
    assert done.code == 0, done.err
    return done.out


def tool(name: str) -> str:
    """A program that is installed beside Python."""
    found = Path(sys.executable).with_name(name)
    assert found.exists(), f"{name} is not installed"
    return str(found)


@pytest.mark.slow
def test_a_job_array_of_slurm_runs_workers(world: World) -> None:
    """Each task of the array as Slurm starts it; its own programs are not needed for that."""
    script = world.write(
        "../job.sh", manifest(world, "slurm", "-n", "2", "--agent", "scripted", "--land", "merge")
    )
    assert "#SBATCH --array=1-2\n" in script.read_text()
    path = f"{Path(sys.executable).parent}:{world.environ['PATH']}"
    for number in (1, 2):
        place = Place(world.folder, {**world.environ, "PATH": path}, world)
        done = place.run(
            "sh", str(script),
            env={"SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": str(number)},
        )  # fmt: skip
        assert done.code == 0, done.err
        assert f"worker slurm-70-{number} in " in done.err
    assert states(world) == ["complete"] * 3
    assert world.task("T-1")["claim"]["by"] == "slurm-70-1"


def test_a_job_of_kubernetes_is_valid(world: World) -> None:
    text = manifest(
        world, "kubernetes", "-n", "4", "--image", "acme/worker:1", "--agent", "my 'own' agent"
    )
    world.write("../job.yaml", text)
    done = world.run(tool("kubernetes-validate"), "--strict", str(world.folder / "job.yaml"))
    assert done.code == 0, done.out + done.err
    job = ryaml.loads(text)
    assert (job["kind"], job["spec"]["parallelism"]) == ("Job", 4)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    words = shlex.split(container["command"][2])
    assert words[:4] == ["exec", "ralphgit", "worker", str(world.origin.path)]
    assert words[words.index("--agent") + 1] == "my 'own' agent"


def test_a_job_of_kubernetes_without_an_image_says_where_it_goes(world: World) -> None:
    told = world.ralph("fleet", "manifest", "--for", "kubernetes", "--json")
    (container,) = ryaml.loads(told.data["text"])["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "IMAGE"
    assert "in the place of IMAGE" in told.json["warnings"][0]


def test_a_workflow_of_github_is_valid(world: World) -> None:
    text = manifest(world, "github-actions", "-n", "3", "--agent", "claude", "--trust")
    world.write("../workers.yml", text)
    schema = ("--builtin-schema", "vendor.github-workflows")
    done = world.run(tool("check-jsonschema"), *schema, str(world.folder / "workers.yml"))
    assert done.code == 0, done.out + done.err
    (job,) = ryaml.loads(text)["jobs"].values()
    assert job["strategy"]["matrix"]["worker"] == [1, 2, 3]
    if linter := shutil.which("actionlint"):
        assert world.run(linter, str(world.folder / "workers.yml")).out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "slurm or kubernetes or github-actions"),
        (("--for", "slurm", "-n", "0"), "-n must be 1 to 1000"),
        (("--for", "slurm", "--land", "none"), "--land auto"),
        (("--for", "slurm", "--story", "S-1", "--story", "S-2"), "one story"),
    ],
)
def test_a_manifest_that_would_not_work_is_refused(
    world: World, words: tuple[str, ...], said: str
) -> None:
    done = world.ralph("fleet", "manifest", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_without_a_remote_no_machine_finds_another(tmp_path: Path) -> None:
    alone = World(tmp_path / "alone")
    alone.write_graph("version: 1\ntasks: []\n")
    alone.commit()
    alone.refused("fleet", "manifest", "--for", "slurm", code="usage", exit=2)


_SECRET = "Hunter2SecretValue"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://agent:{_SECRET}@127.0.0.1:1/a/p.git", "https://127.0.0.1:1/a/p.git"),
        (f"https://{_SECRET}@127.0.0.1:1/a/p.git", "https://127.0.0.1:1/a/p.git"),
        (f"https://a:{_SECRET}@x@h/a@b:c/p", "https://h/a@b:c/p"),
        (f"ssh://git:{_SECRET}@h/p.git", "ssh://git@h/p.git"),
        (f"https://h/p.git?private_token={_SECRET}", "https://h/p.git"),
        (f"git+http://{_SECRET}@h/p.git", "git+http://h/p.git"),
        ("ssh://git@h/p.git", "ssh://git@h/p.git"), ("git@h:a/p.git", "git@h:a/p.git"),
        ("/srv/p.git", "/srv/p.git"), ("https://h", "https://h"), ("", ""),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_secret(url: str, shown: str) -> None:
    assert shown_address(url) == shown


def test_no_address_with_a_token_is_printed_or_logged(tmp_path: Path) -> None:
    world = World(tmp_path)
    place = Place(world.folder, world.environ, world)
    url = f"http://agent:{_SECRET}@127.0.0.1:1/acme/proj.git?private_token={_SECRET}"
    words = ("worker", url, "--land", "merge", "--agent", "scripted")
    found = place.run(sys.executable, "-m", "ralphgit", *words)
    assert found.err.startswith("error: http://127.0.0.1:1/acme/proj.git cannot be cloned")
    said = [found.out + found.err]
    for line in (
        ("up", "x", "-n", "1", "--agent", "scripted"), ("status",), ("down",), ("down", "nobody"),
        ("up", "x/y", "-n", "1"),
    ):  # fmt: skip
        found = place.ralph("fleet", *line, "--url", url)
        said.append(found.out + found.err)
    world.git("remote", "add", "origin", url)
    world.write_graph("version: 1\ntasks:\n  - id: T-1\n    title: One\n    status: pending\n")
    world.commit("Plan")
    world.git("update-ref", "refs/remotes/origin/main", "HEAD")
    found = world.ralph("next", "--fetch")
    assert "cannot be reached: unable to access 'http://127.0.0.1:1/acme/proj.git'" in found.err
    said.append(found.err)
    found = world.ralph("fleet", "manifest", "--for", "slurm", "-n", "2")
    assert "http://127.0.0.1:1/acme/proj.git" in found.out, found.err
    given = world.ralph("fleet", "manifest", "--for", "slurm", "--url", url)
    assert url in given.out
    assert given.err == (
        "warning: the manifest has what --url has, a password or a token: commit it nowhere\n"
    )
    said.append(found.out + found.err)
    said += [one.read_text() for one in (tmp_path / "home").rglob("*.log")]
    assert "cannot be cloned" in said[-1]
    said += [str(one) for one in (tmp_path / "home").rglob("*")]
    assert [one for one in said if _SECRET in one] == []
