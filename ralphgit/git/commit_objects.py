"""Make commit objects without a worktree."""

from __future__ import annotations

from ralphgit.git.repository import Repository
from ralphgit.git.run_git import Git, failure


def commit_tree(
    repository: Repository, tree: str, parents: list[str], message: str, *, git: Git | None = None
) -> str:
    """Make a commit object, signed where the user signs commits.

    `git`: one that writes elsewhere, for a commit that is not kept, and so not signed either.
    """
    arguments = ["commit-tree", tree]
    for parent in parents:
        arguments += ["-p", parent]
    signing = repository.config.get("commit.gpgsign", "false").lower()
    if git is None and signing in ("true", "yes", "on", "1"):
        arguments.append("-S")
    arguments += ["-F", "-"]
    program, stdin = git or repository.git, message.encode()
    result = program.try_run(*arguments, stdin=stdin)
    if result.status and (who := identity(repository)):
        result = program.using(who).try_run(*arguments, stdin=stdin)
    if result.status:
        raise failure(arguments, result)
    return result.out.decode().rstrip("\n")


def identity(repository: Repository) -> dict[str, str]:
    """Return an identity for ralphgit's own commits, if git has none configured."""
    if repository.git.try_run("var", "GIT_COMMITTER_IDENT").status == 0:
        return {}
    who = {"NAME": "ralphgit", "EMAIL": "ralphgit@localhost"}
    return {
        f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()
    }
