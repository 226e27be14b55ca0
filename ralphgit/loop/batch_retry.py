"""Have a task begun again, by whoever takes it next, that was worked on and did not get there."""

from __future__ import annotations

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.handoff import questions
from ralphgit.app.lifecycle.reopen import Holders, Reopening, reopen
from ralphgit.app.status import batch_plan
from ralphgit.app.workspace.project import Project
from ralphgit.model.question import Answer, Guidance
from ralphgit.model.task_row import Row
from ralphgit.records import question_file as codec

_ANSWER = "Begin again, on the base as it is now; nobody else works on the repository meanwhile."


def again(project: Project, task: str, why: str) -> None:
    """Put a task that is blocked, or complete and not landed, back to pending on the base.

    All its work is kept (`reopen`), and the next prompt says why it was not good enough. One
    in any other state is left as it is, so that repeating a killed call ends the same.

    Raises: as `reopen`.
    """
    task_state = ClaimMap(project).task_states[task]
    if task_state.state != "blocked" and not batch_plan.branch(task_state):
        return

    def decide(claim_map: ClaimMap, row: Row, holders: Holders) -> Reopening:
        at, by = project.now(), project.worker
        said = questions.asked(claim_map, row.id).question
        made = Guidance(
            id=project.around.new_id(), task=row.id, claim=holders.claim, question=said or why,
            options=(), at=at, by=holders.by, answer=Answer(_ANSWER, by, at),
        )  # fmt: skip
        path = codec.path(project.config.records, row.id, made.id)
        return Reopening(
            event="reset", by=by, at=at, reason=f"begun again: {why}", note=f"begun again: {why}",
            text=f"begun again: {why}", records={path: codec.encode(made, path)},
        )  # fmt: skip

    reopen(project, task, decide, push=True)
