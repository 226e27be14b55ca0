"""Describe a repository: folders, configuration, refs, worktrees. All is read once, lazily."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property

from ralphgit.errors import NotARepository, NotWritable
from ralphgit.git import plain_layout
from ralphgit.git.child_process import Child
from ralphgit.git.listings import (
    LIST_REFS,
    LIST_WORKTREES,
    Ref,
    Worktree,
    is_there,
    refs_in,
    refs_of,
    worktrees_in,
    worktrees_of,
)
from ralphgit.git.objects import STORE, Objects, dialogue
from ralphgit.git.run_git import Git, GitError, failure

#: What nearly every command asks; while one process starts, so can the others.
_QUESTIONS = {
    "config": ("config", "--list", "-z"), "refs": LIST_REFS, "worktrees": LIST_WORKTREES,
}  # fmt: skip
#: Those of them that the files of a `plain_layout` answer.
_IN_FILES = ("refs", "worktrees")
#: Where git looks for a name that is no full one, in this order.
PLACES = ("", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/")
UNMERGED = ("ls-files", "-u", "-z", "--full-name", "--", ":/")
#: Changes refs as its stdin says, and reads none until then.
CHANGE = ("update-ref", "--no-deref", "-z", "--stdin")


#: What a claim needs besides; the last two wait for input.
_OF_CLAIM = {"unmerged": UNMERGED, "blob": STORE, "refs change": CHANGE}


class Opening:
    """The questions that nearly every command asks of a repository, under way.

    Importing what a command needs takes longer than git takes to answer them.
    """

    def __init__(self, directory: str, environ: Mapping[str, str], *, claims: bool = False) -> None:
        """`claims`: what a claim needs, too."""
        self._directory = directory
        top, self._within = _nearest(directory, environ)
        if self._within:
            return  # git would read its configuration, and run what that names
        self._git = git = Git(directory, environ)
        self._plain = plain_layout.find(top, git.environ) if top else None
        questions = {**_QUESTIONS, **_OF_CLAIM} if claims else {**_QUESTIONS}
        if self._plain is None:
            self._place = git.start(*_PLACE)
        else:
            questions = {name: questions[name] for name in questions if name not in _IN_FILES}
        self._asked = {name: git.start(*question) for name, question in questions.items()}
        self._objects = dialogue(git)

    def repository(self) -> "Repository":
        """Return the repository that the folder is in. To be called once.

        Raises: NotARepository, also where git does not trust its owner.
        """
        directory = self._directory
        if self._within:
            import shlex

            raise NotARepository(
                f"{self._within} is shaped like a repository of its own, and was committed to the "
                "one around it; git would run what its configuration says, so nothing was asked",
                hint=f"cd {shlex.quote(os.path.dirname(self._within))}",
            )
        if self._plain is not None:
            git = self._git.at(self._plain.top)
            objects = Objects(git, "sha1", asked=self._objects)
            return Repository(git, self._plain, False, objects, self._asked, plain=True)
        result = self._place.finish()
        if result.status < 0:  # it was killed
            result = self._git.try_run(*_PLACE)
        # At "\n" alone: `str.splitlines` would part a path at other characters as well.
        lines = result.out.decode("utf-8", "surrogateescape").split("\n")[:-1]
        if len(lines) < 4:
            if not os.path.isdir(directory):
                raise NotARepository(f"{directory} is not a folder", hint="check -C DIR")
            text = result.err.decode("utf-8", "replace").strip()
            if "not a git repository" in text:
                raise NotARepository(f"{directory} is not in a git repository", hint="git init")
            error = failure(_PLACE, result)
            if isinstance(error, NotWritable):
                raise error
            raise NotARepository(error.message, hint="the message above is git's own")
        bare, object_format, *paths = lines
        if len(paths) != (2 if result.status else 3):
            paths = [path for which in _PATHS if (path := self._path(which))]
        git_dir, common_dir = paths[:2]
        top = paths[2] if len(paths) > 2 else None
        git = self._git if top is None else self._git.at(top)
        objects = Objects(git, object_format, asked=self._objects)
        return Repository(git, (git_dir, common_dir, top), bare == "true", objects, self._asked)

    def _path(self, which: str) -> str:
        """One of `_PATHS`, asked for alone because there are line ends in it; "" for none."""
        out = self._git.try_run(*_ABSOLUTE, which).out
        return out.decode("utf-8", "surrogateescape").removesuffix("\n")


def _nearest(directory: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the folder around `directory` that has a `.git`, by its real path, and the folder that
    git would take for the repository instead, if another one has committed it; "" for none.

    The first is "" as well where git would take another folder. In nearly every place no process
    is started.
    """
    folder, within, mounted = os.path.realpath(directory), "", False
    while not os.path.lexists(os.path.join(folder, ".git")):
        if not within and _is_bare(folder):
            within = folder
        mounted = mounted or os.path.ismount(folder)  # git looks no further
        above = os.path.dirname(folder)
        if above == folder:
            return "", ""
        folder = above
    if not within:
        return "" if mounted else folder, ""
    from ralphgit.git import bare_within  # seldom needed

    return "", within if bare_within.committed(folder, within, environ) else ""


def _is_bare(folder: str) -> bool:
    """Whether git would take it for a git folder."""
    there = {name: os.path.join(folder, name) for name in ("HEAD", "objects", "refs", "commondir")}
    if not os.path.lexists(there["HEAD"]):
        return False
    whole = os.path.isdir(there["objects"]) and os.path.isdir(there["refs"])
    return whole or os.path.lexists(there["commondir"])


_PATHS = ("--git-dir", "--git-common-dir", "--show-toplevel")
_ABSOLUTE = ("rev-parse", "--path-format=absolute")
#: A path may have more than one line, so they come last; the last has none in a bare repository.
_PLACE = (*_ABSOLUTE, "--is-bare-repository", "--show-object-format", *_PATHS)


class Repository:
    """A repository, seen from one folder in it."""

    def __init__(
        self,
        git: Git,
        folders: tuple[str, str, str | None],
        bare: bool,
        objects: Objects,
        asked: Mapping[str, Child],
        *,
        plain: bool = False,
    ) -> None:
        """`asked` are processes under way, by their name in `_QUESTIONS` and `_OF_CLAIM`.

        `plain`: the folders are those of a `plain_layout`.
        """
        self.git = git
        self._asked, self._plain = dict(asked), plain
        self.git_dir, self.common_dir, self.top = folders
        self.bare = bare
        self.objects = objects
        self.head_name = "HEAD"
        """How `objects` names this worktree's HEAD."""
        self._index: tuple[int, int, int] | None = None
        """The index that `objects` has read, by time, number and size of its file."""

    @classmethod
    def open(cls, directory: str, environ: Mapping[str, str]) -> "Repository":
        """Open the repository that `directory` is in. Raises: NotARepository."""
        return Opening(directory, environ).repository()

    def begun(self, name: str) -> Child:
        """Return the process of that name in `_OF_CLAIM`: the one under way, or a new one."""
        return self._asked.pop(name, None) or self.git.start(*_OF_CLAIM[name])

    def _answer(self, name: str) -> bytes:
        """The answer to one of `_QUESTIONS`, by the process that is under way or a new one."""
        question = _QUESTIONS[name]
        child = self._asked.pop(name, None) or self.git.start(*question)
        result = child.finish()
        if result.status < 0:  # it was killed
            result = self.git.try_run(*question)
        if result.status:
            raise failure(question, result)
        return result.out

    @cached_property
    def config(self) -> Mapping[str, str]:
        """git's configuration, the last value of each key; sections and names lower case.

        Raises: NotARepository where git cannot read it, and so does nothing here.
        """
        return dict(self.config_values)

    @cached_property
    def config_values(self) -> tuple[tuple[str, str], ...]:
        """Every key of git's configuration with each of its values. Raises: as `config`."""
        try:
            answer = self._answer("config")
        except GitError as error:
            raise NotARepository(error.message, hint="the message above is git's own") from None
        entries = (one.partition("\n") for one in answer.decode("utf-8", "replace").split("\0"))
        return tuple((key, value if newline else "true") for key, newline, value in entries if key)

    @cached_property
    def refs(self) -> Mapping[str, Ref]:
        """Branches, remote-tracking branches, leases and rescue refs, by full name."""
        found = refs_in(self.common_dir) if self._plain else None
        return refs_of(self._answer("refs")) if found is None else found

    def shadows(self, ref: str) -> list[str]:
        """List the refs there now that git takes for what `ref`, a branch, is called in short.

        Not kept. One in the git folder itself has no `refs/`.
        """
        at = next(at for at in range(len(PLACES), 0, -1) if ref.startswith(PLACES[at - 1])) - 1
        short = ref.removeprefix(PLACES[at])
        names = [f"{place}{short}" for place in PLACES[:at]]
        if self._plain:
            return [name for name in names if is_there(self.common_dir, name)]
        own = [short] if os.path.isfile(os.path.join(self.common_dir, short)) else []
        known = self.objects.resolve(names[1:])
        return own + [name for name, oid in zip(names[1:], known, strict=True) if oid is not None]

    @cached_property
    def worktrees(self) -> tuple[Worktree, ...]:
        """Every worktree, the main one first."""
        if self._plain:
            top, environ = self.top or "", self.git.environ
            if (found := worktrees_in(self.common_dir, top, environ)) is not None:
                return found
        try:
            return worktrees_of(self._answer("worktrees"))
        except GitError as error:
            if "usage:" not in error.stderr:
                raise
            # git before 2.36 knows no -z.
            return worktrees_of(self.git.run("worktree", "list", "--porcelain"), "\n")

    @cached_property
    def worktree(self) -> Worktree | None:
        """The worktree that this folder is in; None in a bare repository or a git folder."""
        if self.top is None:
            return None
        here = os.path.realpath(self.top)
        for worktree in self.worktrees:
            if os.path.realpath(worktree.path) == here:
                return worktree
        # core.worktree or GIT_WORK_TREE style layouts: git lists the git folder's parent.
        first = self.worktrees[0]
        return first._replace(path=self.top)

    @cached_property
    def home(self) -> str:
        """The main worktree's folder, or the bare repository's."""
        # Of a submodule git lists the git folder here.
        if configured := self.config.get("core.worktree"):
            return os.path.normpath(os.path.join(self.common_dir, configured))
        return self.worktrees[0].path

    @property
    def name(self) -> str:
        """What the repository is called, after its main worktree; `proj` for a bare `proj.git`
        and for a bare `proj/.bare`.
        """
        folder, name = os.path.split(self.home.removesuffix("/.git").removesuffix(".git"))
        hidden = name.startswith(".") and self.worktrees[0].bare
        return os.path.basename(folder) if hidden else name

    @property
    def linked(self) -> bool:
        """Whether this is a linked worktree and not the main one."""
        return os.path.realpath(self.git_dir) != os.path.realpath(self.common_dir)

    def head(self) -> str:
        """Return the commit that HEAD is at now. Raises: GitError if there is none."""
        return self.objects.resolve([self.head_name])[0] or self.git.line("rev-parse", "HEAD")

    @property
    def known_head(self) -> str:
        """The commit that HEAD of this worktree was at when worktrees were listed; "" for none."""
        return self.worktree.head if self.worktree else ""

    def beside(self, worktree: Worktree) -> "Repository":
        """Return the repository as seen from another of its worktrees: what is known stays known.

        Raises: NotARepository.
        """
        from ralphgit.git import worktrees  # most commands look from one place alone

        own = os.path.join(worktree.path, ".git")
        git_dir, name = "", ""
        if not worktree.main and os.path.isfile(own):
            git_dir = worktrees.folders(self.common_dir).get(os.path.realpath(worktree.path), "")
            name = f"worktrees/{os.path.basename(git_dir)}"
        elif worktree.main and os.path.realpath(own) == os.path.realpath(self.common_dir):
            git_dir, name = self.common_dir, "main-worktree"
        if git_dir and not worktree.main and not worktrees.points_to(own, git_dir, self.common_dir):
            raise _elsewhere(own)
        if not git_dir or self.config.get("extensions.worktreeconfig"):
            found = Repository.open(worktree.path, self.git.environ)
            if os.path.realpath(found.common_dir) != os.path.realpath(self.common_dir):
                raise _elsewhere(own)
            return found
        places = (git_dir, self.common_dir, worktree.path)
        git = self.git.at(worktree.path)
        made = Repository(git, places, False, self.objects, {}, plain=self._plain)
        made.head_name = f"{name}/HEAD"
        made.__dict__["config"] = self.config
        return made

    def staged_ids(self, paths: Sequence[str]) -> list[str | None]:
        """Return the id of each path in the index; None if it is not in it, or in conflict."""
        try:
            found = os.stat(os.path.join(self.git_dir, "index"))
        except OSError:
            return [None] * len(paths)
        now = (found.st_mtime_ns, found.st_ino, found.st_size)
        if self._index not in (None, now):
            self.objects.close()  # it has read the index, and does not do so again
        self._index = now
        return self.objects.resolve([f":0:{path}" for path in paths])

    def moved(self, ref: str, oid: str) -> None:
        """Note that this process has moved a ref; `oid` "" deletes it. Nothing is asked again."""
        if "refs" in self.__dict__ or "refs" in self._asked:
            found = {**self.refs, ref: Ref(ref, oid, "")}
            for name, one in self.refs.items():
                if one.symref == ref:
                    found[name] = one._replace(oid=oid)
            kept = [name for name in sorted(found) if found[name].oid]
            self.__dict__["refs"] = {name: found[name] for name in kept}
        if "worktrees" in self.__dict__ or "worktrees" in self._asked:
            self.__dict__["worktrees"] = tuple(
                one._replace(head=oid) if one.branch == ref else one for one in self.worktrees
            )
        self.__dict__.pop("worktree", None)

    def forget_worktrees(self) -> None:
        """Read worktrees again when they are next asked for."""
        self._forget("worktrees", "worktree", "home")

    def forget(self, *, config: bool = False) -> None:
        """Read refs, worktrees and, with `config`, the configuration again when next asked for."""
        all_but_config = ("refs", "worktrees", "worktree", "home", "unmerged")
        self._forget(*all_but_config, *(("config", "config_values") if config else ()))

    def _forget(self, *names: str) -> None:
        """Read these again when they are next asked for; end the questions that are under way."""
        for name in names:
            if name in self._asked:
                self._asked.pop(name).forget()
            self.__dict__.pop(name, None)

    def close(self) -> None:
        """End all processes that wait for a question; the repository can still be used."""
        self.objects.close()
        while self._asked:
            self._asked.popitem()[1].forget()

    def forget_refs(self) -> None:
        """Read refs again when they are next asked for."""
        self._forget("refs")

    def begin_refs(self) -> None:
        """Have the refs read again; where git has to, while we do other things."""
        self.forget_refs()
        if not self._plain:
            self._asked["refs"] = self.git.start(*_QUESTIONS["refs"])

    def under_way(self) -> str:
        """Name the unfinished merge, rebase or the like in this worktree; "" if none."""
        return under_way(self.git_dir)


def under_way(git_dir: str) -> str:
    """Name the unfinished merge, rebase or the like in the worktree of a git folder; "" if none."""
    for name, what in _STATES:
        if os.path.exists(os.path.join(git_dir, name)):
            return what
    return ""


_STATES = (
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)


def _elsewhere(own: str) -> NotARepository:
    import shlex

    return NotARepository(
        f"{own} is of another repository; git was not asked there",
        hint=f"ls -ld {shlex.quote(own)}",
    )
