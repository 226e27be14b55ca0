"""Split a graph file into its tasks, each with its comments, and what stands around them.

`joined(split(data)) == data`, whatever the line ends. Unlike `records.graph_layouts`, which moves
tasks to other files, this keeps comments and blank lines apart from the task's own lines, so
that two versions of a file can be compared piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.records import graph_file, task_blocks
from ralphgit.records.graph_layouts import KEY_LINE

_COMMENT_LINE = re.compile(r"^[ \t]*#", re.M)
#: A text that keeps the blank lines behind it: they are its own.
_KEEPS = re.compile(r"[|>][0-9]*\+")


class Piece(NamedTuple):
    """One task as it is written, in whole lines."""

    lead: str
    """The comments above it, from the first on."""
    own: str
    trail: str
    """Blank lines behind it."""
    task: Mapping[str, Any]
    """What `own` says, normalised."""


class Pieces(NamedTuple):
    """A graph file, its lines ended by line feeds."""

    head: str
    """Up to the first task."""
    tasks: Mapping[str, Piece]
    """By id, in file order."""
    foot: str
    """What follows the tasks, from the first comment on."""
    eol: str
    """The line ends of the file; "" for mixed ones, which are left in the lines."""
    ended: bool
    """Whether its last line has an end."""


NOTHING = Pieces("", {}, "", "\n", True)
"""A file that is not there."""


def split(data: bytes, *, path: str, limit: int) -> Pieces:
    """Raises: InvalidRecord; (unclear_layout) where tasks do not stand one below the other."""
    feeds, returns = data.count(b"\n"), data.count(b"\r\n")
    eol = "\n" if not returns else "\r\n" if returns == feeds else ""
    if eol == "\r\n":
        data = data.replace(b"\r\n", b"\n")
    file = graph_file.parse(data, path=path, limit=limit)
    text = file.text
    ended = text.endswith("\n")
    text += "" if ended else "\n"
    layout = task_blocks.find(text)
    if not file.tasks:
        return _empty(text, eol, ended=ended)
    if layout is None or [b.start for b in layout.blocks] != [b.start for b in file.spans]:
        message = "the tasks are not written one below the other"
        hint = task_blocks.OWN_LINES
        raise InvalidRecord(message, file=path, code="unclear_layout", hint=hint)
    found: dict[str, Piece] = {}
    lead, rest = "", ""
    for task, span in zip(file.tasks, layout.blocks, strict=True):
        end = task_blocks.content_end(text, span, layout.dash)
        if _KEEPS.search(text, span.start, end):
            blank = re.compile(r"(?:[ \t]*\r?\n)*").match(text, end, span.end)
            end = blank.end() if blank else end
        gap = text[end : span.end]
        comment = _COMMENT_LINE.search(gap)
        at = comment.start() if comment else len(gap)
        found[task["id"]] = Piece(lead, text[span.start : end], gap[:at], task)
        lead = rest = gap[at:]
    head, foot = text[: layout.blocks[0].start], rest + text[layout.blocks[-1].end :]
    return Pieces(head, found, foot, eol, ended)


def _empty(text: str, eol: str, *, ended: bool) -> Pieces:
    """A file without tasks, as it would be around its first one."""
    found = KEY_LINE.search(text)
    if found is None:
        return Pieces(f"{text}tasks:\n", {}, "", eol, ended=True)
    comment = f"  {found[2].rstrip()}" if found[2] else ""
    head = f"{text[: found.start()]}{found[1]}{comment}\n"
    return Pieces(head, {}, text[found.end() :], eol, ended)


def joined(pieces: Pieces) -> bytes:
    """Put the file together again."""
    text = pieces.head
    if not pieces.tasks:
        # The line of `tasks` is the last one that is not a comment.
        text = re.sub(r"(?m)^(tasks[ \t]*:)(?![^\n]*\[)", r"\1 []", text)
    text += "".join(piece.lead + piece.own + piece.trail for piece in pieces.tasks.values())
    text += pieces.foot
    if not pieces.ended:
        text = text.removesuffix("\n")
    return (text.replace("\n", "\r\n") if pieces.eol == "\r\n" else text).encode()
