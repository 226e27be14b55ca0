"""Keep the pull requests by which records come to a base that cannot be pushed to.

Each has a note in `<git common dir>/ralphgit/in-review`, for all worktrees of the repository, from
before its branch is pushed until the base has what it brings, or the remote has its branch no more.
Where there is none, as nearly everywhere, `status` imports nothing of what deals with them.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.workspace import tracked_pull_requests
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, RemoteUnavailable
from ralphgit.records import atomic_files

PREFIX = "ralph/records/"
_TASK = "Ralph-Task: "


class Change(NamedTuple):
    """What a commit changes, for the pull request that may have to bring it."""

    title: str
    tasks: tuple[str, ...]
    head: str = ""
    """The commit of a branch that is to be merged; "" for one that this command has made: the same
    command makes another one, of the same message."""
    merges_itself: bool | None = None
    """Whether the forge may merge it without a person; None for records alone, which `diff`
    decides."""


class InReview(NamedTuple):
    """A change of records that waits to be merged."""

    branch: str
    """Short name, on the remote."""
    commit: str
    title: str
    tasks: tuple[str, ...]
    url: str = ""
    """Of its pull request; "" where there is none yet, or where it is not known."""
    remote: str = ""
    """Where its branch was pushed: the base's remote, or a fork."""

    def place(self, base: str) -> str:
        """What is to be merged into the branch `base`, for the middle of a sentence."""
        return self.url or f"a pull request from {self.branch} into {base}"

    def sentence(self, base: str) -> str:
        """Say that it waits to be merged into the branch `base`."""
        return f"{self.title} is in review; it counts when {self.place(base)} is merged"

    @property
    def command(self) -> str:
        """What shows what it does."""
        return f"ralphgit diff {self.commit[:12]}"

    def stored(self) -> dict[str, object]:
        """As JSON output has it."""
        return {
            "branch": self.branch, "commit": self.commit, "url": self.url or None,
            "title": self.title, "tasks": list(self.tasks),
        }  # fmt: skip


def note(project: Project, pull: InReview) -> None:
    """Note a change, in place of what was noted of the same branch. Raises: NotWritable."""
    from ralphgit.records import runtime_notes

    record = {"version": 1, **pull._asdict(), "tasks": list(pull.tasks)}
    os.makedirs(tracked_pull_requests.records_folder(project), exist_ok=True)
    runtime_notes.write(_path(project, pull.branch), record)


def drop(project: Project, pull: InReview) -> None:
    """Forget a change, with what is here of its branch and is not checked out."""
    from ralphgit.git import refs

    atomic_files.unlink(_path(project, pull.branch))
    places = (f"refs/remotes/{pull.remote}/{pull.branch}", f"refs/heads/{pull.branch}")
    for ref in places:
        there = project.repository.refs.get(ref)
        if there is None or (ref == places[1] and there.oid != pull.commit):
            continue
        if project.worktree_of(ref) is None and refs.swap(
            project.repository.git, ref, new="", old=there.oid
        ):
            project.moved(ref, "")


def known(project: Project) -> list[InReview]:
    """List what is noted, and the branches of records of others that were fetched. Reads only."""
    paths = tracked_pull_requests.of_records(project)
    noted = [_read(path) for path in paths]
    found = {one.branch: one for one in noted if one is not None and _is_ours(project, one)}
    others = [
        (name.removeprefix("refs/remotes/").partition(f"/{PREFIX}"), ref.oid)
        for name, ref in project.repository.refs.items()
        if name.startswith("refs/remotes/") and f"/{PREFIX}" in name
    ]
    contents = project.repository.objects.read(oid for _, oid in others) if others else {}
    for (where, _, rest), oid in others:
        branch = f"{PREFIX}{rest}"
        message = contents.get(oid, b"").partition(b"\n\n")[2].decode("utf-8", "replace")
        lines = message.split("\n")
        tasks = (line.removeprefix(_TASK) for line in lines if line.startswith(_TASK))
        about = tuple(dict.fromkeys(tasks))
        made = InReview(branch, oid, lines[0], about, remote=where)
        if _is_ours(project, made):
            found.setdefault(branch, made)
    return [*found.values()]


def _is_ours(project: Project, pull: InReview) -> bool:
    """Whether git is asked no more of it than of a remote that it has: a worker may write notes."""
    is_known = f"remote.{pull.remote}.url" in project.repository.config
    is_ours = is_known or pull.remote in (project.base.remote, project.push_remote(pull.branch))
    return is_ours and pull.branch.startswith(PREFIX)


def _read(path: str) -> InReview | None:
    from ralphgit.records import runtime_notes

    return _parsed(runtime_notes.read(path))


def waiting(project: Project) -> list[InReview]:
    """List the changes that the base does not have yet. Reads only.

    Raises: GitError, GuardRefused (no_commit).
    """
    return [pull for pull in known(project) if not _has_landed(project, pull)]


def freed(project: Project, pulls: Sequence[InReview]) -> dict[str, InReview]:
    """The tasks that are pending anew once `pulls` are merged, each with what frees it: nobody
    need answer or reset them again.
    """
    base, found = project.base_view, dict[str, InReview]()
    for pull in pulls:
        try:
            rows = project.view(pull.commit, pull.branch).by_id
        except InvalidRecord:
            continue
        for task in pull.tasks:
            before, after = base.known(task), rows.get(task)
            if before is not None and after is not None and after.epoch > before.epoch:
                found.setdefault(task, pull)
    return found


def settle(project: Project) -> None:
    """Forget what the base has by now, and what the remote has no branch of any more.

    Of what has landed the leases go that the base has moved past, and the local base branch is
    brought along, as after a push of our own.

    Raises: GitError, NotWritable.
    """
    pulls = known(project)
    if not pulls or not project.base.commit:
        return
    from ralphgit.app.active_claims import leases
    from ralphgit.app.active_claims.claim_map import read_leases
    from ralphgit.app.base import update_base

    landed = [pull for pull in pulls if _has_landed(project, pull)]
    try:
        gone = [pull for pull in pulls if pull not in landed and not is_pushed(project, pull)]
    except RemoteUnavailable:
        gone = []  # whoever fetched has said it
    for pull in (*landed, *gone):
        drop(project, pull)
    if landed:
        leases.drop_dead(project, read_leases(project), project.base_view)
        update_base.catch_up(project)


def is_pushed(project: Project, pull: InReview) -> bool:
    """Whether the remote has the branch of a change. Raises: RemoteUnavailable."""
    from ralphgit.git import remote

    ref, timeout = f"refs/heads/{pull.branch}", project.config.fetch_timeout
    return bool(remote.tip(project.repository.git, pull.remote, ref, timeout=timeout))


def _has_landed(project: Project, pull: InReview) -> bool:
    if project.repository.objects.resolve([pull.commit]) == [None]:
        return True  # nobody has it any more
    from ralphgit.app.base import is_landed

    return bool(is_landed.landed(project, pull.commit)) or is_landed.has_records(
        project, pull.commit
    )


def _path(project: Project, branch: str) -> str:
    name = branch.removeprefix(PREFIX).replace("/", "-")
    return os.path.join(tracked_pull_requests.records_folder(project), f"{name}.yaml")


def _parsed(entry: object) -> InReview | None:
    if not isinstance(entry, dict):
        return None
    words = {key: word for key, word in entry.items() if isinstance(word, str)}
    tasks = entry.get("tasks")
    required = {"branch", "commit", "title", "remote"}
    if not isinstance(tasks, list) or not required <= words.keys():
        return None
    known = {key: words[key] for key in (*required, "url") if key in words}
    return InReview(tasks=tuple(map(str, tasks)), **known)
