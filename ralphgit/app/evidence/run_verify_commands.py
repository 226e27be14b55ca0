"""Run the verify commands of tasks, and make the records of their runs."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ralphgit.app.evidence.judged_evidence import digest_of
from ralphgit.app.workspace.project import Project, stamp
from ralphgit.model.evidence import COMMAND, Evidence, Output, Subject, Support
from ralphgit.model.task import Task
from ralphgit.records import evidence_file as codec

if TYPE_CHECKING:
    from ralphgit.app.processes import verify_command

Wanted = tuple[str, str, str]
"""A task, a claim of it or "", and one of its verify commands."""


def run_each(
    project: Project,
    wanted: Sequence[Wanted],
    *,
    top: str = "",
    begin: Callable[[], None] = lambda: None,
    ended: Callable[[Wanted], None] = lambda one: None,
) -> "dict[tuple[str, str], verify_command.Run]":
    """Run the verify commands of (task, claim, command), each bounded in time, in this worktree
    or in the one at `top`; the runs by task and command.

    What several tasks ask for is run once for all of them, without being told of any; where it does
    not pass so, or its line asks for more, it is run for each. `begin` is called before each run,
    and `ended` after. The caller calls `trust.require` first.
    """
    # Here and not above: it takes 6 ms to import, and who judges evidence runs nothing.
    from ralphgit.app.processes import verify_command

    made: dict[tuple[str, str], verify_command.Run] = {}
    around, config, lines = project.around, project.config, dict[str, dict[str, Wanted]]()
    for one in wanted:
        lines.setdefault(one[2], {})[one[0]] = one

    def run(number: int, task: str, claim: str, command: str) -> verify_command.Run:
        extra = {"RALPH_TASK": task, "RALPH_CLAIM": claim, "RALPH_WORKER": project.worker}
        begin()
        with around.progress.step(command, number, len(lines)):
            return verify_command.run(
                command,
                top=top or project.top,
                environ=verify_command.environment(around.environ, config.verify_env, extra),
                timeout=config.verify_timeout,
                now=around.now(),
                heard=around.progress.heard,
            )

    for number, (command, tasks) in enumerate(lines.items(), 1):
        first = next(iter(tasks.values()))
        if len(tasks) > 1 and "RALPH_" not in command:
            done = run(number, "", "", command)
            ended(first)
            if done.passed:
                made.update({(task, command): done for task in tasks})
                continue
        for one in tasks.values():
            made[one[0], command] = run(number, *one)
            ended(one)
    return made


def of_run(
    project: Project,
    run: "verify_command.Run",
    task: Task,
    claim: str,
    subject: Subject,
    *,
    shows: str = "",
    before: int | None = None,
) -> tuple[str, bytes]:
    """Make the record of one command, bound to what it judged; its path and bytes.

    `shows`: of what it is a proof, where that is not the task's criteria. `before`: what the
    command exited with on the base without the work.
    """
    made = Evidence(
        id=project.around.new_id(),
        task=task.id,
        claim=claim,
        kind=COMMAND,
        supports=() if shows else _supports(task, run.command, run.exit_code),
        shows=shows or _shows(run.exit_code),
        does_not_show="anything that the command does not look at",
        at=stamp(run.started, fine=True),
        command=run.command,
        command_digest=digest_of(run.command),
        exit_code=run.exit_code,
        duration_s=run.duration_s,
        output=Output(run.sha256, run.bytes, run.tail),
        subject=subject,
        before=before,
    )
    path = codec.path(project.config.records, task.id, made.id)
    return path, codec.encode(made, path)


def _supports(task: Task, command: str, exit_code: int | None) -> tuple[Support, ...]:
    verdict = "supports" if exit_code == 0 else "challenges"
    return tuple(Support(criterion, verdict) for criterion in task.proved_by(command))


def _shows(exit_code: int | None) -> str:
    return f"the command exits {exit_code}"


def is_run(one: Evidence, task: Task, claim: str) -> bool:
    """Whether a record says of one of the commands of `task` just what its run says."""
    return (
        (one.kind, one.task, one.claim) == (COMMAND, task.id, claim)
        and one.shows == _shows(one.exit_code)
        and one.command in task.verify
        and one.command_digest == digest_of(one.command)
        and one.supports == _supports(task, one.command, one.exit_code)
    )
