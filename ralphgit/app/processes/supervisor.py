"""Run one program of others, and end it and its children when our process ends.

`run_program` starts it as a program, tells it on its stdin what to run, and hears on its stdout the
child's number, 0 or why it did not become the program (errno), and its exit code, a line each; what
the program prints goes to its stderr, and never through it. When its stdin ends, because we have
heard enough or are gone, it kills what is left, and ends.

What is left is the program's process group, and where the system has child subreapers (prctl(2),
Linux) all that descends from it, also in other groups and sessions: orphans then become the
supervisor's children. Standard library only, and little of it: it starts fast.
"""

from __future__ import annotations

import os
import select
import time

TYPE_CHECKING = False  # importing typing takes longer than all the rest
if TYPE_CHECKING:
    import signal
    from typing import NoReturn
else:
    import _signal as signal  # of the same names; importing enum for signal's takes half the start

_TOLD, _SAID, _OUTPUT = 0, 1, 2
_SET_DUMPABLE, _SET_CHILD_SUBREAPER = 4, 36
#: How long what was killed may take to end: it may hang in the kernel.
_PATIENCE_S = 5.0
ALL, GROUP = b"all", b"group"


def main() -> None:
    """Run one program until it has ended and our stdin has closed."""
    reach, folder, stdin = (_field() for _ in range(3))
    words = [_field() for _ in range(_number())]
    environ = {_field(): _field() for _ in range(_number())}
    _close_to_others()
    if reach == ALL:
        adopt_orphans()
    wake, ours = os.pipe()
    os.set_blocking(ours, False)
    signal.set_wakeup_fd(ours)
    for one in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(one) is not signal.SIG_IGN or one == signal.SIGCHLD:
            signal.signal(one, lambda _number, _frame: None)  # only our stdin ends us
    refused, refusing = os.pipe()
    child = os.fork()
    if not child:
        _become(words, environ, folder, stdin, refusing)
    os.close(refusing)
    os.dup2(os.open(os.devnull, os.O_WRONLY), _OUTPUT)
    _say(b"%d" % int(os.read(refused, 16) or 0))
    _attend(child, wake)
    _end(child, every=reach == ALL)


def field(data: bytes) -> bytes:
    """A field of what the supervisor reads: any bytes, behind their number as four bytes."""
    return len(data).to_bytes(4, "big") + data


def number(value: int) -> bytes:
    """How many fields follow, as four bytes."""
    return value.to_bytes(4, "big")


def _field() -> bytes:
    return _exactly(_number())


def _number() -> int:
    return int.from_bytes(_exactly(4), "big")


def _exactly(size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = os.read(_TOLD, size - len(data))
        if not chunk:
            os._exit(1)
        data += chunk
    return data


def adopt_orphans(*, adopts: bool = True) -> bool:
    """Become a child subreaper, or none any more; False where the system has none."""
    return _set(_SET_CHILD_SUBREAPER, int(adopts))


def _close_to_others() -> None:
    """Let no other process of the user take what we have open, or say something in our place, as
    a debugger can (pidfd_getfd(2), ptrace(2)). What we run is not closed: it is a new program.

    Not where that would hide us, so that nobody below is seen to be below a loop.
    """
    try:
        with open("/proc/mounts", "rb") as file:
            if b"hidepid=" not in file.read():
                _set(_SET_DUMPABLE, 0)
    except OSError:
        return  # no Linux


def _set(what: int, value: int) -> bool:
    try:
        import ctypes

        return not ctypes.CDLL(None).prctl(what, value, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return False  # no Linux


def _become(
    words: list[bytes], environ: dict[bytes, bytes], folder: bytes, stdin: bytes, refusing: int
) -> NoReturn:
    """In the child: become the program, in a session of its own.

    It says its number itself, before the program runs: that may kill its supervisor at once.
    """
    try:
        os.setsid()
        _say(b"%d" % os.getpid())
        for name in ("SIGPIPE", "SIGXFSZ"):  # python ignores them
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.chdir(folder)
        os.dup2(os.open(stdin, os.O_RDONLY), 0)
        os.dup2(_OUTPUT, 1)
        os.execvpe(words[0], words, environ)
    except OSError as error:
        os.write(refusing, b"%d" % (error.errno or 0))
    finally:
        os._exit(127)


def _attend(child: int, wake: int) -> None:
    """Say how the child has ended, pass on that it should, until nobody listens."""
    poll = select.poll()
    poll.register(_TOLD, select.POLLIN)
    poll.register(wake, select.POLLIN)
    said = False
    while True:
        for fd, _ in poll.poll():
            if fd == wake:
                os.read(wake, 512)
            elif os.read(_TOLD, 1):
                _kill_group(child, signal.SIGTERM)
            else:
                return
        code = None if said else _reap(child)
        if code is not None:
            said = True
            _say(b"%d" % code)


def _reap(child: int) -> int | None:
    """Its exit code, minus the signal's number where one ended it; None while it runs.

    Orphans that have ended are taken away. The child itself is left a zombie where the system
    has waitid(2): so long its number, and its group's, is nobody else's.
    """
    if not hasattr(os, "waitid"):
        pid, status = os.waitpid(child, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None
    while True:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        if found.si_pid == child:
            exited = found.si_code == os.CLD_EXITED
            return found.si_status if exited else -found.si_status
        os.waitpid(found.si_pid, 0)


def _end(child: int, *, every: bool) -> None:
    """Kill what is left, and wait until it is gone."""
    _kill_group(child, signal.SIGKILL)
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        for pid in children() if every else ():
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        try:
            if not os.waitpid(-1, os.WNOHANG)[0]:
                time.sleep(0.001)
        except ChildProcessError:
            return


def children() -> list[int]:
    """Our children, of all our threads; their children become ours when they end."""
    found: list[int] = []
    try:
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
    except OSError:
        return _children_by_parent()
    return found


def _children_by_parent() -> list[int]:
    """The same, where the kernel keeps no list of them."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                parent = file.read().rpartition(b")")[2].split()[1]
        except (OSError, IndexError):
            continue
        if name.isdigit() and int(parent) == os.getpid():
            found.append(int(name))
    return found


def _kill_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def _say(line: bytes) -> None:
    try:
        os.write(_SAID, line + b"\n")
    except ConnectionError:
        return  # its stdin has ended, too


if __name__ == "__main__":
    main()
