"""Hold the two ends of a change that the gate judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

    @classmethod
    def between(
        cls, before: Mapping[str, Row], after: Mapping[str, Row], tree: Tree
    ) -> BranchChange:
        """Hold the two ends of a change, with what it renames under the new names."""
        found = renames.renamed(before, after)
        return cls(renames.applied(before, found) if found else before, after, tree, found)

    @property
    def moved(self) -> list[Row]:
        """The tasks whose lifecycle the change has moved, as they are after it."""
        return [
            row
            for task, row in self.after.items()
            if task not in self.before or self.before[task].stage != row.stage
        ]

    @property
    def touched(self) -> tuple[str, ...]:
        """The tasks of before the change that it moves in their lifecycle, or removes."""
        moved = (row.id for row in self.moved if row.id in self.before)
        return (*moved, *(task for task in self.before if task not in self.after))

    @property
    def completed(self) -> list[Row]:
        """The tasks that the change completes."""
        known = self.before
        return [
            row
            for task, row in self.after.items()
            if row.status == "complete" and (task not in known or known[task].status != "complete")
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
