"""A remote behind the real sshd: nobody is asked for anything, and ssh's own words are shown."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import slow
from sshd import Sshd
from test_loop import QUICK, events, made, on_base, task
from world import Place, Result, until

#: Run a command with a terminal of its own, and print what it prints there.
AT_A_TERMINAL = """
import os, pty, sys
child, terminal = pty.fork()
if not child:
    os.execvp(sys.argv[1], sys.argv[1:])
said = b""
try:
    while chunk := os.read(terminal, 4096):
        said += chunk
except OSError:
    pass
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

REMOTE = {"RALPH_LEASE": "remote", "RALPH_REQUIRE_REMOTE": "true"}


@pytest.fixture
def alpha(tmp_path: Path) -> Place:
    return made(tmp_path, task("T-1", "outputs: [one.txt]"), task("T-2", "outputs: [two.txt]"))


@pytest.fixture
def server(alpha: Place) -> Iterator[Sshd]:
    world = alpha.world
    with Sshd(world.folder / "ssh", "remote.test") as found:
        world.git("remote", "set-url", "origin", found.url(world.origin.path))
        world.git("config", "core.sshCommand", found.command)
        yield found


def at_a_terminal(place: Place, *words: str, env: dict[str, str] | None = None) -> Result:
    """A command as a person types it, with a terminal that answers nothing."""
    line = (sys.executable, "-m", "ralphgit", *words)
    return place.run(sys.executable, "-c", AT_A_TERMINAL, *line, env=env)


@pytest.mark.slow
def test_all_goes_by_ssh(alpha: Place, server: Sshd) -> None:
    alpha.claim("T-1", env=REMOTE)
    assert alpha.world.origin.git("for-each-ref", "refs/ralph/leases") != ""
    alpha.write("one.txt", "1\n")
    assert alpha.ralph("complete", "--land", env=REMOTE).code == 0
    assert on_base(alpha, "T-1")["status"] == "complete"


#: What is wrong, what ssh says of it, and what the hint names.
WRONG = {
    "a passphrase": ("Permission denied (publickey)", "ssh-add"),
    "no key": ("Permission denied (publickey)", "ssh-add"),
    "an unknown host": ("Host key verification failed.", "connect once with ssh"),
    "another host": ("REMOTE HOST IDENTIFICATION HAS CHANGED", "ssh-keygen -f"),
}


def broken(server: Sshd, wrong: str) -> None:
    if wrong == "a passphrase":
        server.lock("secret")
    elif wrong == "no key":
        (server.folder / "user").unlink()
    else:
        server.know("user" if wrong == "another host" else "")


@pytest.mark.parametrize("wrong", slow.but(0, WRONG))
def test_nobody_is_asked(alpha: Place, server: Sshd, wrong: str) -> None:
    said, hint = WRONG[wrong]
    alpha.did("T-1", {"one.txt": "1\n"})
    broken(server, wrong)
    for words in (("claim", "T-2"), ("land", "alpha")):
        done = at_a_terminal(alpha, *words, env=REMOTE)
        assert done.code == 4, done
        assert said in done.out.splitlines()[0] and hint in done.out.splitlines()[-1], done.out
        assert "passphrase for key" not in done.out and "(yes/no" not in done.out
    assert alpha.git("status", "--porcelain") == ""


def test_the_hint_for_a_host_with_a_new_key_works(alpha: Place, server: Sshd) -> None:
    server.know("user")
    refused = alpha.ralph("claim", "T-1", "--json", env=REMOTE)
    assert alpha.run("sh", "-c", refused.json["error"]["hint"]).code == 0
    known = (server.folder / "known").read_text()
    assert known == ""
    server.know("host")
    assert alpha.ralph("claim", "T-1", env=REMOTE).code == 0


@pytest.mark.slow
def test_a_key_that_an_agent_has(alpha: Place, server: Sshd) -> None:
    """What the hint asks for, done by hand."""
    server.lock("secret")
    gives = alpha.world.write(".git/gives", "#!/bin/sh\necho secret\n")
    gives.chmod(0o755)
    socket = tempfile.mktemp(prefix="agent-")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        until(Path(socket).exists)
        env = {"SSH_AUTH_SOCK": socket}
        asks = {"SSH_ASKPASS": str(gives), "SSH_ASKPASS_REQUIRE": "force"}
        added = alpha.run("ssh-add", str(server.folder / "user"), env=env | asks)
        assert added.code == 0, added.err
        done = at_a_terminal(alpha, "claim", "T-1", env=REMOTE | env)
        assert done.code == 0, done.out
    finally:
        agent.terminate()
        agent.wait()


@pytest.mark.slow
def test_a_loop_that_is_not_let_in_charges_nobody(alpha: Place, server: Sshd) -> None:
    broken(server, "a passphrase")
    words = ("run", "--agent", "scripted", "--land", "merge", "--max-time", "3")
    for env in (REMOTE, {}):
        ran = at_a_terminal(alpha, *words, env={**QUICK, "RALPH_LOOP_BACKOFF": "0.3", **env})
        assert ran.code == 7
        assert "Permission denied (publickey).; nobody can be asked for a passphrase" in ran.out
        assert "passphrase for key" not in ran.out
    assert all(one["outcome"] == "done" for one in events(alpha, "attempted"))
    server.lock("", before="secret")
    ran = alpha.ralph(*words[:-2], env=QUICK)
    assert ran.code == 0, ran.err
    assert [on_base(alpha, id)["status"] for id in ("T-1", "T-2")] == ["complete"] * 2
    assert len(events(alpha, "agent")) == 2
