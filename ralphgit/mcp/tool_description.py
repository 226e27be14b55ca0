"""Describe a tool to an agent: its command, what it takes, and what it may do."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Tool(NamedTuple):
    name: str
    description: str
    schema: Mapping[str, object]
    """JSON Schema of its arguments."""
    words: Callable[[Mapping[str, object]], list[str]]
    """The command line for some arguments. Raises: UsageError."""
    looks: bool
    """It writes nothing and fetches nothing (law L8)."""
    runs: bool = False
    """It may run the repository's commands."""
    destroys: bool = False
    """It may take away what another worker has."""


def described(tool: Tool) -> dict[str, object]:
    """Return the tool's entry for `tools/list`, without keys that have their default."""
    hints: dict[str, object] = {"readOnlyHint": True}
    if not tool.looks:
        hints = {"destructiveHint": tool.destroys}
        if not tool.runs:
            hints["openWorldHint"] = False
    return {
        "name": tool.name, "description": tool.description, "inputSchema": tool.schema,
        "annotations": hints,
    }  # fmt: skip


def told_bytes(tool: Tool) -> int:
    """Count the bytes that a model reads of it: name, description and schema, without spaces."""
    read = {key: value for key, value in described(tool).items() if key != "annotations"}
    return len(json.dumps(read, separators=(",", ":")))


def tokens(bytes_: int) -> int:
    """Estimate the tokens, at four bytes each."""
    return (bytes_ + 3) // 4


def total(tools: Sequence[Tool], instructions: str) -> int:
    """Count the bytes that a model reads before its first call."""
    return sum(map(told_bytes, tools)) + len(instructions.encode())
