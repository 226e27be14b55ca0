"""A line in what `init` writes by which it is known again, whichever version wrote it.

The line holds a digest of all the rest. As long as that is right nobody has changed the text:
then `init` may renew it, and `init --undo` may take it away. Line ends do not count.
"""

from __future__ import annotations

import hashlib
import re

#: Stands where the digest will: a text has it once, in a comment line of its own.
PLACE = "Written by ralphgit init (@)"
_LINE = re.compile(rb"^[^\n]*Written by ralphgit init \(([0-9a-f]{12}|@)\)[^\n]*\n", re.M)


def closed(text: str) -> bytes:
    """`text` with its digest in the line that has PLACE."""
    data = text.encode("utf-8")
    return data.replace(b"(@)", f"({_digest(data)})".encode(), 1)


def is_closed(data: bytes) -> bool:
    """Whether `data` is what some version of ralphgit has written, unchanged."""
    plain = data.replace(b"\r\n", b"\n")
    lines = _LINE.findall(plain)
    return len(lines) == 1 and lines[0] == _digest(plain).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(_LINE.sub(b"", data, count=1)).hexdigest()[:12]
