"""Codex, in its mode `exec --json`.

Sources: its page "non-interactive mode" (`exec -` reads stdin, --sandbox), `exec_events.rs` of
openai/codex, and what it printed against a local server.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ralphgit.loop.presets.event_parts import items, mapping, one_line, reader, text, tokens, tool
from ralphgit.loop.presets.preset import (
    GIT_FOLDERS,
    AgentPreset,
    Did,
    Ended,
    Erred,
    Event,
    Said,
    Seen,
    Used,
)


@reader
def read(event: Event) -> Iterator[Seen]:
    """Read an event; of an item that has a beginning and an end, each once."""
    kind, item = event.get("type"), mapping(event.get("item"))
    if kind == "item.started":
        yield from _begun(item)
    elif kind == "item.completed":
        yield from _done(item)
    elif kind == "error":
        yield Erred(text(event.get("message")))
    elif kind == "turn.failed":
        # As it says it without --json, where the sign's words are from.
        yield Ended(f"ERROR: {text(mapping(event.get('error')).get('message'))}")
    elif kind == "turn.completed":
        counts = mapping(event.get("usage"))
        yield Used(tokens(counts, given=("input_tokens",), made=("output_tokens",)))
        yield Ended()


def _begun(item: Event) -> Iterator[Seen]:
    kind = item.get("type")
    if kind == "command_execution":
        yield tool("", {"command": _command(text(item.get("command")))})
    elif kind == "mcp_tool_call":
        yield tool(text(item.get("tool")), item.get("arguments"))
    elif kind == "web_search":
        yield tool("search", {"query": text(item.get("query"))})


def _command(line: str) -> str:
    """The line that a shell was given: it is shown as `/bin/bash -lc LINE`."""
    try:
        words = shlex.split(line)
    except ValueError:
        return line
    return words[2] if len(words) == 3 and words[1] in ("-lc", "-c") else line


def _done(item: Event) -> Iterator[Seen]:
    kind = item.get("type")
    if kind == "agent_message":
        yield Said(text(item.get("text")))
    elif kind == "file_change":
        failed = "  failed: " if item.get("status") == "failed" else ""
        for change in items(item.get("changes")):
            yield tool(failed + text(change.get("kind")), {"path": text(change.get("path"))})
    elif kind == "command_execution" and item.get("exit_code"):
        lines = text(item.get("aggregated_output")).strip().splitlines()
        last = f": {one_line(lines[-1])}" if lines else ""
        yield Did(f"  exit code {item['exit_code']}{last}")
    elif kind == "error":
        yield Did(f"warning: {one_line(text(item.get('message')))}")


PRESET = AgentPreset(
    name="codex",
    help="Codex.",
    words=(
        *("codex", "exec", "--json", "--sandbox", "workspace-write"),
        *("-c", f"sandbox_workspace_write.writable_roots={GIT_FOLDERS}", "-"),
    ),
    needs="codex, logged in",
    read=read,
    may_not="reach the network, or write outside the worktree and its git folders",
    trust="works in any folder of a git repository",
    tried="0.171.0",
)
