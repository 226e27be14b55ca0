"""Tell what says of an item that it is done from the item's own words."""

from __future__ import annotations

import re

SIGNS = "\u2705\u2714\u2713\u2611"
_ENDED = r"done|completed?|finished|merged|shipped|implemented|landed"
_MORE = rf"{_ENDED}|fixed|closed|commit"
_HASH = r"(?=[a-f]*[0-9])[0-9a-f]{7,40}"
_SAYS_SO = re.compile(rf"[{SIGNS}]|\b(?:{_MORE}|{_HASH})\b", re.IGNORECASE)
_SAYS_DONE = re.compile(rf"[{SIGNS}]|\b(?:{_ENDED})\b", re.IGNORECASE)
#: What says that an item is done, and no more: `(done 2025-01-02)`, `✅ commit 1f2e3d4`.
_REMARK = re.compile(
    rf"(?:[\W_]|\b(?:{_MORE}|{_HASH}|in|on|at|see|pr|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|(?<=\#)[0-9]+)\b)*",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    rf"\A(?:[{SIGNS}]\ufe0f?|\[x\]|\[(?:DONE|COMPLETED?)\]|\((?:DONE|COMPLETED?)\)"
    r"|(?:DONE|COMPLETED?)\b)[\s:\u2013\u2014-]*"
)
_BEHIND = re.compile(
    rf"(?:[{SIGNS}]\ufe0f?|[(\[](?P<aside>[^()\[\]]*)[)\]]"
    r"|(?:[:\u2013\u2014]|(?<=\s)-)\s*(?P<said>(?i:done|completed?|finished))"
    r"|(?<=\s)[*_]*(?P<word>DONE|COMPLETED?|FINISHED))[*_\s.!]*\Z"
)
#: Behind these, a word in capitals is what an item is about: "Mark it as DONE".
_ABOUT = re.compile(
    r"\b(?:as|to|is|of|if|the|an?|with|for|from|in|when|until|and|or|not|status|state|mark(?:ed)?"
    r"|shows?|set|reads?)\W*\Z",
    re.IGNORECASE,
)


def is_remark(words: str) -> bool:
    """Whether words say that something is done, where and when, and no more."""
    return _REMARK.fullmatch(words) is not None and _SAYS_SO.search(words) is not None


def says_done(words: str) -> bool:
    """Whether words in brackets say of what is before them that it is done, and no more."""
    return _REMARK.fullmatch(words) is not None and _SAYS_DONE.search(words) is not None


def split(words: str) -> tuple[str, bool]:
    """`words` without marks before or behind them that say they are done, and whether one does.

    Of words that are such a mark and no more, nothing is left.
    """
    left = words.strip()
    if before := _BEFORE.match(left):
        left = left[before.end() :]
    while (behind := _BEHIND.search(left)) and _is_mark(behind, left):
        left = left[: behind.start()].rstrip(" \t:\u2013\u2014-")
    return left, left != words.strip()


def _is_mark(found: re.Match[str], words: str) -> bool:
    if found["aside"] is not None:
        return says_done(found["aside"])
    return found["word"] is None or not _ABOUT.search(words[: found.start()])
