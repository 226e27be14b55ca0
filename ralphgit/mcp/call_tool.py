"""Call a tool: run its command in a process of its own, and shape the answer.

A command may start a supervisor, keep signals from being heard at a bad moment, or end its process
at once; in a process of its own it does all of that as it does from a shell, and a call that is
cancelled ends as Ctrl-C ends it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import anyio
from anyio.abc import ByteReceiveStream, Process

from ralphgit.errors import RalphError, Refused

#: How long a command that was told to stop may take to undo what it began.
PATIENCE_S = 10.0
_MOST_LOOKING = 4


class Caller:
    """Runs commands: one that writes at a time, and a few that only read beside it."""

    def __init__(self, program: Sequence[str]) -> None:
        """`program` begins every command line."""
        self._program = tuple(program)
        self._writing = anyio.Lock()
        self._looking = anyio.CapacityLimiter(_MOST_LOOKING)

    async def call(self, words: Sequence[str], *, looks: bool) -> Answer:
        """Run the command line `words`. A cancelled call ends after its command has."""
        async with self._looking if looks else self._writing:
            try:
                with anyio.CancelScope(shield=True):  # else one might run unnoticed
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
    """End the process, politely at first; does nothing if it has ended."""
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(PATIENCE_S):
            await _read(process)  # else it might wait for room to print its last words
            await process.wait()
    if process.returncode is None:
        process.kill()  # law L6 holds all the same
    await process.aclose()


# -- what it answered ------------------------------------------------------------------------
#
# One JSON object without spaces, of those keys of the envelope (SPEC 6) that say something:
# `error`, `data`, `warnings`. It is sent once, as text: with `structuredContent` beside it the
# protocol wants the same again as text, and agents would pay for both.

#: Characters of an answer. An agent's context is worth more than the 400th task.
MOST = 40_000


class Answer(NamedTuple):
    text: str
    refused: bool


def answer(verb: str, status: int, out: bytes, said: bytes) -> Answer:
    """Make the answer of what `ralphgit VERB --json` printed: `out` on stdout, `said` on stderr."""
    try:
        envelope = json.loads(out)
    except ValueError:
        last = said.decode("utf-8", "replace").splitlines()[-1:]
        return refused(
            Refused(
                ": ".join([f"{verb} ended without an answer (exit {status})", *last]),
                code="no_answer", hint="repeat it: what it had begun is completed or undone",
            )
        )  # fmt: skip
    told = {key: envelope[key] for key in ("error", "data", "warnings") if envelope[key]}
    if not told:
        told = {"data": envelope["data"]}
    return Answer(fitted(told, MOST), not envelope["ok"])


def refused(error: RalphError) -> Answer:
    """Make an answer in the same shape of a refusal that no command printed."""
    told = {"code": error.code, "exit": error.exit_code, "message": error.message}
    if error.hint:
        told["hint"] = error.hint
    return Answer(_encoded({"error": told}), True)


#: The list that begins with the oldest, so that its first entries matter least.
_OLDEST_FIRST = "events"
#: Characters that `left_off` itself takes.
_ROOM = 80


def fitted(told: Mapping[str, object], most: int) -> str:
    """Encode `told` in at most `most` characters, and one line more if text was cut.

    The longest list in its data loses its last entries (of events the oldest); `left_off` says how
    many. What is too long even so, or has no list, is cut as text, and says so behind it.
    """
    text = _encoded(told)
    if len(text) <= most:
        return text
    data = told.get("data")
    data = data if isinstance(data, dict) else {}
    lists = {key: value for key, value in data.items() if isinstance(value, list)}
    if lists:
        key, entries = max(lists.items(), key=lambda item: len(_encoded(item[1])))
        over, left = len(text) + _ROOM - most, 0
        for entry in entries if key == _OLDEST_FIRST else reversed(entries):
            if over <= 0:
                break
            left += 1
            over -= len(_encoded(entry)) + 1
        short = entries[left:] if key == _OLDEST_FIRST else entries[: len(entries) - left]
        text = _encoded({**told, "data": {**data, key: short}, "left_off": {key: left}})
    if len(text) > most:
        text = f"{text[:most]}\n(cut: {most} of {len(text)} characters)"
    return text


def _encoded(value: object) -> str:
    """Compact JSON in which what cannot be printed stays escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
