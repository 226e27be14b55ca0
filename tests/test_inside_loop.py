"""What a worker in a loop may call: told by its environment, by the loop, or below its process."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_git_settings import opened
from test_integrate import task, worked, world_of
from world import Place, World

import ralphgit
from ralphgit.app.workspace import heartbeat, inside_loop, locks, loop_mark
from ralphgit.cli.command_table import COMMANDS
from ralphgit.errors import GuardRefused
from ralphgit.loop import stop

ENV = {"RALPH_CLAIM": "9k2vq07x3m", "RALPH_TASK": "B"}

#: By command, what is refused to a worker; by its environment alone where it begins with "*".
REFUSED = {
    "claim": "B --force why",
    "complete": "B --force why",
    "land": "alpha --land merge",
    "integrate": "alpha",
    "batch": "run --agent true",
    "run": "* --agent true --once --land merge",
    "worker": "* . --agent true --trust",
    "reset": "A --reopen --reason why",
    "revert": "A",
    "reply": "C That",
    "audit": "add B --verdict clear --by alice",
    "archive": "A",
    "rescue": "drop A",
    "trust": "--yes",
    "stop": "* alpha --now",
    "board": "*",
    "worktree": "* remove alpha",
    "doctor": "* --fix",
    "fleet": "* up -n 1 --agent true",
    "import": "done.md",
}
#: More of the same kind.
ALSO = (
    "complete A --by alpha", "land --all --accept-concerns", "land",
    "run --role review --agent true",
    "integrate alpha --accept-concerns", "trust --revoke", "reset B --reason why",
    "audit add A --verdict clear --target alpha", "worktree prune", "fleet down --now",
    "doctor --agent true", "stop --all",
)  # fmt: skip
#: By command, what a worker may call all the same.
LET = {
    "status": "", "list": "", "show": "B", "next": "", "prompt": "B", "graph": "", "packet": "B",
    "log": "", "inbox": "", "wait": "--for B --timeout 0", "preflight": "", "independence": "",
    "evidence": "add B --shows it", "reconcile": "alpha", "check": "", "diff": "",
    "report": "-", "logs": "", "claim": "B", "complete": "B", "block": "B --question Which?",
    "release": "B", "add": "--title More", "edit": "B --title Other", "resolve": "",
    "import": "open.md", "export": "-", "shard": "--layout single --dry-run",
    "rebase-paths": "src lib", "init": "--dry-run", "completion": "bash", "mcp": "--list",
    "land": "alpha --dry-run", "integrate": "alpha --dry-run", "batch": "plan",
    "audit": "list", "archive": "--dry-run", "rescue": "list", "trust": "--list",
    "worktree": "list", "doctor": "", "fleet": "status",
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """With work of alpha that its worker is not sure of, and a task of gamma's that asks."""
    made = world_of(
        tmp_path_factory.mktemp("world"),
        task("A", "test -s a.txt", "a.txt"), task("B", "true", "b.txt"), task("C", "true", "c.txt"),
    )  # fmt: skip
    worked(made, "alpha", "A", {"a.txt": "a\n"}, "--concern", "It may be wrong")
    gamma = made.worktree("gamma")
    gamma.claim("C")
    gamma.ralph("block", "--reason", "needs_context", "--question", "Which?")
    assert gamma.ralph("land").code == 0
    beta = made.worktree("beta")
    beta.claim("B")
    beta.write("done.md", "- [x] It is done\n")
    beta.write("open.md", "- [ ] It is to be done\n")
    return made


def beta(world: World) -> Place:
    return Place(world.folder / f"{world.path.name}-beta", world.environ, world)


@contextmanager
def loop_in(place: Place, pid: int | str = "") -> Iterator[None]:
    """A loop works in the worktree: of this process, or of one that says that it is `pid`."""
    folder = Path(place.git("rev-parse", "--absolute-git-dir")) / "ralphgit"
    folder.mkdir(exist_ok=True)
    lock = folder / "loop.lock"
    lock.write_text(str(pid))
    if pid == os.getpid():
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    held = "import fcntl, sys; file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX)"
    words = (sys.executable, "-c", f"{held}; print(flush=True); sys.stdin.read()", lock)
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield
        finally:
            holder.kill()


def answered(place: Place, line: str, env: dict[str, str]) -> tuple[int, str]:
    done = place.ralph(*line.split(), "--json", env=env)
    return done.code, done.error


def lines(beside: bool) -> list[str]:
    """What is refused; with `beside`, also where only the lock tells of a worker."""
    every = [f"{name} {words}" for name, words in REFUSED.items()]
    return [line.replace(" *", "") for line in every if not (beside and " *" in line)]


def test_the_table_has_every_command() -> None:
    """A new command is put into both: what is refused of it, and what is not."""
    from ralphgit.rules import in_a_loop

    assert {*REFUSED, *LET} == set(COMMANDS)
    assert {*in_a_loop.ALLOWED} | {*in_a_loop.RULES} == set(COMMANDS)
    assert {*REFUSED} == {*in_a_loop.RULES}
    looking = {name for name, command in COMMANDS.items() if command.group == "look"}
    assert looking <= in_a_loop.ALLOWED


def test_what_a_worker_may_not_call_is_refused_by_its_environment(world: World) -> None:
    place, before = beta(world), world.state()
    told = {line: answered(place, line, ENV) for line in (*lines(beside=False), *ALSO)}
    assert {line: found[0] for line, found in told.items()} == dict.fromkeys(told, 8)
    assert {found[1] for found in told.values()} == {"in_loop", "worker_consents"}
    assert world.state() == before


def test_what_a_worker_may_not_call_is_refused_by_the_loop_s_lock(world: World) -> None:
    place = beta(world)
    with loop_in(place):
        before = world.state()
        told = {line: answered(place, line, {}) for line in lines(beside=True)}
        assert {line: found[0] for line, found in told.items()} == dict.fromkeys(told, 8)
        assert {found[1] for found in told.values()} == {"in_loop", "worker_consents"}
        assert answered(place, "run --agent true --once", {}) == (8, "loop_running")
        assert world.state() == before


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells who started it")
def test_below_a_loop_the_environment_may_be_empty(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that goes elsewhere, and empties its environment, is still below its loop."""
    monkeypatch.setattr(os, "getppid", os.getpid)
    # What asks for no repository, for a terminal or for a file first is none of them.
    every = [
        one for one in lines(beside=False) if one.split()[0] not in ("worker", "board", "import")
    ]
    with loop_in(beta(world), os.getpid()):
        before = world.state()
        told = {line: answered(world, line, {}) for line in every}
        assert world.state() == before
    assert {line: found[0] for line, found in told.items()} == dict.fromkeys(told, 8)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who started it")
def test_below_a_loop_its_lock_may_say_what_it_will(world: World) -> None:
    place = beta(world)
    project = opened(place)
    lock = Path(locks.path_of(project.repository.git_dir))
    with locks.LoopLock(project):
        lock.write_text("1\n")
        before = world.state()
        for line in ("trust --yes", "reset A --reopen --reason why", "claim B", "land alpha"):
            assert world.ralph(*line.split(), "--json", apart=True).code == 8, line
        assert world.state() == before
        lock.unlink()
        before = world.state()
        assert place.ralph("land", "--json", apart=True).error == "in_loop"
        assert world.state() == before
    assert world.ralph("claim", "B", "--json", apart=True).error != "in_loop"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who started it")
def test_a_loop_is_asked_to_end_whatever_its_heartbeat_says(world: World) -> None:
    """Also where its agent has marked a process of its own."""
    project = opened(beta(world))
    folders = project.repository.common_dir, project.repository.git_dir
    marks = (
        "import sys; from ralphgit.app.workspace import loop_mark; loop_mark.put(*sys.argv[1:]); "
        "print(flush=True); sys.stdin.read()"
    )
    words = (sys.executable, "-c", marks, *folders)
    with locks.LoopLock(project):
        agent = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with agent as marked:
            assert marked.stdout is not None
            marked.stdout.readline()
            for pid in (marked.pid, 999_999):
                noted = heartbeat.noted(os.getpid())._replace(pid=pid)
                beat = heartbeat.Heartbeat(*noted, "beta", "B", "", "agent", time.time())
                heartbeat.write(project.top, beat)
                (asked,) = stop.stop(project, (), every=False, now=False)
                assert asked.pid == os.getpid()
            marked.kill()
        # It is no other worktree's either.
        words = (*words[:4], opened(world).repository.git_dir)
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as marked:
            assert marked.stdout is not None
            marked.stdout.readline()
            top = world.path.as_posix()
            assert locks.loops_of(project, [top]) == {top: 0}
            marked.kill()
    stop.forget(project.top)
    Path(project.top, ".ralph/heartbeat").unlink()
    with pytest.raises(GuardRefused, match="no loop runs"):
        stop.stop(project, (), every=False, now=False)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who started it")
def test_below_what_may_not_be_looked_into_a_loop_may_be(world: World) -> None:
    """As from a sandbox of Landlock: here from a user namespace of its own."""
    place, line = beta(world), (sys.executable, "-m", "ralphgit", "trust", "--yes")
    hides = (
        "import ctypes, os, sys; ctypes.CDLL(None).unshare(0x10000000); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    # The name of what runs is all that is seen of it.
    loop = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[3:]))"
    for name, code in (("run", 8), ("reset", 0)):
        words = (sys.executable, "-c", loop, "ralphgit", name, sys.executable, "-c", hides, *line)
        done = subprocess.run(words, cwd=place.path, env=world.environ, capture_output=True)
        assert done.returncode == code, done.stderr


#: What a worker may call in its own worktree alone.
OWN = ("claim B", "complete B", "block B --question Which?", "release B",
       "evidence add B --shows it", "add --title More", "edit B --title Other", "import open.md",
       "resolve")  # fmt: skip


def test_another_worktree_is_not_a_worker_s(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getppid", os.getpid)
    place = beta(world)
    gamma = Place(world.folder / f"{world.path.name}-gamma", world.environ, world)
    environments = [{**ENV, "RALPH_PACKET": str(gamma.path / ".ralph" / "packet.json")}]
    environments += [{}] * Path("/proc/self/stat").exists()
    with loop_in(gamma, os.getpid()):
        before = world.state()
        for env in environments:
            told = {line: answered(place, line, env) for line in OWN}
            assert told == dict.fromkeys(OWN, (8, "in_loop"))
        assert answered(place, "show B", environments[0])[0] == 0
        assert answered(place, "import open.md --dry-run", environments[0])[0] == 0
        assert answered(gamma, "resolve", environments[0])[1] != "in_loop"
    assert world.state() == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who started it")
def test_a_worker_that_marks_itself_is_in_no_other_worktree(world: World) -> None:
    place, gamma = opened(beta(world)), opened(Place(
        world.folder / f"{world.path.name}-gamma", world.environ, world
    ))  # fmt: skip
    marks = (
        "import subprocess, sys; from ralphgit.app.workspace import loop_mark; "
        "loop_mark.put(*sys.argv[1:3]); sys.exit(subprocess.call(sys.argv[3:]))"
    )
    folders = gamma.repository.common_dir, gamma.repository.git_dir
    words = (sys.executable, "-c", marks, *folders, sys.executable, "-m", "ralphgit", "resolve")
    with locks.LoopLock(place):
        ran = subprocess.run(words, cwd=gamma.top, env=world.environ, capture_output=True)
    assert ran.returncode == 8
    assert b"another worktree" in ran.stderr


def test_what_may_not_be_seen_takes_the_place_of_no_loop_that_is_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = opened(beta(world))
    gamma = Place(world.folder / f"{world.path.name}-gamma", world.environ, world)
    own = loop_mark.identity(place.repository.git_dir)
    marks = {2: (own,), 1: (loop_mark.UNSEEN,)}
    monkeypatch.setattr(loop_mark, "ancestors", lambda pid: iter((2, 1)))
    monkeypatch.setattr(loop_mark, "worktrees_of", lambda pid, common: iter(marks[pid]))
    with loop_in(gamma), pytest.raises(GuardRefused, match="another worktree"):
        inside_loop.refuse_elsewhere(opened(gamma))
    with loop_in(beta(world)):
        inside_loop.refuse_elsewhere(place)


def test_a_worker_whose_worktree_is_gone_is_in_no_other_one(world: World) -> None:
    place, gone = beta(world), world.folder / "gone"
    gone.mkdir()
    (gone / ".git").write_text(f"gitdir: {world.path}/.git/worktrees/gone\n")
    env = {**ENV, "RALPH_PACKET": str(gone / ".ralph" / "packet.json")}
    with loop_in(place):
        assert answered(place, "resolve", env) == (8, "in_loop")


@pytest.mark.parametrize("number", ["4711", ""])
def test_a_loop_that_is_not_seen_is_named_as_its_lock_does(
    number: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a loop in another container."""
    looked: list[int] = []
    monkeypatch.setattr(locks, "_has_locked", lambda pid, file: looked.append(pid))
    monkeypatch.setattr(locks, "_NUMBER_S", 0.1)
    named = f"process {number}" if number else "a process that cannot be seen from here"
    place = beta(world)
    with loop_in(place, number), pytest.raises(GuardRefused, match=named) as refused:
        locks.LoopLock(opened(place)).__enter__()
    assert refused.value.details.get("pid") == (int(number) if number else None)
    assert looked.count(os.getpid()) == (sys.platform == "linux")


def test_a_person_elsewhere_is_not_a_worker(world: World) -> None:
    with loop_in(beta(world), 1):
        assert answered(world, "land alpha", {}) == (7, "concerns_wait")
        assert answered(world, "revert A", {}) == (8, "not_claimed")


@pytest.mark.parametrize("name", LET)
def test_what_a_worker_may_call_is_not_refused(name: str, world: World) -> None:
    assert answered(beta(world), f"{name} {LET[name]}", ENV)[1] not in (
        "in_loop",
        "worker_consents",
    )


def test_from_python_it_is_refused_too(world: World) -> None:
    repo = ralphgit.open(beta(world).path, environ={**world.environ, **ENV})
    with pytest.raises(GuardRefused, match="a person's to decide"):
        repo.reset("A", reason="why", reopen=True)
    with pytest.raises(GuardRefused, match="nothing can be forced"):
        repo.complete("B", force="why")
    with pytest.raises(GuardRefused, match="nothing can be forced"):
        repo.claim("B", force="why")
    gamma = Place(world.folder / f"{world.path.name}-gamma", world.environ, world)
    environ = {**world.environ, **ENV, "RALPH_PACKET": str(gamma.path / ".ralph" / "packet.json")}
    repo = ralphgit.open(beta(world).path, environ=environ)
    with pytest.raises(GuardRefused, match="another worktree"):
        repo.block("B", question="Which?")
    with pytest.raises(GuardRefused, match="another worktree"):
        repo.release("B")
    with pytest.raises(GuardRefused, match="another worktree"):
        repo.complete("B")


def test_who_has_a_lock_is_nobody_s_to_say_where_no_process_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox may have no /proc."""
    listdir = os.listdir

    def listed(path: str) -> list[str]:
        return listdir("/gone" if path == "/proc" else path)

    monkeypatch.setattr(os, "listdir", listed)
    path = tmp_path / "loop.lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert locks.process_with_lock(str(path)) == 0
    assert loop_mark.loops(str(tmp_path)) == {}


def test_who_only_looks_whether_a_loop_works_is_none(world: World) -> None:
    project = opened(beta(world))
    path = Path(locks.path_of(project.repository.git_dir))
    path.parent.mkdir(parents=True, exist_ok=True)
    looking = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(looking, fcntl.LOCK_SH)
    assert not locks.loop_works_in(project)
    threading.Timer(0.05, os.close, (looking,)).start()
    with locks.LoopLock(project):
        pass
