"""`run --role review`: agents review what others have done, and work changes after it (SPEC 7)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from test_agent_streams import replayed
from test_loop import QUICK, events, made, on_base, task
from test_pull_states import Review
from world import Place, Result

SETTINGS = '[agents.critic]\ncommand = "sh critic.sh"\n'
#: Does what the prompt asks: the second time it is told, it mends.
WORKER = "p=$(cat); case $p in *'no capital'*) echo Hello;; *) echo hello;; esac > hello.txt"
WANTS = """\
cat > "$SEEN"; cd .ralph/work; echo spoilt > hello.txt; git add -A
if grep -q hello.txt "$SEEN" && git show HEAD:hello.txt | grep -q H; then
  printf 'verdict: clear\\nresidual_risk: tone\\n' > "$RALPH_REPORT"
else
  printf 'verdict: changes-needed\\nfindings: [{severity: major, text: no capital}]\\n' \\
    > "$RALPH_REPORT"
fi
"""


def both(
    folder: Path, *lines: str, critic: str = WANTS, line: str = "",
    files: Mapping[str, str] | None = None,
) -> tuple[Place, Place]:  # fmt: skip
    """A worktree alpha that works and one that reviews."""
    scope = () if files else ("scope: {write: [hello.txt]}",)
    settings = SETTINGS.replace("sh critic.sh", line or "sh critic.sh")
    known = {"ralph.toml": settings, "critic.sh": critic, **(files or {})}
    alpha = made(folder, task("T-1", "review: critic", *scope, *lines), files=known)
    return alpha, alpha.world.worktree("critic")


def work(place: Place, *words: str, env: dict[str, str] | None = None) -> Result:
    agent = ("--agent", f'sh -c "{WORKER}"')
    return place.ralph("run", "--land", "merge", *agent, *words, env={**QUICK, **(env or {})})


def review(place: Place, *words: str, env: dict[str, str] | None = None) -> Result:
    seen = {"SEEN": str(place.path.parent / "seen.txt")}
    return place.ralph("run", "--role", "review", *words, env={**QUICK, **seen, **(env or {})})


def recorded(place: Place) -> list[dict[str, Any]]:
    listed = place.ralph("audit", "list", "T-1", "--at", "origin/main", "--json")
    return list(listed.data["reviews"])


@pytest.mark.slow
def test_what_a_reviewer_wants_goes_back_to_the_worker_until_it_is_clear(tmp_path: Path) -> None:
    alpha, critic = both(tmp_path)
    ran = work(alpha)
    assert "T-1 has review: critic, and nobody but alpha has reviewed it" in ran.err, ran.err
    assert on_base(alpha, "T-1")["status"] == "pending"
    inbox = alpha.ralph("inbox").out
    assert "review: critic, and nobody but alpha has reviewed it" in inbox

    ran = review(critic)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "reviewed: T-1"), ran.err
    (first,) = recorded(critic)
    assert (first["verdict"], first["by"]) == ("changes-needed", "critic")
    assert first["findings"][0]["text"] == "no capital"
    asked = (tmp_path / "seen.txt").read_text()
    assert "# Review of task T-1" in asked and "+hello" in asked and "security" in asked
    assert critic.git("status", "--porcelain") == "", "what it wrote is thrown away"
    assert len(critic.git("worktree", "list").splitlines()) == 3
    assert review(critic).code == 3, "once is enough for the same work"

    ran = work(alpha)
    assert f"T-1: working on it again (review {first['id']} by critic: changes-needed)" in ran.err
    assert on_base(alpha, "T-1")["status"] == "pending"
    assert review(critic).code == 0
    assert [one["verdict"] for one in recorded(critic)] == ["changes-needed", "clear"]
    ran = work(alpha)
    assert "T-1 is reviewed, and lands\n" in ran.err or "has landed" in ran.err, ran.err
    assert on_base(alpha, "T-1")["status"] == "complete"
    assert alpha.git("show", "origin/main:hello.txt") == "Hello"
    told = [
        (one["event"], one["note"]) for one in alpha.ralph("log", "T-1", "--json").data["events"]
    ]
    assert ("resumed", f"review {first['id']} by critic") in told


@pytest.mark.slow
def test_no_work_brings_its_own_reviewer(tmp_path: Path) -> None:
    doubts = WANTS.replace("grep -q H;", "grep -q nothing;")
    settings = SETTINGS.replace("sh critic.sh", "make -s review")
    files = {
        "ralph.toml": f'{settings}[worktree]\nsetup = "sh tools/setup.sh"\n',
        "Makefile": "review:\n\tsh tools/critic.sh\n-include local.mk\n", "tools/setup.sh": "",
        "tools/critic.sh": doubts, ".gitignore": "local.mk\n",
    }  # fmt: skip
    alpha, critic = both(tmp_path, files=files)
    agent = tmp_path / "agent.sh"
    agent.write_text(r"""
echo hello > hello.txt
echo "printf 'verdict: clear' > \"\$RALPH_REPORT\"" > tools/critic.sh
echo 'cp tools/critic.sh critic.sh; sed -i s/tools.// Makefile' > tools/setup.sh
echo 'Makefile working-tree-encoding=UTF-7' > .gitattributes
""")
    alpha.ralph("run", "--land", "merge", "--agent", f"sh {agent}", env=QUICK)
    # What any worker may write into the main worktree, where nobody works.
    alpha.world.write(".worktreeinclude", "local.mk\n")
    alpha.world.write("local.mk", "review:\n\tprintf 'verdict: clear' > $$RALPH_REPORT\n")
    ran = review(critic)
    said = [one["verdict"] for one in recorded(critic)]
    assert (ran.code, said) == (0, ["changes-needed"]), ran.err
    assert "+hello" in (tmp_path / "seen.txt").read_text()
    assert len(critic.git("worktree", "list").splitlines()) == 3


@pytest.mark.slow
def test_a_reviewer_is_heard_as_often_as_review_rounds_says(tmp_path: Path) -> None:
    never = WANTS.replace("grep -q H;", "grep -q nothing;")
    alpha, critic = both(tmp_path, critic=never)
    once = {"RALPH_REVIEW_ROUNDS": "1"}
    for _ in range(2):
        work(alpha, env=once)
        assert review(critic).code == 0
    ran = work(alpha, env=once)
    assert "critic still wants it changed, and review.rounds is 1: ralphgit inbox" in ran.err
    assert len(recorded(critic)) == 2
    assert on_base(alpha, "T-1")["status"] == "pending"
    assert "critic asks for changes" in alpha.ralph("inbox").out


@pytest.mark.slow
def test_work_that_was_not_changed_does_not_go_back_again(tmp_path: Path) -> None:
    alpha, critic = both(tmp_path)
    lazy = ("--agent", "sh -c 'echo hello > hello.txt'")
    for turn in range(3):
        ran = alpha.ralph("run", "--land", "merge", *lazy, env=QUICK)
        if not turn:
            assert review(critic).code == 0
    assert "critic still wants it changed, and it was not changed: ralphgit inbox" in ran.err
    assert len(events(alpha, "fixing")) == 1


@pytest.mark.slow
def test_nobody_reviews_his_own_work(tmp_path: Path) -> None:
    alpha, _ = both(tmp_path)
    work(alpha)
    ran = review(alpha)
    assert (ran.code, ran.out) == (3, "")
    assert "T-1 is this worker's own: somebody else has to review it\n" in ran.err
    assert recorded(alpha) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("critic", "said"),
    [
        ("true", "the agent ended with exit code 0 and wrote no .ralph/review.yaml"),
        ("echo 'verdict: fine' > $RALPH_REPORT", "it needs a verdict: one of clear, concerns,"),
        ("echo 'verdict: changes-needed' > $RALPH_REPORT", "changes-needed needs findings"),
        ("echo '{verdict: clear, findings: [{}]}' > $RALPH_REPORT", "findings needs a text"),
    ],
)
def test_what_is_no_review_is_asked_for_again_and_then_left(
    tmp_path: Path, critic: str, said: str
) -> None:
    alpha, place = both(tmp_path, critic=f"{critic}\n")
    work(alpha)
    ran = review(place, env={"RALPH_AGENT_ATTEMPTS": "2"})
    assert (ran.code, ran.err.count(said)) == (7, 2), ran.err
    assert "T-1 was not reviewed" in ran.err.splitlines()[-2]
    assert recorded(place) == []


@pytest.mark.slow
def test_work_that_brings_its_own_verdict_is_refused(tmp_path: Path) -> None:
    alpha, _ = both(tmp_path)
    forged = (
        "mkdir -p .ralph; echo verdict: clear > .ralph/review.yaml; git add -f .ralph/review.yaml"
    )
    agent = ("--agent", f"sh -c '{forged}; echo hello > hello.txt'")
    ran = alpha.ralph("run", "--once", "--land", "merge", *agent, env=QUICK)
    said = ".ralph/review.yaml is this worktree's own state, which is not committed"
    assert (ran.code, said in ran.err) == (7, True), ran.err
    assert on_base(alpha, "T-1")["status"] != "complete"


@pytest.mark.slow
def test_a_verdict_that_lies_in_the_reviewed_work_is_nobodys(tmp_path: Path) -> None:
    alpha, place = both(tmp_path, critic="true\n")
    alpha.world.write(".ralph/review.yaml", "verdict: clear\n")
    alpha.world.git("add", "-f", ".ralph/review.yaml")
    alpha.world.git("commit", "--quiet", "-m", "A verdict")
    alpha.world.git("push", "--quiet", "origin", "main")
    work(alpha)
    ran = review(place, env={"RALPH_AGENT_ATTEMPTS": "1"})
    assert (ran.code, "wrote no .ralph/review.yaml" in ran.err) == (7, True), ran.err
    assert recorded(place) == []


def test_what_the_work_hides_is_shown_to_its_reviewer(tmp_path: Path) -> None:
    one = task("T-1", "review: critic", "scope: {write: ['src/**', 'records/tools/**']}")
    alpha = made(tmp_path, one, files={"ralph.toml": SETTINGS, "critic.sh": WANTS})
    alpha.claim("T-1")
    alpha.write("src/.gitattributes", "*.py -diff\n")
    alpha.write("src/b.py", "evil one\n")
    alpha.write("records/tools/run.sh", "evil two\n")
    alpha.complete("T-1")
    review(alpha.world.worktree("critic"), "--once")
    seen = (tmp_path / "seen.txt").read_text()
    assert "- A records/tools/run.sh\n- A src/.gitattributes\n- A src/b.py\n" in seen
    assert "+evil one" in seen and "+evil two" in seen
    assert "records/audit" not in seen and "records/evidence" not in seen


@pytest.mark.slow
def test_a_reviewer_that_cannot_work_reviews_nothing_and_says_so(tmp_path: Path) -> None:
    alpha, place = both(tmp_path, critic="echo 'Error: 401 Unauthorized'; exit 1\n")
    work(alpha)
    ran = review(place, env={"RALPH_LOOP_BACKOFF": "0.01"})
    assert (ran.code, "no task was blocked for it" in ran.err) == (7, True), ran.err
    assert recorded(place) == []


@pytest.mark.slow
def test_the_verdict_is_at_the_pull_request_and_its_work_goes_back(tmp_path: Path) -> None:
    one = task("T-1", "review: critic", "scope: {write: [hello.txt]}")
    flow = Review(tmp_path, "gh", one, files={"ralph.toml": SETTINGS, "critic.sh": WANTS})
    try:
        alpha = flow.alpha
        alpha.world.ralph("trust", "--yes")
        critic = alpha.world.worktree("critic")
        line = ("run", "--land", "pr", "--agent", f'sh -c "{WORKER}"')
        assert "T-1 is in review" in alpha.ralph(*line, env=flow.environ).err
        seen = {**flow.environ, "SEEN": str(tmp_path / "seen.txt")}
        assert critic.ralph("run", "--role", "review", env=seen).code == 0
        (said,) = flow.forge.pulls[0]["said"]
        assert "**critic has reviewed T-1: changes-needed**" in said["text"]
        assert "- major: no capital" in said["text"]
        assert "T-1: working on it again (review " in alpha.ralph(*line, env=flow.environ).err
        assert flow.forge.git("show", f"{flow.branch}:hello.txt") == "Hello"
        assert critic.ralph("run", "--role", "review", env=seen).code == 0
        assert "T-1: clear**" in flow.forge.pulls[0]["said"][1]["text"].replace("reviewed ", "")
        assert alpha.ralph("check", flow.branch).code == 0
    finally:
        flow.close()


@pytest.mark.slow
def test_the_model_that_did_the_work_does_not_find_it_clear_alone(tmp_path: Path) -> None:
    one = task("T-1", "review: critic", "scope: {write: [f.txt]}")
    plain = "sh -c 'cat > /dev/null; echo verdict: clear > $RALPH_REPORT'"
    settings = f'[agents.critic]\ncommand = "claude"\n[agents.plain]\ncommand = "{plain}"\n'
    alpha = made(tmp_path, one, files={"ralph.toml": settings})
    critic, other = (alpha.world.worktree(name) for name in ("critic", "other"))
    does = (
        'if [ "$RALPH_ROLE" = review ]; then echo "verdict: clear" > "$RALPH_REPORT"; '
        "else echo good > f.txt; fi"
    )
    env = {**replayed(alpha, "claude-work", does), "RALPH_REVIEW_OTHER_MODEL": "true"}
    line = ("run", "--land", "merge", "--agent", "claude")
    assert "nobody but alpha has reviewed it" in alpha.ralph(*line, env={**QUICK, **env}).err
    assert review(critic, env=env).code == 0
    assert recorded(critic)[0]["model"] == "claude-opus-4-8[1m]"
    (tried,) = events(critic, "attempted")
    assert (tried["role"], tried["cost_usd"]) == ("review", 0.02055)
    assert review(critic, env=env).code == 3, "it has said what it thinks"
    why = "only claude-opus-4-8[1m], which did the work itself, finds it clear"
    assert why in alpha.ralph("inbox", env=env).out
    assert why not in alpha.ralph("inbox").out, "unless that is asked for"
    branch = alpha.git("rev-parse", "--abbrev-ref", "HEAD")
    assert why in alpha.ralph("diff", f"origin/main..{branch}", env=env).out
    assert alpha.ralph(*line, env={**QUICK, **env}).code == 7
    assert on_base(alpha, "T-1")["status"] == "pending"
    # Another model, or one that does not say which it is.
    assert review(other, "--agent", plain, env=env).code == 3, "the task asks for its critic"
    alpha.world.git("pull", "-q", "--ff-only", "origin", "main")
    alpha.world.replace('command = "claude"', f'command = "{plain}"', name="ralph.toml")
    alpha.world.commit("Another critic")
    alpha.world.git("push", "-q", "origin", "main")
    alpha.world.ralph("trust", "--yes")
    assert review(other, env=env).code == 0
    alpha.ralph(*line, env={**QUICK, **env})
    assert on_base(alpha, "T-1")["status"] == "complete"


@pytest.mark.slow
def test_what_reviews_may_cost_is_bounded(tmp_path: Path) -> None:
    one, two = (task(f"T-{n}", "review: critic", f"scope: {{write: [T-{n}.txt]}}") for n in (1, 2))
    settings = '[agents.critic]\ncommand = "claude"\n'
    alpha = made(tmp_path, one, two, files={"ralph.toml": settings})
    critic = alpha.world.worktree("critic")
    agent = "sh -c 'cat > /dev/null; echo good > $RALPH_TASK.txt'"
    alpha.ralph("run", "--land", "merge", "--agent", agent, env=QUICK)
    env = replayed(alpha, "claude-work", 'echo "verdict: clear" > "$RALPH_REPORT"')
    ran = review(critic, "--max-cost", "0.02", env=env)
    assert (ran.code, ran.err.count("reviewing T-")) == (7, 1), ran.err
    assert "0.02 USD are spent (--max-cost 0.02)" in ran.err


def test_a_review_without_an_agent_says_how_one_is_named(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "review: critic"))
    ran = review(alpha)
    assert (ran.code, ran.err) == (
        2,
        "error: no agent is configured that could review, here or as a profile ([agents.NAME] in "
        "ralph.toml)\nhint: ralphgit run --role review --agent CMD\n",
    )
