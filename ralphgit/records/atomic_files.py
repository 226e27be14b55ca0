"""Write a file so that a reader sees the old bytes or the new ones, never half of them."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BufferedReader
from typing import BinaryIO, TypeVar, cast

from ralphgit.errors import NotWritable, Refused

#: Temporary files are named so that `doctor` knows a leftover one.
TEMPORARY = ".ralph-tmp-"
_NUMBERS = itertools.count()
_T = TypeVar("_T")


def _temporary(folder: str, name: str) -> str:
    """A name in `folder` that no other living process and no other write of this one has.

    What a killed process with our number left there goes: in a container numbers recur.
    """
    path = os.path.join(folder, f"{TEMPORARY}{os.getpid()}-{next(_NUMBERS)}-{name}")
    _remove(path)
    return path


def write(path: str, data: bytes, *, durable: bool = True, follow: bool = True) -> None:
    """Put `data` at `path`: temporary file beside it, flush, rename. Mode bits are kept.

    Where `path` is a link, what it points at is written; without `follow` the file takes the
    link's place. After a failure `path` has its old content and the temporary file is gone.

    Raises: NotWritable.
    """
    folder = os.path.dirname(path) or "."
    try:
        os.makedirs(folder, exist_ok=True)
        if follow and os.path.islink(path):
            path = os.path.realpath(path)
            folder = os.path.dirname(path)
        temporary = _temporary(folder, os.path.basename(path))
        mode = _mode(path) if follow else None
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if mode is not None:
                os.fchmod(fd, mode)
            if durable:
                os.fsync(fd)
            os.close(fd)
            fd = -1
            os.replace(temporary, path)
        except BaseException:  # also a signal: no temporary file stays
            if fd >= 0:
                os.close(fd)
            _remove(temporary)
            raise
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        raise NotWritable(message, details={"file": path}) from error


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode & 0o7777
    except FileNotFoundError:
        return None


def _remove(path: str, folders: Sequence[str] = ()) -> None:
    """Remove a file if it exists, and then those of `folders` that are empty."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    for folder in folders:
        try:
            os.rmdir(folder)
        except OSError:
            return


def unlink(path: str) -> None:
    """Remove a file if it is there. Raises: NotWritable."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise NotWritable(f"cannot remove {path}: {error.strerror}") from error


def read(path: str) -> bytes | None:
    """The file's content, None if there is no such file (nor one under a missing folder).

    Raises: Refused (not_readable) for what is not a file, or where permissions forbid it.
    """
    return _read(path, 0, lambda file: file.read())


def digest(path: str) -> str | None:
    """The sha256 of a file's content, None if there is no such file. Raises: as `read`."""
    import hashlib

    return _read(path, 0, lambda file: hashlib.file_digest(file, "sha256").hexdigest())


def read_plain(path: str, *, limit: int) -> bytes | None:
    """As `read`, of a file that anybody may have put there: no link, and at most `limit` bytes.

    Raises: Refused (not_readable), also for a link and for a file that has more.
    """
    data = _read(path, os.O_NOFOLLOW, lambda file: file.read(limit + 1))
    if data is not None and len(data) > limit:
        raise _unreadable(path, f"it has more than {limit} bytes")
    return data


def _read(path: str, flags: int, take: Callable[[BufferedReader], _T]) -> _T | None:
    try:
        # Without waiting: a pipe of that name may have nobody at its other end.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | flags)
        with open(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise _unreadable(path, "it is not a regular file")
            return take(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        why = "it is a link" if flags and error.errno == errno.ELOOP else str(error.strerror)
        raise _unreadable(path, why) from error


def _unreadable(path: str, why: str) -> Refused:
    message = f"cannot read {path}: {why}"
    hint = "name a file that you may read"
    return Refused(message, code="not_readable", hint=hint, details={"file": path})


def appending(path: str) -> BinaryIO:
    """The file at `path`, opened so that each write is added at its end; made where it is missing.

    A link, or anything else that is not a plain file, is replaced by one.

    Raises: OSError.
    """
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    return cast(BinaryIO, open(os.open(path, flags, 0o666), "ab", buffering=0))


class Undo:
    """Keeps the old form of files that are about to change, and puts it back on failure.

    A file is kept as a second link to its old content, so that putting it back needs no
    space: the full disk that refused the change does not refuse its undoing. Used as a
    context; leaving it by an exception undoes every step, the last first.
    """

    def __init__(self) -> None:
        self._steps: list[Callable[[], None]] = []
        self._kept: list[str] = []

    def __enter__(self) -> Undo:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            self.undo()
        for kept in self._kept:
            with suppress(OSError):  # what was to be done is done; `doctor` finds what is left
                os.unlink(kept)

    def write(self, path: str, data: bytes) -> None:
        """As `files.write`, remembered."""
        self.watch(path)
        write(path, data)

    def watch(self, path: str) -> None:
        """Remember the file at `path`, or that there is none: something may change it now.

        Raises: NotWritable.
        """
        kept = self._keep(path)
        made = _missing_folders(path)
        if kept is None:
            self.on_failure(lambda: _remove(path, made))
        else:
            self.on_failure(lambda: os.replace(kept, path))

    def remove(self, path: str) -> None:
        """Remove the file at `path`, remembered. Raises: NotWritable."""
        kept = self._keep(path)
        unlink(path)
        if kept is not None:
            self.on_failure(lambda: os.replace(kept, path))

    def on_failure(self, step: Callable[[], None]) -> None:
        """Run `step` if the context is left by an exception."""
        self._steps.append(step)

    def _keep(self, path: str) -> str | None:
        """A second link to the file at `path`; None if there is no such file."""
        folder, name = os.path.split(os.path.realpath(path))
        try:
            kept = _temporary(folder, name)
            os.link(os.path.join(folder, name), kept)
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"cannot write beside {path}: {error.strerror}"
            raise NotWritable(message, details={"file": path}) from error
        self._kept.append(kept)
        return kept

    def undo(self) -> None:
        while self._steps:
            step = self._steps.pop()
            try:
                step()
            except (NotWritable, OSError):
                # The other steps still count, and `doctor` finds what is left.
                continue


def _missing_folders(path: str) -> list[str]:
    """The folders above `path` that do not exist yet, the innermost first."""
    found = []
    folder = os.path.dirname(path)
    while folder and not os.path.isdir(folder):
        found.append(folder)
        folder = os.path.dirname(folder)
    return found
