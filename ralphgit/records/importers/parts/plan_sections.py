"""Find the tasks of an implementation plan by its headings, and the parts of the plan around them.

A code block that has code blocks in it ends too early in such plans, and what follows of it looks
like headings. So a task ends only behind the last of its steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ralphgit.model import done_marks
from ralphgit.records.importers.parts import headings, plan_words
from ralphgit.records.importers.parts.markdown_items import Node
from ralphgit.records.importers.source_file import SourceFile

#: `Task 3: Session`, `Task 3 (M1.2): Session`, `Task B - Session`.
_TASK = re.compile(
    rf"{plan_words.TASK}\s*(?P<number>[A-Z]?[0-9]+(?:\.[0-9]+)*[a-z]?"
    rf"|(?<=\s)[A-Z](?=\s*(?:[(\[]|{plan_words.BETWEEN})))"
    rf"(?P<sign>\s*[{done_marks.SIGNS}]\ufe0f?)?"
    r"(?:\s*[(\[\uff08](?P<aside>[^()\[\]\uff08\uff09]*)[)\]\uff09])?"
    rf"(?:\s*{plan_words.BETWEEN}\s*(?P<title>.*))?",
    re.IGNORECASE,
)
#: The same with words right behind the number: perhaps one, perhaps a word on one.
_LIKE_A_TASK = re.compile(rf"{plan_words.TASK}\s*[A-Z]?[0-9]", re.IGNORECASE)
_STRUCK = re.compile(r"\A~~(.*)~~\W*\Z")
#: Before the word of a task: an open box, a picture.
_SIGNS = re.compile(r"\A(?:\[ ?\]|[^\w\s\[(<`~]+)\s+")
STEP = re.compile(rf"[*_]*{plan_words.STEP}\s*[0-9]+", re.IGNORECASE)
#: What a plan's title says of itself, and a section that holds for every task of it.
_OF_PLAN = re.compile(
    r"\A(?:implementation )?plan\s*[:\u2013\u2014-]\s*"
    r"|\s*[:\u2013\u2014-]?\s*\b(?:implementation )?plan\Z",
    re.IGNORECASE,
)
_RULES = re.compile(r"constraint|convention|guardrail|invariant|\brules?\b", re.IGNORECASE)
#: A section behind the tasks that says what holds when all of them are done.
_AT_THE_END = re.compile(
    r"verif|validat|acceptance|\bfinal\b|success criteri|done[ -](?:when|criteri)"
    r"|definition of done",
    re.IGNORECASE,
)


class Section(NamedTuple):
    """What stands below a task's heading."""

    number: str
    """"" for what is verified at the end."""
    aside: str
    """What stands in brackets behind the number."""
    title: str
    story: headings.Heading | None
    line: int
    """Of its heading."""
    end: int
    """The line behind its last one."""
    nodes: tuple[Node, ...]
    done: bool = False
    """Its heading says so before the word or behind its title."""
    struck: bool = False


class _Words(NamedTuple):
    """A heading without marks and signs around its words."""

    text: str
    done: bool
    struck: bool


def _words(text: str) -> _Words:
    struck = _STRUCK.match(text)
    left, done = done_marks.split(struck[1] if struck else text)
    return _Words(_SIGNS.sub("", left), done, struck is not None)


def sections(file: SourceFile) -> list[Section]:
    """The tasks, each up to the next or to a heading of its level or above behind its steps.

    Where what follows the last one has boxes, and says what is verified when all is done, it is
    the last of them.
    """
    nodes = file.blocks
    starts = [
        (place, task)
        for place, node in enumerate(nodes)
        if node.kind == "heading" and (task := _TASK.fullmatch(_words(_bare(node.text)).text))
    ]
    found: list[Section] = []
    plan = _plan(nodes)
    story = _first_part(nodes, [place for place, _ in starts])
    stop = len(nodes)
    for number, (place, task) in enumerate(starts):
        following = starts[number + 1][0] if number + 1 < len(starts) else len(nodes)
        stop = _end(nodes, place, following)
        words = _TASK.fullmatch(_words(nodes[place].text).text)
        title = (words or task)["title"] or task["aside"] or nodes[place].text
        heading = headings.read(story.text) if story is not None else None
        if heading is None or headings.is_plain(heading.story):
            heading = plan
        found.append(_section(file, (place, stop), task, title, heading))
        story = _part(nodes, place, following) or story
    last = [place for place in range(stop, len(nodes)) if found and _is_when_done(nodes, place)]
    for place in last[:1]:
        end = _end(nodes, place, len(nodes))
        found.append(_section(file, (place, end), None, _bare(nodes[place].text), plan))
    return found


def _section(
    file: SourceFile, places: tuple[int, int], task: re.Match[str] | None, title: str,
    story: headings.Heading | None,
) -> Section:  # fmt: skip
    nodes, (place, stop) = file.blocks, places
    end = nodes[stop].line if stop < len(nodes) else file.body.count("\n") + 2
    number, aside = (task["number"], task["aside"] or "") if task else ("", "")
    inside = nodes[place + 1 : stop]
    _, done, struck = _words(_bare(nodes[place].text))
    done = task is not None and (done or task["sign"] is not None)
    return Section(
        number, aside.strip(), title, story, nodes[place].line, end, inside, done, struck
    )


def unread(file: SourceFile, found: Sequence[Section]) -> list[int]:
    """The lines of headings that look like those of tasks, and stand in none."""
    inside = {line for one in found for line in range(one.line, one.end)}
    return [
        node.line for node in file.blocks
        if node.kind == "heading" and node.line not in inside
        and _LIKE_A_TASK.match(_words(_bare(node.text)).text)
    ]  # fmt: skip


def _plan(nodes: Sequence[Node]) -> headings.Heading | None:
    """The plan as a story, by the document's title; None where it has none."""
    title = next((node.text for node in nodes if node.kind == "heading" and node.level == 1), "")
    words = _OF_PLAN.sub("", _bare(title)).strip()
    return headings.read(words) if words and not _TASK.fullmatch(words) else None


def _first_part(nodes: Sequence[Node], tasks: Sequence[int]) -> Node | None:
    """The heading of the part that the first task is in: not one of what holds for the plan.

    It stands right above the task, is a numbered phase, or parts of its level follow.
    """
    part = _part(nodes, -1, tasks[0]) if tasks else None
    if part is None or _RULES.search(part.text):
        return None
    later = [_part(nodes, *pair) for pair in pairwise(tasks)]
    alike = any(one is not None and one.level == part.level for one in later)
    above = nodes[tasks[0] - 1] is part
    return part if above or alike or headings.read(part.text).phase else None


def for_all(nodes: Sequence[Node], first: int) -> str:
    """What the plan says before the line `first`, below its title or of rules for every task."""
    found: list[Node] = []
    inside = True
    for node in nodes:
        if node.line >= first:
            break
        if node.kind == "heading":
            inside = node.level == 1 or _RULES.search(node.text) is not None
            if inside and node.level > 1:
                found.append(node._replace(kind="text", raw=f"{node.text}:"))
        elif inside:
            found.append(node)
    return headings.said(found, most=0)


def _bare(text: str) -> str:
    return re.sub(r"[*_`]", "", text).strip()


def _behind_steps(nodes: Sequence[Node], place: int, following: int) -> int:
    """The place behind the last step between two headings."""
    places = [at for at in range(place + 1, following) if steps(nodes[at : at + 1])]
    return places[-1] + 1 if places else place + 1


def _end(nodes: Sequence[Node], place: int, following: int) -> int:
    """The place of the heading that ends what begins at `place`, at `following` at the latest."""
    behind = range(_behind_steps(nodes, place, following), following)
    level = nodes[place].level
    ends = (at for at in behind if nodes[at].kind == "heading" and 1 < nodes[at].level <= level)
    return next(ends, following)


def _part(nodes: Sequence[Node], place: int, following: int) -> Node | None:
    """The heading of the part that a task is in which follows another, or comes first."""
    if following >= len(nodes):
        return None
    level = nodes[following].level
    behind = range(_behind_steps(nodes, place, following), following)
    above = [
        node for node in (nodes[at] for at in behind)
        if node.kind == "heading" and node.level > 1
        and (node.level < level or (node.level == level and headings.read(node.text).phase))
    ]  # fmt: skip
    return above[-1] if above else None


def _is_when_done(nodes: Sequence[Node], place: int) -> bool:
    node = nodes[place]
    if node.kind != "heading" or not _AT_THE_END.search(node.text):
        return False
    inside = flat(nodes[place + 1 : _end(nodes, place, len(nodes))])
    return any(each.ticked is not None for each in inside)


def flat(nodes: Sequence[Node]) -> Iterator[Node]:
    """The nodes and all that stand in them."""
    for node in nodes:
        yield node
        yield from flat(node.nodes)


def steps(nodes: Sequence[Node]) -> list[Node]:
    """The items, paragraphs and headings that begin a step."""
    return [each for each in flat(nodes)
            if each.kind in ("item", "text", "heading") and STEP.match(each.text)]  # fmt: skip


def boxes(section: Section) -> list[Node]:
    """The boxes of its steps; where no step has one, all that stand in it."""
    found = [node for node in steps(section.nodes) if node.ticked is not None]
    return found or [node for node in flat(section.nodes) if node.ticked is not None]
