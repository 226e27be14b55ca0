"""Find what verifies one completion, without a look at any other task."""

from __future__ import annotations

import os

from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence.judged_evidence import JudgedState, TaskEvidence
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import InvalidRecord
from ralphgit.model.task import Task
from ralphgit.records import atomic_files
from ralphgit.records import evidence_file as codec
from ralphgit.rules import evidence_verdict


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
    judged = evidence_verdict.judged(found, claim=claim)
    return evidence_verdict.is_verified(promised.acceptance, judged)
