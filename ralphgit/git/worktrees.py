"""Make and remove linked worktrees, and look into each from outside.

A worktree is asked through its git folder and not by its path alone: where its `.git` is gone,
git would find, and answer for, whatever repository is around it.
"""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.git.child_process import Child, TimedOut
from ralphgit.git.run_git import Git, failure, names


class Changes(NamedTuple):
    """What is in a worktree and not in its HEAD."""

    paths: tuple[str, ...]
    """Changed, staged and new files, as git names them; ignored ones are not among them."""
    nested: tuple[str, ...]
    """New folders that are repositories of their own: no commit of ours can hold them."""


def folders(common_dir: str) -> dict[str, str]:
    """Return each linked worktree's git folder, by the worktree's real path; also of lost ones.

    One with which git would take another repository is none.
    """
    return {
        os.path.realpath(top): folder
        for folder, top in listed(common_dir)
        if _is_of(common_dir, folder)
    }


def misled(common_dir: str) -> dict[str, bytes]:
    """Return the files by which git takes another repository for that of a linked worktree, each
    with what is in it.

    git makes a worktree file by file: what is not there yet, or is empty, misleads nobody, but for
    a `.git` that is not there where git finds another repository above.
    """
    found = {}
    for folder, top in listed(common_dir):
        own, link = os.path.join(top, ".git"), os.path.join(folder, _COMMON)
        if not _is_of(common_dir, folder):
            found[link] = _content(link)
        elif not points_to(own, folder, common_dir):
            found[own] = _content(own)
    return found


def leads_to(own: str, folder: str, common_dir: str) -> bool:
    """Whether a worktree's `.git` is there, leads to its git folder, and that to the repository."""
    real, common = map(os.path.realpath, (folder, common_dir))
    if real != common and not _is_of(common_dir, folder):
        return False
    is_file = bool(_content(own))
    return points_to(own, real, common_dir) if is_file else os.path.realpath(own) == real


def points_to(own: str, folder: str, common_dir: str) -> bool:
    """Whether the file `own`, a worktree's `.git`, names the git folder, or nothing yet."""
    top, link = os.path.dirname(own), _content(own)
    if not link and not os.path.isdir(own):
        return os.path.isfile(own) or not os.path.isdir(top) or not _is_in_another(top, common_dir)
    place = _place(top, link.removeprefix(_POINTS))
    return link.startswith(_POINTS) and place == os.path.realpath(folder)


def _is_in_another(top: str, common_dir: str) -> bool:
    """Whether git, which finds no repository in `top`, finds another one above it."""
    above, common = os.path.realpath(top), os.path.realpath(common_dir)
    while (above := os.path.dirname(above)) != os.path.dirname(above):
        own = os.path.join(above, ".git")
        if os.path.lexists(own):
            place = _place(above, _content(own).removeprefix(_POINTS) or b".git")
            is_linked = place.startswith(os.path.join(common, "worktrees", ""))
            return place != common and not (is_linked and _is_of(common, place))
        # A git folder itself, or one that leads to the repository of another.
        head, *others = (os.path.join(above, name) for name in ("HEAD", "objects", _COMMON))
        if os.path.lexists(head) and any(map(os.path.lexists, others)):
            return True
    return False


def _place(at: str, said: bytes) -> str:
    """Return where a file of git's in the folder `at` leads; "" for what is no path. git cuts off
    the ends of lines, and no blanks.
    """
    path = os.fsdecode(said.rstrip(b"\r\n"))
    return "" if "\0" in path else os.path.realpath(os.path.join(at, path))


def git_of(git: Git, common_dir: str, path: str) -> Git | None:
    """Return git in the worktree at `path`, told of its git folder: whatever lies in the place of
    its `.git` has no say. None where the repository has none of this path.
    """
    folder = folders(common_dir).get(os.path.realpath(path))
    if not folder and os.path.realpath(os.path.join(path, ".git")) == os.path.realpath(common_dir):
        folder = common_dir
    return _told(git, path, folder, common_dir) if folder else None


def _told(git: Git, path: str, folder: str, common_dir: str) -> Git:
    told = {"GIT_DIR": folder, "GIT_WORK_TREE": path, "GIT_COMMON_DIR": common_dir}
    return git.at(path).using(told)


#: Of a linked worktree's git folder: where the repository is.
_COMMON = "commondir"
#: How a worktree's `.git` begins that is a file.
_POINTS = b"gitdir: "


def listed(common_dir: str) -> Iterator[tuple[str, str]]:
    """Find each linked worktree's git folder, with the worktree's; also of one that is misled."""
    home = os.path.join(common_dir, "worktrees")
    try:
        names = sorted(os.listdir(home))
    except OSError:
        return
    for name in names:
        folder = os.path.join(home, name)
        try:
            with open(os.path.join(folder, "gitdir"), "rb") as file:
                path = os.fsdecode(file.read().rstrip(b"\n"))
        except OSError:
            continue
        if "\0" in path:
            continue
        # git 2.48 and newer may write it relative to the git folder.
        yield folder, os.path.dirname(os.path.join(folder, path))


def _is_of(common_dir: str, folder: str) -> bool:
    """Whether a worktree's git folder says that it is of the repository, or nothing yet."""
    said = _content(os.path.join(folder, _COMMON))
    if not said.strip():  # git would take it for a repository of its own, if it has objects
        return not os.path.lexists(os.path.join(folder, "objects"))
    return _place(folder, said) == os.path.realpath(common_dir)


def _content(path: str) -> bytes:
    """What is in a file; b"" for none, and for what is no file."""
    try:
        if not os.path.isfile(path):
            return b""
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


#: How long git may look for changes in a worktree.
_PATIENCE_S = 10.0
#: What says which branch a worktree is on: a file, or with reftable the list of tables.
_HEADS = ("HEAD", os.path.join("reftable", "tables.list"))


def changed_since(common_dir: str, time: float) -> bool:
    """Whether a worktree may have come, gone or changed its branch since `time`, in seconds
    since 1970.
    """
    home = os.path.join(common_dir, "worktrees")
    try:
        names = os.listdir(home)
    except FileNotFoundError:
        names = []
    places = [common_dir, *(os.path.join(home, name) for name in names)]
    for path in (home, *(os.path.join(place, name) for place in places for name in _HEADS)):
        try:
            # The clock of files is some milliseconds behind.
            if os.stat(path).st_mtime >= time - 0.05:
                return True
        except OSError:
            continue
    return False


def fresh(git_dir: str) -> bool:
    """Whether HEAD has been at one commit since the worktree was made, as far as its log shows."""
    try:
        with open(os.path.join(git_dir, "logs", "HEAD"), "rb") as file:
            # OLD NEW who when; git itself enters the first commit twice.
            return len({line.split(b" ", 2)[1] for line in file}) == 1
    except (OSError, IndexError):
        return False


def own_commits(git: Git, git_dir: str, head: str) -> dict[str, int]:
    """Count the commits that only the submodules of a worktree have, by the submodule's name.

    Its repositories are below the worktree's git folder, and go with it. What a remote of theirs
    has, or what `head` itself names of them, is elsewhere, too.
    """
    home, found = os.path.join(git_dir, "modules"), dict[str, int]()
    if not os.path.isdir(home):
        return found
    listed = names(git.run("ls-tree", "-r", "-z", head))
    named = [entry.split()[2] for entry in listed if entry.startswith("160000 ")]
    for folder, below, files in os.walk(home):
        if "HEAD" not in files or "objects" not in below:
            continue
        below[:] = [name for name in below if name == "modules"]
        asked = ("rev-list", "--count", "--ignore-missing", "--all", "HEAD", "--not", "--remotes")
        result = git.try_run(f"--git-dir={folder}", *asked, *named)
        if count := int(result.out) if result.status == 0 else 1:
            found[os.path.relpath(folder, home).replace("/modules/", "/")] = count
    return found


def begin_changes(git: Git, path: str, git_dir: str, common_dir: str) -> Child:
    """Have git look for changes in a worktree, while we do other things."""
    return _told(git, path, git_dir, common_dir).start(
        "status", "--porcelain", "-z",
        "--untracked-files=all", "--ignore-submodules=none", "--no-renames",
    )  # fmt: skip


def changes(asked: Child) -> Changes | None:
    """Return the answer to `begin_changes`; None if git cannot say, or not in time: where a
    .gitignore is a pipe, it waits for ever.
    """
    try:
        result = asked.finish(timeout=_PATIENCE_S)
    except TimedOut:
        return None
    if result.status:
        return None
    entries = names(result.out)
    nested = (entry[3:] for entry in entries if entry.startswith("??") and entry.endswith("/"))
    return Changes(tuple(entry[3:] for entry in entries), tuple(nested))


def begin_distance(git: Git, base: str, head: str) -> Child:
    """Have git count how far two commits are apart."""
    return git.start("rev-list", "--left-right", "--count", f"{base}...{head}", "--")


def distance(asked: Child) -> tuple[int, int]:
    """Return how many commits `head` is (ahead of, behind) the base. Raises: GitError."""
    result = asked.finish()
    if result.status:
        raise failure(("rev-list",), result)
    behind, ahead = result.out.split()
    return int(ahead), int(behind)


def add(git: Git, path: str, branch: str, *, reason: str) -> str:
    """Make a worktree at `path` on an existing branch (its short name), or, for a full id, on
    none; locked from the start.

    Returns what a post-checkout hook said that failed; "" for none. As after git's own
    `worktree add`, the worktree is there all the same, and whole: the hook runs last.

    Raises: GitError, NotWritable.
    """
    detach = ("--detach",) if _is_id(branch) else ()
    arguments = ("worktree", "add", "--quiet", *detach, "--lock", "--reason", reason)
    result = git.try_run(*arguments, "--", path, branch)
    # git itself removes what it could not check out.
    if result.status > 0 and os.path.lexists(os.path.join(path, ".git")):
        said = result.err.decode("utf-8", "replace").strip().split("\n")
        return said[-1] or f"exit {result.status}"
    if result.status:
        raise failure(arguments, result)
    return ""


def unlock(git: Git, path: str) -> None:
    """Raises: GitError, NotWritable."""
    git.run("worktree", "unlock", "--", path)


def lock(git: Git, path: str, *, reason: str) -> None:
    """Raises: GitError, NotWritable."""
    git.run("worktree", "lock", "--reason", reason, "--", path)


def remove(git: Git, path: str, *, force: bool = False) -> None:
    """Remove an unlocked worktree; without `force` git itself looks once more for changes.

    With `force` also a locked one. Raises: GitError, NotWritable.
    """
    forced = ("--force", "--force")
    arguments = ("worktree", "remove", *(forced if force else ()), "--", path)
    result = git.try_run(*arguments)
    if result.status and b"containing submodules" in result.err and not force:
        # git calls every worktree dirty that has submodules, and does not look.
        result = git.try_run("worktree", "remove", *forced, "--", path)
    if result.status:
        raise failure(arguments, result)


def forget_branch(git: Git, branch: str) -> None:
    """Remove a branch's section of the configuration, if it has one; `branch` is a short name."""
    git.try_run("config", "--local", "--remove-section", f"branch.{branch}")


def matching(git: Git, patterns: str) -> list[str]:
    """List the untracked files that the ignore patterns in the file `patterns` match.

    Folders that are repositories of their own are not among them.
    """
    found = git.names("ls-files", "--others", "--ignored", f"--exclude-from={patterns}", "-z")
    return [name for name in found if not name.endswith("/")]


def ignored(git: Git, paths: Sequence[str]) -> list[str]:
    """List which of `paths`, relative to the folder of `git`, are ignored and not tracked."""
    if not paths:
        return []
    arguments = ("check-ignore", "-z", "--stdin")
    stdin = "\0".join(paths).encode("utf-8", "surrogateescape")
    result = git.try_run(*arguments, stdin=stdin)
    if result.status > 1:
        raise failure(arguments, result)
    return names(result.out)


def fork(git: Git, one: str, other: str) -> str:
    """Return the commit that two commits have in common, one of several; "" if there is none.

    For who is in whose history. What a side has changed since `merge_preview.merge_base` tells.
    """
    return next(iter(forks(git, one, other)), "")


def common(git: Git, commits: Sequence[str]) -> str:
    """Return a commit that the history of each of `commits` has; "" where there is none."""
    if len(commits) < 2:
        return next(iter(commits), "")
    return git.try_run("merge-base", "--octopus", *commits).out.decode().split("\n")[0]


def forks(git: Git, one: str, other: str) -> list[str]:
    """List the commits that two commits have in common and that no other such commit has."""
    if one == other:
        return [one]
    ask = git.ask_once if _is_id(one) and _is_id(other) else git.try_run
    return ask("merge-base", "--all", one, other).out.decode().split()


def _is_id(text: str) -> bool:
    """Whether it can name but one object, for ever."""
    return len(text) in (40, 64) and not text.strip("0123456789abcdef")


def is_ancestor(git: Git, old: str, new: str) -> bool:
    """Whether the history of `new` has `old`, which is a full id; False, too, where one of them
    is not a commit.
    """
    return fork(git, new, old) == old


def touching(git: Git, old: str, new: str, paths: Sequence[str], *, most: int) -> list[str]:
    """List the first-parent commits from `old` to `new` that touch `paths`, newest first."""
    out = git.run(
        "--literal-pathspecs", "log", "--first-parent", "--format=%H", f"--max-count={most}",
        f"{old}..{new}", "--", *paths,
    )  # fmt: skip
    return out.decode().split()
