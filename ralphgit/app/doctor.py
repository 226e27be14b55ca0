"""What a crash or a setting left behind, and what is safe to mend (law L6)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app import (
    git_locks,
    guidance,
    heartbeat,
    initial_files,
    leases,
    mine,
    proving,
    runtime,
    sharding,
    unfinished,
)
from ralphgit.app.lookaround import LEASES, Situation, read_leases
from ralphgit.app.project import Project
from ralphgit.errors import InvalidRecord, NotWritable, RalphError
from ralphgit.git import index, refs
from ralphgit.records import files

OLDEST_GIT = (2, 34)
PREVIEW_GIT = (2, 38)
#: Seconds that a lock must be old before it can be taken for a leftover.
_LOCK_AGE_S = 10.0


class Finding(NamedTuple):
    """Something that is not as it should be."""

    code: str
    severity: str
    """error, warning, or advice (no reason to fail)."""
    message: str
    hint: str
    fixable: bool = False
    fixed: bool = False


def examine(project: Project, *, fix: bool) -> list[Finding]:
    """Look for leftovers and for settings that harm; with `fix`, mend what is provably safe.

    Nothing that somebody wrote is removed: only leases that the base has moved past,
    ralphgit's own temporary files of dead processes, notes of ended claims, lock files of git
    that no living process can own, and what a killed move of the base left half-way.
    """
    found = [*_git(project), *_settings(project), *_runtime(project, fix), *_locks(project, fix)]
    found += [*_sharding(project, fix), *_unfinished(project, fix), *_grounds(project, fix)]
    found += [*_empty(project, fix), *_temporary(project, fix)]
    try:
        situation = Situation(project)
        rows = situation.base.by_id
    except RalphError as error:
        found.append(Finding("no_graph", "error", str(error), error.hint))
        return found
    found += _leases(project, situation, fix)
    try:
        found += _claims(project, situation, fix)
    except InvalidRecord as error:
        found.append(Finding("no_graph", "error", str(error), error.hint))
    found += [
        Finding(
            "unknown_dependency",
            "warning",
            f"{row.id} depends on {other}, which does not exist",
            "ralphgit check",
        )
        for row in rows.values()
        for other in row.depends_on
        if other not in rows
    ]
    return found


def _grounds(project: Project, fix: bool) -> Iterator[Finding]:
    """Worktrees in which something was proved by a process that is gone."""
    left = [worktree.path for worktree in proving.abandoned(project)]
    removed = proving.clear(project) if fix else []
    for path in left:
        yield Finding(
            "left_worktree",
            "warning",
            f"{project.show_path(path)} was left by an integration that was killed",
            "ralphgit doctor --fix",
            fixable=True,
            fixed=path in removed,
        )


def _git(project: Project) -> Iterator[Finding]:
    text = project.repository.git.line("version")
    numbers = tuple(int(n) for n in re.findall(r"\d+", text)[:2])
    if numbers < OLDEST_GIT:
        yield Finding("old_git", "error", f"{text} is too old", "install git 2.34 or newer")
    elif numbers < PREVIEW_GIT:
        yield Finding(
            "old_git",
            "advice",
            f"{text} previews merges through libgit2",
            "git 2.38 does it itself",
        )


def _on(value: str | None) -> bool:
    """Whether a setting of git's is true, in any of git's words for it."""
    return (value or "").lower() in ("true", "yes", "on", "1")


def _settings(project: Project) -> Iterator[Finding]:
    config = project.repository.config
    if _on(config.get("rerere.autoupdate")):
        yield Finding(
            "rerere",
            "warning",
            "rerere.autoupdate is on: "
            "an old resolution of a claim conflict would be staged silently",
            "git config rerere.autoupdate false",
        )
    if _on(config.get("core.autocrlf")):
        yield Finding(
            "autocrlf",
            "advice",
            "core.autocrlf rewrites line endings of records on checkout",
            "put '*.yaml text eol=lf' into .gitattributes",
        )
    top = project.repository.top
    if top is None:
        return
    paths = project.paths_in(top)
    asked = [*paths, f"{project.config.records}/audit/x.yaml"]
    out = project.repository.git.run(
        "check-attr", "-z", "--stdin", "merge", stdin="\0".join(asked).encode()
    )
    fields = out.decode("utf-8", "surrogateescape").split("\0")
    for path, value in zip(fields[::3], fields[2::3], strict=False):
        if value not in ("unspecified", "set", "text"):
            yield Finding(
                "merge_attribute",
                "error",
                f"{path} is merged by '{value}': "
                "claims would no longer conflict, or only on some machines",
                "take the merge attribute out of .gitattributes",
            )
    for path in paths:
        data = files.read(os.path.join(top, path)) or b""
        crlf = data.count(b"\r\n")
        if 0 < crlf < data.count(b"\n"):
            yield Finding(
                "mixed_line_endings",
                "warning",
                f"{path} has both kinds of line ending",
                "git add --renormalize, in a commit of its own, while nothing is claimed",
            )
    tracked = project.repository.git.run("ls-files", "-z", "--", ".ralph")
    if tracked:
        yield Finding(
            "runtime_tracked", "error", ".ralph/ is committed", "git rm -r --cached .ralph"
        )


def _runtime(project: Project, fix: bool) -> Iterator[Finding]:
    top = project.repository.top
    if top is None or not os.path.isdir(os.path.join(top, runtime.FOLDER)):
        return
    if not runtime.is_excluded(project):
        if fix:
            runtime.exclude(project)
        yield Finding(
            "not_excluded",
            "warning",
            ".ralph/ is not in .git/info/exclude",
            "ralphgit doctor --fix",
            fixable=True,
            fixed=fix,
        )


def _sharding(project: Project, fix: bool) -> Iterator[Finding]:
    """A move of the graph that was killed: completed, unless a file has been changed since or a
    lock of git's is in the way."""
    top = project.repository.top
    if top is None or not os.path.exists(os.path.join(top, sharding.NOTE)):
        return
    message, hint, fixed = "", "ralphgit doctor --fix", fix
    try:
        if fix:
            sharding.complete(project)
    except RalphError as error:
        if error.code not in ("index_locked", "half_sharded"):
            raise
        message, hint, fixed = error.message, error.hint, False
    message = message or "a move of the graph to another layout was killed half-way"
    yield Finding("half_sharded", "error", message, hint, fixable=True, fixed=fixed)


def _unfinished(project: Project, fix: bool) -> Iterator[Finding]:
    """Moves of the base that were killed: undone, unless a lock of git's is in the way."""
    for note in unfinished.notes(project):
        fixed = fix
        try:
            if fix:
                unfinished.undo(project, note)
        except RalphError as error:
            if isinstance(error, NotWritable) or error.code != "index_locked":
                raise
            fixed = False
        branch = note.ref.removeprefix("refs/heads/")
        yield Finding(
            "unfinished_move",
            "error",
            f"a move of {branch} to {note.new[:12]} was killed half-way in "
            f"{project.show_path(note.worktree)}",
            "ralphgit doctor --fix",
            fixable=True,
            fixed=fixed,
        )


def _empty(project: Project, fix: bool) -> Iterator[Finding]:
    """Graph and record files without a byte: a killed git had only begun to write them."""
    top = project.repository.top
    paths = unfinished.empty_records(project, top) if top is not None else []
    if fix and top is not None:
        unfinished.restore_empty(project, top, paths)
    for path in paths:
        yield Finding(
            "empty_record",
            "error",
            f"{path} is empty: its writing was killed",
            "ralphgit doctor --fix",
            fixable=True,
            fixed=fix,
        )


def _temporary(project: Project, fix: bool) -> Iterator[Finding]:
    """Temporary files of writes that were killed."""
    for path, process in _leftovers(project):
        # One with our own number is of a process that had it before us.
        if process != os.getpid() and heartbeat.exists(process):
            continue
        if fix:
            _unlink(path)
        yield Finding(
            "temporary_file",
            "warning",
            f"{project.show_path(path)} is left of a killed write",
            "ralphgit doctor --fix",
            fixable=True,
            fixed=fix,
        )


def _leftovers(project: Project) -> Iterator[tuple[str, int]]:
    """Each temporary file, and the number of the process that made it."""
    pattern = re.compile(
        rf"(?:{re.escape(files.TEMPORARY)}|index{re.escape(index.KEPT)})(\d{{1,9}})(?!\d)"
    )
    common, top = project.repository.common_dir, project.repository.top
    shallow = {common, os.path.join(common, "info")}
    shallow.update(git_locks.subfolders(os.path.join(common, "worktrees")))
    deep = set()
    if top is not None:
        shallow.add(top)
        shallow.update(os.path.join(top, os.path.dirname(p)) for p in project.paths_in(top))
        shallow.update(os.path.join(top, os.path.dirname(p)) for p in initial_files.OUTSIDE)
        deep = {os.path.join(top, folder) for folder in (project.config.records, runtime.FOLDER)}
    for folder in sorted({os.path.normpath(folder) for folder in shallow | deep}):
        for parent, names, leaves in os.walk(folder):
            if folder not in deep:
                names[:] = []
            for leaf in sorted(leaves):
                if found := pattern.match(leaf):
                    yield os.path.join(parent, leaf), int(found.group(1))


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise NotWritable(f"cannot remove {path}: {error.strerror}") from error


def _leases(project: Project, situation: Situation, fix: bool) -> Iterator[Finding]:
    known = read_leases(project)
    for name, ref in project.repository.refs.items():
        if not name.startswith(LEASES):
            continue
        task = name.removeprefix(LEASES)
        lease = known.get(task)
        if lease is None:
            if fix:
                refs.swap(project.repository.git, name, new="", old=ref.oid)
            yield Finding(
                "bad_lease",
                "error",
                f"{name} holds no lease",
                "ralphgit doctor --fix",
                fixable=True,
                fixed=fix,
            )
        elif leases.is_dead(lease, situation.base.by_id.get(task)):
            if fix:
                leases.drop(project, lease)
            yield Finding(
                "dead_lease",
                "advice",
                f"the lease of {lease.by} on {task} guards nothing any more",
                "ralphgit doctor --fix",
                fixable=True,
                fixed=fix,
            )
        elif lease.host == heartbeat.host() and not _is_worktree(lease.worktree):
            there = os.path.isdir(lease.worktree)
            what = "is no worktree any more (.git is missing)" if there else "is gone"
            yield Finding(
                "stale_lease",
                "error",
                f"{task} is held by {lease.by}, whose worktree {lease.worktree} {what}",
                guidance.reset_command(project, task),
            )


def _is_worktree(path: str) -> bool:
    return os.path.isdir(path) and os.path.lexists(os.path.join(path, ".git"))


def _claims(project: Project, situation: Situation, fix: bool) -> Iterator[Finding]:
    if project.repository.top is None:
        return
    for lease in mine.open_claims(project, situation):
        row = project.here.by_id.get(lease.task)
        if leases.is_dead(lease, situation.base.by_id.get(lease.task)):
            yield Finding(
                "claim_lost",
                "error",
                f"this worktree's claim on {lease.task} no longer stands",
                f"ralphgit complete {lease.task} says who has it, and keeps your work",
            )
        elif row is None or row.claim != lease.claim:
            yield Finding(
                "record_missing",
                "warning",
                f"this worktree holds {lease.task}, and its claim is not in the files",
                f"ralphgit claim {lease.task}",
            )
    noted = runtime.remembered(project.top)
    row = situation.base.by_id.get(noted.task) if noted else None
    if (
        noted is not None
        and row is not None
        and row.status == "complete"
        and row.claim == noted.claim
    ):
        if fix:
            runtime.forget(project.top)
        yield Finding(
            "old_note",
            "advice",
            f"{runtime.CURRENT} notes {noted.task}, which has landed",
            "ralphgit doctor --fix",
            fixable=True,
            fixed=fix,
        )


# -- locks of git ------------------------------------------------------------------------


def _locks(project: Project, fix: bool) -> Iterator[Finding]:
    """Lock files that a killed git left; while any git works in this repository, none is."""
    locks = list(git_locks.found(project))
    if not locks:
        return
    for path in locks:
        # An index is locked by a git in its own worktree; anything else by any of them.
        busy = git_locks.git_at_work(git_locks.users(project, path))
        try:
            age = project.around.now() - os.stat(path).st_mtime
        except FileNotFoundError:
            continue
        dead = not busy and age > _LOCK_AGE_S
        if dead and fix:
            _unlink(path)
        what = "was left by a git process that is gone" if dead else "exists, and may be in use"
        yield Finding(
            "git_lock",
            "error" if dead else "warning",
            f"{project.show_path(path)} {what}",
            "ralphgit doctor --fix" if dead else "wait for git to finish, then look again",
            fixable=dead,
            fixed=dead and fix,
        )
