"""The job that `fleet manifest --for slurm` writes, run by a real Slurm of three nodes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm import Slurm
from test_machines import with_tasks
from world import World, until


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    folder = tmp_path_factory.mktemp("slurm")
    with Slurm(folder / "slurm", World(folder / "world").environ) as made:
        yield made


@pytest.fixture
def world(tmp_path: Path) -> World:
    return with_tasks(tmp_path)


class Job:
    """A job of workers for a world, whose agent waits with its task until it may go on."""

    def __init__(self, slurm: Slurm, world: World, number: int) -> None:
        self.slurm, self.world = slurm, world
        self._begun, self._go = world.folder / "begun", world.folder / "go"
        self._begun.mkdir()
        agent = world.write(
            "../agent.sh",
            f"#!/bin/sh\necho half > $RALPH_TASK.txt\ntouch {self._begun}/$RALPH_TASK\n"
            f"until test -e {self._go}; do sleep 0.1; done\n",
        )
        agent.chmod(0o755)
        words = ("--for", "slurm", "-n", str(number), "--agent", str(agent), "--land", "merge")
        made = world.ralph("fleet", "manifest", *words)
        assert made.code == 0, made.err
        script = world.write("../job.sh", made.out)
        self.folder = world.folder / "logs"
        self.folder.mkdir()
        path = f"{Path(sys.executable).parent}:{world.environ['PATH']}"
        self.id = slurm.run(
            "sbatch", "--parsable", f"--chdir={self.folder}", str(script),
            env={**world.environ, "PATH": path, "RALPH_LOOP_IDLE": "0.2"},
        ).strip()  # fmt: skip
        assert self.id, "sbatch has refused the script"

    @property
    def begun(self) -> int:
        """How many tasks an agent has begun with."""
        return len([*self._begun.iterdir()])

    def go_on(self) -> None:
        self._go.touch()

    @property
    def said(self) -> str:
        """What all workers have printed."""
        return "".join(one.read_text() for one in sorted(self.folder.iterdir()))

    def refs(self) -> list[str]:
        """What is on the remote beside branches."""
        found = self.world.origin.git("for-each-ref", "--format=%(refname)", "refs/ralph")
        return found.split()

    def await_end(self) -> None:
        until(lambda: self.slurm.ended(self.id))


def done(world: World) -> list[str]:
    """The tasks that are complete on the remote, and by whom."""
    world.git("fetch", "--quiet", "origin", "main")
    world.git("merge", "--quiet", "--ff-only", "origin/main")
    tasks = world.ralph("list", "--json", "--all").data["tasks"]
    return [one["claim"]["by"] for one in tasks if one["state"] == "complete"]


@pytest.mark.slow
def test_three_nodes_drain_the_graph(slurm: Slurm, world: World) -> None:
    job = Job(slurm, world, 3)
    until(lambda: job.begun == 3)
    job.go_on()
    job.await_end()
    assert sorted(done(world)) == [f"slurm-{job.id}-{n}" for n in (1, 2, 3)], job.said
    assert job.refs() == []


@pytest.mark.slow
def test_scancel_keeps_the_work_and_gives_the_task_back(slurm: Slurm, world: World) -> None:
    job = Job(slurm, world, 1)
    until(lambda: job.begun == 1)
    assert job.refs()[-1] == "refs/ralph/leases/T-1"
    slurm.run("scancel", f"--name=ralphgit-{world.origin.path.stem}")
    job.await_end()
    (kept,) = job.refs()
    assert kept.startswith("refs/ralph/rescue/T-1/"), job.said
    assert world.origin.git("show", f"{kept}:T-1.txt") == "half"
    assert f"T-1 is given back; the work so far is kept in {kept}" in job.said
    assert done(world) == []


@pytest.mark.slow
def test_a_job_that_is_requeued_starts_anew(slurm: Slurm, world: World) -> None:
    job = Job(slurm, world, 1)
    until(lambda: job.begun == 1)
    slurm.run("scontrol", "requeue", f"{job.id}_1")
    until(lambda: "T-1 is given back" in job.said)
    assert [name[:22] for name in job.refs()] == ["refs/ralph/rescue/T-1/"], job.said
    job.go_on()
    until(lambda: slurm.state(job.id) == "PENDING BeginTime")
    # Else it waits for two minutes. A node takes what was made in the second in which it ended a
    # job for that job, and never says that it has not started it.
    slurm.run("scontrol", "update", f"JobId={job.id}_1", "StartTime=now+2")
    job.await_end()
    assert job.said.count("worker slurm-") == 2, job.said
    assert done(world) == [f"slurm-{job.id}-1"] * 3, job.said
