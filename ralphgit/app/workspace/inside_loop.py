"""Tell whether a command runs inside a loop, where a worker may not decide what is a person's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress

from ralphgit.app.workspace import loop_mark
from ralphgit.app.workspace.locks import loop_works_in, path_of, process_with_lock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.records import atomic_files
from ralphgit.rules import in_a_loop
from ralphgit.rules.in_a_loop import Barred, Given

#: What a loop tells its agent by the environment.
_OF_A_LOOP = ("RALPH_TASK", "RALPH_CLAIM")
#: In place of the identity of a folder that is not there: no worktree has it.
_GONE = "gone"


def claimed(project: Project) -> bool:
    """Whether a loop, or a command that it runs, started this one."""
    return bool(project.around.environ.get("RALPH_CLAIM"))


def told(environ: Mapping[str, str]) -> bool:
    """Whether the environment is that of a loop's worker."""
    return any(environ.get(name) for name in _OF_A_LOOP)


def works(project: Project) -> bool:
    """Whether this runs inside a loop: by its environment, by the loop of this worktree, or below
    the process of another one of this repository.
    """
    here = project.repository.top is not None and loop_works_in(project)
    return here or told(project.around.environ) or _below_a_loop(project)


def refuse(project: Project, command: str, given: Given | None = None) -> None:
    """Refuse a command that is none for a worker, where a worker may be who gives it.

    Raises: GuardRefused (in_loop, worker_consents).
    """
    barred = in_a_loop.barred(command, given or {})
    if barred is not None:
        refuse_barred(project, barred)
    elif in_a_loop.changes_its_worktree(command, given or {}):
        refuse_elsewhere(project)


def refuse_barred(project: Project, barred: Barred) -> None:
    """Raises: GuardRefused (in_loop, worker_consents)."""
    surely = told(project.around.environ) or _below_a_loop(project)
    if surely or (barred.beside and works(project)):
        raise refusal(barred)


def refuse_elsewhere(project: Project) -> None:
    """Refuse what a worker may do in its own worktree alone, in another one of its repository.

    Raises: GuardRefused (in_loop).
    """
    own = _loops_above(project) or _told_worktree(project)
    named = own - {loop_mark.UNSEEN}
    is_other = bool(named) and loop_mark.identity(project.repository.git_dir) not in named
    if is_other or (loop_mark.UNSEEN in own and not loop_works_in(project)):
        raise refusal(in_a_loop.ELSEWHERE)


def refusal(barred: Barred) -> GuardRefused:
    return GuardRefused(barred.message, code=barred.code, hint=barred.hint)


def _below_a_loop(project: Project) -> bool:
    """Whether a loop of this repository has started this process, through whatever others."""
    return bool(_loops_above(project))


def _loops_above(project: Project) -> set[str]:
    """The git folder of the worktree whose loop has started this process: by its mark, and, as
    elsewhere than on Linux there is none, by the locks. UNSEEN is one that may be any.

    What a loop has started may mark itself, as any loop's: the uppermost mark counts, and UNSEEN
    beside it where that is above.
    """
    common = project.repository.common_dir
    linked, folders = os.path.join(common, "worktrees"), [common]
    with suppress(OSError):  # there are none
        folders += [os.path.join(linked, name) for name in os.listdir(linked)]
    loops = {
        process_with_lock(path_of(folder)): folder
        for folder in folders
        if os.path.exists(path_of(folder))
    }
    found = set[str]()
    for pid in loop_mark.ancestors(os.getppid()):
        marks = {*loop_mark.worktrees_of(pid, common)}
        if pid in loops and pid > 1:
            marks.add(loop_mark.identity(loops[pid]))
        found = marks if marks - {loop_mark.UNSEEN} else found | marks
    return found


def _told_worktree(project: Project) -> set[str]:
    """The git folder of the worktree in which the environment's packet is, if it is one of this
    repository.
    """
    top = os.path.dirname(os.path.dirname(project.around.environ.get("RALPH_PACKET", "")))
    if not top or not told(project.around.environ):
        return set()
    common = os.path.realpath(project.repository.common_dir)
    link = os.path.join(top, ".git")
    if os.path.isfile(link):
        named = (atomic_files.read(link) or b"").removeprefix(b"gitdir: ").strip()
        link = os.path.join(top, os.fsdecode(named))
    folder = os.path.realpath(link)
    is_own = folder == common or folder.startswith(f"{common}{os.sep}")
    return {loop_mark.identity(folder) if os.path.isdir(folder) else _GONE} if is_own else set()
