"""Mark tasks as done in the text of their source, which stays byte for byte otherwise."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from ralphgit.records.importers.parts.field_mapping import word_for_done
from ralphgit.records.importers.parts.front_matter import FENCED
from ralphgit.records.importers.parts.markdown_items import BALLOT, OPEN_SIGNS, SIGN
from ralphgit.records.importers.source_file import SourceFile

#: The box of an item, behind its mark or, of lists in a list on one line, several.
_BOX = re.compile(r"((?:[ \t]*(?:[-*+]|[0-9]{1,9}[.)]))+[ \t]*(?:\*{1,3}|_{1,3})?\[)[^\[\]]*(?=\])")
_VALUE = r"""("[^"\n]*"|'[^'\n]*'|[^\s#"'][^#\r\n]*?)"""
_STATUS = re.compile(rf"^(status[ \t]*:[ \t]*){_VALUE}?(?=[ \t]*(?:#[^\n]*)?\r?$)", re.MULTILINE)


def boxes(raw: str, lines: Iterable[int], *, sign: str = "x") -> str:
    """Tick the boxes of the items that begin in these lines, from 1, or put `sign` into them."""
    text = raw.split("\n")
    for line in lines:
        ticked, count = _BOX.subn(rf"\g<1>{sign}", text[line - 1], count=1)
        text[line - 1] = ticked if count else _signed(ticked, done=sign == "x")
    return "\n".join(text)


def _signed(line: str, *, done: bool) -> str:
    """A line with a sign in place of a box: the ticked one that goes with it, or the open one."""
    found = SIGN.match(line)
    if found is None or bool(found["done"]) == done:
        return line
    return f"{found['mark']}{BALLOT if done else OPEN_SIGNS[0]}{line[found.end() :]}"


def status(raw: str, word: str) -> str:
    """Set `status` in the front matter, in the quotes that it has."""
    front = FENCED.match(raw)
    if front is None:
        return raw
    inside = front["inside"]
    found = _STATUS.search(inside)
    if found is None:
        end = "\r\n" if front["open"].endswith("\r\n") else "\n"
        made = f"{inside}status: {word}{end}"
    else:
        quote = found[2][0] if found[2] and found[2][0] in "\"'" else ""
        made = f"{inside[: found.end(1)]}{quote}{word}{quote}{inside[found.end() :]}"
    return raw[: front.start("inside")] + made + raw[front.end("inside") :]


def finished(file: SourceFile, raw: str, ids: Collection[str], usual: str) -> str:
    """Set the status of a document's task to what those beside it call done, else to `usual`."""
    return status(raw, word_for_done(file.beside, usual)) if ids else raw


def edited(raw: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """Make edits: from, to, and the text that comes there."""
    for start, end, text in sorted(edits, reverse=True):
        raw = raw[:start] + text + raw[end:]
    return raw
