"""Start, watch and end several loops of one repository, each in its own worktree.

A loop of the fleet is a process like any other loop: it lives on when its starter is
gone, and shows its state in its heartbeat and its journal. `.ralph/fleet.yaml` in its worktree
notes which process it is and where it was started; that is all the fleet remembers (`fleet_state`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.processes import trust
from ralphgit.app.workspace import locks, runtime_files, worktree_names
from ralphgit.app.workspace.locks import RepositoryLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.worktrees import create
from ralphgit.errors import GuardRefused, NotWritable, RalphError, UsageError
from ralphgit.loop import background, event_log, fleet_state, stop, tmux_entry, tmux_session
from ralphgit.loop.task_agents import TaskAgents
from ralphgit.model.ids import is_id

LOG = os.path.join(event_log.FOLDER, "fleet.log")
_START = os.path.join(".ralph", "start.json")
#: More loops than these mostly wait for each other, and for the limits of one account.
_MANY = 5
#: How long a loop may take to begin, and to end: when it has nothing to do,
#: and when it has to stop its agent.
_BEGIN_S, _END_S, _END_NOW_S = 15.0, 15.0, 20.0
#: How long another `up` may take to start its loops.
_ALONE_S = 60.0
#: The phases in which a loop may still find that it cannot work here.
_FIRST = ("start", "claim")
#: How long its last words may take through tmux into the log.
_SAID_S = 1.0


class Wanted(NamedTuple):
    """A worker to be started."""

    name: str
    story: str
    """"" for tasks of any story."""
    task: str = ""
    """"" for any task; else just this one."""


class FleetOptions(NamedTuple):
    """How the loops are started; "" is as configured."""

    agent: str = ""
    land: str = ""
    idle: str = ""
    tmux: bool | None = None
    """None takes tmux where it is there."""
    provides: str = ""


class Started(NamedTuple):
    """What `up` did about a worker."""

    name: str
    worktree: str
    made: bool
    """The worktree is new."""
    state: str
    """started, running (before), ended (in good order already), failed."""
    how: str
    pid: int
    why: str
    """For what failed or ended."""


class Ending(NamedTuple):
    """What `down` did about a worker."""

    name: str
    worktree: str
    pid: int
    task: str
    ended: bool


# -- which -------------------------------------------------------------------------------


def wanted(number: int, stories: Sequence[str]) -> list[Wanted]:
    """List the workers to start: w1 to wN, or one for each story, named after it.

    Raises: UsageError.
    """
    if not stories:
        return [Wanted(f"w{n}", "") for n in range(1, number + 1)]
    found: dict[str, Wanted] = {}
    for story in dict.fromkeys(stories):
        if not is_id(story):
            raise UsageError(f"{story!r} is not a story", code="bad_story", hint="--story S-024")
        if twin := found.get(story.casefold()):
            raise UsageError(
                f"the worktrees of {twin.story} and {story} would differ only in case",
                code="bad_story", hint=f"ralphgit worktree new NAME --story {shlex.quote(story)}",
            )  # fmt: skip
        found[story.casefold()] = Wanted(story, story)
    return list(found.values())


# -- up ------------------------------------------------------------------------------------


def up(project: Project, workers: Sequence[Wanted], options: FleetOptions) -> list[Started]:
    """Give each worker a worktree where it has none, and start its loop where none runs.

    The worktrees are made before the first loop starts: a refusal starts nothing, and leaves
    those that were made. The loops start one after the other and outlive us.

    Raises: UsageError, GuardRefused, NeedsPerson (untrusted), NotWritable, Refused.
    """
    consent(project, options.agent)
    running = {one.name for one in fleet_state.workers(project) if one.state == "alive"}
    if (number := len(running | {one.name for one in workers})) > _MANY:
        project.warn(
            f"{number} loops at once share this machine and the limits of one account, and wait "
            f"for each other's files; up to {_MANY} do well"
        )
    _ = project.base_view  # without a graph no loop could begin
    session = None
    if options.tmux or (options.tmux is None and not tmux_session.missing()):
        session = tmux_session.Fleet(project.repository.name, project.repository.common_dir)
    runtime_files.exclude(project)
    with RepositoryLock(project, "fleet up", code="fleet_busy", patience_s=_ALONE_S):
        found = _begin(project, workers, options, session)
    return [_settled(one) if one.state == "started" else one for one in found]


def _begin(
    project: Project,
    workers: Sequence[Wanted],
    options: FleetOptions,
    session: tmux_session.Fleet | None,
) -> list[Started]:
    made = worktrees(project, workers)
    found: list[Started] = []
    fresh = False
    for worker in workers:
        top = worktree_names.folder_of(project, worker.name)
        if pid := fleet_state.runs(top):
            note = fleet_state.note_of(top)
            how = note.how if note is not None and note.pid == pid else "by hand"
            found.append(Started(worker.name, top, False, "running", how, pid, ""))
            continue
        if fresh:
            time.sleep(project.config.fleet_stagger)
        fresh = True
        pid = start(project, worker, options, session)
        how = "background" if session is None else "tmux"
        found.append(Started(worker.name, top, worker.name in made, "started", how, pid, ""))
    return found


def consent(project: Project, agent: str) -> None:
    """Raises: NeedsPerson (untrusted) where a loop may not run what it has to; UsageError."""
    config = project.config
    TaskAgents(project, agent)
    trust.require(project, trust.verify_commands(project))
    if config.notify_command:
        trust.require(project, [config.notify_command])


def worktrees(project: Project, workers: Sequence[Wanted]) -> set[str]:
    """Make the worktrees that do not exist; returns their names."""
    made: set[str] = set()
    for name, story, _ in workers:
        path = os.path.realpath(worktree_names.folder_of(project, name))
        known = project.repository.worktrees
        if any(os.path.realpath(one.path) == path and one.exists for one in known):
            continue
        try:
            done = create.new(project, name, story=story, fetch=not made)
            project.refresh()
            if refusal := create.failed_setup(project, done, data=None):
                raise refusal
        except RalphError:
            if made:
                shown = ", ".join(sorted(made))
                project.warn(f"no loop was started; made before, and left: {shown}")
            raise
        made.add(name)
    return made


def _words(worker: Wanted, options: FleetOptions) -> list[str]:
    # -P: python would else look for its modules in the worktree first.
    words = [sys.executable, "-P", "-m", "ralphgit", "--no-color", "run", "--worker", worker.name]
    for flag, value in (
        ("--story", worker.story), ("--task", worker.task), ("--agent", options.agent),
        ("--land", options.land), ("--idle", options.idle),
        ("--provides", options.provides),
    ):  # fmt: skip
        if value:
            words += [flag, value]
    return words


def start(
    project: Project,
    worker: Wanted,
    options: FleetOptions,
    session: tmux_session.Fleet | None = None,
) -> int:
    """Start a loop that outlives this process, and note it; returns its process id.

    Raises: NotWritable, Refused (tmux).
    """
    top = worktree_names.folder_of(project, worker.name)
    pid = _start(project, worker, top, _words(worker, options), session)
    fleet_state.note_down(top, "background" if session is None else "tmux", pid)
    return pid


def _start(
    project: Project, worker: Wanted, top: str, words: list[str], session: tmux_session.Fleet | None
) -> int:
    log = os.path.join(top, LOG)
    environ = {k: v for k, v in project.around.environ.items() if not k.startswith("TMUX")}
    try:
        with background.open_log(log) as file:
            if session is None:
                return background.start(words, top, environ, file)
        start = os.path.join(top, _START)
        if os.path.lexists(start):
            os.unlink(start)
        told = json.dumps({"words": words, "environ": environ}).encode("ascii")
        entry = (os.path.abspath(tmux_entry.__file__), start, hashlib.sha256(told).hexdigest(), top)
        pid = session.open(worker.name, top, (sys.executable, "-I", "-S", *entry), log)
        _hand_over(start, told)
        return pid
    except OSError as error:
        raise NotWritable(
            f"the loop of {worker.name} cannot be started: {error.strerror}"
        ) from error


def _hand_over(path: str, told: bytes) -> None:
    """Write `told` to `path`, whole, and readable by its owner only: it may hold secrets."""
    beside = f"{path}.{os.getpid()}"
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(told)
    os.replace(beside, path)


def _settled(one: Started) -> Started:
    """Wait until the loop is past its first look for a task, or has ended, and return which."""
    top = one.worktree

    def begun() -> bool:
        beat = fleet_state.beat_of(top)
        return _ended(one.pid, top) or (beat is not None and beat.phase not in _FIRST)

    background.until(begun, _BEGIN_S)
    if not _ended(one.pid, top):
        return one
    if (other := fleet_state.beat_of(top)) is not None and other.pid != one.pid:
        # Another loop, started by hand at the same moment, got the lock.
        return one._replace(state="running", how="by hand", pid=other.pid)
    last = event_log.latest(top)
    if last and last[0].get("pid") == one.pid and last[-1]["event"] == "ended":
        why = str(last[-1].get("why", ""))
        if why != "failed":
            return one._replace(state="ended", why=why)
    background.until(lambda: bool(last_error(top)), _SAID_S)
    return one._replace(state="failed", why=last_error(top))


def _ended(pid: int, top: str) -> bool:
    note = fleet_state.note_of(top)
    ended = background.has_ended(pid)
    return (note is None or note.process.gone) if ended is None else ended


def agent_away(top: str) -> str:
    """Return why the newest loop of a worktree has ended because its agent cannot work; else ""."""
    entries = event_log.latest(top)
    away = [str(one.get("message", "")) for one in entries if one["event"] == "unavailable"]
    return away[-1] if away and entries[-1]["event"] == "ended" else ""


def last_error(top: str) -> str:
    """Return the last error of the newest loop of the fleet in a worktree; "" if it has none."""
    return background.last_error(os.path.join(top, LOG))


# -- attach and down -----------------------------------------------------------------------


def _is_in(pid: int, top: str) -> bool:
    """Whether a process has begun in the worktree, as a loop that was just started has."""
    import psutil

    try:
        return os.path.realpath(psutil.Process(pid).cwd()) == os.path.realpath(top)
    except psutil.Error:
        return False


def down(project: Project, names: Sequence[str], *, now: bool) -> list[Ending]:
    """Ask some of the fleet's loops to end, all without `names`; see `stop.stop`.

    Waits for those that have no task, and with `now` for all of them, up to some seconds. The
    worktrees stay.

    Raises: GuardRefused (no_loop), UsageError (unknown_worktree), NotWritable.
    """
    chosen = worktree_names.chosen(project, tuple(names), every=not names)
    asked: list[Ending] = []
    running = locks.loops_of(project, [one.path for one in chosen])
    for one in chosen:
        note, beat = fleet_state.note_of(one.path), fleet_state.beat_of(one.path)
        if note is None or not note.process.here:
            continue
        pid = running[one.path] or note.pid
        if pid != note.pid or note.process.gone:
            continue
        has_begun = bool(running[one.path])  # else it has no lock yet, and looks for no note
        if not has_begun and not _is_in(pid, one.path):
            continue  # whoever wrote that note, it is of no loop
        if not stop.end(one.path, pid, now=now or not has_begun):
            continue
        task = beat.task if beat is not None else ""
        asked.append(Ending(worktree_names.name_of(project, one), one.path, pid, task, False))
    if names and not asked:
        name = names[0]
        by_hand = bool(running[chosen[0].path])
        raise GuardRefused(
            f"the loop of {name} was started by hand" if by_hand else f"no loop of {name} runs",
            code="no_loop",
            hint=f"ralphgit stop {shlex.quote(name)}" if by_hand else "ralphgit fleet status",
        )  # fmt: skip
    deadline = time.monotonic() + (_END_NOW_S if now else _END_S)
    return [_awaited(one, deadline if now or not one.task else 0.0) for one in asked]


def _awaited(one: Ending, deadline: float) -> Ending:
    def ended() -> bool:
        note = fleet_state.note_of(one.worktree)
        return note is None or note.pid != one.pid or note.process.gone

    return one._replace(ended=background.until(ended, deadline - time.monotonic()))


def session(project: Project) -> tmux_session.Fleet | None:
    """Return the repository's tmux session; None if there is none, or no tmux."""
    if tmux_session.missing():
        return None
    found = tmux_session.Fleet(project.repository.name, project.repository.common_dir)
    return found if found.name else None
