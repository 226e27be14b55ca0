"""Reading and writing objects through `git cat-file --batch` and `git hash-object`.

The reading processes, one for ids and one for contents, are started when first needed and
kept: a question costs 0.05 ms then, where a process costs 1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from ralphgit.git.child_process import LONGEST_QUESTION, Child, Dialogue
from ralphgit.git.run_git import Git, failure

if TYPE_CHECKING:
    import hashlib

_T = TypeVar("_T")
_PIECE = 256 * 1024
_IDS = "--batch-check=%(objectname)"
_CONTENTS = "--batch=%(objectsize)"
_NONE = (b" missing", b" ambiguous")
#: Stores one blob, which it is given as stdin.
STORE = ("hash-object", "-w", "--stdin", "--no-filters")


def dialogue_for_ids(git: Git) -> Dialogue:
    """The process that `Objects` asks for ids."""
    return git.dialogue("cat-file", _IDS)


class Objects:
    """The object store of a repository."""

    def __init__(self, git: Git, object_format: str, *, ids: Dialogue | None = None) -> None:
        """`object_format`: the repository's digest, sha1 or sha256.

        `ids`: a `dialogue_for_ids` that was begun before.
        """
        self.git = git
        self._format = object_format
        self._kept: dict[str, Dialogue] = {} if ids is None else {_IDS: ids}
        self._listed: dict[str, tuple[tuple[str, str], ...]] = {}

    def through(self, git: Git) -> Objects:
        """The same kind of objects, as another `git` finds them."""
        return Objects(git, self._format)

    def close(self) -> None:
        """End the processes that are kept; the next question starts new ones."""
        while self._kept:
            self._kept.popitem()[1].forget()

    def resolve(self, specs: Sequence[str]) -> list[str | None]:
        """The object id of each spec (`REV`, `REV:PATH`), None where there is none.

        One process, whatever the number; contents are not read.
        """
        answers = self._ask(_IDS, specs, Dialogue.line)
        return [
            None if answer is None or answer.endswith(_NONE) else answer.decode("ascii")
            for answer in answers
        ]

    def read(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The contents of each object that exists, by what it was asked for as."""
        wanted = list(dict.fromkeys(oids))
        answers = self._ask(_CONTENTS, wanted, _content)
        return {oid: data for oid, data in zip(wanted, answers, strict=True) if data is not None}

    def _ask(
        self, form: str, names: Sequence[str], answer: Callable[[Dialogue], _T]
    ) -> list[_T | None]:
        """What `git cat-file FORM` answers for each name, None for one that it cannot be asked.

        Raises: GitError.
        """
        found: list[_T | None] = []
        # Out of its place until all is answered: after an exception it is forgotten.
        dialogue = self._kept.pop(form, None) if names else None
        for request, lines in _portions(names):
            for last in (False, True):
                dialogue = dialogue or self.git.dialogue("cat-file", form)
                try:
                    dialogue.ask(lines)
                    found += [None if "\n" in name else answer(dialogue) for name in request]
                    break
                except (EOFError, BrokenPipeError):
                    dialogue = None
                    if last:  # It died twice. Asked once more, alone, it says why.
                        again = self.git.try_run("cat-file", form, stdin=lines)
                        raise failure(("cat-file", form), again) from None
        if dialogue is not None:
            self._kept[form] = dialogue
        return found

    def files(
        self,
        commits: Sequence[str],
        exact: Sequence[str],
        folders: Sequence[str],
        matches: Callable[[str], bool],
    ) -> dict[str, tuple[tuple[str, str], ...]]:
        """For each commit, the (path, blob id) pairs of the wanted files, sorted by path.

        Wanted are the paths in `exact`, and those below `folders` ("" is the top) that
        `matches` accepts. Equal folders of different commits are listed once.
        """
        unique = list(dict.fromkeys(commits))
        places = [*exact, *folders]
        specs = [f"{commit}:{place}" for commit in unique for place in places]
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

    def _below(self, tree: str) -> tuple[tuple[str, str], ...]:
        """Path and id of every file below a tree."""
        if tree not in self._listed:
            result = self.git.try_run("ls-tree", "-r", "-z", "--full-tree", tree)
            pairs = []
            for entry in result.out.decode("utf-8", "surrogateescape").split("\0"):
                meta, _, path = entry.partition("\t")
                if path and meta.split()[1] == "blob":
                    pairs.append((path, meta.split()[2]))
            self._listed[tree] = tuple(pairs)
        return self._listed[tree]

    def blob_id(self, data: bytes) -> str:
        """The id of a blob with this content; nothing is stored."""
        digest = self._digest(len(data))
        digest.update(data)
        return digest.hexdigest()

    def file_id(self, path: str) -> str:
        """The id of a blob with the file's content as it is (no filters).

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

    def _digest(self, size: int) -> hashlib._Hash:
        import hashlib

        return hashlib.new(self._format, b"blob %d\0" % size)

    def write_blob(self, data: bytes, *, begun: Child | None = None) -> str:
        """Store `data` as it is (no filters) and give its id; `begun` runs `STORE`."""
        if begun is not None and (result := begun.finish(data)).status == 0:
            return result.out.decode().rstrip("\n")
        return self.git.line(*STORE, stdin=data)


def objects_elsewhere(common_dir: str, folder: str) -> dict[str, str]:
    """Variables for a git that reads a repository's objects, and writes its own into `folder`."""
    return {
        "GIT_OBJECT_DIRECTORY": folder,
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": _in_list(os.path.join(common_dir, "objects")),
    }


def _in_list(path: str) -> str:
    """`path` as one entry of a list that git parts at colons."""
    if ":" not in path and not path.startswith('"'):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _portions(names: Sequence[str]) -> Iterator[tuple[list[str], bytes]]:
    """`names` in portions of one question's length, each with the question.

    A name with a line end cannot be asked for, and no record has one.
    """
    request: list[str] = []
    lines = b""
    for name in names:
        line = b"" if "\n" in name else name.encode("utf-8", "surrogateescape") + b"\n"
        if request and len(lines) + len(line) > LONGEST_QUESTION:
            yield request, lines
            request, lines = [], b""
        request.append(name)
        lines += line
    if request:
        yield request, lines


def _content(dialogue: Dialogue) -> bytes | None:
    header = dialogue.line()
    if header.endswith(_NONE):
        return None
    data = dialogue.exactly(int(header))
    dialogue.exactly(1)
    return data
