"""opencode, in its mode `run --format json`.

Sources: its page "run" (stdin is added to the message), and what it printed against a local server.
"""

from __future__ import annotations

from collections.abc import Iterator

from ralphgit.loop.presets.event_parts import (
    cost,
    failed,
    mapping,
    number,
    reader,
    text,
    tokens,
    tool,
)
from ralphgit.loop.presets.preset import AgentPreset, Ended, Event, Said, Seen, Used
from ralphgit.model.task import Usage


@reader
def read(event: Event) -> Iterator[Seen]:
    """Read an event: a finished part of a message, or why it gave up."""
    kind, part = event.get("type"), mapping(event.get("part"))
    if kind == "text":
        yield Said(text(part.get("text")))
    elif kind == "tool_use":
        state = mapping(part.get("state"))
        yield tool(text(part.get("tool")), state.get("input"))
        if state.get("status") == "error":
            yield failed(state.get("error"))
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
    told = {**counts, **mapping(counts.get("cache"))}
    used = tokens(told, given=("input", "read", "write"), made=("output", "reasoning"))
    return used._replace(cost_usd=cost(part.get("cost")))


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
