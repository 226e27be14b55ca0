"""Find the branch that decides (SPEC 6)."""

from typing import NamedTuple

from ralphgit.git.repository import Repository

#: Commits that were the base's where no agent's code could say so: as the remote was asked, or
#: before an agent began.
seen: set[str] = set()


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
    is_shadowed: bool = False
    """Whether another ref is called the same: git would take that one."""

    @property
    def short(self) -> str:
        """What it is called: `origin/main`."""
        return self.ref.removeprefix("refs/heads/").removeprefix("refs/remotes/") or self.branch

    @property
    def label(self) -> str:
        """What names it, and nothing else, to people and to git."""
        return self.ref if self.is_shadowed else self.short

    @property
    def merge_command(self) -> str:
        """What brings it into the branch that is checked out."""
        import shlex  # most commands quote nothing

        return f"git merge {shlex.quote(self.label)}"


def locate(repository: Repository, branch: str, remote: str) -> Base:
    """Find the base as these settings have it; "" is the remote's HEAD, else main or master."""
    refs = repository.refs
    branch = branch.removeprefix("refs/heads/")
    remote = remote or _remote_of(repository, branch)
    is_remotes = f"refs/remotes/{branch}" in refs or f"refs/heads/{branch}" not in refs
    if branch.startswith(f"{remote}/") and is_remotes:
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
            return Base(branch, tracked, ref, refs[ref].oid, bool(repository.shadows(ref)))
    return Base(branch, "", "", "")


class Unchosen(NamedTuple):
    """A local branch serves as the base, and nobody has chosen it over the remote's."""

    message: str
    hint: str


#: What a repository's own branch is often called, where it is not main or master.
_USUAL = ("trunk", "develop", "default", "dev", "development", "next")


def unchosen(repository: Repository, base: Base, setting: str) -> Unchosen | None:
    """Whether a local branch is the base for want of knowledge which one the remote's is: no
    setting names it, the remote has it not, and its HEAD was never fetched.
    """
    if setting:
        return None
    remote = _remote_of(repository, base.branch)
    folder = f"refs/remotes/{remote}/"
    names = [name.removeprefix(folder) for name in repository.refs if name.startswith(folder)]
    if not remote or base.remote or not names or "HEAD" in names or base.branch in names:
        return None
    import shlex

    likely = next((name for name in _USUAL if name in names), names[0])
    return Unchosen(
        f"nobody chose the base: {remote} has no branch {base.branch or 'main'}, so the local one "
        f"decides, and {remote}/{likely} looks like the right one "
        f'(base = "{likely}" in ralph.toml says so, too)',
        f"git remote set-head {shlex.quote(remote)} --auto",
    )


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
