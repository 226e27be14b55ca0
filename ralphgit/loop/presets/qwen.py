"""Qwen Code: made of Gemini CLI, with the events of Claude Code.

Source: what it printed against a local server. Its usage has all that the model was given in
`input_tokens`; what came from a cache is a part of it.
"""

from __future__ import annotations

import re

from ralphgit.loop.presets import claude
from ralphgit.loop.presets.event_parts import mapping, text
from ralphgit.loop.presets.preset import AgentPreset, Ended, Event, Seen

_FAILED = re.compile(r"\[API Error:\s*(\d{3})?\b")


def read(event: Event) -> list[Seen]:
    """Read an event of Claude Code's, but for how it counts, and how it fails: as it went well."""
    return [_failed(one, event) for one in claude.read(_counted(event))]


def _failed(seen: Seen, event: Event) -> Seen:
    said = text(event.get("result"))
    if not isinstance(seen, Ended) or seen.failed or not (found := _FAILED.match(said)):
        return seen
    return Ended(said, int(found[1] or 0), seen.usage)


def _counted(event: Event) -> Event:
    told = {**event}
    for place in (told, told["message"] if isinstance(told.get("message"), dict) else {}):
        if usage := mapping(place.get("usage")):
            place["usage"] = {k: v for k, v in usage.items() if not k.startswith("cache_")}
    return told


PRESET = AgentPreset(
    name="qwen",
    help="Qwen Code.",
    words=("qwen", "--approval-mode", "yolo", "--output-format", "stream-json"),
    needs="qwen, logged in, or OPENAI_API_KEY",
    read=read,
    may_not="ask",
    trust="works in any folder, unless its settings ask for trust",
    tried="0.15.10",
)
