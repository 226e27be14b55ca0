"""No word of an agent or a person brings a secret into a record or a commit."""

from __future__ import annotations

import sys
from pathlib import Path

from test_landing import agent
from test_loop import loop, made, task
from world import Place

TOKEN = "ghp_abcdefghijklmnopqrstuvwxyz0123456789AB"
SECRETS = {"MY_SECRET_TOKEN": "hunter2hunter2XYZ"}
SAID = f"It fails with hunter2hunter2XYZ and {TOKEN} here"
TASK = task("T-1", "outputs: [a.txt]")


def all_said(place: Place, *revisions: str) -> str:
    """Everything that these commits and the files of this worktree's records say."""
    texts = [place.git("log", "--patch", "--format=%B", *revisions)]
    texts += [path.read_text() for path in (place.path / "records").rglob("*.yaml")]
    return "\n".join(texts)


def has_none(text: str) -> None:
    assert "hunter2" not in text and "ghp_" not in text
    assert "[redacted]" in text


def test_a_question_and_its_answer(tmp_path: Path) -> None:
    alpha = made(tmp_path, TASK)
    alpha.claim("T-1")
    words = ("--question", SAID, "--option", f"A {TOKEN}", "--option", "B")
    assert alpha.ralph("block", *words, env=SECRETS).code == 0
    assert alpha.ralph("land", env=SECRETS).code == 0
    answered = alpha.world.ralph("reply", "T-1", SAID, env=SECRETS)
    assert answered.code == 0, answered.err
    has_none(all_said(alpha, "HEAD"))
    world = alpha.world
    has_none(world.git("grep", "redacted", "origin/main", "--", "records"))
    has_none(all_said(world, "origin/main"))


def test_a_completion(tmp_path: Path) -> None:
    alpha = made(tmp_path, TASK)
    alpha.claim("T-1")
    alpha.write("a.txt", "x\n")
    words = ("--summary", SAID, "--concern", SAID, "-m", f"Do it\n\n{SAID}")
    done = alpha.ralph("complete", *words, env=SECRETS)
    assert done.code == 0, done.err
    has_none(all_said(alpha, "HEAD"))


def test_the_reasons_of_a_release_and_a_reset(tmp_path: Path) -> None:
    alpha = made(tmp_path, TASK)
    alpha.claim("T-1")
    assert alpha.ralph("release", "--reason", SAID, env=SECRETS).code == 0
    has_none(all_said(alpha, "HEAD"))
    alpha.claim("T-1")
    reset = alpha.world.ralph("reset", "T-1", "--reason", SAID, env=SECRETS)
    assert reset.code == 0, reset.err
    has_none(all_said(alpha.world, "origin/main"))


def test_what_an_agent_calls_its_model(tmp_path: Path) -> None:
    alpha = made(tmp_path, TASK)
    program = tmp_path / "programs" / "claude"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\necho x > a.txt; printf 'status: done\\n' > .ralph/report.yaml\n"
        """echo '{"type":"system","subtype":"init","model":"hunter2hunter2XYZ"}'\n"""
        """echo '{"type":"result","result":"done","usage":{"input_tokens":5}}'\n"""
    )
    program.chmod(0o755)
    env = {**SECRETS, "PATH": f"{program.parent}:{alpha.environ['PATH']}"}
    ran = loop(alpha, "--once", "--agent", "claude", env=env)
    assert ran.code == 0, ran.err
    has_none(alpha.git("show", "origin/main"))
    assert "hunter2" not in (alpha.path / ".ralph" / "logs" / "loop.jsonl").read_text()


def test_a_loop_with_an_agent_that_blocks_by_command(tmp_path: Path) -> None:
    alpha = made(tmp_path, TASK)
    does = f'{sys.executable} -m ralphgit block --question "It is $MY_SECRET_TOKEN, {TOKEN}"'
    ran = loop(alpha, "--once", "--agent", agent(alpha, does), env=SECRETS)
    assert ran.code == 7, ran.err
    has_none(all_said(alpha, "origin/main"))
    has_none((alpha.path / ".ralph" / "logs" / "loop.jsonl").read_text())
