"""Give each item of a Markdown list an id within its file: its own, else one made of its words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ralphgit.records.importers.imported import Log
from ralphgit.records.importers.parts import headings
from ralphgit.records.importers.parts.item_details import Marked
from ralphgit.records.importers.parts.listed_items import Item


def named(items: Sequence[Item], marked: Sequence[Marked], log: Log) -> list[str]:
    """Each item's own id, else one made from its words; all different by case-folding.

    The second of two with one id and other words has some of these behind it.
    """
    seen: dict[str, int] = {}
    slugs = [headings.slug(words.title) for words in marked]
    own: list[str] = []
    for item, words, slug in zip(items, marked, slugs, strict=True):
        id = words.id
        if id and seen.setdefault(id.casefold(), item.line) != item.line:
            first = seen[id.casefold()]
            id = _made(item, f"{id}-{slug}", Counter(), seen)
            log.note(f"{words.id} is in line {first} and {item.line}: the second is {id} here.")
        own.append(id)
    often = Counter(slug for slug, id in zip(slugs, own, strict=True) if not id) + Counter(
        seen.keys()
    )
    return [
        id or _made(item, slug, often, seen)
        for item, id, slug in zip(items, own, slugs, strict=True)
    ]


def repeated(items: Sequence[Item], marked: Sequence[Marked]) -> set[int]:
    """The places of items that stand above with the same id and the same words."""
    seen: set[tuple[str, str]] = set()
    found: set[int] = set()
    for item, words in zip(items, marked, strict=True):
        pair = (words.id.casefold(), words.title)
        if words.id and pair in seen and not item.entry.inner:
            found.add(item.entry.place)
        seen.add(pair)
    return found


def _made(item: Item, slug: str, often: Counter[str], seen: dict[str, int]) -> str:
    made = slug
    # Of several with the same words, each is identified by its position.
    path = "\n".join(item.path)
    number = 1
    while often[made] > 1 or made.casefold() in seen:
        made = f"{slug}-{headings.digest(path if number == 1 else f'{path}{number}')}"
        number += 1
    seen[made.casefold()] = item.line
    return made
