"""Nothing that somebody worked on is ever deleted: it is kept under `refs/ralph/rescue/`."""

from __future__ import annotations

import tempfile
from typing import NamedTuple

from ralphgit.app.lookaround import RESCUE
from ralphgit.app.project import Project
from ralphgit.git import index, refs
from ralphgit.git.repository import Repository


class Rescued(NamedTuple):
    ref: str
    """"" where there was nothing to keep."""
    uncommitted: bool


def worktree(
    project: Project, path: str, task: str, claim: str, by: str, *, message: str = ""
) -> Rescued:
    """Keep all that the worktree at `path` has and the base has not.

    Uncommitted changes and new files become one commit on top of its HEAD; ignored files
    are not in it. The worktree, its index and its branch stay as they are.

    `message` is that commit's, where it is not about a claim that is given up.
    """
    repository = Repository.open(path, project.around.environ)
    head = refs.current(repository.git, "HEAD")
    with tempfile.TemporaryDirectory(prefix="ralphgit-") as scratch:
        copy = index.Scratch(repository, scratch)
        copy.add_all()
        tree = copy.tree()
    if tree == repository.git.line("rev-parse", "HEAD^{tree}"):
        return commit(project, head, task, claim)
    message = message or (
        f"Rescue of {task}, claim {claim} by {by}\n\n"
        f"What was not committed in {path} when the claim was given up.\n\n"
        f"Ralph-Task: {task}\nRalph-Claim: {claim}\n"
    )
    made = commit_tree(repository, tree, [head], message)
    return _keep(project, made, task, claim, uncommitted=True)


def commit(project: Project, oid: str, task: str, claim: str) -> Rescued:
    """Keep a commit, unless the base has it already."""
    if not oid:
        return Rescued("", False)
    result = project.repository.git.try_run("merge-base", "--is-ancestor", oid, project.base.commit)
    if result.status == 0:
        return Rescued("", False)
    return _keep(project, oid, task, claim, uncommitted=False)


def _keep(project: Project, oid: str, task: str, claim: str, *, uncommitted: bool) -> Rescued:
    """Point a rescue ref at `oid`; a second rescue of one claim gets a number."""
    git = project.repository.git
    number = 1
    while True:
        ref = f"{RESCUE}{task}/{claim}" + (f"-{number}" if number > 1 else "")
        if refs.swap(git, ref, new=oid, old=""):
            return Rescued(ref, uncommitted)
        known = refs.current(git, ref)
        if known == oid or _same_content(git, known, oid):
            return Rescued(ref, uncommitted)
        number += 1


def _same_content(git: object, one: str, other: str) -> bool:
    """Whether two commits have the same tree and parents, made at different times."""
    from ralphgit.git.process import Git

    assert isinstance(git, Git)
    form = "--format=%T %P"
    lines = git.run("show", "--no-patch", form, one, other).split(b"\n")
    return lines[0] == lines[1]


def commit_tree(repository: Repository, tree: str, parents: list[str], message: str) -> str:
    """Make a commit object, signed where the user signs commits."""
    arguments = ["commit-tree", tree]
    for parent in parents:
        arguments += ["-p", parent]
    if repository.config.get("commit.gpgsign", "false").lower() in ("true", "yes", "on", "1"):
        arguments.append("-S")
    arguments += ["-F", "-"]
    return repository.git.line(*arguments, stdin=message.encode(), env=identity(repository))


def identity(repository: Repository) -> dict[str, str]:
    """Who commits what ralphgit commits on its own, where git has not been told."""
    if repository.git.try_run("var", "GIT_COMMITTER_IDENT").status == 0:
        return {}
    who = {"NAME": "ralphgit", "EMAIL": "ralphgit@localhost"}
    return {
        f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()
    }
