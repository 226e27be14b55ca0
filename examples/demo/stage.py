"""The stage: a temporary folder with a bare remote, a clone and its linked worktrees.

Every program that the demo runs is started here, in an environment that has nothing of the
user's: own HOME, no git configuration, a fixed author, no RALPH_* setting.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

#: Seconds that any one program may take; far more than it needs.
_PATIENCE_S = 60.0
#: Inherited, because the interpreter may not start without them.
_INHERITED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE")
_EXAMPLES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CHECKOUT = os.path.dirname(_EXAMPLES)


class Surprise(Exception):
    """Something did not happen as the story says it does."""


class Stopped(Exception):
    """The stage has been stopped: nothing starts any more."""


class Done(NamedTuple):
    """What a program did."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> list[str]:
        """Both outputs, warnings and errors first."""
        return [*self.err.splitlines(), *self.out.splitlines()]

    def data(self) -> dict[str, Any]:
        """The `data` of a `--json` answer."""
        found: dict[str, Any] = self.answer()["data"]
        return found

    def answer(self) -> dict[str, Any]:
        """The whole of a `--json` answer."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Stage:
    """Where programs run; `stop` ends all of them, from any thread."""

    def __init__(self, folder: str, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = _environment(folder, environ)
        self._stopped = False
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()

    def run(self, where: str, argv: Sequence[str], line: str, settings: Mapping[str, str]) -> Done:
        """Run a program in the folder `where`, with `settings` added to its environment.

        Raises: Surprise if it cannot be run or does not end; Stopped.
        """
        with self._lock:
            if self._stopped:
                raise Stopped
            try:
                # A session of its own: Ctrl-C reaches the demo alone, which ends the rest.
                process = subprocess.Popen(
                    argv, cwd=where, env={**self.environ, **settings}, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                    errors="backslashreplace", start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise Surprise(f"{argv[0]} cannot be run: {error.strerror}") from None
            self._running.add(process)
        try:
            out, err = process.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Surprise(f"{line}: expected to end within {_PATIENCE_S:g} s") from None
        finally:
            with self._lock:
                _end(process)
                self._running.discard(process)
        if self._stopped:
            raise Stopped
        return Done(process.returncode, out, err)

    def stop(self) -> None:
        """Start nothing more, and end what runs with all its children."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    if process.returncode is not None:
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


class Place:
    """A worktree on the stage."""

    def __init__(self, stage: Stage, name: str, path: str) -> None:
        self.stage, self.name, self.path = stage, name, path

    def run(self, line: str, *, expect: int | None = 0) -> Done:
        """Run a command as a person would type it: `[VARIABLE=VALUE] PROGRAM ARGUMENTS`.

        Raises: Surprise if it ends with another exit code than `expect` (None: any will do).
        """
        words = shlex.split(line)
        settings = {}
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            settings[name] = value
        argv = [*ralphgit(), *words[1:]] if words[0] == "ralphgit" else words
        done = self.stage.run(self.path, argv, line, settings)
        if expect is not None:
            self.check(line, done, expect)
        return done

    def check(self, line: str, done: Done, expect: int) -> None:
        """Raises: Surprise, with all that the command said, if it ended otherwise."""
        said = "\n".join(done.said)
        must(done.code == expect, f"exit {expect}, not {done.code}, of {self.name}$ {line}\n{said}")

    def git(self, *arguments: str) -> str:
        """stdout of `git ARGUMENTS`, stripped. Raises: Surprise if it fails."""
        return self.run(shlex.join(("git", *arguments))).out.strip()

    def write(self, texts: Mapping[str, str]) -> None:
        """Write files by their path in the worktree."""
        for path, text in texts.items():
            full = os.path.join(self.path, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)


def must(truth: object, expected: str) -> None:
    """Raises: Surprise, unless it is so."""
    if not truth:
        raise Surprise(f"expected {expected}")


def ralphgit() -> list[str]:
    """The command line under demonstration."""
    return [sys.executable, "-m", "ralphgit"]


def example_graph() -> bytes:
    """The example's graph."""
    with open(os.path.join(_EXAMPLES, "task-graph.yaml"), "rb") as file:
        return file.read()


def just(stage: Stage) -> list[str]:
    """`just` with the project's recipes; empty where the program is missing."""
    program = shutil.which("just", path=stage.environ["PATH"])
    return [program, "--justfile", os.path.join(_CHECKOUT, "justfile")] if program else []


def _environment(folder: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of every program: nothing of the user's but PATH."""
    home, scratch = os.path.join(folder, "home"), os.path.join(folder, "tmp")
    for path in (home, scratch):
        os.mkdir(path)
    who = {"NAME": "Demo", "EMAIL": "demo@example.com"}
    beside = os.path.dirname(sys.executable)
    return {
        **{name: environ[name] for name in _INHERITED if name in environ},
        "PATH": os.pathsep.join((beside, environ.get("PATH", os.defpath))),
        "HOME": home,
        "TMPDIR": scratch,
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": folder,
        **{f"GIT_AUTHOR_{key}": value for key, value in who.items()},
        **{f"GIT_COMMITTER_{key}": value for key, value in who.items()},
        # This very package, whether or not it is installed; the justfile knows RALPHGIT.
        "PYTHONPATH": _CHECKOUT,
        "RALPHGIT": shlex.join(ralphgit()),
    }
