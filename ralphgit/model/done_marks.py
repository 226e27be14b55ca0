"""Tell what says of an item that it is done from the item's own words."""

from __future__ import annotations

import re

SIGNS = "\u2705\u2714\u2713\u2611"
_DONE = (
    r"done|completed?|finished|hecho|completado|conclu\u00eddo|termin\u00e9|erledigt|fertig"
    r"|\u0433\u043e\u0442\u043e\u0432\u043e|\u5df2?\u5b8c\u6210|\u5b8c\u4e86|\uc644\ub8cc"
)
_ENDED = rf"{_DONE}|merged|shipped|implemented|landed"
_MORE = rf"{_ENDED}|fixed|closed|commit"
_HASH = r"(?=[a-f]*[0-9])[0-9a-f]{7,40}"
_SAYS_SO = re.compile(rf"[{SIGNS}]|\b(?:{_MORE}|{_HASH})\b", re.IGNORECASE)
_SAYS_DONE = re.compile(rf"[{SIGNS}]|\b(?:{_ENDED})\b", re.IGNORECASE)
#: What says that an item is done, and no more: `(done 2025-01-02)`, `✅ commit 1f2e3d4`.
_REMARK = re.compile(
    rf"(?:[\W_]|\b(?:{_MORE}|{_HASH}|in|on|at|see|pr|by\s+@?\w+|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|(?<=\#)[0-9]+)\b)*",
    re.IGNORECASE,
)
_REPORT = re.compile(
    rf"[\s{SIGNS}\ufe0f*_(\[]*(?:DONE|COMPLETED?|FINISHED)\b[*_]*\s*[:.\u2013\u2014-](?=\s|[*_])"
)
_BEFORE = re.compile(
    rf"\A(?:[{SIGNS}]\ufe0f?|\[x\]|[(\[](?i:{_DONE})[)\]]"
    r"|(?:DONE|COMPLETED?)\b)[\s:\u2013\u2014-]*"
)
_BEHIND = re.compile(
    rf"(?:[{SIGNS}]\ufe0f?|(?<=\s)\[[xX]\]|[(\[\uff08](?P<aside>[^()\[\]\uff08\uff09]*)[)\]\uff09]"
    rf"|(?:[:\u2013\u2014]|(?<=\s)-|[{SIGNS}]\ufe0f?)\s*(?i:{_DONE})"
    r"|(?<=\s)[*_]*(?P<word>DONE|COMPLETED?|FINISHED))[*_\s.!]*\Z"
)
#: Behind these, a word in capitals is what an item is about: "Mark it as DONE".
_ABOUT = re.compile(
    r"\b(?:as|to|is|of|if|the|an?|with|for|from|in|when|until|and|or|not|status|state|mark(?:ed)?"
    r"|shows?|set|reads?)\W*\Z",
    re.IGNORECASE,
)


def is_remark(words: str) -> bool:
    """Whether words say that something is done, where and when, and no more; or, behind "DONE -",
    anything."""
    if _REPORT.match(words):
        return True
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
