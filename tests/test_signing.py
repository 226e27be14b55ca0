"""Signed commits, by the real gpg and ssh-keygen, and a remote that lets in no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from keys import ANN, GIVES, HANGS, LOCKED, PASSPHRASE, STRANGER, Keyring
from test_loop import events, loop, made, on_base, task
from world import Place, installed


@pytest.fixture(scope="module")
def keys() -> Iterator[Keyring]:
    installed("gpg", "gnupg")
    with Keyring() as made:
        yield made


def signs(place: Place, keys: Keyring, name: str = ANN) -> None:
    """From now on commits are signed here with a key."""
    place.environ |= keys.environ
    place.world.environ |= keys.environ
    place.git("config", "commit.gpgsign", "true")
    place.git("config", "user.signingkey", name)


def demand(place: Place, keys: Keyring, *names: str) -> None:
    """Have the remote let in nothing but commits that are signed with these keys."""
    home = keys.public(*names)["GNUPGHOME"]
    hook = place.world.origin.write(
        "hooks/pre-receive",
        "#!/bin/sh\n"
        f"export GNUPGHOME={home}\n"
        "while read old new ref; do\n"
        "  case $new in *[!0]*) ;; *) continue;; esac\n"
        "  for commit in $(git rev-list $new --not --all); do\n"
        "    git verify-commit $commit || { echo 'GitLab: Commit must be signed' >&2; exit 1; }\n"
        "  done\n"
        "done\n",
    )
    hook.chmod(0o755)


def moved(place: Place) -> None:
    """Somebody else's signed commit is on the base."""
    world = place.world
    world.git("pull", "--quiet", "--ff-only", "origin", "main")
    world.commit("Theirs")
    world.git("push", "--quiet", "origin", "main")


@pytest.mark.slow
def test_every_commit_is_signed(tmp_path: Path, keys: Keyring) -> None:
    alpha = made(tmp_path, task("T-1"), task("T-2", "outputs: [two.txt]"))
    signs(alpha, keys)
    demand(alpha, keys, ANN)
    begin = alpha.head
    alpha.did("T-1", {"one.txt": "1\n"})
    moved(alpha)
    assert alpha.ralph("land").code == 0
    alpha.claim("T-2")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    moved(alpha)
    assert alpha.ralph("land").code == 0
    answered = alpha.world.ralph("reply", "T-2", "This one")
    assert answered.code == 0, answered.err
    assert alpha.world.ralph("reset", "T-1", "--reopen", "--reason", "again").code == 0
    ran = loop(alpha, "--task", "T-2")
    assert ran.code == 0, ran.err
    assert alpha.git("log", "--format=%s", f"{begin}..origin/main").count("\n") >= 8
    unsigned = [
        line for line in alpha.git("log", "--format=%G? %s", f"{begin}..origin/main").splitlines()
        if not line.startswith("G ")
    ]  # fmt: skip
    assert unsigned == []


@pytest.mark.slow
def test_a_key_that_the_remote_does_not_know(tmp_path: Path, keys: Keyring) -> None:
    """The work is good: nobody does it again, and signed anew it lands."""
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"), task("T-2", "outputs: [two.txt]"))
    signs(alpha, keys, STRANGER)
    demand(alpha, keys, ANN)
    ran = loop(alpha)
    assert ran.code == 7, ran.err
    assert len(events(alpha, "agent")) == 2
    assert "No public key" in ran.err and "GitLab: Commit must be signed" in ran.err
    states = {one["id"]: one["state"] for one in alpha.ralph("list", "--json").data["tasks"]}
    assert states == {"T-1": "in-review", "T-2": "in-review"}
    signs(alpha, keys)
    branches = alpha.git("for-each-ref", "--format=%(refname:short)", "refs/heads/ralph").split()
    for branch in branches:
        alpha.git("switch", "--quiet", branch)
        alpha.git("rebase", "--quiet", "--force-rebase", "--gpg-sign", "origin/main")
        assert alpha.ralph("land").code == 0
    assert [on_base(alpha, id)["status"] for id in ("T-1", "T-2")] == ["complete"] * 2


@pytest.mark.slow
def test_the_hint_for_commits_that_are_not_signed_works(tmp_path: Path, keys: Keyring) -> None:
    alpha = made(tmp_path, task("T-1"))
    demand(alpha, keys, ANN)
    alpha.did("T-1", {"one.txt": "1\n"})
    declined = alpha.ralph("land", "--json")
    assert (declined.code, declined.error) == (1, "push_refused")
    hint = declined.json["error"]["hint"]
    assert alpha.ralph("land").err.splitlines()[1:] == [
        f"error: {declined.json['error']['message']}", f"hint: {hint}",
    ]  # fmt: skip
    signs(alpha, keys)
    assert alpha.run("sh", "-c", hint.replace("BASE", "origin/main")).code == 0
    assert alpha.ralph("land").code == 0
    assert on_base(alpha, "T-1")["status"] == "complete"


def at_work(folder: Path, keys: Keyring, name: str) -> Place:
    alpha = made(folder, task("T-1", "outputs: [one.txt]"))
    alpha.claim("T-1")
    alpha.write("one.txt", "1\n")
    signs(alpha, keys, name)
    return alpha


def test_a_key_that_is_nowhere(tmp_path: Path, keys: Keyring) -> None:
    alpha = at_work(tmp_path, keys, "nobody@example.com")
    before = alpha.world.state("COMMIT_EDITMSG")
    done = alpha.ralph("complete")
    assert (done.code, done.err.splitlines()[0]) == (
        7, "error: the commit cannot be signed; error: gpg failed to sign the data",
    )  # fmt: skip
    assert alpha.world.state("COMMIT_EDITMSG") == before


@pytest.mark.slow
def test_a_pinentry_that_hangs_or_finds_no_terminal(tmp_path: Path, keys: Keyring) -> None:
    alpha = at_work(tmp_path, keys, LOCKED)
    keys.pinentry(HANGS)
    hung = alpha.ralph("complete", "--json", env={"RALPH_GIT_TIMEOUT": "1"})
    assert (hung.code, hung.error) == (7, "git_hung"), hung.out
    assert [line for line in hung.json["error"]["waited_for"] if LOCKED in line]
    keys.pinentry("")
    asked = alpha.ralph("complete", "--json")
    assert (asked.code, asked.error) == (7, "cannot_sign"), asked.out
    assert "passphrase" in asked.json["error"]["hint"]
    keys.pinentry(GIVES)
    assert alpha.ralph("complete").code == 0
    assert alpha.git("log", "-1", "--format=%G?") == "G"


@pytest.mark.slow
def test_a_loop_that_cannot_sign_keeps_the_work_and_charges_nobody(
    tmp_path: Path, keys: Keyring
) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"))
    signs(alpha, keys, LOCKED)
    keys.pinentry("")
    ran = loop(alpha)
    assert ran.code == 7, ran.err
    assert "error: gpg failed to sign the data" in ran.err
    assert (alpha.leases, events(alpha, "attempted")) == (["T-1"], [])
    keys.pinentry(GIVES)
    again = loop(alpha)
    assert again.code == 0, again.err
    assert on_base(alpha, "T-1")["status"] == "complete"
    assert alpha.git("log", "--format=%G?", "-1", "origin/main") == "G"


# -- keys of ssh ---------------------------------------------------------------------------

#: What is wrong with the key, and what is said of it.
SSH = {
    "a passphrase": "incorrect passphrase supplied to decrypt private key",
    "no file": "Couldn't load public key",
    "no key": "needs to be configured",
    "no program": "cannot run no-such-program",
}


@pytest.mark.parametrize("wrong", SSH)
def test_a_key_of_ssh_that_cannot_sign(tmp_path: Path, wrong: str) -> None:
    alpha = made(tmp_path, task("T-1"), remote=False)
    alpha.claim("T-1")
    alpha.write("one.txt", "1\n")
    key = str(tmp_path / "key")
    if wrong != "no file":
        alpha.run("ssh-keygen", "-q", "-t", "ed25519", "-N", PASSPHRASE, "-f", key)
    for name, value in (("commit.gpgsign", "true"), ("gpg.format", "ssh")):
        alpha.git("config", name, value)
    if wrong != "no key":
        alpha.git("config", "user.signingkey", key)
    if wrong == "no program":
        alpha.git("config", "gpg.ssh.program", "no-such-program")
    before = alpha.world.state("COMMIT_EDITMSG")
    done = alpha.ralph("complete", "--json")
    assert (done.code, done.error) == (7, "cannot_sign"), done.out
    assert SSH[wrong] in done.json["error"]["message"]
    assert alpha.world.state("COMMIT_EDITMSG") == before


def test_a_hook_may_speak_of_signatures_and_permissions(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"), remote=False)
    alpha.claim("T-1")
    alpha.write("one.txt", "1\n")
    hook = alpha.world.write(
        ".git/hooks/pre-commit", "#!/bin/sh\necho 'signing failed: Permission denied' >&2; exit 1\n"
    )
    hook.chmod(0o755)
    done = alpha.ralph("complete", "--json")
    assert (done.code, done.error) == (1, "git_failed"), done.out
    assert "signing failed: Permission denied" in alpha.ralph("complete").err
