"""Pushes run the user's hooks; what a remote declines is told in its own words (SPEC 7)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from test_loop import events, loop, made, on_base, rescued, task
from world import Place, World

from ralphgit.git import push_refusal
from ralphgit.git.push_refusal import Why
from ralphgit.git.run_git import Git

DECLINED = " ! [remote rejected] main -> main ({})\nerror: failed to push some refs to 'r'\n"
HOOK = DECLINED.format("pre-receive hook declined")
RULES = DECLINED.format("push declined due to repository rule violations")

#: What a push prints, by where it was seen.
SAID: dict[str, tuple[Why, str]] = {
    # docs.github.com, "About protected branches", and reports of many projects
    "github protected": (
        Why.PROTECTED,
        "remote: error: GH006: Protected branch update failed for refs/heads/main.\nremote: \n"
        "remote: - Changes must be made through a pull request.\n"
        + DECLINED.format("protected branch hook declined"),
    ),
    "github rule": (
        Why.PROTECTED,
        "remote: error: GH013: Repository rule violations found for refs/heads/main.\n"
        "remote: - Changes must be made through a pull request.\n" + RULES,
    ),
    "github secret": (
        Why.SECRET,
        "remote: error: GH013: Repository rule violations found for refs/heads/main.\n"
        "remote: - GITHUB PUSH PROTECTION\nremote:     - Push cannot contain secrets\n" + RULES,
    ),
    "github signature": (
        Why.SIGNATURE,
        "remote: error: GH013: Repository rule violations found for refs/heads/main.\n"
        "remote: - Commits must have verified signatures.\n" + RULES,
    ),
    "github large file": (
        Why.TOO_LARGE,
        "remote: error: GH001: Large files detected. You may want to try Git Large File Storage\n"
        "remote: error: File big.bin is 120.00 MB; this exceeds GitHub's file size limit of "
        "100.00 MB\n" + HOOK,
    ),
    "github private address": (
        Why.MESSAGE,
        "remote: error: GH007: Your push would publish a private email address.\n" + HOOK,
    ),
    "github lfs budget": (
        Why.QUOTA,
        "batch response: This repository exceeded its LFS budget. The account responsible for the "
        "budget should increase it to restore access.\nerror: failed to push some refs to 'r'\n",
    ),
    # docs.gitlab.com and lib/gitlab/checks
    "gitlab protected": (
        Why.PROTECTED,
        "remote: GitLab: You are not allowed to push code to protected branches on this project.\n"
        + HOOK,
    ),
    "gitlab secret": (
        Why.SECRET,
        "remote: PUSH BLOCKED: Secrets detected in code changes\n" + HOOK,
    ),
    "gitlab signature": (Why.SIGNATURE, "remote: GitLab: Commit must be signed\n" + HOOK),
    "gitlab message": (
        Why.MESSAGE,
        "remote: GitLab: Commit message does not follow the pattern '^[A-Z]+-[0-9]+'\n" + HOOK,
    ),
    "gitlab size": (
        Why.TOO_LARGE,
        'remote: GitLab: File "big.bin" is larger than the allowed size of 10 MiB.\n' + HOOK,
    ),
    # routers/private/hook_pre_receive.go
    "gitea protected": (
        Why.PROTECTED,
        "remote: Gitea: Not allowed to push to protected branch main\n" + HOOK,
    ),
    "forgejo signature": (
        Why.SIGNATURE,
        "remote: Forgejo: branch main is protected from unverified commit 0123abc\n" + HOOK,
    ),
    "bitbucket protected": (
        Why.PROTECTED, "remote: Permission denied to update branch main.\n" + HOOK,
    ),
    # git-lfs and its hook
    "no git-lfs": (
        Why.PROGRAM, "This repository is configured for Git LFS but 'git-lfs' was not found on "
        "your path. If you no longer wish to use Git LFS, remove this hook by deleting "
        "'.git/hooks/pre-push'.\nerror: failed to push some refs to 'r'\n",
    ),
    "no program of a hook": (
        Why.PROGRAM, ".git/hooks/pre-push: 2: gitleaks: not found\n"
        "error: failed to push some refs to 'r'\n",
    ),
    "no server of large files": (
        Why.AWAY, 'batch response: Post "http://127.0.0.1:9/x/objects/batch": dial tcp '
        "127.0.0.1:9: connect: connection refused\nerror: failed to push some refs to 'r'\n",
    ),
    # git itself: builtin/receive-pack.c, builtin/push.c, transport.c
    "a pack that is too large": (
        Why.TOO_LARGE, "remote: fatal: pack exceeds maximum allowed size\n"
        + DECLINED.format("unpacker error"),
    ),
    "a hook there": (Why.HOOK, "remote: no tabs please\n" + HOOK),
    "a hook here": (Why.HOOK, "no tabs please\nerror: failed to push some refs to 'r'\n"),
    "its own branch": (
        Why.PROTECTED, "remote: error: refusing to update checked out branch: refs/heads/main\n"
        + DECLINED.format("branch is currently checked out"),
    ),
    "no going back": (Why.HOOK, DECLINED.format("non-fast-forward")),
    "moved": (
        Why.MOVED, "!\t1:refs/heads/main\t[rejected] (stale info)\nerror: failed to push some refs"
    ),
    "behind": (
        Why.MOVED, "!\t1:refs/heads/main\t[rejected] (fetch first)\nerror: failed to push some refs"
    ),
    "at once": (Why.MOVED, DECLINED.format("failed to update ref")),
    "at once, as git 2.50 says it": (
        Why.MOVED, DECLINED.format("incorrect old value provided"),
    ),
    "a hook that speaks as git does": (
        Why.HOOK, "[rejected] no tabs: stale info\nerror: failed to push some refs to 'r'\n"
    ),
    "no options": (
        Why.NO_OPTIONS, "fatal: the receiving end does not support push options\n"
    ),
    "no network": (
        Why.AWAY, "fatal: unable to access 'https://h/r.git/': Could not resolve host: h\n"
    ),
    "no login": (Why.AWAY, "fatal: Authentication failed for 'https://h/r.git/'\n"),
    "no right": (
        Why.AWAY, "remote: Permission to a/b.git denied to c.\n"
        "fatal: unable to access 'https://h/a/b.git/': The requested URL returned error: 403\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_what_a_remote_says_is_understood(name: str) -> None:
    why, text = SAID[name]
    assert push_refusal.why(text) is why


def test_only_the_decisive_words_are_shown() -> None:
    text = (
        "remote: Resolving deltas: 100% (2/2), completed with 2 local objects.\n"
        "remote: \nremote: ————————\n"
        + SAID["github protected"][1]
        + "To /srv/r.git\n!\t1:refs/heads/main\t[remote rejected] (protected)\nDone\n"
    )
    assert push_refusal.words(text)[:2] == (
        "error: GH006: Protected branch update failed for refs/heads/main.",
        "- Changes must be made through a pull request.",
    )
    assert not any("deltas" in line or line == "Done" for line in push_refusal.words(text))


# -- hooks of the user ---------------------------------------------------------------------


def with_task(folder: Path, *lines: str) -> World:
    world = World(folder)
    world.write_graph("version: 1\ntasks:\n" + task("T-1", *lines) + task("T-2"))
    world.commit("Begin")
    assert world.origin
    return world


def pre_push(world: World, text: str) -> None:
    world.write(".git/hooks/pre-push", f"#!/bin/sh\n{text}\n").chmod(0o755)


def test_a_push_of_work_runs_the_hook_and_one_of_a_lease_does_not(tmp_path: Path) -> None:
    world = with_task(tmp_path)
    world.git("config", "ralph.lease", "remote")
    pre_push(world, 'cat >> "$(git rev-parse --git-common-dir)/pushed"')
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    assert world.origin.git("for-each-ref", "refs/ralph/leases") != ""
    assert not (world.path / ".git" / "pushed").exists()
    alpha.write("a.txt", "a")
    assert alpha.ralph("complete", "--land").code == 0
    (line,) = (world.path / ".git" / "pushed").read_text().splitlines()
    assert line.split()[2] == "refs/heads/main"


def test_a_hook_that_declines_is_heard(tmp_path: Path) -> None:
    world = with_task(tmp_path)
    pre_push(world, "echo 'no secrets please' >&2; exit 1")
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("a.txt", "a")
    done = alpha.ralph("complete", "--land")
    assert done.code == 1
    assert "was declined (hook)" in done.err and "no secrets please" in done.err
    assert world.task("T-1")["state"] == "in-review"
    (world.path / ".git" / "hooks" / "pre-push").unlink()
    assert alpha.ralph("land").code == 0


def test_a_hook_opens_its_output_by_name(tmp_path: Path) -> None:
    world = with_task(tmp_path)
    pre_push(world, "set -e; echo all is well > /dev/stdout")
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("a.txt", "a")
    done = alpha.ralph("complete", "--land")
    assert done.code == 0, done.err
    assert world.origin.git("ls-tree", "--name-only", "main", "a.txt") == "a.txt"


def test_where_no_sockets_may_be_made_git_answers_by_pipes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise PermissionError

    monkeypatch.setattr("ralphgit.git.child_process._socket.socketpair", refused)
    world = World(tmp_path)
    assert Git(str(world.path), os.environ).line("rev-parse", "--git-dir").endswith(".git")


# -- what a remote declines ----------------------------------------------------------------


def refusing(place: Place, script: str) -> None:
    """Have the remote judge each push by a script, with the new commit in $new."""
    hook = place.world.origin.write(
        "hooks/pre-receive", f"#!/bin/sh\nwhile read old new ref; do {script}; done\n"
    )
    hook.chmod(0o755)


LARGE = "[{write: {one.txt: xxx}}, {write: {one.txt: small}}]"


@pytest.mark.slow
def test_a_worker_mends_what_a_remote_declines_of_its_work(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]", script=LARGE))
    refusing(
        alpha,
        "if git show $new:one.txt 2>/dev/null | grep -q xxx; then "
        "echo 'error: GH001: Large files detected.' >&2; exit 1; fi",
    )
    ran = loop(alpha)
    assert ran.code == 0, ran.err
    assert alpha.git("show", "origin/main:one.txt") == "small"
    assert len(events(alpha, "agent")) == 2
    assert "GH001" in ran.err
    assert len(rescued(alpha)) <= 1


@pytest.mark.slow
def test_a_protected_base_leaves_the_work_to_a_person(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"), task("T-2", "outputs: [two.txt]"))
    refusing(
        alpha,
        "case $ref in refs/heads/main) "
        "echo 'error: GH006: Protected branch update failed for refs/heads/main.' >&2; exit 1;; "
        "esac",
    )
    ran = loop(alpha)
    assert ran.code == 7, ran.err
    assert ran.err.count("GH006") == 2  # each task once, and none is tried again
    assert [on_base(alpha, id)["status"] for id in ("T-1", "T-2")] == ["pending"] * 2
    states = {one["id"]: one["state"] for one in alpha.ralph("list", "--json").data["tasks"]}
    assert states == {"T-1": "in-review", "T-2": "in-review"}


def test_a_push_for_which_this_machine_has_no_room_moves_nothing(tmp_path: Path) -> None:
    """The change again then is no second one beside a first on the local base."""
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks: [{id: T-1, title: First, status: pending}]\n")
    world.commit("The graph")
    assert world.origin
    alpha = world.worktree("alpha", at="origin/main")
    alpha.claim("T-1")
    words = ("reset", "T-1", "--force", "--reason", "gone")
    full = world.folder / "full"
    full.write_text("#!/bin/sh\necho 'fatal: write error: No space left on device' >&2\nexit 128\n")
    full.chmod(0o755)
    world.git("config", "remote.origin.receivepack", str(full))
    before = world.git("rev-parse", "main")
    refused = world.ralph(*words, "--json")
    assert (refused.code, refused.error) == (1, "not_writable")
    assert "No space left on device" in refused.json["error"]["message"]
    assert world.git("rev-parse", "main") == before
    world.git("config", "--unset", "remote.origin.receivepack")
    assert world.ralph(*words).code == 0
    assert world.git("rev-parse", "main") == world.git("rev-parse", "origin/main") != before
