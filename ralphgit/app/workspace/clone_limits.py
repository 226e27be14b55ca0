"""Say what this clone cannot see of the repository, and the command that changes it."""

import os
from typing import NamedTuple

from ralphgit.app.workspace.project import Project


class CloneLimit(NamedTuple):
    code: str
    """single_branch or shallow."""
    message: str
    hint: str


def found(project: Project) -> list[CloneLimit]:
    """What this clone lacks; nothing in a whole one."""
    limits, remote = list[CloneLimit](), project.base.remote
    if remote and not _fetches_branches(project, remote):
        import shlex  # a whole clone lacks nothing

        named = shlex.quote(remote)
        limits.append(CloneLimit(
            "single_branch",
            f"this clone does not fetch the branches of {remote}: work on them, claimed or in "
            "review, is not seen",
            f"git remote set-branches {named} '*' && git fetch {named}",
        ))  # fmt: skip
    if is_shallow(project):
        limits.append(CloneLimit(
            "shallow",
            "this clone is shallow: whether a branch has landed, and what was taken back, is not "
            "always seen",
            _whole(remote),
        ))  # fmt: skip
    return limits


def warn(project: Project) -> None:
    """Warn of it where somebody looks for work."""
    for limit in found(project):
        project.warn(f"{limit.message}: {limit.hint}")


def is_shallow(project: Project) -> bool:
    try:
        return os.stat(os.path.join(project.repository.common_dir, "shallow")).st_size > 0
    except OSError:
        return False


def unrelated_hint(project: Project, onto: str) -> str:
    """What to do about a commit that shares no history with `onto`."""
    if is_shallow(project):
        return _whole(project.base.remote)
    import shlex

    return f"git switch -c NAME {shlex.quote(onto)} && git cherry-pick COMMITS"


def _whole(remote: str) -> str:
    import shlex

    return shlex.join(("git", "fetch", "--unshallow", *filter(None, [remote])))


def _fetches_branches(project: Project, remote: str) -> bool:
    key = f"remote.{remote}.fetch"
    value = project.repository.config.get(key)
    if value is None or _is_of_many(value):
        return value is not None
    # It is the last of several, perhaps.
    answer = project.repository.git.try_run("config", "--get-all", key)
    return any(map(_is_of_many, answer.out.decode("utf-8", "replace").splitlines()))


def _is_of_many(spec: str) -> bool:
    source = spec.removeprefix("+").partition(":")[0]
    return "*" in source and source.startswith(("refs/heads/", "refs/*"))
