"""List refs and worktrees: from git's answer, or, in a `plain_layout`, from the files themselves.

Git writes each of these files whole, under another name first, so that who reads sees the old or
the new. Loose refs are read before packed ones: git packs a ref before it removes the loose one.
"""

import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from ralphgit.git.plain_layout import content, is_id


def is_on(value: str | None) -> bool:
    """Whether a setting of git's, as `git config --list` has it, is true, in any of git's words."""
    return (value or "").lower() in ("true", "yes", "on", "1")


class Ref(NamedTuple):
    name: str
    oid: str
    symref: str
    """The full name it points at, for a symbolic ref; else ""."""


class Worktree(NamedTuple):
    """One working tree of the repository, as `git worktree list` has it."""

    path: str
    head: str
    """Object id; "" without a commit."""
    branch: str
    """Full ref name; "" when HEAD is detached."""
    main: bool = False
    bare: bool = False
    locked: bool = False
    prunable: bool = False
    reason: str = ""
    """Why it is locked, if there is a reason."""

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    @property
    def exists(self) -> bool:
        """Whether it is there and still one: a linked one is not without its `.git`."""
        own = self.main or os.path.lexists(os.path.join(self.path, ".git"))
        return own and os.path.isdir(self.path)


#: Leases and rescue refs, branches, remote-tracking branches. In this order: a lease goes once the
#: base has the work, so that of a task without one a base that is read later tells what became.
FOLDERS = ("refs/ralph", "refs/heads", "refs/remotes")
#: What asks git for these, and for worktrees.
LIST_REFS = ("for-each-ref", "--format=%(objectname) %(refname) %(symref)", *FOLDERS)
LIST_WORKTREES = ("worktree", "list", "--porcelain", "-z")


# -- what git answers ------------------------------------------------------------------------


def refs_of(answer: bytes) -> dict[str, Ref]:
    """Return what `LIST_REFS` was answered with, by full name."""
    lines = answer.decode("utf-8", "surrogateescape").split("\n")[:-1]
    refs = (line.split(" ", 2) for line in lines)
    return {name: Ref(name, oid, symref) for oid, name, symref in refs}


def worktrees_of(answer: bytes, end: str = "\0") -> tuple[Worktree, ...]:
    """Return what `LIST_WORKTREES` was answered with; `end` parts its lines."""
    found: list[Worktree] = []
    for entry in answer.decode("utf-8", "surrogateescape").split(end * 2):
        parts = (line.partition(" ") for line in entry.split(end))
        fields = {key: value for key, _, value in parts}
        if "worktree" not in fields:
            continue  # the end; of an old git also what follows an empty line in a path
        head, branch, reason = (fields.get(key, "") for key in ("HEAD", "branch", "locked"))
        bare, locked, prunable = (key in fields for key in ("bare", "locked", "prunable"))
        head = head if head.strip("0") else ""
        place, first = fields["worktree"], not found
        found.append(Worktree(place, head, branch, first, bare, locked, prunable, reason))
    return tuple(found)


# -- what is in the files --------------------------------------------------------------------


class _NotPlain(Exception):
    """There is what git itself has to judge."""


#: What no name of a ref has (git-check-ref-format(1)).
_BAD = re.compile(rb"[\0-\x20\x7f~^:?*\[\\]|\.\.|@\{|/\.|\.(?:/|$)|\.lock(?:/|$)")
#: The file of packed refs, and the lines in it that say what those below `FOLDERS` are.
_PACKED = rb"(?:#[^\n]*\n)?(?:[0-9a-f]{40} refs/[^\n]+\n(?:\^[0-9a-f]{40}\n)?)*"
_LISTED = rb"(?m)^([0-9a-f]{40}) (refs/(?:heads|remotes|ralph)/[^\n]+)$"
_SYMBOLIC = b"ref: "
_NOWHERE = b"0" * 40
_DEEPEST = 5  # as git itself follows symbolic refs


def refs_in(common_dir: str) -> dict[str, Ref] | None:
    """Read the refs below `FOLDERS`, in git's order; None to have git list them."""
    try:
        loose = dict[bytes, bytes]()
        top = os.fsencode(common_dir) + b"/"
        for folder in FOLDERS:
            _walk(top, folder.encode(), loose)
        found = {name: oid for oid, name in re.findall(_LISTED, _packed(common_dir))}
        found.update(loose)
        refs = []
        for name, said in found.items():
            if _BAD.search(name):
                return None
            target, oid = _follow(name, said, found.get)
            if oid:
                refs.append((name, oid, b"" if target == name else target))
    except (_NotPlain, OSError):
        return None
    refs.sort()
    made = (Ref(os.fsdecode(name), oid.decode(), os.fsdecode(to)) for name, oid, to in refs)
    return {ref.name: ref for ref in made}


def is_there(common_dir: str, name: str) -> bool:
    """Whether there is a ref of this name now, also outside of `FOLDERS`."""
    if os.path.isfile(os.path.join(common_dir, name)):
        return True
    try:
        return b" " + os.fsencode(name) + b"\n" in content(os.path.join(common_dir, "packed-refs"))
    except FileNotFoundError:
        return False


def worktrees_in(
    common_dir: str, top: str, environ: Mapping[str, str]
) -> tuple[Worktree, ...] | None:
    """Read the worktrees as they are now, the main one first; None to have git list them."""
    main, git = os.path.split(common_dir)
    inherited = environ.get("PWD", "")
    if git != ".git" or (inherited and inherited != top and os.path.realpath(inherited) == top):
        return None  # git would name a main worktree as PWD does
    packed = cache(lambda: _packed(common_dir))

    def of_ref(name: bytes) -> bytes | None:
        try:
            return _loose(os.path.join(os.fsencode(common_dir), name))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            at = packed().find(b" " + name + b"\n")
            return packed()[at - 40 : at] if at >= 0 else None

    try:
        first = Worktree(main, *_head(common_dir, of_ref), main=True)
        try:
            names = os.listdir(os.path.join(common_dir, "worktrees"))
        except FileNotFoundError:
            names = []
        linked = [_linked(os.path.join(common_dir, "worktrees", name), of_ref) for name in names]
    except (_NotPlain, OSError):
        return None
    return (first, *sorted(linked, key=lambda one: os.fsencode(one.path)))


def _linked(folder: str, of_ref: Callable[[bytes], bytes | None]) -> Worktree:
    """The worktree whose git folder this is."""
    link = content(os.path.join(folder, "gitdir"))
    if not link.startswith(b"/") or not link.endswith(b"/.git\n") or link.count(b"\n") != 1:
        raise _NotPlain  # a relative one, say, or one of a name that git strips
    path, head = os.fsdecode(link[: -len(b"/.git\n")]), _head(folder, of_ref)
    try:
        reason = content(os.path.join(folder, "locked")).strip()
    except FileNotFoundError:
        return Worktree(path, *head, prunable=not os.path.lexists(os.path.join(path, ".git")))
    return Worktree(path, *head, locked=True, reason=reason.decode("utf-8", "surrogateescape"))


def _head(git_dir: str, of_ref: Callable[[bytes], bytes | None]) -> tuple[str, str]:
    """Commit and branch of a worktree's HEAD, as `Worktree` has them."""
    said = _loose(os.path.join(os.fsencode(git_dir), b"HEAD"))
    target, oid = _follow(b"", said, of_ref)
    if target and not target.startswith(b"refs/heads/"):
        raise _NotPlain
    return oid.decode(), os.fsdecode(target)


def _walk(top: bytes, folder: bytes, found: dict[bytes, bytes]) -> None:
    """Add what each loose ref below `top` + `folder` says."""
    try:
        entries = list(os.scandir(top + folder))
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise _NotPlain from None  # a ref of this name
    for entry in entries:
        name = folder + b"/" + entry.name
        if entry.name.startswith(b".") or entry.name.endswith(b".lock"):
            continue  # git passes over them as well
        if entry.is_symlink():
            raise _NotPlain
        if entry.is_dir():
            _walk(top, name, found)
        else:
            try:
                found[name] = _loose(top + name)
            except FileNotFoundError:
                continue  # packed or deleted just now


def _loose(path: bytes) -> bytes:
    """What a ref's file says: an id, or the name of another ref."""
    said = content(path).removesuffix(b"\n")
    if is_id(said) and said != _NOWHERE:
        return said
    if said.startswith(_SYMBOLIC + b"refs/"):
        return said.removeprefix(_SYMBOLIC)
    raise _NotPlain


def _packed(common_dir: str) -> bytes:
    try:
        data = content(os.path.join(common_dir, "packed-refs"))
    except FileNotFoundError:
        return b""
    if not re.fullmatch(_PACKED, data):
        raise _NotPlain
    return data


def _follow(
    name: bytes, said: bytes, of_ref: Callable[[bytes], bytes | None]
) -> tuple[bytes, bytes]:
    """The ref at the end of symbolic refs that begin at `name`, and its id; b"" if it is not."""
    for _ in range(_DEEPEST):
        if not said.startswith(b"refs/"):
            return name, said
        name = said
        if not name.startswith(tuple(folder.encode() for folder in FOLDERS)) or _BAD.search(name):
            raise _NotPlain
        if (then := of_ref(name)) is None:
            return name, b""
        said = then
    raise _NotPlain
