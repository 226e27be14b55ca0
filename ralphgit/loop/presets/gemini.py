"""Gemini CLI, in its mode `--output-format stream-json`.

Sources: its page "headless mode" (stdin that is no terminal, --approval-mode), and what it printed
against a local server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ralphgit.loop.presets.event_parts import busiest, failed, mapping, reader, text, tokens, tool
from ralphgit.loop.presets.preset import AgentPreset, Ended, Erred, Event, Said, Seen

#: In the message of a result that failed: what the API answered, as JSON.
_STATUS = re.compile(r'"code":\s*(\d{3})\b')


@reader
def read(event: Event) -> Iterator[Seen]:
    """Read an event; a message comes in pieces."""
    kind = event.get("type")
    if kind == "message" and event.get("role") == "assistant":
        yield Said(text(event.get("content")), more=event.get("delta") is True)
    elif kind == "tool_use":
        yield tool(text(event.get("tool_name")), event.get("parameters"))
    elif kind == "tool_result" and event.get("status") == "error":
        yield failed(mapping(event.get("error")).get("message") or event.get("output"))
    elif kind == "error":
        yield Erred(text(event.get("message")))
    elif kind == "result":
        yield _result(event)


def _result(event: Event) -> Ended:
    stats = mapping(event.get("stats"))
    most = busiest(mapping(stats.get("models")), "output_tokens")
    usage = tokens(stats, given=("input_tokens",), made=("output_tokens",))._replace(model=most)
    if event.get("status") != "error":
        return Ended(usage=usage)
    error = mapping(event.get("error"))
    said = text(error.get("message"))
    found = _STATUS.search(said)
    return Ended(said, int(found[1]) if found else 0, usage)


PRESET = AgentPreset(
    name="gemini",
    help="Gemini CLI.",
    words=(
        *("gemini", "--output-format", "stream-json"),
        *("--approval-mode", "yolo", "--skip-trust"),
    ),
    needs="gemini, logged in",
    read=read,
    errors=r"(Attempt \d+ failed.*\. Retrying with backoff.*)",
    may_not="ask",
    trust="trusted for the attempt (`--skip-trust`)",
    tried="0.61.0",
)
