"""Find what the verify commands see in submodules and a commit of the worktree does not have."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator, Mapping

from ralphgit.app.workspace.project import Project
from ralphgit.git import trees
from ralphgit.git.objects import SUBMODULE, Objects, scratch_folder
from ralphgit.git.run_git import Git, names

_STEERING = (".gitignore", ".gitattributes")
_LINK, _PROGRAM = "120000", "100755"
#: What `submodule.NAME.ignore` may say on the base, and what is not looked at then.
_UNTRACKED, _ALL = ("untracked", "dirty", "all"), ("dirty", "all")
_SEEN = "commands see that, and no commit has it"


def faults(project: Project, tree: str) -> list[str]:
    """Say as sentences what in submodules is not as `tree` has it, or what nobody else can get.

    Their index, settings and excluded names are their worker's, and are not believed. Looked at is
    no file that they ignore by what they have committed, and nothing that the base's `.gitmodules`
    has ignored.
    """
    objects, base = project.repository.objects, project.base.commit
    links = {path: one.oid for path, one in trees.files(objects, tree) if one.mode == SUBMODULE}
    if not links:
        return []
    git = project.repository.git.at(project.top)
    ignores = _ignores(git, base)
    on_base = {path: one.oid for path, one in trees.files(objects, base) if path in links}
    worktree = project.repository.worktree
    branch = (worktree.branch if worktree else "") or f"refs/heads/{project.worker}"
    found: list[str] = []
    for path, commit in links.items():
        ignored = ignores.get(path, "")
        found += _Submodule(project, path, commit).faults(ignored)
        if commit != on_base.get(path):
            found += _nowhere_else(git, path, commit, branch)
    return found


def _ignores(git: Git, base: str) -> Mapping[str, str]:
    """Return what the base's `.gitmodules` says of each path."""
    told: dict[str, str] = {}
    asked = ("config", f"--blob={base}:.gitmodules", "-z", "--get-regexp")
    for entry in names(git.try_run(*asked, r"^submodule\..*\.(path|ignore)$").out):
        key, _, value = entry.partition("\n")
        told[key] = value
    return {
        value.strip("/"): told.get(key.removesuffix("path") + "ignore", "")
        for key, value in told.items()
        if key.endswith(".path")
    }


def _nowhere_else(git: Git, path: str, commit: str, branch: str) -> Iterator[str]:
    """Say where no remote of a submodule is known to have the commit that is new."""
    top = os.path.join(git.directory, path)
    if not os.path.lexists(os.path.join(top, ".git")):
        update = shlex.join(("git", "submodule", "update", "--init", path))
        yield f"{path} is a submodule at a commit that is not here: has its remote it? ({update})"
        return
    asked = git.at(top).try_run("rev-list", "--count", commit, "--not", "--remotes", "--")
    if asked.status or asked.out.strip() != b"0":
        push = shlex.join(("git", "-C", path, "push", "origin", f"HEAD:{branch}"))
        yield f"{path} is a submodule at a commit that is on no remote of it ({push})"


class _Submodule:
    """A submodule, looked at with the settings of the repository around it."""

    def __init__(self, project: Project, path: str, commit: str) -> None:
        self._project, self._path, self._commit = project, path, commit
        self._top = os.path.join(project.top, path)
        self._objects: Objects = project.repository.objects
        self._git = project.repository.git.at(self._top)
        self._around = (f"--git-dir={project.repository.git_dir}", f"--work-tree={self._top}")

    def faults(self, ignored: str) -> Iterator[str]:
        """Say what of it, and of those within, is not as its commit has it."""
        path, top = self._path, self._top
        if not os.path.isdir(top) or os.path.islink(top) or not os.listdir(top):
            return
        update = shlex.join(("git", "submodule", "update", "--init", path))
        if not os.path.lexists(os.path.join(top, ".git")):
            yield f"{path} is a submodule without a checkout, and has files: {_SEEN} ({update})"
            return
        if ignored in _ALL:
            return
        listed = self._git.try_run("ls-tree", "-r", "-z", "--full-tree", self._commit)
        if listed.status:
            yield f"{path} does not have the commit that it would be at: {_SEEN} ({update})"
            return
        entries = {name: (mode, oid) for mode, oid, name in map(_entry, names(listed.out))}
        files = {name: one for name, one in entries.items() if one[0] != SUBMODULE}
        within = {name: oid for name, (mode, oid) in entries.items() if mode == SUBMODULE}
        # Where a folder was is another thing, or nothing; an empty one is a submodule not fetched.
        other = [name for name in within if not self._is_folder(name)] + self._changed(files)
        if ignored not in _UNTRACKED:
            other += self._new(listed.out)
        if other:
            more = f" and {len(other) - 1} more" if len(other) > 1 else ""
            status = shlex.join(("git", "-C", path, "status"))
            yield f"{path} is a submodule with {other[0]}{more} changed in it: {_SEEN} ({status})"
        for name, oid in within.items():
            yield from _Submodule(self._project, os.path.join(path, name), oid).faults(ignored)

    def _is_folder(self, name: str) -> bool:
        place = os.path.join(self._top, name)
        return os.path.isdir(place) and not os.path.islink(place)

    def _changed(self, files: Mapping[str, tuple[str, str]]) -> list[str]:
        """List the files that are not as committed, as they are or as git's filters make them."""
        other = [name for name, (mode, oid) in files.items() if not self._is_same(name, mode, oid)]
        asked = [name for name in other if "\n" not in name and self._is_file(name, files[name][0])]
        if not asked:
            return other
        lines = "".join(f"{name}\n" for name in asked).encode("utf-8", "surrogateescape")
        found = self._git.try_run(*self._around, "hash-object", "--stdin-paths", stdin=lines)
        clean = dict(zip(asked, found.out.decode().split("\n"), strict=False))
        return [name for name in other if clean.get(name) != files[name][1]]

    def _is_file(self, name: str, mode: str) -> bool:
        """Whether it is a file that may be run if it should be."""
        try:
            now = os.lstat(os.path.join(self._top, name)).st_mode
        except OSError:
            return False
        is_program = bool(now & stat.S_IXUSR) == (mode == _PROGRAM)
        return stat.S_ISREG(now) and mode != _LINK and is_program

    def _is_same(self, name: str, mode: str, oid: str) -> bool:
        place = os.path.join(self._top, name)
        if mode == _LINK:
            named = os.fsencode(os.readlink(place)) if os.path.islink(place) else b""
            return self._objects.blob_id(named) == oid
        return self._is_file(name, mode) and self._objects.file_id(place) == oid

    def _new(self, listed: bytes) -> list[str]:
        """List what it neither has nor ignores, and what decides that without being committed."""
        with scratch_folder() as scratch:
            there = self._git.using({"GIT_INDEX_FILE": os.path.join(scratch, "index")})
            there.run(*self._around, "update-index", "-z", "--index-info", stdin=listed)
            asked = ("ls-files", "--others", "--exclude-standard", "-z")
            new = names(there.run(*self._around, *asked))
        known = {name for _, _, name in map(_entry, names(listed))}
        folders = {os.path.dirname(name) for name in known}
        new += [
            name
            for folder in folders
            for name in (os.path.join(folder, steering) for steering in _STEERING)
            if name not in known and os.path.lexists(os.path.join(self._top, name))
        ]
        return sorted(set(new))


def _entry(line: str) -> tuple[str, str, str]:
    """Take a line of `ls-tree` apart: mode, id and path."""
    told, _, path = line.partition("\t")
    mode, _, oid = told.split(" ")
    return mode, oid, path
