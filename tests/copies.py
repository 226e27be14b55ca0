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
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import pygit2

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


def kept(key: object) -> Path | None:
    """The folder with what was made for `key`, by the numbers of its paths."""
    return _known.get(key)


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


def first_commit(top: Path, message: str, environ: Mapping[str, str]) -> None:
    """Commit all files in a repository that is empty, as its author."""
    repository = pygit2.Repository(str(top))
    repository.index.add_all()
    tree = repository.index.write_tree()
    repository.index.write()
    author, committer = (
        pygit2.Signature(
            environ[f"GIT_{who}_NAME"], environ[f"GIT_{who}_EMAIL"],
            int(datetime.fromisoformat(environ[f"GIT_{who}_DATE"]).timestamp()),
        )
        for who in ("AUTHOR", "COMMITTER")
    )  # fmt: skip
    made = repository.create_commit(None, author, committer, f"{message}\n", tree, [])
    who = f"{committer.name} <{committer.email}> {committer.time} +0000"
    log = f"{'0' * 40} {made} {who}\tcommit (initial): {message}\n"
    ref, store = "refs/heads/main", top / ".git"
    texts = {
        ref: f"{made}\n",
        f"logs/{ref}": log,
        "logs/HEAD": log,
        "COMMIT_EDITMSG": f"{message}\n",
    }
    for name, text in texts.items():
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_text(text)


# -- what a checkout would make --------------------------------------------------------------

#: What in a configuration may have git check out something else than what was added.
_CONVERTING = (b"filter", b"autocrlf", b"eol", b"sparse", b"attributes", b"hookspath", b"symlinks")


def checked_out(main: Path, to: Path) -> bytes | None:
    """Check out what HEAD of the worktree `main` has, as it is in `main`; the index for it.

    None, and nothing is made, where git might make something else.
    """
    store = main / ".git"
    config = (store / "config").read_bytes().lower()
    data = (store / "index").read_bytes() if (store / "index").exists() else b""
    odd = any((store / name).exists() for name in ("hooks", "info/attributes"))
    if odd or any(word in config for word in _CONVERTING) or data[4:8] != b"\0\0\0\2":
        return None
    names, end = _added(data)
    if names is None or b".gitattributes" in b"".join(names):
        return None
    # The index knows the tree of its files, and it is HEAD's; what follows is the digest.
    if data[end : end + 4] != b"TREE" or data[end + 8 : end + 9] != b"\0":
        return None
    size = int.from_bytes(data[end + 4 : end + 8], "big")
    tree = data[data.index(b"\n", end + 8) + 1 :][:_ID].hex()
    if end + 8 + size + _ID != len(data) or tree != _tree_of_head(store):
        return None
    for name, blob in names.items():
        if _blob(os.path.join(os.fsencode(main), name)) != blob:
            return None
    to.mkdir()
    for name in names:
        path = os.path.join(os.fsencode(to), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _copy(os.path.join(os.fspath(main), os.fsdecode(name)), os.fsdecode(path))
    return data


def written(kept: Path, to: Path, old: bytes, new: bytes) -> None:
    """Copy what git has written for one commit as if it had been for another; but the index."""
    if kept.is_dir():
        to.mkdir(parents=True, exist_ok=True)
        for one in kept.iterdir():
            if one.name != "index":
                written(one, to / one.name, old, new)
    else:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(kept.read_bytes().replace(old, new))


def _added(data: bytes) -> tuple[dict[bytes, bytes] | None, int]:
    """The files in an index and their blobs, and where they end; None for what is no plain file."""
    at, found = _HEAD.size, dict[bytes, bytes]()
    for _ in range(_HEAD.unpack_from(data)[2]):
        mode = _STAT.unpack_from(data, at)[6]
        flags = at + _STAT.size + _ID
        start, length = flags + _FLAGS.size, _FLAGS.unpack_from(data, flags)[0]
        if not stat.S_ISREG(mode) or length >= _NAME:  # or one that is flagged, or in conflict
            return None, 0
        found[data[start : start + length]] = data[at + _STAT.size : flags]
        at += (start - at + length + 8) // 8 * 8
    return found, at


def _tree_of_head(store: Path) -> str:
    """The tree of HEAD's commit; "" where it is not in a file of its own."""
    try:
        name = (store / "HEAD").read_text().strip().removeprefix("ref: ")
        commit = (store / name).read_text().strip()
        data = zlib.decompress((store / "objects" / commit[:2] / commit[2:]).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return data.partition(b"\0tree ")[2][:40].decode()
