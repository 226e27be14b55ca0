"""What a batch has to know after a crash, and the records do not say: `.ralph/batch/state.yaml`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.errors import InvalidRecord, NotWritable
from ralphgit.records import atomic_files, yaml_reader, yaml_writer
from ralphgit.records import input_limits as texts

FOLDER = os.path.join(".ralph", "batch")
_STATE = os.path.join(FOLDER, "state.yaml")


class Job(NamedTuple):
    """A task, and whose it is."""

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

    @property
    def sentence(self) -> str:
        said = "failed" if self.outcome == "failed" else f"is {self.outcome}"
        return f"{self.task} {said}" + (f": {self.why}" if self.why else "")


class State(NamedTuple):
    """Where a batch is."""

    group: tuple[Job, ...] = ()
    """What is worked on now; nothing between two groups."""
    failed: tuple[Job, ...] = ()
    """What is to be tried again, one after the other, before the next group."""
    results: tuple[WorkerResult, ...] = ()
    """What has ended, in that order."""


def read(top: str) -> State:
    """The state of the batch of the worktree at `top`; an empty one if none was broken off."""
    data = atomic_files.read(os.path.join(top, _STATE))
    if data is None:
        return State()
    try:
        value = yaml_reader.load(texts.decode(data, limit=texts.MAX_RECORD_BYTES))
    except InvalidRecord:
        return State()  # the records say enough to begin anew
    if not isinstance(value, dict):
        return State()
    return State(
        tuple(Job(*_words(one, Job._fields)) for one in _mappings(value, "group")),
        tuple(Job(*_words(one, Job._fields)) for one in _mappings(value, "failed")),
        tuple(
            WorkerResult(*_words(one, WorkerResult._fields)) for one in _mappings(value, "results")
        ),
    )


def _mappings(value: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    found = value.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _words(one: Mapping[str, object], names: tuple[str, ...]) -> list[str]:
    return [str(one.get(name, "")) for name in names]


def write(top: str, state: State) -> None:
    """Raises: NotWritable."""
    value = {name: [one._asdict() for one in part] for name, part in state._asdict().items()}
    data = yaml_writer.mapping(value).encode("utf-8", "backslashreplace")
    atomic_files.write(os.path.join(top, _STATE), data)


def forget(top: str) -> None:
    """The batch has ended. Raises: NotWritable."""
    try:
        os.unlink(os.path.join(top, _STATE))
    except FileNotFoundError:
        return
    except OSError as error:
        raise NotWritable(f"cannot remove {_STATE}: {error.strerror}") from error
