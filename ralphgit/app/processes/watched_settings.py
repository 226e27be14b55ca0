"""Keep what steers git as it was before agents' code ran, until it was compared.

The note is written before an agent or a verify command starts, and goes when they have ended and
all is as it was: however a loop ends, whoever comes next compares. It is the repository's, since
hooks, git's settings and programs are those of all of its worktrees: no other loop begins
meanwhile, and nothing lands.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ralphgit.app.workspace.project import Project
from ralphgit.errors import NeedsPerson, RalphError
from ralphgit.git import run_git, worktrees
from ralphgit.model.printable import listed
from ralphgit.records import atomic_files

if TYPE_CHECKING:
    from ralphgit.app.processes.changed_settings import Change, Signs

#: The code of the refusal.
CHANGED = "settings_changed"
#: Below the common git folder, where an agent has nothing to do.
_FOLDER = os.path.join("ralphgit", "watched")
#: So many changes are named to people; `--json` and the log of the loop have all.
MOST = 10
#: No worktree of git's has such a name.
_MAIN = ":main"
#: What says where programs and the user's settings are: another terminal may have others.
_ENVIRON = (
    "PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
)  # fmt: skip


def watch(project: Project, before: Signs) -> None:
    """Note what steers as it is `before` an agent begins. Raises: NotWritable."""
    from ralphgit.app.processes import changed_settings

    environ = project.around.environ
    signs = {k: v for k, v in before.items() if not changed_settings.of_this_process(k)}
    note = {
        "top": project.top,
        "environ": {name: environ[name] for name in _ENVIRON if name in environ},
        "signs": signs,
    }
    data = json.dumps(note).encode()
    atomic_files.write(_own(project), data, durable=False, follow=False)


@contextmanager
def watched(
    project: Project,
    before: Signs,
    tell: Callable[[list[Change]], None] = lambda changed: None,
    *,
    noted: Signs | None = None,
) -> Iterator[None]:
    """Note what steers as it was `before`, while agents' code runs in the block.

    No git is started in it before that was compared (`run_git`); where something steers, `tell` is
    called with all that has changed. The note goes when all is as it was; after a kill or a signal
    it waits for whoever comes next. What is `noted` may have more than that, which may be another
    meanwhile as long as it is as it was in the end.

    Raises: NotWritable, NeedsPerson (settings_changed).
    """
    noted = noted or before
    watch(project, noted)
    try:
        with run_git.compared(lambda: require_same(project, before, tell)):
            yield
    except RalphError:
        _unwatch(project, noted)
        raise
    _unwatch(project, noted)


def _unwatch(project: Project, before: Signs) -> None:
    from ralphgit.app.processes import changed_settings

    if any(one.steers for one in changed_settings.changes(project, before)):
        watch(project, before)
    else:
        atomic_files.unlink(_own(project))


def require_same(
    project: Project,
    before: Signs,
    tell: Callable[[list[Change]], None] = lambda changed: None,
    *,
    every: bool = False,
) -> None:
    """Refuse to go on where what steers has changed; `tell` is called with all that has, then, or
    with `every` also where nothing of it steers.

    Raises: NeedsPerson (settings_changed).
    """
    from ralphgit.app.processes import changed_settings

    with run_git.comparing():
        changed = changed_settings.changes(project, before)
        if names := [one.name for one in changed if one.steers]:
            watch(project, before)
        if names or every:
            tell(changed)
        if names:
            said = (
                "changed while an agent or a verify command worked, by it or by somebody beside it"
            )
            raise _changed(said, [_own(project)], names)


def require_seen(project: Project) -> None:
    """Refuse to begin, or to land, while something that steers is not as a note of any worktree
    has it.

    Raises: NeedsPerson (settings_changed).
    """
    folder = os.path.join(project.repository.common_dir, _FOLDER)
    _require_noted(project, sorted(os.listdir(folder)) if os.path.isdir(folder) else ())


def forget(project: Project, git_dir: str) -> None:
    """Drop the note of a worktree that is about to be removed, once all is as it has it.

    Raises: NeedsPerson (settings_changed), NotWritable.
    """
    name = os.path.basename(git_dir)
    _require_noted(project, (name,))
    atomic_files.unlink(os.path.join(project.repository.common_dir, _FOLDER, name))


def _require_noted(project: Project, names: Iterable[str]) -> None:
    found: dict[str, list[str]] = {}
    for name in names:
        path = os.path.join(project.repository.common_dir, _FOLDER, name)
        data = atomic_files.read(path)
        if data is not None and (changed := _differing(project, name, data)):
            found[path] = changed
        elif data is not None and _is_gone(project, name):
            atomic_files.unlink(path)
    if found:
        where = " and ".join(
            os.path.basename(path).replace(_MAIN, "the main one") for path in found
        )
        said = f"not as it was when a loop of the worktree {where} began"
        raise _changed(said, found, {name: None for changed in found.values() for name in changed})


class _Note(NamedTuple):
    top: str
    environ: dict[str, str]
    signs: dict[str, str]


def _read(data: bytes) -> _Note | None:
    """Read a note; None for what is none, whoever has written it."""
    try:
        said = json.loads(data)
        found = _Note(said["top"], said["environ"], said["signs"])
        words = (found.top, *(one for part in found[1:] for pair in part.items() for one in pair))
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None
    return found if all(isinstance(one, str) and "\0" not in one for one in words) else None


def _differing(project: Project, name: str, data: bytes) -> list[str]:
    """List what steers and is not as a worktree's note has it; the note, where it is none."""
    from ralphgit.app.processes import changed_settings, gone_worktrees, other_worktrees

    note, git_dir = _read(data), _git_dir(project, name)
    if note is None:
        path = os.path.join(project.repository.common_dir, _FOLDER, name)
        return [project.show_path(path)]
    is_own = name == os.path.basename(_own(project))
    is_gone = not is_own and not (os.path.isdir(git_dir) and os.path.lexists(note.top))
    here = project.top if is_own or is_gone else note.top
    own = os.path.join(here, ".git")
    if here == note.top and not worktrees.leads_to(own, git_dir, project.repository.common_dir):
        # Whatever is there, it is not asked.
        return [f"{other_worktrees.ELSEWHERE}{project.show_path(own)}"]
    others = {key: text for key, text in project.around.environ.items() if key not in _ENVIRON}
    try:
        # Of a note nothing is run: the git is ours, and the note says where files are looked for.
        then = Project.open(project.around._replace(directory=here, begun=None))
        then.around = then.around._replace(environ={**others, **note.environ})
        if is_gone:
            return gone_worktrees.differing(then, note.signs, note.top, git_dir)
        changed = changed_settings.changes(then, note.signs)
    except RalphError as error:
        return [f"{project.show_path(here)} ({error})"]
    return [one.name for one in changed if one.steers]


def _changed(said: str, notes: Iterable[str], names: Iterable[str]) -> NeedsPerson:
    import shlex

    names = [*names]
    return NeedsPerson(
        f"{said}: {listed(names, MOST)}; nothing was committed or landed since, and the claim is "
        "kept",
        code=CHANGED,
        hint=f"{_look(names)}, then repeat; if it is meant: {shlex.join(('rm', *notes))}",
        details={"changed": names},
    )


def _look(names: list[str]) -> str:
    """Say what to do about what has changed, by what all of it is."""
    import shlex

    from ralphgit.app.processes import (
        changed_settings,
        configured_git,
        named_programs,
        named_refs,
        other_worktrees,
    )

    program, key, hook = named_programs.PREFIX, configured_git.PREFIX, configured_git.HOOK
    if all(one.startswith((program, named_programs.GITS_OWN)) for one in names):
        if any(os.path.dirname(one.removeprefix(program)) for one in names):
            return (
                "where a verify command itself writes there, have it write within the worktree, or "
                "behind >; else look who has written it and put it back"
            )
        return "look whether it was installed or renewed meanwhile, or put it back"
    if all(one.startswith(key) for one in names):
        shown = ("git", "config", "--show-origin", "--get-all", names[0].removeprefix(key))
        return f"look at it ({shlex.join(shown)}) and put it back"
    if all(one.startswith(hook) for one in names):
        return (
            "where an agent's install brings hooks (npm install), have it run in the worktree "
            "before the loop (worktree.setup); else look at them and put them back"
        )
    if all(one.startswith(other_worktrees.LINK) for one in names):
        return (
            "look where they lead and put files in their places; where a copy by hard links "
            "(cp -al) has made them, remove it"
        )
    if all(one.startswith(named_refs.PREFIX) for one in names):
        return "look who has moved it, or move it back"
    if all(one.startswith(changed_settings.KNOWN) for one in names):
        return "look at what is left there and remove it, or repair it with git"
    return "look at it and put it back"


def _is_gone(project: Project, name: str) -> bool:
    """Whether a worktree is nowhere any more."""
    if name == _MAIN:
        return False
    at = dict(worktrees.listed(project.repository.common_dir)).get(_git_dir(project, name))
    return at is None or not os.path.lexists(at)


def _own(project: Project) -> str:
    repository = project.repository
    name = os.path.basename(repository.git_dir) if repository.linked else _MAIN
    return os.path.join(repository.common_dir, _FOLDER, name)


def _git_dir(project: Project, name: str) -> str:
    common = project.repository.common_dir
    return common if name == _MAIN else os.path.join(common, "worktrees", name)
