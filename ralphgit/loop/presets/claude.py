"""Claude Code, in its mode `--output-format stream-json`.

Sources: its pages "headless mode" (-p reads stdin, --permission-mode, --allowedTools) and "errors",
and what it printed against a local server. `--print` works in a folder without asking for trust.
"""

from __future__ import annotations

from collections.abc import Iterator

from ralphgit.loop.presets.event_parts import (
    busiest,
    cost,
    failed,
    items,
    mapping,
    number,
    reader,
    text,
    tokens,
    tool,
)
from ralphgit.loop.presets.preset import (
    AgentPreset,
    Did,
    Ended,
    Erred,
    Event,
    Said,
    Seen,
    Used,
)
from ralphgit.model.task import Usage


@reader
def read(event: Event) -> Iterator[Seen]:
    """Read an event. A message comes once for each of its blocks, with the same usage."""
    kind, message = event.get("type"), mapping(event.get("message"))
    if kind == "system":
        yield from _system(event)
    elif kind == "assistant":
        yield from _assistant(event, message)
    elif kind == "user":
        yield from _failures(message)
    elif kind == "result":
        yield _result(event)


def _system(event: Event) -> Iterator[Seen]:
    if event.get("subtype") == "init":
        yield Did(f"model {text(event.get('model'))}")
        yield Used(Usage(model=text(event.get("model"))), "model")
    elif event.get("subtype") == "api_retry":
        status = event.get("error_status") or ""
        yield Erred(f"{text(event.get('error'))} {status}".strip() + "; it tries again")


def _assistant(event: Event, message: Event) -> Iterator[Seen]:
    for block in items(message.get("content")):
        if block.get("type") == "text" and not event.get("error"):  # else the result says it
            yield Said(text(block.get("text")))
        elif block.get("type") == "tool_use":
            yield tool(text(block.get("name")), block.get("input"))
    yield Used(_usage(mapping(message.get("usage"))), text(message.get("id")))


def _failures(message: Event) -> Iterator[Seen]:
    """What became of tool calls, where it went wrong."""
    for block in items(message.get("content")):
        if block.get("type") == "tool_result" and block.get("is_error"):
            content = block.get("content")
            parts = [text(one.get("text")) for one in items(content)] or [text(content)]
            yield failed(" ".join(parts))


def _result(event: Event) -> Ended:
    most = busiest(mapping(event.get("modelUsage")), "outputTokens")
    usage = _usage(mapping(event.get("usage")))._replace(
        model=most, cost_usd=cost(event.get("total_cost_usd"))
    )
    if not event.get("is_error"):
        return Ended(usage=usage)
    error = event.get("error")
    said = text(event.get("result")) or text(mapping(error).get("message")) or text(error)
    said = said or text(event.get("subtype"))
    return Ended(said, number(event.get("api_error_status")), usage)


def _usage(counts: Event) -> Usage:
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return tokens(counts, given=names, made=("output_tokens",))


PRESET = AgentPreset(
    name="claude",
    help="Claude Code.",
    words=(
        *("claude", "-p", "--output-format", "stream-json", "--verbose"),
        *("--permission-mode", "acceptEdits"),
        *("--allowedTools", "Bash,Edit,Glob,Grep,Read,Write"),
    ),
    needs="claude, logged in",
    read=read,
    may_not="use other tools than these; the web, for one",
    trust="works in any folder",
    tried="2.1.197",
)
