"""Read which tasks of a plan one depends on, out of what it says of that in prose."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from ralphgit.records.importers.imported import Log
from ralphgit.records.importers.parts import plan_words, waiting
from ralphgit.records.importers.parts.item_details import spelled_out

_NUMBER = r"(?:[A-Z]?[0-9]+(?:\.[0-9]+)*[a-z]?|[A-Z])(?![A-Za-z0-9_])"
_AND = r"(?:and|or|to|through|y|e|et|und|\u0438|i)(?=\s)|[\u548c\u8207\u4e0e\u3068\u53ca]"
_BETWEEN = rf"(?:\s*[,;/&+\u3001\uff0c\u2013\u2014-]\s*(?:{_AND})?|\s*(?:{_AND}))\s*"
_TASK = rf"(?i:{plan_words.TASKS})[\s#-]*"
#: Numbers behind the word for a task, or at the beginning: `Tasks 1, 2 and Task 4`, `3 (Form), 4`.
_LIST = re.compile(
    rf"(?:\A[\s*_`#(\[]*|(?<![A-Za-z-]){_TASK})"
    rf"{_NUMBER}(?:(?:\s*\([^()]*\))?{_BETWEEN}(?:{_TASK}|#)?{_NUMBER})*"
)
#: What stands in brackets behind a task's number, as `M1.2`.
_ASIDE = re.compile(r"(?<![\w.-])[A-Z][0-9]+(?:\.[0-9]+)*[a-z]?(?![\w-])")
#: It depends on nothing, whatever is said of other tasks behind that.
_NONE = re.compile(
    r"\W*(?:(?:none|nothing|no|n/a|nil|independent|ningun[ao]?|nenhuma?|aucune?|keine?|nada|nichts"
    r"|rien|\u043d\u0435\u0442)\b|[\u65e0\u7121]|\u306a\u3057|\uc5c6\uc74c|\Z)",
    re.IGNORECASE,
)
#: What names tasks that it does not depend on.
_APART = re.compile(
    r"\bindependent(?:ly)?\b|(?:\bnot|n't|\bnever)\s+(?:\w+\s+)?(?:depend|need|requir|block|wait)"
    r"|\bno (?:\w+ )?dependenc|\bparallel (?:with|to)\b|\bunlike\b|\bblocks\b",
    re.IGNORECASE,
)
_CLAUSE_ENDS = re.compile(r"([;()]|\.(?!\w)|\s[\u2013\u2014]\s)")


def of(said: Sequence[str], numbers: Sequence[str], named: Collection[str]) -> list[str] | None:
    """The tasks that it names, case-folded; None where it names none, and does not say so.

    `numbers` are those of the tasks in their order, `named` all by which they are called.
    """
    found: dict[str, None] = {}
    none = False
    for words in said:
        if _NONE.match(words):
            none = True
            continue
        clauses = _CLAUSE_ENDS.split(words)
        none = none or any(map(_APART.search, clauses))
        left = "".join("" if _APART.search(one) else one for one in clauses)
        listed = spelled_out(left, {number: number for number in numbers}, numbers)
        found.update(dict.fromkeys(_named(listed, named)))
    return list(found) if found or none else None


def _named(words: str, named: Collection[str]) -> Iterator[str]:
    for listed in _LIST.finditer(words):
        bare = re.sub(rf"\([^()]*\)|{_TASK}", " ", listed[0])
        for number in re.findall(rf"(?<![\w.]){_NUMBER}", bare):
            if not number.isalpha() or number.casefold() in named:
                yield number.casefold()
    for aside in _ASIDE.findall(words):
        if aside.casefold() in named:
            yield aside.casefold()


def without_circles(
    said: Mapping[str, Sequence[str]], order: Mapping[str, int], log: Log
) -> dict[str, list[str]]:
    """What each task says that it depends on, without what would make it wait for itself."""
    if not leads_ahead(said, order):
        return {id: list(refs) for id, refs in said.items()}
    found: dict[str, list[str]] = {}
    for id, refs in said.items():
        found[id] = waiting.without_circles(id, refs, found)
        if bad := [ref for ref in refs if ref not in found[id]]:
            log.note(
                f"{id} says that it depends on {', '.join(bad)}, which waits for it: left out."
            )
    return found


def leads_ahead(said: Mapping[str, Sequence[str]], order: Mapping[str, int]) -> bool:
    """Whether a task names itself or one behind it; others cannot make a circle."""
    return any(order[ref] >= order[id] for id, refs in said.items() for ref in refs)
