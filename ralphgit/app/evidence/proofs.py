"""List the verify commands that passed, by the records that say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence.judged_evidence import JudgedState
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.workspace.project import Project
from ralphgit.model.evidence import Evidence
from ralphgit.model.task import Task
from ralphgit.model.task_row import Row


class Proof(NamedTuple):
    """A verify command that has passed, and that has to pass after the merges too."""

    owner: str
    """The branch whose task it proves; BASE for one that has landed before."""
    task: Task
    claim: str
    command: str
    passed: tuple[Evidence, ...]
    """The records that say so."""

    @property
    def wanted(self) -> tuple[str, str, str]:
        """As `evidence.run_each` takes it."""
        return self.task.id, self.claim, self.command

    def holds(self, files: Content) -> bool:
        """Whether one of the records is of exactly this content."""
        return any(judged_evidence.is_fresh(one, self.task, files) for one in self.passed)


def proofs_of(
    project: Project, place: JudgedState, rows: Sequence[Row], owner: str
) -> Iterator[Proof]:
    """List the commands that passed for the tasks of `rows`, as the records of `place` say."""
    if not rows:
        return
    records = judged_evidence.recorded(project, place.tree, [row.id for row in rows])
    for row in rows:
        task = judged_evidence.as_promised(project, place.view.task(row.id))
        claim = place.view.row(row.id).claim
        for command in dict.fromkeys(task.verify):
            passed = tuple(
                one
                for one in records.get(row.id, {}).values()
                if one.command == command and one.exit_code == 0 and one.claim == claim
            )
            # Without one it was completed by force: there is nothing to lose.
            if passed:
                yield Proof(owner, task, claim, command, passed)
