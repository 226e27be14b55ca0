r"""Replace the folder that a path, a pattern or a command's paths begin with.

`a/b` begins with `a`, `ab` does not. The top of the repository is "".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

_WILD = re.compile(r"[][{}*?\\]")
#: What may stand before a path in a command, and behind it.
_BEFORE, _BEHIND = r"""(?<![^\s"'`=:,;|&<>()])""", r"""(?=[/\s"'`=:,;|&<>()]|\Z)"""
_WORD = re.compile(rf"""{_BEFORE}(?:\./)?[A-Za-z0-9_.][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_.+-]+)+""")


def in_pattern(pattern: str, old: str, new: str) -> str:
    """The pattern with the folder `new` in place of `old`; the same where it does not begin so.

    One that begins with `new` already stays: what was replaced once is not replaced again.
    """
    path = "" if pattern == "." else re.sub(r"^(?:\.?/)+", "", pattern)
    head = "" if pattern == "." else pattern[: len(pattern) - len(path)]
    was, now = _escaped(old), _escaped(new)
    if not _begins(path, was) or (_begins(new, old) and _begins(path, now)):
        return pattern
    rest = path[len(was) :].lstrip("/") if was else path
    # What is below is covered by a name without a dot inside, or by a `/` at its end.
    ends = "" if rest else "/" if path.endswith("/") or _is_file(new) > _is_file(old) else ""
    made = "/".join(filter(None, (now, rest)))
    return head + made + ends if made else "."


def in_command(command: str, old: str, new: str, exists: Callable[[str], bool]) -> str:
    """The command with the folder `new` in place of `old` where a word begins with it.

    What has moved from the top is a path for certain only with a `/`, and where it `exists` at its
    new place. A name that a shell would not take as it is, is not written.
    """
    if new and shlex.quote(new) != new:
        return command

    def moved(match: re.Match[str]) -> str:
        word = match.group()
        path = word.removeprefix("./")
        stays = _begins(path, new) or not exists(f"{new}/{path}")
        return word if stays else word.removesuffix(path) + f"{new}/{path}"

    if not old:
        return _WORD.sub(moved, command)
    again = re.compile(re.escape(new) + _BEHIND)
    place = re.compile(rf"{_BEFORE}(\./)?{re.escape(old)}{_BEHIND}(/*)")

    def replaced(match: re.Match[str]) -> str:
        dot, slash = match.group(1) or "", match.group(2)
        if new and _begins(new, old) and again.match(command, match.start() + len(dot)):
            return match.group()
        if new:
            return dot + new + slash
        # A bare name could be taken for a program of that name.
        return "./" if slash else "."

    return place.sub(replaced, command)


def everything(folder: str) -> str:
    """The pattern of all that is below a folder."""
    return f"{_escaped(folder)}/**"


def _begins(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _is_file(path: str) -> bool:
    return "." in path.rpartition("/")[2][1:]


def _escaped(path: str) -> str:
    return _WILD.sub(r"\\\g<0>", path)
