"""Real git servers on loopback, for as long as a context lasts."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class GitDaemon:
    """`git daemon` over a folder of bare repositories; anybody may push."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder, self._environ = folder, dict(environ)
        self._port = free_port()

    def __enter__(self) -> GitDaemon:
        # The daemon itself and not `git daemon`: it is to end with us.
        daemon = os.path.join(
            subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)
            .stdout.strip(), "git-daemon",
        )  # fmt: skip
        self._process = subprocess.Popen(
            [
                daemon, "--reuseaddr", "--export-all", "--enable=receive-pack",
                "--listen=127.0.0.1", f"--port={self._port}", f"--base-path={self._folder}",
                str(self._folder),
            ],
            env=self._environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return self
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("git daemon does not listen")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def url(self, name: str) -> str:
        """Where a repository of the folder is reached."""
        return f"git://127.0.0.1:{self._port}/{name}"
