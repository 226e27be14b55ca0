"""Give each item of a Markdown list an id within its file: its own, else one made of its words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ralphgit.errors import InvalidRecord
from ralphgit.records.importers.parts import headings
from ralphgit.records.importers.parts.item_details import Marked
from ralphgit.records.importers.parts.listed_items import Item


def named(file: str, items: Sequence[Item], marked: Sequence[Marked]) -> list[str]:
    """Each item's own id, else one made from its words; all different by case-folding.

    Raises: InvalidRecord (duplicate_id).
    """
    seen: dict[str, int] = {}
    twins: dict[str, list[tuple[Item, str]]] = {}
    for item, words in zip(items, marked, strict=True):
        if words.id and seen.setdefault(words.id.casefold(), item.line) != item.line:
            twins.setdefault(words.id.casefold(), []).append((item, words.id))
    if twins:
        item, id = next(iter(twins.values()))[0]
        others = ", ".join(
            f"{again[0][1]} in line {', '.join(str(one.line) for one, _ in again)}"
            for again in list(twins.values())[1:]
        )
        raise InvalidRecord(
            f"two items have the id {id}; the first is in line {seen[id.casefold()]}"
            + (f"; others that are there a second time: {others}" if others else ""),
            file=file, line=item.line, column=item.node.column + len("[ ] "),
            task=id, code="duplicate_id",
            hint="ids must differ by more than case: rename one",
        )  # fmt: skip
    slugs = [headings.slug(words.title) for words in marked]
    often = Counter(
        slug for slug, words in zip(slugs, marked, strict=True) if not words.id
    ) + Counter(seen.keys())
    return [
        words.id or _made(item, slug, often, seen)
        for item, words, slug in zip(items, marked, slugs, strict=True)
    ]


def _made(item: Item, slug: str, often: Counter[str], seen: dict[str, int]) -> str:
    made = slug
    # Of several with the same words, each is identified by its position.
    path = "\n".join(item.path)
    number = 1
    while often[made] > 1 or made in seen:
        made = f"{slug}-{headings.digest(path if number == 1 else f'{path}{number}')}"
        number += 1
    seen[made] = item.line
    return made
