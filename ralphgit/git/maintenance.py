"""Pack loose objects, as git does after its own commands; those that we use never ask for it."""

from ralphgit.git.run_git import Git


def pack_when_due(git: Git) -> str:
    """Run `git gc --auto` to its end; git's words where it fails, which costs time alone.

    `gc.auto` says when it is due (0 for never); where another one is at it nothing is done.
    """
    done = git.try_run("-c", "gc.autoDetach=false", "gc", "--auto", "--quiet")
    return done.err.decode("utf-8", "replace").strip() if done.status else ""
