"""Run one process: feed and drain it, or ask it line by line.

By `os.posix_spawn`, because importing subprocess takes as long as eight git processes.
"""

import _socket  # importing socket takes longer
import _thread  # so does threading
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, Protocol, TypeVar


class TimedOut(Exception):
    """A process did not end in time, and was killed with all below it."""

    def __init__(self, waited_for: Sequence[str], err: bytes) -> None:
        super().__init__()
        self.waited_for = tuple(waited_for)
        """The command lines of what ran below it, the outermost first."""
        self.err = err
        """What was said on stderr so far."""


#: What `_end_gently` gives a process to remove its lock files, and how often it looks.
_GRACE_S, _LOOK_S = 2.0, 0.02
#: How long the pipes of a process that has ended are read on: what it left running holds them.
_LEFT_OPEN_S = 1.0


def channel() -> tuple[int, int]:
    """Make a pipe that nobody but its two ends can use: its end to read, and the one to write.

    On Linux two sockets: a pipe any process of the user may open for writing, by /proc, and so say
    what another program seems to. A pipe where no sockets may be made.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            reading, writing = _socket.socketpair()
            return reading.detach(), writing.detach()
    return os.pipe()


class ProcessResult(NamedTuple):
    status: int
    out: bytes
    err: bytes


#: The processes that run and were not waited for yet: whether each has a group of its own.
_running: dict[int, bool] = {}


class Program(Protocol):
    """What is not git, as `subprocess` starts it."""

    pid: int
    returncode: int | None


_Started = TypeVar("_Started", bound=Program)
_programs: list[Program] = []
_starting = _thread.allocate_lock()


def started(start: Callable[[], _Started]) -> _Started:
    """Start a program by `start`, and know it from then on for one of this process."""
    with _starting:
        program = start()
        _programs[:] = [one for one in _programs if one.returncode is None]
        _programs.append(program)
        return program


@contextmanager
def no_start() -> Iterator[set[int]]:
    """Give the processes that this one has started and not waited for; it starts none meanwhile."""
    with _starting:
        yield {*_running, *(one.pid for one in _programs if one.returncode is None)}


def end_all() -> None:
    """Stop every process that still runs, without its `Child`, and wait for its end.

    For a program that is about to exit at once.
    """
    while _running:
        _stop(*_running.popitem())


def verb(words: Sequence[str]) -> str:
    """Return the verb of a git command line without the program; "" if it has none."""
    position = 0
    while position < len(words) and words[position].startswith("-"):
        position += 2 if words[position] in ("-c", "-C") else 1
    return words[position] if position < len(words) else ""


def _stop(pid: int, group: bool) -> None:
    """End a process, and with `group` all of its group; git removes its locks when asked to end."""
    try:
        if group:
            os.killpg(pid, signal.SIGTERM)
            deadline = time.monotonic() + _GRACE_S
            while not _has_ended(pid) and time.monotonic() < deadline:
                time.sleep(_LOOK_S)
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):  # of a group that has ended, on some systems
        pass
    _wait_for(pid)


def _has_ended(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _below(pid: int) -> list[tuple[int, str]]:
    """The processes below one with their command lines, the outermost first; Linux alone tells."""
    found: list[tuple[int, str]] = []
    parents = [pid]
    while parents:
        tasks, children = f"/proc/{parents.pop(0)}/task", list[int]()
        try:
            for thread in os.listdir(tasks):  # git starts a filter from a thread of its own
                with open(f"{tasks}/{thread}/children", encoding="ascii") as file:
                    children += map(int, file.read().split())
        except OSError:
            continue
        for child in children:
            try:
                with open(f"/proc/{child}/cmdline", "rb") as file:
                    words = file.read().rstrip(b"\0").split(b"\0")
            except OSError:
                continue
            found.append((child, b" ".join(words).decode("utf-8", "replace")))
        parents += children
    return found


def _wait_for(pid: int) -> int:
    """How it has ended; as if it had been stopped where another thread has waited for it."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return -signal.SIGTERM


class Child:
    """A process that runs while we do other things, until `finish`.

    An object that is no longer used ends its process: no pipe or zombie is left behind.
    """

    def __init__(
        self,
        program: str,
        argv: list[str],
        environ: Mapping[str, str],
        *,
        group: bool = False,
        errors: bool = True,
        private: bool = False,
    ) -> None:
        """`group`: in a session of its own, to be killed with its children, and without a terminal.

        `errors`: keep what it writes to stderr.

        `private`: by a `channel`, for what starts no program that gets its stdin or stdout: a hook,
        say, may open that again by its name (/dev/stdout).
        """
        self._argv = argv
        self._group = group
        self._pid = 0
        self.stdin = self.stdout = self._stderr = -1
        in_read, self.stdin = channel() if private else os.pipe()
        self.stdout, out_write = channel() if private else os.pipe()
        self._stderr, err_write = os.pipe() if errors else (-1, os.open(os.devnull, os.O_WRONLY))
        # A session of its own also has no terminal: ssh, say, fails where it would have to ask.
        own_group: dict[str, Any] = {"setsid": True} if group else {}
        try:
            with _starting:
                self._pid = os.posix_spawn(
                    program,
                    argv,
                    environ,
                    file_actions=[
                        (os.POSIX_SPAWN_DUP2, in_read, 0),
                        (os.POSIX_SPAWN_DUP2, out_write, 1),
                        (os.POSIX_SPAWN_DUP2, err_write, 2),
                    ],
                    setsigdef=(signal.SIGPIPE,),
                    **own_group,
                )
                _running[self._pid] = group
        finally:
            for fd in (in_read, out_write, err_write):
                os.close(fd)

    def __del__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """End it, and close its pipes."""
        for fd in (self.stdin, self.stdout, self._stderr):
            self._close(fd)
        self.end()

    def finish(self, stdin: bytes = b"", timeout: float | None = None) -> ProcessResult:
        """Feed it `stdin` and wait until it ends.

        After `timeout` seconds it is killed, with all below it. Raises: TimedOut, then.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            out, err = self._talk(stdin, deadline)
        except BaseException as error:  # also a signal: it is no longer waited for
            below = _below(self._pid) if isinstance(error, TimeoutError) else []
            self.end()
            if isinstance(error, TimeoutError):
                for pid, _ in below:  # those without the group of a person's terminal
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)
                said = error.args[0] if error.args else b""
                raise TimedOut([line for _, line in below if line], said) from None
            raise
        return ProcessResult(self._wait(), out, err)

    def end(self) -> None:
        """Stop it now; with `group`, its children too."""
        if not self._pid:
            return
        pid, self._pid = self._pid, 0
        if _running.pop(pid, None) is not None:
            _stop(pid, self._group)

    def _wait(self) -> int:
        status = _wait_for(self._pid)
        _running.pop(self._pid, None)
        self._pid = 0
        return status

    def _close(self, fd: int) -> None:
        """Close one of the three pipes, once."""
        if fd < 0:
            return
        os.close(fd)
        if fd == self.stdin:
            self.stdin = -1
        elif fd == self.stdout:
            self.stdout = -1
        else:
            self._stderr = -1

    def _talk(self, stdin: bytes, deadline: float | None) -> tuple[bytes, bytes]:
        """Feed stdin and drain both outputs until they close; never blocks on one of them."""
        chunks: dict[int, list[bytes]] = {self.stdout: [], self._stderr: []}
        kept = tuple(chunks.values())
        pending = memoryview(stdin)
        poll = select.poll()
        for fd in chunks:
            poll.register(fd, select.POLLIN)
        if pending:
            os.set_blocking(self.stdin, False)
            poll.register(self.stdin, select.POLLOUT)
        else:
            self._close(self.stdin)
        while max(self.stdin, self.stdout, self._stderr) >= 0:
            left = None
            if deadline is not None:
                left = min(max(0.0, deadline - time.monotonic()), _LEFT_OPEN_S) * 1000
            events = poll.poll(left)
            if not events and deadline is not None:
                if _has_ended(self._pid):  # a daemon of a hook, say, holds its pipes open
                    break
                if time.monotonic() >= deadline:
                    raise TimeoutError(b"".join(kept[1]))
            for fd, _ in events:
                if fd == self.stdin:
                    try:
                        pending = pending[os.write(fd, pending[:65536]) :]
                    except BlockingIOError:
                        continue
                    except ConnectionError:
                        pending = pending[len(pending) :]
                    if pending:
                        continue
                elif chunk := os.read(fd, 1 << 20):
                    chunks[fd].append(chunk)
                    continue
                poll.unregister(fd)
                self._close(fd)
        return b"".join(kept[0]), b"".join(kept[1])


class Dialogue:
    """A process that answers each line it is given, and waits for the next.

    After an exception it is out of step: forget it, and start another.
    """

    def __init__(self, child: Child) -> None:
        self._child = child
        self._answers = os.fdopen(child.stdout, "rb", closefd=False)

    def forget(self) -> None:
        """End the process."""
        self._child.forget()

    def ask(self, lines: bytes) -> None:
        """Pass on whole lines, at most `LONGEST_QUESTION` bytes: answers may have to wait
        for us in their pipe, but the question never in its own.

        Raises: ConnectionError when the process has ended.
        """
        while lines:
            lines = lines[os.write(self._child.stdin, lines) :]

    def line(self) -> bytes:
        """Read the next line of the answer, without its end. Raises: EOFError."""
        found = self._answers.readline()
        if not found.endswith(b"\n"):
            raise EOFError
        return found[:-1]

    def exactly(self, size: int) -> bytes:
        """Read the next `size` bytes of the answer. Raises: EOFError."""
        found = self._answers.read(size)
        if len(found) < size:
            raise EOFError
        return found


#: A pipe holds 64 KiB on Linux, and 16 KiB on macOS.
LONGEST_QUESTION = 8 * 1024
