"""Hold the two ends of a change that the gate judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.gate.problem import Problem
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.git.objects import Objects
from ralphgit.model.task_row import Row
from ralphgit.rules import renames


class BranchChange(NamedTuple):
    """The graph before and after, and the files after."""

    before: Mapping[str, Row]
    after: Mapping[str, Row]
    tree: Tree
    renames: Mapping[str, str] = {}
    """The ids that tasks had, which are in `before` under those that they have now."""
    differing: Sequence[str] | None = None
    """The tasks that may be otherwise after it, where it adds and removes none; None where that is
    not known: then each is looked at."""

    @classmethod
    def between(
        cls,
        before: Mapping[str, Row],
        after: Mapping[str, Row],
        tree: Tree,
        differing: Sequence[str] | None = None,
    ) -> BranchChange:
        """Hold the two ends of a change, with what it renames under the new names."""
        found = renames.renamed(before, after) if differing is None else {}
        return cls(
            renames.applied(before, found) if found else before, after, tree, found, differing
        )

    @property
    def pairs(self) -> Iterator[tuple[Row | None, Row]]:
        """Each task that may be otherwise, as it was and as it is; None for one that is new."""
        for task in self.after if self.differing is None else self.differing:
            yield self.before.get(task), self.after[task]

    @property
    def removed(self) -> list[Row]:
        """The tasks that the change takes out."""
        if self.differing is not None:
            return []
        return [row for task, row in self.before.items() if task not in self.after]

    @property
    def moved(self) -> list[Row]:
        """The tasks whose lifecycle the change has moved, as they are after it."""
        return [row for old, row in self.pairs if old is None or old.stage != row.stage]

    @property
    def touched(self) -> tuple[str, ...]:
        """The tasks of before the change that it moves in their lifecycle, or removes."""
        moved = (row.id for row in self.moved if row.id in self.before)
        return (*moved, *(row.id for row in self.removed))

    @property
    def completed(self) -> list[Row]:
        """The tasks that the change completes."""
        return [
            row
            for old, row in self.pairs
            if row.status == "complete" and (old is None or old.status != "complete")
        ]


class Span(NamedTuple):
    """The two ends of a change."""

    old: str
    """A commit."""
    new: str
    """A commit, or the tree of a merge."""
    head: str
    """The commit whose work it is."""
    objects: Objects
    """Reads all of them."""


def lost_claims(
    fork: Mapping[str, Row], base: Mapping[str, Row], mine: Mapping[str, Row], label: str
) -> Iterator[Problem]:
    """Find tasks that `mine` and the base `label` have both changed since `fork`, differently."""
    for task, row in mine.items():
        known, theirs = fork.get(task), base.get(task)
        if known is None or theirs is None:
            continue
        if len({known.stage, theirs.stage, row.stage}) < 3:
            continue
        if row.claim and (row.claim, row.epoch) == (theirs.claim, theirs.epoch):
            continue  # what the base has is a later step of the same claim
        if theirs.epoch > row.epoch:
            holder = f"it was reset (epoch {theirs.epoch})"
        elif theirs.claim:
            holder = f"{theirs.by} has it by claim {theirs.claim}"
        else:
            holder = f"it is {theirs.status}"
        yield Problem(
            code="claim_lost",
            file=row.file,
            line=row.line,
            task=task,
            message=f"claim {row.claim or '-'} of {row.by or 'this branch'} on {task} "
            f"is lost: on {label} {holder}",
            hint=f"ralphgit complete {task}",
        )
