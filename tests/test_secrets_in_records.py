"""No word of an agent or a person brings a secret into a record or a commit."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from test_landing import agent
from test_loop import loop, made, task
from world import Place

from ralphgit.records.redact_secrets import MARK, LineRedactor, redact, secrets_in

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


def test_a_review_and_a_worktree_that_goes(tmp_path: Path) -> None:
    alpha = made(tmp_path, TASK)
    alpha.claim("T-1")
    alpha.write("a.txt", "x\n")
    assert alpha.ralph("complete").code == 0
    words = ("--target", "HEAD", "--verdict", "concerns", "--by", "Bob", "--lens", SAID)
    found = ("--finding", f"hunter2hunter2XYZ: {SAID}")
    written = alpha.ralph("audit", "add", "T-1", *words, *found, env=SECRETS)
    assert written.code == 0, written.err
    has_none(all_said(alpha, "HEAD"))
    removed = alpha.world.ralph("worktree", "remove", "alpha", "--force", SAID, env=SECRETS)
    assert removed.code == 0, removed.err
    has_none(all_said(alpha.world, "--glob=refs/ralph/rescue"))


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


@pytest.mark.slow
def test_a_loop_with_an_agent_that_blocks_by_command(tmp_path: Path) -> None:
    alpha = made(tmp_path, TASK)
    does = f'{sys.executable} -m ralphgit block --question "It is $MY_SECRET_TOKEN, {TOKEN}"'
    ran = loop(alpha, "--once", "--agent", agent(alpha, does), env=SECRETS)
    assert ran.code == 7, ran.err
    has_none(all_said(alpha, "origin/main"))
    has_none((alpha.path / ".ralph" / "logs" / "loop.jsonl").read_text())


#: What programs print; the secret is `S3cretS3cretS3cret`.
PRINTED = (
    '{"password": "S3cretS3cretS3cret"}', '"Authorization": "Bearer S3cretS3cretS3cret"',
    r'"{\"client_secret\": \"S3cretS3cretS3cret\"}"', "'token': 'S3cretS3cretS3cret'",
    "redis://:S3cretS3cretS3cret@host/0", "https://S3cretS3cretS3cret@host/x.git",
    "mysql --password S3cretS3cretS3cret", "aws_secret_access_key = S3cretS3cretS3cret",
    "DB_PASS=S3cretS3cretS3cret", "hf_S3cretS3cretS3cretS3cret", "sk_live_S3cretS3cretS3cret",
    "ASIAS3CRETS3CRETS3CRET", "xapp-1-S3cretS3cretS3cret", "pypi-AgES3cretS3cretS3cret",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\nS3cret\n-----END PGP PRIVATE KEY BLOCK-----",
)  # fmt: skip
#: What is none, though it looks a little like one.
HARMLESS = (
    "PASS: tests/test_one.py", "task-graph-of-this-repository", "globals-are-shared-between-tests",
    "ssh://git@host/x.git", "https://somebody@host/x.git", "http://host:8080/@scope/name",
    "PWD=/home/ann/proj", "the password is not here",
)  # fmt: skip


def test_what_a_loop_says_of_a_file_that_is_called_as_a_secret(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}", "verify: ['true']"))
    line = agent(alpha, "echo x > a.txt; echo x > b-$MY_SECRET_TOKEN; git add -A")
    ran = loop(alpha, "--once", "--agent", line, env={**SECRETS, "RALPH_AGENT_ATTEMPTS": "2"})
    logs = [path.read_text() for path in (alpha.path / ".ralph" / "logs").iterdir()]
    assert "b-[redacted] is outside" in ran.err, ran.err
    has_none("\n".join((ran.out, ran.err, *logs)))


def test_what_programs_print_of_secrets() -> None:
    left = [text for text in PRINTED if "s3cret" in redact(text).casefold()]
    assert (left, [text for text in HARMLESS if redact(text) != text]) == ([], [])


def test_names_and_values_of_variables() -> None:
    environ = {
        "SMTP_PASS": "of-mails-1", "SSHPASS": "of-ssh-1", "DB_TOKEN": "correct-horse7\n",
        "KEY_FILE_SECRET": "one line\nsecond 2\n", "BUILD_URL": "amqp://me:of-queue@host/",
        "CI_BYPASS": "nothing-secret", "COMPASS": "north-north-west",
    }  # fmt: skip
    assert {*secrets_in(environ)} == {
        "of-mails-1", "of-ssh-1", "correct-horse7", "one line\nsecond 2", "one line", "second 2",
        "of-queue",
    }  # fmt: skip


_BEGUN = [
    "ghp_", "github_pat_", "glpat-", "sk-", "sk_live_", "whsec_", "xoxb-", "xapp-", "AKIA", "AIza",
    "ya29.", "npm_", "pypi-AgE", "hf_", "SG.", "SG.aaaaaaaaaaaaaaaaa.", "dckr_pat_", "dop_v1_",
    "eyJaaaaaaaa.", "eyJaaaaaaaa.eyJaaaaaaaa.a ", "-----BEGIN ", "-----BEGIN PRIVATE KEY",
    "-----BEGIN PRIVATE KEY-----\n-----END ", "://", "://a:", "http://1", "token", "token: ",
    "token=\"", "authorization: bearer ", "--a-", "--token", "_", " ", "\n",
]  # fmt: skip


@pytest.mark.parametrize("some", [["eyJ"], ["a-"], pytest.param(_BEGUN, marks=pytest.mark.slow)])
def test_a_megabyte_of_what_begins_as_a_secret_is_read_in_time(some: list[str]) -> None:
    """What an agent prints may be anything; its loop waits for this."""
    for begun in some:
        text = begun * (1_000_000 // len(begun))
        started = time.process_time()
        redact(text)
        assert time.process_time() - started < 1, begun


@pytest.mark.parametrize("some", [[" "], pytest.param(["A ", "a: ", "\t"], marks=pytest.mark.slow)])
def test_a_megabyte_within_a_private_key_is_read_in_time(some: list[str]) -> None:
    for line in some:
        lines = LineRedactor(())
        assert lines.redact("-----BEGIN PRIVATE KEY-----") == MARK
        started = time.process_time()
        lines.redact(line * (1_000_000 // len(line)) + "!")
        assert time.process_time() - started < 1, line
