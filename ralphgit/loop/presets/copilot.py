"""GitHub Copilot CLI, in its mode `--output-format json`.

Source: what it printed against a local server. It counts premium requests, no tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ralphgit.loop.presets.event_parts import failed, mapping, number, reader, text, tool
from ralphgit.loop.presets.preset import AgentPreset, Ended, Erred, Event, Said, Seen


@reader
def read(event: Event) -> Iterator[Seen]:
    """Read an event; pieces of messages are passed over, as whole ones follow."""
    kind, data = event.get("type"), mapping(event.get("data"))
    if kind == "assistant.message":
        yield Said(text(data.get("content")))
    elif kind == "tool.execution_start":
        yield tool(text(data.get("toolName")), data.get("arguments"))
    elif kind == "tool.execution_complete" and data.get("success") is False:
        yield failed(mapping(data.get("error")).get("message"))
    elif kind == "model.call_failure":
        status = str(number(data.get("statusCode")) or "")
        yield Erred(f"{status} {_said(text(data.get('errorMessage')))}".strip())
    elif kind == "session.error":
        yield Ended(text(data.get("message")), number(data.get("statusCode")))


def _said(answer: str) -> str:
    """The message of what an API answered, as JSON or as it is."""
    try:
        told = json.loads(answer)
        return text(told) or text(mapping(told).get("message")) or answer
    except (ValueError, RecursionError):
        return answer


PRESET = AgentPreset(
    name="copilot",
    help="GitHub Copilot CLI.",
    words=("copilot", "--output-format", "json", "--allow-all-tools"),
    needs="copilot, logged in",
    read=read,
    may_not="touch files outside the worktree and the temporary folder",
    trust="works in any folder",
    tried="1.0.102",
)
