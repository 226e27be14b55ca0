"""What an agent is offered: a command, what it takes, and what it may do."""

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
    """It may take something away that somebody else has."""


def described(tool: Tool) -> dict[str, object]:
    """The tool as `tools/list` tells of it; no key whose default says the same."""
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
    """How much of it a model reads: name, description and schema, without spaces."""
    read = {key: value for key, value in described(tool).items() if key != "annotations"}
    return len(json.dumps(read, separators=(",", ":")))


def tokens(bytes_: int) -> int:
    """About how many tokens that is, at four bytes each."""
    return (bytes_ + 3) // 4


def total(tools: Sequence[Tool], instructions: str) -> int:
    """The bytes that a model reads before its first call."""
    return sum(map(told_bytes, tools)) + len(instructions.encode())
