"""Find by which commits a branch got the work on a task, and what they changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from ralphgit.app.workspace import record_tree
from ralphgit.app.workspace.project import Project
from ralphgit.git import path_history, trees, worktrees
from ralphgit.git.path_history import Step
from ralphgit.model.task_row import Row
from ralphgit.records import audit_file
from ralphgit.rules.active_scopes import bad_pattern
from ralphgit.rules.pattern_overlap import covers_any

#: Of so many commits git is asked what they have in common.
_MOST_BEGINNINGS = 200


class LandedWork(NamedTuple):
    """What landing a claim has changed on a branch, in its first-parent line."""

    steps: tuple[tuple[str, str], ...]
    """The commits, the newest first, each with its parent: one, unless it was landed by rebase."""
    paths: tuple[str, ...]
    """What they changed besides records."""

    @property
    def commits(self) -> tuple[str, ...]:
        return tuple(commit for commit, _ in self.steps)

    @property
    def before(self) -> str:
        """The commit that the first of them is on."""
        return self.steps[-1][1]


def of(
    project: Project, tip: str, rows: Sequence[Row], *, touching: Collection[str] = ()
) -> dict[str, LandedWork]:
    """Find how the claims of `rows` have come to the commit `tip`, by claim.

    One that came with the first commit of all, or whose audit is not there, is left out; so is,
    with `touching`, one that came by one commit which touches none of these paths.
    """
    audits = {audit_file.path(project.config.records, row.id, row.claim): row for row in rows}
    paths, git = [*audits, *touching], project.repository.git
    steps: list[Step] = []
    landed: dict[str, list[Step]] = {}
    # What a claim says of where it began may be wrong: all history says how it landed then.
    for since in dict.fromkeys((_begun(project, rows), "")) if audits else ():
        steps = path_history.steps(git, tip, paths, since=since)
        by_path = {path: [one for one in steps if path in one.paths] for path in audits}
        landed = {path: _since_added(project, path, own) for path, own in by_path.items()}
        if all(landed.values()):
            break
    found = {}
    for path, row in audits.items():
        own = landed[path]
        if not own or (touching and len(own) == 1 and set(touching).isdisjoint(own[0].paths)):
            continue
        found[row.claim] = _work(project, row, path, own)
    return found


def _begun(project: Project, rows: Sequence[Row]) -> str:
    """A commit that all that these claims were made from have in common: they landed after it.
    "" where one of those is not here.
    """
    named = [f"{base}^{{commit}}" for base in dict.fromkeys(row.base for row in rows)]
    commits = project.repository.objects.resolve(named)
    if None in commits or len(commits) > _MOST_BEGINNINGS:
        return ""
    return worktrees.common(project.repository.git, [oid for oid in commits if oid])


def _work(project: Project, row: Row, path: str, own: Sequence[Step]) -> LandedWork:
    """What the commits that wrote the audit at `path` changed; where the task was renamed since,
    those that did it under its old id.
    """
    commits = _all(project, row, own)
    changed = {
        path
        for commit, parent in commits
        for path in trees.differing(project.repository.objects, parent, commit)
    }
    name = path.rpartition("/")[2]
    folder = f"{project.config.records}/audit/"
    named = [p for p in changed if p.startswith(folder) and p.endswith(f"/{name}") and p != path]
    before = commits[-1][1]
    for old in named if before else ():
        steps = path_history.steps(project.repository.git, before, [old])
        if earlier := _since_added(project, old, steps):
            return _work(project, row, old, earlier)
    files = (path for path in changed if not record_tree.is_record(project, path))
    return LandedWork(tuple(commits), tuple(sorted(files)))


def _since_added(project: Project, path: str, steps: Sequence[Step]) -> list[Step]:
    """The steps, the newest first, down to the last one that added the file."""
    parents = [f"{one.parent}:{path}" if one.parent else "" for one in steps]
    before = project.repository.objects.resolve(parents)
    first = next((n for n, oid in enumerate(before) if oid is None and parents[n]), None)
    return [*steps[: first + 1]] if first is not None else []


def _all(project: Project, row: Row, own: Sequence[Step]) -> list[tuple[str, str]]:
    """The commits that have to do with a claim, each with its parent.

    Between the first and the last that write its audit, which are two where a branch was landed by
    rebase, are those of its worker that stay within the task's scope.
    """
    if len(own) == 1:
        return [(own[0].commit, own[0].parent)]
    between = path_history.steps(project.repository.git, own[0].commit, (), since=own[-1].parent)
    known = {one.commit for one in own}
    return [
        (one.commit, one.parent)
        for one in between
        if one.commit in known or (one.by == own[-1].by and _is_within(project, row, one.paths))
    ]


def _is_within(project: Project, row: Row, paths: Iterable[str]) -> bool:
    """Whether a commit touches no other attempt, and no file outside the task's write scope."""
    files = [path for path in paths if not record_tree.is_record(project, path)]
    is_other = any(path.startswith(f"{project.config.records}/audit/") for path in paths)
    bounded = bool(row.write) and bad_pattern(row) is None
    return not is_other and (not bounded or all(covers_any(row.write, one) for one in files))
