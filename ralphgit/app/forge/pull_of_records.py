"""Bring a change to the base by a pull request, from a branch `ralph/records/...` of its own."""

from ralphgit.app.base import records_in_review
from ralphgit.app.base.records_in_review import PREFIX, Change, InReview
from ralphgit.app.diff import record_diff
from ralphgit.app.forge import choice, open_pull_request, places, pull_request_text
from ralphgit.app.forge.open_pull_request import Request
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, RalphError
from ralphgit.git import refs, worktrees
from ralphgit.git.remote import PushRefused
from ralphgit.model.pull_request import PullState

_LONGEST_TITLE = 200


def by_pull(project: Project, head: str, change: Change) -> InReview:
    """Push `head` as a branch of records, and open its pull request.

    The same change again does what is missing and nothing twice, and further commits on top of one
    that is open go to its branch. No local branch that somebody works on is moved.

    Raises: GuardRefused (records_in_review, no_forge, branch_taken, unsettled), PushRefused,
    RemoteUnavailable, NeedsPerson (untrusted, forge_login), RalphError (no_push_options,
    forge_failed).
    """
    open_pull_request.refuse_unfit(project)
    title = change.title[:_LONGEST_TITLE]
    first = change.tasks[0] if change.tasks else project.base.branch
    place = f"refs/heads/{PREFIX}"
    known = project.repository.refs.items()
    own = next((n for n, ref in known if n.startswith(place) and ref.oid == head), "")
    name = own.removeprefix("refs/heads/") or f"{PREFIX}{first}-{head[:8]}"
    where = project.push_remote(name)
    pull = InReview(name, head, title, change.tasks, remote=where)
    if (before := earlier(project, head, change)) is not None:
        project.warn(f"{before.title} is in review already")
        pull = before
        if worktrees.is_ancestor(project.repository.git, before.commit, head):
            tasks = dict.fromkeys((*before.tasks, *change.tasks))
            pull = before._replace(commit=head, tasks=tuple(tasks))
    records_in_review.note(project, pull)
    text = pull_request_text.of_records(project, pull.commit)
    try:
        alone = change.merges_itself
        if alone is None:
            alone = project.config.land_auto_merge == "always" and _is_clear(project, pull.commit)
        wanted = Request(pull.branch, pull.commit, pull.title, text, auto_merge=alone)
        opened = open_pull_request.publish(project, wanted)
    except PushRefused:
        if before is None:
            records_in_review.drop(project, pull)
        raise
    if open_pull_request.opens(project):
        pull = pull._replace(url=opened.url or pull.url)
    else:
        project.warn(
            f"{pull.branch} is pushed to {pull.remote}; nothing here opens pull requests: open one"
        )
    for line in opened.said:
        project.warn(line)
    records_in_review.note(project, pull)
    _keep(project, pull)
    return pull


def _is_clear(project: Project, commit: str) -> bool:
    """Whether a person need not look at it before it is merged."""
    return record_diff.diff(project, commit).verdict == record_diff.CLEAR


def earlier(project: Project, head: str, change: Change) -> InReview | None:
    """Find what is in review of the same tasks, where `head` is the same change or goes on from it.

    What somebody has closed, or the remote has no branch of, is forgotten.

    Raises: GuardRefused (records_in_review), RemoteUnavailable, NeedsPerson (forge_login).
    """
    for pull in records_in_review.waiting(project):
        if not {*pull.tasks} & {*change.tasks}:
            continue
        if not records_in_review.is_pushed(project, pull) or _is_closed(project, pull):
            records_in_review.drop(project, pull)
        elif _goes_on(project, pull, head, change):
            return pull
        else:
            names = ", ".join(sorted({*pull.tasks} & {*change.tasks}))
            raise GuardRefused(
                f"a change of {names} is in review: {pull.title} ({pull.url or pull.branch}); this "
                "one was not made: have that merged or closed, then repeat",
                code="records_in_review",
                hint="ralphgit inbox",
                details={"task": change.tasks[0], "pull": pull.stored()},
            )
    return None


def _goes_on(project: Project, pull: InReview, head: str, change: Change) -> bool:
    if head == pull.commit or worktrees.is_ancestor(project.repository.git, pull.commit, head):
        return True
    if change.head:
        trees = project.repository.objects.resolve([f"{head}^{{tree}}", f"{pull.commit}^{{tree}}"])
        return trees[0] == trees[1]
    contents = project.repository.objects.read([head, pull.commit])
    return _told(contents[head]) == _told(contents[pull.commit])


def _told(commit: bytes) -> list[bytes]:
    """The message of a commit, but for the claim, which may be a new one each time."""
    lines = commit.partition(b"\n\n")[2].split(b"\n")
    return [line for line in lines if not line.startswith(b"Ralph-Claim: ")]


def _is_closed(project: Project, pull: InReview) -> bool:
    """Whether somebody has closed its pull request; False where nothing here can tell."""
    there = choice.of(project)
    if there is None or not pull.url:
        return False
    try:
        name = places.named(project, there, pull.branch, pull.url)
        return name is not None and there.look(name).state is PullState.CLOSED
    except RalphError:
        return False


def _keep(project: Project, pull: InReview) -> None:
    """Have a ref here for what was pushed: what it blocks or gives back is seen, and it is not
    collected as garbage.
    """
    objects, git = project.repository.objects, project.repository.git
    tracking = f"refs/remotes/{pull.remote}/{pull.branch}"
    if refs.current(objects, tracking) != pull.commit:
        ref = f"refs/heads/{pull.branch}"
        refs.swap(git, ref, new=pull.commit, old=refs.current(objects, ref))
    project.refresh()
