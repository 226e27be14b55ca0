"""Find the prefix that tells the tasks of a file apart from those of others."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterable, Sequence

from ralphgit.app.exchange.known_task import Known
from ralphgit.errors import UsageError
from ralphgit.records.importers import Imported
from ralphgit.records.importers.parts import headings

#: Files with such names are told apart by their folders.
_PLAIN_NAMES = frozenset({"tasks", "plan", "todo", "readme", "index", "issues", "prd"})

_LONGEST = 64


def remembered(name: str, own: Iterable[Known], wanted: str) -> str:
    """The prefix of a file's tasks: as wanted, else as remembered.

    Raises: UsageError (other_prefix) where the file's tasks have another one.
    """
    own = list(own)
    whole = [task for task in own if task.id.endswith(task.name)]
    found = {task.id[: -len(task.name)] for task in whole} or _before_others(own)
    found = found or {_before_cut(task) for task in own}
    known = found.pop() if len(found) == 1 else ""
    if not wanted or wanted == known or all(task.id.startswith(wanted) for task in own):
        return wanted or known
    before = f"with --prefix {known}" if known else "without a prefix"
    again = shlex.join(("ralphgit", "import", *(("--prefix", known) if known else ()), name))
    raise UsageError(
        f"{name} was imported {before}, and its tasks keep their ids; nothing was written",
        code="other_prefix", hint=again,
    )  # fmt: skip


def given_ids(found: Imported) -> list[str]:
    """The ids that a file gives to its tasks itself."""
    return [str(task["id"]) for task in found.tasks if task["id"] not in found.made]


def of_each(
    each: Sequence[tuple[str, Imported]], files: Sequence[str], known: Iterable[str]
) -> list[str]:
    """A prefix for each file that is new here, or ""; `files` are what is remembered of each.

    A list has one after its name or folder. Where documents of one task each are in several
    folders, all in a folder have the same one.
    """
    known = set(known)
    epics = {os.path.dirname(file) for file in files if os.path.basename(file) == "epic.md"}
    old = {_home(file, epics) for file in known}
    pairs = list(zip(each, files, strict=True))
    folders = {
        _home(file, epics) for (_, found), file in pairs if found.local and is_document(file, found)
    }
    longest: dict[str, int] = {}
    for (_, found), file in pairs:
        place = _home(file, epics)
        longest[place] = max([longest.get(place, 0), *map(len, given_ids(found))])
    words: dict[str, str] = {}
    made: list[str] = []
    for (name, found), file in pairs:
        place, word = _home(file, epics), ""
        document = len(folders) > 1 and place in folders and is_document(file, found)
        document = document and (found.local or not found.tasks)
        if document and place not in old:
            word = words.get(place) or prefix_of(os.path.join(place, "tasks.md"), longest[place])
        elif found.local and not document and file not in known:
            is_list = len(found.tasks) > 1 or os.path.basename(name) == "tasks.md"
            size = max(map(len, given_ids(found)), default=0)
            word = prefix_of(name, size) if is_list else ""
        key = place if document else file
        if word and any(word == one for other, one in words.items() if other != key):
            word = f"{word[:20]}{headings.digest(key)}-"
        words[key] = word
        made.append(word)
    return made


def _home(file: str, epics: Collection[str]) -> str:
    """The folder of a file, or of `epics` the one whose tasks are in a folder below it."""
    folder = os.path.dirname(file)
    above, _, last = folder.rpartition("/")
    return above if last == "tasks" and above in epics else folder


def named(each: Iterable[tuple[str, Imported]], words: Iterable[str]) -> str:
    """Which prefix stands for which file, or folder of documents."""
    pairs = {
        (word, os.path.dirname(name) if is_document(name, found) else name): None
        for (name, found), word in zip(each, words, strict=True)
        if word and found.tasks
    }
    return ", ".join(f"{word} ({name})" for word, name in pairs)


def beside(file: str, found: Imported, tasks: Iterable[Known]) -> list[Known]:
    """The tasks of the documents beside one: a new one has their prefix."""
    folder = os.path.dirname(file)
    return [
        task
        for task in tasks
        if is_document(file, found) and folder in map(os.path.dirname, task.files)
    ]


def is_document(file: str, found: Imported) -> bool:
    """Whether a file has one task or says something of those beside it, and is no list."""
    return (
        file.endswith(".md")
        and len(found.tasks) < 2
        and not found.lines
        and (os.path.basename(file) != "tasks.md")
    )


def _before_others(tasks: Sequence[Known]) -> set[str]:
    """What stands before the names that others of these tasks have now: all were renumbered."""
    names = sorted((task.name for task in tasks), key=len, reverse=True)
    ends = ((task.id, next(filter(task.id.endswith, names), "")) for task in tasks)
    found = {id[: -len(name)] for id, name in ends if name}
    return {one for one in found if not one[-1:].isalnum()}


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
