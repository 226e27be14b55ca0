"""Find the prefix that tells the tasks of a file apart from those of others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from ralphgit.app.exchange.known_task import Known
from ralphgit.errors import UsageError
from ralphgit.records.importers.parts import headings

#: Files with such names are told apart by their folders.
_PLAIN_NAMES = frozenset({"tasks", "plan", "todo", "readme", "index", "issues", "prd"})

_LONGEST = 64


def remembered(name: str, own: Iterable[Known], wanted: str) -> str:
    """The prefix of a file's tasks: as wanted, else as remembered.

    Raises: UsageError (other_prefix) where the file's tasks have another one.
    """
    whole = [task for task in own if task.id.endswith(task.name)]
    found = {task.id[: -len(task.name)] for task in whole} or {_before_cut(task) for task in own}
    known = found.pop() if len(found) == 1 else ""
    if not wanted or wanted == known or all(task.id.startswith(wanted) for task in own):
        return wanted or known
    before = f"with --prefix {known}" if known else "without a prefix"
    again = f"ralphgit import --prefix {known} {name}" if known else f"ralphgit import {name}"
    raise UsageError(
        f"{name} was imported {before}, and its tasks keep their ids; nothing was written",
        code="other_prefix", hint=again,
    )  # fmt: skip


def _before_cut(task: Known) -> str:
    """What stands before the part of a task's name that its id has; "" where it has none."""
    id = re.sub(r"-[0-9]+\Z", "", task.id) if not _tail(task.id, task.name) else task.id
    return id[: len(id) - len(_tail(id, task.name))] if _tail(id, task.name) else ""


def _tail(id: str, name: str) -> str:
    """The longest end of `id` that begins at a word, and with which `name` begins."""
    starts = (place + 1 for place, letter in enumerate(id) if letter == "-")
    return next((id[at:] for at in starts if id[at:] and name.startswith(id[at:])), "")


def prefix_of(name: str, longest: int) -> str:
    """A prefix for the tasks of a file, after the file or, where that says little, its folder."""
    stem = os.path.basename(name).partition(".")[0]
    folder = os.path.basename(os.path.dirname(os.path.abspath(name)))
    word = folder if stem.casefold() in _PLAIN_NAMES and folder else stem
    return f"{headings.slug(word)[: _LONGEST - 1 - longest].strip('-')}-"
