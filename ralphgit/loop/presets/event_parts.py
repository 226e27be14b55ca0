"""Take events of any tool apart: what several presets need to read theirs.

What is missing, or is not of its kind, reads as nothing: tools change what they print.
"""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ralphgit.loop.presets.preset import Did, Event, Read, Seen
from ralphgit.model.task import MOST_USD, Usage

#: So much of a command or a line is shown.
_MOST_SHOWN = 300


def reader(read: Callable[[Event], Iterator[Seen]]) -> Read:
    """Make a generator of what is seen of an event a preset's `read`."""

    @functools.wraps(read)
    def listed(event: Event) -> list[Seen]:
        return list(read(event))

    return listed


def tool(name: str, arguments: object) -> Did:
    """Show a call of a tool: a command as in a shell, a file by its path."""
    known = arguments if isinstance(arguments, dict) else {}
    command = known.get("command") or known.get("cmd")
    if isinstance(command, list):
        command = shlex.join(map(str, command))
    if isinstance(command, str) and command and not known.get("path"):
        return Did(f"$ {one_line(command)}")
    names = ("file_path", "filePath", "path", "absolute_path", "notebook_path", "dir_path")
    path = next((known[one] for one in names if isinstance(known.get(one), str)), None)
    about = path or next((one for one in known.values() if isinstance(one, str)), "")
    return Did(one_line(f"{name.lower()} {about}"))


def one_line(text: str) -> str:
    """`text` on one line, its end left out where it is long."""
    words = " ".join(text.split())
    return words if len(words) <= _MOST_SHOWN else words[:_MOST_SHOWN] + "…"


def number(value: object) -> int:
    """`value` as a count; 0 for what is none."""
    return max(value, 0) if type(value) is int else 0


def cost(value: object) -> float | None:
    """`value` as US dollars; None for what is none, or more than anything costs."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= MOST_USD else None


def mapping(value: object) -> Mapping[str, Any]:
    """`value`, or nothing where it is no mapping."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Mapping[str, Any]]:
    """The mappings of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """`value` where it is text."""
    return value if isinstance(value, str) else ""


def failed(said: object) -> Did:
    """Show that what was begun went wrong."""
    return Did(f"  failed: {one_line(text(said))}")


def tokens(counts: Event, *, given: Sequence[str], made: Sequence[str]) -> Usage:
    """Sum up what counts of tokens have under some names: those given to a model, those it made."""
    return Usage(
        input_tokens=sum(number(counts.get(name)) for name in given),
        output_tokens=sum(number(counts.get(name)) for name in made),
    )


def busiest(models: Event, made: str) -> str:
    """Return the model with most tokens under the name `made`; "" for none."""
    return max(models, key=lambda name: number(mapping(models[name]).get(made)), default="")
