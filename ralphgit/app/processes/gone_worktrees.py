"""Compare what steers with the note of a worktree that is gone, from another one.

What was its own went with it. The repository's settings and hooks, the user's files, git and the
programs are what they are from everywhere, but the names of some count from where one stands.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping

from ralphgit.app.processes import (
    changed_settings,
    configured_git,
    named_outside,
    named_programs,
    other_worktrees,
)
from ralphgit.app.workspace.project import Project
from ralphgit.git.listings import is_on
from ralphgit.records import settings_file

_PROGRAM = named_programs.PREFIX
#: What may stand before a path in a name of `changed_settings.Signs`.
_KINDS = (
    other_worktrees.WORKTREE, other_worktrees.SPARSE, other_worktrees.REBASE,
    other_worktrees.MERGE, other_worktrees.ELSEWHERE, other_worktrees.LINK, _PROGRAM, "",
)  # fmt: skip
#: Each worktree has its own, by name, by the beginning of one, and below its git folder.
_NAMES = (".git", settings_file.FILE)
_FILES = ("commondir", "gitdir", other_worktrees.PATTERNS[-1])
_SPARSE = f"{configured_git.PREFIX}core.sparsecheckout"


def differing(project: Project, signs: Mapping[str, str], top: str, git_dir: str) -> list[str]:
    """List what steers, can be compared from the worktree of `project`, and is not as `signs`
    have it, of the worktree that was at `top`.
    """
    before = {}
    for name, sign in signs.items():
        kind, rest = _parted(name)
        place = _place(project, top, rest)
        if name.startswith(changed_settings.OF_WORKTREE) or name in _NAMES:
            continue
        if kind == _PROGRAM and not os.path.dirname(rest):
            if rest in named_programs.RUN or not _has_own_programs(project, top):
                before[name] = sign
        elif not place:
            before[name] = sign
        elif not _is_within(place, top) and not (kind == _PROGRAM and _is_within(top, place)):
            shown = project.show_path(place) if kind != _PROGRAM else place
            before[kind + (rest if rest.startswith("~") else shown)] = sign
    configured = functools.cache(lambda: _configured(project))
    changed = changed_settings.changes(
        project, before,
        but=lambda name: _is_own(project, name, top, git_dir) or name in configured(),
    )  # fmt: skip
    found = [one.name for one in changed if one.steers]
    # What this worktree has for itself is another one's to write, too.
    path = os.path.join(project.repository.git_dir, other_worktrees.CONFIG)
    own = f"{other_worktrees.WORKTREE}{project.show_path(path)}"
    is_same = before.get(own) in (None, configured_git.of_worktree(project, path)[0])
    return found if is_same or own in found else [own, *found]


def _parted(name: str) -> tuple[str, str]:
    return next((kind, name.removeprefix(kind)) for kind in _KINDS if name.startswith(kind))


def _place(project: Project, top: str, rest: str) -> str:
    """Where the path in a name is that counts from `top`; "" where there is none in it."""
    if rest.startswith("~"):
        return named_outside.place_of(project, rest)
    is_path = rest.startswith(("/", "../"))
    return os.path.normpath(os.path.join(top, rest)) if is_path else ""


def _is_within(place: str, folder: str) -> bool:
    return f"{os.path.realpath(place)}/".startswith(f"{os.path.realpath(folder)}/")


def _has_own_programs(project: Project, top: str) -> bool:
    """Whether the PATH leads into a worktree: what was found there cannot be said any more."""
    folders = project.around.environ.get("PATH", "").split(os.pathsep)
    return any(_is_within(os.path.join(top, folder), top) for folder in folders)


def _is_own(project: Project, name: str, top: str, git_dir: str) -> bool:
    """Whether what has changed is of one of the two worktrees, and another in each."""
    kind, rest = _parted(name)
    common, here = project.repository.common_dir, project.top
    if name in _NAMES or name.startswith(changed_settings.OF_WORKTREE):
        return True
    if name.startswith(configured_git.HOOK):
        folder = project.repository.config.get("core.hookspath", "")
        return bool(folder) and not folder.startswith(("/", "~"))
    place = _place(project, here, rest)
    if not place:
        return rest.startswith(".git/") and os.path.basename(rest) in _FILES
    if kind == _PROGRAM:
        return _is_within(place, here) or _is_within(here, place)
    if _is_within(place, top) or _is_within(place, git_dir):
        return True
    is_in = _is_within(place, here) and not _is_within(place, common)
    return not kind and (is_in or os.path.basename(place) in _FILES)


def _configured(project: Project) -> set[str]:
    """The keys that this worktree has for itself, and those that git gives to each so."""
    if not is_on(project.repository.config.get("extensions.worktreeconfig")):
        return set()
    path = os.path.join(project.repository.git_dir, other_worktrees.CONFIG)
    words = ("config", "--file", path, "--no-includes", "--list", "--name-only", "-z")
    listed = project.repository.git.try_run(*words).out.decode("utf-8", "surrogateescape")
    own = (f"{configured_git.PREFIX}{key}" for key in listed.split("\0"))
    return {_SPARSE, f"{_SPARSE}cone", *own}
