"""What only history tells: evidence is never edited, so a file is as the commit that added it."""

from __future__ import annotations

import os

from ralphgit.app.judging import KINDS, Problem
from ralphgit.app.project import Project
from ralphgit.records.files import read


def edited_evidence(project: Project, commit: str = "") -> list[Problem]:
    """Evidence that is not what was first committed, on `commit` or in this worktree.

    Of what was edited and put back since nothing is said; neither is of what a shallow clone's
    history does not have.
    """
    worktree = project.repository.worktree
    head = commit or (worktree.head if worktree else "")
    folder = f"{project.config.records}/{KINDS[0]}"
    if not head or project.repository.objects.resolve([f"{head}:{folder}"])[0] is None:
        return []
    first = _first_added(project, head, folder)
    listed = project.repository.objects.files([head], (), (folder,), lambda _: True)[head]
    changed = [path for path, oid in listed if first.get(path, oid) != oid]
    gone = sorted(set(first) - {path for path, _ in listed})
    if not commit:
        here = _changed_here(project, folder, "MT")
        changed = [path for path in changed if path not in here]
        changed += [path for path in here if not _is_first(project, path, first)]
        gone += _changed_here(project, folder, "D")
    return [
        *(_problem(project, path, first, "edited", "error") for path in dict.fromkeys(changed)),
        *(_problem(project, path, first, "removed", "warning") for path in dict.fromkeys(gone)),
    ]


def _first_added(project: Project, head: str, folder: str) -> dict[str, str]:
    """The blob that each file below `folder` was when it was first committed."""
    out = project.repository.git.run(
        "log", "--format=", "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=A",
        head, "--", folder,
    )  # fmt: skip
    fields = out.decode("utf-8", "surrogateescape").split("\0")
    # Newest first, so what is read last is the oldest.
    return {
        path: meta.split()[3] for meta, path in zip(fields[:-1:2], fields[1::2], strict=True)
    }  # fmt: skip


def _changed_here(project: Project, folder: str, filter: str) -> list[str]:
    """Files below `folder` that this worktree or its index has otherwise than HEAD."""
    out = project.repository.git.run(
        "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-relative",
        f"--diff-filter={filter}", "HEAD", "--", f":(top,literal){folder}",
    )  # fmt: skip
    return [path for path in out.decode("utf-8", "surrogateescape").split("\0") if path]


def _is_first(project: Project, path: str, first: dict[str, str]) -> bool:
    """Whether the file in this worktree is what was first committed, its line ends aside."""
    data = read(os.path.join(project.top, path)) or b""
    blob_id = project.repository.objects.blob_id
    return first.get(path) in (blob_id(data), blob_id(data.replace(b"\r\n", b"\n")))


def _problem(
    project: Project, path: str, first: dict[str, str], what: str, severity: str
) -> Problem:
    task = path.removeprefix(f"{project.config.records}/evidence/").partition("/")[0]
    oid = first.get(path, "")
    restore = f"git cat-file blob {oid[:12]} > {path}" if oid else f"git checkout HEAD -- {path}"
    return Problem(
        code=f"{what}_evidence",
        severity=severity,
        file=path,
        task=task,
        message=f"evidence is never {what}: who observes again writes another record",
        hint=restore,
    )
