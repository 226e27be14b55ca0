"""Land by pull request: one branch per task, which a forge merges (SPEC 7).

Whether a pull request has landed is read from the records on the base alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from ralphgit.app.active_claims import lost_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import is_landed, update_base
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.forge import open_pull_request, pull_request_text
from ralphgit.app.forge.open_pull_request import Opened, Request
from ralphgit.app.gate import landing_gate, verified_completion
from ralphgit.app.landing import auto_merge, merge
from ralphgit.app.landing.merge import Conflict
from ralphgit.app.lifecycle import give_up, rescue_refs, rescued_work, task_branch
from ralphgit.app.lifecycle.give_up import GivenUp
from ralphgit.app.workspace import tracked_pull_requests
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import TASK_BRANCHES
from ralphgit.git import merge_preview, refs
from ralphgit.model.active_claim import Lease
from ralphgit.model.pull_request import Pull
from ralphgit.rules.lost_claim import Winner


def by_pull(project: Project, lease: Lease) -> Opened | Conflict:
    """Push HEAD as the branch of a completed task, and open its pull request.

    Done again, it does what is missing and nothing twice. What does not merge into the base is
    not pushed. A claim that has lost meanwhile is given up, its work kept (law L7).

    Raises: ClaimLost, RemoteUnavailable, NeedsPerson (untrusted), GuardRefused (unverified,
    not_landable, branch_taken, unsettled), PushRefused, RalphError (no_push_options,
    forge_failed).
    """
    open_pull_request.refuse_unfit(project)
    synchronise(project)
    if winner := lost_claims.winner_over(ClaimMap(project), lease):
        with WorktreeLock(project):
            raise give_up.lose(project, lease, winner)
    head = project.repository.head()
    verified_completion.require(project, lease, head, seen=True)
    made = merge.merged(project, project.base.commit, head, lease)
    if isinstance(made, Conflict):
        return made
    if winner := landing_gate.taken_back(project, lease, made):
        with WorktreeLock(project):
            raise give_up.lose(project, lease, winner)
    landing_gate.require(project, lease, made)
    return open_pull_request.publish(
        project, request(project, [lease], head, branch_of(project, lease))
    )


def request(
    project: Project, leases: Sequence[Lease], head: str, branch: str, *, base: str = ""
) -> Request:
    """Make the pull request of `head`, which completes the tasks of `leases`, as `branch`.

    `base`: the branch of the pull request that it stands on; the forge merges it by itself only
    once it is to go to the base.
    """
    view = project.view(head, head[:12])
    title = pull_request_text.title(project, [view.task(lease.task) for lease in leases])
    text = pull_request_text.body(project, leases, head)
    tasks = [one.task for one in leases]
    merges, why_not = (False, ()) if base else auto_merge.decided(project, tasks, head)
    return Request(branch, head, title, text, tuple(leases), base, merges, why_not)


def conflicts(project: Project, commit: str) -> tuple[str, ...]:
    """Where a commit does not merge into the base, by path; nothing is made."""
    with merge_preview.merged(project.repository, project.base.commit, commit) as merged:
        return merged.conflicts if merged.related else (".",)


def has_landed(project: Project, pull: Pull) -> bool:
    """Whether the base has the pull request's claim, complete: by merge, squash or rebase."""
    row = project.base_view.known(pull.task)
    return row is not None and (row.claim, row.status) == (pull.claim, "complete")


def is_of_its_claim(project: Project, pull: Pull) -> bool:
    """Whether the branch of a note is one that was pushed for its claim, which is this worker's: an
    agent can write the note, and have us delete any other branch, or work on it.
    """
    if not pull.branch.startswith(f"ralph/{pull.task}-"):
        return False
    if project.repository.objects.resolve([f"{pull.commit}^{{commit}}"])[0] is None:
        return False
    row = project.view(pull.commit, pull.branch).by_id.get(pull.task)
    return row is not None and (row.claim, row.by) == (pull.claim, project.worker)


def finish(project: Project, pull: Pull) -> None:
    """Clear away what a pull request needed that has landed: lease, branch and note.

    What was edited on its way, so that the base has it otherwise, is kept in a rescue ref.

    Raises: GitError, NotWritable, GuardRefused.
    """
    rescued_work.clear_landed(project, [pull.task])
    tip = refs.current(project.repository.objects, f"refs/heads/{pull.branch}")
    if tip and not is_landed.landed(project, tip):
        rescue_refs.commit(project, tip, pull.task, pull.claim)
    task_branch.remove(project, pull.branch, tip, pushed=pull.commit)
    tracked_pull_requests.drop(project.top, pull.claim)
    project.refresh()


def winner_over(project: Project, pull: Pull) -> Winner | None:
    """Who has taken the task from under a pull request; None while its claim holds."""
    row = project.view(pull.commit, pull.branch).by_id.get(pull.task)
    begun = row.base if row is not None and row.claim == pull.claim else ""
    mine = lease_of(pull)._replace(base=begun)
    return lost_claims.winner_over(ClaimMap(project), mine, head=pull.commit)


def withdraw(project: Project, pull: Pull) -> GivenUp:
    """Give up a claim that was lost in review. Its branch is not the one that is worked on now.

    Raises: RemoteUnavailable, GitError, NotWritable, GuardRefused.
    """
    done = give_up.give_up(project, lease_of(pull), pushed=give_up.Pushed(pull.branch, pull.commit))
    tracked_pull_requests.drop(project.top, pull.claim)
    project.refresh()
    return done


def keep_apart(project: Project, branch: str, head: str) -> bool:
    """Keep what was pushed as `branch`, short name, on a local branch of that name, so that this
    worktree's branch can leave it; False where this worktree is on that one, or on the base's,
    which goes back to where its remote is.
    """
    worktree, ref = project.repository.worktree, f"refs/heads/{branch}"
    if worktree is None or worktree.branch in ("", ref):
        return False
    objects, git = project.repository.objects, project.repository.git
    if refs.current(objects, ref) != head:
        if not refs.swap(git, ref, new=head, old=refs.current(objects, ref)):
            return False
        project.refresh()
    if worktree.branch == f"refs/heads/{project.base.branch}":
        if project.base.remote:
            update_base.put_back_or_warn(project, worktree.head)
            project.refresh()
        return False
    return True


def share(project: Project, lease: Lease) -> None:
    """Push the branch of a blocked task, without a pull request: others see the question.

    Raises: RemoteUnavailable, GuardRefused (branch_taken, unsettled).
    """
    head = project.repository.head()
    open_pull_request.push(project, [lease], branch_of(project, lease), head)


def is_shared(project: Project, lease: Lease) -> bool:
    """Whether the remote has HEAD as the branch of its task, as it was last seen."""
    name = branch_of(project, lease)
    ref = f"refs/remotes/{project.push_remote(name)}/{name}"
    return refs.current(project.repository.objects, ref) == project.repository.head()


# -- branches ----------------------------------------------------------------------------


def branch_of(project: Project, lease: Lease, own: str = "") -> str:
    """The branch's name on the remote: `own`, else the worktree's, where it was made for the task.

    `own` is a full name.
    """
    worktree = project.repository.worktree
    name = own or (worktree.branch if worktree else "")
    if name.startswith(f"{TASK_BRANCHES}{lease.task}-"):
        return name.removeprefix("refs/heads/")
    return f"ralph/{lease.task}-{lease.claim[:6]}"


def lease_of(pull: Pull) -> Lease:
    """As much of the claim as its standing needs."""
    return as_recorded(pull.task, pull.claim, pull.by, pull.epoch)._replace(branch=pull.branch)


def as_recorded(task: str, claim: str, by: str, epoch: int, base: str = "") -> Lease:
    """Make a claim's lease of what its record says."""
    return Lease(
        task=task, claim=claim, by=by, at="", base=base, contract="", epoch=epoch, start="",
        branch="", worktree="", host="",
    )  # fmt: skip
