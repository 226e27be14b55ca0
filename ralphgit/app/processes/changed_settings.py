"""Notice what changes while agents' code runs and steers what is decided: git's settings, hooks.

A loop's own settings are read once, before its first agent. git's it cannot read once: every git
process reads the files anew. So they are compared after each agent and after each verify command,
which runs what the agent wrote, and before anything is committed or pushed; a change that steers
git or a verify command ends the loop, and nothing lands until a person has looked. What cannot
steer (`rules.harmless_settings`) is named and nothing else.
"""

from __future__ import annotations

import functools
import os
import re
import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from ralphgit.app.processes import (
    base_files,
    changed_keys,
    configured_git,
    named_outside,
    named_programs,
    named_refs,
    other_worktrees,
)
from ralphgit.app.workspace import base_branch, heartbeat, locks, loop_mark
from ralphgit.app.workspace.project import Project
from ralphgit.git import run_git, worktrees
from ralphgit.records import atomic_files, settings_file
from ralphgit.rules import harmless_settings

#: Of a linked worktree's git folder: where the repository is, and the worktree.
_LINKS = ("commondir", "gitdir")
#: Of the repository's `info` folder.
_INFO = ("exclude", "attributes", "grafts")
#: Of the repository: where they come, git sees another history or other objects. git itself brings
#: those that are there up to date, and takes the first one away.
_REACH = ("shallow", "objects/info/alternates")
#: Once it is there, git repeats the resolutions in it (rerere), where no setting says otherwise.
#: What comes into it may be of a person's merge, in another worktree.
_RESOLUTIONS = "rr-cache"
#: Of all the repositories of a user: the key that names the file, and git's own place for it.
_USERS = (("core.excludesfile", "ignore"), ("core.attributesfile", "attributes"))


_CONFIGURED = configured_git.PREFIX
#: Only in what `with_branch` takes down.
_ON_BRANCH = "HEAD, which was on "
_LIMIT = "a limit of "
_OWN_LIMIT = f"{_LIMIT}the loop: "
#: Those by which a check may end early, or see less, and yet pass.
_LIMITS = tuple(
    f"RLIMIT_{name}" for name in ("FSIZE", "CPU", "DATA", "AS", "STACK", "NPROC", "NOFILE")
    if hasattr(resource, f"RLIMIT_{name}")
)  # fmt: skip
_UNLIMITED = "unlimited"
#: Only in what `of_loop` takes down.
_LOCK = "the loop's lock "
#: What is of the worktree, and may be as the base has it.
_OF_BASE = (configured_git.RUNS, settings_file.FILE, configured_git.HOOK)
#: How names end of what is called as the base is, and what the remote's own branch is called.
_CALLED = ", which is called as the base is"
_DEFAULT = re.compile(r"[^: ]+/HEAD")
KNOWN = "no worktree of the repository any more: "
_THERE = "there"
#: How names begin of what one worktree alone has.
OF_WORKTREE = (_ON_BRANCH, _LOCK, configured_git.RUNS)


Signs = Mapping[str, str]
"""What may steer a decision, by the name that people know it by, and a digest of it."""


class Change(NamedTuple):
    name: str
    steers: bool
    """Whether nothing may be decided by git until a person has looked."""


def signs(project: Project) -> Signs:
    """Take down all that could steer what a loop decides, and is not read once.

    Of programs those that a loop runs itself, and those that git's configuration, a setting or a
    verify command on the base names, or that agents are started by.
    """
    started = named_programs.taken_down(project, named_programs.started(project))
    named = _named(project, [*named_programs.lines(project)], started)
    own = f"{named_programs.GITS_OWN}{run_git.own_programs(project.repository.git)}"
    gits_own = {own: named_programs.gits_own(own)}
    return {**named, **gits_own, **_settings(project), **_of_base(project), **_limits()}


def of_this_process(name: str) -> bool:
    """Whether a name of `signs` says nothing to another process."""
    return name.startswith(_OWN_LIMIT)


def _limits() -> Signs:
    """Take down the limits of this process, which what it runs inherits, and of those above, which
    the next loop may: any process of the user may lower them. A person may raise them meanwhile.
    """
    numbers = {name: getattr(resource, name) for name in _LIMITS}
    found = {f"{_OWN_LIMIT}{name}": _shown(resource.getrlimit(numbers[name])) for name in numbers}
    boot = heartbeat.boot_id()
    for pid in loop_mark.ancestors(os.getppid()) if sys.platform == "linux" else ():
        process = f"{heartbeat.start_time(pid)} {boot}"  # its number is used again
        with suppress(OSError):  # it is another user's, or has ended
            for name, number in numbers.items():
                sign = f"{_shown(resource.prlimit(pid, number))} {process}"
                found[f"{_LIMIT}process {pid}, which has started the loop: {name}"] = sign
    return found


def _shown(limit: tuple[int, int]) -> str:
    """A soft and a hard limit as prlimit(1) has them."""
    return ":".join(_UNLIMITED if one == resource.RLIM_INFINITY else str(one) for one in limit)


def _lowered(before: str, now: str) -> str:
    """Say what a limit was and is where it was lowered; "" where not, or of another process."""
    (was, _, of), (limit, _, process) = before.partition(" "), now.partition(" ")
    is_kept = all(old <= new for old, new in zip(_numbers(was), _numbers(limit), strict=False))
    return "" if of != process or is_kept else f" (soft:hard was {was} and is {limit})"


def _numbers(limit: str) -> list[float]:
    return [int(one) if one.isdigit() else float("inf") for one in limit.split(":")]


def _named(project: Project, lines: Sequence[str], before: Signs) -> Signs:
    """Take down beside `before` the programs, and the names of commits, that shell lines have."""
    programs = named_programs.outside(project, lines)
    new = [name for name in programs if f"{named_programs.PREFIX}{name}" not in before]
    own = os.fsdecode(_symbolic(project, "HEAD"))
    names = named_refs.taken_down(project, named_refs.words(lines), own, before)
    return {
        **(named_programs.taken_down(project, new) if new or not before else {}),
        **names,
        **before,
    }


def of_loop(project: Project) -> Signs:
    """Take down beside `signs` which file the lock of this worktree's loop is on."""
    path = locks.path_of(project.repository.git_dir)
    return {**signs(project), f"{_LOCK}{project.show_path(path)}": _inode(path)}


def with_branch(project: Project, before: Signs) -> Signs:
    """Take down beside `before` which branch the worktree is on: an agent may look at another one
    as long as it comes back.
    """
    name = os.fsdecode(_symbolic(project, "HEAD")).removeprefix("refs/heads/")
    return {**before, f"{_ON_BRANCH}{name}": _behind(project, name)} if name else before


def with_task(project: Project, before: Signs, task: str) -> Signs:
    """Take down beside `before` what a task's verify commands name and no line did that was known:
    it may have come to the base since.
    """
    base_branch.seen.add(project.base.commit)
    view = project.base_view if project.base_view.known(task) else project.require_here()
    return _named(project, view.task(task).verify, before)


def _behind(project: Project, branch: str) -> str:
    """Digest which branch HEAD names, and which one that `branch` itself is another name of.

    On no branch nothing is committed: that is refused where it matters. A branch that is neither
    the base nor another worktree's is the agent's own, and as good as `branch`.
    """
    own = f"refs/heads/{branch}"
    at = os.fsdecode(_symbolic(project, "HEAD")) or own
    is_own = at.startswith("refs/heads/") and at not in _others(project)
    if is_own and not _symbolic(project, at):
        at = own
    return other_worktrees.digest(os.fsencode(at) + b"\n" + _symbolic(project, own))


def _others(project: Project) -> set[str]:
    """The base's branch, and those that other worktrees are on, by git's files."""
    heads = (
        other_worktrees.text(os.path.join(folder, "HEAD")) or b""
        for folder in other_worktrees.git_folders(project)
    )
    base = f"refs/heads/{project.base.branch}"
    return {base, *(os.fsdecode(head.removeprefix(b"ref:").strip()) for head in heads)}


def _symbolic(project: Project, name: str) -> bytes:
    """Return which ref a ref is another name of; b"" for none."""
    repository = project.repository
    if os.path.isdir(os.path.join(repository.common_dir, "reftable")):
        return repository.git.try_run("symbolic-ref", "--quiet", name).out.strip()
    # git packs no symbolic ref
    folder = repository.git_dir if name == "HEAD" else repository.common_dir
    found = atomic_files.read(os.path.join(folder, name)) or b""
    return found.removeprefix(b"ref:").strip() if found.startswith(b"ref:") else b""


def _settings(project: Project) -> Signs:
    """All files of git's and its configuration, by which git is asked for no object."""
    found = dict(configured_git.taken_down(project))
    common, top = project.repository.common_dir, project.top
    sparse = os.path.join(project.repository.git_dir, *other_worktrees.PATTERNS)
    infos = (os.path.join(common, "info", name) for name in _INFO)
    for path in (*infos, sparse, *_of_user(project)):
        found[project.show_path(path)] = other_worktrees.of_file(path)
    comes = (*_REACH, _RESOLUTIONS) if configured_git.is_rerere_unset(found) else _REACH
    for path in (os.path.join(common, name) for name in comes):
        if os.path.lexists(path):
            found[project.show_path(path)] = _THERE
    if project.repository.linked or os.path.isfile(os.path.join(top, ".git")):
        places = {".git": os.path.join(top, ".git")}
        for name in _LINKS if project.repository.linked else ():
            path = os.path.join(project.repository.git_dir, name)
            places[project.show_path(path)] = path
        for name, path in places.items():
            found[name] = other_worktrees.of_file(path)
    own = atomic_files.read(os.path.join(top, settings_file.FILE))
    found[settings_file.FILE] = other_worktrees.digest(own)
    found.update(other_worktrees.taken_down(project))
    found.update({f"{KNOWN}{os.path.realpath(at)}": KNOWN for _, at in worktrees.listed(common)})
    found.update(_run_by_git(project))
    template = project.around.environ.get("GIT_TEMPLATE_DIR")
    template = template or project.repository.config.get("init.templatedir")
    hooks = configured_git.hooks(project)
    for called, folder in ((configured_git.HOOK, hooks), ("template ", template)):
        if folder:
            place = os.path.join(top, configured_git.expanded(project, folder))
            found.update(configured_git.program_files(project, place, called))
    return found


def changes(
    project: Project, before: Signs, *, but: Callable[[str], bool] = lambda name: False
) -> list[Change]:
    """Compare with what was taken down `before`, `but` names that may differ."""
    # The base may name others by now, and then nobody has changed them.
    programs = [
        name.removeprefix(named_programs.PREFIX)
        for name in before
        if name.startswith(named_programs.PREFIX)
    ]
    now = named_programs.looked_up(project, programs)
    now.update(
        {
            name: named_programs.gits_own(name)
            for name in before
            if name.startswith(named_programs.GITS_OWN)
        }
    )
    gits = [
        named_programs.PREFIX + named_programs.GIT,
        *(name for name in before if name.startswith(named_programs.GITS_OWN)),
    ]
    if any(now.get(name, "") != before.get(name, "") for name in gits):
        # It is not run: what it would say is the agent's word, and it may be gone then.
        names = [
            *gits,
            *(named_programs.PREFIX + name for name in (*named_programs.RUN, *programs)),
        ]
        changed = (name for name in names if now.get(name, "") != before.get(name, ""))
        return [Change(name, True) for name in dict.fromkeys(changed)]
    now.update(_settings(project))
    lowered = {
        name: how for name, sign in _limits().items()
        if name in before and (how := _lowered(str(before[name]), sign))
    }  # fmt: skip
    now.update({name: sign for name, sign in before.items() if name.startswith(_LIMIT)})
    now.update(lowered)
    if lock := next((name for name in before if name.startswith(_LOCK)), ""):
        now[lock] = _inode(locks.path_of(project.repository.git_dir))
    more = {name: f"{name}{how}" for name, how in lowered.items()}
    # git is asked for an object only where its settings are as before: it may have to fetch it.
    asked = {name: sign for name, sign in before.items() if _is_asked(name)}
    names = [one for one in _differing(project, before, now | asked) if not but(one)]
    if any(not _is_judged_later(one) and _steers(project, one, before, now) for one in names):
        return [
            Change(more.get(one, one), _is_judged_later(one) or _steers(project, one, before, now))
            for one in names
        ]
    now.update(_of_base(project))
    now.update(named_refs.looked_up(project, before))
    for name in before:
        if name.startswith(_ON_BRANCH):
            now[name] = _behind(project, name.removeprefix(_ON_BRANCH))
    names = [one for one in _differing(project, before, now) if not but(one)]
    names = [one for one in names if not configured_git.unsaid(project, one, now)]
    # The loop has brought its branch there.
    same = [
        one
        for one in names
        if one.startswith(_OF_BASE)
        and base_files.is_same(project, one, before.get(one, ""), now.get(one, ""))
    ]
    return [Change(more.get(one, one), _steers(project, one, before, now))
            for one in names if one not in same]  # fmt: skip


def _is_asked(name: str) -> bool:
    """Whether git is asked for objects, or for the base, to say what a name of `signs` is of."""
    called = (named_refs.PREFIX, named_refs.MAYBE, _ON_BRANCH)
    return name.startswith(called) or name.endswith(_CALLED) or bool(_DEFAULT.fullmatch(name))


def _is_judged_later(name: str) -> bool:
    """Whether the base, or its remote, says what a change comes to."""
    key = name.removeprefix(_CONFIGURED)
    is_of_other = configured_git.is_of_branch(name) or harmless_settings.of_remote(key)
    return name.startswith(_OF_BASE) or bool(key != name and is_of_other)


def _differing(project: Project, before: Signs, now: Signs) -> list[str]:
    """List what is not as `before`, but for what comes or goes by itself."""
    # Of a program "" says that nothing is there, or nothing to say of it.
    then = {
        name: sign for name, sign in before.items() if sign or not named_programs.is_program(name)
    }
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    return [
        name for name in names
        if not _comes_or_goes(project, name, before, now)
        and not named_refs.has_come_along(project, name, then.get(name, ""), now.get(name, ""))
    ]  # fmt: skip


def _run_by_git(project: Project) -> Signs:
    """Take down the files of the worktree that git's configuration names: git runs them."""
    found = {}
    for line in configured_git.lines_run(project):
        for word in named_outside.names(project, line):
            path = os.path.join(project.top, word)
            if word and os.path.isfile(path) and not named_outside.leaves(project, word):
                name = f"{configured_git.RUNS}{word}"
                found[name] = other_worktrees.digest(atomic_files.read(path))
    return found


def _inode(path: str) -> str:
    return str(os.stat(path).st_ino) if os.path.exists(path) else ""


def _shadows(project: Project) -> list[str]:
    """Name what git takes in the place of the base, where that is called by its short name."""
    repository = project.repository
    names = repository.shadows(project.base.ref) if project.base.ref else []
    show = functools.partial(os.path.join, repository.common_dir)
    return [name if name.startswith("refs/") else project.show_path(show(name)) for name in names]


def _of_base(project: Project) -> Signs:
    """Take down which branch the remote's own is, and what is called as the base is."""
    shadows = {f"{name}{_CALLED}": _THERE for name in _shadows(project)}
    return {**_default_branch(project), **shadows}


def _default_branch(project: Project) -> Signs:
    """Say which branch is the remote's own: without a setting `base`, it is the base.

    Where git does not know it, and may come to know it by a fetch, as if it were the base.
    """
    remote = project.base.remote
    if not remote:
        return {}
    found = _symbolic(project, f"refs/remotes/{remote}/HEAD")
    return {f"{remote}/HEAD": other_worktrees.digest(found or project.base.ref.encode())}


def _comes_or_goes(project: Project, name: str, before: Signs, now: Signs) -> bool:
    """Whether a worktree went as a whole, or a new one came, with a configuration that git copies;
    one is of this repository again; a rebase is over; or git has all the history now.

    This worktree's own is one of them, and is judged key by key.
    """
    over = (
        other_worktrees.ELSEWHERE,
        other_worktrees.REBASE,
        other_worktrees.MERGE,
        other_worktrees.LINK,
    )
    if before.get(name) == _THERE or (name.startswith(over) and name not in now):
        return True
    if name.startswith(other_worktrees.SPARSE):
        return name not in before or name not in now
    if name.startswith(KNOWN):
        return name in now or not os.path.lexists(name.removeprefix(KNOWN))
    if not name.startswith(other_worktrees.WORKTREE) or (name in before and name in now):
        return False
    known = {
        "",
        *(digest for one, digest in before.items() if one.startswith(other_worktrees.WORKTREE)),
    }
    own = os.path.join(project.repository.git_dir, other_worktrees.CONFIG)
    known.add(configured_git.of_worktree(project, own)[0])
    return now.get(name, "") in known


def _steers(project: Project, name: str, before: Signs, now: Signs) -> bool:
    # The file counts as the base has it; a rebase or a merge, and what is checked out, may be of
    # somebody who works there.
    if name == settings_file.FILE or name.startswith(
        (other_worktrees.REBASE, other_worktrees.MERGE, other_worktrees.SPARSE, named_refs.MAYBE)
    ):
        return False
    key = name.removeprefix(_CONFIGURED)
    return key == name or changed_keys.steers(project, key, before, now)


def _of_user(project: Project) -> Iterator[str]:
    """Find the files in which git reads what it ignores, and attributes, for all of a user."""
    environ, config = project.around.environ, project.repository.config
    home = environ.get("HOME", "")
    folder = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    for key, name in _USERS:
        path = config.get(key) or os.path.join(folder, "git", name)
        yield os.path.join(project.top, configured_git.expanded(project, path))
