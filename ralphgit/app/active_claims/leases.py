"""Take and drop leases: at most one per task among all worktrees that share refs (SPEC 4)."""

from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import marked, read_leases
from ralphgit.app.active_claims.other_bases import (
    elsewhere,
    has_remote_leases,
    lease_place,
    lease_places,
)
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError, RemoteUnavailable
from ralphgit.git import refs
from ralphgit.git.child_process import Child
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_row import Row
from ralphgit.records import lease_object as codec
from ralphgit.rules.lost_claim import is_overtaken


class Taken(NamedTuple):
    lease: Lease


class LeaseProcesses(NamedTuple):
    """The processes that take a lease, started before it is known which task's."""

    blob: Child
    ref: Child


class LeaseHeld(NamedTuple):
    """Somebody else has it; `by` is None where the holder cannot be read."""

    by: Lease | None


def begin(project: Project) -> LeaseProcesses | None:
    """Have git get ready to take a lease, while we look whose; None where leases are off."""
    if project.config.lease == "off":
        return None
    repository = project.repository
    return LeaseProcesses(repository.begun("blob"), repository.begun("refs change"))


def acquire(
    project: Project, lease: Lease, row: Row | None, *, begun: LeaseProcesses | None = None
) -> Taken | LeaseHeld:
    """Take the lease on a task by compare-and-swap.

    Of any number of callers at most one gets it. An overtaken lease is replaced. In mode
    `remote` the lease is also pushed, create-only, so that other machines see it; an
    unreachable remote, or one that takes no such refs, is warned of. In mode `off` the lease is
    granted and not stored. `begun` is from `begin`, and used up.

    Raises: RemoteUnavailable and PushRefused (require_remote only); there is no lease then.
    """
    mode = project.config.lease
    git = project.repository.git
    if mode == "off":
        return Taken(lease)
    ref = lease_place(project) + lease.task
    blob, create = begun or (None, None)
    oid = project.repository.objects.write_blob(codec.encode(lease), begun=blob)
    if not refs.swap(git, ref, new=oid, old="", begun=create):
        project.repository.forget_refs()
        other = read_leases(project).get(lease.task)
        if other is None or not is_overtaken(other, row):
            return LeaseHeld(other)
        if not refs.swap(git, ref, new=oid, old=other.oid):
            return LeaseHeld(None)
    project.moved(ref, oid)
    taken = lease._replace(oid=oid)
    if has_remote_leases(project):
        try:
            held = _push(project, taken, row)
        except BaseException:  # also a signal: a lease that others cannot see is none
            _remove(project, ref, oid)
            raise
        if held is not None:
            _remove(project, ref, oid)
            return held
    return Taken(taken)


def _push(project: Project, lease: Lease, row: Row | None) -> LeaseHeld | None:
    from ralphgit.git import remote  # only leases that travel need it

    git, where, timeout = project.repository.git, project.base.remote, project.config.fetch_timeout
    ref = lease_place(project) + lease.task
    try:
        if remote.push(git, where, lease.oid, ref, old="", timeout=timeout, hooks=False):
            return None
        other = _fetch(project, lease.task)
        if other is not None and is_overtaken(other, row):
            if remote.push(git, where, lease.oid, ref, old=other.oid, timeout=timeout, hooks=False):
                return None
            other = _fetch(project, lease.task)
        return LeaseHeld(other)
    except RemoteUnavailable as error:
        if project.config.require_remote:
            raise
        project.warn(f"{error.message}; the lease is on this machine only")
        return None
    except remote.PushRefused as error:
        if project.config.require_remote:
            error.hint = f'let workers push to refs/ralph/* on {where}, or set lease = "local"'
            raise
        from ralphgit.app.workspace import refused_refs

        refused_refs.note(project, error.message)
        project.warn(
            f"{error.message}; leases are on this machine only, and between machines the merge "
            "decides"
        )
        return None


def _fetch(project: Project, task: str) -> Lease | None:
    """The lease on the remote, brought here without a ref of its own."""
    git = project.repository.git
    ref = lease_place(project) + task
    listing = git.run("ls-remote", project.base.remote, ref, timeout=project.config.fetch_timeout)
    oid = listing.decode().partition("\t")[0].strip()
    if not oid:
        return None
    git.run(
        "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", project.base.remote, oid,
        timeout=project.config.fetch_timeout,
    )  # fmt: skip
    data = project.repository.objects.read([oid])
    return marked(project, codec.parse(data[oid], oid)) if oid in data else None


def drop(project: Project, lease: Lease) -> bool:
    """Give the lease back; False if it is no longer this repository's own.

    The remote's copy goes first, so that no other machine takes a task whose lease is
    still here; a remote that cannot be reached, or refuses, is warned of.
    """
    if not lease.oid:
        return False
    ref = _ref(project, lease)
    if has_remote_leases(project):
        from ralphgit.git import remote

        try:
            remote.push(
                project.repository.git, project.base.remote, "", ref,
                old=lease.oid, timeout=project.config.fetch_timeout, hooks=False,
            )  # fmt: skip
        except RalphError as error:
            project.warn(f"{error.message}; its lease on {lease.task} is still there")
        else:
            _remove(project, elsewhere(project) + lease.task, lease.oid)
    return _remove(project, ref, lease.oid)


def _ref(project: Project, lease: Lease) -> str:
    """The ref of a lease: one that names no base may be from before there was a place for each."""
    places = lease_places(project) if not lease.base_branch else (lease_place(project),)
    names = [f"{place}{lease.task}" for place in places]
    known = project.repository.refs
    return next((n for n in names if n in known and known[n].oid == lease.oid), names[-1])


def _remove(project: Project, ref: str, oid: str) -> bool:
    if not refs.swap(project.repository.git, ref, new="", old=oid):
        return False
    project.moved(ref, "")
    return True


def drop_dead(project: Project, leases: Mapping[str, Lease], base: GraphView) -> list[str]:
    """Drop those of `leases` that the `base` has moved past; the tasks whose lease went."""
    gone = []
    for task, lease in leases.items():
        if is_overtaken(lease, base.known(task)) and drop(project, lease):
            gone.append(task)
    return gone
