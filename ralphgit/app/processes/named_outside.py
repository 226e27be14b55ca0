"""Find what the words of a command line may name outside of the worktree, and take it down.

What a line comes to only a shell can tell. So each of its words is looked for from the worktree's
top and from every folder that another word may be (behind `cd`, `-C`, `--directory=`): a file
counts whether or not it may be run, for `sh FILE` runs it too, and a folder with what is in it.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pwd
import re
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from unicodedata import normalize

from ralphgit.app.processes import named_files
from ralphgit.app.workspace.project import Project
from ralphgit.errors import Refused
from ralphgit.git import run_git
from ralphgit.records import atomic_files

#: What ends a word of a shell line, and quotes, which may also stand within one.
_WORD = re.compile(r"[^\s;&|()<>`${}=:,]+")
_QUOTES = re.compile(r"""['"\\]""")
_HOME = re.compile(r"\$(?:HOME\b|\{HOME\})")
_HERE = re.compile(r"\$(?:PWD\b|\{PWD\}|\(pwd\)|\(git rev-parse --show-toplevel\))|`pwd`")
#: What a line only writes to, by what shells, and by what options of usual names, call it; and
#: variables that it sets.
_WRITTEN = re.compile(
    r"(?<![<\\])>[>|&]?[ \t]*[^\s;&|()<>`]+"
    r"|(?<!\S)--?(?i:junit-?xml|basetemp|(?:cache|target|out|output|report|coverage|results)-?dir"
    r"|(?:out|output|log)-?file|cache-location|(?:cover|cpu|mem)profile)[ =][^\s;&|()<>`]+"
    r"|(?<!\S)--(?:out|output|report|html|xml|cache)=[^\s;&|()<>`]+"
    r"|\bUserKnownHostsFile[ =][^\s;&|()<>`]+"
    r"|(?:^|[\n;&|({!`]|\b(?:do|then|else)\s)[ \t]*(?:touch|mkdir|rm|tee)[ \t][^\n;&|()<>`}]*"
)
#: Where `-o` is what a program writes to; of others it may be an option alone, before a file that
#: is read (`unzip -o FILE`).
_OUTPUT = re.compile(
    r"((?:^|[\n;&|({!`'\"]|\b(?:do|then|else)\s)[ \t]*(?:\w+=\S*[ \t]+)*"
    r"(?:(?:ccache|sccache|time|npx|(?:uv|poetry|pipx)[ \t]+run)[ \t]+)*(?:[\w./-]*[/-])?"
    r"(?:cc|c\+\+|gcc|g\+\+|clang|clang\+\+|gfortran|ld|rustc|ghc|go[ \t]+(?:build|test)"
    r"|sort|curl|gpg|pandoc|protoc|dot|ruff|eslint|bandit)(?:-[\d.]+)?[ \t]"
    r"(?:[^\n;&|()<>`]{0,1000}?[ \t])??)"
    r"-o ?(?=[./~])[^\s;&|()<>`]+"
)
_SET = re.compile(r"(?:^|(?<=[\s;&|(`]))[A-Za-z_]\w*=\S*")
#: An option of one letter, and its value.
_GLUED = re.compile(r"-\w([./~].*)")
#: A module that is run, as `python3 -um` takes it.
_MODULE = re.compile(r"(?<!\S)-[A-Za-z]*m\s*([\w.]+)")
#: A variable, and what follows the folder that it may be.
_EXPANDED = re.compile(r"\$(?:\{[^}\s]*\}|\w+)/?")
_MAGIC = re.compile(r"[*?\[]")
#: What an interpreter puts behind a name.
_ENDINGS = tuple(end for end in named_files.RUN if "*" not in end)
#: Are not files of anybody's.
_KERNELS = ("/proc/", "/sys/")
#: One folder is entered from another at most so often, and of one line at most so many.
_DEEP, _MOST_FOLDERS = 3, 16
#: Of a folder the files that are nearest to it, so many.
MOST_FILES = 1000
#: What programs keep in a folder as they work.
_KEPT = frozenset((".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"))
#: A file that is larger is what its inode and the time of its last change say, which cannot be
#: set back; a link more, as who installs one from a cache makes, is such a change. Of what is in a
#: folder, and of one that is named itself, as a program is.
_LARGE, _LARGE_PROGRAM = 32 << 20, 1 << 30
#: A file that is larger, or that is neither ours nor ours to write, is read anew only once its
#: inode or the time of its last change is another: a store through a mapping leaves these alone.
_READ_ANEW = 8 << 20


def names(project: Project, command: str) -> set[str]:
    """List every word of a shell line, and each path outside of the worktree that some of them
    make together.

    Most name nothing; of these there is nothing to see.
    """
    line = _read(command)
    words, free = (_from_within(_words(text)) for text in (line, _SET.sub(" ", line)))
    folders = _folders(project, words)
    # A folder in a variable may be a cache.
    held = {os.path.normpath(word) for word in words - free if leaves(project, word)}
    held = {one for one in held if not os.path.isfile(place_of(project, one))}
    programs = {os.path.basename(word) for word in words}
    unnamed = {one for name in programs for one in named_files.UNNAMED.get(name, ())}
    unnamed |= {one for name in modules(line) for one in named_files.of_module(name)}
    found = {word for word in words if os.path.normpath(word) not in held}
    endings = _ENDINGS if any(map(named_files.INTERPRETER.fullmatch, programs)) else ()
    found |= {word.rstrip("/") + end for word in found if leaves(project, word) for end in endings}
    above = {one for name in programs for one in named_files.ABOVE.get(name, ())}
    found |= {os.path.join(*[".."] * up, one) for up in range(1, _DEEP + 1) for one in above}
    for folder in folders:
        is_link = os.path.islink(place_of(project, folder))
        ways = {os.path.join(folder, word) for word in {*words, *unnamed}}
        ways |= {way + end for way in ways for end in endings}
        joined = {os.path.normpath(way) for way in ways}
        found |= {one for one in joined - held if is_link or leaves(project, one)}
        found |= {*_by_links(project, ways if is_link else ())} - held
    return found | {*_by_links(project, words)} - held


def _from_within(words: set[str]) -> set[str]:
    """Add what words with `..` lead to from folders within the worktree: such a folder may come
    with the work.
    """
    found = set(words)
    for word in words:
        place = os.path.normpath(word)
        while f"{place}/".startswith("../../"):
            place = place[3:]
            found.add(place)
    return found


def _by_links(project: Project, ways: Iterable[str]) -> Iterator[str]:
    """Find where `..` behind a link leads, which goes by what the link is of."""
    top = os.path.realpath(project.top)
    for way in ways:
        if ".." in way.split("/"):
            place = os.path.join(top, way)
            if (real := os.path.realpath(place)) != os.path.normpath(place):
                yield real


def words(command: str) -> set[str]:
    """Return the words of a shell line as they stand there, without what it only writes to."""
    return _words(_read(command))


def modules(command: str) -> list[str]:
    """Return the modules that a line runs by name (`python3 -m`)."""
    return _MODULE.findall(command)


def _read(command: str) -> str:
    line = _HERE.sub(".", _HOME.sub("~", command.replace("\\\n", "")))
    return _WRITTEN.sub(" ", _OUTPUT.sub(r"\1", line))


def _words(line: str) -> set[str]:
    texts = [_QUOTES.sub("", line), _QUOTES.sub(" ", line)]
    texts += [_EXPANDED.sub(" ", text) for text in texts if "$" in text]
    found = {word for text in texts for word in _WORD.findall(text)}
    found |= named_files.quoted(line)
    found |= {glued[1] for word in found if (glued := _GLUED.match(word))}
    # Of a pattern the folder in which it is looked for.
    found |= {os.path.dirname(word[: at.start()]) for word in found if (at := _MAGIC.search(word))}
    return {word.lstrip("-+@") for word in found} - {""}


def _folders(project: Project, words: Iterable[str]) -> set[str]:
    """Find what the words may be as folders, one in another."""
    found: set[str] = set()
    for word in sorted(words):
        place = place_of(project, word)
        if leaves(project, word):
            if not word.startswith("//") and not os.path.isfile(place):
                found.add(os.path.normpath(word))
        elif os.path.isdir(place) and os.path.islink(place):
            found.add(os.path.normpath(word))
    edge = set(found)
    for _ in range(_DEEP):
        joined = {os.path.normpath(os.path.join(one, word)) for one in edge for word in words}
        edge = {one for one in joined - found if os.path.isdir(place_of(project, one))}
        found |= edge
        if not edge or len(found) > _MOST_FOLDERS:
            break
    return set(sorted(found, key=len)[:_MOST_FOLDERS])


def place_of(project: Project, name: str) -> str:
    """Where a shell in the worktree looks for a name."""
    return _placed(project.top, project.around.environ.get("HOME", ""), name)


def _placed(top: str, home: str, name: str) -> str:
    if name.startswith("~"):
        user, slash, rest = name[1:].partition("/")
        name = f"{_home_of(user) if user else home}{slash}{rest}"
    return os.path.normpath(os.path.join(top, name))


def _home_of(user: str) -> str:
    try:
        return pwd.getpwnam(user).pw_dir
    except KeyError:
        return f"~{user}"


def leaves(project: Project, name: str) -> bool:
    """Whether a name is of a place outside of the worktree, links aside."""
    if not name.startswith(("/", "~")) and ".." not in name.split("/"):
        return False
    return not f"{place_of(project, name)}/".startswith(f"{project.top}/")


def leading_out(
    project: Project, names: tuple[str, ...], real: Callable[[str], str]
) -> Iterator[str]:
    """Find those of `names`, which have a folder in them, of which `sign` may say something.

    A plan with 10,000 tasks names as many files: each folder is looked at once, and of a file in a
    folder of the worktree, that is no link, there is nothing to say.
    """
    home, top = project.around.environ.get("HOME", ""), project.top
    inside = (f"{top}/", f"{real(top)}/")
    for folder, found in _by_folder(top, home, names).items():
        if not f"{real(folder)}/".startswith(inside):
            yield from (name for _, name in found)
            continue
        try:
            with os.scandir(folder) as entries:
                odd = [one.name for one in entries if one.is_symlink() or not one.is_file()]
        except OSError:
            continue  # nothing is there, or it may not be read
        folded = {_folded(one) for one in odd}
        yield from (name for last, name in found if folded and _folded(last) in folded)


def _folded(name: str) -> str:
    """A name as a file system that ignores case, or how a letter is put together, compares it."""
    return name if name.isascii() and name.islower() else normalize("NFD", name.casefold())


@functools.lru_cache(maxsize=4)
def _by_folder(
    top: str, home: str, names: tuple[str, ...]
) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Sort names by the folder that each is in, each with the last part of its path."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        folder, last = os.path.split(_placed(top, home, name))
        found.setdefault(folder, []).append((last, name))
    return found


def sign(project: Project, name: str, real: Callable[[str], str]) -> str:
    """Digest the file, or what is in the folder, that a name with a folder in it is of; "" for
    none, and for one in the worktree, which is work. `real` finds the folder of a file.

    A link outside counts by where it leads, also where that is work, or nowhere.
    """
    place = place_of(project, name)
    inside = (f"{project.top}/", f"{real(project.top)}/")
    if os.path.islink(place) and not f"{real(os.path.dirname(place))}/".startswith(inside):
        at = os.path.realpath(place)
        if f"{at}/".startswith(inside) or not os.path.exists(place):
            return _digest(place, at)
    try:
        found = os.stat(place)
        if stat.S_ISDIR(found.st_mode):
            is_work = not leaves(project, name) or _is_of_all(project, place)
            return "" if is_work else _digest(*_below(place))
        if not stat.S_ISREG(found.st_mode) or place.startswith(_KERNELS):
            return ""
        folder, last = os.path.split(os.path.realpath(place) if os.path.islink(place) else place)
        if f"{real(folder)}/".startswith(inside):
            return ""
        return _digest(place, os.path.join(real(folder), last), content(place))
    except OSError:
        return ""  # nothing is there, or it may not be read


def content(path: str, large: int = _LARGE_PROGRAM) -> str:
    """Digest a file; a larger one, and one that may be run and not read, is what its inode and last
    change say.
    """
    found = os.stat(path)
    if found.st_size > large:
        return f"{found.st_ino} {found.st_ctime_ns}"
    look = run_git.look() if is_read_anew(path, found) else 0
    return _content(path, found.st_ino, found.st_ctime_ns, look)


def is_read_anew(path: str, found: os.stat_result) -> bool:
    """Whether a file is ours, or ours to write, and not too large to be read in each look."""
    is_ours = found.st_uid == os.geteuid() or os.access(path, os.W_OK)
    return is_ours and found.st_size <= _READ_ANEW


@functools.lru_cache(maxsize=8192)
def _content(path: str, inode: int, changed: int, look: int) -> str:
    """Digest it once in a `look`, 0 for all; a new link moves the time `changed` (ctime)."""
    try:
        return atomic_files.digest(path) or ""
    except Refused:
        return f"{inode} {changed}"


def _is_of_all(project: Project, folder: str) -> bool:
    """Whether a folder is one where others work, too: what is in it says nothing."""
    real, environ = os.path.realpath(folder), project.around.environ
    if os.path.dirname(real) in (real, "/", "/dev") or f"{real}/".startswith(_KERNELS):
        return True
    home = environ.get("HOME", "")
    cache = environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    inner = map(os.path.realpath, filter(None, (
        project.top, project.repository.common_dir, home, environ.get("TMPDIR"), "/var/tmp",
    )))  # fmt: skip
    return f"{real}/".startswith(f"{os.path.realpath(cache)}/") or any(
        f"{one}/".startswith(f"{real}/") for one in inner
    )


def _below(folder: str) -> Iterator[str]:
    """Find the files that are nearest below a folder, also behind links, each with its digest."""
    left, seen, found = deque([""]), set[tuple[int, int]](), 0
    while left and found < MOST_FILES and len(seen) < MOST_FILES:
        at = left.popleft()
        inner = os.stat(os.path.join(folder, at))
        if (inner.st_dev, inner.st_ino) in seen:
            continue
        seen.add((inner.st_dev, inner.st_ino))
        with suppress(PermissionError):
            for name in sorted(os.listdir(os.path.join(folder, at))):
                path = os.path.join(folder, at, name)
                if name in _KEPT:
                    continue
                if os.path.isdir(path):
                    left.append(os.path.join(at, name))
                elif os.path.isfile(path) and found < MOST_FILES:
                    found += 1
                    at_last = os.readlink(path) if os.path.islink(path) else ""
                    yield from (os.path.join(at, name), at_last, content(path, _LARGE))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
