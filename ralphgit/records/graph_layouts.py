"""Take a graph file apart and put it together again, without losing a byte of a task.

A piece is a task's block, from its dash to the end of its own lines, with the blank lines that
follow it (they may be text of its last field) and the comments that stand before it. Comments
behind the last task stay behind it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.records import graph_file, schemas, task_blocks

_MODELINE = re.compile(r"# yaml-language-server:[^\n]*\n")
_VERSION = re.compile(r"""^(?:version|"version"|'version')[ \t]*:[^\n]*(?:\n|\Z)""", re.M)
#: The line of `tasks` in a file that has it in block style, or empty.
KEY_LINE = re.compile(
    r"""^((?:tasks|"tasks"|'tasks')[ \t]*:)[ \t]*(?:\[[ \t]*\]|null|~)?[ \t]*(#[^\n]*)?"""
    r"(?:\r?\n|\Z)",
    re.M,
)
_COMMENT_LINE = re.compile(r"^[ \t]*#", re.M)


class Frame(NamedTuple):
    """What a graph file has around its tasks."""

    before: str
    """Up to the line of `tasks`, without the line that names the schema."""
    key: str
    """`tasks:`"""
    comment: str
    """The one on that line."""
    after: str
    """Root keys behind the tasks."""
    root: frozenset[str]
    """The root keys but `version` and `tasks`."""

    @property
    def says_something(self) -> bool:
        """Whether it is more than what every graph file has."""
        return bool(self.rest)

    @property
    def rest(self) -> str:
        """What is not in every graph file, as lines."""
        parts = [_VERSION.sub("", self.before), self.comment, _VERSION.sub("", self.after)]
        return "".join(_ended(part, _eol(part)) for part in parts if part.strip())


class Parts(NamedTuple):
    """A graph file taken apart."""

    frame: Frame
    pieces: tuple[str, ...]
    """In file order, one for each task."""
    dash: int
    """The column of the dashes, from 0; -1 in a file without tasks."""


def split(file: graph_file.GraphFile) -> Parts:
    """Raises: InvalidRecord (unclear_layout) for a layout that has no blocks."""
    text = file.text
    layout = task_blocks.find(text)
    spans = layout.blocks if layout and file.tasks else ()
    found = KEY_LINE.search(text)
    if spans != file.spans or (spans and found is None):
        message = "the tasks are not written one below the other"
        hint = task_blocks.OWN_LINES
        raise InvalidRecord(message, file=file.path, code="unclear_layout", hint=hint)
    if found is None:
        before, key, comment, rest, end = _ended(text, _eol(text)), "tasks:", "", "", len(text)
    else:
        before, key, comment = text[: found.start()], found[1], (found[2] or "").rstrip()
        end = found.end()
        rest = text[spans[-1].end :] if spans else text[end:]
    ours = f"/{schemas.file_name('task-graph')}"  # of any place: older files name a folder here
    before = before.removeprefix("\ufeff")
    if (first := _MODELINE.match(before)) and first[0].strip().endswith(ours):
        before = before[first.end() :]
    pieces = []
    lead = text[end : spans[0].start] if spans else ""
    for number, span in enumerate(spans):
        assert layout is not None  # it has the spans
        own = task_blocks.content_end(text, span, layout.dash)
        gap = text[own : span.end]
        comment_line = _COMMENT_LINE.search(gap)
        more = bool(rest) or number + 1 < len(spans)
        at = comment_line.start() if comment_line and more else len(gap)
        pieces.append(lead + text[span.start : own] + gap[:at])
        lead = gap[at:]
    frame = Frame(before, key, comment, lead + rest, frozenset(file.root) - {"version"})
    return Parts(frame, tuple(pieces), layout.dash if layout and spans else -1)


def join(path: str, frames: Sequence[Frame], pieces: Sequence[str], eol: str) -> str:
    """The file at `path` with the tasks of `pieces` in the first frame; of the other ones it has
    what is not in every graph file.

    Raises: InvalidRecord (root_twice) where two frames have the same root key.
    """
    seen: set[str] = set()
    for frame in frames:
        if twice := sorted(seen & frame.root):
            raise InvalidRecord(
                f"more than one graph file has {', '.join(twice)} beside its tasks; "
                "nothing was changed",
                file=path, code="root_twice", hint="put them together by hand, then repeat",
            )  # fmt: skip
        seen |= frame.root
    first = frames[0] if frames else Frame(f"version: 1{eol}", "tasks:", "", "", frozenset())
    others = "".join(frame.rest for frame in frames[1:])
    empty = "" if pieces else " []"
    comment = f"  {first.comment}" if first.comment else ""
    made = first.before
    if not made.startswith("# yaml-language-server:"):
        made = schemas.modeline("task-graph").rstrip("\n") + eol + made
    made = f"{_ended(made, eol)}{others}{first.key}{empty}{comment}{eol}"
    for piece in pieces:
        made = _ended(made, eol) + piece
    return _ended(made, eol) + first.after if first.after else made


def without(file: graph_file.GraphFile, ids: Collection[str]) -> tuple[str, dict[str, str], bool]:
    """The file's text without these tasks, the text of each of them with the comments before it,
    and whether it says more than what every graph file has. Every other byte stays.

    Raises: InvalidRecord (unclear_layout).
    """
    parts = split(file)
    found = KEY_LINE.search(file.text)
    assert found is not None or not parts.pieces  # `split` has seen to it
    names = [str(task["id"]) for task in file.tasks]
    taken = {task: piece for task, piece in zip(names, parts.pieces, strict=True) if task in ids}
    begin = found.end() if found else len(file.text)
    kept = "".join(
        piece for task, piece in zip(names, parts.pieces, strict=True) if task not in ids
    )
    end = begin + sum(map(len, parts.pieces))
    return file.text[:begin] + kept + file.text[end:], taken, parts.frame.says_something


def with_piece(path: str, text: str, piece: str) -> str:
    """The text of the graph file `path` with a task behind its last one; all else stays.

    Raises: InvalidRecord (unclear_layout, mixed_indentation).
    """
    file = graph_file.parse(text.encode("utf-8"), path=path)
    parts = split(file)
    eol = _eol(text)
    found = KEY_LINE.search(text)
    if found is None:
        return f"{_ended(text, eol)}tasks:{eol}{piece}"
    made = task_blocks.find(f"tasks:\n{piece}")
    dash = made.dash if made else -1
    if parts.pieces and dash != parts.dash:
        raise InvalidRecord(
            f"the tasks of {path} are indented differently; nothing was changed",
            file=path, code="mixed_indentation", hint="indent all tasks alike, then repeat",
        )  # fmt: skip
    if not parts.pieces:
        comment = f"  {found[2].rstrip()}" if found[2] else ""
        head = f"{text[: found.start()]}{found[1]}{comment}{eol}"
        return f"{head}{_ended(piece, eol)}{text[found.end() :]}"
    at = found.end() + sum(map(len, parts.pieces))
    rest = text[at:]
    return f"{_ended(text[:at], eol)}{_ended(piece, eol) if rest else piece}{rest}"


def _ended(text: str, eol: str) -> str:
    """`text` with a line end at its end."""
    return text if not text or text.endswith("\n") else text + eol


def _eol(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
