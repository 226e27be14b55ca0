"""A process that has imported ralphgit, and becomes a command whenever it is asked to.

Starting Python and importing is most of what a short command does, and the tests run thousands.
Each command is a process of its own all the same: it is forked from this one, with the folder, the
environment and the streams that it is given, and runs what `python -m ralphgit` runs. The tests of
start and imports, the demo, the loops and the documents start Python themselves.

    python tests/warm.py SOCKET      listens there until its stdin is closed
"""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import pkgutil
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

#: These load only where somebody asks for them, and some of them start threads.
_LEFT = (
    *("ralphgit.__main__", "ralphgit.loop.tmux_session"),
    *("ralphgit.board", "ralphgit.mcp"),
)
_STREAMS = 3
_HEAD = struct.Struct("!I")


# -- the process that waits ------------------------------------------------------------------


def import_all() -> None:
    """Import what commands import, for processes that are forked from this one."""
    import ralphgit

    for module in pkgutil.walk_packages(ralphgit.__path__, "ralphgit."):
        if not module.name.startswith(_LEFT):
            importlib.import_module(module.name)
    importlib.import_module("tomllib")  # which a command imports when it has something to read
    read_programs()
    gc.collect()
    gc.freeze()


def read_programs() -> None:
    """Read the programs of which every loop takes down what is in them as it begins."""
    from ralphgit.app.processes import named_outside, named_programs

    line = ("git", "--exec-path")
    folder = subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()
    named_programs.gits_own(f"{named_programs.GITS_OWN}{folder}")
    for path in filter(None, map(shutil.which, named_programs.RUN)):
        named_outside.content(path)


def serve(path: str) -> NoReturn:
    import_all()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{path}.new")
    listener.listen(64)
    os.rename(f"{path}.new", path)  # whoever finds it can connect
    running: dict[int, socket.socket] = {}  # who waits for which process
    ended, telling = os.pipe()
    os.set_blocking(telling, False)
    signal.set_wakeup_fd(telling)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    poll.register(ended, select.POLLIN)
    poll.register(0, select.POLLHUP)
    while True:
        for fd, _ in poll.poll():
            if fd == 0:
                os._exit(0)
            if fd == listener.fileno():
                asker, _address = listener.accept()
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for handle in (ended, telling):
                        os.close(handle)
                    for other in (listener, *running.values()):
                        other.close()
                    _become(asker)
                running[pid] = asker
                asker.sendall(_HEAD.pack(pid))
                continue
            os.read(ended, 1 << 10)
            for pid in list(running):
                found, status = os.waitpid(pid, os.WNOHANG)
                if not found:
                    continue
                asker = running.pop(pid)
                try:
                    asker.sendall(struct.pack("!i", os.waitstatus_to_exitcode(status)))
                except OSError:
                    pass  # nobody waits any more
                asker.close()


def _become(asker: socket.socket) -> NoReturn:
    """Read what is asked for, and be that command."""
    code = 70
    try:
        fds = array.array("i")
        size = _STREAMS * fds.itemsize
        head, ancillary, _, _ = asker.recvmsg(_HEAD.size, socket.CMSG_SPACE(size))
        for _level, _kind, data in ancillary:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
        left, body = _HEAD.unpack(head)[0], b""
        while len(body) < left:
            body += asker.recv(left - len(body))
        asker.close()
        asked: dict[str, Any] = json.loads(body)
        for target, fd in enumerate(fds):
            os.dup2(fd, target)
            os.close(fd)
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        sys.argv = ["ralphgit", *asked["argv"]]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        random.seed()
        from ralphgit.cli.main import main

        main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 - whatever it was, the test is to see it
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


# -- who asks --------------------------------------------------------------------------------


class Warm:
    """The process that waits for this one, started when it is first needed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._folder = tempfile.mkdtemp(prefix="warm-")
        self._path = os.path.join(self._folder, "s")
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), self._path],
            stdin=subprocess.PIPE, env=dict(environ), cwd="/", start_new_session=True,
        )  # fmt: skip
        watch = select.poll()
        while not os.path.exists(self._path):
            if self._process.poll() is not None:
                raise RuntimeError("tests/warm.py has ended; its message is above")
            watch.poll(5)  # it has to import first

    def run(
        self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str], stdin: bytes, timeout: float
    ) -> tuple[int, bytes, bytes]:
        """Exit code (negative for a signal), stdout and stderr of `ralphgit ARGV`."""
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile(buffering=0)) for _ in range(3)]
            files[0].write(stdin)
            files[0].seek(0)
            code = self._ask(argv, cwd, env, [file.fileno() for file in files], timeout)
            out, err = (content(file.fileno()) for file in files[1:])
            return code, out, err

    def _ask(
        self,
        argv: Sequence[str],
        cwd: str,
        env: Mapping[str, str],
        files: Sequence[int],
        timeout: float,
    ) -> int:
        body = json.dumps({"argv": list(argv), "cwd": cwd, "env": dict(env)}).encode()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(timeout)
            asking.connect(self._path)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))]
            asking.sendmsg([_HEAD.pack(len(body))], rights)
            asking.sendall(body)
            pid = _HEAD.unpack(_exactly(asking, _HEAD.size))[0]
            try:
                return int(struct.unpack("!i", _exactly(asking, 4))[0])
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise


def _exactly(asking: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = asking.recv(count - len(found))
        if not more:
            raise EOFError("tests/warm.py has ended; its message is above")
        found += more
    return found


def content(fd: int) -> bytes:
    """All that is in a file, wherever whoever writes to it is."""
    return os.pread(fd, os.fstat(fd).st_size, 0)


if __name__ == "__main__":
    serve(sys.argv[1])
