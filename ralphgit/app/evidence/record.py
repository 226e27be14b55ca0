"""Record an observation made by hand, and rerun stale commands (SPEC 3.2)."""

import hashlib
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.evidence import changed_paths, judged_evidence, run_verify_commands, tree_digest
from ralphgit.app.evidence.judged_evidence import TaskEvidence
from ralphgit.app.processes import trust
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project, stamp
from ralphgit.errors import GuardRefused, Refused, UsageError
from ralphgit.git import index, scratch_index
from ralphgit.git.objects import scratch_folder
from ralphgit.model import paths
from ralphgit.model.evidence import ARTIFACT, OBSERVATION, Artifact, Evidence, Subject, Support
from ralphgit.model.task import Task
from ralphgit.records import atomic_files
from ralphgit.records import evidence_file as codec
from ralphgit.records.redact_secrets import redact, secrets_in
from ralphgit.rules import evidence_verdict


class RecordOptions(NamedTuple):
    task: str
    shows: str
    does_not_show: str = ""
    kind: str = ""
    """"" is an artifact where one is named, else an observation."""
    artifact: str = ""
    """A file's path, from the folder in which the command is run."""
    verdicts: tuple[Support, ...] = ()


class Added(NamedTuple):
    path: str
    evidence: Evidence


def add(project: Project, options: RecordOptions) -> Added:
    """Write an observation about a task, bound to this worktree's content, and stage the record.

    Raises: UnknownTask, UsageError (unknown_criterion, bad_artifact), GuardRefused, NotWritable.
    """
    with WorktreeLock(project):
        task = project.require_here().task(options.task)
        refuse_unknown(task, options.verdicts)
        artifact = _artifact(project, options.artifact) if options.artifact else None
        with tree_digest.here(project) as here:
            subject = here.subject(task.scope, project.repository.known_head)
        claim = task.claim.id if task.claim else ""
        made = observation(project, claim, subject, options, artifact)
        path = codec.path(project.config.records, task.id, made.id)
        write(project, {path: codec.encode(made, path)})
    return Added(path, made)


def observation(
    project: Project,
    claim: str,
    subject: Subject,
    options: RecordOptions,
    artifact: Artifact | None = None,
) -> Evidence:
    """The record of what this worker observed about `subject`, which is nowhere yet."""
    secrets = secrets_in(project.around.environ)
    return Evidence(
        id=project.around.new_id(),
        task=options.task,
        claim=claim,
        kind=options.kind or (ARTIFACT if artifact else OBSERVATION),
        supports=options.verdicts,
        shows=redact(options.shows, secrets),
        does_not_show=redact(options.does_not_show, secrets),
        by=project.worker,
        at=stamp(project.around.now(), fine=True),
        artifact=artifact,
        subject=subject,
    )


def write(project: Project, records: Mapping[str, bytes]) -> None:
    """Write new records into this worktree and stage them; all of them, or none.

    Raises: GuardRefused (record_too_large), NotWritable, GitError.
    """
    for path, data in records.items():
        require_small(project, path, data)
    runtime_files.prepare(project)
    with index.Snapshot(project.repository) as staged, atomic_files.Undo() as undo:
        undo.on_failure(staged.restore)
        for path, data in records.items():
            undo.write(project.file(path), data)
        index.add(project.repository.git, list(records))


def require_small(project: Project, path: str, data: bytes) -> None:
    """Refuse a record that is too large. Raises: GuardRefused (record_too_large)."""
    if len(data) > (limit := project.config.max_record_bytes):
        raise GuardRefused(
            f"{path} would have {len(data)} bytes, and a record may have {limit}; "
            "nothing was written",
            code="record_too_large",
            hint="use fewer words, or commit a file and name it with --artifact",
        )


def refuse_unknown(task: Task, verdicts: Sequence[Support]) -> None:
    """Refuse a verdict on what is no criterion. Raises: UsageError (unknown_criterion)."""
    known = {text for item in task.acceptance for text in (item.id, item.text)}
    for entry in verdicts:
        if entry.criterion not in known:
            names = ", ".join(item.id for item in task.acceptance) or "none"
            raise UsageError(
                f"{task.id} has no criterion {entry.criterion} (it has: {names}); "
                "nothing was written",
                code="unknown_criterion",
                hint=f"ralphgit show {task.id}",
                details={"task": task.id, "criterion": entry.criterion},
            )


def _artifact(project: Project, name: str) -> Artifact:
    full = os.path.realpath(os.path.join(project.around.directory, name))
    top = os.path.realpath(project.top)
    path = os.path.relpath(full, top)
    if paths.fault(path) or not os.path.isfile(full):
        raise UsageError(
            f"{name} is not a file of this worktree; nothing was written",
            code="bad_artifact",
            hint="name a file that is or will be committed",
        )
    with open(full, "rb") as file:
        digest, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
    git = project.repository.git
    if not index.tracked(git, [path]) and path not in index.untracked(git, [path]):
        project.warn(f"git ignores {path}: the record has its digest, and no commit its content")
    return Artifact(path, digest, size)


# -- again ---------------------------------------------------------------------------------


class Rerun(NamedTuple):
    """A command that was run again."""

    task: str
    command: str
    exit_code: int
    path: str
    """Its new record."""


class Verified(NamedTuple):
    tasks: tuple[TaskEvidence, ...]
    """After the reruns."""
    asked: Mapping[str, tuple[str, ...]]
    """The commands of each task, as the base asks for them."""
    reruns: tuple[Rerun, ...]

    @property
    def unproved(self) -> list[tuple[str, str]]:
        """Commands of complete tasks that have no record at all, with their task."""
        return [
            (one.row.id, command)
            for one in self.tasks
            if one.row.status == "complete"
            for command in self.asked[one.row.id]
            if all(filed.judged.evidence.command != command for filed in one.records)
        ]

    @property
    def stale(self) -> list[tuple[TaskEvidence, Evidence]]:
        """Evidence that is stale and has no newer record; of commands, those still asked for."""
        return [
            (one, judged.evidence)
            for one in self.tasks
            for judged in one.judged
            if not (judged.fresh or judged.superseded)
            and judged.evidence.command in ("", *self.asked[one.row.id])
        ]

    @property
    def failed(self) -> list[tuple[TaskEvidence, Evidence]]:
        """The commands that do not pass on the content as it is."""
        return [
            (one, judged.evidence)
            for one in self.tasks
            for judged in one.judged
            if judged.counts and judged.evidence.failed
        ]


def again(project: Project, tasks: Sequence[str] = (), *, rerun: bool = False) -> Verified:
    """Check whether the evidence about `tasks` (by default all) still holds in this worktree.

    With `rerun`, the verify commands whose evidence is stale, and only those, are run as the base
    has them, and their new records are staged. Stale observations and artifacts are not renewed.

    Raises: UnknownTask, NeedsPerson (untrusted), GuardRefused, NotWritable.
    """
    if not rerun:
        return _verified(project, tasks, ())
    with WorktreeLock(project):
        reruns = _rerun(project, judged_evidence.survey(project, tasks))
        return _verified(project, tasks, reruns)


def _verified(project: Project, tasks: Sequence[str], reruns: Sequence[Rerun]) -> Verified:
    found = tuple(judged_evidence.survey(project, tasks))
    asked = {one.row.id: judged_evidence.promised(project, one.row.id).verify for one in found}
    return Verified(found, asked, tuple(reruns))


def _rerun(project: Project, found: Sequence[TaskEvidence]) -> list[Rerun]:
    wanted = []
    for one in found:
        promised = judged_evidence.promised(project, one.row.id)
        if one.records or one.row.status == "complete":
            missing = evidence_verdict.unproved(promised.verify, one.judged)
            wanted += [(promised, one.row.claim, command) for command in missing]
    commands = list(dict.fromkeys(command for _, _, command in wanted))
    trust.require(project, commands)
    outputs = [output for task, _, _ in wanted for output in task.outputs]
    with scratch_folder() as scratch:
        before = scratch_index.Scratch(project.repository, scratch, believed=False)
        before.add_all()
        if hidden := changed_paths.hidden(project, before):
            raise Refused(
                f"{hidden[0]}; nothing was run", code="not_done", lines=hidden[1:],
                hint="git ls-files -v",
            )  # fmt: skip
        tree = changed_paths.tree_to_judge(project, before, outputs)
        judged = tree_digest.Content(project, tree)
        lines = [(task.id, claim, line) for task, claim, line in wanted]
        with before.in_place():
            runs = run_verify_commands.run_each(project, lines)
        spoilt, _ = changed_paths.after_verification(project, before, tree, outputs)
    if spoilt:
        raise Refused(
            f"a verify command changed {spoilt[0]}; nothing was recorded",
            code="not_done",
            hint=f"git diff -- {shlex.quote(spoilt[0])}",
            details={"files": spoilt},
        )
    reruns, records = [], {}
    for task, claim, command in wanted:
        subject = judged.subject(task.scope, project.repository.known_head)
        run = runs[task.id, command]
        path, data = run_verify_commands.of_run(project, run, task, claim, subject)
        records[path] = data
        reruns.append(Rerun(task.id, command, run.exit_code, path))
    if records:
        write(project, records)
    return reruns
