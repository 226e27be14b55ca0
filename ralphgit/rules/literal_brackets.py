"""Brackets in a pattern that seem to be meant as a part of a name.

In a pattern `[id]` is one character, `i` or `d`. Several web frameworks call folders and files
so: `[id]`, `[...rest]`, `[id=number].ts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ralphgit.rules.path_patterns import TOKEN

_NAMED = re.compile(r"\[(?:\.\.\.)?[A-Za-z_]\w+(?:=\w+)?\]")


def quoted(pattern: str, exists: Callable[[str], bool]) -> str:
    r"""`pattern` with `\[` and `\]` where the name itself seems meant; "" where it nowhere does.

    It does where `exists` says that something at the top's path is called so, or where it looks
    like a framework's name.
    """
    path: list[str] = []
    made = []
    for part in pattern.split("/"):
        tokens = TOKEN.findall(part)
        path.append("".join(t[1:] if t[0] == "\\" else t for t in tokens))
        meant = _NAMED.match(part) or (_choices(tokens) and exists("/".join(path)))
        made.append("".join(map(_quoted, tokens)) if meant else part)
    found = "/".join(made)
    return found if found != pattern else ""


def _choices(tokens: list[str]) -> bool:
    return any(token != _quoted(token) for token in tokens)


def _quoted(token: str) -> str:
    return rf"\[{token[1:-1]}\]" if token[0] == "[" and len(token) > 1 else token
