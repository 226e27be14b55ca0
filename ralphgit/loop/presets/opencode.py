"""opencode, in its mode `run --format json`.

Sources: its page "run" (stdin is added to the message), and what it printed against a local server.
"""

from __future__ import annotations

from collections.abc import Iterator

from ralphgit.loop.presets.preset import (
    AgentPreset,
    Did,
    Ended,
    Event,
    Said,
    Seen,
    Used,
    cost,
    mapping,
    number,
    one_line,
    text,
    tool,
)
from ralphgit.model.task import Usage


def read(event: Event) -> list[Seen]:
    """Read an event: a finished part of a message, or why it gave up."""
    return list(_read(event))


def _read(event: Event) -> Iterator[Seen]:
    kind, part = event.get("type"), mapping(event.get("part"))
    if kind == "text":
        yield Said(text(part.get("text")))
    elif kind == "tool_use":
        state = mapping(part.get("state"))
        yield tool(text(part.get("tool")), state.get("input"))
        if state.get("status") == "error":
            yield Did(f"  failed: {one_line(text(state.get('error')))}")
    elif kind == "step_finish":
        yield Used(_usage(part))
        if part.get("reason") == "stop":
            yield Ended()
    elif kind == "error":
        error = mapping(event.get("error"))
        data = mapping(error.get("data"))
        said = text(data.get("message")) or text(error.get("name"))
        # As it says it without JSON, where the sign's words are from.
        yield Ended(f"Error: {said}", number(data.get("statusCode")))


def _usage(part: Event) -> Usage:
    counts = mapping(part.get("tokens"))
    cached = mapping(counts.get("cache"))
    given = (counts.get("input"), cached.get("read"), cached.get("write"))
    made = (counts.get("output"), counts.get("reasoning"))
    return Usage(
        input_tokens=sum(map(number, given)), output_tokens=sum(map(number, made)),
        cost_usd=cost(part.get("cost")),
    )  # fmt: skip


PRESET = AgentPreset(
    name="opencode",
    help="opencode.",
    words=(
        *("opencode", "run", "--format", "json", "--auto"),
        *("--print-logs", "--log-level", "ERROR"),  # else it tries again for ever without a word
    ),
    needs="opencode, with a model chosen",
    read=read,
    errors=(
        r'timestamp=\S+ level=ERROR .*?message=(?:"([^"]*)"|\w+)'
        r'(?:.*? error(?:\.error)?="(?:\w+: )?(.*?)"(?: stack=.*)?$)?'
    ),
    may_not="do what its own settings deny; it is refused without a word",
    trust="works in any folder",
    tried="1.18.33",
)
