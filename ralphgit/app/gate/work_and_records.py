"""Find work and records of a change that belong to different claims.

A conflict that was resolved with one side's record and the other side's files leaves such, and git
says nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ralphgit.app.evidence import changed_paths, judged_evidence
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.gate import reverts
from ralphgit.app.gate.changed import BranchChange, Span
from ralphgit.app.gate.problem import Problem, in_file, place
from ralphgit.app.workspace import graph_view, record_tree
from ralphgit.app.workspace.project import Project
from ralphgit.git import path_history, trees
from ralphgit.model.task import Task
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Mode
from ralphgit.records import audit_file, task_mapping
from ralphgit.rules import work_and_records as rules
from ralphgit.rules.active_scopes import bad_pattern
from ralphgit.rules.pattern_overlap import covers_any


def problems(project: Project, span: Span, made: BranchChange, files: Content) -> Iterator[Problem]:
    """Find what does not belong together; `files` are as after the change."""
    changed = trees.differing(span.objects, span.old, span.new)
    paths = [path for path in changed if not record_tree.is_record(project, path)]
    yield from _other_work(project, span, made, paths)
    yield from _other_evidence(project, span, made)
    for row in made.completed:
        seen = (files, Content(project, span.head))
        yield from _work_missing(project, made, row, paths, seen)


def _other_work(
    project: Project, span: Span, made: BranchChange, paths: Sequence[str]
) -> Iterator[Problem]:
    """Find the work of claims that the branch has had, and that another one has won."""
    own = [row for row in made.moved if row.claim]
    if any(not row.write for row in own):
        return  # any file may be its work
    paths = [path for path in paths if not any(_is_of(row, path) for row in own)]
    folder = f"{project.config.records}/audit/"
    if not paths or not any(row.claim for row in made.before.values()):
        return
    git = project.repository.git
    # Also where a merge has left them out again: that is how they are lost.
    added = path_history.changes(git, [span.head], [span.old], [folder], "A", merges=False)
    contents = span.objects.read(f"{one.commit}:{one.path}" for one in added)
    for one in sorted(added):
        task, _, claim = one.path.removeprefix(folder).removesuffix(".yaml").partition("/")
        row, known = made.after.get(task), made.before.get(task)
        is_attempt = reverts.claim_of(contents.get(f"{one.commit}:{one.path}")) == claim
        if row is None or known is None or not is_attempt:  # else it is a review
            continue
        mine = [path for path in paths if _is_of(row, path)]
        label = project.base.label
        fault = rules.other_work(row, claim, mine, base=known.claim, label=label)
        if fault is not None:
            yield place(made.tree, fault, made.after)


def _is_of(row: Row, path: str) -> bool:
    """Whether a file is a task's: in its write scope, or an output; without either, any is."""
    if row.write:
        return bad_pattern(row) is None and covers_any(row.write, path)
    outputs = _task(row).outputs
    return not outputs or any(changed_paths.is_output(one, path) for one in outputs)


def _other_evidence(project: Project, span: Span, made: BranchChange) -> Iterator[Problem]:
    folder = f"{project.config.records}/evidence/"
    present = set(made.tree.records)
    for path in trees.differing(span.objects, span.old, span.new, kinds="A"):
        task = path.removeprefix(folder).partition("/")[0]
        row = made.after.get(task)
        if not path.startswith(folder) or row is None:
            continue
        claim = reverts.claim_of(made.tree.content(path))
        audit = audit_file.path(project.config.records, task, claim)
        fault = rules.other_evidence(row, claim, path, has_audit=audit in present)
        if fault is not None:
            code, task, said, hint, _ = fault
            yield in_file(code, made.tree, path, said, hint, task=task)


def _work_missing(
    project: Project, made: BranchChange, row: Row, paths: Sequence[str], seen: Sequence[Content]
) -> Iterator[Problem]:
    task, old = _task(row), made.before.get(row.id)
    promised = _task(old) if old is not None else task
    audit = audit_file.path(project.config.records, row.id, row.claim)
    if promised.mode == Mode.VERIFY or b"force-completed" in (made.tree.content(audit) or b""):
        return
    records = judged_evidence.recorded(project, made.tree, [row.id]).get(row.id, {}).values()
    wanted = {judged_evidence.digest_of(command) for command in promised.verify}
    own = (one for one in records if one.claim == row.claim and one.exit_code == 0)
    runs = [one for one in own if one.command_digest in wanted]
    # Where the base alone has moved on, the work is there.
    bound = (judged_evidence.is_fresh(one, each, files)
             for one in runs for each in (task, promised) for files in seen)  # fmt: skip
    if not runs and promised.verify:
        return  # missing evidence is found elsewhere
    mine = [path for path in paths if _is_of(old or row, path)]
    fault = rules.work_missing(row, verified=not runs or any(bound), changed=mine)
    if fault is not None:
        yield place(made.tree, fault, made.after)


def _task(row: Row) -> Task:
    return task_mapping.task(graph_view.stored(row))
