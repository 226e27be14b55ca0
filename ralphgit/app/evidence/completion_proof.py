"""Find what verifies one completion, without a look at any other task, and what is missing."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence.judged_evidence import JudgedState, TaskEvidence
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.processes import verify_command
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import InvalidRecord, Refused
from ralphgit.model.task import Task
from ralphgit.records import atomic_files
from ralphgit.records import evidence_file as codec
from ralphgit.rules import evidence_verdict

_SHOWN_LINES = 12
"""How much of a failed command's output is shown; JSON has all that is kept."""


def of_commit(project: Project, task: str, commit: str) -> TaskEvidence:
    """Judge the evidence of a task that `commit` has, against the files of that commit."""
    objects = project.repository.objects
    folder = codec.folder(project.config.records, task)
    listed = objects.files([commit], (), (folder,), lambda path: path.endswith(".yaml"))[commit]
    contents = objects.read(oid for _, oid in listed)
    blobs = {path: contents[oid] for path, oid in listed}
    tree = Tree("", (), tuple(blobs), blobs.get)
    place = JudgedState(project.view(commit, commit[:12]), tree, Content(project, commit))
    return judged_evidence.surveyed(project, place, [task])[0]


def is_observed(project: Project, promised: Task, claim: str, tree: str) -> bool:
    """Whether the evidence in this worktree verifies a task whose files are those of `tree`."""
    folder = codec.folder(project.config.records, promised.id)
    files = Content(project, tree)
    found = []
    try:
        names = sorted(os.listdir(project.file(folder)))
    except (FileNotFoundError, NotADirectoryError):
        return False
    for name in names:
        try:
            one = codec.parse(atomic_files.read(project.file(f"{folder}/{name}")) or b"")
        except InvalidRecord:
            continue  # `check` says it
        if one.task == promised.id and judged_evidence.is_fresh(one, promised, files):
            found.append((one, True))
    commands = judged_evidence.asked(project, promised)
    judged = evidence_verdict.judged(found, commands=commands, claim=claim)
    return evidence_verdict.is_verified(promised.acceptance, judged)


def failure(project: Project, run: verify_command.Run) -> str:
    """Say in a sentence how a verify command failed."""
    limit = project.config.verify_timeout
    how = f"ran longer than {limit:g} s" if run.timed_out else f"exit {run.exit_code}"
    return f"verify failed ({how}): {run.command}"


def not_done(
    task: str,
    missing: list[str],
    runs: Sequence[verify_command.Run],
    outside: list[str],
    *,
    hint: str = "",
) -> Refused:
    """The refusal that lists what is missing, with the end of what failed commands printed."""
    failed = [run for run in runs if not run.passed]
    shown = ("command", "exit_code", "duration_s", "tail")
    verify = [{name: getattr(run, name) for name in shown} for run in runs]
    data = {"task": task, "missing": missing, "verify": verify}
    lines = [f"- {sentence}" for sentence in missing]
    for run in failed:
        if tail := run.tail.splitlines()[-_SHOWN_LINES:]:
            lines += ["", f"the end of what it printed: {run.command}"]
            lines += [f"| {line}" for line in tail]
    return Refused(
        f"{task} is not done; nothing was committed",
        code="verification_failed" if failed else "not_done",
        hint=hint or f"ralphgit complete {task}",
        details={"task": task, "missing": missing, **({"outside": outside} if outside else {})},
        lines=lines,
        data=data,
    )
