"""Take down what steers git in the other worktrees of a repository, and what leads away from it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from ralphgit.app.processes import configured_git
from ralphgit.app.workspace.project import Project
from ralphgit.git import worktrees
from ralphgit.git.listings import is_on
from ralphgit.records import atomic_files

WORKTREE = "worktree's git config "
REBASE = "a rebase that runs programs: "
SPARSE = "another worktree's sparse checkout: "
ELSEWHERE = "leads git to another repository: "
LINK = "a link among git's files: "
MERGE = "a merge, or the like, that has begun: "
CONFIG = "config.worktree"
PATTERNS = ("info", "sparse-checkout")

#: Folders of a git folder in which a loop's git, or we, write by names that are told: logs of refs,
#: and what is ours.
_LOGS = "logs"
_WRITTEN = (_LOGS, "ralphgit")
#: Beside logs, what git does not write as another file that it renames.
_IN_PLACE = frozenset((
    "COMMIT_EDITMSG", "FETCH_HEAD", "MERGE_HEAD", "MERGE_MODE", "MERGE_MSG", "SQUASH_MSG", "gc.log",
))  # fmt: skip
#: What says that something has begun that a commit ends.
_BEGUN = ("MERGE_HEAD", "MERGE_AUTOSTASH", "CHERRY_PICK_HEAD", "REVERT_HEAD")
#: What a rebase runs, and the strategies of git's own, by which it merges.
_RUNS = re.compile(rb"(?m)^[ \t]*(?:exec|x)\s")
_STRATEGIES = (b"", b"ort", b"recursive", b"resolve", b"octopus", b"ours", b"subtree")


def taken_down(project: Project) -> Mapping[str, str]:
    """All of it, by the name that people know it by, each with a digest."""
    return {
        **_worktrees_configured(project), **misled(project), **_rebases(project),
        **_merges(project), **_links(project),
    }  # fmt: skip


def _worktrees_configured(project: Project) -> Mapping[str, str]:
    """The configuration of each other worktree, and what it has checked out, "" for none; of this
    worktree the configuration, while git reads none of these (`extensions.worktreeConfig`).
    """
    others, own = git_folders(project), project.repository.git_dir
    found = {}
    for folder in others:
        path, patterns = os.path.join(folder, CONFIG), os.path.join(folder, *PATTERNS)
        rest, sparse = configured_git.of_worktree(project, path)
        found[f"{WORKTREE}{project.show_path(path)}"] = rest
        found[f"{SPARSE}{project.show_path(path)}"] = sparse
        found[f"{SPARSE}{project.show_path(patterns)}"] = digest(text(patterns))
    if not is_on(project.repository.config.get("extensions.worktreeconfig")):
        path = os.path.join(own, CONFIG)
        found[f"{WORKTREE}{project.show_path(path)}"] = configured_git.of_file(project, path)
    return found


def _rebases(project: Project) -> Mapping[str, str]:
    """The steps of each rebase in another worktree that runs commands, or merges by a program of
    its own: by `git rebase --continue` there, which `git status` names.
    """
    found = {}
    for folder in git_folders(project):
        folder = os.path.join(folder, "rebase-merge")
        path = os.path.join(folder, "git-rebase-todo")
        strategy = os.path.join(folder, "strategy")
        steps, merges = text(path) or b"", (text(strategy) or b"").strip()
        if _RUNS.search(steps) or merges not in _STRATEGIES:
            named = path if _RUNS.search(steps) else strategy
            found[f"{REBASE}{project.show_path(named)}"] = digest(steps + b"\0" + merges)
    return found


def _merges(project: Project) -> Mapping[str, str]:
    """What the next commit in another worktree would take along, by the file that says so."""
    paths = (os.path.join(folder, name) for folder in git_folders(project) for name in _BEGUN)
    return {f"{MERGE}{project.show_path(path)}": digest(said)
            for path in paths if (said := text(path)) is not None}  # fmt: skip


def _links(project: Project) -> Mapping[str, str]:
    """Take down the links in each git folder, and below its logs and what ralphgit keeps there: who
    writes by such a name, or takes its lock, writes what the link leads to. Of what git writes in
    place a second name of a file is one.
    """
    found: dict[str, str] = {}
    for folder in (project.repository.git_dir, *git_folders(project)):
        below = (os.path.join(folder, name) for name in _WRITTEN)
        parents = (folder, *(parent for one in below for parent, _, _ in os.walk(one)))
        for parent in parents:
            is_log = _LOGS in os.path.relpath(parent, folder).split(os.sep)
            found |= {f"{LINK}{project.show_path(path)}": sign
                      for path, sign in _links_in(parent, is_log=is_log)}  # fmt: skip
    return found


def _links_in(folder: str, *, is_log: bool) -> Iterator[tuple[str, str]]:
    """Find the links in a folder, and where each leads."""
    with suppress(OSError), os.scandir(folder) as entries:
        for one in entries:
            with suppress(OSError):  # it is gone meanwhile
                if one.is_symlink():
                    yield one.path, os.readlink(one.path)
                elif (
                    (is_log or one.name in _IN_PLACE) and one.is_file() and one.stat().st_nlink > 1
                ):
                    yield one.path, "hard"


def git_folders(project: Project) -> list[str]:
    """The git folders of the other worktrees, the main one's first."""
    own, common = project.repository.git_dir, project.repository.common_dir
    linked = os.path.join(common, "worktrees")
    folders = (common, *(os.path.join(linked, name) for name in _listed(linked)))
    return [one for one in folders if os.path.realpath(one) != os.path.realpath(own)]


def misled(project: Project, *folders: str) -> Mapping[str, str]:
    """Take down the files by which git takes another repository for that of another worktree;
    only those in `folders`, if there are any.
    """
    repository = project.repository
    found = worktrees.misled(repository.common_dir)
    if main := repository.config.get("core.worktree"):  # of a submodule's checkout
        own = os.path.join(repository.common_dir, main, ".git")
        if not worktrees.points_to(own, repository.common_dir, repository.common_dir):
            found[own] = text(own) or b""
    real = [*map(os.path.realpath, folders)]
    return {
        f"{ELSEWHERE}{project.show_path(path)}": digest(data)
        for path, data in found.items()
        if not real or os.path.realpath(os.path.dirname(path)) in real
    }


def _listed(folder: str) -> list[str]:
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def text(path: str) -> bytes | None:
    return atomic_files.read(path) if os.path.isfile(path) else None


def of_file(path: str) -> str:
    """Digest a file that steers git, and where it is if it is a link: what it says then is up to
    whoever writes there, and one that leads nowhere from here may lead somewhere from elsewhere.
    """
    data = text(path)
    if os.path.islink(path):
        data = (data or b"") + b"\0" + os.fsencode(os.path.realpath(path))
    return digest(data)


def digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()
