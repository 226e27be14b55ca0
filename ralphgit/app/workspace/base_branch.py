"""Find the branch that decides (SPEC 6)."""

from typing import NamedTuple

from ralphgit.git.repository import Repository


class Base(NamedTuple):
    """The branch that decides."""

    branch: str
    """Short name, `main`."""
    remote: str
    """`origin`; "" where the local branch decides."""
    ref: str
    """Full name of the ref that is read; "" if there is none yet."""
    commit: str
    """Object id; "" if there is none yet."""

    @property
    def label(self) -> str:
        return self.ref.removeprefix("refs/heads/").removeprefix("refs/remotes/") or self.branch


def locate(repository: Repository, branch: str, remote: str) -> Base:
    """Find the base as these settings have it; "" is the remote's HEAD, else main or master."""
    refs = repository.refs
    branch = branch.removeprefix("refs/heads/")
    remote = remote or _remote_of(repository, branch)
    if branch.startswith(f"{remote}/") and f"refs/heads/{branch}" not in refs:
        branch = branch.removeprefix(f"{remote}/")
    if not branch and remote and (head := refs.get(f"refs/remotes/{remote}/HEAD")):
        branch = head.symref.removeprefix(f"refs/remotes/{remote}/")
    if not branch:
        folders = [f"refs/remotes/{remote}/"] if remote else []
        for folder in [*folders, "refs/heads/"]:
            for name in ("main", "master"):
                if not branch and folder + name in refs:
                    branch = name
    if not branch:
        branch = _only_branch(repository)
    for ref in (f"refs/remotes/{remote}/{branch}" if remote else "", f"refs/heads/{branch}"):
        if ref in refs:
            tracked = remote if ref.startswith("refs/remotes/") else ""
            return Base(branch, tracked, ref, refs[ref].oid)
    return Base(branch, "", "", "")


def _only_branch(repository: Repository) -> str:
    """What stands in for main where there is neither main nor master."""
    configured = repository.config.get("init.defaultbranch", "")
    heads = [name for name in repository.refs if name.startswith("refs/heads/")]
    ref = heads[0] if len(heads) == 1 else repository.worktrees[0].branch
    return ref.removeprefix("refs/heads/") or configured or "main"


def _remote_of(repository: Repository, branch: str) -> str:
    config = repository.config
    names = [
        key[len("remote.") : -len(".url")]
        for key in config
        if key.startswith("remote.") and key.endswith(".url")
    ]
    configured = config.get(f"branch.{branch or 'main'}.remote", "")
    if configured in names:
        return configured
    if "origin" in names or not names:
        return "origin" if names else ""
    return names[0]
