"""Keep what a batch has to know after a crash and the records do not say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from ralphgit.model import characters
from ralphgit.records import atomic_files, runtime_notes, yaml_writer

FOLDER = os.path.join(".ralph", "batch")
_STATE = os.path.join(FOLDER, "state.yaml")


class Job(NamedTuple):
    """A task, and the worker that does it."""

    task: str
    worker: str
    again: str = ""
    """Why it is tried once more, alone; "" the first time."""


class WorkerResult(NamedTuple):
    """What became of a task."""

    task: str
    outcome: str
    """done, blocked (it waits for a person), failed, waiting (it was not begun), cancelled."""
    why: str = ""
    worker: str = ""
    claim: str = ""
    command: str = ""
    """What a person types who moves it on; "" where `inbox` says it."""

    @property
    def sentence(self) -> str:
        said = "failed" if self.outcome == "failed" else f"is {self.outcome}"
        return f"{self.task} {said}" + (f": {self.why}" if self.why else "")


_T = TypeVar("_T", Job, WorkerResult)


class State(NamedTuple):
    """Where a batch is."""

    group: tuple[Job, ...] = ()
    """What is worked on now; nothing between two groups."""
    failed: tuple[Job, ...] = ()
    """What is to be tried again, one after the other, before the next group."""
    results: tuple[WorkerResult, ...] = ()
    """What has ended, in that order."""


def read(top: str) -> State:
    """Read the state of an interrupted batch in the worktree at `top`; empty if there is none."""
    value = runtime_notes.read(os.path.join(top, _STATE))
    group, failed = _parsed(value, "group", Job), _parsed(value, "failed", Job)
    return State(group, failed, _parsed(value, "results", WorkerResult))


def _parsed(value: Mapping[str, object], key: str, kind: type[_T]) -> tuple[_T, ...]:
    found = value.get(key)
    known = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return tuple(kind(*(str(one.get(name, "")) for name in kind._fields)) for one in known)


def write(top: str, state: State) -> None:
    """Raises: NotWritable."""
    value = {name: [one._asdict() for one in part] for name, part in state._asdict().items()}
    data = yaml_writer.mapping(characters.values_without(value)).encode()
    atomic_files.write(os.path.join(top, _STATE), data)


def forget(top: str) -> None:
    """Remove the state: the batch has ended. Raises: NotWritable."""
    atomic_files.unlink(os.path.join(top, _STATE))
