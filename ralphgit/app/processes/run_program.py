"""Run programs of others: agents, verify commands, a project's setup.

Each runs under a `supervisor` in a process group of its own. When `run` returns, is left by an
exception, or our whole process is killed, nothing of the program's goes on.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ralphgit.app.processes import strays, supervisor
from ralphgit.errors import NeedsPerson, Refused
from ralphgit.git import child_process, run_git

GRACE_S = 0.2
"""For output that is still there when the program itself has ended."""
EXITED, TIMED_OUT = "exited", "timed out"
_TURN_S = 0.2
#: What a pipe can hold: all that is taken of it when the program is gone.
_MOST_LEFT = 1 << 20
#: A supervisor ends by itself; it is not waited for for ever.
_PATIENCE_S = 10.0
_KILLED = 128 + signal.SIGKILL


class Ended(NamedTuple):
    """How a program ended."""

    code: int
    """Its exit code; 128 + N for signal N."""
    how: str
    """EXITED, TIMED_OUT, or why it was stopped."""
    seconds: float


def run(
    words: Sequence[str],
    *,
    top: str,
    environ: Mapping[str, str],
    timeout: float,
    hear: Callable[[bytes], None],
    stdin: str = os.devnull,
    stop: Callable[[], str] = lambda: "",
    grace: float = 0.0,
    daemons: bool = False,
) -> Ended:
    """Run a program in the folder `top`; `hear` gets what it prints, as it comes.

    `stop` may say why it has to end now. It and we, if we are interrupted, then ask the
    program with SIGTERM, and kill it after `grace` seconds, or at a second signal to us. What
    it has left running in the background has no say, and ends with it; with `daemons` only
    what is still in its process group.

    In a loop no daemon of git's outlives it either (`strays`).

    Raises: Refused (cannot_start, supervisor_killed), NeedsPerson (supervisor_killed) where what it
    has started may go on.
    """
    begin = time.monotonic()
    program: _Program | None = None
    with run_git.program_of_others():
        try:
            try:
                with _Deferred():
                    program = _Program(words, top, environ, stdin, daemons)
                how = program.listen(hear, begin + timeout, stop)
            except BaseException:  # also a signal: the program is asked to end before we do
                if program is not None:
                    program.ask(hear, grace)
                raise
            if how != EXITED:
                program.ask(hear, grace)
        finally:
            if program is not None:
                program.end(hear)
            strays.end(but_now=daemons)
    if program.was_left_alone and not (daemons or strays.come_here()):
        raise NeedsPerson(
            f"the supervisor of {words[0]} was killed, and what that has started may go on",
            code="supervisor_killed", hint="ps -u \"$(id -u)\" -f",
        )  # fmt: skip
    code = program.code if program.code is not None else -signal.SIGKILL
    return Ended(code if code >= 0 else 128 - code, how, time.monotonic() - begin)


class _Program:
    """A program that runs, its supervisor, and the pipes between."""

    def __init__(
        self,
        words: Sequence[str],
        top: str,
        environ: Mapping[str, str],
        stdin: str,
        daemons: bool,
    ) -> None:
        self.code: int | None = None
        """As soon as it has ended; minus the signal's number where one ended it."""
        self._ended = 0.0
        self._output, writing = os.pipe()
        reading, self._told = child_process.channel()
        heard, saying = child_process.channel()
        self._said = os.fdopen(heard, "rb", buffering=0)
        try:
            # In a session of its own: what interrupts us must not end the supervisor first.
            self._supervisor = child_process.started(lambda: subprocess.Popen(
                [sys.executable, "-I", "-S", os.path.abspath(supervisor.__file__)],
                bufsize=0, cwd="/", start_new_session=True,
                stdin=reading, stdout=saying, stderr=writing,
            ))  # fmt: skip
        except BaseException:  # also a signal: nobody else closes the pipes
            os.close(self._output)
            os.close(self._told)
            self._said.close()
            raise
        finally:
            for fd in (reading, saying, writing):
                os.close(fd)
        self._pid = 0
        try:
            self._begin(_encoded(words, top, environ, stdin, daemons), words[0])
        except (
            BaseException
        ):  # also a signal: no supervisor outlives the process that listens to it
            self.end(lambda _data: None)
            raise

    def _begin(self, told: bytes, name: str) -> None:
        view = memoryview(told)
        try:
            while view:
                view = view[os.write(self._told, view) :]
        except ConnectionError:
            pass  # it says nothing, then
        try:
            self._pid = int(self._said.readline())
        except ValueError:
            if self._supervisor.wait() >= 0:
                raise _not_started(name, "its supervisor ended at once") from None
            raise Refused(  # which says nothing of the program
                f"{name} was not started: its supervisor was killed",
                code="supervisor_killed", hint="repeat the command",
            ) from None  # fmt: skip
        # Without a word the program has killed its supervisor: `listen` hears that, too.
        if refused := int(self._said.readline() or 0):
            raise _not_started(name, os.strerror(refused))

    def listen(
        self, hear: Callable[[bytes], None], deadline: float, stop: Callable[[], str]
    ) -> str:
        """Pass on what it prints until it has ended or has to; how that came."""
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        poll.register(self._said, select.POLLIN)
        open_ = True
        while open_ or self.code is None:
            # Children of it in the background may hold the pipe, and print for ever.
            left = (self._ended + GRACE_S if self._ended else deadline) - time.monotonic()
            if left <= 0:
                return EXITED if self._ended else TIMED_OUT
            for fd, _ in poll.poll(min(left, _TURN_S) * 1000):
                if fd == self._output:
                    chunk = os.read(fd, 1 << 16)
                    hear(chunk)
                    if not chunk:
                        open_ = False
                        poll.unregister(fd)
                else:
                    # Without a word its supervisor was killed; what it kept goes, too.
                    self.code = int(self._said.readline() or -signal.SIGKILL)
                    self._ended = time.monotonic()
                    poll.unregister(fd)
            if not self._ended and (why := stop()):
                return why
        return EXITED

    @property
    def was_left_alone(self) -> bool:
        """Whether its supervisor was killed."""
        return bool(self._pid) and (self._supervisor.returncode or 0) < 0

    def ask(self, hear: Callable[[bytes], None], grace: float) -> None:
        """Have it end, and give it `grace` seconds for that."""
        if not grace or self._ended:
            return
        try:
            os.write(self._told, b"t")
        except ConnectionError:
            return
        self.listen(hear, time.monotonic() + grace, lambda: "")

    def end(self, hear: Callable[[bytes], None]) -> None:
        """Kill what is left, pass on what is still in the pipe, and close everything."""
        os.close(self._told)
        try:
            self._supervisor.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        if self._supervisor.returncode and self._pid:
            _kill_group(self._pid)
        os.set_blocking(self._output, False)
        left = _MOST_LEFT
        try:
            while left > 0 and (chunk := os.read(self._output, min(left, 1 << 16))):
                left -= len(chunk)
                hear(chunk)
        except BlockingIOError:
            pass  # somebody out of reach holds it open
        os.close(self._output)
        self._said.close()


def _encoded(
    words: Sequence[str], top: str, environ: Mapping[str, str], stdin: str, daemons: bool
) -> bytes:
    """What a supervisor has to know, each field behind its length: no byte ends one early.

    Raises: Refused (cannot_start) for a NUL, which no argument or variable can hold.
    """
    if any("\0" in text for text in (*words, *environ, *environ.values())):
        raise Refused(
            "there is a NUL character in the command or in a variable; nothing was started",
            code="cannot_start",
            hint="remove the NUL from the command",
        )
    reach = supervisor.GROUP if daemons else supervisor.ALL
    variables = (text for pair in environ.items() for text in pair)
    fields = [reach, *map(os.fsencode, (top, stdin))]
    return b"".join(
        (
            *map(supervisor.field, fields),
            supervisor.number(len(words)),
            *map(supervisor.field, map(os.fsencode, words)),
            supervisor.number(len(environ)),
            *map(supervisor.field, map(os.fsencode, variables)),
        )
    )


def _not_started(name: str, why: str) -> Refused:
    return Refused(f"{name} cannot be started: {why}", code="cannot_start", hint="is it installed?")


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


class _Deferred:
    """Lets a signal wait while a process is started: one that came between fork and return
    would leave a process behind that nobody knows of.

    Only the main thread gets signals; in another one there is nothing to wait for.
    """

    def __enter__(self) -> None:
        self._came: list[int] = []
        self._kept: list[tuple[int, Any]] = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            try:
                old = signal.signal(number, lambda came, _frame: self._came.append(came))
            except ValueError:
                return
            self._kept.append((number, old))

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for number, old in self._kept:
            signal.signal(number, old)
        for number in self._came:
            os.kill(os.getpid(), number)
