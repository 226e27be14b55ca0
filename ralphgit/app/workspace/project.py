"""Open a repository with a task graph: where every use case begins."""

import os
import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ralphgit.app.workspace import archive_view, configuration
from ralphgit.app.workspace.archive_view import Archive
from ralphgit.app.workspace.base_branch import Base
from ralphgit.app.workspace.configuration import Configuration, Decided, SettingsFiles
from ralphgit.app.workspace.graph_files import Places, files_below, places
from ralphgit.app.workspace.graph_loader import GraphLoader
from ralphgit.app.workspace.graph_view import HERE, GraphView, Shard
from ralphgit.app.workspace.surroundings import Surroundings, begin
from ralphgit.errors import GuardRefused, InvalidRecord
from ralphgit.git.listings import Worktree
from ralphgit.git.repository import Repository
from ralphgit.model.active_claim import TakenBack
from ralphgit.model.config import SETTINGS_FILE, Config
from ralphgit.model.setting_values import Layer
from ralphgit.records import atomic_files, redact_secrets, row_cache, worktree_files
from ralphgit.records.schemas import ARCHIVE, ARCHIVE_SUFFIX

if TYPE_CHECKING:
    from ralphgit.git.objects import Objects


_NOWHERE = Base("", "", "", "")
#: What depends on refs, settings and files that this or another command may change.
_VIEWS = ("base", "config", "settings", "_own_layers", "_decided", "places", "base_view",
          "base_archive", "here", "taken_back", "_base_indexed", "_views")  # fmt: skip
#: So many graphs of commits are kept while nothing changes.
_MOST_VIEWS = 6


class Project:
    """A repository, its settings, and its graph seen from the base and from here."""

    taken_back: dict[str, TakenBack] | None = None
    """The claims that have gone from the base, by id, once `taken_back.known` has asked."""

    def __init__(
        self, repository: Repository, around: Surroundings, warnings: list[str] | None = None
    ) -> None:
        """`warnings`: what there is to warn of goes to its end."""
        self.repository = repository
        self.around = around
        self.warnings: list[str] = [] if warnings is None else warnings
        repository.git.patience.step = around.progress.step
        repository.git.patience.terminal = around.person
        # What runs the commands of a task ends all that it finds running, and would end that, too.
        repository.git.patience.packs = not around.may_land
        self.cache = row_cache.Cache(repository.common_dir)
        if around.may_land:
            from ralphgit.records import row_memory

            self.cache = row_memory.of_repository(repository.common_dir)
        self.started = around.begun.at if around.begun else around.now()
        """When it was first looked at, in seconds since 1970."""

    @classmethod
    def open(cls, around: Surroundings, warnings: list[str] | None = None) -> "Project":
        """Raises: NotARepository."""
        redact_secrets.know(around.environ)
        around = around if around.begun else begin(around)
        assert around.begun is not None
        return cls(around.begun.opening.repository(), around, warnings)

    # -- time and settings ---------------------------------------------------------

    def now(self) -> str:
        """UTC to the second, as records write it."""
        return stamp(self.around.now())

    @cached_property
    def config(self) -> Config:
        """Flag, environment, git config, ralph.toml, default; in this order.

        Of ralph.toml, what weakens a guard, runs something or says where the truth is counts
        only as it is committed; see `configuration`.

        Raises: UsageError, InvalidRecord.
        """
        for names, label in self.settings.without_effect:
            self.warn(configuration.warning(names, label))
        self.repository.git.patience.seconds = self.settings.config.git_timeout
        return self.settings.config

    @cached_property
    def settings(self) -> Configuration:
        """The settings, and where each is from. Raises: UsageError, InvalidRecord."""
        return configuration.read(self._files, self._own_layers, self._decided)

    def set_by_user(self, name: str) -> bool:
        """Whether a flag, the environment or git's configuration makes the setting `name`."""
        return any(name in layer for _, layer in self._own_layers)

    @cached_property
    def graph_before(self) -> frozenset[str]:
        """The graph's files where this branch left the base, if the base has moved the graph since.

        The base had them as its graph, so they are ralphgit's on the branch as well.
        """
        head, repository = self.repository.known_head, self.repository
        if self.settings.graph_here == self.config.graph or not (head and self.base.commit):
            return frozenset()
        from ralphgit.app.workspace import moved_graph  # seldom needed
        from ralphgit.git import worktrees

        begun = worktrees.fork(repository.git, self.base.commit, head)
        return moved_graph.files(repository.objects, begun) if begun else frozenset()

    @property
    def settings_here(self) -> bytes | None:
        """This worktree's `ralph.toml`; None without one."""
        return self._files.content

    @cached_property
    def _own_layers(self) -> tuple[Layer, ...]:
        return configuration.own_layers(self.repository, self.around)

    @cached_property
    def _files(self) -> SettingsFiles:
        return SettingsFiles(self.repository, self.cache)

    # -- the base ------------------------------------------------------------------

    @cached_property
    def base(self) -> Base:
        """The base branch (SPEC 6): configured, else the remote's HEAD, else main or master."""
        return self._decided.base

    @property
    def usual_base(self) -> Base:
        """The base of who sets nothing."""
        return self._decided.usual

    @property
    def other_base(self) -> str:
        """The base branch, if it is another than the usual one; else ""."""
        branch = self.base.branch
        return branch if branch != self.usual_base.branch else ""

    @cached_property
    def _decided(self) -> Decided:
        return configuration.decided(self._files, self._own_layers)

    def push_remote(self, branch: str) -> str:
        """The remote that a branch of work or records, short name, is pushed to: as configured, as
        git has it, or the base's.
        """
        config = self.repository.config
        named = (config.get(f"branch.{branch}.pushremote"), config.get("remote.pushdefault"))
        return self.config.land_remote or next(filter(None, named), self.base.remote)

    def require_base(self) -> Base:
        """Raises: GuardRefused when nothing has been committed yet."""
        if not self.base.commit:
            if any(name.startswith("refs/heads/") for name in self.repository.refs):
                raise GuardRefused(
                    f"the base branch {self.base.branch} does not exist, or has no commit yet",
                    code="no_commit",
                    hint="git config ralph.base BRANCH",
                )
            raise GuardRefused(
                "the repository has no commit on its base branch yet",
                code="no_commit",
                hint="git add -A && git commit -m 'First commit'",
            )
        return self.base

    def local_base_ahead(self) -> int:
        """How many commits the local base branch has that its remote has not."""
        local = self.repository.refs.get(f"refs/heads/{self.base.branch}")
        if not self.base.remote or local is None or local.oid == self.base.commit:
            return 0
        count = self.repository.git.line("rev-list", "--count", local.oid, f"^{self.base.commit}")
        return int(count)

    # -- the graph -----------------------------------------------------------------

    def view(self, commit: str, label: str) -> GraphView:
        """The graph on a commit, which may have it elsewhere than the base; no rows where it has no
        graph file.

        Asked for again, it is the same one, with what it has read of its tasks.

        Raises: InvalidRecord.
        """
        known = self._views.get((commit, label))
        if known is None:
            on_base = commit == self.base.commit
            archive = self.base_archive if on_base else self.archive_at(commit, label)
            shards = (self.shards_at if on_base else self.shards_anywhere)([commit])[commit]
            known = self.view_of(shards, label, archive)
            while len(self._views) >= _MOST_VIEWS:
                del self._views[next(iter(self._views))]
            self._views[commit, label] = known
        return known

    @cached_property
    def _views(self) -> dict[tuple[str, str], GraphView]:
        """The graphs of commits that were asked for last, by commit and label."""
        return {}

    def view_of(
        self, shards: Sequence[Shard], label: str, archive: Archive = archive_view.NONE
    ) -> GraphView:
        """The graph that these files of commits make. Raises: InvalidRecord."""
        return self._loader.of_blobs(shards, label, archive, self._base_known)

    def view_of_tree(self, treeish: str, objects: "Objects") -> GraphView:
        """The graph of a tree or commit, read through `objects` (an in-memory merge, say).

        Raises: InvalidRecord.
        """
        shards, archive = self.shards_in(objects, treeish), self.archive_at(treeish, "", objects)

        def read(shard: Shard) -> bytes:
            return objects.read([shard[1]])[shard[1]]

        return self._loader.load(shards, read, "", "", archive, self._base_known)

    def archive_at(
        self, treeish: str, label: str = "", objects: "Objects | None" = None
    ) -> Archive:
        """The archive of a commit or tree, read through `objects`."""
        objects = objects or self.repository.objects
        folder = f"{self.config.records}/{ARCHIVE}"

        def listed() -> tuple[Shard, ...]:
            found = objects.files(
                [treeish], (), (folder,), lambda path: path.endswith(ARCHIVE_SUFFIX)
            )
            return found[treeish]

        def read(shard: Shard) -> bytes:
            return objects.read([shard[1]])[shard[1]]

        return Archive(listed, read, self.cache, f"{label}:" if label else "")

    @cached_property
    def base_archive(self) -> Archive:
        """The archive on the base."""
        return self.archive_at(self.base.commit, self.base.label)

    def archive_in(self, top: str) -> Archive:
        """The archive in the working files below `top`."""

        def path(shard: Shard) -> str:
            return os.path.join(top, shard[0])

        def listed() -> tuple[Shard, ...]:
            names = archive_view.files_below(top, self.settings.records_here)
            blob, now = self.repository.objects.file_id, self.around.now()
            ids = (archive_view.id_of(os.path.join(top, name), blob, now) for name in names)
            return tuple(zip(names, ids, strict=True))

        return Archive(listed, lambda shard: atomic_files.read(path(shard)) or b"", self.cache)

    def shards_at(
        self, commits: Sequence[str], patterns: Sequence[str] = ()
    ) -> dict[str, tuple[Shard, ...]]:
        """The graph files on each commit; `patterns` say otherwise than the setting which."""
        exact, folders, matches = places(patterns) if patterns else self.places
        return self.repository.objects.files(commits, exact, folders, matches)

    def shards_anywhere(self, commits: Sequence[str]) -> dict[str, tuple[Shard, ...]]:
        """The graph files on each commit: where the base has them, else where its settings say."""
        found = self.shards_at(commits)
        without = [commit for commit in found if not found[commit]]
        if without and not self.set_by_user("graph"):
            from ralphgit.app.workspace import moved_graph

            objects, usual = self.repository.objects, self.config.graph
            for own, theirs in moved_graph.by_patterns(objects, without, usual).items():
                found.update(self.shards_at(theirs, own))
        return found

    def shards_in(self, objects: "Objects", treeish: str) -> tuple[Shard, ...]:
        """The graph files on one tree, read through `objects` (an in-memory merge, say)."""
        exact, folders, matches = self.places
        return objects.files([treeish], exact, folders, matches)[treeish]

    @cached_property
    def base_view(self) -> GraphView:
        """The graph on the base; where the base has none yet, this worktree's, with a warning.

        Raises: InvalidRecord; GuardRefused (no_commit).
        """
        base = self.require_base()
        found = self.view(base.commit, base.label)
        if not found.shards and self.repository.top is not None:
            here = self.here
            if here.shards and (lost := self._lost_graph(base)):
                raise lost
            if here.shards:
                self.warn(f"{base.label} has no task graph yet; this worktree's files serve")
                return here
        if not found.shards:
            raise self.no_graph(base.label)
        return found

    def _lost_graph(self, base: Base) -> InvalidRecord | None:
        """The refusal where the base has lost the graph since this worktree left it."""
        import shlex

        from ralphgit.git import worktrees

        head = self.repository.known_head
        fork = worktrees.fork(self.repository.git, base.commit, head) if head else ""
        paths = [path for path, _ in self.shards_at([fork])[fork]] if fork else []
        if not paths:
            return None
        named = shlex.join([base.label, "--", *paths[:3]])
        return InvalidRecord(
            f"the task graph ({', '.join(paths[:3])}) was removed from {base.label}; nothing was "
            "changed here; revert the commit that did it",
            code="no_graph",
            hint=f"git log -1 {named}",
        )

    @cached_property
    def here(self) -> GraphView:
        """The graph in this worktree's files.

        Raises: InvalidRecord; GuardRefused in a bare repository.
        """
        return self.view_in(self.top)

    @property
    def known_here(self) -> GraphView | None:
        """`here`, if it was read already."""
        found: GraphView | None = self.__dict__.get("here")
        return found

    def view_in(self, top: str) -> GraphView:
        """The graph in the working files below `top`."""
        contents: dict[Shard, bytes] = {}
        for path in self.paths_in(top):
            data = atomic_files.read(os.path.join(top, path))
            if data is not None:
                contents[(path, self.repository.objects.blob_id(data))] = data
        archive, near = self.archive_in(top), self._base_known
        return self._loader.load(tuple(contents), contents.__getitem__, HERE, "", archive, near)

    @cached_property
    def _loader(self) -> GraphLoader:
        return GraphLoader(self.repository, self.cache, lambda: self.config.max_graph_bytes)

    def _base_known(self) -> GraphView | None:
        """The graph on the base, where its index is kept: what another view is compared with."""
        return self._base_indexed

    @cached_property
    def _base_indexed(self) -> GraphView | None:
        base = self.base
        if not base.commit:
            return None
        shards = self.shards_at([base.commit])[base.commit]
        return self._loader.indexed_blobs(shards, base.label, self.base_archive)

    def no_graph(self, where: str) -> InvalidRecord:
        """The refusal where there is no graph in `where`: this worktree, or a commit."""
        message = f"there is no task graph ({', '.join(self.config.graph)}) in {where}"
        hint = "ralphgit init"
        if where == HERE and (restore := self.restore_graph()):
            message, hint = f"{message}, but in its commit there is", restore
            if "sparse-checkout" in restore:
                message += ": it is outside of the sparse checkout"
        return InvalidRecord(message, code="no_graph", hint=hint)

    def restore_graph(self) -> str:
        """The command that brings back the graph files that HEAD has; "" if it has none."""
        import shlex

        if self.repository.top is None:
            return ""
        paths = [path for path, _ in self.shards_at(["HEAD"])["HEAD"]]
        if not paths:
            return ""
        if self.repository.config.get("core.sparsecheckout", "").lower() == "true":
            folders = sorted({os.path.dirname(path) or "." for path in paths})
            return f"git sparse-checkout add {shlex.join([*folders, self.config.records])}"
        staged = self.repository.objects.resolve([f":{path}" for path in paths])
        also = "" if all(staged) else "--staged --worktree "
        return f"git restore {also}{shlex.join(paths)}"

    def require_here(self) -> GraphView:
        """This worktree's graph. Raises: InvalidRecord (no_graph) where it has no file."""
        if not self.here.shards:
            raise self.no_graph(HERE)
        return self.here

    def paths_in(self, top: str) -> list[str]:
        """The graph files that exist below `top`, sorted. Raises: InvalidRecord (bad_path)."""
        return files_below(top, self.places_here if top == self.repository.top else self.places)

    def paths_elsewhere(self, top: str) -> list[str]:
        """The same of another worktree: what it has must not stop this one, and is warned about."""
        try:
            found = self.paths_in(top)
            if found or self.set_by_user("graph"):
                return found
            from ralphgit.app.workspace import moved_graph

            settings = atomic_files.read(os.path.join(top, SETTINGS_FILE))
            return files_below(top, places(moved_graph.patterns(settings)))
        except InvalidRecord as error:
            self.warn(f"the graph in {self.show_path(top)} is left out: {error.message}")
            return []

    @cached_property
    def places(self) -> Places:
        """Where the base has its graph, and every commit and worktree is expected to."""
        return places(self.config.graph)

    @property
    def places_here(self) -> Places:
        """Where this worktree has its graph: elsewhere while it moves it."""
        here = self.settings.graph_here
        return self.places if here == self.config.graph else places(here)

    # -- this worktree -------------------------------------------------------------

    @property
    def top(self) -> str:
        """Raises: GuardRefused in a bare repository."""
        if self.repository.top is None:
            words = "a bare repository has no working files"
            hint = "use -C WORKTREE, or --at REV"
            if os.path.exists(os.path.join(self.repository.common_dir, "index")):
                words = "core.bare is true, which some tool has set here"
                hint = "ralphgit doctor --fix"
            raise GuardRefused(words, code="bare", hint=hint)
        return self.repository.top

    @cached_property
    def worker(self) -> str:
        """The worker's name: configured, else the folder's without the project's name."""
        from ralphgit.model.ids import is_id, parse_worker

        if self.config.worker:
            return parse_worker(self.config.worker)
        name = os.path.basename(self.repository.top or self.repository.common_dir)
        prefix = f"{self.repository.name}-"
        if self.repository.linked and name.startswith(prefix) and len(name) > len(prefix):
            name = name[len(prefix) :]
        safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name)
        safe = safe.strip(".-_")[:64] or "worker"
        return safe if is_id(safe) else "worker"

    @cached_property
    def person(self) -> str:
        """Who decides here: the worker of a linked worktree or of the configuration, else git's
        user."""
        if self.config.worker or self.repository.linked:
            return self.worker
        name = self.around.environ.get("GIT_AUTHOR_NAME") or self.repository.config.get("user.name")
        return " ".join((name or "").split()) or self.worker

    def file(self, path: str) -> str:
        """The full name of what a record or a setting names in this worktree (SPEC L10).

        Raises: InvalidRecord (bad_path); GuardRefused in a bare repository.
        """
        return worktree_files.place(self.top, path)

    def show_path(self, path: str) -> str:
        """A folder as people see it from here: relative where that is shorter."""
        relative = os.path.relpath(path, self.repository.top or self.around.directory)
        return relative if len(relative) <= len(path) else path

    def refresh(self, *, config: bool = False) -> None:
        """Read all anew that others may have changed meanwhile; git's settings with `config`."""
        self.repository.forget(config=config)
        self._forget_views()

    def moved(self, ref: str, oid: str) -> None:
        """Take in that this command has moved a ref; "" for none. git is not asked again."""
        self.repository.moved(ref, oid)
        if ref == self.__dict__.get("base", _NOWHERE).ref or "base" not in self.__dict__:
            self._forget_views()

    def renew_worktrees(self) -> None:
        """Have git list the worktrees anew, unless none has changed since the list was made."""
        from ralphgit.git import worktrees

        if worktrees.changed_since(self.repository.common_dir, self.started):
            self.repository.forget_worktrees()

    def written(self) -> None:
        """Take in that this command has changed files of this worktree. git is not asked again."""
        self._forget_views()

    def _forget_views(self) -> None:
        for name in _VIEWS:
            self.__dict__.pop(name, None)

    def warn(self, sentence: str) -> None:
        """Keep a warning, to be shown with the result."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def worktree_of(self, branch: str) -> Worktree | None:
        """The worktree that has `branch` checked out."""
        return next((w for w in self.repository.worktrees if w.branch == branch), None)


def stamp(seconds: float, *, fine: bool = False) -> str:
    """Seconds since 1970 as records write a time: UTC, to the second, or `fine` to 1/1000."""
    part = f".{int(seconds * 1000) % 1000:03}Z" if fine else "Z"
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + part
