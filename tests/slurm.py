"""A real Slurm on this machine: a controller, and three nodes that are all it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from servers import free_port
from world import PATIENCE, until

#: As they are installed; /usr/sbin is not on every user's PATH.
_PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "scancel", "scontrol", "squeue")
NODES = 3


def missing() -> str:
    """Why there can be no Slurm here; "" where there can."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    gone = [name for name in _PROGRAMS if shutil.which(name, path=path) is None]
    if gone:
        assert os.environ.get("CI") != "true", f"{', '.join(gone)}: not installed"
        return f"{', '.join(gone)}: not installed"
    return "" if os.geteuid() == 0 else "slurmd and munged here want root"


class Slurm:
    """Runs jobs with no other environment than theirs; used as a context.

    Its state, keys and sockets are in `folder`; `environ` is what its commands run with.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        if reason := missing():
            pytest.skip(reason)
        self.folder = folder
        folder.mkdir()
        self.environ = {**environ, "SLURM_CONF": str(folder / "slurm.conf")}
        self.environ["PATH"] += ":/usr/sbin"
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Slurm:
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        folder, ports = self.folder, [free_port() for _ in range(NODES + 1)]
        (folder / "munge.key").write_bytes(os.urandom(128))
        (folder / "munge.key").chmod(0o600)
        host = socket.gethostname().partition(".")[0]
        nodes = "".join(
            f"NodeName=n{n} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[n]} CPUs=1\n"
            for n in range(1, NODES + 1)
        )
        (folder / "slurm.conf").write_text(
            "ClusterName=test\nSlurmUser=root\nSlurmdUser=root\n"
            f"SlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={ports[0]}\n"
            f"AuthType=auth/munge\nAuthInfo=socket={folder}/munge.socket\nCredType=cred/munge\n"
            "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSelectType=select/linear\n"
            "SchedulerParameters=batch_sched_delay=0,sched_interval=1\nKillWait=30\n"
            "ReturnToService=2\nMpiDefault=none\nSwitchType=switch/none\n"
            f"StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool-%n\n"
            f"SlurmctldPidFile={folder}/ctld.pid\nSlurmdPidFile={folder}/%n.pid\n"
            f"SlurmctldLogFile={folder}/ctld.log\nSlurmdLogFile={folder}/%n.log\n"
            f"{nodes}PartitionName=all Nodes=ALL Default=YES State=UP MaxTime=INFINITE\n"
        )
        for name in ("state", *(f"spool-n{n}" for n in range(1, NODES + 1))):
            (folder / name).mkdir()
        self._start(
            "munged", "--foreground", "--force", f"--socket={folder}/munge.socket",
            f"--key-file={folder}/munge.key", f"--pid-file={folder}/munge.pid",
            f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed",
        )  # fmt: skip
        until((folder / "munge.socket").exists)
        self._start("slurmctld", "-D", "-c")
        for n in range(1, NODES + 1):
            self._start("slurmd", "-D", "-c", "-N", f"n{n}")
        until(lambda: self.run("sinfo", "-h", "-o", "%T %D").strip() == f"idle {NODES}")

    def _start(self, *words: str) -> None:
        self._processes.append(subprocess.Popen(
            words, env=self.environ, cwd=self.folder, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ))  # fmt: skip

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        """What a command prints; "" where it fails, as all do while the controller begins.

        A job that it submits has `env` in its environment.
        """
        done = subprocess.run(
            words, env={**self.environ, **(env or {})}, cwd=self.folder,
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        return done.stdout if done.returncode == 0 else ""

    def state(self, job: str) -> str:
        """State and reason of a job's only task; "" where none is queued or runs."""
        return self.run("squeue", "-h", "-o", "%T %r", "-j", job).strip()

    def ended(self, job: str) -> bool:
        """Whether no task of a job is queued or runs."""
        return self.state(job) == "" and self.run("scontrol", "ping") != ""

    def __exit__(self, *_: object) -> None:
        self.run("scancel", "--full", "-u", "root")
        deadline = time.monotonic() + PATIENCE
        while self.run("squeue", "-h") and time.monotonic() < deadline:
            time.sleep(0.1)
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
