"""One call of a tool: the command, in a process of its own.

A command may start a supervisor, keep signals from being heard at a bad moment, or end its process
at once; in a process of its own it does all of that as it does from a shell, and a call that is
cancelled ends as Ctrl-C ends it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import anyio
from anyio.abc import ByteReceiveStream, Process

from ralphgit.errors import Refused
from ralphgit.mcp.tool_result import Answer, answer, refused

#: How long a command that was told to stop may take to undo what it began.
PATIENCE_S = 10.0
_MOST_LOOKING = 4


class Caller:
    """Runs commands: one that writes at a time, and beside it a few that look."""

    def __init__(self, program: Sequence[str]) -> None:
        """`program` begins every command line."""
        self._program = tuple(program)
        self._writing = anyio.Lock()
        self._looking = anyio.CapacityLimiter(_MOST_LOOKING)

    async def call(self, words: Sequence[str], *, looks: bool) -> Answer:
        """The answer of the command line `words`. Cancelled, it has ended before this does."""
        async with self._looking if looks else self._writing:
            try:
                with anyio.CancelScope(shield=True):  # else one might run that nobody knows
                    process = await anyio.open_process(
                        [*self._program, *words], stdin=subprocess.DEVNULL
                    )
            except OSError as error:  # arguments that are too long, no process left
                hint = "call it with shorter arguments, or again later"
                why = f"cannot run {words[0]}: {error.strerror}"
                return refused(Refused(why, code="system", hint=hint))
            try:
                out, said = await _read(process)
                return answer(words[0], await process.wait(), out, said)
            finally:
                with anyio.CancelScope(shield=True):
                    await _end(process)


async def _read(process: Process) -> tuple[bytes, bytes]:
    """All that it prints on stdout and on stderr."""
    assert process.stdout is not None and process.stderr is not None
    printed: list[bytes] = []

    async def read_stdout(stream: ByteReceiveStream) -> None:
        printed.extend([piece async for piece in stream])

    async with anyio.create_task_group() as group:
        group.start_soon(read_stdout, process.stdout)
        said = [piece async for piece in process.stderr]
    return b"".join(printed), b"".join(said)


async def _end(process: Process) -> None:
    """Have the process end, politely at first; nothing where it has."""
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(PATIENCE_S):
            await _read(process)  # else it might wait for room to print its last words
            await process.wait()
    if process.returncode is None:
        process.kill()  # law L6 holds all the same
    await process.aclose()
