"""Read the state of a repository's loops: heartbeats, journals, the fleet's notes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.workspace import heartbeat, runtime_files, worktree_names
from ralphgit.app.workspace.heartbeat import Heartbeat, Process
from ralphgit.app.workspace.project import Project
from ralphgit.git.listings import Worktree
from ralphgit.loop import event_log
from ralphgit.records import runtime_notes

NOTE = runtime_files.FLEET


class FleetNote(NamedTuple):
    """A loop that a fleet has started."""

    how: str
    """tmux or background."""
    process: Process

    @property
    def pid(self) -> int:
        return self.process.pid


class Worker(NamedTuple):
    """A worker as its records show it."""

    name: str
    worktree: str
    state: str
    """starting, alive, silent, gone, ended."""
    phase: str
    task: str
    age_s: float | None
    """Of the heartbeat."""
    done: tuple[str, ...]
    blocked: tuple[str, ...]
    how: str
    """tmux, background; by hand for one that no fleet has started."""
    pid: int


def note_of(top: str) -> FleetNote | None:
    value = runtime_notes.read(os.path.join(top, NOTE))
    pid = value.get("pid")
    if not isinstance(pid, int):
        return None
    how, started, boot, host = (str(value.get(k) or "") for k in ("how", "started", "boot", "host"))
    return FleetNote(how, Process(pid, started, boot, host))


def note_down(top: str, how: str, pid: int) -> None:
    """Note which process is the loop of a worktree. Raises: NotWritable."""
    record = {"how": how, **heartbeat.noted(pid)._asdict()}
    runtime_notes.write(os.path.join(top, NOTE), record)


def beat_of(top: str) -> Heartbeat | None:
    """Return the heartbeat of a loop that is not known to be gone."""
    beat = heartbeat.read(top)
    return None if beat is None or heartbeat.gone(beat) else beat


def runs(top: str) -> int:
    """Return the process id of the worktree's loop, also if it was just started; 0 for none."""
    if (beat := beat_of(top)) is not None:
        return beat.pid
    note = note_of(top)
    return note.pid if note is not None and not note.process.gone else 0


def workers(project: Project) -> list[Worker]:
    """List the fleet's workers and all others that run a loop, by what they left on disk."""
    found = []
    for worktree in project.repository.worktrees:
        note, beat = note_of(worktree.path), heartbeat.read(worktree.path)
        if note is None and beat_of(worktree.path) is None:
            continue
        found.append(_worker(project, worktree, note, beat))
    return found


def state_of(note: FleetNote | None, beat: Heartbeat | None, now: float) -> str:
    """Return the state of a worktree's loop: alive, silent, gone, starting or ended."""
    if beat is not None and heartbeat.gone(beat):
        return "gone"
    if beat is not None:
        return "alive" if heartbeat.alive(beat, now) else "silent"
    return "starting" if note is not None and not note.process.gone else "ended"


def _worker(
    project: Project, worktree: Worktree, note: FleetNote | None, beat: Heartbeat | None
) -> Worker:
    entries = event_log.latest(worktree.path)
    now = project.around.now()
    state = state_of(note, beat, now)
    pid = beat.pid if beat is not None else note.pid if note is not None else 0
    if state == "starting":
        entries = []
    return Worker(
        name=worktree_names.name_of(project, worktree),
        worktree=worktree.path,
        state=state,
        phase=beat.phase if beat is not None else last_phase(entries) if state == "ended" else "",
        task=beat.task if beat is not None else "",
        age_s=round(max(0.0, now - beat.time), 1) if beat is not None else None,
        done=tasks(entries, "done"),
        blocked=tasks(entries, "blocked"),
        how=note.how if note is not None and note.pid == pid else "by hand",
        pid=pid,
    )


def last_phase(entries: Sequence[dict[str, object]]) -> str:
    return str(entries[-1].get("why", "")) if entries else ""


def tasks(entries: Sequence[dict[str, object]], event: str) -> tuple[str, ...]:
    return tuple(str(entry.get("task", "")) for entry in entries if entry["event"] == event)
