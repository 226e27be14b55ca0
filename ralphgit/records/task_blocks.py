"""Find each task's block in a graph file.

A line scanner finds the items of the root key `tasks`. It knows nothing of YAML but
indentation, so code that edits a block must parse it alone and compare (`records.splice_task`);
a layout that the scanner does not see through (`tasks: [...]`) is left to `records.yaml_nodes`.
"""

import re
from typing import NamedTuple

#: What to do where the list of the tasks is no block sequence.
OWN_LINES = "write each task as '- id: ...' on lines of its own, below tasks:"
# Compiled where a file is looked through, which `claim` mostly does not.
_ROOT = r"""(?m)^\ufeff?(?:{0}|"{0}"|'{0}')[ \t]*:[ \t]*(?:#[^\n]*)?\r?$"""
_SKIPPED = r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*"
_FIRST = r"( *)-(?=[ \r\n]|\Z)"


class Block(NamedTuple):
    """One task's lines: `text[start:end]`, from its dash to the next task's."""

    start: int
    end: int


class Layout(NamedTuple):
    """The task blocks of a file, in order, and the column (from 0) of their dashes."""

    blocks: tuple[Block, ...]
    dash: int


def find(text: str, key: str = "tasks") -> Layout | None:
    """The blocks below the root key `key`, or None if it is not a block sequence.

    Comments and blank lines between two tasks are in the text of the first (`content_end`
    knows where its own lines end).
    """
    root = re.search(_ROOT.format(key), text)
    if root is None:
        return None
    skipped = re.compile(_SKIPPED).match(text, min(root.end() + 1, len(text)))
    begin = skipped.end() if skipped else root.end()
    first = re.compile(_FIRST).match(text, begin)
    if first is None:
        return None
    dash = len(first.group(1))
    # A line's start is sought as the end of the one before: `^` would be tried everywhere.
    stop = re.compile(rf"\n {{0,{dash}}}[^-# \r\n]").search(text, begin)
    limit = stop.start() + 1 if stop else len(text)
    sign = f"\n{' ' * dash}-"
    starts = [begin]
    at = text.find(sign, begin, limit)
    while at >= 0:
        after = at + len(sign)
        if after == limit or text[after] in " \r\n":
            starts.append(at + 1)
        at = text.find(sign, after, limit)
    ends = [*starts[1:], limit]
    return Layout(tuple(map(Block, starts, ends)), dash)


def content_end(text: str, block: Block, dash: int) -> int:
    """Where the block's own lines end: before trailing blank lines and outer comments."""
    end = block.end
    while end > block.start:
        begin = text.rfind("\n", block.start, end - 1) + 1
        if begin <= block.start:
            break
        line = text[begin:end]
        bare = line.strip()
        outer_comment = bare.startswith("#") and len(line) - len(line.lstrip()) <= dash
        if bare and not outer_comment:
            break
        end = begin
    return end
