"""What a command answered, as the text that an agent reads.

One JSON object without spaces, of those keys of the envelope (SPEC 6) that say something: `error`,
`data`, `warnings`. It is sent once, as text: with `structuredContent` beside it the protocol wants
the same again as text, and agents would pay for both.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

#: Characters of an answer. An agent's context is worth more than the 400th task.
MOST = 40_000


class Answer(NamedTuple):
    text: str
    refused: bool


def answer(verb: str, status: int, out: bytes) -> Answer:
    """What `ralphgit VERB --json` has printed, with its exit status."""
    try:
        envelope = json.loads(out)
    except ValueError:
        return refusal(
            "no_answer", f"{verb} ended without an answer (exit {status})",
            hint="repeat it: what was begun is completed or undone",
        )  # fmt: skip
    told = {key: envelope[key] for key in ("error", "data", "warnings") if envelope[key]}
    if not told:
        told = {"data": envelope["data"]}
    return Answer(fitted(told, MOST), not envelope["ok"])


def refusal(code: str, message: str, *, hint: str = "") -> Answer:
    """A refusal of our own, in the same shape."""
    return Answer(_encoded({"error": {"code": code, "message": message, "hint": hint}}), True)


def fitted(told: Mapping[str, object], most: int) -> str:
    """`told` as text of at most `most` characters, and a sentence more where it was cut.

    The longest list in its data loses its last entries; `left_off` says how many. What is too
    long even so (or has no list) is cut as text, and says so behind it.
    """
    text = _encoded(told)
    if len(text) <= most:
        return text
    data = told.get("data")
    lists = {key: value for key, value in data.items() if isinstance(value, list)} if isinstance(
        data, dict
    ) else {}  # fmt: skip
    if lists:
        assert isinstance(data, dict)
        key = max(lists, key=lambda name: len(_encoded(lists[name])))
        entries = lists[key]
        over, kept = len(text) + _ROOM - most, len(entries)
        while over > 0 and kept:
            kept -= 1
            over -= len(_encoded(entries[kept])) + 1
        short = {**data, key: entries[:kept]}
        text = _encoded({**told, "data": short, "left_off": {key: len(entries) - kept}})
    if len(text) > most:
        text = f"{text[:most]}\n(cut: {most} of {len(text)} characters)"
    return text


#: What `left_off` itself takes.
_ROOM = 80


def _encoded(value: object) -> str:
    """Compact JSON in which what cannot be printed stays escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
