"""Speak the protocol on stdin and stdout until one of them closes."""

from __future__ import annotations

import io
import re
import signal
import sys
from collections.abc import Sequence

import anyio
import mcp_types as types
from anyio import to_thread
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from ralphgit import __version__
from ralphgit.errors import UsageError
from ralphgit.mcp.call_tool import Answer, Caller, refused
from ralphgit.mcp.tool_description import Tool, described


class _Stdin(anyio.AsyncFile[str]):
    """stdin; once the server ends, its next line is no longer waited for."""

    async def readline(self) -> str:
        # A thread that is not abandoned would keep a terminated server until its client speaks.
        line: str = await to_thread.run_sync(self.wrapped.readline, abandon_on_cancel=True)
        return _HALF.sub(_whole, line) if "\\u" in line else line


#: Two escaped halves of a character, one alone, and any other escape, so that none is misread.
_HALF = re.compile(
    r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<alone>u[dD][89a-fA-F]..)|.)", re.DOTALL
)


def _whole(escape: re.Match[str]) -> str:
    """The escape, or a replacement for half of a character: the protocol's reader would drop the
    whole message without an answer, and the client wait for one."""
    return r"\ufffd" if escape["alone"] else escape[0]


def serve(tools: Sequence[Tool], program: Sequence[str], *, instructions: str) -> int:
    """Serve `tools`, which `program` runs; returns the signal that ended it, 0 at the end of stdin.

    However it ends: the calls that were under way have ended before.
    """
    return anyio.run(_serve, _server(tools, program, instructions))


def _server(tools: Sequence[Tool], program: Sequence[str], instructions: str) -> Server[object]:
    offered = {tool.name: tool for tool in tools}
    listed = types.ListToolsResult(
        tools=[types.Tool.model_validate(described(tool)) for tool in tools]
    )
    caller: list[Caller] = []

    async def list_tools(
        _context: ServerRequestContext[object], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return listed

    async def call_tool(
        _context: ServerRequestContext[object], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = offered.get(params.name)
        if tool is None:
            raise MCPError(
                code=types.INVALID_PARAMS,
                message=f"there is no tool {params.name!r}; the tools are {', '.join(offered)}",
            )
        if not caller:
            caller.append(Caller(program))  # its locks belong to the running event loop
        try:
            words = tool.words(params.arguments or {})
        except UsageError as error:
            return _result(refused(error))
        return _result(await caller[0].call(words, looks=tool.looks))

    return Server(
        "ralphgit", version=__version__, instructions=instructions,
        on_list_tools=list_tools, on_call_tool=call_tool,
    )  # fmt: skip


def _result(found: Answer) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(text=found.text)], is_error=found.refused
    )


async def _serve(server: Server[object]) -> int:
    ending = 0
    heard = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup's wish
        heard.append(signal.SIGHUP)

    async def hear() -> None:
        nonlocal ending
        # Once left, a second signal ends the process at once.
        with anyio.open_signal_receiver(*heard) as signals:
            async for number in signals:
                ending = int(number)
                break
        group.cancel_scope.cancel()

    stdin = _Stdin(io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace"))
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(hear)
            async with stdio_server(stdin=stdin) as (read, write):
                await server.run(read, write, server.create_initialization_options())
            group.cancel_scope.cancel()
    except* BrokenPipeError:
        pass  # the client has gone, as at the end of stdin
    return ending
