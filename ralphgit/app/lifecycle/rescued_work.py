"""Show kept work, bring it back, and let it go: what is under `refs/ralph/rescue/`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ralphgit.app.active_claims import leases
from ralphgit.app.active_claims.claim_map import read_leases
from ralphgit.app.lifecycle import rescue_refs
from ralphgit.app.workspace import plan_changes, record_tree
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, Refused, UsageError
from ralphgit.git import refs, trees
from ralphgit.git.merge_preview import merge_base_told
from ralphgit.model.active_claim import RESCUE


class Kept(NamedTuple):
    """A rescue ref."""

    ref: str
    task: str
    """Whose work it is, or `worktree-NAME`."""
    claim: str
    commit: str
    status: str
    """Of the task on the base; "" where the base has it not."""
    files: tuple[str, ...]
    """What it changes since it left the base, without records and graph."""
    left: tuple[str, ...]
    """Those of them that the base has otherwise."""
    landed: bool
    """Whether the base has all that it holds."""


def has_work(project: Project, ref: str) -> bool:
    """Whether a rescue ref holds more than records: of a claim under which nobody did anything
    its audit is kept all the same.
    """
    repository, objects = project.repository, project.repository.objects
    commit = repository.refs[ref].oid
    fork = merge_base_told(repository, project.base.commit, commit)
    return not fork or any(
        not record_tree.is_record(project, path)
        for side in (commit, *filter(None, objects.resolve([f"{commit}^2"])))
        for path in trees.differing(objects, fork, side)
    )


def names(project: Project) -> list[str]:
    """List the rescue refs."""
    return sorted(name for name in project.repository.refs if name.startswith(RESCUE))


def listed(project: Project, wanted: str = "") -> list[Kept]:
    """List kept work: all of it, or what the task, or the ref, `wanted` names. Reads only.

    Raises: UsageError (unknown_ref), InvalidRecord, GuardRefused (no_commit).
    """
    chosen = [ref for ref in names(project) if _is(ref, wanted)]
    if wanted and not chosen:
        raise UsageError(
            f"nothing is kept of {wanted}", code="unknown_ref", hint="ralphgit rescue list"
        )
    return [_looked_at(project, ref) for ref in chosen]


def _is(ref: str, wanted: str) -> bool:
    short = ref.removeprefix(RESCUE)
    return not wanted or wanted in (ref, short, short.partition("/")[0], f"ralph/rescue/{short}")


def one(project: Project, wanted: str) -> Kept:
    """Find the one ref that `wanted` names. Raises: UsageError (unknown_ref, ambiguous)."""
    found = listed(project, wanted)
    if len(found) > 1:
        raise UsageError(
            f"{wanted} has {len(found)} rescue refs; name one of them, such as "
            f"{found[-1].ref.removeprefix(RESCUE)}",
            code="ambiguous", hint="ralphgit rescue list",
        )  # fmt: skip
    return found[0]


def _looked_at(project: Project, ref: str) -> Kept:
    repository, base = project.repository, project.require_base().commit
    objects, commit = repository.objects, repository.refs[ref].oid
    task, _, claim = ref.removeprefix(RESCUE).partition("/")
    fork = merge_base_told(repository, base, commit)
    # What was staged and is nowhere else is a second parent.
    sides = [commit, *(oid for oid in objects.resolve([f"{commit}^2"]) if oid)]
    paths, left, records = dict[str, None](), dict[str, None](), False
    for side in sides if fork else ():
        changed = trees.differing(objects, fork, side)
        own = [path for path in changed if not record_tree.is_record(project, path)]
        here = objects.resolve([f"{side}:{path}" for path in own])
        there = objects.resolve([f"{base}:{path}" for path in own])
        paths.update(dict.fromkeys(own))
        left.update({p: None for p, a, b in zip(own, here, there, strict=True) if a != b})
        records = records or not _plan_landed(project, fork, side, task)
    row = project.base_view.known(task)
    landed = bool(fork) and not left and not records
    status = row.status if row else ""
    return Kept(ref, task, claim, commit, status, tuple(paths), tuple(left), landed)


def _plan_landed(project: Project, fork: str, side: str, task: str) -> bool:
    """Whether the base has what was planned there: every block but that of the rescued `task`, and
    what the graph says beside its tasks.
    """
    began, base = project.view(fork, fork[:12]), project.base_view
    try:
        there = project.view(side, side[:12])
    except InvalidRecord:
        return False
    if there.shards != began.shards:
        landed = [plan_changes.beside_tasks(view) for view in (began, base)]
        for path, said in plan_changes.beside_tasks(there).items():
            if all(one.get(path) != said for one in landed):
                return False
    before = {row.id: row.json for row in began.rows}
    after = {row.id: row.json for row in there.rows}
    now = {row.id: row.json for row in base.rows}
    changed = [name for name in after if before.get(name) != after[name]]
    return all(
        plan_changes.promise(after[name]) == plan_changes.promise(now.get(name, "{}"))
        if name == task else after[name] == now.get(name)
        for name in changed
    )  # fmt: skip


def patch(project: Project, kept: Kept) -> str:
    """Return what the kept work changes in files other than records, as a patch."""
    git = project.repository.git
    fork = merge_base_told(project.repository, project.base.commit, kept.commit)
    if not kept.files or not fork:
        return ""
    out = git.run("--literal-pathspecs", "diff", "--binary", "--no-ext-diff", "--no-color",
                  "--no-textconv", fork, kept.commit, "--", *kept.files)  # fmt: skip
    return out.decode("utf-8", "surrogateescape")


def apply(project: Project, kept: Kept) -> None:
    """Bring the kept files into this worktree, staged; records stay as they are here.

    All of it or nothing: where it does not fit, nothing is changed.

    Raises: Refused (does_not_apply), GuardRefused in a bare repository.
    """
    made = patch(project, kept)
    if not made:
        return
    git = project.repository.git
    assert project.top
    told = git.try_run("apply", "--index", "-", stdin=made.encode("utf-8", "surrogateescape"))
    if told.status:
        lines = told.err.decode("utf-8", "replace").splitlines()
        raise Refused(
            f"the work in {kept.ref} does not fit onto this worktree; nothing was changed",
            code="does_not_apply", lines=[f"  {line}" for line in lines[:10]],
            hint=f"git cherry-pick --no-commit {kept.commit}",
        )  # fmt: skip


def drop(project: Project, kept: Kept) -> bool:
    """Remove a rescue ref, if it is still what was looked at."""
    gone = refs.swap(project.repository.git, kept.ref, new="", old=kept.commit)
    if gone:
        project.moved(kept.ref, "")
        rescue_refs.share(project, kept.ref, "", old=kept.commit)
    return gone


def landed(project: Project) -> list[Kept]:
    """List the rescue refs whose work the base has."""
    return [kept for kept in listed(project) if kept.landed]


def drop_landed(project: Project) -> list[Kept]:
    """Remove every rescue ref whose work the base has."""
    return [kept for kept in landed(project) if drop(project, kept)]


def clear_landed(project: Project, tasks: Iterable[str] = ()) -> None:
    """Drop the leases that the base has moved past; of their tasks, and of `tasks`, which have
    just landed, also the rescue refs whose work the base has.
    """
    ended = leases.drop_dead(project, read_leases(project), project.base_view)
    drop_landed_of(project, [*ended, *tasks])


def drop_landed_of(project: Project, tasks: Iterable[str]) -> None:
    """Remove the rescue refs of `tasks` whose work the base has."""
    wanted = {*tasks}
    for ref in names(project):
        if ref.removeprefix(RESCUE).partition("/")[0] in wanted:
            kept = _looked_at(project, ref)
            if kept.landed:
                drop(project, kept)
