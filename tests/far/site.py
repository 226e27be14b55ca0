"""One remote that notes every push, and the machines that work for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from servers import GitDaemon, HttpBackend
from world import Place, World

from far.link import Link

#: What a push changes, a line for each ref; a mark goes before the lines of each push.
_HOOK = "#!/bin/sh\n{ echo push; cat; } >> pushes\n"
_PASSWORD = "opensesame"


class Site:
    """The remote `o.git` over "git" or "http", with as many machines; used as a context."""

    def __init__(
        self, folder: Path, text: str, *, machines: int, over: str = "git", expiry: float = 15.0,
        beat: float = 2.0,
    ) -> None:  # fmt: skip
        self.world = World(folder / "plan")
        self.world.write_graph(text)
        self.world.write("ralph.toml", f'lease = "remote"\nlease_expiry = {expiry}\n')
        self.world.commit("Begin")
        served = folder / "served"
        served.mkdir()
        self.base = served / "o.git"
        self.world.git("clone", "--quiet", "--bare", str(self.world.path), str(self.base))
        for key, value in (("http.receivepack", "true"), ("gc.auto", "0")):
            self.world.git("-C", str(self.base), "config", key, value)
        hook = self.base / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_HOOK)
        hook.chmod(0o755)
        self.beat = beat
        self._server: GitDaemon | HttpBackend
        if over == "http":
            self._server = HttpBackend(served, self.world.environ, password=_PASSWORD)
        else:
            self._server = GitDaemon(served, self.world.environ)
        self._stack = ExitStack()
        self._folder, self._number = folder, machines
        self.machines: list[Machine] = []

    def __enter__(self) -> Site:
        self._stack.enter_context(self._server)
        self.url = self._server.where("o.git")
        address = urlsplit(self.url)
        assert address.port is not None
        for number in range(1, self._number + 1):
            link = self._stack.enter_context(Link(address.port))
            who = f"ann:{_PASSWORD}@" if address.scheme == "http" else ""
            url = f"{address.scheme}://{who}127.0.0.1:{link.port}{address.path}"
            machine = Machine(self, number, self._folder / f"m{number}", url, link)
            self.machines.append(machine)
            self._stack.callback(machine.end)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def server_pid(self) -> int:
        """The process of `git daemon`."""
        assert isinstance(self._server, GitDaemon)
        return self._server.pid

    def refs(self, place: str) -> list[str]:
        """The refs of the remote below `refs/ralph/PLACE`."""
        found = self.world.git(
            "-C", str(self.base), "for-each-ref", "--format=%(refname)", f"refs/ralph/{place}"
        )
        return found.split()

    def pushes(self) -> Counter[str]:
        """How many pushes there were so far, and how many refs of each kind they changed."""
        found: Counter[str] = Counter()
        log = self.base / "pushes"
        for line in log.read_text().splitlines() if log.exists() else ():
            kind = re.search(r" refs/(?:ralph/([a-z]+)|(heads/main$)|heads)", line)
            found["push" if kind is None else (kind[1] or kind[2] or "branch")] += 1
        return found


class Machine:
    """A machine: what it calls itself, its home, clock and link, and its worker."""

    def __init__(self, site: Site, number: int, folder: Path, url: str, link: Link) -> None:
        self.name, self.url, self.link = f"m{number}", url, link
        self._site, self._folder = site, folder
        self.hours = 0.0
        """By how much its clock is wrong."""
        folder.mkdir()
        boot = folder / "boot"
        boot.write_text(f"00000000-0000-4000-8000-{number:012}\n")
        home = folder / "home"
        home.mkdir()
        path = os.pathsep.join(
            (str(Path(__file__).parent.parent), site.world.environ["PYTHONPATH"])
        )
        environ = {
            **site.world.environ, "HOME": str(home), "PYTHONPATH": path,
            "RALPH_AGENT_ATTEMPTS": "1000", "RALPH_LOOP_FAILURES": "1000",
            "RALPH_LOOP_BACKOFF": "0.05", "RALPH_LOOP_IDLE": "0.5", "RALPH_FETCH_TIMEOUT": "20",
        }  # fmt: skip
        self.place = Place(folder, environ, site.world)
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def words(self, *words: str) -> list[str]:
        """A command line that runs on this machine."""
        within = (
            'hostname "$1" && mount --bind "$2" /proc/sys/kernel/random/boot_id && '
            'shift 2 && exec "$@"'
        )
        first = ["unshare", "--uts", "--mount", "sh", "-c", within, "sh"]
        return [*first, self.name, str(self._folder / "boot"), *words]

    def ralph(self, *words: str) -> list[str]:
        """The command line of `ralphgit WORDS` on it."""
        clock = [sys.executable, "-m", "far.clock", f"{self.hours}", f"{self._site.beat}"]
        return self.words(*clock, *words)

    def start(self, *words: str) -> None:
        """Start its worker, or start it again."""
        self.starts += 1
        line = ("worker", self.url, "--agent", "scripted", "--land", "merge", "--trust",
                "--worker", self.name, "--idle", "wait", *words)  # fmt: skip
        with open(self._folder / "said", "ab") as said:
            self.process = subprocess.Popen(
                self.ralph(*line), cwd=self._folder, env=self.place.environ,
                stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            )  # fmt: skip

    @property
    def code(self) -> int | None:
        """How its worker has ended; None while it runs."""
        return self.process.poll() if self.process is not None else 0

    @property
    def said(self) -> str:
        """The end of what its workers have printed."""
        path = self._folder / "said"
        return path.read_text(errors="replace")[-1500:] if path.exists() else ""

    def clones(self) -> list[Path]:
        """The clones of its workers."""
        return [one.parent for one in (self._folder / "home" / ".cache").rglob(".git")]

    def end(self) -> None:
        """Take it away."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def missing() -> str:
    """Why machines cannot have names of their own here; "" where they can."""
    if shutil.which("unshare") is None:
        return "unshare is not installed"
    probe = ["unshare", "--uts", "--mount", "sh", "-c", "hostname x && mount --bind /dev/null "
             "/proc/sys/kernel/random/boot_id"]  # fmt: skip
    done = subprocess.run(probe, capture_output=True, check=False)
    return "" if done.returncode == 0 else f"no namespaces here: {done.stderr.decode().strip()}"
