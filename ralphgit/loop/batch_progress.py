"""Collect the reports of a batch's workers in one file, `.ralph/batch/progress.md`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ralphgit.app.handoff import worker_report
from ralphgit.app.handoff.worker_report import Report
from ralphgit.app.workspace import runtime_files
from ralphgit.errors import InvalidRecord
from ralphgit.records import atomic_files

PATH = os.path.join(".ralph", "batch", "progress.md")


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


class ProgressNote(NamedTuple):
    """What is noted of a task once it has ended, well or not."""

    result: WorkerResult
    title: str
    worktree: str
    """Where its worker reports."""


def append(top: str, notes: Iterable[ProgressNote], secrets: tuple[str, ...]) -> None:
    """Add a section for each note that has none yet: a repeated call adds nothing.

    The file is replaced as a whole: all of it is there, or what was before. Of what workers say
    `secrets` are left out.

    Raises: NotWritable.
    """
    path = os.path.join(top, PATH)
    text = (atomic_files.read(path) or b"# Progress\n").decode("utf-8", "replace")
    known = set(text.splitlines())
    added = []
    for note in notes:
        lines = list(_section(note, secrets))
        if lines[0] not in known:
            added.append("\n" + "\n".join(lines) + "\n")
    if added:
        data = (text + "".join(added)).encode("utf-8", "backslashreplace")
        atomic_files.write(path, data, follow=False)


def _section(note: ProgressNote, secrets: tuple[str, ...]) -> Iterator[str]:
    result = note.result
    claim = f" (claim {result.claim}, {result.worker})" if result.claim else ""
    yield f"## {result.task}: {result.outcome}{claim}"
    yield ""
    yield _line(note.title)
    if result.why:
        yield from ("", f"{result.outcome}: {_line(result.why)}")
    said = _report(note, secrets)
    if isinstance(said, str):
        yield from ("", f"The report cannot be read: {_line(said)}")
        return
    if said.summary:
        # A quotation: no line of a worker's can look like one of ours.
        yield from ("", *(f"> {line}".rstrip() for line in said.summary.splitlines()))
    if said.concerns:
        yield from ("", *(f"- {_line(concern)}" for concern in said.concerns))


def _report(note: ProgressNote, secrets: tuple[str, ...]) -> Report | str:
    """The report on this very claim, or what is wrong with it; an empty one if there is none."""
    noted = runtime_files.remembered(note.worktree)
    if noted is None or not noted.claim or noted.claim != note.result.claim:
        return Report("")
    try:
        return worker_report.read(note.worktree, secrets)
    except InvalidRecord as error:
        return str(error)


def _line(text: str) -> str:
    return " ".join(text.split())
