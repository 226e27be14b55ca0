"""Judge evidence as of when the range wrote it, and say what has changed its files since then.

A branch to which a person adds a commit, and a range in which other tasks landed afterwards, were
verified as they were completed. That is one fact; that their files are others by now is another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.diff.revisions_compared import Range
from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence.judged_evidence import Filed, TaskEvidence
from ralphgit.app.evidence.tree_digest import Content, in_scope
from ralphgit.app.workspace import record_tree
from ralphgit.app.workspace.project import Project
from ralphgit.git import trees
from ralphgit.model.evidence import Evidence
from ralphgit.model.task import Task
from ralphgit.rules import evidence_verdict

#: How many later commits are named.
_MOST = 5


class LaterCommit(NamedTuple):
    """A commit that changed files which evidence is about, after it was written."""

    commit: str
    by: str
    """Its author."""
    task: str
    """The task that it says it is of; "" for none."""

    @property
    def sentence(self) -> str:
        return f"{self.commit[:12]} by {self.by}" + (f" ({self.task})" if self.task else "")


class OwnTime(NamedTuple):
    """What the evidence of a task came to when it was written, where it is stale by now."""

    evidence: TaskEvidence
    commit: str
    """The last commit that wrote some of it."""
    paths: tuple[str, ...]
    """The files it is about that have changed since."""
    later: tuple[LaterCommit, ...]
    """What changed them, newest first."""
    author: str
    """Of `commit`."""
    stale: tuple[Evidence, ...]
    """What is stale of it."""

    @property
    def is_others(self) -> bool:
        """Whether others changed it, or other tasks, and not who completed it alone."""
        own = ("", self.evidence.row.id)
        return all(one.by != self.author or one.task not in own for one in self.later)

    @property
    def since(self) -> str:
        """Who has changed what it is about, as words."""
        return " and ".join(one.sentence for one in self.later) or "a merge"


def found(
    project: Project,
    range: Range,
    now: TaskEvidence,
    records: Mapping[str, Evidence],
    promised: Task | None,
) -> OwnTime | None:
    """Judge `records` as of the commits of the range that wrote them; None where that is no other.

    `now` is what they come to at the range's newer end.
    """
    stale = [one for one in now.records if not (one.judged.fresh or one.judged.superseded)]
    if not stale:
        return None
    tasks = [now.task, *([promised] if promised else [])]
    wrote = _wrote(project, range, [one.path for one in stale])
    held: dict[str, str] = {}
    for one in stale:
        for commit in wrote.get(one.path, ()):
            files = Content(project, commit)
            if any(judged_evidence.is_fresh(one.judged.evidence, task, files) for task in tasks):
                held[one.path] = commit
                break
    if len(held) < len(stale):
        return None
    fresh_now = {one.path for one in now.records if one.judged.fresh}
    pairs = [(one, path in fresh_now or path in held) for path, one in records.items()]
    commands = judged_evidence.asked(project, promised or now.task)
    judged = evidence_verdict.judged(pairs, commands=commands, claim=now.row.claim)
    paths = {one.id: path for path, one in records.items()}
    filed = tuple(Filed(paths[one.evidence.id], one) for one in judged)
    criteria = tuple(evidence_verdict.support(now.task.acceptance, judged))
    commit = held[stale[-1].path]
    changed = tuple(
        path
        for path in trees.differing(project.repository.objects, commit, range.new)
        if not record_tree.is_record(project, path)
        and any(in_scope(task.scope, path) for task in tasks)
    )
    evidence = now._replace(records=filed, criteria=criteria)
    later = _later(project, commit, range.new, changed)
    author = project.repository.git.line("log", "-1", "--format=%an", commit)
    old = tuple(one.judged.evidence for one in stale)
    return OwnTime(evidence, commit, changed, later, author, old)


def _wrote(project: Project, range: Range, paths: Sequence[str]) -> dict[str, list[str]]:
    """List the commits of the range that added each path, and the merges that brought it."""
    wrote: dict[str, list[str]] = {}
    git = project.repository.git
    for how in (("--no-merges",), ("--first-parent", "-m")):
        out = git.run(
            "--literal-pathspecs", "log", *how, "--format=%x00%H", "--name-only", "-z",
            "--no-renames", "--diff-filter=A", f"{range.old}..{range.new}", "--", *paths,
        )  # fmt: skip
        for entry in out.decode("utf-8", "surrogateescape").split("\0\0"):
            commit, _, names = entry.lstrip("\0").partition("\0")
            for name in names.removeprefix("\n").split("\0"):
                if name and commit not in wrote.setdefault(name, []):
                    wrote[name].append(commit)
    return wrote


def _later(project: Project, old: str, new: str, paths: Sequence[str]) -> tuple[LaterCommit, ...]:
    """List the commits between two that change any of `paths`, newest first."""
    if not paths:
        return ()
    out = project.repository.git.run(
        "--literal-pathspecs", "log", "--no-merges", f"--max-count={_MOST}",
        "--format=%H%x00%an%x00%(trailers:key=Ralph-Task,valueonly,separator=%x2C)",
        f"{old}..{new}", "--", *paths,
    )  # fmt: skip
    lines = [line.split("\0") for line in out.decode("utf-8", "replace").splitlines()]
    return tuple(LaterCommit(*line) for line in lines if len(line) == 3)
