"""Find the tasks of a Markdown document: items with a box, and where each stands.

What stands between the lines `[PARALLEL]` and `[/PARALLEL]` is a block: its items may run beside
each other, and what follows comes after all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.records.importers.parts import exported_checklist, headings, item_order
from ralphgit.records.importers.parts.headings import Heading
from ralphgit.records.importers.parts.item_details import has_id, marked
from ralphgit.records.importers.parts.markdown_items import Node

_BEGIN = re.compile(r"\[PARALLEL\b[^\]]*\][\s:]*", re.IGNORECASE)
_END = re.compile(r"\[/PARALLEL\][\s:]*", re.IGNORECASE)

#: `15. Header` or `15 Header`, and `15.1` of it.
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)*[a-z]?")
_TO_BE_WRITTEN = re.compile(
    r"[\W_]*(?:TB[DA]|to be (?:determined|defined|added|planned|written))[\W_]*|[.\u2026?\s]*", re.I
)
_SAME = Heading("", "", "")
_NUMBERED = re.compile(r"\A[0-9]+(?:\.[0-9]+)*[.):]?\s+")


class Item(NamedTuple):
    """A task of the list, before it has an id."""

    node: Node
    entry: item_order.Entry
    heading: Heading | None
    path: tuple[str, ...]
    """The words of the headings and of the items around it, then its own."""
    line: int
    """In the file."""
    below: tuple[str, ...] = ()
    """What headings below its story's, and items without a box around it, say."""
    above: Heading | None = None
    """The heading above its story's, if there is one."""
    closing: bool = False
    """It is a section of what holds when the tasks before it are done."""

    @property
    def boxes(self) -> tuple[int, ...]:
        """The lines in the file of a section's boxes."""
        return tuple(box.line + self.line - self.node.line for box in self.node.nodes)

    @property
    def lines(self) -> set[int]:
        """Those of what stands in it; of a section, those of its boxes."""
        if self.closing:
            pairs = zip(self.node.nodes, self.boxes, strict=True)
            return {line for box, first in pairs for line in lines(box, first)}
        return {*lines(self.node, self.line)}


def items(nodes: Sequence[Node], *, exported: bool, bullets: bool = False) -> Iterator[Item]:
    """The tasks in the order of the document; those inside one come right behind it.

    With `bullets`, items without a box are tasks, too, but for those below another item.
    """
    nodes = [_as_boxed(node) for node in nodes] if bullets else nodes
    nodes = nodes if exported else _with_closings(_nested(nodes))
    yield from _Finder(nodes, exported=exported).found


def _nested(nodes: Sequence[Node]) -> list[Node]:
    """The nodes; `4.1` on the same level as a `4.` before it, below the same heading, stands in it.

    Not where a block of parallel items begins or ends between the two.
    """
    above: dict[str, int] = {}
    inside: dict[int, list[int]] = {}
    for at, node in enumerate(nodes):
        if node.kind == "heading" or _is_mark(node):
            above = {}
        elif number := _number(node):
            parts = number.split(".")
            wholes = (".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1))
            whole = next((above[one] for one in wholes if one in above), None)
            if whole is not None:
                inside.setdefault(whole, []).append(at)
            above.setdefault(number, at)

    def around(at: int) -> Node:
        return nodes[at]._replace(nodes=(*nodes[at].nodes, *map(around, inside.get(at, ()))))

    moved = {at for some in inside.values() for at in some}
    return [around(at) for at in range(len(nodes)) if at not in moved]


def lines(node: Node, first: int) -> range:
    return range(first, first + node.raw.count("\n") + 1)


def _with_closings(nodes: Sequence[Node]) -> list[Node]:
    """The nodes; a section of what holds at the end is one node with its boxes inside.

    Not where these have ids, where nothing else has a box, or where it is a phase of its own before
    others.
    """
    every = [one for one in _flat(nodes) if one.ticked is not None]
    ids = 2 * sum(has_id(one.text) for one in every) > len(every)
    found: list[Node] = []
    at, last = 0, ""
    while at < len(nodes):
        node, at = nodes[at], at + 1
        phase = headings.read(node.text).phase if node.kind == "heading" else ""
        if node.kind == "heading" and headings.says_when_done(node.text, ids=ids):
            level = node.level
            ends = (place for place in range(at, len(nodes))
                    if nodes[place].kind == "heading" and nodes[place].level <= level)  # fmt: skip
            end = next(ends, len(nodes))
            inside = [*_flat(nodes[at:end])]
            boxes = [*_criteria(inside)]
            named = any(one.ticked is not None and has_id(one.text) for one in inside)
            own = phase not in ("", last) and any(map(headings.has_task, nodes[end:]))
            if boxes and not named and not own:
                node = node._replace(kind="closing", nodes=tuple(boxes))
                at = end
        last = phase or last
        found.append(node)
    return found if any(map(headings.has_task, found)) else [*nodes]


def unread(nodes: Sequence[Node]) -> Iterator[Node]:
    """The headings of what holds, or is there, at the end, below which nothing has a box."""
    for at, node in enumerate(nodes):
        if node.kind == "heading" and headings.says_what_comes_of_it(node.text):
            level = node.level
            ends = (place for place in range(at + 1, len(nodes))
                    if nodes[place].kind == "heading" and nodes[place].level <= level)  # fmt: skip
            below = nodes[at + 1 : next(ends, len(nodes))]
            if below and not any(map(headings.has_task, below)):
                yield node


def _criteria(nodes: Sequence[Node]) -> Iterator[Node]:
    """The boxes among the nodes; what is no command behind the words of the heading above it."""
    above = ""
    for node in nodes:
        if node.kind == "heading":
            above = f"{headings.read(node.text).title}: "
        elif node.ticked is not None and not says_nothing(node):
            words = node.text if node.text.startswith("`") else f"{above}{node.text}"
            yield node._replace(text=words, nodes=())


def says_nothing(node: Node) -> bool:
    """Whether an item has no words, or such as stand there until somebody writes some."""
    return _TO_BE_WRITTEN.fullmatch(node.text) is not None


def _number(node: Node) -> str:
    """The number that an item with a box is called by; "" for any other block."""
    if node.kind != "item" or node.ticked is None:
        return ""
    words = marked(node.text, ids=True).id or node.text.partition(" ")[0]
    return words if _NUMBER.fullmatch(words) else ""


def _is_mark(node: Node) -> bool:
    words = _comment(node)
    return bool(_BEGIN.fullmatch(words) or _END.fullmatch(words))


def _as_boxed(node: Node) -> Node:
    """An item without a box as one that is not ticked; below a heading "Done" see `_Finder`."""
    return node._replace(ticked=False, bare=True) if _is_bare(node) else node


def _is_bare(node: Node) -> bool:
    return node.kind == "item" and node.ticked is None and bool(node.text)


def _comment(node: Node) -> str:
    """What a comment says; "" for any other block."""
    words = node.text.strip() if node.kind == "comment" else ""
    return words.removeprefix("<!--").removesuffix("-->").strip()


def _flat(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _flat(node.nodes)


class _Finder:
    def __init__(self, nodes: Sequence[Node], *, exported: bool) -> None:
        self.found: list[Item] = []
        self._exported = exported
        self._heading: Heading | None = None
        self._section = 0
        self._groups: tuple[str, ...] = ()
        """The words of the items without a box around the one that is taken."""
        self._block = 0
        """The number of the block that we are in, 0 outside of one."""
        self._blocks = 0
        self._above: Heading | None = _SAME
        """The heading before the one that began the block, which has that name."""
        self._done_below = 0
        """The level of the heading above that says that all below it is done, 0 without one."""
        self._titles: dict[str, str] = {}
        """Of the stories so far."""
        #: Where no block is ended by its mark, a heading ends it.
        self._ended = any(_END.fullmatch(_comment(node)) for node in _flat(nodes))
        self._versions: list[tuple[int, Heading | None]] = []
        """The levels of the versions below a story that we are in, and what was above each."""
        self._deeper: list[tuple[int, str]] = []
        """The levels and words of the headings below the story's that we are in."""
        self._over: Heading | None = None
        level = headings.story_level(nodes)
        self._own_title = sum(node.kind == "heading" and node.level == 1 for node in nodes) == 1
        self._phases = not exported and any(
            node.level == level and headings.read(node.text).phase
            for node in nodes
            if node.kind == "heading"
        )
        for at, node in enumerate(nodes):
            if node.kind == "heading":
                ends = (place for place in range(at + 1, len(nodes))
                        if nodes[place].kind in ("heading", "closing"))  # fmt: skip
                plain = (one for one in nodes[at + 1 : next(ends, len(nodes))]
                         if not headings.has_task(one))  # fmt: skip
                says = exported_checklist.said if exported else headings.said
                self._take_heading(node, level, says(plain))
            elif node.kind == "closing":
                self._close(node, level)
            else:
                self._look([node])

    def _take_heading(self, node: Node, level: int, says: str) -> None:
        self._section += 1
        self._block = self._block if self._ended else 0
        words = node.text
        if not self._exported and (begin := _BEGIN.match(words)):
            self._begin()
            self._above = self._heading
            words = words[begin.end() :]
        if node.level <= self._done_below or not self._done_below:
            self._done_below = node.level if headings.is_done(words) else 0
        while self._versions and self._versions[-1][0] >= node.level:
            self._heading = self._versions.pop()[1]
        if node.level == level:
            self._heading = self._read(words)._replace(says=says)
        elif node.level < level:
            # Of what stands above the phases; a document's own title is no story.
            above = headings.read(words)._replace(says=says)
            own_title = node.level == 1 and self._own_title
            self._over = None if own_title or headings.is_plain(above.story) else above
            self._heading = above if self._phases and node.level > 1 else None
        elif not self._exported and not self._phases and headings.is_version(words):
            self._versions.append((node.level, self._heading))
            self._heading = self._read(words)._replace(says=says)
        self._deeper = [one for one in self._deeper if level < one[0] < node.level]
        if 0 < level < node.level and not self._exported:
            title = headings.read(words).title
            own = self._heading.title if self._heading else ""
            named = title != own and not headings.is_plain(title)
            self._deeper += (
                [(node.level, "\n\n".join(filter(None, (title, says))))] if named else []
            )

    def _read(self, words: str) -> Heading:
        if self._exported:
            return exported_checklist.heading(words)
        return headings.told_apart(headings.read(words), self._titles)

    def _close(self, node: Node, level: int) -> None:
        """Take a section of what holds at the end of a story, or of all."""
        self._section += 1
        phase = headings.read(node.text).phase
        own = 0 < level < node.level or (self._heading and phase == self._heading.phase != "")
        heading = self._heading if own else None
        title = _NUMBERED.sub("", headings.read(node.text).title)
        ticked = all(each.ticked for each in node.nodes)
        node = node._replace(kind="item", text=title, ticked=ticked)
        entry = item_order.Entry(len(self.found), self._section, "", False, False)
        path = (heading.title, title) if heading else (title,)
        self.found.append(Item(node, entry, heading, path, node.line, closing=True))

    def _begin(self) -> None:
        self._blocks += 1
        self._block = self._blocks

    def _look(self, nodes: Sequence[Node], around: tuple[str, ...] = ()) -> None:
        for node in nodes:
            if node.kind == "item" and node.ticked is not None and self._is_task(node):
                self._groups = around
                within = (words.partition("\n")[0] for _, words in self._deeper)
                above = (self._heading.title,) if self._heading else ()
                self._take(node, (*above, *within, *around))
            elif node.kind == "item":
                # A group: its own words are no task.
                self._look(node.nodes, (*around, node.text) if node.text else around)
            else:
                self._take_mark(node)

    def _is_task(self, node: Node) -> bool:
        return bool(node.text) if self._exported else not says_nothing(node)

    def _take_mark(self, node: Node) -> None:
        """A block begins or ends, where `node` says so (`markdown_items.read`)."""
        words = _comment(node)
        if _BEGIN.fullmatch(words):
            self._begin()
        elif _END.fullmatch(words):
            if self._above is not _SAME:
                self._heading, self._above = self._above, _SAME
            self._block = 0

    def _take(self, node: Node, path: tuple[str, ...]) -> item_order.Entry:
        place = len(self.found)
        if node.bare and self._done_below:
            node = node._replace(ticked=True)
        path = (*path, node.text)
        entry = item_order.Entry(place, 0, "", False, False)
        below = (*(words for _, words in self._deeper), *self._groups)
        over = self._over if self._heading != self._over else None
        item = Item(node, entry, self._heading, path, node.line, below, over)
        self.found.append(item)
        block, section = self._block, self._section
        self._block, inner = 0, list[item_order.Entry]()
        # In our own export, boxes inside a task are part of its description.
        for each in () if self._exported else node.nodes:
            if each.ticked is not None:
                inner.append(self._take(each, path))
            else:
                self._take_mark(each)
        ended = any(_END.fullmatch(_comment(each)) for each in node.nodes)
        self._block = 0 if ended else block
        phase = item.heading.phase if item.heading else ""
        words = marked(node.text, ids=has_id(node.text))
        parallel = (words.parallel or block > 0) and not words.mode
        entry = item_order.Entry(
            place, section, phase, parallel, node.numbered, tuple(inner), block
        )
        self.found[place] = item._replace(entry=entry)
        return entry
