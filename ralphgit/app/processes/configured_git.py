"""Take down git's configuration, and judge which of its changes steer what a loop decides."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping

from ralphgit.app.workspace.project import Project
from ralphgit.git.child_process import ProcessResult
from ralphgit.records import atomic_files, git_attributes
from ralphgit.rules import harmless_settings

PREFIX = "git config "
HOOK = "hook "
#: Before a file of the worktree.
RUNS = "what git runs: "
#: Behind the digest of values that a key may not get.
UNUSUAL = " unusual"
LINK = "a link to git's configuration: "
#: The last words of keys whose values are command lines.
_LINES = frozenset((
    "alternaterefscommand", "askpass", "clean", "cmd", "command", "defaultkeycommand", "driver",
    "fsmonitor", "gitproxy", "packobjectshook", "process", "program", "receivepack",
    "recentobjectshook", "smudge", "sshcommand", "textconv", "uploadpack",
))  # fmt: skip
#: Keys of git-lfs, by their beginning, that name a program that moves files, and what it is given.
_TRANSFER = "lfs.customtransfer."
#: The last words of keys that name where a remote is, and of those that write it otherwise.
_ADDRESSES = ("url", "pushurl", "remote", "pushremote", "pushdefault")
_REWRITES = (".insteadof", ".pushinsteadof")
_KEY_OF_REMOTE = re.compile(re.escape(PREFIX) + r"remote\.(.+)\.url", re.DOTALL)
_HELPER = ".helper"
_SIGNING = ("commit.gpgsign", "push.gpgsign", "tag.gpgsign", "tag.forcesignannotated")
#: What git signs with where no other program is named, by `gpg.format`.
_SIGNERS = {"ssh": "ssh-keygen", "x509": "gpgsm"}
#: Variables that name a program for git. `GIT_SSH_COMMAND` is a line; an editor, a pager and what
#: shows a difference our git has none of.
_PROGRAMS = ("GIT_ASKPASS", "SSH_ASKPASS", "GIT_PROXY_COMMAND", "GIT_SSH")
_INCLUDES = ("include.path", "includeif.")
#: Helpers of git's own for credentials: what they are given is where these are kept.
_KEEPERS = ("cache", "store")
#: How git reads a file of configuration, by its content; nothing where it cannot.
_read_by_git: dict[bytes, bytes | None] = {}


def taken_down(project: Project) -> Mapping[str, str]:
    """Every key of git's configuration, with a digest of its values, and the files that others of
    the repository's worktrees and branches include, with what these include in their turn.
    """
    values: dict[str, list[str]] = {}
    included: dict[str, None] = {}
    linked: dict[str, str] = {}
    read = set[str]()
    listed = iter(project.repository.git.names("config", "--list", "--show-origin", "-z"))
    for origin, entry in zip(listed, listed, strict=True):
        key, _, value = entry.partition("\n")
        values.setdefault(key, []).append(value)
        file = os.path.join(project.top, origin.removeprefix("file:"))
        read.add(real := os.path.realpath(file))
        if os.path.islink(file):
            linked[f"{LINK}{project.show_path(file)}"] = real
        if _is_include(key):
            included[_included(project, file, value)] = None
    # One that leads nowhere from here may lead somewhere from another worktree.
    linked |= {
        f"{LINK}{project.show_path(file)}": os.path.realpath(file)
        for file in _of_user(project)
        if os.path.islink(file)
    }
    found = {f"{PREFIX}{key}": _digest(*_once(texts)) + ("" if _are_usual(key, texts) else UNUSUAL)
             for key, texts in values.items()} | linked  # fmt: skip
    paths = [*included]
    for path in paths:  # which grows
        text = atomic_files.read(path) if os.path.isfile(path) else None
        found[project.show_path(path)] = of_file(project, path)
        if os.path.islink(path):
            found[f"{LINK}{project.show_path(path)}"] = os.path.realpath(path)
        if text and b"include" in text.lower() and (real := os.path.realpath(path)) not in read:
            read.add(real)
            paths += _includes_of(project, path)
    return found


def _are_usual(key: str, values: list[str]) -> bool:
    if key in git_attributes.DIFF_CONFIG:  # as `init` sets it
        return {*values} == {git_attributes.DIFF_CONFIG[key]}
    return harmless_settings.are_usual(key, values)


def _of_user(project: Project) -> Iterator[str]:
    """The files in which git looks for the user's own configuration."""
    environ = project.around.environ
    home = environ.get("HOME", "")
    of_tools = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    named = environ.get("GIT_CONFIG_GLOBAL")
    yield from (
        (os.path.join(project.top, named),)
        if named
        else (os.path.join(home, ".gitconfig"), os.path.join(of_tools, "git", "config"))
    )


def of_file(project: Project, path: str) -> str:
    """Digest what a file of configuration says that steers; "" for nothing, or no file."""
    return _weighed(project, path, _counts)


def of_worktree(project: Project, path: str) -> tuple[str, str]:
    """Digest what the configuration of another worktree says that steers, and apart what that one
    has checked out; "" for nothing.
    """
    sparse = harmless_settings.SPARSE
    rest = _weighed(project, path, lambda key, value: key not in sparse and _counts(key, value))
    return rest, _weighed(project, path, lambda key, value: key in sparse)


def _counts(key: str, value: str) -> bool:
    return not (harmless_settings.may_change(key, is_new=False) and _are_usual(key, [value]))


def _weighed(project: Project, path: str, counts: Callable[[str, str], bool]) -> str:
    """Digest the entries of a file whose keys count; all of it, where git cannot read it."""
    text = atomic_files.read(path) if os.path.isfile(path) else None
    if not text:
        return ""
    if text not in _read_by_git:
        told = _listed(project, "-", text)
        _read_by_git[text] = told.out if told.status == 0 else None
    listed = _read_by_git[text]
    if listed is None:
        return hashlib.sha256(text).hexdigest()
    entries = (one for one in listed.decode("utf-8", "surrogateescape").split("\0") if one)
    said = [one for one in entries if counts(*one.partition("\n")[::2])]
    return _digest(*said) if said else ""


def _listed(project: Project, file: str, text: bytes = b"") -> ProcessResult:
    line = ("config", "--file", file, "--no-includes", "--list", "-z")
    return project.repository.git.try_run(*line, stdin=text)


def is_rerere_unset(found: Mapping[str, str]) -> bool:
    """Whether nothing but our own git's options (`run_git`) sets `rerere.enabled`."""
    return found.get(f"{PREFIX}rerere.enabled") == _digest("false")


def _includes_of(project: Project, file: str) -> list[str]:
    """What a file of configuration includes that git does not read here; nothing where it cannot
    be read.
    """
    entries = _listed(project, file).out.decode("utf-8", "surrogateescape").split("\0")
    named = (entry.partition("\n") for entry in entries)
    return [_included(project, file, value) for key, _, value in named if _is_include(key)]


def _is_include(key: str) -> bool:
    return key.startswith(_INCLUDES) and key.endswith(".path")


def is_of_branch(name: str) -> bool:
    """Whether a name of `taken_down` is of a key of one branch."""
    key = name.removeprefix(PREFIX)
    return key != name and harmless_settings.of_branch(key)[0] != ""


def own_branch(project: Project) -> str:
    """The short name of the branch that the worktree is on; "" for none."""
    worktree = project.repository.worktree
    return worktree.branch.removeprefix("refs/heads/") if worktree else ""


def unsaid(project: Project, name: str, now: Mapping[str, str]) -> bool:
    """Whether a change is what git itself notes of branches: nobody has to hear of it.

    Where another branch of work pulls from decides nothing. The remote of the worktree's own is the
    one that git asks where a line names none: it may only become the base's, or the one that work
    goes to. That of the base's own, or of what stands in where nobody says which one that is, may
    decide it, and what a person's pull brings there: it may only become the base. A branch that is
    gone takes its keys with it.
    """
    if not is_of_branch(name):
        return False
    branch, said = harmless_settings.of_branch(name.removeprefix(PREFIX))
    value, base = now.get(name), project.base
    decides = branch in (base.branch, f"{base.remote}/{base.branch}", project.config.base, "main")
    pulls = branch == base.branch and said in ("merge", "rebase")
    if pulls or (said == "remote" and decides):
        usual = {"remote": base.remote, "merge": f"refs/heads/{base.branch}"}.get(said, "")
        return usual != "" and value == _digest(usual)
    if harmless_settings.is_of_upstream(said):
        return value is None or not value.endswith(UNUSUAL)
    if said == "remote" and branch == own_branch(project):
        asked = base.remote or "origin"  # as where git is told nothing
        config = project.repository.config
        to = {asked, project.config.land_remote, config.get("remote.pushdefault", "")} - {""}
        return value in {_digest(one) for one in to} or (value is None and asked == "origin")
    if (
        value is None
        and branch != base.branch
        and f"refs/heads/{branch}" not in project.repository.refs
    ):
        return True
    remotes = (_KEY_OF_REMOTE.fullmatch(one) for one in now)
    known = {_digest(one[1]) for one in remotes if one}
    return said == "remote" and value in (None, _digest("."), *known)


def lines_run(project: Project) -> Iterator[str]:
    """Find the command lines that git runs by its configuration, or by its environment."""
    config = project.repository.config
    if any(config.get(key, "false").lower() not in ("false", "no", "off", "0") for key in _SIGNING):
        yield _SIGNERS.get(config.get("gpg.format", "").lower(), "gpg")
    for key, value in project.repository.config_values:
        if key.endswith(_HELPER):
            first = value.partition(" ")[0]
            yield f"git-credential-{first if first in _KEEPERS else f'{value} {value}'}"
        elif key.rpartition(".")[2] in _LINES or key.startswith(_TRANSFER):
            yield value
    yield from _remote_helpers(project.repository.config_values)
    environ = project.around.environ
    yield from (shlex.quote(environ[name]) for name in _PROGRAMS if environ.get(name))
    yield environ.get("GIT_SSH_COMMAND", "")


def _remote_helpers(values: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Find the programs by which git speaks to remotes, as it writes their addresses in the end."""
    addresses, rewrites = set[str](), list[tuple[str, str]]()
    for key, value in values:
        section, last = key.split(".", 1)[0], key.rpartition(".")[2]
        if section == "url" and key.endswith(_REWRITES):
            rewrites.append((key.removeprefix("url.").rpartition(".")[0], value))
        elif section == "remote" and last == "vcs":
            yield f"git-remote-{value}"
        elif section in ("remote", "branch") and last in _ADDRESSES:
            addresses.add(value)
    addresses |= {base + one.removeprefix(old) for base, old in rewrites for one in addresses
                  if one.startswith(old)}  # fmt: skip
    for address in (*addresses, *(base for base, _ in rewrites)):
        helper, is_named, rest = address.partition("::")
        scheme, is_url, _ = address.partition("://")
        if is_named:
            yield f"git-remote-{helper} {rest}"
        elif is_url:
            yield f"git-remote-{scheme}"


def _included(project: Project, origin: str, path: str) -> str:
    """Where a file is that the configuration in the file `origin` includes."""
    return os.path.join(os.path.dirname(origin), expanded(project, path))


def below(folder: str) -> Iterator[str]:
    """Find all files below a folder, also behind links to folders, and the folders of which nobody
    says what is in them.
    """
    seen, closed = set[str](), list[OSError]()
    for parent, folders, names in os.walk(folder, onerror=closed.append, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield from (os.path.join(parent, name) for name in sorted(names))
    yield from (one.filename for one in closed if os.path.isdir(one.filename))


def hooks(project: Project) -> str:
    """Where git looks for hooks, from the worktree's top."""
    repository = project.repository
    named = repository.config.get("core.hookspath")
    return expanded(project, named or os.path.join(repository.common_dir, "hooks"))


def expanded(project: Project, path: str) -> str:
    """As git reads a path of its configuration."""
    if path.startswith("~/"):
        return os.path.join(project.around.environ.get("HOME", ""), path[2:])
    if path.startswith(("~", "%(prefix)/")):
        line = ("-c", f"ralph.path={path}", "config", "--type=path", "--get", "ralph.path")
        out = project.repository.git.try_run(*line).out
        return out.decode("utf-8", "surrogateescape").removesuffix("\n") or path
    return path


def program_files(project: Project, folder: str, called: str) -> Mapping[str, str]:
    """Take down each file below a folder of programs, by what it is `called`, with whether it may
    be run; also a link that leads nowhere from here, and a folder that may not be read.
    """
    found = {}
    for path in below(folder):
        is_file = os.path.isfile(path)
        if not (is_file or os.path.islink(path) or os.path.isdir(path)):
            continue
        text = (atomic_files.read(path) or b"") if is_file else b""
        text += os.fsencode(os.readlink(path)) if os.path.islink(path) else b""
        mode = b"x" if os.access(path, os.X_OK) else b"-"
        found[f"{called}{os.path.relpath(path, folder)}"] = of_program(mode, text)
    return found


def of_program(mode: bytes, text: bytes) -> str:
    """Digest a program, with whether it may be run: x or -."""
    return hashlib.sha256(mode + text).hexdigest()


def _once(values: Iterable[str]) -> list[str]:
    """Leave out what is said twice in a row, by another file, say."""
    return [value for value, _ in itertools.groupby(values)]


def _digest(*values: str) -> str:
    return hashlib.sha256("\0".join(values).encode("utf-8", "surrogateescape")).hexdigest()
