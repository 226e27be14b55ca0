"""`mcp`: the commands as tools of the Model Context Protocol, on stdin and stdout."""

import gc
import os
import signal
import sys
from typing import NamedTuple

from ralphgit.cli import agent_tools
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, Table, telling
from ralphgit.errors import GuardRefused, NotARepository, UsageError
from ralphgit.mcp.tool_description import described, tokens, told_bytes, total
from ralphgit.model.extras import install


class Options(NamedTuple):
    allow: tuple[str, ...] = ()
    read_only: bool = False
    list: bool = False


def run(call: Call, options: Options) -> Outcome:
    found = agent_tools.offer(allow=options.allow, read_only=options.read_only)
    if options.list:
        return _list(found)
    if call.screen.json:
        raise UsageError(
            "mcp answers in the protocol, not in --json", hint="ralphgit mcp --list --json"
        )
    if not os.path.isdir(call.around.directory):
        raise NotARepository(f"{call.around.directory} is not a folder", hint="check -C DIR")
    try:
        from ralphgit.mcp.server import serve
    except ImportError:
        raise GuardRefused(
            "the package mcp (2.0 or later) is not installed",
            code="no_mcp", hint=install("mcp"),
        ) from None  # fmt: skip
    if sys.stdin.isatty():
        telling(call.screen)(
            "This is for coding agents, which start it themselves. Ctrl-D ends it."
        )
    gc.enable()  # `main` has switched it off for what ends soon
    # -P: python would else look for its modules in the worktree first.
    program = [sys.executable, "-P", "-m", "ralphgit", "-C", call.around.directory, "--json"]
    _leave(serve(found.tools, program, instructions=found.instructions))
    return Outcome(None)


def _leave(number: int) -> None:
    """End as the signal `number` ends every command; 0 is none."""
    from ralphgit.cli.main import HungUp, Terminated

    ends = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated, signal.SIGHUP: HungUp}
    if number:
        raise ends[signal.Signals(number)]


def _list(found: agent_tools.Offer) -> Outcome:
    count = tokens(total(found.tools, found.instructions))
    data = {
        "tools": [described(tool) for tool in found.tools],
        "instructions": found.instructions,
        "tokens": count,
    }
    rows = []
    for tool in found.tools:
        does, size = "looks" if tool.looks else "writes", str(tokens(told_bytes(tool)))
        rows.append((tool.name, does, size, tool.description))
    line = f"{len(rows)} tools, about {count} tokens with the instructions."
    return Outcome(data, table=Table(("TOOL", "DOES", "TOKENS", "WHAT"), rows), after=(line,))
