"""A command that is stopped at a moment of its own: killed, or one of its steps fails.

A command runs once, uninterrupted, under an audit hook that notes what the world looks like
before each of its steps: each git process, each file that it opens for writing, links, moves
or removes. Steps between which nothing changed are one moment of a kill. Then the command is
run again and killed with SIGKILL at such a moment:

- by the `git` that stands first on PATH, before or after it has run the real one;
- by the hook, before a step that is not git's;
- by a `git` that leaves its lock behind, as one that was killed with its parent.

Or one step fails, once: the hook raises the system's error in place of the step, or git says that
there is no space and does nothing. A push may also lose the answer: the remote has it.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from world import Place, Result, World

from ralphgit.git.child_process import verb

HOOK = '''
import hashlib, json, os, signal, sys

def digest(folder):
    """Every file but git's objects, which nobody sees before a ref does, and the cache."""
    found = hashlib.sha1()
    for parent, names, leaves in os.walk(folder):
        names[:] = sorted(n for n in names if n not in ("objects", "ralphgit"))
        for leaf in sorted(leaves):
            path = os.path.join(parent, leaf)
            with open(path, "rb") as file:
                found.update(f"{path}\\0".encode() + file.read())
    return found.hexdigest()

_STEPS = ("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod")
_state = {"steps": 0, "git": 0, "busy": False}

def _hook(event, arguments):
    if _state["busy"]:
        return
    if event == "open":
        writes = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not writes or not str(arguments[0]).startswith(os.environ["FAULT_WORLD"]):
            return
        what = "write"
    elif event in _STEPS or event == "git":
        what = event
    else:
        return
    _state["steps"] += 1
    _state["busy"] = True
    if "FAULT_LOG" in os.environ:
        words = [str(w) for w in arguments[1]] if what == "git" else [str(arguments[0])]
        line = {"step": _state["steps"], "what": what, "git": _state["git"],
                "words": words, "seen": digest(os.environ["FAULT_WORLD"])}
        with open(os.environ["FAULT_LOG"], "a") as log:
            log.write(json.dumps(line) + "\\n")
    try:
        if os.environ.get("FAULT_STEP") == str(_state["steps"]):
            if os.environ["FAULT_HOW"] == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            number = int(os.environ["FAULT_HOW"])
            raise OSError(number, os.strerror(number), arguments[0])
    finally:
        _state["busy"] = False

_spawn = os.posix_spawn

def _numbered(path, argv, env, **rest):
    """Several git processes may run at once: each is told its number."""
    _state["git"] += 1
    _hook("git", (path, argv))
    return _spawn(path, argv, {**env, "FAULT_NUMBER": str(_state["git"])}, **rest)

if "FAULT_WORLD" in os.environ:
    sys.addaudithook(_hook)
    os.posix_spawn = _numbered
'''

GIT = """\
#!/bin/sh
number=$FAULT_NUMBER
unset FAULT_NUMBER
test -n "$number" && test "$number" = "$FAULT_GIT" || exec {git} "$@"
case $FAULT_HOW in
  before) kill -KILL $PPID; exit 137 ;;
  lock) : >"$FAULT_LOCK"; kill -KILL $PPID; exit 137 ;;
  full) echo "fatal: write error: No space left on device" >&2; exit 128 ;;
esac
{git} "$@"
code=$?
case $FAULT_HOW in
  lost) echo "fatal: the remote end hung up unexpectedly" >&2; exit 128 ;;
esac
kill -KILL $PPID
exit $code
"""


class Step(NamedTuple):
    """Something that an uninterrupted run did to the world, or git for it."""

    step: int
    what: str
    """`git`, `write`, or the audit event."""
    git: int
    """How many git processes had been started."""
    words: list[str]
    """git's command line, or the path."""
    seen: str
    """What the world looked like before."""

    @property
    def verb(self) -> str:
        """`commit` of a git command line."""
        return verb(self.words[1:])


class Moment(NamedTuple):
    """When the command is stopped, and how."""

    how: str
    """`before`, `after`, `lock`: killed by git call `number`; `full`, `lost`: that call fails;
    `kill`: by the hook before step `number`; a name of `errno`: that step fails."""
    number: int
    words: str
    """What is about to be done, or has just been."""

    @property
    def of_git(self) -> bool:
        return self.how in ("before", "after", "lock", "full", "lost")

    @property
    def kills(self) -> bool:
        return self.how in ("before", "after", "lock", "kill")


class Scene(NamedTuple):
    """A world in which a command is about to be run."""

    world: World
    place: Place
    words: tuple[str, ...]


_LOCKERS = ("update-index", "commit", "merge", "reset")
_WRITES = (*_LOCKERS, "add", "update-ref", "commit-tree", "hash-object", "push", "worktree",
           "read-tree", "write-tree", "checkout", "branch", "config", "stash", "revert",
           "symbolic-ref", "rm", "mv", "fetch", "merge-tree", "mktree")  # fmt: skip


class Stage:
    """One scene, set anew for each fault: the same folder, as it was."""

    def __init__(self, folder: Path, made: Callable[[World], Scene]) -> None:
        self.folder = folder
        self.live = folder / "world"
        self.live.mkdir()
        self.scene = made(World(self.live))
        shutil.copytree(self.live, folder / "kept", symlinks=True)
        tools = folder / "tools"
        tools.mkdir()
        (tools / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
        real = self.scene.world.run("sh", "-c", "command -v git").out.strip()
        (tools / "git").write_text(GIT.format(git=real), encoding="utf-8")
        (tools / "git").chmod(0o755)
        (folder / "tmp").mkdir()
        environ = self.scene.place.environ
        self.environ = {
            "PATH": f"{tools}{os.pathsep}{environ['PATH']}",
            "PYTHONPATH": f"{tools}{os.pathsep}{environ['PYTHONPATH']}",
            "FAULT_WORLD": str(self.live),
            "TMPDIR": str(folder / "tmp"),
            # A module that is compiled for the first time would be a step more, that once.
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def set(self) -> None:
        shutil.rmtree(self.live)
        shutil.copytree(self.folder / "kept", self.live, symlinks=True)

    def run(self, **extra: str) -> Result:
        return self.scene.place.ralph(*self.scene.words, env={**self.environ, **extra})

    def steps(self) -> list[Step]:
        """What an uninterrupted run does, step by step; it succeeds."""
        log = self.folder / "log"
        log.unlink(missing_ok=True)
        self.set()
        done = self.run(FAULT_LOG=str(log))
        assert done.code == 0, f"{' '.join(self.scene.words)}: {done}"
        lines = log.read_text(encoding="utf-8").splitlines()
        return [Step(**json.loads(line)) for line in lines]

    def kills(self, *, locks: bool = True) -> list[Moment]:
        """Every moment of an uninterrupted run that looks like no earlier one."""
        steps = self.steps()
        found = []
        seen = {steps[0].seen}
        for last, step in pairwise(steps):
            if step.seen not in seen:
                seen.add(step.seen)
                if last.what == "git" and last.verb != "cat-file":
                    found.append(_moment("after", last))
                else:
                    found.append(_moment("before" if step.what == "git" else "kill", step))
            if locks and step.what == "git" and step.verb in _LOCKERS:
                found.append(_moment("lock", step))
        return found

    def failures(self, error: str) -> list[Moment]:
        """Every step that may fail: with this error, or as git says that the disk is full."""
        found = []
        for step in self.steps():
            if step.what != "git":
                found.append(_moment(error, step))
            elif step.verb in _WRITES:
                found.append(_moment("full", step))
                if step.verb == "push":
                    found.append(_moment("lost", step))
        return found

    def stop(self, moment: Moment) -> Result:
        """Run the command until `moment`."""
        self.set()
        if not moment.of_git:
            how = "kill" if moment.how == "kill" else str(getattr(errno, moment.how))
            done = self.run(FAULT_STEP=str(moment.number), FAULT_HOW=how)
        else:
            lock = Path(self.scene.place.git("rev-parse", "--absolute-git-dir"), "index.lock")
            done = self.run(
                FAULT_GIT=str(moment.number), FAULT_HOW=moment.how, FAULT_LOCK=str(lock)
            )
        if moment.kills:
            assert done.code == -9, f"not killed at {moment}: {done}"
        return done


def _moment(how: str, step: Step) -> Moment:
    if step.what == "git":
        return Moment(how, step.git, step.verb)
    name = re.sub(r"tmp-[0-9]+", "tmp", os.path.basename(step.words[0]))
    return Moment(how, step.step, f"{step.what} {name}")
