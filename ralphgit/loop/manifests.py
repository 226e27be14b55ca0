"""Write the job that has an existing engine run workers: Slurm, Kubernetes, GitHub Actions.

Each worker is `ralphgit worker URL --idle wait`: it ends with exit 0 once all is done. What an
engine takes away it may start again: no worker keeps anything that is not on the remote.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.records import yaml_writer

#: Seconds between SIGTERM and SIGKILL: enough to bring the work so far to the remote.
_GRACE_S = 60


class Job(NamedTuple):
    """What is to run."""

    url: str
    number: int
    """How many workers."""
    options: tuple[str, ...] = ()
    """More words for `ralphgit worker`."""
    image: str = ""
    """For Kubernetes: an image with ralphgit, git and the agent."""

    @property
    def name(self) -> str:
        """A name for the job, of letters, digits and dashes."""
        last = self.url.rstrip("/").rpartition("/")[2].removesuffix(".git").lower()
        return "ralphgit-" + (re.sub(r"[^a-z0-9]+", "-", last).strip("-")[:40] or "workers")

    def words(self, worker: str) -> list[str]:
        """The command line of one worker, which is named `worker`."""
        return ["ralphgit", "worker", self.url, "--idle", "wait", *self.options, "--worker", worker]


def slurm(job: Job) -> str:
    """An sbatch script: a job array, each task of which is a worker."""
    worker = "slurm-$SLURM_ARRAY_JOB_ID-$SLURM_ARRAY_TASK_ID"
    *words, _ = job.words("")
    return f"""\
#!/bin/sh
#SBATCH --job-name={job.name}
#SBATCH --array=1-{job.number}
#SBATCH --signal=B:TERM@{_GRACE_S}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={job.name}-%A_%a.log
exec {shlex.join(words)} "{worker}"
"""


def kubernetes(job: Job) -> str:
    """A Job: as many pods at once, which share no volume.

    The agent's key and the credentials for the remote are in the Secret of the job's name: each of
    its entries is a variable of the workers, and none has to be there.
    """
    command = shlex.join(job.words("")[:-1])
    container = {
        "name": "worker",
        "image": job.image,
        # The pod's name is the worker's; the shell is gone once the worker runs.
        "command": ["sh", "-c", f'exec {command} "$POD_NAME"'],
        "env": [{
            "name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
        }],
        "envFrom": [{"secretRef": {"name": job.name, "optional": True}}],
    }  # fmt: skip
    pod = {
        "restartPolicy": "OnFailure",
        "terminationGracePeriodSeconds": _GRACE_S,
        "containers": [container],
    }
    return yaml_writer.mapping({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": job.name},
        "spec": {
            "parallelism": job.number,
            "completions": job.number,
            "backoffLimit": 2 * job.number,
            "template": {"spec": pod},
        },
    })  # fmt: skip


def github_actions(job: Job) -> str:
    """A workflow that is started by hand: a matrix of workers, one run of it at a time.

    It works on the repository that has the workflow; the agent's keys are its secrets.
    """
    url = "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"
    worker = "actions-$GITHUB_RUN_ID-${{ matrix.worker }}"
    options = shlex.join(["--idle", "wait", *job.options])
    login = (
        'git config --global url."https://x-access-token:$GH_TOKEN@${GITHUB_SERVER_URL#https://}/"'
        '.insteadOf "$GITHUB_SERVER_URL/"'
    )
    who = [
        'git config --global user.name "github-actions[bot]"',
        "git config --global user.email 41898282+github-actions[bot]@users.noreply.github.com",
    ]
    run = [login, *who, f'exec ralphgit worker "{url}" {options} --worker "{worker}"']
    return yaml_writer.mapping({
        "name": "ralphgit workers",
        "on": {"workflow_dispatch": None},
        "permissions": {"contents": "write", "pull-requests": "write"},
        "concurrency": {"group": "ralphgit-workers", "cancel-in-progress": False},
        "jobs": {
            "worker": {
                "runs-on": "ubuntu-latest",
                "timeout-minutes": 350,
                "strategy": {
                    "fail-fast": False,
                    "matrix": {"worker": [*range(1, job.number + 1)]},
                },
                "steps": [
                    {"uses": "actions/setup-python@v5", "with": {"python-version": "3.12"}},
                    {"run": "pip install ralphgit"},
                    {"run": "\n".join(run) + "\n", "env": {"GH_TOKEN": "${{ github.token }}"}},
                ],
            }
        },
    })  # fmt: skip


#: The engines that a job can be written for.
ENGINES = {"slurm": slurm, "kubernetes": kubernetes, "github-actions": github_actions}


def options(*, agent: str, land: str, story: Sequence[str]) -> tuple[str, ...]:
    """The words for `ralphgit worker` that these options of `fleet manifest` mean."""
    found = [("--agent", agent), ("--land", land), *(("--story", one) for one in story)]
    return tuple(word for option in found if option[1] for word in option)
