"""Make text of a repository safe to show to a person.

It is untrusted: what cannot be printed, escape sequences and characters that reorder text are
shown escaped, and so are letters that nobody sees. And numbers, as a sentence has them.
"""

import re
from collections.abc import Sequence

#: Letters and a sign that are blank: fillers of Korean script, and the empty pattern of Braille.
BLANK = "\u115f\u1160\u2800\u3164\uffa0"


def is_seen(text: str) -> bool:
    """Whether a person sees each character of `text` as it is."""
    return text.isprintable() and (text.isascii() or not any(one in text for one in BLANK))


def safe(text: str) -> str:
    """Return `text` on one line with everything unprintable escaped."""
    if is_seen(text):
        return text
    return "".join(c if is_seen(c) else _escape(c) for c in text)


#: Of these a user's name is no secret, and there is no query.
_SSH = ("ssh", "git+ssh", "ssh+git")
_ADDRESS = r"[A-Za-z][A-Za-z0-9+.:-]*://[^\s'\"]+"  # compiled where it is used, which is seldom


def shown_address(url: str) -> str:
    """The address of a repository without what lets in: a password, and, but for ssh, a name and a
    query, which may be a token.
    """
    scheme, found, rest = url.partition("://")
    known, has_user, _ = rest.partition("/")[0].rpartition("@")
    if not found or scheme in ("", "file"):
        return url
    rest, user = rest.removeprefix(f"{known}@") if has_user else rest, ""
    if scheme in _SSH:
        user = f"{known.partition(':')[0]}@" if has_user else ""
    else:
        rest = re.split("[?#]", rest, maxsplit=1)[0]
    return f"{scheme}://{user}{rest}"


def without_secrets(text: str) -> str:
    """The words of a program, each address in them as `shown_address` has it."""
    return re.sub(_ADDRESS, lambda found: shown_address(found[0]), text)


def _escape(character: str) -> str:
    # Python writes it as wanted, but for ESC.
    return "\\e" if character == "\x1b" else character.encode("unicode_escape").decode("ascii")


def duration(seconds: float) -> str:
    """Format a span of time in its largest unit: `3 min`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def short_duration(seconds: float) -> str:
    """Format a span of time in its largest unit for a column: `3m`."""
    return duration(max(0.0, seconds)).replace(" min", "m").replace(" ", "")


def at_utc(seconds: float) -> str:
    """Format a time in seconds since 1970: `2026-11-30T02:39:00Z`."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def counted(count: int, noun: str) -> str:
    """Format `1 task`, `2 tasks`; for nouns with a regular plural."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str], most: int) -> str:
    """Name the first `most`, and count the rest: `a, b and 3 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def cut(text: str, most: int) -> str:
    """Cut `text` to so many characters, the last of them `...` if it has more."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def safe_lines(text: str) -> list[str]:
    """Split `text` into lines, each safe."""
    return [safe(line.replace("\t", "    ")) for line in text.splitlines()]
