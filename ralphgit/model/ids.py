"""Parse names that are safe as a file name, a ref component and a shell word."""

from __future__ import annotations

import re
from typing import NewType

from ralphgit.errors import UsageError

TaskId = NewType("TaskId", str)
Worker = NewType("Worker", str)

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
#: The same with dots, but never two in a row and none at the end.
_DOTTED = r"(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?(?<!\.lock)"
_GRAMMAR_HINT = (
    "an id is 1 to 64 of A-Z a-z 0-9 . _ -, begins with a letter or digit, has no '..', "
    "and does not end in '.' or '.lock'"
)

#: Crockford's base 32 in lower case: no i, l, o, u to misread.
RECORD_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
RECORD_ID_LENGTH = 10


def is_id(text: str) -> bool:
    """Whether `text` is in the id grammar of SPEC 3.1."""
    # Nearly every id is plain, and a graph of 10,000 tasks has 40,000 to look at.
    return _PLAIN.fullmatch(text) is not None or re.fullmatch(_DOTTED, text) is not None


def parse_task_id(text: str) -> TaskId:
    """Parse `text` as a task id.

    Raises: UsageError when it is outside the grammar.
    """
    # A program may give anything.
    if not isinstance(text, str) or not is_id(text):
        raise UsageError(f"{text!r} is not a task id", code="bad_id", hint=_GRAMMAR_HINT)
    return TaskId(text)


def parse_worker(text: str) -> Worker:
    """Parse `text` as a worker name (same grammar as an id).

    Raises: UsageError when it is outside the grammar.
    """
    if not is_id(text):
        raise UsageError(f"{text!r} is not a worker name", code="bad_worker", hint=_GRAMMAR_HINT)
    return Worker(text)


def record_id(entropy: bytes) -> str:
    """Make a record id from at least 8 random bytes (50 bits are used).

    The first character is a letter that no YAML number begins with, so that the id
    can be written without quotes and never reads as 1e5 or 0x1f.
    """
    if len(entropy) < 8:
        raise ValueError("a record id needs 8 bytes of entropy")
    number = int.from_bytes(entropy[:8], "big")
    letters = "ghjkmnpqrstvwxyz"
    first, number = letters[number % 16], number // 16
    rest = ""
    for _ in range(RECORD_ID_LENGTH - 1):
        rest += RECORD_ID_ALPHABET[number % 32]
        number //= 32
    return first + rest
