"""Copy the index to build trees with: what is in a worktree, as a commit would have it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ralphgit.git import index, worktrees
from ralphgit.git.child_process import ProcessResult
from ralphgit.git.objects import objects_elsewhere
from ralphgit.git.repository import Repository
from ralphgit.git.run_git import Git, failure, names

_ADD_ALL = ("add", "-A", "--sparse", "--")
_EMBEDDED = b"adding embedded git repository"
#: How git says that a file or folder may not be read; what it refuses; what follows from that.
_UNREADABLE = (
    rb"(?m)^(?:error: open\(.*\)|warning: could not open directory '.*'): Permission denied$"
)
_COMPLAINT = rb"(?m)^(?:error|fatal): .*$"
_NOT_ALL = rb"error: unable to index file .*|fatal: adding files failed"


def repositories(git: Git) -> list[str]:
    """List untracked folders of the worktree that are repositories of their own."""
    new = git.names("ls-files", "--others", "--exclude-standard", "-z", "--", ":/")
    return [name.rstrip("/") for name in new if name.endswith("/")]


def submodules(git: Git) -> set[str]:
    """Return the paths that the worktree's `.gitmodules` names."""
    file = os.path.join(git.directory, ".gitmodules")
    arguments = ("config", "--file", file, "-z", "--get-regexp", r"^submodule\..*\.path$")
    entries = names(git.try_run(*arguments).out)
    return {entry.partition("\n")[2].strip("/") for entry in entries}


def _read(path: str) -> tuple[bytes | None, tuple[int, int]]:
    """Read an index, None for none, and its times."""
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            return file.read(), (found.st_atime_ns, found.st_mtime_ns)
    except FileNotFoundError:
        return None, index.LONG_AGO


class Scratch:
    """A copy of the index to build trees with; the user's index is not touched."""

    def __init__(
        self,
        repository: Repository,
        folder: str,
        *,
        like: Scratch | None = None,
        keep: bool = True,
        believed: bool = True,
    ) -> None:
        """`believed`: files are as the index says where their size and times are. Without it each
        is read: an index may have been written to say what is not so.

        `keep`: what is staged goes into the repository's object store. If not, it is there
        for as long as `folder` is, and through `git` alone.
        """
        git, self._repository = repository.git, repository
        self.git = git if keep else git.using(objects_elsewhere(repository.common_dir, folder))
        self._path = os.path.join(folder, "index")
        self._git = self.git.using({"GIT_INDEX_FILE": self._path})
        self.nested: list[str] = []
        self.unread = ""
        source = like._path if like else os.path.join(repository.git_dir, "index")
        data, written = _read(source)
        if data is None:
            return
        # A file that changed within the second in which the index was written is known to git by
        # the index's own time alone (Documentation/technical/racy-git).
        # Older than every file, that is true of them all.
        self._write(data, written)
        if not believed:
            self._believe_nothing(data)

    def _believe_nothing(self, data: bytes) -> None:
        from ralphgit.git import index_entries  # what copies need that are committed

        id_bytes = self._repository.objects.id_bytes
        if index_entries.is_split(data, id_bytes):
            self._git.run("update-index", "--no-split-index")
            data = _read(self._path)[0] or b""
        self._write(index_entries.read_anew(data, id_bytes), index.LONG_AGO)

    def _write(self, data: bytes, written: tuple[int, int]) -> None:
        with open(self._path, "wb") as file:
            file.write(data)
        os.utime(self._path, ns=written)

    def add_all(self, *, lenient: bool = False) -> list[str]:
        """Stage everything in the worktree that is not ignored, inside a sparse checkout or not.

        Returns the folders of repositories within it that are not submodules: of these nothing
        is staged (git would stage a bare link to a commit, or refuse one without commits).
        `lenient`: files that may not be read are left out; `unread` is git's word for them.

        Raises: GitError, NotWritable.
        """
        result = self._git.try_run(*_ADD_ALL, ":/")
        nested = self.nested = []
        if result.status or _EMBEDDED in result.err:
            nested = self.nested = repositories(self.git)
            self.remove(nested)
            result = self._add_but(nested)
        if result.status and lenient and re.search(_UNREADABLE, result.err):
            result = self._add_but(nested, "--ignore-errors")
            # Nothing else may be passed over: a full disk, say.
            complaints = re.findall(_COMPLAINT, re.sub(_UNREADABLE, b"", result.err))
            if not all(re.fullmatch(_NOT_ALL, line) for line in complaints):
                raise failure(_ADD_ALL, result)
        elif result.status:
            raise failure(_ADD_ALL, result)
        self.unread = b"; ".join(re.findall(_UNREADABLE, result.err)).decode("utf-8", "replace")
        return nested

    def _add_but(self, folders: Sequence[str], *options: str) -> ProcessResult:
        specs = index.nul([":/", *(f":(top,exclude,literal){folder}" for folder in folders)])
        source = ("--pathspec-from-file=-", "--pathspec-file-nul")
        return self._git.try_run(*_ADD_ALL[:-1], *options, *source, stdin=specs)

    def add_files(self, paths: Sequence[str]) -> None:
        """Stage files as they are, also ignored ones and ones of a repository within; a file
        that is gone is taken out.
        """
        index.add(self._git, paths)

    def ignored(self, paths: Sequence[str]) -> set[str]:
        """Find which of `paths` git ignores, also of those in a nested repository."""
        return set(worktrees.ignored(self._git, paths))

    def is_behind(self) -> bool:
        """Whether the worktree has anything that is not in it, or is otherwise there; what is
        ignored does not count.
        """
        arguments = ("ls-files", "--modified", "--others", "--exclude-standard", "-z", "--", ":/")
        return bool(self._git.run(*arguments))

    def hidden(self, paths: Sequence[str]) -> list[str]:
        """Find which of `paths`, at which git was told not to look, are otherwise in the worktree.

        The copy looks at them from now on.
        """
        index.watch(self._git, paths)
        return index.read_again(self._git, paths)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have the worktree's own index be as this one while the block runs: what asks git there
        sees the files that are judged, new ones, too. Then it is as it was.

        Raises: NotWritable.
        """
        path = os.path.join(self._repository.git_dir, "index")
        before = _read(path)
        index.put(self._repository, *_read(self._path))
        try:
            yield
        finally:
            index.put(self._repository, *before)

    def read_tree(self, treeish: str) -> None:
        """Replace the content by a tree."""
        self._git.run("read-tree", treeish)

    def add(self, paths: Sequence[str]) -> None:
        """Stage `paths`, not ones that are ignored."""
        if paths:
            arguments = ("add", "-A", "--pathspec-from-file=-", "--pathspec-file-nul")
            self._git.run("--literal-pathspecs", *arguments, stdin=index.nul(paths))

    def remove(self, paths: Sequence[str]) -> None:
        """Take `paths` out, whatever is in the worktree."""
        if paths:
            arguments = ("--force-remove", "-z", "--stdin")
            self._git.run("update-index", *arguments, stdin=index.nul(paths))

    def check_out(self, paths: Sequence[str], folder: str = "") -> ProcessResult:
        """Write files as git checks them out, below another folder or where none are."""
        prefix = f"--prefix={folder}/" if folder else "--prefix="
        arguments = ("checkout-index", "--force", prefix, "-z", "--stdin")
        return self._git.try_run(*arguments, stdin=index.nul([*paths, ""]))

    def commit(self, message: str) -> None:
        """Commit the content on HEAD, with the user's hooks, identity and signing.

        The user's own index is not touched: stage there what was committed.
        """
        index.commit(self._git, message)

    def tree(self) -> str:
        """Write the content as a tree and give its id."""
        return self._git.line("write-tree")
