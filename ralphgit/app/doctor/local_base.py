"""Find a local base branch that has gone another way than its remote, and bring it back."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ralphgit.app.doctor.finding_kinds import Finding, fixable
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.model.printable import counted

#: Of so many commits, the newest, what they touch is looked at.
_MOST_COMMITS = 200
_NAMED = 3


def find(project: Project, fix: bool) -> Iterator[Finding]:
    """Find local commits beside newer ones of the remote; a base that is only ahead is no finding.

    With `fix`, where they touch nothing but the graph and records, the local branch goes to where
    its remote is. What the remote has not of them is on a branch of its own then. Others stay.
    """
    base, local = project.base, project.repository.refs.get(f"refs/heads/{project.base.branch}")
    if not base.remote or local is None or local.oid == base.commit:
        return
    from ralphgit.git import worktrees  # most bases have not gone another way

    fork = worktrees.fork(project.repository.git, base.commit, local.oid)
    if fork in ("", local.oid, base.commit):
        return
    commits, work = _commits(project, local.oid)
    if work:
        named = "; ".join(work[:_NAMED]) + "; ..." * (len(work) > _NAMED)
        said = f"the local {base.branch} and {base.label} have diverged, and not by records alone"
        hint = f"git log --oneline {shlex.quote(f'{base.label}..{base.branch}')}"
        yield Finding("diverged_base", "warning", f"{said}: {named}", hint)
        return
    many = counted(commits, "commit")
    said = f"the local {base.branch} and {base.label} have diverged by {many} of records"
    try:
        if fix:
            said += _mend(project, local.oid)
    except GuardRefused as error:
        yield Finding(
            "diverged_base", "warning", f"{said}; {error.message}", error.hint, fixable=True
        )
        return
    yield fixable("diverged_base", "warning", said, fix)


def _commits(project: Project, tip: str) -> tuple[int, list[str]]:
    """How many commits the base has not, and those that touch more than records, as lines."""
    from ralphgit.app.workspace import record_tree
    from ralphgit.git import trees

    out = project.repository.git.run(
        "log", "--no-merges", f"--max-count={_MOST_COMMITS}", "--format=%H %P%x00%h %s",
        tip, f"^{project.base.commit}",
    )  # fmt: skip
    lines = [line for line in out.decode("utf-8", "replace").split("\n") if line]
    work = []
    for ids, _, shown in (line.partition("\0") for line in lines):
        commit, _, parent = ids.partition(" ")
        paths = trees.differing(project.repository.objects, parent or "", commit) if parent else []
        if not parent or not all(record_tree.is_record(project, path) for path in paths):
            work.append(shown)
    return len(lines), work


def _mend(project: Project, tip: str) -> str:
    """Move the local branch; where what it had is now, as the end of a sentence."""
    from ralphgit.app.base import is_landed, update_base
    from ralphgit.app.base.records_in_review import PREFIX
    from ralphgit.git import refs

    kept = ""
    if not is_landed.landed(project, tip) and not is_landed.has_records(project, tip):
        name = f"{PREFIX}{project.base.branch}-{tip[:8]}"
        ref = f"refs/heads/{name}"
        known = refs.current(project.repository.objects, ref)
        refs.swap(project.repository.git, ref, new=tip, old=known)
        project.moved(ref, tip)
        kept = f"; they are on {name}, and come to the base by: ralphgit land {shlex.quote(name)}"
    update_base.put_back(project, tip)
    return kept or f"; {project.base.label} has what they did"
