"""Tell a search for what is not to be there that would find the plan which asks for it."""

from __future__ import annotations

import fnmatch
import posixpath
import re
import shlex
from collections.abc import Sequence
from itertools import takewhile

#: These look through a folder also where none is named.
_OF_FOLDERS = frozenset({"rg", "ag", "ack"})
_EVERYWHERE = re.compile(r"-[a-zA-Z]*[rR][a-zA-Z]*|--recursive")
#: These leave files out.
_ONLY_SOME = re.compile(r"--(?:include|exclude|type|glob|iglob)\b.*|-(?:t|g|T)")


def finds(command: str, *, name: str, text: str) -> bool:
    """Whether a command looks for what is in a file, called `name` from here, with this text."""
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    words = [*takewhile(lambda word: word not in ("|", "|&"), words)]
    words = words[1:] if words[:1] == ["!"] else words
    of_folders = words[:1] and words[0] in _OF_FOLDERS
    if words[:2] == ["git", "grep"]:
        words, of_folders = words[1:], True
    options = [word for word in words[1:] if word.startswith("-")]
    named = [word for word in words[1:] if not word.startswith("-")]
    if not named or any(map(_ONLY_SOME.fullmatch, options)):
        return False
    everywhere = of_folders or any(map(_EVERYWHERE.fullmatch, options))
    return _is_among(posixpath.normpath(name), named[1:], everywhere=bool(everywhere)) and _is_in(
        named[0], text
    )


def _is_among(name: str, places: Sequence[str], *, everywhere: bool) -> bool:
    """Whether one of `places` is the file, or with `everywhere` a folder around it."""
    if not places:
        return everywhere
    return any(
        _fits(name, place)
        or (everywhere and (place == "." or name.startswith(f"{place}/") or _around(name, place)))
        for place in map(posixpath.normpath, places)
    )


def _fits(name: str, place: str) -> bool:
    return name.count("/") == place.count("/") and fnmatch.fnmatchcase(name, place)


def _around(name: str, place: str) -> bool:
    """Whether a pattern of the shell is that of a folder around the file."""
    parts = name.split("/")
    return any(_fits("/".join(parts[:depth]), place) for depth in range(1, len(parts)))


def _is_in(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern.replace(r"\|", "|"), text) is not None
    except re.error:
        return pattern in text
