"""Find the keys of a task in its block, by lines and indentation alone.

That is not YAML, so code that edits by it reads the result again (`records.splice_task`).
"""

from __future__ import annotations

import re

_DASH = re.compile(r"( *)-( +)(?=[^ \r\n#])")
#: A key of a block mapping and its colon; its text is one of the three groups.
_KEY = (
    r"""(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\n]|'')*)'"""
    r"""|((?:[^\s"'#\[\]{},&*!|>%@`:?-]|[:?-](?=\S))(?:[^\n:#]|:(?=\S)|(?<=\S)\#)*?))"""
    r"""[ \t]*:(?=[ \t\r\n]|\Z)"""
)

_FIRST_KEY = re.compile(_KEY)
_BARE_DASH = r" *-[ \t]*(?:#[^\n]*)?\r?\n((?:[ \t]*(?:#[^\n]*)?\r?\n)*) +"


def column(block: str) -> int | None:
    """The column of a block-style task's keys; None for flow style and odd layouts."""
    dash = _DASH.match(block)
    if dash is not None:
        return dash.end() if _FIRST_KEY.match(block, dash.end()) else None
    bare = re.match(_BARE_DASH, block)
    return bare.end() - bare.end(1) if bare and _FIRST_KEY.match(block, bare.end()) else None


def spans(block: str, column: int) -> dict[str, tuple[int, int]]:
    """Where each key of a block-style task stands: from its line's first column to the
    first line that is not its value's. The first key's lines begin behind the dash."""
    pad, found, begin = " " * column, list[tuple[int, re.Match[str]]](), 0
    for line in block.split("\n"):
        has_room = line.startswith(pad) if begin else len(line) >= column
        if has_room and (key := _FIRST_KEY.match(block, begin + column)):
            found.append((begin, key))
        begin += len(line) + 1
    limits = [*(start for start, _ in found[1:]), len(block)]
    spans: dict[str, tuple[int, int]] = {}
    for (begin, key), limit in zip(found, limits, strict=False):
        name = next(part for part in key.groups() if part is not None)
        spans[name] = (begin, _value_end(block, key.end(), limit, column))
    return spans


def _value_end(block: str, begin: int, limit: int, column: int) -> int:
    """The end of a value's own lines: blank lines and comments behind it are not its."""
    end = limit
    while end > begin:
        line_start = block.rfind("\n", begin, end - 1) + 1
        if line_start <= begin:
            break
        line = block[line_start:end]
        bare = line.strip()
        if bare and not bare.startswith("#"):
            break
        end = line_start
    return _block_scalar_end(block, begin, end, limit)


_BLOCK_SCALAR = re.compile(r"^( *)[^\n]*[:-][ \t]+[|>]([-+0-9]*)[ \t]*(?:[ \t]#[^\n]*)?\r?\n", re.M)
_LINE = r"( *)([^\n]*)(?:\n|\Z)"


def _block_scalar_end(block: str, begin: int, end: int, limit: int) -> int:
    """`end`, or further down if a block scalar ends there: its text may look like comments."""
    at = block.rfind("\n", 0, begin) + 1
    while header := _BLOCK_SCALAR.search(block, at, end):
        depth = len(header.group(1)) + 1
        fixed = any(sign.isdigit() for sign in header.group(2))
        at = header.end()
        for line in re.compile(_LINE).finditer(block, at, limit):
            if not line.group(2).strip():
                continue
            indent = len(line.group(1))
            if indent < depth:
                break
            if not fixed:
                depth, fixed = indent, True
            at = line.end()
        if at >= end:
            return at
    return end


def ends_in_block_scalar(block: str) -> bool:
    """Whether the last line's end is part of a text."""
    last = len(block) - 1
    return _block_scalar_end(block, 0, last, len(block)) > last


_QUOTED = r"""(?<=[\s{\[,:-])(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')"""
_COMMENT = r"(?<=\s)#[^\n]*"


def comments(lines: str) -> list[str]:
    """What may be a comment in `lines`; in a block scalar it is none."""
    return re.findall(_COMMENT, re.sub(_QUOTED, "", lines))
