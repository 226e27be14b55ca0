"""A repository that was made before is copied instead of made again: most tests begin alike.

What git made of the same files, under the same configuration, by the same person at the same time
is the same, down to the object ids; only paths and what the index remembers of each file differ.
A copy gets these right, so that nobody can tell it from what git made.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import stat
import struct
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

Files = tuple[tuple[str, int, bytes], ...]
_known: dict[object, Path] = {}


def made(key: object, paths: Sequence[Path], make: Callable[[], object]) -> bool:
    """Have `paths` as `make` makes them, which depends on `key` alone; whether they are copies."""
    if (kept := _known.get(key)) is not None:
        for number, path in enumerate(paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            _copy(f"{kept}/{number}", os.fspath(path))
        return True
    make()
    if not all(os.path.lexists(path) for path in paths):
        return False  # git has given one of them another name
    kept = Path(tempfile.mkdtemp(dir=room()))
    for number, path in enumerate(paths):
        _copy(os.fspath(path), f"{kept}/{number}")
    _known[key] = kept
    return False


@cache
def original(key: object) -> Files:
    """All that is in what was made first for `key`, which was one folder."""
    return files(_known[key] / "0")


def again(kept: Path, there: Path) -> None:
    """Have the folder `there` as `kept` is: a world that was in `there` when it was copied."""
    shutil.rmtree(there)
    _copy(os.fspath(kept), os.fspath(there))
    for store in there.glob("*/.git"):
        if not store.is_dir():
            continue
        know_files(store / "index", store.parent, all_of_them=False)
        for link in store.glob("worktrees/*/gitdir"):
            top = Path(link.read_text().removesuffix("/.git\n"))
            know_files(link.parent / "index", top, all_of_them=False)


def keep(there: Path, kept: Path) -> None:
    _copy(os.fspath(there), os.fspath(kept))


@cache
def room() -> Path:
    """Where what may be copied is, until this process ends."""
    room = tempfile.mkdtemp(prefix="copies-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
    atexit.register(shutil.rmtree, room, ignore_errors=True)
    return Path(room)


def _copy(source: str, target: str) -> None:
    """With times of now: they may count as signs of life."""
    mode = os.lstat(source).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), target)
    elif stat.S_ISDIR(mode):
        if not os.path.isdir(target):
            os.mkdir(target)
        for name in os.listdir(source):
            _copy(f"{source}/{name}", f"{target}/{name}")
    else:
        with open(source, "rb") as given:
            taken = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IMODE(mode))
            with open(taken, "wb") as to:
                to.write(given.read())


def files(top: Path, *, but: str = "") -> Files:
    """Name, mode and content of all below a folder; of a link its target, else of files alone."""
    found = []
    for parent, names, leaves in os.walk(top):
        if but in names and parent == os.fspath(top):
            names.remove(but)
        for name in (*names, *leaves):
            path = os.path.join(parent, name)
            mode = os.lstat(path).st_mode
            content = b""
            if stat.S_ISLNK(mode):
                content = os.fsencode(os.readlink(path))
            elif stat.S_ISREG(mode):
                with open(path, "rb") as file:
                    content = file.read()
            found.append((os.path.relpath(path, top), mode, content))
    return tuple(sorted(found))


#: Of an entry of the index (gitformat-index(5), version 2): times, device, inode, mode, owner,
#: size; then 20 bytes of object id and 2 of flags.
_STAT, _FLAGS = struct.Struct("!10I"), struct.Struct("!H")
_HEAD, _ID, _NAME = struct.Struct("!4s2I"), 20, 0xFFF


def know_files(index: Path, top: Path, *, all_of_them: bool = True) -> None:
    """Have the index know the files below `top` as `git update-index --refresh` would.

    All of them are as they were added, or those are passed over that are not.
    """
    data = bytearray(index.read_bytes())
    signature, version, count = _HEAD.unpack_from(data)
    assert (signature, version) == (b"DIRC", 2), (signature, version)
    at = _HEAD.size
    for _ in range(count):
        flags = at + _STAT.size + _ID
        start = flags + _FLAGS.size
        length = _FLAGS.unpack_from(data, flags)[0] & _NAME
        assert length < _NAME
        path = os.path.join(os.fsencode(top), bytes(data[start : start + length]))
        if all_of_them or _blob(path) == data[at + _STAT.size : flags]:
            seen = os.lstat(path)
            mode = _STAT.unpack_from(data, at)[6]
            _STAT.pack_into(
                data, at, *_time(seen.st_ctime_ns), *_time(seen.st_mtime_ns),
                seen.st_dev & 0xFFFFFFFF, seen.st_ino & 0xFFFFFFFF, mode, seen.st_uid,
                seen.st_gid, seen.st_size & 0xFFFFFFFF,
            )  # fmt: skip
        at += (start - at + length + 8) // 8 * 8
    data[-_ID:] = hashlib.sha1(data[:-_ID], usedforsecurity=False).digest()
    index.write_bytes(data)


def _blob(path: bytes) -> bytes:
    """The object id of a file's content; b"" where there is no such file, or a link."""
    if os.path.islink(path) or not os.path.isfile(path):
        return b""
    with open(path, "rb") as file:
        content = file.read()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).digest()


def _time(nanoseconds: int) -> tuple[int, int]:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return seconds & 0xFFFFFFFF, rest
