"""Decide which task an item of an imported file is, by its source, its id and its words.

An item has an id within its file, and words. What is known of each is one value (`Facts`), and
the first row that fits decides:

| | its id was given before by | its words are | the task here | told | the item is |
|---|---|---|---|---|---|
| 1 | this file | those of the task | any | any | that task |
| 2 | this file, or nobody | those of another task of the file | any | renumbered | that other one |
| 3 | this file | new | has its words under another id now, or is held | renumbered | a new task |
| 4 | this file | those of a task of the file that lost its id | is free | nothing | that task |
| 5 | this file | others | is free | any | that task, reworded |
| 6 | this file | others | is held, or edited and renumbered | reworded | that task, reworded |
| 7 | this file | others | is held, or edited and renumbered | nothing | asked about |
| 8 | nobody | those of a task of the file that lost its id | any | any | that task, renumbered |
| 9 | nobody | others | | any | a new task, but see `in_place_of` |
| 10 | a person, who made the task | those of the task | any | any | that task |
| 11 | another file, or a person | any | any | any | another task |

Held is what is complete, cancelled, blocked or claimed: its words say what somebody did, or does.
The words of a task with a remark that it is done (`is_annotated`), or with other markers before
them (`is_marked`), are its words.
A file that was moved is the same file: the old one is gone, and most of its tasks are in the new
one (`is_moved`). An id that is made from the words is another file's as easily as this one's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from ralphgit.model import done_marks

#: What says how an item is done, and not what: `[T]`, `[US1] [P]`, and signs between them.
_MARKERS = re.compile(r"\A(?:\[[A-Z][A-Z0-9 _-]*\]|[^\w\[`\"'(])+")
RENUMBERED, REWORDED = "renumbered", "reworded"


class By(Enum):
    """Who has given an item's id to a task here."""

    THIS = "this file"
    OTHER = "another file"
    PERSON = "a person"
    NOBODY = "nobody"


class Words(Enum):
    """What an item's words are."""

    ITS = "those of the task that has its id"
    OTHERS = "those of another task of the file"
    LOST = "those of a task of the file whose id is in the file no more, or another's (`lost`)"
    NEW = "new"


class Facts(NamedTuple):
    """What is known of an item, and of the task that has its id here."""

    by: By
    words: Words
    held: bool = False
    """Something was done, or is, under the task's words."""
    edited: bool = False
    """A field of the task was changed here."""
    elsewhere: bool = False
    """The task's words are those of another item of the file now."""
    told: str = ""
    """RENUMBERED or REWORDED, where a person has said which."""


class Verdict(Enum):
    """What an item is."""

    SAME = "the task that has its id"
    FOLLOWS = "the task that has its words"
    NEW = "a new task"
    ANOTHER = "another task than the one that has its id"
    ASK = "one of two things: a person has to say which"


def decide(facts: Facts) -> Verdict:
    """Decide what an item is, by the table above."""
    known = facts.words in (Words.OTHERS, Words.LOST)
    free = not (facts.held or facts.edited)
    if facts.by == By.NOBODY:
        follows = facts.words == Words.LOST or (known and facts.told == RENUMBERED)
        return Verdict.FOLLOWS if follows else Verdict.NEW
    if facts.by != By.THIS:
        own = facts.by == By.PERSON and facts.words == Words.ITS
        return Verdict.SAME if own else Verdict.ANOTHER
    if facts.words == Words.ITS:
        return Verdict.SAME
    if facts.told == RENUMBERED and known:
        return Verdict.FOLLOWS
    if facts.words == Words.LOST and free and not facts.told:
        return Verdict.FOLLOWS
    if facts.told == RENUMBERED and (facts.elsewhere or facts.held):
        return Verdict.NEW
    doubtful = facts.held or (facts.edited and (known or facts.elsewhere))
    return Verdict.ASK if doubtful and facts.told != REWORDED else Verdict.SAME


def lost(moves: Mapping[str, str], names: Collection[str]) -> set[str]:
    """The ids of a file's tasks that stand in it no more, or for another task of it that lost its.

    `moves`: by an item's id, that of the task whose words it has now; `names`: all ids of the file.
    So where an item is taken out of a numbered list, all behind it keep their tasks.
    """
    gone = {old for old in moves.values() if old not in names}
    while more := {name for name, old in moves.items() if old in gone} - gone:
        gone |= more
    return gone


class Place(NamedTuple):
    """A task of the file, or an item, where it stands among the others."""

    name: str
    """Its id within the file, case-folded."""
    title: str
    free: bool
    """It may be another: of an item, that its id is made of its words; of a task, that nothing was
    done or changed under its words."""


def in_place_of(before: Sequence[Place], now: Sequence[Place]) -> dict[str, str]:
    """By item without an id of its own, the task of which it has the place and half of the words.

    The place is that between the same two neighbours, where no other item is new or gone.
    """
    gone = _between(before, {place.name for place in now})
    found = {}
    for neighbours, new in _between(now, {place.name for place in before}).items():
        both = (*new, *gone.get(neighbours, []))
        alone = len(new) == 1 and len(both) == 2 and all(place.free for place in both)
        if alone and is_like(both[0].title, both[1].title):
            found[both[0].name] = both[1].name
    return found


def _between(places: Sequence[Place], known: Collection[str]) -> dict[tuple[str, str], list[Place]]:
    """The places that are not `known`, by the names of the nearest two that are, "" at an end."""
    found: dict[tuple[str, str], list[Place]] = {}
    before, waiting = "", list[Place]()
    for place in (*places, None):
        if place is not None and place.name not in known:
            waiting.append(place)
            continue
        after = place.name if place is not None else ""
        if waiting:
            found[before, after] = waiting
        before, waiting = after, []
    return found


def is_like(one: str, other: str) -> bool:
    """Whether two titles have half of their words in common."""
    words = [set(re.findall(r"\w+", title.casefold())) for title in (one, other)]
    return 2 * len(words[0] & words[1]) >= max(map(len, words)) > 0


def is_annotated(words: str, before: str) -> bool:
    """Whether words are those `before`, with a remark that this is done: ✅ commit 1f2e3d4."""
    at = words.find(before) if before else -1
    if at < 0 or words == before:
        return False
    more = (words[:at], words[at + len(before) :])
    return done_marks.is_remark(" ".join(more))


def is_marked(words: str, before: str) -> bool:
    """Whether words differ from those `before` in the markers and signs before them alone."""
    bare, known = (_MARKERS.sub("", one) for one in (words, before))
    return bare == known != "" and words != before


def is_moved(*, gone: bool, tasks: int, same: int) -> bool:
    """Whether a file is another one that was moved: that is `gone`, and of its `tasks` more than
    half are in the file, under the `same` ids and words."""
    return gone and 2 * same > tasks
