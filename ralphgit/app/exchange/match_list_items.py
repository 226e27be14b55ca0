"""Find out which task each item of a list is whose ids mean something within it only.

By its id, its words and its place in the list: `rules/import_identity` and `rules/same_words`
decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.exchange import identity_refusals, three_way_import
from ralphgit.app.exchange.known_task import Item, Known
from ralphgit.records.importers import Imported
from ralphgit.records.importers.parts.source_values import short
from ralphgit.rules import import_identity, same_words
from ralphgit.rules.import_identity import RENUMBERED, By, Facts, Place, Verdict, Words
from ralphgit.rules.same_words import Spot


def match(
    name: str, found: Imported, items: Sequence[Item], own: Sequence[Known],
    by_name: Mapping[str, Known], wanted: Mapping[str, str], prefix: str, told: str, *,
    other: Callable[[str], tuple[Known | None, By]], free: Callable[[Item, Verdict], str],
    note: Callable[[str], None],
) -> dict[str, str]:  # fmt: skip
    """The ids that the items of a list called `name` have here; `own` are the tasks from it.

    `by_name`: those tasks by the ids of the list; `wanted`: the ids that its items get where nobody
    has these. `other` says which task has an id that the list has not given it, `free` makes the id
    of a new task, and `note` hears what is to be said.

    Raises: GuardRefused (words_changed); InvalidRecord (other_source), as `free`.
    """
    same = SameWords.find(found, items, own, prefix, told)
    if same.doubts:
        raise identity_refusals.ask_of_sections(name, same.doubts)
    words = {item.words: item.name for item in items}
    twice = Counter(task.words for task in own)
    by_words = {task.words: task for task in own if twice[task.words] == 1}
    here = _standing(items, by_name, by_words)
    instead = {} if told == RENUMBERED else _in_place_of(found, items, own)
    ids: dict[str, str] = {}
    taken: set[str] = set()
    doubts: list[identity_refusals.Doubt] = []
    for item in items:
        if item.name in same.tasks:
            its = same.tasks[item.name]
            ids[item.name] = its.id if its else free(item, Verdict.NEW)
            taken.add(ids[item.name])
            continue
        task = by_name.get(item.name.casefold())
        by = By.THIS
        if task is None:
            task, by = other(wanted[item.name])
        follows = by_words.get(item.words) or instead.get(item.name)
        if follows is not None and follows.id in taken:
            follows = None
        facts = Facts(
            by,
            _words(item, task, follows, here),
            held=task is not None and task.held,
            edited=task is not None and task.edited,
            elsewhere=task is not None and task.words in words,
            told=told,
        )
        verdict = _of_issue(item, task) or import_identity.decide(facts)
        if verdict == Verdict.ASK and task is not None:
            doubts.append(identity_refusals.Doubt(item, task, words.get(task.words, "")))
            continue
        if verdict == Verdict.SAME and task is not None:
            id = task.id
            moved = by_words.get(item.words, task) is not task
            if moved and task.words not in words:
                old, new = short(task.title), short(item.title)
                note(f"{old} is in {name} no more: {id} is {new} now.")
        elif verdict == Verdict.FOLLOWS and follows is not None:
            id = follows.id
            known_words = item.words in by_words
            # Nobody sees an id that is made of the words.
            unseen = known_words and item.name in found.made
            if follows.name != item.name and not unseen:
                why = "has the same words" if known_words else "stands in its place"
                note(f"{id} is {item.name} in {name} now: it {why}.")
        else:
            id = free(item, verdict)
        ids[item.name] = id
        taken.add(id)
    if doubts:
        raise identity_refusals.ask(name, doubts)
    return ids


class SameWords(NamedTuple):
    """The items without ids of their own of which several tasks have the words, or items do."""

    tasks: dict[str, Known | None]
    """By item, its task; None for a new one, or where there is a doubt."""
    doubts: list[identity_refusals.Doubt]

    @classmethod
    def find(
        cls, found: Imported, items: Sequence[Item], own: Sequence[Known], prefix: str,
        told: str = "",
    ) -> SameWords:  # fmt: skip
        nothing = three_way_import.said({}, "description")
        by_name = {task.name.casefold(): task for task in own}
        before = [
            Spot(
                task.name.casefold(), task.words, task.story, task.description, task.section,
                free=not task.held, gone=task.gone,
            )
            for task in own
        ]  # fmt: skip
        now = []
        for item in items:
            story, *below = item.section
            story = story and prefix + story
            now.append(
                Spot(
                    item.name.casefold(),
                    item.words,
                    three_way_import.said({"story": story}, "story") if story else "",
                    "" if item.description == nothing else item.description,
                    (story, *below),
                )
            )
        pairs = same_words.pairs(same_words.placed(before), same_words.placed(now), told)
        made = {item.name.casefold(): item for item in items if item.name in found.made}
        return cls(
            {
                made[item].name: by_name.get(task)
                for item, task in pairs.tasks.items()
                if item in made
            },
            [
                identity_refusals.Doubt(made[item], by_name[task], "")
                for task, item in pairs.doubts
                if item in made
            ],
        )


def _in_place_of(found: Imported, items: Sequence[Item], own: Sequence[Known]) -> dict[str, Known]:
    """By item that got other words, in a list without ids, the task that it was."""
    by_name = {task.name.casefold(): task for task in own}
    before = [
        Place(task.name.casefold(), task.title, free=not (task.held or task.edited)) for task in own
    ]
    now = [Place(item.name.casefold(), item.title, item.name in found.made) for item in items]
    same = import_identity.in_place_of(before, now)
    return {
        item.name: by_name[same[item.name.casefold()]]
        for item in items
        if item.name.casefold() in same
    }


def _standing(
    items: Sequence[Item], by_name: Mapping[str, Known], by_words: Mapping[str, Known]
) -> set[str]:
    """The ids of the file, case-folded, that do not stand for another task which lost its own."""
    names = {item.name.casefold() for item in items}
    once = Counter(item.words for item in items)
    moves = {
        item.name.casefold(): follows.name.casefold()
        for item in items
        if once[item.words] == 1
        and (follows := by_words.get(item.words)) is not None
        and _words(item, by_name.get(item.name.casefold()), follows, names) != Words.ITS
    }
    return names - import_identity.lost(moves, names)


def _words(item: Item, task: Known | None, follows: Known | None, here: set[str]) -> Words:
    """What the words of an item are; `task` has its id, and `follows` its words."""
    if task is not None and (
        task.words == item.words
        or import_identity.is_marked(item.title, task.title)
        or import_identity.is_annotated(item.title, task.title)
        or import_identity.is_annotated(task.title, item.title)
    ):
        return Words.ITS
    if follows is None:
        return Words.NEW
    return Words.OTHERS if follows.name.casefold() in here else Words.LOST


def _of_issue(item: Item, task: Known | None) -> Verdict | None:
    """What an issue is: its address says it, whatever its words; None for all else."""
    if task is None or not (item.address and task.address):
        return None
    return Verdict.SAME if item.address == task.address else Verdict.ANOTHER
