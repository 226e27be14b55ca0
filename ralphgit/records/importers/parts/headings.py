"""Find the stories among a document's headings, and name them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ralphgit.model import done_marks
from ralphgit.model.ids import is_id
from ralphgit.records.importers.parts.markdown_items import Node

#: By a number, with a letter (`Phase 3a`) or without, or by a Roman one.
_PHASE = re.compile(
    r"(phase|step|stage|milestone|sprint|part|iteration|chunk|wave)\s+"
    r"([0-9]+(?:\.[0-9]+)*[a-z]?(?![\w])|(?-i:[IVXL]+)\b|(?-i:[A-Z])(?=\s*(?:[:.)\u2013\u2014-]|\Z)))",
    re.IGNORECASE,
)
#: The same in a sentence, with a list of numbers or a range of them.
_PHASES = re.compile(
    r"\b(phase|step|stage|milestone|sprint|part|iteration|chunk|wave)s?\s+"
    r"([0-9]+(?:\s*(?:,\s*(?:and\s)?|and\s|&|-|\u2013|\u2014|to\s|through\s)\s*[0-9]+)+)\b",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(?:version|release|v)\s*[0-9]+(?:\.[0-9]+)+\b", re.IGNORECASE)
_LONGEST_SLUG = 40
#: Headings above tasks that say no more than that.
_PLAIN = frozenset(
    {
        "tasks",
        "implementation",
        "implementation-tasks",
        "task-list",
        "steps",
        "phases",
        "phase-details",
    }
)
#: A section of what holds once the tasks before it are done, and no work itself.
_WHEN_DONE = re.compile(
    r"\b(?:(?:success|acceptance|completion|exit|done) (?:criteria|check ?list|metrics)"
    r"|definition of done|done when)\b",
    re.IGNORECASE,
)
_CHECK_LIST = re.compile(
    r"\b(?:verification|validation|quality|release|final|review|pre-merge|sign-?off) check ?list\b",
    re.IGNORECASE,
)
#: Between a phase's number and its words.
_AROUND = " \t.:)\u2013\u2014-"
_DELIVERABLES = re.compile(r"\bdeliverables?\b", re.IGNORECASE)
#: A story's description is no longer.
_MOST_SAID = 4000
_DONE = frozenset({"done", "completed", "complete", "finished"})


class Heading(NamedTuple):
    """A heading that is a story."""

    story: str
    title: str
    phase: str
    """The numbered phase that it begins, else ""."""
    says: str = ""
    """What stands right below it beside the tasks."""


def story_level(nodes: Sequence[Node]) -> int:
    """The level of the headings that are stories, 0 where none is.

    The highest that tasks stand below, but not that of the document's own title: the only
    heading of the first level. Nor one that all tasks stand below (`## Tasks`), and that parts
    them no further than the headings below it do, unless it is a numbered phase. Where none of
    it is one, and some of a deeper level are, the numbered phases are the stories.
    """
    first = [node for node in nodes if node.kind == "heading" and node.level == 1]
    used: dict[int, dict[int, Node]] = {}
    above: dict[int, Node] = {}
    for node in nodes:
        if node.kind == "heading":
            above = {level: one for level, one in above.items() if level < node.level}
            above[node.level] = node
        elif has_task(node):
            for level, heading in above.items():
                used.setdefault(level, {})[heading.line] = heading
    if len(first) == 1:
        used.pop(1, None)
    levels = sorted(used)
    while len(levels) > 1 and len(used[levels[0]]) == 1 and len(used[levels[1]]) > 1:
        (only,) = used[levels[0]].values()
        if read(only.text).phase:
            break
        levels = levels[1:]
    phased = [
        level
        for level in levels
        if sum(bool(read(one.text).phase) for one in used[level].values()) > 1
    ]
    if phased and not any(read(one.text).phase for one in used[levels[0]].values()):
        return phased[0]
    return levels[0] if levels else 0


def has_task(node: Node) -> bool:
    """Whether a block is an item with a box, or has one in it."""
    return node.kind == "item" and (node.ticked is not None or any(map(has_task, node.nodes)))


def read(text: str) -> Heading:
    words = re.sub(r"[*_`]", "", text).strip()
    before, colon, _ = words.partition(":")
    if phase := _PHASE.match(words):
        story = f"{phase[1]}-{phase[2]}".lower()
    elif is_id(words):
        story = words
    elif colon and is_id(before) and any(letter.isdigit() for letter in before):
        story = before
    else:
        story = slug(words)
    return Heading(story, words, story if phase else "")


def told_apart(heading: Heading, titles: dict[str, str]) -> Heading:
    """The heading, called after its title where another one in `titles` has its story's id.

    "Phase 5: Sync" and "Phase 5: Server" are two stories. The heading is noted in `titles`.
    """
    bare = done_marks.split(heading.title)[0].casefold()
    if titles.setdefault(heading.story, bare) == bare:
        return heading
    story = slug(heading.title)
    return heading._replace(story=story, phase=heading.phase and story)


def is_done(text: str) -> bool:
    """Whether a heading says that what stands below it is done: "Done", "Phase 2 (COMPLETE)"."""
    words = re.sub(r"[*_`]", "", text).strip()
    return slug(words) in _DONE or done_marks.split(words)[1]


def says_when_done(text: str, *, ids: bool = False) -> bool:
    """Whether a heading is that of what holds when the tasks before it are done.

    In a list with `ids` a check list, such as "Validation Checklist", is about the list itself. A
    numbered phase is one such where its number has no other words: "Phase 3: Exit criteria".
    """
    words = re.sub(r"[*_`]", "", text).strip()
    if phase := _PHASE.match(words):
        return _WHEN_DONE.fullmatch(words[phase.end() :].strip(_AROUND)) is not None
    return bool(_WHEN_DONE.search(text) or (not ids and _CHECK_LIST.search(text)))


def says_what_comes_of_it(text: str) -> bool:
    """Whether a heading is that of what holds, or is there, in the end."""
    return says_when_done(text) or _DELIVERABLES.search(text) is not None


def is_version(text: str) -> bool:
    """Whether a heading begins with a version of several numbers: "Version 1.1", "v0.2: Search"."""
    return _VERSION.match(re.sub(r"[*_`]", "", text).strip()) is not None


def is_plain(story: str) -> bool:
    """Whether a heading says no more than that tasks stand below it."""
    return slug(story) in _PLAIN


def spelled_out(words: str) -> str:
    """`words` with each phase of a list or a range named: "Phases 1-3", "Phase 1 and 2"."""

    def each(found: re.Match[str]) -> str:
        numbers: list[int] = []
        for joined, number in re.findall(r"(\D*)([0-9]+)", found[2]):
            last = int(number)
            is_range = joined.strip(" ").casefold() in ("-", "\u2013", "\u2014", "to", "through")
            first = numbers[-1] + 1 if is_range and last - numbers[-1] < 100 else last
            numbers += range(first, last + 1)
        return ", ".join(f"{found[1]} {number}" for number in numbers)

    return _PHASES.sub(each, words)


def slug(words: str) -> str:
    """`words` as an id in lower case, cut between words."""
    folded = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    made = "-".join(re.findall(r"[a-z0-9]+", folded))
    return at_word(made, _LONGEST_SLUG) or f"task-{digest(words)}"


def at_word(name: str, longest: int) -> str:
    """`name`, words with hyphens between them, cut between two where it is longer."""
    if len(name) <= longest:
        return name
    return name[: longest + 1].rpartition("-")[0] or name[:longest]


def digest(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:6]


def stories(headings: Iterable[Heading | None]) -> dict[str, object]:
    """The root key that has what stories are called and say, where that is more than their ids."""
    found = {each.story: each for each in headings if each is not None}
    listed = [entry(each) for each in found.values() if each.title != each.story or each.says]
    return {"stories": listed} if listed else {}


def entry(heading: Heading, id: str = "") -> dict[str, object]:
    """A story as the root key has it, called `id` or as its heading is."""
    made: dict[str, object] = {"id": id or heading.story, "title": heading.title}
    return {**made, "description": heading.says} if heading.says else made


def of_markers(pairs: Sequence[tuple[str, Heading | None]]) -> list[dict[str, object]]:
    """What is said of the stories that items name by markers, each below a heading of its own.

    Pairs of the story that an item names, or "", and its heading.
    """
    below: dict[str, dict[Heading, None]] = {}
    named: dict[Heading, set[str]] = {}
    for story, heading in pairs:
        if story and heading is not None:
            below.setdefault(story, {})[heading] = None
            named.setdefault(heading, set()).add(story)
    return [
        entry(heading, story)
        for story, (heading, *others) in below.items()
        if not others and len(named[heading]) == 1
    ]


def said(nodes: Iterable[Node], *, most: int = _MOST_SAID) -> str:
    """What stands in blocks that are no tasks, as it is written; "" where that is longer.

    With 0 as `most`, it may be as long as it is.
    """
    parts: list[str] = []
    for node in nodes:
        if node.kind in ("text", "item", "fence") and re.search(r"\w", node.raw):
            mark = "- " if node.kind == "item" else ""
            words = node.raw.replace("\n", "\n  ") if mark else node.raw
            close = bool(mark and parts and parts[-1].lstrip("\n").startswith("- "))
            parts.append(("\n" if close else "") + mark + words)
    text = re.sub(r"\n\n\n(?=- )", "\n", "\n\n".join(parts))
    return text if not most or len(text) <= most else ""
