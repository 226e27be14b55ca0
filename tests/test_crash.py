"""Law L6: killed at any moment, a command leaves what repeating it, or `doctor --fix`, completes.

A command runs once, uninterrupted, under an audit hook that notes what the world looks like
before each of its steps: each git process, each file that it opens for writing, links, moves
or removes. Steps between which nothing changed are one moment. Then the command is killed
with SIGKILL at each moment of its own:

- by the `git` that stands first on PATH, before or after it has run the real one;
- by the hook, before a step that is not git's;
- by a `git` that leaves its lock behind, as one that was killed with its parent.

All moments: RALPHGIT_CRASHES=all. Else some, spread over the whole run, and printed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
import slow
from world import Place, Result, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
    verify:
      - test -s a.txt
    outputs:
      - a.txt
  - id: T-2
    title: Second
    status: pending
    depends_on: [T-1]
  - id: T-3
    title: Third
    status: pending
"""
WORK = {"a.txt": "committed\n", "src/b.txt": "not committed\n"}
#: How many moments of each command are tried, unless all are.
SOME = 4
ALL = os.environ.get("RALPHGIT_CRASHES") == "all"

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
        if not writes or not str(arguments[0]).startswith(os.environ["CRASH_WORLD"]):
            return
        what = "write"
    elif event in _STEPS or event == "git":
        what = event
    else:
        return
    _state["steps"] += 1
    _state["busy"] = True
    if "CRASH_LOG" in os.environ:
        words = [str(w) for w in arguments[1]] if what == "git" else [str(arguments[0])]
        line = {"step": _state["steps"], "what": what, "git": _state["git"],
                "words": words, "seen": digest(os.environ["CRASH_WORLD"])}
        with open(os.environ["CRASH_LOG"], "a") as log:
            log.write(json.dumps(line) + "\\n")
    if os.environ.get("CRASH_STEP") == str(_state["steps"]):
        os.kill(os.getpid(), signal.SIGKILL)
    _state["busy"] = False

_spawn = os.posix_spawn

def _numbered(path, argv, env, **rest):
    """Several git processes may run at once: each is told its number."""
    _state["git"] += 1
    _hook("git", (path, argv))
    return _spawn(path, argv, {**env, "CRASH_NUMBER": str(_state["git"])}, **rest)

if "CRASH_WORLD" in os.environ:
    sys.addaudithook(_hook)
    os.posix_spawn = _numbered
'''

GIT = """\
#!/bin/sh
number=$CRASH_NUMBER
unset CRASH_NUMBER
test -n "$number" && test "$number" = "$CRASH_GIT" || exec {git} "$@"
case $CRASH_HOW in
  before) kill -KILL $PPID; exit 137 ;;
  lock) : >"$CRASH_LOCK"; kill -KILL $PPID; exit 137 ;;
esac
{git} "$@"
code=$?
kill -KILL $PPID
exit $code
"""


class Moment(NamedTuple):
    """When the command is killed."""

    how: str
    """before, after or lock: by git call `number`; hook: by the hook before step `number`."""
    number: int
    words: str
    """What is about to be done, or has just been."""


class Scene(NamedTuple):
    """A world in which a command is about to be run."""

    world: World
    place: Place
    words: tuple[str, ...]


# -- the stage ---------------------------------------------------------------------------


class Stage:
    """One scene, set anew for each kill: the same folder, as it was."""

    def __init__(self, folder: Path, command: str) -> None:
        self.folder = folder
        self.live = folder / "world"
        self.live.mkdir()
        self.scene = SCENES[command](World(self.live))
        shutil.copytree(self.live, folder / "kept", symlinks=True)
        tools = folder / "tools"
        tools.mkdir()
        (tools / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
        real = self.scene.world.run("sh", "-c", "command -v git").out.strip()
        (tools / "git").write_text(GIT.format(git=real), encoding="utf-8")
        (tools / "git").chmod(0o755)
        (folder / "tmp").mkdir()
        environ = self.scene.place.environ
        # A reset waits for a lock before it gives up: with a remote and without, alike.
        self.lockers = () if command == "reset-and-push" and not ALL else _LOCKERS
        self.environ = {
            "PATH": f"{tools}{os.pathsep}{environ['PATH']}",
            "PYTHONPATH": f"{tools}{os.pathsep}{environ['PYTHONPATH']}",
            "CRASH_WORLD": str(self.live),
            "TMPDIR": str(folder / "tmp"),
            # A module that is compiled for the first time would be a step more, that once.
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def set(self) -> None:
        shutil.rmtree(self.live)
        shutil.copytree(self.folder / "kept", self.live, symlinks=True)

    def run(self, **extra: str) -> Result:
        return self.scene.place.ralph(*self.scene.words, env={**self.environ, **extra})

    def moments(self) -> list[Moment]:
        """Every moment of an uninterrupted run that looks like no earlier one."""
        log = self.folder / "log"
        self.set()
        done = self.run(CRASH_LOG=str(log))
        assert done.code == 0, done.err
        steps = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        found = []
        seen = {steps[0]["seen"]}
        for last, step in pairwise(steps):
            if step["seen"] not in seen:
                seen.add(step["seen"])
                if last["what"] == "git" and "cat-file" not in last["words"]:
                    found.append(Moment("after", last["git"], _verb(last["words"])))
                elif step["what"] == "git":
                    found.append(Moment("before", step["git"], _verb(step["words"])))
                else:
                    found.append(Moment("hook", step["step"], _told(step)))
            if step["what"] == "git" and _verb(step["words"]) in self.lockers:
                found.append(Moment("lock", step["git"], _verb(step["words"])))
        return found

    def kill(self, moment: Moment) -> None:
        """Run the command until `moment`."""
        self.set()
        if moment.how == "hook":
            died = self.run(CRASH_STEP=str(moment.number))
        else:
            lock = Path(self.scene.place.git("rev-parse", "--absolute-git-dir"), "index.lock")
            died = self.run(
                CRASH_GIT=str(moment.number), CRASH_HOW=moment.how, CRASH_LOCK=str(lock)
            )
        assert died.code == -9, f"not killed at {moment}: {died}"


_LOCKERS = ("update-index", "commit", "merge", "reset")


def _verb(words: list[str]) -> str:
    """`commit` of a git command line."""
    position = 1
    while position < len(words) and words[position].startswith("-"):
        position += 2 if words[position] in ("-c", "-C") else 1
    return words[position] if position < len(words) else ""


def _told(step: dict[str, list[str]]) -> str:
    name = os.path.basename(step["words"][0])
    return f"{step['what']} {re.sub(r'tmp-[0-9]+', 'tmp', name)}"


# -- the scenes --------------------------------------------------------------------------


def beginning(world: World) -> Place:
    world.write_graph(GRAPH)
    world.commit("The graph")
    assert world.ralph("trust", "--yes").code == 0
    world.worktree("beta")
    return world.worktree("alpha")


def working(world: World) -> Place:
    """Alpha has T-1; half of the work is committed."""
    alpha = beginning(world)
    alpha.claim("T-1")
    alpha.write("a.txt", WORK["a.txt"])
    alpha.commit("Half of it")
    alpha.write("src/b.txt", WORK["src/b.txt"])
    return alpha


def claim(world: World) -> Scene:
    return Scene(world, beginning(world), ("claim", "T-1"))


def complete(world: World) -> Scene:
    return Scene(world, working(world), ("complete", "T-1"))


def block(world: World) -> Scene:
    words = ("block", "T-1", "--reason", "other", "--question", "Why?")
    return Scene(world, working(world), words)


def release(world: World) -> Scene:
    return Scene(world, working(world), ("release", "T-1", "--reason", "tired"))


def reset(world: World) -> Scene:
    working(world)
    return Scene(world, world, ("reset", "T-1", "--reason", "gone"))


def reset_and_push(world: World) -> Scene:
    working(world)
    assert world.origin
    return Scene(world, world, ("reset", "T-1", "--reason", "gone"))


def resolve(world: World) -> Scene:
    """Alpha merges a base on which somebody else has T-1, and yields."""
    alpha = working(world)
    held = world.git("rev-parse", "refs/ralph/leases/T-1")
    world.git("update-ref", "-d", "refs/ralph/leases/T-1")
    line = ("claim", "T-1", "--worker", "gamma", "--force", "in a race")
    assert world.ralph(*line).code == 0
    world.commit("Gamma begins")
    world.git("update-ref", "refs/ralph/leases/T-1", held)
    assert alpha.merge("main").code == 1
    return Scene(world, alpha, ("resolve", "--yield", "T-1"))


def sharded(world: World, *layouts: str) -> Scene:
    """A graph that is moved to the last of `layouts`; the moves before it are committed."""
    beginning(world)
    for layout in layouts[:-1]:
        assert world.ralph("shard", "--layout", layout).code == 0
        world.commit("Another layout")
    return Scene(world, world, ("shard", "--layout", layouts[-1]))


MINE = {"AGENTS.md": "# Rules\n", "justfile": "build:\n    true\n", ".gitattributes": "*.png -text"}


def beginner(world: World) -> Scene:
    """Somebody's files, in which `init` puts its own lines."""
    for name, text in MINE.items():
        world.write(name, text)
    beginning(world)
    return Scene(world, world, ("init", "--skill", ".claude/skills"))


def regretting(world: World) -> Scene:
    scene = beginner(world)
    assert world.ralph(*scene.words).code == 0
    return scene._replace(words=("init", "--undo"))


SCENES: dict[str, Callable[[World], Scene]] = {
    "claim": claim,
    "complete": complete,
    "block": block,
    "release": release,
    "reset": reset,
    "reset-and-push": reset_and_push,
    "resolve": resolve,
    "shard": lambda world: sharded(world, "task"),
    # The setting stays: between the first file and the last, tasks are there twice.
    "shard-within-a-glob": lambda world: sharded(world, "task", "story"),
    "init": beginner,
    "init-undo": regretting,
}


# -- what must hold afterwards -----------------------------------------------------------


def place(world: World, name: str) -> Place:
    return Place(world.folder / f"proj-{name}", world.environ)


def lease(world: World, task: str = "T-1") -> str:
    """The claim that a lease is for, "" without one."""
    found = world.run("git", "cat-file", "blob", f"refs/ralph/leases/{task}")
    matched = re.search(r"(?m)^claim: (\S+)$", found.out)
    return matched[1] if found.code == 0 and matched else ""


def events(at: Place, revision: str) -> list[str]:
    """What the audit of T-1 on a revision says that happened, attempt by attempt."""
    names = at.git("ls-tree", "-r", "--name-only", revision, "records/audit/T-1/").split()
    return re.findall(r"(?m)^ +(?:- )?event: (\S+)$", "\n".join(
        at.git("show", f"{revision}:{name}") for name in names
    ))  # fmt: skip


def held(at: Place, revision: str = "HEAD") -> dict[str, object]:
    """T-1 on a revision, as `show` gives it."""
    found: dict[str, object] = at.ralph("show", "T-1", "--at", revision, "--json").data["task"]
    return found


def subjects(at: Place, range_: str) -> list[str]:
    return at.git("log", "--format=%s", range_).splitlines()


def after_claim(world: World) -> None:
    alpha = place(world, "alpha")
    mine = alpha.task("T-1")["claim"]["id"]
    assert lease(world) == mine
    assert f"id: {mine}\n" in alpha.git("show", ":task-graph.yaml")
    assert alpha.git("diff", "--name-only") == ""
    staged = alpha.git("diff", "--cached", "--name-only").split()
    assert staged == [f"records/audit/T-1/{mine}.yaml", "task-graph.yaml"]
    assert place(world, "beta").ralph("claim", "T-1").code == 5


def after_complete(world: World) -> None:
    alpha = place(world, "alpha")
    assert held(alpha)["status"] == "complete"
    assert alpha.git("status", "--porcelain") == ""
    assert subjects(alpha, "main..HEAD") == ["T-1: First", "Half of it"]
    assert events(alpha, "HEAD") == ["claimed", "completed"]
    evidence = alpha.git("ls-tree", "-r", "--name-only", "HEAD", "records/evidence/").split()
    assert len(evidence) == 1
    for name, text in WORK.items():
        assert alpha.git("show", f"HEAD:{name}") + "\n" == text
    assert world.ralph("check", "--base", "main", "--at", "alpha").code == 0
    assert world.merge("alpha").code == 0
    place(world, "beta").claim("T-2")


def after_block(world: World) -> None:
    alpha = place(world, "alpha")
    assert held(alpha)["status"] == "blocked"
    assert subjects(alpha, "main..HEAD") == ["T-1: blocked (other)", "Half of it"]
    assert events(alpha, "HEAD") == ["claimed", "blocked"]
    asked = alpha.git("ls-tree", "-r", "--name-only", "HEAD", "records/guidance/").split()
    assert len(asked) == 1
    assert alpha.git("status", "--porcelain") == "?? src/"
    assert lease(world) == ""
    alpha.claim("T-3")


def after_release(world: World) -> None:
    alpha = place(world, "alpha")
    task = held(alpha)
    assert (task["status"], task["epoch"]) == ("pending", 1)
    assert subjects(alpha, "main..HEAD") == ["T-1: released", "Half of it"]
    assert events(alpha, "HEAD") == ["claimed", "released"]
    assert alpha.git("status", "--porcelain") == "?? src/"
    assert lease(world) == ""
    place(world, "beta").claim("T-1")


def after_reset(world: World) -> None:
    task = held(world)
    assert (task["status"], task["epoch"]) == ("pending", 1)
    assert subjects(world, "main") == ["T-1: reset", "The graph"]
    assert world.git("status", "--porcelain") == ""
    kept = world.git("for-each-ref", "--format=%(refname)", "refs/ralph/rescue/T-1/").split()
    assert len(kept) == 1
    for name, text in WORK.items():
        assert world.git("show", f"{kept[0]}:{name}") + "\n" == text
    beta = place(world, "beta")
    assert beta.merge("main").code == 0
    beta.claim("T-1")


def after_reset_and_push(world: World) -> None:
    # The remote decides. Where the local branch was not reached any more, a pull brings it.
    world.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert world.git("ls-remote", "origin", "refs/heads/main").split()[0] == world.head
    after_reset(world)


def after_resolve(world: World) -> None:
    """The base's claim stands, and what was done under the other is kept, and still there."""
    alpha = place(world, "alpha")
    assert alpha.git("ls-files", "-u") == ""
    assert alpha.read("task-graph.yaml") == world.read("task-graph.yaml")
    audits = "records/audit/T-1/"
    assert alpha.git("ls-files", audits) == world.git("ls-files", audits)
    assert alpha.git("diff", "--name-only") == ""
    kept = world.git("for-each-ref", "--format=%(objectname)", "refs/ralph/rescue/T-1/").split()
    assert kept == [alpha.head]
    assert lease(world) == ""
    alpha.git("commit", "--quiet", "--no-edit")


def after_shard(world: World) -> None:
    """The whole graph in its new files, and nothing else; all of it is staged."""
    shown = world.ralph("list")
    assert [line.split("\t")[0] for line in shown.out.splitlines()] == ["T-1", "T-2", "T-3"]
    # What a killed write left is for doctor.
    there = sorted(str(path.relative_to(world.path)) for path in world.path.glob("**/[!.]*.yaml"))
    tracked = world.git("ls-files", "*.yaml", "*.toml").split()
    assert tracked == [*there, "ralph.toml"]
    assert "task-graph.yaml" not in there
    assert world.git("ls-files", "--others", "--exclude-standard") == ""
    assert world.git("diff", "--name-only") == ""
    assert list((world.path / ".git/ralphgit").glob("moving-*")) == []


def after_init(world: World) -> None:
    """All of it is there, once."""
    again = world.ralph("init", "--skill", ".claude/skills", "--json").data
    assert (again["created"], again["changed"]) == ([], [])
    assert set(again["why"]) == set()
    for name, text in MINE.items():
        found = world.read(name)
        assert text in found
        assert found.count("ralphgit:begin") + found.count("import") == 1
    assert world.git("config", "--get-all", "diff.ralphgit.xfuncname").count("\n") == 0


def after_init_undo(world: World) -> None:
    again = world.ralph("init", "--undo", "--json").data
    assert again["removed"] == again["changed"] == []
    assert world.ralph("doctor", "--fix").code == 0  # a killed write's file is ignored no more
    assert world.git("status", "--porcelain") == ""
    assert {name: world.read(name) for name in MINE} == MINE
    assert world.run("git", "config", "--get", "diff.ralphgit.xfuncname").code == 1


AFTER: dict[str, Callable[[World], None]] = {
    "claim": after_claim,
    "complete": after_complete,
    "block": after_block,
    "release": after_release,
    "reset": after_reset,
    "reset-and-push": after_reset_and_push,
    "resolve": after_resolve,
    "shard": after_shard,
    "shard-within-a-glob": after_shard,
    "init": after_init,
    "init-undo": after_init_undo,
}


def repeat(scene: Scene) -> None:
    """The command again; a lock that was left goes by `doctor --fix`, as the message says."""
    again = scene.place.ralph(*scene.words, "--json")
    if again.code == 1:
        assert again.error == "index_locked", again
        assert "doctor --fix" in again.json["error"]["hint"]
        assert "fixed: " in scene.place.ralph("doctor", "--fix").out
        again = scene.place.ralph(*scene.words, "--json")
    # It may have been done already: then that is what the command says.
    assert again.code == 0, again


def leftovers(folder: Path) -> Iterator[str]:
    for parent, _, leaves in os.walk(folder):
        for leaf in leaves:
            ours = leaf.startswith((".ralph-tmp-", "index.ralph-", "moving-"))
            if ours or leaf.endswith(".lock"):
                yield os.path.join(parent, leaf)


@pytest.mark.slow
@pytest.mark.parametrize("command", slow.but(2, SCENES))
def test_a_killed_command_can_be_repeated(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path, command)
    moments = stage.moments()
    chosen = moments
    if not ALL:
        last = len(moments) - 1
        chosen = [moments[round(n * last / (SOME - 1))] for n in range(SOME)]
        chosen = list(dict.fromkeys(chosen))
    with capsys.disabled():
        told = ", ".join(f"{m.how} {m.words}" for m in chosen)
        print(f"\n{command}: killed at {len(chosen)} of {len(moments)} moments: {told}")
    for moment in chosen:
        stage.kill(moment)
        try:
            survived(stage, command, moment)
        except AssertionError as error:
            raise AssertionError(f"{command}, killed at {moment}: {error}") from error


def survived(stage: Stage, command: str, moment: Moment) -> None:
    scene, world = stage.scene, stage.scene.world
    world.git("fsck", "--no-dangling", "--no-progress")
    if command in ("complete", "block", "release", "reset", "reset-and-push"):
        alpha = place(world, "alpha")
        assert {name: alpha.read(name) for name in WORK} == WORK
    for path in leftovers(stage.live):
        long_ago = time.time() - 60
        os.utime(path, (long_ago, long_ago))  # a young lock may be somebody's
    repeat(scene)
    if moment.how == "lock":
        assert world.ralph("doctor", "--fix").code == 0
    AFTER[command](world)
    # `resolve` merges a claim whose worker has not completed it, which a person is told.
    assert world.ralph("doctor", "--fix").code == (command == "resolve")
    # After a reset, alpha is told that its claim is lost.
    told = command == "resolve" or "reset" in command
    assert place(world, "alpha").ralph("doctor", "--fix").code == told
    assert list(leftovers(stage.live)) == []
    world.git("fsck", "--no-dangling", "--no-progress")
