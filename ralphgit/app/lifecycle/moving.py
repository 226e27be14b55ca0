"""Move a worktree from commit to commit so that a kill in between can be undone."""

from __future__ import annotations

import os

from ralphgit.app.base import interrupted_update
from ralphgit.app.lifecycle import rescue_refs
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.git import trees
from ralphgit.records import atomic_files


class Moving:
    """Around git commands that move a worktree whose content is all kept.

    A git that is killed meanwhile leaves files of both sides. The note that this makes says
    which commits they are of, so that `settle` knows them from what somebody has done since.
    """

    def __init__(self, project: Project, target: str, *kept: str) -> None:
        """From HEAD to `target`; `kept` is where else all that is in the way has been kept."""
        self._path = os.path.join(project.top, runtime_files.MOVING)
        self._repository, self._commits = project.repository, [target, *kept]

    def __enter__(self) -> None:
        commits = [self._repository.head(), *self._commits]
        data = "".join(f"{one}\n" for one in commits).encode()
        atomic_files.write(self._path, data, durable=False, follow=False)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            atomic_files.unlink(self._path)


def settle(project: Project) -> bool:
    """Bring what a killed move left half-way to where HEAD is; whether there was one.

    Only paths in which the commits of the move differ. One that has another content than they
    have is somebody's: all that the worktree has is kept in a rescue ref then, with a warning.

    Raises: GitError, NotWritable.
    """
    path = os.path.join(project.top, runtime_files.MOVING)
    data = atomic_files.read(path)
    if data is None:
        return False
    repository = project.repository
    known = repository.objects.resolve([f"{one}^{{commit}}" for one in data.decode().split()])
    commits = [oid for oid in known if oid is not None]
    on_the_way, changed = interrupted_update.between(repository, commits)
    if changed:
        kept = _keep_before_settling(project, commits[min(1, len(commits) - 1)])
        saved = set(trees.paths(repository.objects, kept))
        changed = [one for one in changed if one.path in saved or not _exists(project, one.path)]
        project.warn(
            "a move of this worktree was killed, and what has been changed in its way since is "
            f"kept in {kept}"
        )
    interrupted_update.put_back(project, repository, [*on_the_way, *changed])
    if repository.under_way() == "merge":
        repository.git.run("merge", "--quit")
    atomic_files.unlink(path)
    project.refresh()
    return True


def _keep_before_settling(project: Project, target: str) -> str:
    """Keep all that the worktree has, also what is ignored where `target` has a file; the ref."""
    noted = runtime_files.remembered(project.top)
    task, claim = (noted.task, noted.claim) if noted else ("unclaimed", project.around.new_id())
    message = f"Rescue of what stood in {project.top} when a killed move was taken back\n"
    return rescue_refs.worktree(
        project, project.top, task, claim, project.worker, message=message, target=target
    ).ref


def _exists(project: Project, path: str) -> bool:
    return os.path.lexists(os.path.join(project.top, path))
