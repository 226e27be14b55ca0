"""The clone of a stateless worker: made where there is none, and anybody may delete it (SPEC 9)."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.app.workspace import heartbeat, locks
from ralphgit.app.workspace.heartbeat import Process
from ralphgit.errors import GuardRefused, RemoteUnavailable, UsageError
from ralphgit.git.run_git import Git
from ralphgit.model.printable import shown_address, without_secrets

_MOST = 1000
#: Seconds for the first clone, which may be large.
_PATIENCE_S = 3600.0


class Clone(NamedTuple):
    """A folder that this process alone works in, until it ends."""

    path: str
    worker: str
    lock: int
    """The open file that is locked; its text is the process that has it."""


def take(environ: Mapping[str, str], url: str, worker: str, *, reference: str = "") -> Clone:
    """Lock a clone of `url` that no other worker here uses, and bring it up to date.

    `worker` names it; else it is HOST-N, with the first number that is free. `reference` is a
    repository of this machine to copy objects from. What is left in a clone of a worker that was
    killed stays for the loop to go on with.

    Raises: GuardRefused (worker_runs) where the named worker runs already; RemoteUnavailable;
    UsageError where there is another repository in its place.
    """
    address = _address(url)
    home = _folder(environ, address)
    os.makedirs(home, mode=0o700, exist_ok=True)
    clone = _locked(home, worker)
    git = Git(home, environ)
    if not os.path.lexists(clone.path):
        _make(git, address, clone.path, reference)
        return clone
    git = git.at(clone.path)
    if git.line("config", "--get", "remote.origin.url") != address:
        raise UsageError(
            f"{clone.path} is a clone of another repository",
            hint="name another worker with --worker NAME, or remove that folder",
        )
    return clone


def _make(git: Git, address: str, path: str, reference: str) -> None:
    """Clone under another name, and move it into place: half a clone is none."""
    half = f"{path}.part"
    if os.path.lexists(half):
        import shutil

        shutil.rmtree(half)
    more = ("--reference-if-able", os.path.abspath(reference), "--dissociate") if reference else ()
    # Nobody has agreed to anything yet: no hook of a template comes with it.
    words = ("clone", "--quiet", "--template=", *more, "--end-of-options", address, half)
    done = git.try_run(*words, timeout=_PATIENCE_S)
    if done.status:
        said = without_secrets(done.err.decode("utf-8", "replace")).strip().split("\n")
        raise RemoteUnavailable(
            f"{shown_address(address)} cannot be cloned: {said[-1].removeprefix('fatal: ')}",
            hint="check the address, the network and your credentials",
            lines=said[:-1],
        )
    os.rename(half, path)


def every(environ: Mapping[str, str], url: str) -> list[tuple[str, str, Process | None]]:
    """List the workers of `url` that this machine knows: name, clone, and the process that runs."""
    home = _folder(environ, _address(url))
    if not os.path.isdir(home):
        return []
    names = sorted(one.removesuffix(".lock") for one in os.listdir(home) if one.endswith(".lock"))
    return [(name, os.path.join(home, name), running(os.path.join(home, name))) for name in names]


def place(environ: Mapping[str, str], url: str, worker: str) -> str:
    """Where the clone of a worker is, or will be."""
    return os.path.join(_folder(environ, _address(url)), worker)


def running(path: str) -> Process | None:
    """The process that works in a clone now; None where none does."""
    pid = locks.process_with_lock(f"{path}.lock")
    return heartbeat.noted(pid) if pid else None


def _address(url: str) -> str:
    return os.path.abspath(url) if os.path.exists(url) else url


def _folder(environ: Mapping[str, str], address: str) -> str:
    """The folder of all clones of one address: a cache."""
    cache = environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME") or "~", ".cache")
    last = shown_address(address).rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", last)
    name = name.removesuffix(".git")[:40].strip(".-") or "repository"
    digest = hashlib.sha256(address.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return os.path.join(os.path.expanduser(cache), "ralphgit", "workers", f"{name}-{digest}")


def host_name(host: str = "") -> str:
    """A name for the workers of a machine, of letters, digits and dashes."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", host or heartbeat.host()).strip("-")[:40] or "host"


def _locked(home: str, worker: str) -> Clone:
    names = [worker] if worker else [f"{host_name()}-{number}" for number in range(1, _MOST)]
    for name in names:
        path = os.path.join(home, name)
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        os.ftruncate(lock, 0)
        os.pwrite(lock, b"%d\n" % os.getpid(), 0)
        return Clone(path, name, lock)
    raise GuardRefused(
        f"a worker named {worker} runs here already" if worker else "too many workers run here",
        code="worker_runs",
        hint="name another with --worker NAME",
    )
