"""Read and write objects through `git cat-file --batch-command` and `git unpack-objects`.

The process that reads is started when first needed and kept: a question costs 0.05 ms then,
where a process costs 1. git before 2.36 needs two of them, one for ids and one for contents.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ralphgit import digests
from ralphgit.git.child_process import LONGEST_QUESTION, Child, Dialogue
from ralphgit.git.run_git import Git, GitError, failure

if TYPE_CHECKING:
    import hashlib

_T = TypeVar("_T")
_PIECE = 256 * 1024
_COMMANDS = "--batch-command"
_NONE = (b" missing", b" ambiguous")
#: Stores one blob, which it is given as stdin.
STORE = ("hash-object", "-w", "--stdin", "--no-filters")
#: An object of so many bytes is kept, up to so many, and so many of them.
_LARGE, _TOO_LARGE, _MOST_LARGE = 1 << 20, 32 << 20, 3
_ID_LENGTHS = (40, 64)
#: Their numbers in a pack.
_KINDS = {"commit": 1, "tree": 2, "blob": 3}


def dialogue(git: Git) -> Dialogue:
    """Start the process that `Objects` asks."""
    return git.dialogue("cat-file", _COMMANDS)


#: The modes of a link to a path, and of one to a commit.
LINK, SUBMODULE = "120000", "160000"


class TreeEntry(NamedTuple):
    """What a folder has under one name."""

    mode: str
    """Six digits, as git prints them."""
    oid: str

    @property
    def is_tree(self) -> bool:
        return self.mode == "040000"

    @property
    def is_link(self) -> bool:
        return self.mode == LINK

    @property
    def is_submodule(self) -> bool:
        """Whether it is a link to a commit of another repository."""
        return self.mode == SUBMODULE


class Objects:
    """The object store of a repository."""

    def __init__(self, git: Git, object_format: str, *, asked: Dialogue | None = None) -> None:
        """`object_format`: the repository's digest, sha1 or sha256.

        `asked`: a `dialogue` that was begun before.
        """
        self.git = git
        self._format = object_format
        self._kept: dict[str, Dialogue] = {} if asked is None else {_COMMANDS: asked}
        self._knows_commands = True
        self._trees: dict[str, Mapping[str, TreeEntry]] = {}
        self._listed: dict[str, tuple[tuple[str, TreeEntry], ...]] = {}
        self._large: dict[str, bytes] = {}
        """The large objects that were read or digested last, by id."""

    @property
    def id_bytes(self) -> int:
        """The length of an object's id, in bytes."""
        return 20 if self._format == "sha1" else 32

    def through(self, git: Git) -> "Objects":
        """Return the objects as another `git` finds them."""
        made = Objects(git, self._format)
        made._knows_commands = self._knows_commands
        return made

    def close(self) -> None:
        """End the processes that are kept; the next question starts new ones."""
        while self._kept:
            self._kept.popitem()[1].forget()

    def resolve(self, specs: Sequence[str]) -> list[str | None]:
        """Return the object id of each spec (`REV`, `REV:PATH`), None where there is none.

        One process, whatever the number; contents are not read.
        """
        return [oid for oid, _ in self._headers(specs)]

    def sizes(self, specs: Sequence[str]) -> list[int]:
        """Return the size of each object in bytes; 0 for none."""
        return [size for _, size in self._headers(specs)]

    def _headers(self, specs: Sequence[str]) -> list[tuple[str | None, int]]:
        answers = self._ask("info", specs, Dialogue.line)
        return [
            (None, 0) if answer is None or answer.endswith(_NONE) else _header(answer)
            for answer in answers
        ]

    def read(self, oids: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of each object that exists, by the name that was asked for."""
        wanted = list(dict.fromkeys(oids))
        unknown = [oid for oid in wanted if oid not in self._large]
        answers = self._ask("contents", unknown, _content)
        found = {oid: data for oid, data in zip(unknown, answers, strict=True) if data is not None}
        if len(unknown) < len(wanted):
            both = {**self._large, **found}
            found = {oid: both[oid] for oid in wanted if oid in both}
        for oid, data in found.items():
            self._hold(oid, data)
        return found

    def _hold(self, oid: str, data: bytes) -> None:
        """Keep a large object, which the same command often asks for again."""
        if not _LARGE <= len(data) <= _TOO_LARGE or len(oid) not in _ID_LENGTHS or ":" in oid:
            return
        self._large.pop(oid, None)
        while len(self._large) >= _MOST_LARGE:
            del self._large[next(iter(self._large))]
        self._large[oid] = data

    def _ask(
        self, command: str, names: Sequence[str], answer: Callable[[Dialogue], _T]
    ) -> list[_T | None]:
        """What `git cat-file` answers to `command` for each name, None for one that it cannot
        be asked.

        Raises: GitError.
        """
        found: list[_T | None] = []
        for request in _portions(names, len(command) + 1):
            found += self._answered(command, request, answer)
        return found

    def _answered(
        self, command: str, names: Sequence[str], answer: Callable[[Dialogue], _T]
    ) -> list[_T | None]:
        for last in (False, False, True):
            form = _COMMANDS if self._knows_commands else _FORMS[command]
            # Out of its place until all is answered: after an exception it is forgotten.
            dialogue = self._kept.pop(form, None) or self.git.dialogue("cat-file", form)
            prefix = f"{command} " if self._knows_commands else ""
            lines = b"".join(_line(prefix, name) for name in names)
            try:
                dialogue.ask(lines)
                found = [None if "\n" in name else answer(dialogue) for name in names]
            except (EOFError, ConnectionError):
                if last:  # It died each time. Asked once more, alone, it says why.
                    again = self.git.try_run("cat-file", form, stdin=lines)
                    raise failure(("cat-file", form), again) from None
                if self._knows_commands:
                    usage = self.git.try_run("cat-file", form)
                    self._knows_commands = b"usage:" not in usage.err
                continue
            self._kept[form] = dialogue
            return found
        raise AssertionError("the last try returns or raises")

    def files(
        self,
        commits: Sequence[str],
        exact: Sequence[str],
        folders: Sequence[str],
        matches: Callable[[str], bool],
    ) -> dict[str, tuple[tuple[str, str], ...]]:
        """Return for each commit the (path, blob id) pairs of the wanted files, sorted by path.

        Wanted are the paths in `exact`, and those below `folders` ("" is the top) that
        `matches` accepts. Equal folders of different commits are listed once.
        """
        unique = list(dict.fromkeys(commits))
        places = [*exact, *folders]
        # With a "/" git finds folders alone: a file or link of that name has nothing below.
        asked = [*exact, *(f"{folder}/" if folder else "" for folder in folders)]
        specs = [f"{commit}:{place}" for commit in unique for place in asked]
        oids = self.resolve(specs)
        found = {}
        for number, commit in enumerate(unique):
            mine = oids[number * len(places) : (number + 1) * len(places)]
            pairs: dict[str, str] = {}
            for place, oid in zip(places, mine, strict=True):
                if oid is None:
                    continue
                if place in folders:
                    for path, blob in self._below(oid):
                        full = f"{place}/{path}" if place else path
                        if matches(full):
                            pairs[full] = blob
                else:
                    pairs[place] = oid
            found[commit] = tuple(sorted(pairs.items()))
        return found

    def _below(self, tree: str) -> Iterator[tuple[str, str]]:
        """Path and id of every file below a tree."""
        for path, entry in self.below(tree):
            if not entry.is_submodule:
                yield path, entry.oid

    def below(self, tree: str) -> tuple[tuple[str, TreeEntry], ...]:
        """List path and entry of every file, link and submodule below a tree, sorted by path.

        Raises: GitError if it is not a tree.
        """
        if tree not in self._listed:
            found: list[tuple[str, TreeEntry]] = []
            folders = [("", tree)]
            while folders:
                trees = self.trees(oid for _, oid in folders)
                inner = []
                for prefix, oid in folders:
                    for name, entry in trees[oid].items():
                        if entry.is_tree:
                            inner.append((f"{prefix}{name}/", entry.oid))
                        else:
                            found.append((prefix + name, entry))
                folders = inner
            self._listed[tree] = tuple(sorted(found, key=_path))
        return self._listed[tree]

    def trees(self, oids: Iterable[str]) -> dict[str, Mapping[str, TreeEntry]]:
        """Return what each tree has, by name; each is read once.

        Raises: GitError where one is none.
        """
        wanted = list(dict.fromkeys(oids))
        if unknown := [oid for oid in wanted if oid not in self._trees]:
            contents = self.read(unknown)
            for oid in unknown:
                if oid not in contents:
                    raise _no_tree(oid)
                self._trees[oid] = _parsed(oid, contents[oid])
        return {oid: self._trees[oid] for oid in wanted}

    def blob_id(self, data: bytes) -> str:
        """Compute the id of a blob with this content; nothing is stored."""
        oid = self.id_of("blob", data)
        self._hold(oid, data)
        return oid

    def id_of(self, kind: str, data: bytes) -> str:
        """Compute the id of a `commit`, `tree` or `blob` with this content; nothing is stored."""
        digest = self._digest(len(data), kind)
        digest.update(data)
        return digest.hexdigest()

    def file_id(self, path: str) -> str:
        """Compute the id of a blob with the file's content as it is (no filters).

        Read piece by piece into one place: a graph of 5 MB costs as much to keep as to digest.
        Raises: OSError.
        """
        with open(path, "rb", buffering=0) as file:
            digest = self._digest(os.fstat(file.fileno()).st_size)
            while size := file.readinto(self._piece):
                digest.update(self._piece[:size])
        return digest.hexdigest()

    @cached_property
    def _piece(self) -> memoryview:
        return memoryview(bytearray(_PIECE))

    def _digest(self, size: int, kind: str = "blob") -> "hashlib._Hash":
        return digests.begin(self._format, b"%b %d\0" % (kind.encode(), size), size)

    def write_blob(self, data: bytes, *, begun: Child | None = None) -> str:
        """Store `data` as it is (no filters) and give its id; `begun` runs `STORE`."""
        if begun is not None and (result := begun.finish(data)).status == 0:
            return result.out.decode().rstrip("\n")
        return self.git.line(*STORE, stdin=data)

    def write(self, contents: Sequence[tuple[str, bytes]]) -> None:
        """Store objects, each a kind (`commit`, `tree`, `blob`) and its content.

        One process for all of them: git unpacks a pack, and has checked it by its digest.

        Raises: GitError, NotWritable.
        """
        import zlib

        pack = [b"PACK" + (2).to_bytes(4, "big") + len(contents).to_bytes(4, "big")]
        for kind, data in contents:
            pack += [_pack_header(_KINDS[kind], len(data)), zlib.compress(data, 1)]
        whole = b"".join(pack)
        whole += digests.begin(self._format, whole, len(whole)).digest()
        self.git.run("unpack-objects", "-q", stdin=whole)


_FORMS = {"info": "--batch-check", "contents": "--batch"}


def _path(file: tuple[str, TreeEntry]) -> bytes:
    return file[0].encode("utf-8", "surrogateescape")


def _no_tree(oid: str) -> GitError:
    return GitError(("cat-file", oid), 128, b"fatal: not a tree object")


def _parsed(tree: str, data: bytes) -> dict[str, TreeEntry]:
    """Of each entry: its mode, a space, its name, NUL, and its id in bytes."""
    size = len(tree) // 2
    found = {}
    at = 0
    try:
        while at < len(data):
            end = data.index(0, at)
            mode, _, name = data[at:end].partition(b" ")
            at = end + 1 + size
            entry = TreeEntry(f"{int(mode, 8):06o}", data[end + 1 : at].hex())
            found[name.decode("utf-8", "surrogateescape")] = entry
    except ValueError:
        raise _no_tree(tree) from None
    return found


def _pack_header(kind: int, size: int) -> bytes:
    """Kind and size of an object in a pack: 4 bits of the size, then 7 at a time."""
    first, size = kind << 4 | size & 15, size >> 4
    found = []
    while size:
        found.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    return bytes((*found, first))


def scratch_folder() -> AbstractContextManager[str]:
    """Make a folder for what is not kept: it goes with the block."""
    import tempfile  # with all that it imports 3 ms

    return tempfile.TemporaryDirectory(prefix="ralphgit-", ignore_cleanup_errors=True)


def objects_elsewhere(common_dir: str, folder: str) -> dict[str, str]:
    """Return variables for a git that reads a repository's objects, but writes into `folder`."""
    return {
        "GIT_OBJECT_DIRECTORY": folder,
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": _in_list(os.path.join(common_dir, "objects")),
    }


def _in_list(path: str) -> str:
    """`path` as one entry of a list that git parts at colons."""
    if ":" not in path and not path.startswith('"'):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _portions(names: Sequence[str], beside: int) -> Iterator[list[str]]:
    """`names` in portions of one question's length; `beside` bytes come before each."""
    request: list[str] = []
    length = 0
    for name in names:
        size = len(_line("", name)) + beside
        if request and length + size > LONGEST_QUESTION:
            yield request
            request, length = [], 0
        request.append(name)
        length += size
    if request:
        yield request


def _line(prefix: str, name: str) -> bytes:
    """The question for a name. One with a line end cannot be asked for, and no record has one."""
    return b"" if "\n" in name else f"{prefix}{name}\n".encode("utf-8", "surrogateescape")


def _header(line: bytes) -> tuple[str, int]:
    """Parse id and size from git's line of id, type and size."""
    oid, _, size = line.split(b" ")
    return oid.decode("ascii"), int(size)


def _content(dialogue: Dialogue) -> bytes | None:
    header = dialogue.line()
    if header.endswith(_NONE):
        return None
    data = dialogue.exactly(_header(header)[1])
    dialogue.exactly(1)
    return data
