"""Read trees, compare them, and make a tree with other files in it.

All is read through the process that `Objects` keeps; equal folders are not looked into.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.git.objects import SUBMODULE, Objects, TreeEntry
from ralphgit.git.run_git import GitError


class PathChange(NamedTuple):
    """One path between two trees; mode and id are "" on a side that does not have it."""

    path: str
    old_mode: str
    old: str
    new_mode: str
    new: str

    @property
    def kind(self) -> str:
        """As git names it: A, new; D, gone; T, of another type; M, changed."""
        if not self.old:
            return "A"
        if not self.new:
            return "D"
        return "M" if self.old_mode[:3] == self.new_mode[:3] else "T"


def tree_id(objects: Objects, treeish: str) -> str:
    """Return the tree of a commit, or of what else names one. Raises: GitError."""
    found = objects.resolve([f"{treeish}^{{tree}}"])[0]
    if found is None:
        said = f"fatal: {treeish} is not a tree here".encode("utf-8", "surrogateescape")
        raise GitError(("cat-file", treeish), 128, said)
    return found


def entries(objects: Objects, treeish: str) -> Mapping[str, TreeEntry]:
    """Return what a tree has, by name. Raises: GitError."""
    oid = tree_id(objects, treeish)
    return objects.trees([oid])[oid]


def files(objects: Objects, treeish: str) -> tuple[tuple[str, TreeEntry], ...]:
    """List path and entry of every file, link and submodule, sorted by path. Raises: GitError."""
    return objects.below(tree_id(objects, treeish))


def paths(objects: Objects, treeish: str) -> list[str]:
    """List every path in a tree. Raises: GitError."""
    return [path for path, _ in files(objects, treeish)]


def differing(objects: Objects, old: str, new: str, *, kinds: str = "ADMT") -> list[str]:
    """List the paths that differ between two trees or commits; a rename is two paths.

    `kinds` are those of `PathChange.kind` that count: "A" gives only what is new.
    """
    return [one.path for one in changes(objects, old, new) if one.kind in kinds]


_NOTHING = TreeEntry("", "")


def changes(objects: Objects, old: str, new: str) -> list[PathChange]:
    """List what differs between two trees or commits, by path; a rename is two paths.

    Raises: GitError.
    """
    found = []
    folders = [("", tree_id(objects, old), tree_id(objects, new))]
    while folders:
        folders = [one for one in folders if one[1] != one[2]]
        trees = objects.trees(oid for _, *sides in folders for oid in sides if oid)
        inner = []
        for prefix, *sides in folders:
            before, after = (trees[oid] if oid else {} for oid in sides)
            for name in before.keys() | after.keys():
                was, now = before.get(name, _NOTHING), after.get(name, _NOTHING)
                if was == now:
                    continue
                if was.is_tree or now.is_tree:
                    was_in, now_in = (one.oid if one.is_tree else "" for one in (was, now))
                    inner.append((f"{prefix}{name}/", was_in, now_in))
                    was, now = (_NOTHING if one.is_tree else one for one in (was, now))
                if was != now:
                    found.append(PathChange(prefix + name, *was, *now))
        folders = inner
    return sorted(found, key=lambda one: _name(one.path))


def new_links(objects: Objects, old: str, new: str) -> list[str]:
    """List where `new` has a submodule, or another bare link to a commit, and `old` has none."""
    return [
        one.path
        for one in changes(objects, old, new)
        if one.new_mode == SUBMODULE and one.old_mode != SUBMODULE
    ]


def with_files(objects: Objects, treeish: str, contents: Mapping[str, bytes | None]) -> str:
    """Make the tree that has `contents` by path, as they are, and else what `treeish` has.

    None is for a file that goes.

    Blobs and trees are stored by one process. Raises: GitError, NotWritable.
    """
    found, made = planned(objects, treeish, contents)
    objects.write(made)
    return found


def planned(
    objects: Objects, treeish: str, contents: Mapping[str, bytes | None]
) -> tuple[str, list[tuple[str, bytes]]]:
    """Compute the tree that has `contents` by path, as they are, and else what `treeish` has.

    Nothing is stored: returns its id, and the kind and content of each object that it needs.
    """
    top = tree_id(objects, treeish)
    made: list[tuple[str, bytes]] = [
        ("blob", data) for data in contents.values() if data is not None
    ]
    entries = {
        path: _NOTHING if data is None else TreeEntry("100644", objects.id_of("blob", data))
        for path, data in contents.items()
    }
    found = _put(objects, top, entries, made)
    return found, list(dict.fromkeys(made))


def _put(
    objects: Objects, tree: str, entries: Mapping[str, TreeEntry], made: list[tuple[str, bytes]]
) -> str:
    """A tree with `entries` by path; the trees that it needs are appended to `made`.

    "" where nothing is left in it.
    """
    known = dict(objects.trees([tree])[tree]) if tree else {}
    inside: dict[str, dict[str, TreeEntry]] = {}
    for path, entry in entries.items():
        name, slash, rest = path.partition("/")
        if slash:
            inside.setdefault(name, {})[rest] = entry
        else:
            known[name] = entry
    for name, below in inside.items():
        old = known.get(name, _NOTHING)
        oid = _put(objects, old.oid if old.is_tree else "", below, made)
        known[name] = TreeEntry("040000", oid) if oid else _NOTHING
    known = {name: entry for name, entry in known.items() if entry.oid}
    if not known and entries:
        return ""
    # A folder is sorted as if its name ended in a slash.
    lines = sorted((_name(name) + b"/" * entry.is_tree, name) for name, entry in known.items())
    data = b"".join(
        b"%o %b\0%b" % (int(known[name].mode, 8), _name(name), bytes.fromhex(known[name].oid))
        for _, name in lines
    )
    made.append(("tree", data))
    return objects.id_of("tree", data)


def _name(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
