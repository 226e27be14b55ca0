"""Make commit objects without a worktree."""

from __future__ import annotations

from collections.abc import Mapping

from ralphgit.git import trees
from ralphgit.git.listings import is_on
from ralphgit.git.repository import Repository
from ralphgit.git.run_git import Git, failure


def commit_tree(
    repository: Repository,
    tree: str,
    parents: list[str],
    message: str,
    *,
    git: Git | None = None,
    set_aside: bool = False,
) -> str:
    """Make a commit object, signed where the user signs commits.

    `git`: one that writes elsewhere, for a commit that is not kept, and so not signed either.
    `set_aside`: it saves work, and comes on no branch. Both are made also where git does not
    know in whose name.
    """
    arguments = ["commit-tree", tree]
    for parent in parents:
        arguments += ["-p", parent]
    if git is None and _signs(repository):
        arguments.append("-S")
    arguments += ["-F", "-"]
    program, stdin = git or repository.git, message.encode()
    result = program.try_run(*arguments, stdin=stdin)
    if result.status and (set_aside or git is not None) and (who := _invented_identity(repository)):
        result = program.using(who).try_run(*arguments, stdin=stdin)
    if result.status:
        raise failure(arguments, result)
    return result.out.decode().rstrip("\n")


def commit_files(
    repository: Repository,
    parent: str,
    contents: Mapping[str, bytes | None],
    message: str,
    *,
    like: str = "",
) -> str:
    """Make a commit object that has `contents` by path, and else what `parent`, a commit, has.

    What is None is not in it.

    `like`: a commit that `commit_tree` has just made. This one gets its author, committer and
    dates, so that no second process is needed to ask git for them. Where git could say
    something else here (signatures, encodings, conditional configuration) git is asked.
    """
    objects = repository.objects
    tree, made = trees.planned(objects, parent, contents)
    who = _author_and_committer(repository, like) if like and "\0" not in message else b""
    if not who:
        objects.write(made)
        return commit_tree(repository, tree, [parent], message)
    commit = f"tree {tree}\nparent {parent}\n".encode() + who + b"\n" + message.encode()
    objects.write([*made, ("commit", commit)])
    return objects.id_of("commit", commit)


def _author_and_committer(repository: Repository, commit: str) -> bytes:
    """The two header lines of `commit`; b"" where another commit's header could be different."""
    special = ("includeif.", "i18n.commitencoding", "extensions.worktreeconfig")
    if _signs(repository) or any(key.startswith(special) for key in repository.config):
        return b""
    header = repository.objects.read([commit])[commit].partition(b"\n\n")[0]
    lines = [line for line in header.split(b"\n") if not line.startswith((b"tree ", b"parent "))]
    if [line.partition(b" ")[0] for line in lines] != [b"author", b"committer"]:
        return b""
    return b"".join(line + b"\n" for line in lines)


def _signs(repository: Repository) -> bool:
    return is_on(repository.config.get("commit.gpgsign"))


def _invented_identity(repository: Repository) -> dict[str, str]:
    """Return an identity for a commit, if git has none configured."""
    if repository.git.try_run("var", "GIT_COMMITTER_IDENT").status == 0:
        return {}
    who = {"NAME": "ralphgit", "EMAIL": "ralphgit@localhost"}
    return {
        f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()
    }
