"""Commit messages: the project's template, the worker's own words, and hooks that judge them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from test_loop import events, loop, made, on_base, task
from world import Place, installed

#: What docs/configuration.md offers for conventional commits.
CONVENTIONAL = 'chore({{ packet.task }}): {{ packet.title | lower | truncate(60, true, "") }}'
#: A hook that lets in conventional commits alone, as far as a shell can tell.
HOOK = """\
#!/bin/sh
grep -qE '^(feat|fix|chore)(\\([^)]*\\))?: [a-z]' "$1" && exit 0
echo "commit-msg: the subject must be a conventional commit" >&2
exit 1
"""


def hook(place: Place, text: str = HOOK, name: str = "commit-msg") -> None:
    place.world.write(f".git/hooks/{name}", text).chmod(0o755)


def subject(place: Place, commit: str = "HEAD") -> str:
    return place.git("log", "-1", "--format=%s", commit)


def with_template(folder: Path, *tasks: str, template: str = CONVENTIONAL) -> Place:
    toml = f"commit.subject = '{template}'\n"
    return made(folder, *(tasks or (task("T-1"), task("T-2"))), files={"ralph.toml": toml})


@pytest.mark.slow
def test_every_commit_has_the_subject_of_the_template(tmp_path: Path) -> None:
    alpha = with_template(tmp_path, task("T-1"), task("T-2"), task("T-3"))
    hook(alpha)
    alpha.claim("T-1")
    alpha.write("a.txt", "a")
    alpha.complete()
    assert subject(alpha) == "chore(T-1): task t-1"
    alpha.world.git("commit", "--quiet", "--allow-empty", "-m", "chore: moves the base")
    alpha.world.git("push", "--quiet", "origin", "main")
    assert alpha.ralph("land").code == 0
    assert subject(alpha, "origin/main") == "chore(T-1): merge into main"
    alpha.claim("T-2")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    assert subject(alpha) == "chore(T-2): blocked (needs_context)"
    alpha.world.git("pull", "--quiet", "--ff-only", "origin", "main")
    alpha.world.git("commit", "--quiet", "--allow-empty", "-m", "chore: moves it again")
    alpha.world.git("push", "--quiet", "origin", "main")
    assert alpha.ralph("land").code == 0
    assert subject(alpha, "origin/main") == "chore(T-2): blocked"
    alpha.claim("T-3")
    assert alpha.ralph("release", "--reason", "later").code == 0
    assert subject(alpha) == "chore(T-3): released"
    beta = alpha.world.worktree("beta", at="origin/main")
    beta.claim("T-3")
    beta.commit("feat: half of it")
    beta.git("push", "--quiet", "origin", "HEAD:main")
    done = alpha.world.ralph("reset", "T-3", "--force", "--reason", "word " * 40)
    assert done.code == 0, done.err
    alpha.git("fetch", "--quiet")
    assert subject(alpha, "origin/main") == "chore(T-3): reset"
    body = alpha.git("log", "-1", "--format=%b", "origin/main").splitlines()
    assert max(map(len, body)) <= 100


def test_the_template_sees_what_the_commit_is_about(tmp_path: Path) -> None:
    template = (
        '{{ "feat" if packet.event == "completed" else "chore" }}: {{ packet.story }} '
        "{{ packet.task }} {{ packet.worker }}"
    )
    alpha = with_template(tmp_path, task("T-1", "story: S-1"), template=template)
    alpha.did("T-1", {"a.txt": "a"})
    assert subject(alpha) == "feat: S-1 T-1 alpha"


@pytest.mark.parametrize(
    "template", ["{{ packet.tusk }}", "{{ packet.task", '{{ "" }}', "{{ 1/0 }}"]
)
def test_a_template_that_cannot_be_rendered_is_told_before_anything_runs(
    tmp_path: Path, template: str
) -> None:
    alpha = with_template(tmp_path, task("T-1", "verify: [touch ran]"), template=template)
    alpha.claim("T-1")
    alpha.write("a.txt", "a")
    error = alpha.refused("complete", code="bad_template", exit=6)
    assert "commit.subject" in error["message"]
    assert not (alpha.path / "ran").exists()
    ran = loop(alpha, "--json")
    assert (ran.code, ran.error) == (6, "bad_template")
    assert not (alpha.path / ".ralph" / "logs").exists(), "no agent ran"


UNBOUNDED = {
    "{{ 'a' * 10000000000 }}": "too much memory",
    "{{ '%1000000000d' % 1 }}": "too much memory",
    "{{ 'a'|center(1000000000) }}": "too much memory",
    "{{ 10 ** (10 ** 8) }}": "takes longer",
    "{{ 1|round(30000000, 'ceil') }}": "takes longer",
    "{{ 1|round(-30000000) }}": "takes longer",
    "{% set n = namespace(a=[1], b=[1]) %}{% for i in range(99) %}{% set n.a = [n.a, n.a] %}"
    "{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}": "takes longer",
    "{% for i in range(9999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}": "takes longer",
    "{{ 'a' * 20000 }}": "a subject of 20000 characters",
    '{{ "\\x1b[31m" }}': "a control character U+001B",
}  # fmt: skip


@pytest.mark.slow
def test_a_template_without_bounds_is_told_like_any_that_is_wrong(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"))
    alpha.claim("T-1")
    alpha.write("a.txt", "a")
    for template, said in UNBOUNDED.items():
        done = alpha.ralph("complete", "--json", env={"RALPH_COMMIT_SUBJECT": template})
        assert (done.code, done.error) == (6, "bad_template"), template
        assert said in done.json["error"]["message"]


def test_the_workers_own_words_come_first(tmp_path: Path) -> None:
    alpha = made(
        tmp_path,
        task("T-1", 'x-commit: "feat(api): add the client"'),
        task("T-2", 'x-commit: "feat(api): add the client"'),
        task("T-3", 'x-commit: "feat(api): add the client"'),
    )  # fmt: skip
    alpha.did("T-1", {"a.txt": "a"})
    assert subject(alpha) == "feat(api): add the client"
    alpha.claim("T-2")
    alpha.write("b.txt", "b")
    own = "fix(api): close it\\n\\nIt leaked.\\n\\nSigned-off-by: A <a@b.c>\\nRalph-Task: T-9"
    alpha.write(".ralph/report.yaml", f'status: done\nmessage: "{own}"\n')
    alpha.complete()
    assert alpha.git("log", "-1", "--format=%B").split("\n") == [
        "fix(api): close it", "", "It leaked.", "", "Signed-off-by: A <a@b.c>",
        "Ralph-Task: T-2", f"Ralph-Claim: {alpha.task('T-2')['claim']['id']}",
        "Ralph-Worker: alpha", "",
    ]  # fmt: skip
    alpha.claim("T-3")
    alpha.write("c.txt", "c")
    alpha.write(".ralph/report.yaml", 'status: done\nmessage: "fix: from the report"\n')
    alpha.complete("-m", "fix: from the option")
    assert subject(alpha) == "fix: from the option"


def test_by_hand_a_hook_s_words_are_shown_and_nothing_is_half_done(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"))
    hook(alpha)
    alpha.claim("T-1")
    alpha.write("a.txt", "a")
    before = alpha.world.state("COMMIT_EDITMSG")
    done = alpha.ralph("complete")
    assert done.code == 1
    assert "commit-msg: the subject must be a conventional commit" in done.err
    assert 'ralphgit complete T-1 -m "TEXT"' in done.err
    assert alpha.world.state("COMMIT_EDITMSG") == before
    assert alpha.ralph("complete", "-m", "feat: a").code == 0


@pytest.mark.slow
def test_in_a_loop_the_agent_hears_the_hook_and_writes_its_own_message(tmp_path: Path) -> None:
    script = (
        "[{write: {one.txt: x}}, {write: {one.txt: x}, report: "
        '{status: done, message: "feat: one"}}]'
    )
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]", script=script))
    hook(alpha)
    ran = loop(alpha)
    assert ran.code == 0, ran.err
    assert subject(alpha, "origin/main") == "feat: one"
    assert len(events(alpha, "agent")) == 2
    assert "commit-msg: the subject must be a conventional commit" in ran.err
    assert "commit-msg: the subject" in alpha.read(".ralph/prompt.md")


@pytest.mark.slow
def test_a_hook_that_declines_the_block_as_well_leaves_the_task_and_the_loop_goes_on(
    tmp_path: Path,
) -> None:
    own = "[{write: {two.txt: x}, report: {status: done, message: 'feat: two'}}]"
    alpha = made(
        tmp_path, task("T-1", "outputs: [one.txt]"),
        task("T-2", "outputs: [two.txt]", script=own),
    )  # fmt: skip
    hook(alpha)
    ran = loop(alpha, env={"RALPH_AGENT_ATTEMPTS": "2"})
    assert ran.code == 7, ran.err
    assert "commit-msg: the subject must be a conventional commit" in ran.err
    assert "commit.subject" in ran.err
    assert on_base(alpha, "T-2")["status"] == "complete"
    assert on_base(alpha, "T-1")["status"] == "pending"
    assert len(events(alpha, "agent")) == 3
    assert alpha.leases == []
    assert alpha.git("status", "--porcelain") == ""
    assert alpha.task("T-1")["state"] == "ready"


@pytest.mark.slow
def test_what_no_hook_lets_in_waits_for_a_person(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"), remote=False)
    hook(alpha, "#!/bin/sh\necho HOOK SAYS NO >&2\nexit 1\n")
    ran = loop(alpha, env={"RALPH_AGENT_ATTEMPTS": "1"})
    assert ran.out == "lost: T-1\nThe loop has ended: what is left needs a person.\n", ran.err
    assert ran.code == 7
    said = "nothing can be claimed here: no hook let in a commit of T-1, and it is left to a person"
    assert ran.err.splitlines()[-2:] == [said, "hint: ralphgit run"]
    (asked,) = alpha.world.ralph("inbox", "--json").data["questions"]
    assert (asked["task"], asked["reason"]) == ("T-1", "declined")
    assert "HOOK SAYS NO" in asked["question"]
    (seen,) = [
        one for one in alpha.ralph("status", "--json").data["attention"] if one["task"] == "T-1"
    ]
    assert (seen["code"], seen["hint"]) == ("declined", "ralphgit run")
    # A new loop begins anew; once a commit is let in, nothing waits.
    hook(alpha, "#!/bin/sh\n")
    assert loop(alpha).code == 0
    assert alpha.world.ralph("inbox", "--json").data["questions"] == []


@pytest.mark.slow
def test_by_the_template_the_block_passes_the_same_hook(tmp_path: Path) -> None:
    wrong = "[{write: {one.txt: x}, report: {status: done, message: 'No'}}]"
    alpha = with_template(tmp_path, task("T-1", "outputs: [one.txt]", script=wrong))
    hook(alpha)
    ran = loop(alpha, env={"RALPH_AGENT_ATTEMPTS": "1"})
    assert ran.code == 7, ran.err
    assert on_base(alpha, "T-1")["status"] == "blocked"
    assert subject(alpha, "origin/main") == "chore(T-1): blocked (verify-failed)"


@pytest.mark.slow
@pytest.mark.parametrize("template", [True, False])
def test_a_merge_of_the_base_has_the_template_s_subject_too(tmp_path: Path, template: bool) -> None:
    own = "[{write: {one.txt: x}, report: {status: done, message: 'feat: one'}}]"
    tasks = (task("T-1", "outputs: [one.txt]", script=own),)
    alpha = with_template(tmp_path, *tasks) if template else made(tmp_path, *tasks)
    alpha.write("mine.txt", "mine\n")
    alpha.commit("feat: mine")
    alpha.world.git("commit", "--quiet", "--allow-empty", "-m", "chore: moves the base")
    alpha.world.git("push", "--quiet", "origin", "main")
    hook(alpha)
    ran = loop(alpha, "--branch", "keep", "--land", "none")
    if template:
        assert ran.code == 0, ran.err
        log = alpha.git("log", "--format=%s", "-2").split("\n")
        assert log == ["feat: one", "chore(origin/main): merge"]
    else:
        assert ran.code != 0
        assert "commit-msg: the subject must be a conventional commit" in ran.err
        assert alpha.git("status", "--porcelain") == ""


# -- commitlint ----------------------------------------------------------------------------


def lint(place: Place) -> tuple[str, ...]:
    """Have commitlint judge every commit; its command line."""
    program = installed("commitlint", "npm install -g @commitlint/cli")
    rules = Path(program).resolve().parents[1] / "config-conventional" / "lib" / "index.js"
    config = place.world.write(".git/commitlint.json", f'{{"extends": ["{rules}"]}}')
    hook(place, f'#!/bin/sh\nexec {program} --config {config} --edit "$1"\n')
    return program, "--config", str(config)


def test_a_loop_hears_commitlint_itself(tmp_path: Path) -> None:
    """T-1 never writes a message that passes: it is left, and the loop goes on with T-2."""
    two = "write: {two.txt: x}"
    own = f"[{{{two}}}, {{{two}, report: {{status: done, message: 'feat: two'}}}}]"
    alpha = made(
        tmp_path, task("T-1", "outputs: [one.txt]"), task("T-2", "outputs: [two.txt]", script=own),
    )  # fmt: skip
    lint(alpha)
    ran = loop(alpha, env={"RALPH_AGENT_ATTEMPTS": "2"})
    assert ran.code == 7, ran.err
    assert "type may not be empty [type-empty]" in ran.err
    assert [on_base(alpha, id)["status"] for id in ("T-1", "T-2")] == ["pending", "complete"]
    assert subject(alpha, "origin/main") == "feat: two"
    assert (alpha.leases, len(events(alpha, "agent"))) == ([], 4)


def test_conventional_commits_by_commitlint_itself(tmp_path: Path) -> None:
    long = "title: Do what the users of the old client asked for in so many words that it is long."
    alpha = with_template(
        tmp_path, task("T-1", "verify: ['true']").replace("title: Task T-1", long), task("T-2"),
    )  # fmt: skip
    commitlint = lint(alpha)
    alpha.claim("T-1")
    alpha.write("a.txt", "a")
    alpha.complete("--concern", "Of all that could be said of it, this is more than one line. " * 3)
    alpha.claim("T-2")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    words = [*commitlint, "--from", "origin/main", "--to", "HEAD"]
    told = subprocess.run(words, cwd=alpha.path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout
