"""Find the sections of a Markdown document by their headings, and the items listed in one."""

from __future__ import annotations

import re
from typing import NamedTuple

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
#: Behind "acceptance criteria".
_SHORT = re.compile(r"(?<=\S) ?\(acs?\)\Z")
_COMMENT = re.compile(r"<!--.*?-->")
_BOX = re.compile(r"\[[ \t]*([xX\u2713\u2714\u2611]?)[ \t]*\](?:[ \t]+|\Z)")
#: Lines with their heading level: 0 for text, -1 inside a code fence.
Lines = list[tuple[int, str]]


class Item(NamedTuple):
    """An item of a list, inner lists and all."""

    text: str
    ticked: bool | None
    """None where it has no box."""


def lines_of(body: str) -> Lines:
    """The lines of `body`, each with its heading level; comments are left out."""
    marked: Lines = []
    fence = ""
    for line in body.split("\n"):
        mark = line.strip()[:3]
        if fence:
            marked.append((-1, line))
            fence = "" if mark == fence else fence
        elif mark in ("```", "~~~"):
            marked.append((-1, line))
            fence = mark
        else:
            line = _COMMENT.sub("", line).rstrip() if "<!--" in line else line
            found = _HEADING.fullmatch(line)
            marked.append((len(found[1]), _unclosed(found[2])) if found else (0, line))
    return marked


def _unclosed(heading: str) -> str:
    """A heading's text without the signs that may close it. No expression: they take long for
    what has many blanks.
    """
    text = heading.rstrip(" \t")
    without = text.rstrip("#")
    return without.rstrip(" \t") if without.endswith((" ", "\t")) else text


def plain(heading: str) -> str:
    """A heading's words in lower case, without signs and emphasis around them, nor `(ACs)`."""
    begin, end = 0, len(heading)
    while begin < end and not heading[begin].isalnum():
        begin += 1
    while begin < end and not (heading[end - 1].isalnum() or heading[end - 1] == ")"):
        end -= 1
    return _SHORT.sub("", heading[begin:end].casefold())


def section(lines: Lines, *titles: str) -> Lines:
    """The lines under the first heading in `titles`, up to the next of its level or above."""
    depth = 0
    found: Lines = []
    for level, words in lines:
        if depth and 0 < level <= depth:
            break
        if depth:
            found.append((level, words))
        elif level > 0 and plain(words) in titles:
            depth = level
    return found


def listed(lines: Lines) -> tuple[list[Item], list[str]]:
    """The items of the lists in `lines`, and the paragraphs beside them."""
    items: list[str] = []
    paragraphs: list[str] = []
    into: list[str] | None = None  # What the next line may go on with.
    inner = 0  # In an item: a line that stands this deep belongs to it.
    after_blank = True
    for level, line in lines:
        words = line.strip()
        depth = len(line) - len(line.lstrip(" "))
        if level > 0 or not words or words in ("---", "***", "___"):
            after_blank = True
            if words and level >= 0:
                into = None
            continue
        item = _item(words) if level == 0 else None
        inside = into is items and depth >= inner
        glue = "\n" if level < 0 or item is not None else " "
        if item is not None and not inside:
            items.append(item)
            into, inner = items, depth + 2
        elif into is not None and (inside or not after_blank):
            into[-1] += glue + words
        else:
            paragraphs.append(words)
            into = paragraphs
        after_blank = False
    return [_boxed(item) for item in items if item.strip()], paragraphs


def _item(words: str) -> str | None:
    """The text of a list item without its mark; None when it is not one."""
    mark, _, rest = words.partition(" ")
    if mark not in ("-", "*", "+") and not (mark[:-1].isdecimal() and mark[-1] in ".)"):
        return None
    return rest.strip()


def _boxed(text: str) -> Item:
    box = _BOX.match(text)
    return Item(text[box.end() :].strip(), bool(box[1])) if box else Item(text.strip(), None)
