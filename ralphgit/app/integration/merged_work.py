"""Find work that people have merged without a claim: its commits on the base, and who did it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import NamedTuple

from ralphgit.app.forge import choice
from ralphgit.app.forge.contract import PullName
from ralphgit.app.workspace import record_tree, revisions
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git import trees, worktrees
from ralphgit.model.ids import is_id

_PULL = re.compile(r"[#!]([0-9]+)|https?://\S+/(?:pull|merge_requests)/([0-9]+)\S*")


class MergedWork(NamedTuple):
    """Commits of the base that somebody names as the work of a task."""

    name: str
    """As people say it: the short id of the commit, or of both ends."""
    commits: tuple[str, ...]
    """Newest first; without merges, but for one that is named itself."""
    authors: tuple[str, ...]
    """Who wrote them, with most commits first."""
    paths: tuple[str, ...]
    """What they changed, records left out."""

    @property
    def worker(self) -> str:
        """The first author, as a worker's name."""
        plain = unicodedata.normalize("NFKD", self.authors[0]).encode("ascii", "ignore").decode()
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-_")[:64]
        return name if is_id(name) else "somebody"

    @property
    def sentence(self) -> str:
        return f"{self.name} by {', '.join(self.authors)}"


def found(project: Project, text: str) -> MergedWork:
    """Find what a commit, a range or a pull request (`#12`, or its address) brought to the base.

    Of a merge that is what it brought along. Raises: UsageError (bad_revision); GuardRefused
    (not_merged); what the forge's program answers with.
    """
    if pull := _PULL.fullmatch(text):
        number = pull[1] or pull[2]
        text = choice.required(project).merged_commit(PullName(number))
        if not text:
            raise GuardRefused(
                f"pull request {number} is not merged; nothing was changed",
                code="not_merged",
                hint="merge it first, or name the commit on the base that did the work",
            )
    ends = revisions.range_in(text)
    if ends is None:
        new = revisions.commit_of(project, text)
        parents = project.repository.git.line("rev-parse", f"{new}^@").split()
        old = parents[0] if parents else ""
        name = new[:12]
    else:
        old, new = (revisions.commit_of(project, end) for end in ends[:2])
        old = worktrees.fork(project.repository.git, old, new)
        name = f"{old[:12]}..{new[:12]}"
    base = project.base
    if not worktrees.is_ancestor(project.repository.git, new, base.commit):
        raise GuardRefused(
            f"{new[:12]} is not on {base.label}; nothing was changed",
            code="not_merged",
            hint=f"merge it into {base.branch} first, or name the commit that it became there",
        )
    commits, authors = _log(project, old, new)
    return MergedWork(name, commits, authors, _paths(project, old, new))


def _log(project: Project, old: str, new: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List the commits of a span, and who wrote them."""
    span = [new, *([f"^{old}"] if old else [])]
    git = project.repository.git
    out = git.run("log", "--no-merges", "--format=%H%x00%an", *span, "--")
    if not out.strip():  # a merge that brought nothing but what it is itself
        out = git.run("log", "-1", "--format=%H%x00%an", new, "--")
    pairs = [line.partition("\0") for line in out.decode("utf-8", "replace").splitlines()]
    authors = Counter(name.strip() or "somebody" for _, _, name in pairs)
    return tuple(commit for commit, *_ in pairs), tuple(name for name, _ in authors.most_common())


def _paths(project: Project, old: str, new: str) -> tuple[str, ...]:
    objects = project.repository.objects
    changed = trees.differing(objects, old, new) if old else trees.paths(objects, new)
    return tuple(path for path in changed if not record_tree.is_record(project, path))
