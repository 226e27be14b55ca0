"""What a command answered, as the text that an agent reads.

One JSON object without spaces, of those keys of the envelope (SPEC 6) that say something: `error`,
`data`, `warnings`. It is sent once, as text: with `structuredContent` beside it the protocol wants
the same again as text, and agents would pay for both.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.errors import RalphError, Refused

#: Characters of an answer. An agent's context is worth more than the 400th task.
MOST = 40_000


class Answer(NamedTuple):
    text: str
    refused: bool


def answer(verb: str, status: int, out: bytes, said: bytes) -> Answer:
    """What `ralphgit VERB --json` has printed on stdout; `said` on stderr, where all else goes."""
    try:
        envelope = json.loads(out)
    except ValueError:
        last = said.decode("utf-8", "replace").splitlines()[-1:]
        return refused(
            Refused(
                ": ".join([f"{verb} ended without an answer (exit {status})", *last]),
                code="no_answer", hint="repeat it: what it had begun is completed or undone",
            )
        )  # fmt: skip
    told = {key: envelope[key] for key in ("error", "data", "warnings") if envelope[key]}
    if not told:
        told = {"data": envelope["data"]}
    return Answer(fitted(told, MOST), not envelope["ok"])


def refused(error: RalphError) -> Answer:
    """A refusal that no command has printed, in the same shape."""
    told = {"code": error.code, "exit": error.exit_code, "message": error.message}
    if error.hint:
        told["hint"] = error.hint
    return Answer(_encoded({"error": told}), True)


#: The list that is told oldest first, so that its first entries matter least.
_OLDEST_FIRST = "events"
#: Characters that `left_off` itself takes.
_ROOM = 80


def fitted(told: Mapping[str, object], most: int) -> str:
    """`told` as text of at most `most` characters, and a line more where text was cut.

    The longest list in its data loses its last entries (of events the oldest); `left_off` says how
    many. What is too long even so, or has no list, is cut as text, and says so behind it.
    """
    text = _encoded(told)
    if len(text) <= most:
        return text
    data = told.get("data")
    data = data if isinstance(data, dict) else {}
    lists = {key: value for key, value in data.items() if isinstance(value, list)}
    if lists:
        key, entries = max(lists.items(), key=lambda item: len(_encoded(item[1])))
        over, left = len(text) + _ROOM - most, 0
        for entry in entries if key == _OLDEST_FIRST else reversed(entries):
            if over <= 0:
                break
            left += 1
            over -= len(_encoded(entry)) + 1
        short = entries[left:] if key == _OLDEST_FIRST else entries[: len(entries) - left]
        text = _encoded({**told, "data": {**data, key: short}, "left_off": {key: left}})
    if len(text) > most:
        text = f"{text[:most]}\n(cut: {most} of {len(text)} characters)"
    return text


def _encoded(value: object) -> str:
    """Compact JSON in which what cannot be printed stays escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
