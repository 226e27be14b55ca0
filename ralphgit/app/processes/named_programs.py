"""Take down the programs that a loop, its git and its verify commands run, and what lines name."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shlex
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress

from ralphgit.app.processes import configured_git, named_outside
from ralphgit.app.workspace.project import Project
from ralphgit.git import run_git

#: To look for so many on the PATH is quicker than to list all that is there.
_FEW_NAMES = 100

PREFIX = "program "
GITS_OWN = "git's own programs in "
GIT = "git"
#: What a loop, or git for it, runs by name.
RUN = (GIT, "gh", "glab", "ssh", "sh")

#: Programs of agents, which renew themselves while they work.
RENEWED = (
    "claude", "codex", "copilot", "gemini", "opencode", "qwen", "amp", "cursor-agent", "aider",
    "goose", "crush", "droid", "auggie", "kiro-cli", "kiro", "q", "cody", "openhands",
)  # fmt: skip
_SHELLS = frozenset((".", "source", "sh", "bash", "dash", "ksh", "zsh"))
_VERB = re.compile(r"\w[\w-]*")
#: What scripts are called.
_SCRIPTS = (".sh", ".bash", ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl")

#: A folder that changed just now may change again within the same tick of its ctime.
_SETTLED_S = 2
#: Of git's own programs, by inode and the time of the last change: in which look, and the digest.
_digests: dict[tuple[int, int, int], tuple[int, str]] = {}


def is_program(name: str) -> bool:
    """Whether a name of `signs` is of a program, or of a file that a command line names."""
    return name.startswith(PREFIX)


def taken_down(project: Project, names: Iterable[str]) -> dict[str, str]:
    """Take down each name, "" for one of which there is nothing to say."""
    nothing = {f"{PREFIX}{name}": "" for name in sorted({*RUN, *names})}
    return {**nothing, **looked_up(project, names)}


def looked_up(project: Project, names: Iterable[str]) -> dict[str, str]:
    """Say which file each program is, by its name in `signs`, and each one with a folder in its
    name; of those in the worktree, which are work, nothing.
    """
    names = tuple(names)
    bare, placed = _parted(names)
    found = {}
    real = functools.cache(os.path.realpath)  # of folders, which many names share
    on_path = os.pathsep.join(_folders_of_path(project))
    work = real(project.top) + os.sep
    # `. NAME` and `sh NAME` take a file that may not be run, too.
    modes = (os.X_OK, os.F_OK) if _SHELLS & {*names} else (os.X_OK,)
    for name in bare if len(bare) < _FEW_NAMES else _on_path(project, bare):
        said = ""
        paths = dict.fromkeys(shutil.which(name, mode, on_path) for mode in modes)
        for path in filter(None, paths):
            at = os.path.realpath(path)
            if not at.startswith(work):
                said += f"{os.path.abspath(path)} {at} {named_outside.content(path)}\n"
            elif not f"{real(os.path.dirname(path))}/".startswith(work):
                said += f"{os.path.abspath(path)} {at}\n"  # a link to work, which was none before
        if said:
            found[f"{PREFIX}{name}"] = _digest(said)
    for name in named_outside.leading_out(project, placed, real):
        if sign := named_outside.sign(project, name, real):
            found[f"{PREFIX}{name}"] = sign
    return found


@functools.lru_cache(maxsize=4)
def _parted(names: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Part names, and those of what a loop always runs, from those with a folder in them."""
    placed = {name for name in names if os.path.dirname(name) or name in (".", "..", "~")}
    return frozenset({*RUN, *names} - placed - {""}), tuple(sorted(placed))


def gits_own(name: str) -> str:
    """Digest the programs of git's own, one of which starts another: their names, what is in them
    and whether they may be run.
    """
    folder, said, look = name.removeprefix(GITS_OWN), [], run_git.look()
    for path in configured_git.below(folder):
        with suppress(OSError):
            text = _read_once(path, os.stat(path), look)
            said.append(f"{os.path.relpath(path, folder)} {os.access(path, os.X_OK)} {text}")
    return _digest("\n".join(said))


def _read_once(path: str, found: os.stat_result, look: int) -> str:
    """Digest a file once for all of its names in a `look`; what nobody like us may write, until its
    inode or last change is another (a new link moves it, too). One that may not be read, or is no
    file, is what these say.
    """
    key = (found.st_dev, found.st_ino, found.st_ctime_ns)
    look = look if named_outside.is_read_anew(path, found) else 0
    of, text = _digests.get(key, (-1, ""))
    if of != look:
        text = f"{key}"
        if stat.S_ISREG(found.st_mode):
            with suppress(PermissionError), open(path, "rb") as file:
                text = hashlib.file_digest(file, "sha256").hexdigest()
        _digests[key] = look, text
    return text


def lines(project: Project) -> Iterator[str]:
    """List the verify commands on the base, and whatever else a loop runs."""
    config = project.config
    yield from (config.integrate_verify, config.notify_command, config.land_via)
    yield from configured_git.lines_run(project)
    view = project.base_view
    for row in view.rows:
        yield from view.task(row.id).verify if '"verify"' in row.json else ()


def _folders_of_path(project: Project) -> list[str]:
    """The folders of the PATH, as a command finds them that begins in the worktree's top."""
    folders = project.around.environ.get("PATH", os.defpath).split(os.pathsep)
    return [os.path.join(project.top, folder) for folder in folders]


def started(project: Project) -> list[str]:
    """Name the programs and scripts outside of the worktree that agents, and `worktree.setup`, are
    started by. What else such a line names (a log, a folder) is there for the agent to write.
    """
    config = project.config
    lines = [config.worktree_setup, config.agent_command]
    lines += [shlex.join((*one.environment, one.command)) for one in config.agents]
    return [name for name in outside(project, lines) if _is_run(project, name)]


def outside(project: Project, lines: Iterable[str]) -> set[str]:
    """Name what lines name, also from beside the main worktree, where merged work is proved."""
    found = {name for line in lines for name in _named(project, line)}
    home = project.repository.home
    if os.path.dirname(home) == os.path.dirname(project.top):
        return found
    return found | {os.path.normpath(f"{home}/{one}") for one in found if one.startswith("../")}


def _named(project: Project, line: str) -> set[str]:
    """What a line names; `git WORD` may be a program called `git-WORD`."""
    found = named_outside.names(project, line)
    if GIT not in found:
        return found
    return found | {f"{GIT}-{one}" for one in found if _VERB.fullmatch(one)}


def _is_run(project: Project, name: str) -> bool:
    if os.path.basename(name) in RENEWED:
        return False
    place = named_outside.place_of(project, name)
    is_file = os.path.isfile(place) and os.access(place, os.X_OK)
    return not os.path.dirname(name) or is_file or name.endswith(_SCRIPTS)


def _on_path(project: Project, names: frozenset[str]) -> set[str]:
    """Which of `names` stand in a folder of the PATH."""
    found: set[str] = set()
    for folder in _folders_of_path(project):
        with suppress(OSError):
            there = os.stat(folder)
            old = there.st_ctime < project.around.now() - _SETTLED_S
            key = (there.st_dev, there.st_ino, there.st_ctime_ns) if old else None
            found |= names & (_names_in(folder, *key) if key else {*os.listdir(folder)})
    return found


@functools.lru_cache(maxsize=64)
def _names_in(folder: str, device: int, inode: int, changed: int) -> frozenset[str]:
    """List a folder once until it is another one, or a name came or went (ctime)."""
    return frozenset(os.listdir(folder))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
