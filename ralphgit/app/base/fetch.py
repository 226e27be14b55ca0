"""Fetch the base."""

from contextlib import suppress

from ralphgit.app.active_claims.other_bases import elsewhere, lease_place
from ralphgit.app.workspace import base_branch, tracked_pull_requests
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, RemoteUnavailable
from ralphgit.git import refs


def synchronise(project: Project, *, settle: bool = True) -> bool:
    """Fetch the base branch, and with `lease = "remote"` the remote's leases and heartbeats.

    With `settle`, what waited for a pull request of records is cleared away where that was merged.

    Returns False, with a warning, if the remote cannot be reached.

    Raises: RemoteUnavailable where the configuration requires the remote.
    """
    base = project.base
    if not base.remote:
        return True
    from ralphgit.git import remote

    there, mirrors = elsewhere(project), {}
    if there:
        from ralphgit.app.active_claims import remote_beats

        mirrors = {lease_place(project): there, **remote_beats.mirror(project)}
    try:
        with project.around.progress.step(f"fetching {base.branch} from {base.remote}"):
            remote.fetch(
                project.repository.git, base.remote, base.branch,
                timeout=project.config.fetch_timeout,
                mirrors=mirrors,
            )  # fmt: skip
    except RemoteUnavailable as error:
        if project.config.require_remote:
            raise
        project.warn(f"{error.message}; going on with what was fetched before")
        return False
    ref = f"refs/remotes/{base.remote}/{base.branch}"
    if there:
        project.refresh()
        remote_beats.note_seen(project)
    else:
        project.moved(ref, refs.current(project.repository.objects, ref))
    base_branch.seen.add(project.base.commit)
    if settle and tracked_pull_requests.has_records(project):
        from ralphgit.app.base import records_in_review  # which most fetches have no need of

        records_in_review.settle(project)
    return True


def readable_base(project: Project) -> GraphView:
    """Return the base; one whose graph cannot be read is fetched before it is judged.

    Raises: InvalidRecord where it still cannot be read; as `synchronise`.
    """
    with suppress(InvalidRecord):
        return project.base_view
    synchronise(project)
    project.refresh()
    return project.base_view
