"""Refuse an import that cannot tell which task an item is, with each reading and its command."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from ralphgit.app.exchange import source_prefix
from ralphgit.app.exchange.known_task import Item, Known
from ralphgit.errors import GuardRefused, InvalidRecord
from ralphgit.model.printable import counted
from ralphgit.model.task_status import Status
from ralphgit.records.importers.parts.source_values import short
from ralphgit.rules.import_identity import RENUMBERED, REWORDED, is_like
from ralphgit.rules.renamed_sections import is_next


class Doubt(NamedTuple):
    """An item with other words than the task of its id, under which something was done."""

    item: Item
    task: Known
    now: str
    """Where the task's words are in the file, "" where they are not."""


def another(item: Item, other: Known, name: str) -> InvalidRecord:
    file, line = other.place
    folder, last = os.path.split(name)
    if folder and last.partition(".")[0] == item.name:  # the folder has more of them
        name, word = folder, source_prefix.prefix_of(f"{folder}/tasks.md", len(item.name))
    else:
        word = source_prefix.prefix_of(name, len(item.name))
    return InvalidRecord(
        f"the graph has another task {other.id} ({short(other.title)}); nothing was written; "
        "--prefix puts a word before the ids",
        file=file, line=line, task=item.name, code="other_source",
        hint=f"ralphgit import --prefix {shlex.quote(word)} {shlex.quote(name)}",
    )  # fmt: skip


def ask(name: str, doubts: Sequence[Doubt]) -> GuardRefused:
    """The refusal of words that changed under what was done, or is; with both readings."""
    item, task, now = doubts[0]
    # Other work that is taken for what is done would never be begun.
    same = all(is_like(one.item.title, one.task.title) and not one.now for one in doubts)
    more = f" (so have those of {counted(len(doubts) - 1, 'more task')})" if doubts[1:] else ""
    moved = f"its work is {now} now" if now else "its work is in the list no more"
    old, new = _apart(task.title, item.title)
    return _changed(
        f"{name}:{item.line}: {task.id} is {_state(task)} here, and its words have changed from "
        f"{old} to {new}{more}; nothing was written. Either the list "
        f"was renumbered: {moved}, and {item.name} is other work (--renumbered). Or it is the "
        "same work in other words (--reworded)",
        name, doubts, same=same,
    )  # fmt: skip


def ask_of_documents(names: Sequence[str], doubts: Sequence[Doubt]) -> GuardRefused:
    """The same of documents of one folder, called `names`: titles of tasks are in none, or another
    one, or several."""
    item, task, now = doubts[0]
    # Other work that is taken for what is done would never be begun.
    same = all(is_like(one.item.title, one.task.title) and not one.now for one in doubts)
    more = f" (and so it is with {counted(len(doubts) - 1, 'more file')})" if doubts[1:] else ""
    if now:
        said = f"its title {short(task.title)} is that of {now} now"
    else:
        said = f"its title {short(task.title)} is in no file of the folder now; this one has "
        said += short(item.title)
    name = names[0] if len(names) == 1 else os.path.dirname(names[0]) or "."
    return _changed(
        f"{names[0]}:{item.line}: {task.id} is {_state(task)} here, and {said}{more}; nothing was "
        f"written. Either {item.name} is other work (--renumbered), or it is the same work with "
        "another title or number (--reworded)",
        name, doubts, same=same,
    )  # fmt: skip


def ask_of_sections(name: str, doubts: Sequence[Doubt]) -> GuardRefused:
    """The same of items without ids whose words others have, too, below headings that are new."""
    item, task, _ = doubts[0]
    old, new = (", ".join(filter(None, one.section)) for one in (task, item))
    lasts = {(one.task.section[-1:], one.item.section[-1:]) for one in doubts}
    same = all(
        one == other or (is_like(*one, *other) and not is_next(one, other)) for one, other in lasts
    )
    more = f" (and so it is with {counted(len(doubts) - 1, 'more item')})" if doubts[1:] else ""
    return _changed(
        f"{name}:{item.line}: {task.id} is {_state(task)} here, and its heading ({short(old)}) is "
        f"gone, while the same words ({short(task.title)}) stand below a new one ({short(new)})"
        f"{more}; nothing was written. Either {short(new)} is other work (--renumbered), or it is "
        "the same work below another heading (--reworded)",
        name, doubts, same=same,
    )  # fmt: skip


def _apart(one: str, other: str) -> tuple[str, str]:
    """Two titles cut short, from where they differ on where their beginnings are the same."""
    if short(one) == short(other):
        both = zip(one.split(" "), other.split(" "), strict=False)
        words = [word for word, _ in takewhile(lambda pair: pair[0] == pair[1], both)]
        cut_off = len(" ".join(words[:-2])) + 1
        one, other = (f"...{each[cut_off:]}" for each in (one, other))
    return short(one), short(other)


def _state(task: Known) -> str:
    if task.status != Status.PENDING:
        return task.status
    return "claimed" if task.held else "edited"


def _changed(message: str, name: str, doubts: Sequence[Doubt], *, same: bool) -> GuardRefused:
    return GuardRefused(
        message,
        code="words_changed",
        hint=f"ralphgit import {shlex.quote(name)} --{REWORDED if same else RENUMBERED}",
        details={
            "changed": [
                {"task": one.task.id, "line": one.item.line, "from": one.task.title,
                 "to": one.item.title, "now": one.now or None}
                for one in doubts
            ],
        },
    )  # fmt: skip
