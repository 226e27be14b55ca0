"""Recognise what `init` wrote, whichever version wrote it.

A file of ours has a line with a digest of all the rest. As long as that is right nobody has
changed the text: then `init` may renew it, and `init --undo` may take it away. Line ends do not
count.

In a file that is somebody else's a block of ours stands between two marks. Everything outside the
block stays byte for byte. A block at the end of a file keeps the file's way of ending, with a line
end or without, so that taking it out gives the old bytes back.
"""

import hashlib
import re
from typing import NamedTuple

_BLANK = re.compile(rb"(?:\r?\n){2}\Z")


class Marks(NamedTuple):
    """The lines that a block begins and ends with."""

    begin: str
    end: str


HTML = Marks("<!-- ralphgit:begin -->", "<!-- ralphgit:end -->")
HASH = Marks("# ralphgit:begin", "# ralphgit:end")


class UnclearMarks(ValueError):
    """The marks are not one that begins and one that ends, in this order."""


def find(data: bytes, marks: Marks) -> tuple[int, int] | None:
    """Where the block is, its marks included and without its last line end; None for none.

    Raises: UnclearMarks.
    """
    begins = [found.start() for found in _lines(data, marks.begin)]
    ends = [found.end() for found in _lines(data, marks.end)]
    if not begins and not ends:
        return None
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise UnclearMarks(f"{marks.begin} and {marks.end} do not each appear in it exactly once")
    return begins[0], ends[0]


def _lines(data: bytes, mark: str) -> list[re.Match[bytes]]:
    return list(re.finditer(rb"^%s(?=\r?$)" % re.escape(mark.encode()), data, re.M))


def body(data: bytes, marks: Marks) -> bytes | None:
    """What stands between the marks, with line feeds for line ends; None without a block.

    Raises: UnclearMarks.
    """
    place = find(data, marks)
    if place is None:
        return None
    block = data[place[0] : place[1]].replace(b"\r\n", b"\n")
    return block[len(marks.begin) + 1 : -len(marks.end)]


def put(data: bytes, text: bytes, marks: Marks) -> bytes:
    """`data` with `text` (lines that end in line feeds) as its block: in the block's place, or
    at the end behind a blank line.

    Raises: UnclearMarks.
    """
    eol = b"\r\n" if b"\r\n" in data else b"\n"
    block = marks.begin.encode() + b"\n" + text + marks.end.encode()
    block = block.replace(b"\n", eol)
    place = find(data, marks)
    if place is not None:
        return data[: place[0]] + block + data[place[1] :]
    if not data:
        return block + eol
    return data + eol + block + eol if data.endswith(b"\n") else data + eol + eol + block


def without(data: bytes, marks: Marks) -> bytes:
    """`data` without its block, as it was before `put`.

    Raises: UnclearMarks.
    """
    place = find(data, marks)
    if place is None:
        return data
    before, after = data[: place[0]], data[place[1] :]
    if not after:
        # The file did not end in a line end before, so two were put before the block.
        return _BLANK.sub(b"", before)
    after = after.removeprefix(b"\r").removeprefix(b"\n")
    if found := re.search(rb"\n(\r?\n)\Z", before):
        before = before[: found.start(1)]
    return before + after


#: Stands where the digest will: a text has it once, in a comment line of its own.
SEAL = "Written by ralphgit init (@)"
_SEAL_LINE = re.compile(rb"^[^\n]*Written by ralphgit init \(([0-9a-f]{12}|@)\)[^\n]*\n", re.M)


def sealed(text: str) -> bytes:
    """`text` with its digest in the line that has SEAL."""
    data = text.encode("utf-8")
    return data.replace(b"(@)", f"({_digest(data)})".encode(), 1)


def is_unchanged(data: bytes) -> bool:
    """Whether `data` is what some version of ralphgit has written, unchanged."""
    plain = data.replace(b"\r\n", b"\n")
    lines = _SEAL_LINE.findall(plain)
    return len(lines) == 1 and lines[0] == _digest(plain).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(_SEAL_LINE.sub(b"", data, count=1)).hexdigest()[:12]
