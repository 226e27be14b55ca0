"""Ask history where files went: which commits took them away, and what a ref had before."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.git.repository import Repository
from ralphgit.git.run_git import Git

#: So many steps a branch is followed back before git is asked for its whole history.
_STEPS = 20
#: So long a line of a ref's log may be.
_LONGEST_LINE = 4096
#: How git begins what the log says of a remote's ref, besides the command line of a fetch or pull.
_FROM_REMOTE = (b"clone:", b"update by push", b"remote:")


class FileChange(NamedTuple):
    """A file that a commit has added or removed."""

    path: str
    is_added: bool
    commit: str
    by: str
    """The author's name."""
    at: str
    """When it was committed, in UTC to the second."""


def changes(
    git: Git, tips: Sequence[str], but: Sequence[str], paths: Sequence[str], kinds: str = "AD",
    *, merges: bool = True,
) -> list[FileChange]:  # fmt: skip
    """List what the commits of `tips` that those of `but` do not have add or remove at `paths`.

    The newest first. All of a merge's parents are followed, so that a merge made the wrong way
    round hides nothing; of a merge, unless without `merges`, counts what it changes on its first
    parent.
    """
    out = git.using({"TZ": "UTC0"}).run(
        "--literal-pathspecs", "log", "--full-history", "--diff-merges=first-parent",
        "--no-renames", f"--diff-filter={kinds}", "--name-status", "-z",
        "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%x00%x00%H%n%cd%n%an",
        *([] if merges else ["--no-merges"]), *tips, *(f"^{one}" for one in but), "--", *paths,
    )  # fmt: skip
    return [*_parsed(out)]


def _parsed(out: bytes) -> Iterator[FileChange]:
    for entry in _entries(out):
        head, *fields = entry.split("\0")
        commit, at, by = head.split("\n", 2)
        for kind, path in zip(fields[::2], fields[1::2], strict=False):
            yield FileChange(path, kind.strip() == "A", commit, by, at)


def _entries(out: bytes) -> Iterator[str]:
    """Split what `git log -z` lists, each commit begun by two NULs."""
    text = out.decode("utf-8", "surrogateescape")
    for entry in text.split("\0\0\0") if text else ():
        yield entry.strip("\0")


def is_on_line(git: Git, tip: str, path: str) -> bool:
    """Whether a commit of the first-parent line of `tip` has added a file."""
    out = git.run(
        "--literal-pathspecs", "log", "--first-parent", "--diff-merges=first-parent",
        "--no-renames", "--diff-filter=A", "--max-count=1", "--format=%H", tip, "--", path,
    )  # fmt: skip
    return bool(out.strip())


class Step(NamedTuple):
    """A commit of a branch's first-parent line."""

    commit: str
    parent: str
    """The first one; "" for none."""
    by: str
    """The author's name."""
    paths: tuple[str, ...]
    """Those of the paths asked for that it changes on its parent."""


def steps(git: Git, tip: str, paths: Sequence[str], *, since: str = "") -> list[Step]:
    """List the first-parent commits of `tip`, down to `since`, that change `paths`, newest first.

    Without `paths` all of them, each with all that it changes.
    """
    out = git.run(
        "--literal-pathspecs", "log", "--first-parent", "--diff-merges=first-parent",
        "--no-renames", "--name-only", "-z", "--format=%x00%x00%H%n%P%n%an", tip,
        *([f"^{since}"] if since else []), "--", *paths,
    )  # fmt: skip
    found = []
    for entry in _entries(out):
        head, *names = entry.split("\0")
        commit, parents, by = head.split("\n", 2)
        touched = tuple(name.removeprefix("\n") for name in names if name)
        found.append(Step(commit, parents.partition(" ")[0], by, touched))
    return found


class RefLog(NamedTuple):
    """What a ref was at before."""

    commits: tuple[str, ...]
    size: int
    """How long the log was; what is read from there on is new."""


def moves(repository: Repository, ref: str, since: int, tip: str) -> RefLog:
    """Read where `ref` has been until it was at `tip`, from byte `since` of its log on.

    Of a remote's ref only what git has fetched from that remote and pushed counts: what an agent
    has put there by itself (`git fetch . +MINE:REF`) was never the remote's. Nothing where no log
    is kept, or where it has nothing of `tip`. What is behind `tip` another process has moved since:
    it says nothing of what was before. A log that has become shorter is read from its beginning.
    """
    path = os.path.join(repository.common_dir, "logs", *ref.split("/"))
    try:
        size = os.stat(path).st_size
        if size == since:
            return RefLog((), size)
        since = since if since < size else 0
        with open(path, "rb") as file:
            file.seek(begin := max(since - _LONGEST_LINE, 0))
            data = file.read()
    except OSError:
        return RefLog((), 0)
    # With the last one that was read before: what it came to may have been left since.
    known = data[: since - begin].splitlines(keepends=True)[-1:]
    lines = [*known, *data[since - begin :].splitlines(keepends=True)]
    moved = [line.split(b" ", 2)[:2] for line in lines]
    last = max((at for at, both in enumerate(moved) if both[1:] == [tip.encode()]), default=-1) + 1
    said = [_is_remotes(line.partition(b"\t")[2], ref) for line in lines[:last]]
    # Of the first line of all also what was before it.
    found = {
        oid.decode(): None
        for at, both in enumerate(moved[:last]) if said[at]
        for oid in (both if at == since == 0 else both[1:]) if oid.strip(b"0\n")
    }  # fmt: skip
    return RefLog((*found,), since + sum(map(len, lines[len(known) : last])))


def _is_remotes(message: bytes, ref: str) -> bool:
    """Whether an entry in the log of `ref` says that the remote had this, if it is a remote's.

    Of a fetch or pull the log has the command line: it counts where that names this remote or none,
    and puts no other branch there. Who writes the log by hand (`update-ref -m`) is believed.
    """
    if not ref.startswith("refs/remotes/") or message.startswith(_FROM_REMOTE):
        return True
    line, _, how = message.decode("utf-8", "replace").rpartition(": ")
    verb, *words = (line or how).split() or [""]
    # What is no option names the remote and what is fetched of it, but for an option's number.
    named = [word for word in words if not word.startswith("-") and not word.isdigit()]
    if verb not in ("fetch", "pull") or not named:
        return verb in ("fetch", "pull")
    from fnmatch import fnmatchcase

    folder = f"refs/remotes/{named[0]}/"
    branch = ref.removeprefix(folder)
    specs = [word.removeprefix("+").split(":", 1) for word in named[1:] if ":" in word]
    put = [(source, to) for source, to in specs if to and fnmatchcase(ref, f"*{to}")]
    same = ((branch, ref), (f"refs/heads/{branch}", ref), ("refs/heads/*", f"{folder}*"))
    return ref.startswith(folder) and all(one in same for one in put)


def only_in(git: Git, tips: Sequence[str], base: str) -> frozenset[str]:
    """Every commit that `tips` have in their history, and `base` has not. Raises: GitError."""
    return frozenset(git.run("rev-list", *tips, f"^{base}", "--").decode("ascii").split())


def left_behind(repository: Repository, tip: str, commits: Sequence[str]) -> list[str]:
    """Return those of `commits` that exist, and are not among the latest commits of `tip`."""
    objects, at = repository.objects, tip
    left = dict.fromkeys(commits)
    for _ in range(_STEPS):
        left.pop(at, None)
        if not left or not at:
            break
        header = objects.read([at]).get(at, b"").partition(b"\n\n")[0].split(b"\n")
        parent = next((line for line in header if line.startswith(b"parent ")), b"parent ")
        at = parent.removeprefix(b"parent ").decode("ascii")
    known = objects.resolve([f"{one}^{{commit}}" for one in left])
    return [one for one, oid in zip(left, known, strict=True) if oid is not None]
