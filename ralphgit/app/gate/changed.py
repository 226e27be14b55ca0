"""Hold the two ends of a change that the gate judges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

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
