"""Take out of a copy of the index what git would believe of a file without reading it.

git reads a file again whose time is not before the index's own (racy-git), and so all of them
where that is the oldest there can be. But an entry that has the time 0 is never read again.

Source: git's Documentation/gitformat-index.txt, versions 2 to 4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_HEAD = struct.Struct(">4sII")
_SIGNATURE = b"DIRC"
#: Of an entry: two times in seconds and nanoseconds, and six more words before the object's id.
_TIME, _STAT_BYTES = 8, 40
_NEVER, _EARLIEST = bytes(4), b"\0\0\0\1"
_EXTENDED = 0x4000
#: What comes behind the entries of a split index. What may be missing there has a capital first.
_SPLIT = b"link"


def is_split(data: bytes, id_bytes: int) -> bool:
    """Whether some of the entries of an index are in another file."""
    if _SPLIT not in data:  # as most often, and quicker
        return False
    *_, end = _entries(data, id_bytes)
    return any(name == _SPLIT for _, name, _ in _extensions(data, end, id_bytes))


def read_anew(data: bytes, id_bytes: int) -> bytes:
    """Return an index of which, where it is from `index.LONG_AGO`, git believes nothing but which
    path has which object: no times, no trees, and no monitor that has seen no change.

    One that cannot be read is returned as it is: git says what is wrong with it.
    """
    made = bytearray(data)
    *entries, end = _entries(data, id_bytes)
    for at in entries:
        if data[at + _TIME : at + _TIME + 4] == _NEVER:
            made[at + _TIME : at + _TIME + 4] = _EARLIEST
    kept = made[:end]
    for at, name, after in _extensions(data, end, id_bytes):
        if not name[:1].isupper():
            kept += made[at:after]
    if data[:4] != _SIGNATURE or len(kept) + id_bytes > len(data):
        return data
    digest = data[-id_bytes:]
    if any(digest):  # else it has none
        import hashlib

        begun = hashlib.sha1 if id_bytes == 20 else hashlib.sha256
        digest = begun(kept).digest()
    return bytes(kept) + digest


def _extensions(data: bytes, at: int, id_bytes: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield where each part behind the entries, which end at `at`, begins, its name and end."""
    while at + 8 <= len(data) - id_bytes:
        after = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        yield at, data[at : at + 4], after
        at = after


def _entries(data: bytes, id_bytes: int) -> Iterator[int]:
    """Yield where each entry begins, and where the last one ends."""
    signature, version, count = _HEAD.unpack_from(data) if len(data) >= _HEAD.size else (b"", 0, 0)
    at = _HEAD.size
    for _ in range(count if signature == _SIGNATURE else 0):
        flags_at = at + _STAT_BYTES + id_bytes
        flags = int.from_bytes(data[flags_at : flags_at + 2], "big")
        name = flags_at + (4 if flags & _EXTENDED else 2)
        end = data.find(0, name)
        if version == 4:  # the name begins with how much of the last one is left, as a number
            while data[name : name + 1] > b"\x7f":
                name += 1
            end = data.find(0, name + 1)
        if end < 0:
            break
        yield at
        at = end + 1 if version == 4 else at + (end - at + 8) // 8 * 8
    yield at
