"""One call of a tool: the command, in a process of its own.

A command may start a warden, keep signals from being heard at a bad moment, or end its process
at once; in a process of its own it does all of that as it does from a shell, and a call that is
cancelled ends as Ctrl-C ends it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import anyio
from anyio.abc import Process

from ralphgit.mcp.answer import Answer, answer, refusal

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
                        [*self._program, *words], stdin=subprocess.DEVNULL, stderr=None
                    )
            except OSError as error:  # arguments that are too long, no process left
                return refusal("system", f"cannot run {words[0]}: {error.strerror}")
            try:
                out = await _read(process)
                return answer(words[0], await process.wait(), out)
            finally:
                with anyio.CancelScope(shield=True):
                    await _end(process)


async def _read(process: Process) -> bytes:
    assert process.stdout is not None
    return b"".join([piece async for piece in process.stdout])


async def _end(process: Process) -> None:
    """Have the process end, politely at first; nothing where it has."""
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(PATIENCE_S):
            await _read(process)  # else it might wait for room to print its last words
            await process.wait()
    await process.aclose()  # kills what is still there
