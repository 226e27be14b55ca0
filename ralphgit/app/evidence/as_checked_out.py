"""Make the files of a worktree what a checkout of the task's commit would have."""

from __future__ import annotations

import filecmp
import hashlib
import os
import re
import shlex
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from ralphgit.app.workspace.project import Project
from ralphgit.git import index, scratch_index, trees
from ralphgit.git.objects import TreeEntry, scratch_folder
from ralphgit.git.run_git import names

#: Attributes by which a commit's content is another than the file's, beyond line ends.
_FILTER = "filter"
_CONVERTING = (_FILTER, "ident", "working-tree-encoding")
#: By these several files have one content for git, and so none of them is a change.
_BY_GIT = re.compile(rb"\s(?:ident|working-tree-encoding)\b")
_ATTRIBUTES = ".gitattributes"
_PLAIN = ("unspecified", "unset")
#: How a pointer of git-lfs begins, and what is said of one that is checked out as it is, where what
#: lies in the worktree is not its content: the pointer itself may lie in place of that in
#: `.git/lfs`. Where git-lfs is told to check out pointers alone, the content stays.
_LONGEST_POINTER = 1024
_POINTER = b"version https://git-lfs.github.com/spec/"
_STILL = "is a pointer of git-lfs where it is checked out, not its content (git lfs fsck)"
_MODES = {"100644": 0, "100755": stat.S_IXUSR}
_RUN = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


def restore(
    project: Project, files: scratch_index.Scratch, tree: str, changed: Sequence[str]
) -> list[str]:
    """Write files anew that git would check out of `tree` otherwise than they are here, and say as
    sentences which it cannot check out.

    Of the paths `changed` those that a filter converts: a pointer in place of what it stands for,
    say; of all paths those that `ident` or an encoding does. Where git does not look at modes
    (`core.fileMode`), or not at all that let one run a file (root may by anybody's right), every
    file also may be run where the tree says so, and nowhere else. `files` has `tree`.
    """
    listing = dict(trees.files(project.repository.objects, tree))
    unseen = project.repository.config.get("core.filemode", "").lower() == "false"
    if unseen or os.geteuid() == 0:
        looks = "at no modes (core.fileMode)" if unseen else "at its owner's right alone"
        _set_modes(project, listing, looks)
    asked = [one for one in _asked(project, listing, changed) if _is_file(project, listing, one)]
    paths = _converted(project, asked, changed)
    if not paths:
        return []
    with scratch_folder() as folder:
        result = files.check_out(paths, folder)
        pointers = [path for path in paths if _is_pointer(folder, path)]
        of_others = [path for path in pointers if not _is_content(project, folder, path)]
        left = [path for path in paths if path not in pointers]
        other = [path for path in left if not _is_same(project, folder, path)]
    if other and not result.status:
        for path in other:
            os.unlink(os.path.join(project.top, path))  # git keeps one that it knows
        result = files.check_out(other)
    if not result.status:
        return [f"{path} {_STILL}" for path in of_others]
    said = result.err.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return [f"{shlex.join(other or paths)} cannot be checked out: {said}"]


def _asked(
    project: Project, listing: Mapping[str, TreeEntry], changed: Sequence[str]
) -> Iterable[str]:
    """The paths that may be converted: all of them where some are as git itself does it."""
    oids = [entry.oid for path, entry in listing.items() if path.split("/")[-1] == _ATTRIBUTES]
    said = b"".join(project.repository.objects.read(oids).values()) if oids else b""
    return listing if _BY_GIT.search(said) else changed if oids else ()


def _converted(project: Project, paths: Sequence[str], changed: Sequence[str]) -> list[str]:
    """List those that are converted; by a filter only of what is changed."""
    if not paths:
        return []
    git = project.repository.git.at(project.top)
    asked = ("check-attr", "-z", "--stdin", *_CONVERTING)
    fields = names(git.run(*asked, stdin=index.nul([*paths, ""])))
    mine = {*changed}
    told = zip(fields[::3], fields[1::3], fields[2::3], strict=True)
    return list(dict.fromkeys(
        path for path, name, value in told
        if value not in _PLAIN and (name != _FILTER or path in mine)
    ))  # fmt: skip


def _is_file(project: Project, listing: Mapping[str, TreeEntry], path: str) -> bool:
    is_file = path in listing and listing[path].mode in _MODES
    return is_file and os.path.isfile(os.path.join(project.top, path))  # or it is sparse


def _is_same(project: Project, folder: str, path: str) -> bool:
    made = os.path.join(folder, path)
    return os.path.isfile(made) and filecmp.cmp(os.path.join(project.top, path), made, False)


def _is_pointer(folder: str, path: str) -> bool:
    place = os.path.join(folder, path)
    if not os.path.isfile(place):
        return False
    with open(place, "rb") as file:
        return file.read(len(_POINTER)) == _POINTER


def _is_content(project: Project, folder: str, path: str) -> bool:
    """Whether the file in the worktree is what a pointer, as `folder` has it, stands for."""
    with open(os.path.join(folder, path), "rb") as pointer:
        oid = re.search(rb"(?m)^oid sha256:([0-9a-f]{64})$", pointer.read(_LONGEST_POINTER))
    with open(os.path.join(project.top, path), "rb") as file:
        return (
            oid is not None and hashlib.file_digest(file, "sha256").hexdigest().encode() == oid[1]
        )


def _set_modes(project: Project, listing: Mapping[str, TreeEntry], looks: str) -> None:
    """Where the file system has no modes of its own, nothing happens."""
    may_run = _RUN if os.geteuid() == 0 else stat.S_IXUSR
    for path, entry in listing.items():
        place = os.path.join(project.top, path)
        with suppress(OSError):  # it is gone, or nobody may change it
            mode = os.lstat(place).st_mode
            if entry.mode not in _MODES or not stat.S_ISREG(mode):
                continue
            if bool(wanted := _MODES[entry.mode]) == bool(mode & may_run):
                continue
            os.chmod(place, stat.S_IMODE(mode) & ~_RUN | (_RUN if wanted else 0))
            now = (
                "executable in the commit, and now here"
                if wanted
                else ("not executable in the commit, and no more here")
            )
            project.warn(
                f"{path} is {now} (git looks {looks}; else: git update-index "
                f"--chmod={'-' if wanted else '+'}x {shlex.quote(path)})"
            )
