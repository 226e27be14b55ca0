"""Escape text from people and agents, so that nothing in it acts as Markdown.

It is text, and nothing else: no markup, no HTML, no link, nobody mentioned, no issue closed, no
line that a forge takes for a command.
"""

from __future__ import annotations

import re
import unicodedata

from ralphgit.model.printable import BLANK

_LONGEST_LINE = 1000
_MOST_LINES = 60
#: U+2060, which shows nothing and parts `@` from a name, and `#` from a number.
_JOINER = "&#8288;"
_MARKS = frozenset("\\`*_[]|.")
_MARKS_AT_THE_START = frozenset("+-=")
_CALLS = frozenset("@#!$%~^&")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", ":": "&#58;"}
_ISSUE = re.compile(r"(?i)\bGH(?=-\d)")


def escape(text: str) -> str:
    """One line of text as Markdown that shows just it."""
    made = []
    text = one_line(text)
    for number, sign in enumerate(text):
        after = text[number + 1 : number + 2]
        marks = sign in _MARKS or sign in _CALLS or (not number and sign in _MARKS_AT_THE_START)
        shown = _ENTITIES.get(sign, f"\\{sign}" if marks else sign)
        made.append(shown + (_JOINER if sign in _CALLS and after.strip() else ""))
    return _ISSUE.sub(lambda found: found.group() + _JOINER, "".join(made))


def code(text: str) -> str:
    """One line of text as an inline code span."""
    text = one_line(text)
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fenced(text: str, language: str = "") -> str:
    """Lines as a block of code that they cannot end."""
    fence = "`" * max(3, _longest_run(text) + 1)
    lines = [_shown(line) for line in text.split("\n")]
    return "\n".join([f"{fence}{language}", *lines, fence])


def quoted(text: str) -> str:
    """Lines as a quotation; cut where there are many."""
    lines = text.strip().split("\n")
    shown = [f"> {escape(line)}" if line.strip() else ">" for line in lines[:_MOST_LINES]]
    return "\n".join(shown + ["> ..."] * (len(lines) > _MOST_LINES))


def one_line(text: str) -> str:
    """`text` on one line, without what does not show or turns the direction of writing."""
    return _shown(" ".join(text.split()))[:_LONGEST_LINE]


def _shown(line: str) -> str:
    return "".join(c if c == "\t" or not _is_hidden(c) else "\ufffd"
                   for c in line.rstrip("\r"))  # fmt: skip


def _is_hidden(character: str) -> bool:
    return character in BLANK or unicodedata.category(character).startswith("C")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
