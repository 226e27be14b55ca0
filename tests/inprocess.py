"""A command line run in the test's own process: no fork, no start, no import.

It sees the folder, the environment and the streams that it is given, as a process of its own
would, and what it had changed of these is put back. What it leaves to the system, which a process
gives back at its end (locks, threads, signal handlers), stays: a command that is to be killed,
that runs beside others or that others look for by its number needs a process (`warm`).
"""

from __future__ import annotations

import gc
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import known_configuration
import pygit2
from pygit2.enums import ConfigLevel
from warm import content

from ralphgit.cli import main

# libgit2 looks once where the user's settings are, and would see those of whoever runs the tests.
for level in (ConfigLevel.SYSTEM, ConfigLevel.GLOBAL, ConfigLevel.XDG):
    pygit2.settings.search_path[level] = ""


def call(
    argv: Sequence[str], *, cwd: str, env: Mapping[str, str], stdin: bytes
) -> tuple[int, bytes, bytes]:
    """Exit code, stdout and stderr of `ralphgit ARGV`. Only for the main thread."""
    with ExitStack() as stack:
        files = [stack.enter_context(_file()) for _ in range(3)]
        files[0].write(stdin)
        files[0].seek(0)
        stack.enter_context(_without_collector())
        stack.enter_context(known_configuration.asked_once())
        stack.enter_context(_standing_in(cwd, env))
        stack.enter_context(_streams([file.fileno() for file in files]))
        old, sys.argv = sys.argv, ["ralphgit", *argv]
        try:
            code = main.answer(argv)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        finally:
            sys.argv = old
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        out, err = (content(file.fileno()) for file in files[1:])
        return code, out, err


def _file() -> io.FileIO:
    """A file without a name, in memory where that is possible."""
    if sys.platform == "linux":
        return io.FileIO(os.memfd_create("stream"), "r+")
    return tempfile.TemporaryFile(buffering=0)


@contextmanager
def _without_collector() -> Iterator[None]:
    """As `ralphgit` itself runs; what it leaves (open files, child processes) goes at its end."""
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)
        gc.enable()


@contextmanager
def _standing_in(folder: str, environ: Mapping[str, str]) -> Iterator[None]:
    before, kept = os.open(".", os.O_RDONLY), dict(os.environb)
    temporary, tempfile.tempdir = tempfile.tempdir, None  # else found once for a whole process
    try:
        os.chdir(folder)
        _surround({os.fsencode(name): os.fsencode(value) for name, value in environ.items()})
        yield
    finally:
        _surround(kept)
        tempfile.tempdir = temporary
        os.fchdir(before)
        os.close(before)


def _surround(environ: Mapping[bytes, bytes]) -> None:
    """Have just these variables; what stays is not set again, which takes a call of C each."""
    now = dict(os.environb)
    for name in now.keys() - environ.keys():
        del os.environb[name]
    os.environb.update({name: value for name, value in environ.items() if now.get(name) != value})


@contextmanager
def _streams(fds: Sequence[int]) -> Iterator[None]:
    """The three standard streams are these files, for programs that we start as well."""
    before = sys.stdin, sys.stdout, sys.stderr
    kept = [os.dup(number) for number in range(len(fds))]
    try:
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
        sys.stdin, sys.stdout, sys.stderr = (_text(number) for number in range(len(fds)))
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        for number, fd in enumerate(kept):
            os.dup2(fd, number)
            os.close(fd)


def _text(fd: int) -> io.TextIOWrapper:
    return open(fd, "w" if fd else "r", encoding="utf-8", closefd=False)
