"""Note what each run of an agent has used, on this machine, whatever became of its task.

A file of JSON lines in `<git common dir>/ralphgit`, one for each run: of a claim that is given
back, at a limit or for its silence, no audit tells. An event that ends an attempt says what all
runs under its claim have used.
"""

import json
import os
from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.workspace.runtime_files import RUNS
from ralphgit.errors import NotWritable, Refused
from ralphgit.model.task import Event, Usage
from ralphgit.model.usage import parsed, total
from ralphgit.records import atomic_files

#: A longer file is begun anew; the one before it is kept.
_MOST_BYTES = 4 * 1024 * 1024


class Run(NamedTuple):
    """What an agent used in one run."""

    task: str
    claim: str
    """Of a review, `REVIEWED-CLAIM-review`."""
    by: str
    at: str
    """When it ended: `2026-11-29T19:00:00Z`."""
    usage: Usage


def note(common_dir: str, run: Run) -> None:
    """Note a run. Raises: NotWritable."""
    path = _path(common_dir)
    head = {"task": run.task, "claim": run.claim, "by": run.by, "at": run.at}
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path) and os.path.getsize(path) > _MOST_BYTES:
            os.replace(path, f"{path}.1")
        with atomic_files.appending(path) as file:
            file.write(f"{json.dumps({**head, **run.usage.stored()})}\n".encode())
    except OSError as error:
        raise NotWritable(f"cannot write {path}: {error.strerror}") from error


def runs(common_dir: str, claim: str = "") -> Iterator[Run]:
    """Go through the runs of this machine, or of a claim, the oldest first."""
    named = claim.encode()
    path = _path(common_dir)
    for part in (f"{path}.1", path):
        if not os.path.lexists(part):
            continue
        try:
            lines = (atomic_files.read_plain(part, limit=2 * _MOST_BYTES) or b"").splitlines()
        except Refused:
            continue  # somebody has put something else there
        for line in lines:
            if named in line and (run := _parsed(line)) is not None:
                yield run


def of_claim(common_dir: str, claim: str) -> Usage | None:
    """Return what all runs under a claim have used; None where nothing is known."""
    found = [run.usage for run in runs(common_dir, claim) if run.claim == claim]
    return total(found) if found else None


def told(common_dir: str, claim: str, event: Event) -> Event:
    """`event`, which ends an attempt, with what that has used, if its agent said anything."""
    used = of_claim(common_dir, claim)
    return event if used is None or not used.is_told else event._replace(usage=used)


def _path(common_dir: str) -> str:
    return os.path.join(common_dir, RUNS)


def _parsed(line: bytes) -> Run | None:
    try:
        known = json.loads(line)
    except (ValueError, RecursionError):
        return None  # half a line, of a process that was killed
    usage = parsed(known)
    names = ("task", "claim", "by", "at")
    if usage is None or not all(isinstance(known.get(name), str) for name in names):
        return None
    task, claim, by, at = (known[name] for name in names)
    return Run(task, claim, by, at, usage)
