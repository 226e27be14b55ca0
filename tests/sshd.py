"""A real ssh server on loopback, with keys, a port and a HOME of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from servers import free_port

_SSHD = shutil.which("sshd") or shutil.which("/usr/sbin/sshd")


class Sshd:
    """Lets our user log in, by one key alone; what runs there sees `home` and little else.

    `names` are what it may be called by a client that has `path` first on its PATH.
    """

    def __init__(self, folder: Path, *names: str) -> None:
        if _SSHD is None:
            reason = "sshd is not installed"
            assert os.environ.get("CI") != "true", reason
            pytest.skip(reason)
        self.folder, self._names = folder, names
        self.home, self.path = folder / "home", folder / "bin"
        for one in (self.home, self.path):
            one.mkdir(parents=True)
        if os.geteuid() == 0:  # sshd wants it there, and the system's own service makes it
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self._port = free_port()

    def __enter__(self) -> Sshd:
        for name in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)],
                check=True,
            )
        shutil.copy(self.folder / "user.pub", self.folder / "authorized")
        self.know("host")
        # The user's configuration, which ssh would read from the real home.
        (self.folder / "ssh_config").write_text(
            f"Host {' '.join(self._names)}\n"
            f"  HostName 127.0.0.1\n  Port {self._port}\n"
            f"  User {pwd.getpwuid(os.getuid()).pw_name}\n"
            f"  IdentityFile {self.folder}/user\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.folder}/known\n  GlobalKnownHostsFile /dev/null\n"
        )
        client = self.path / "ssh"
        client.write_text(
            f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.folder}/ssh_config "$@"\n'
        )
        client.chmod(0o755)
        self.configure()
        return self

    @property
    def command(self) -> str:
        """git's core.sshCommand: without the user's own settings, keys and agent."""
        return f"ssh -F {self.folder}/ssh_config"

    def url(self, path: Path) -> str:
        """Where a repository is reached."""
        return f"ssh://{self._names[0]}{path}"

    def know(self, name: str) -> None:
        """Have the client know the server by the key `name`, or by none."""
        known = self.folder / "known"
        if not name:
            known.write_text("")
            return
        public = (self.folder / f"{name}.pub").read_text().split()
        known.write_text(f"[127.0.0.1]:{self._port} {public[0]} {public[1]}\n")

    def lock(self, passphrase: str, *, before: str = "") -> None:
        """Give the user's key another passphrase."""
        words = ["ssh-keygen", "-q", "-p", "-P", before, "-N", passphrase, "-f"]
        subprocess.run([*words, str(self.folder / "user")], check=True, capture_output=True)

    def configure(self, **environ: str) -> None:
        """Start the server, anew where it runs: what runs in it then sees `environ`."""
        self._end()
        # Where our ralphgit is, and nothing else of ours.
        environ = {
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            **environ,
        }
        words = " ".join(f'"{name}={value}"' for name, value in environ.items())
        config = self.folder / "sshd_config"
        config.write_text(
            f"Port {self._port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\n"
            f"PidFile none\nAuthorizedKeysFile {self.folder}/authorized\nStrictModes no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n"
            f"PermitRootLogin prohibit-password\nSetEnv {words}\nLogLevel ERROR\n"
        )
        self._process = subprocess.Popen(
            [str(_SSHD), "-D", "-e", "-f", str(config)], stderr=subprocess.PIPE
        )
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)  # sshd tells nobody when it listens
        raise RuntimeError(f"sshd does not listen: {self._process.communicate()[1]!r}")

    def _end(self) -> None:
        process = getattr(self, "_process", None)
        if process is not None:
            process.terminate()
            process.communicate()

    def __exit__(self, *_: object) -> None:
        self._end()
