"""Nothing that an agent can write makes its work land (SPEC L9)."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from pathlib import Path

import pytest
import slow
from test_landing import agent, files_on_base
from test_loop import QUICK, loop, made, on_base, task
from world import Place, until

from ralphgit.git import worktrees

RALPH = f"{sys.executable} -m ralphgit"
ONE = task("T-1", "scope: {write: [a.txt]}", "verify: [mytest]")
#: Where the loop finds its own `mytest`, which the agent's PATH hides.
GOOD = "#!/bin/sh\ngrep -q good a.txt\n"


def judged(alpha: Place) -> dict[str, str]:
    """The environment of a loop that has the true `mytest`, and gives up after one attempt."""
    programs = alpha.world.folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "mytest").write_text(GOOD)
    (programs / "mytest").chmod(0o755)
    path = f"{programs}:{alpha.environ['PATH']}"
    return {"PATH": path, "RALPH_AGENT_ATTEMPTS": "1"}


def work(alpha: Place, script: str, *words: str) -> str:
    """Let an agent work once, and say what the loop has told."""
    ran = loop(alpha, "--once", "--agent", agent(alpha, script), *words, env=judged(alpha))
    assert ran.code in (0, 7), ran.err
    return ran.out + ran.err


FAKE = "mkdir -p ../fake; printf '#!/bin/sh\\n' > ../fake/mytest; chmod +x ../fake/mytest; "


@pytest.mark.slow
def test_a_fake_program_on_the_agents_path_proves_nothing(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    script = f"{FAKE} echo bad > a.txt; PATH=$PWD/../fake:$PATH {RALPH} complete -q || exit 9"
    told = work(alpha, script)
    assert on_base(alpha, "T-1")["status"] == "blocked", told
    assert "a.txt" not in files_on_base(alpha)


STARTS = {
    "a script": ("tools/agent.sh", "sh tools/agent.sh", "tools/agent.sh"),
    "a script that may be run": ("tools/agent.sh", "tools/agent.sh", "tools/agent.sh"),
    "an ignored script": (".local/agent.sh", "sh .local/agent.sh", ".local/agent.sh"),
    "what make reads before": ("Makefile", "make -s agent", "GNUmakefile"),
    "a link": ("tools/agent.sh", "sh tools/agent.sh", "tools"),
}


@pytest.mark.parametrize("how", slow.but(3, STARTS))
def test_what_an_agent_makes_of_its_own_command_is_not_run(how: str, tmp_path: Path) -> None:
    path, line, changed = STARTS[how]
    evil = f"touch {tmp_path}/evil; echo good > a.txt"
    text = f"agent:\n\t{evil}\n" if line.startswith("make") else f"#!/bin/sh\n{evil}\n"
    change = "mkdir x; cp ../new x/agent.sh; rm -r tools; ln -s x tools"
    change = change if changed == "tools" else f"cp ../new {changed}"
    script = f"echo attempt >> ../attempts; {change}; exit 1"
    own = f"agent:\n\t{script}\n" if line.startswith("make") else f"#!/bin/sh\n{script}\n"
    ignored = path.startswith(".local")
    files = {".gitignore": "/.local\n"} if ignored else {path: own}
    alpha = made(tmp_path, ONE, files=files)
    if ignored:
        alpha.write(path, own)
    elif line == path:
        (alpha.world.path / path).chmod(0o755)
        alpha.world.commit("May be run")
        alpha.world.git("push", "--quiet", "origin", "main")
    (alpha.path.parent / "new").write_text(text)
    (alpha.path.parent / "new").chmod(0o755)
    env = {**judged(alpha), "RALPH_AGENT_ATTEMPTS": "2"}
    ran = loop(alpha, "--agent", line, env=env)
    assert ran.code == 7 and ", which the agent's command runs" in ran.err, ran.err
    assert f"error: {changed}, " in ran.err
    assert (tmp_path / "attempts").read_text() == "attempt\n"
    assert not (tmp_path / "evil").exists()
    if not ignored and changed == path:
        hint = ran.err.splitlines()[-1].removeprefix("hint: ")
        assert alpha.git(*hint.split()[1:]) == "" and alpha.read(path) == own


@pytest.mark.slow
def test_what_one_agent_leaves_for_the_command_of_another_is_not_run(tmp_path: Path) -> None:
    settings = "".join(
        f"[agents.{name}]\ncommand = \"sh -c '{line}'\"\n"
        for name, line in (
            ("ann", "cat >/dev/null; mkdir x; echo touch ../evil >x/env; echo good >a.txt"),
            ("bob", "cat >/dev/null; test -f x/env && . x/env; echo good >b.txt"),
        )
    )
    two = task("T-2", "agent: bob", "depends_on: [T-1]", "verify: [test -s b.txt]")
    first = task("T-1", "agent: ann", "verify: [test -s a.txt]")
    files = {"ralph.toml": settings, ".gitignore": "/x\n"}
    alpha = made(tmp_path, first, two, files=files)
    assert alpha.world.ralph("trust", "--yes").code == 0
    ran = alpha.ralph("run", "--land", "merge", env=QUICK)
    assert (ran.code, on_base(alpha, "T-1")["status"]) == (7, "complete"), ran.err
    assert "error: x/env, which the agent's command runs, is not as" in ran.err
    assert not (alpha.world.folder / "evil").exists()
    (alpha.path / "x" / "env").unlink()
    assert (alpha.ralph("run", env=QUICK).code, on_base(alpha, "T-2")["status"]) == (0, "complete")


@pytest.mark.slow
def test_a_task_that_is_about_the_agent_s_own_command_lands(tmp_path: Path) -> None:
    own = "echo good > a.txt; echo '# more' >> agent.sh\n"
    alpha = made(tmp_path, task("T-1", "verify: [mytest]"), files={"agent.sh": own})
    ran = loop(alpha, "--agent", "sh agent.sh", env=judged(alpha))
    assert ran.code == 0 and on_base(alpha, "T-1")["status"] == "complete", ran.err


@pytest.mark.slow
def test_a_task_that_the_agent_completed_is_verified_again(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    told = work(alpha, f"echo good > a.txt; {RALPH} complete -q || exit 9")
    assert on_base(alpha, "T-1")["status"] == "complete", told
    assert alpha.git("show", "origin/main:a.txt") == "good"


@pytest.mark.slow
@pytest.mark.parametrize("clean", ["", "env -i PATH=$PATH HOME=$HOME PYTHONPATH=$PYTHONPATH "])
def test_force_is_refused_inside_a_loop(clean: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    script = f"echo bad > a.txt; {clean}{RALPH} complete --force trust-me --json > ../forced"
    told = work(alpha, script)
    forced = (alpha.world.folder / "forced").read_text()
    assert '"in_loop"' in forced, forced
    assert '"exit":8' in forced.replace(" ", "")
    assert on_base(alpha, "T-1")["status"] == "blocked", told


def test_force_outside_a_loop_with_the_variables_of_one_is_refused(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    alpha.claim("T-1")
    alpha.write("a.txt", "bad\n")
    env = {"RALPH_CLAIM": "abcdefghjk", "RALPH_TASK": "T-1"}
    done = alpha.ralph("complete", "--force", "trust me", "--json", env=env)
    assert (done.code, done.error) == (8, "in_loop")
    assert alpha.ralph("complete", "--force", "trust me").code == 0


#: Forges a completion by force: status, result and event.
FORGED = """
import os, re
claim, at = os.environ["RALPH_CLAIM"], '"2026-11-21T10:00:00Z"'
text = open("task-graph.yaml").read().replace("status: in-progress", "status: complete", 1)
found = re.search(r"(    claim:\\n(?:      .*\\n)+)", text)
made = f"    result:\\n      id: zzzzzzzzzz\\n      claim: {claim}\\n      outcome: done\\n      at: {at}\\n"
open("task-graph.yaml", "w").write(text[: found.end()] + made + text[found.end() :])
open(f"records/audit/T-1/{claim}.yaml", "a").write(
    f"  - at: {at}\\n    event: force-completed\\n    by: alpha\\n"
    "    from: in-progress\\n    to: complete\\n    note: trust me\\n"
)
open("evil.txt", "w").write("evil")
open("a.txt", "w").write("bad")
"""  # noqa: E501


@pytest.mark.slow
def test_a_forged_event_lands_nothing(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    forger = alpha.world.folder / "forger.py"
    forger.write_text(FORGED)
    told = work(alpha, f"python3 {forger} && git add -A && git commit -qm 'done, trust me'")
    assert on_base(alpha, "T-1")["status"] == "blocked", told
    assert "exit code" not in told
    assert not {"a.txt", "evil.txt"} & {*files_on_base(alpha)}


def test_what_a_command_runs_of_the_work_changes_nothing_of_what_is_committed(
    tmp_path: Path,
) -> None:
    """Not in the index either that stands ready for what the command makes."""
    one = task("T-1", "scope: {write: [a.txt, made.txt, test.sh]}", "outputs: [made.txt]",
               "verify: [grep -q good a.txt && sh test.sh]")  # fmt: skip
    alpha = made(tmp_path, one)
    changes = (
        "for i in ${TMPDIR:-/tmp}/ralphgit-*/index; do GIT_INDEX_FILE=$i git update-index "
        "--cacheinfo 100644,$(echo bad | git hash-object -w --stdin),a.txt; done; echo > made.txt"
    )
    env = {"TMPDIR": str(tmp_path)}
    told = loop(alpha, "--once", "--agent", agent(
        alpha, f"echo good > a.txt; cat > test.sh <<'E'\n{changes}\nE\n"), env=env)  # fmt: skip
    assert on_base(alpha, "T-1")["status"] == "complete", told.err
    assert alpha.git("show", "origin/main:a.txt") == "good"


@pytest.mark.slow
def test_a_completion_before_a_restart_is_verified_again(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = judged(alpha)
    alpha.claim("T-1")
    alpha.write("a.txt", "bad\n")
    alpha.run("sh", "-c", FAKE)
    fake = f"{alpha.path}/../fake:{alpha.environ['PATH']}"
    done = alpha.run(*RALPH.split(), "complete", env={"PATH": fake})
    assert done.code == 0, done.err
    ran = loop(alpha, "--once", "--agent", agent(alpha, "true"), env=env)
    assert on_base(alpha, "T-1")["status"] == "blocked", ran.err
    assert "a.txt" not in files_on_base(alpha)


@pytest.mark.slow
def test_evidence_of_an_agent_is_no_proof_for_whoever_lands(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = judged(alpha)
    alpha.claim("T-1")
    alpha.write("a.txt", "bad\n")
    alpha.run("sh", "-c", FAKE)
    inside = {"PATH": f"{alpha.path}/../fake:{alpha.environ['PATH']}", "RALPH_TASK": "T-1"}
    done = alpha.run(*RALPH.split(), "complete", env=inside)
    assert done.code == 0, done.err
    for command in ("land", "integrate"):
        landed = alpha.ralph(command, "alpha", "--json", env=env)
        assert (landed.code, landed.error) == (1, "coupling"), landed.out
    assert "a.txt" not in files_on_base(alpha)
    alpha.write("a.txt", "good\n")
    alpha.commit()
    assert alpha.ralph("complete", env=env).code == 0
    assert alpha.ralph("land", env=env).code == 0
    assert alpha.git("show", "origin/main:a.txt") == "good"


#: Evidence that nobody has seen, as an agent writes it down: of a task, with more lines.
_WRITTEN = """mkdir -p records/evidence/{task}
cat > records/evidence/{task}/aaaaaaaaab.yaml <<R
{{id: aaaaaaaaab, task: {task}, kind: {kind}, shows: saw, {more}
 supports: [{{criterion: ACC-1, verdict: supports}}]}}
R
"""
OBSERVES = {
    "evidence add": f"{RALPH} evidence add T-1 --shows saw --proves ACC-1 -q || exit 9",
    "complete": f"{RALPH} complete --shows saw --proves ACC-1 -q || exit 9",
    "without a claim": _WRITTEN.format(task="T-1", kind="observation", more="by: ann,"),
    "committed": _WRITTEN.format(task="T-1", kind="observation", more="by: ann,")
    + "git add -A; git commit -qm Seen",
    "a command": _WRITTEN.format(
        task="T-1", kind="command", more="claim: $RALPH_CLAIM, command: make audit, exit_code: 0,"
    ),
    "more than its run": _WRITTEN.format(
        task="T-1",
        kind="command",
        more="claim: $RALPH_CLAIM, command: test -e a.txt, "
        f"command_digest: {hashlib.sha256(b'test -e a.txt').hexdigest()}, exit_code: 0,",
    ),
    "another task": _WRITTEN.format(task="T-2", kind="observation", more="by: ann,"),
}


@pytest.mark.parametrize("how", [*OBSERVES])
def test_what_the_agent_has_observed_proves_nothing(how: str, tmp_path: Path) -> None:
    runs = ["verify: [test -e a.txt]"] if how == "more than its run" else []
    one = task("T-1", "acceptance: [it is good]", "scope: {write: [a.txt]}", *runs)
    alpha = made(tmp_path, one, task("T-2"))
    told = work(alpha, f"echo bad > a.txt; {OBSERVES[how]}", "--task", "T-1")
    assert f"T-1 is landed{'' if runs else ', unverified'}" in told
    assert "what an agent observes proves nothing in a loop: saw" in told
    kept = alpha.git("ls-tree", "-r", "--name-only", "origin/main", "records/evidence").split()
    assert len(kept) == len(runs) and "aaaaaaaaab" not in "".join(kept)
    # What the history of the branch had is not missed on the base.
    alpha.git("switch", "-q", "--detach", "origin/main")
    assert alpha.ralph("check").out == "No problem found.\n"


@pytest.mark.slow
def test_what_an_agent_runs_itself_says_no_more_than_its_loop(tmp_path: Path) -> None:
    """Where an agent calls `complete`, both commits have evidence, and none is removed again."""
    alpha = made(tmp_path, ONE)
    work(alpha, f"echo good > a.txt; {RALPH} complete -q || exit 9")
    evidence = alpha.git("ls-tree", "--name-only", "origin/main", "records/evidence/T-1/").split()
    assert len(evidence) == 2
    assert alpha.ralph("check", "--at", "origin/main^2").out == "No problem found.\n"


@pytest.mark.parametrize("digest", slow.but(1, ["0" * 64, hashlib.sha256(b"").hexdigest()]))
def test_a_run_of_what_no_commit_of_the_work_has_is_left_out(digest: str, tmp_path: Path) -> None:
    """Of what the work and the base make together, say: the landing would run nothing again. What
    the base had once is no commit of the work either.
    """
    alpha = made(tmp_path, ONE)
    other = (
        "cd records/evidence/T-1; sed -e 's/^id: .*/id: aaaaaaaaab/' "
        f"-e 's/scope_digest: .*/scope_digest: {digest}/' *.yaml > aaaaaaaaab.yaml; "
        "git add aaaaaaaaab.yaml; git commit -qm More"
    )
    told = work(alpha, f"echo good > a.txt; {RALPH} complete -q || exit 9; {other}")
    assert "proves nothing in a loop: the command exits 0" in told
    evidence = alpha.git("ls-tree", "--name-only", "origin/main", "records/evidence/T-1/").split()
    assert len(evidence) == 2 and "aaaaaaaaab" not in "".join(evidence)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["committed", "answered"])
def test_what_the_agent_has_written_does_not_land_with_a_block(how: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "acceptance: [it is good]"))
    invents = OBSERVES.get(how, "") or (
        f"mkdir -p records/guidance/T-1; cat > records/guidance/T-1/aaaaaaaaaa.yaml <<E\n"
        f"{json.dumps(INVENTED['answer'])}\nE\ngit add -A; git commit -qm Answered"
    )
    told = work(alpha, f"{invents}\n{BLOCKS}")
    assert on_base(alpha, "T-1")["status"] == "blocked", told
    landed = alpha.git("ls-tree", "-r", "--name-only", "origin/main", "records")
    assert "aaaaaaaa" not in landed and "records/guidance/T-1/" in landed


#: What the work on T-1 writes of other tasks: by path, what is there then.
OF_OTHERS = {
    "records/audit/T-2/aaaaaaaaaa.yaml": "{task: T-2, claim: aaaaaaaaaa, events: []}",
    "records/guidance/T-2/aaaaaaaaaa.yaml": (
        "{id: aaaaaaaaaa, task: T-2, claim: aaaaaaaaab, question: May I?, options: [], by: bob,"
        ' at: "2026-11-30T01:00:00Z"}'
    ),
    "records/archive/2026-11.jsonl": '{"kind": "archive", "version": 1}',
}


@pytest.mark.slow
@pytest.mark.parametrize("path", [*OF_OTHERS])
def test_records_of_other_tasks_do_not_land_with_the_work(path: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2"))
    writes = f"mkdir -p $(dirname {path}); cat > {path} <<'E'\n{OF_OTHERS[path]}\nE\n"
    told = work(alpha, f"echo good > a.txt; {writes}", "--task", "T-1")
    assert "the branch of T-1 changes records of other tasks" in told
    assert on_base(alpha, "T-1")["status"] == "blocked"
    assert path not in files_on_base(alpha)


def test_work_on_what_is_no_branch_is_not_said_to_land(tmp_path: Path) -> None:
    """HEAD names the base as it was fetched: a commit there would look like the remote's."""
    alpha = made(tmp_path, ONE)
    script = "echo good > a.txt; git symbolic-ref HEAD refs/remotes/origin/main"
    ran = loop(alpha, "--once", "--agent", agent(alpha, script), env=judged(alpha))
    assert ran.code == 7, ran.err
    assert "HEAD, which was on ralph/T-1-" in ran.err
    assert "done: T-1" not in ran.out
    assert on_base(alpha, "T-1")["status"] == "pending"


@pytest.mark.slow
def test_a_base_that_the_agent_has_made_is_not_believed_while_the_remote_is_away(
    tmp_path: Path,
) -> None:
    alpha = made(tmp_path, ONE)
    script = (
        "echo bad > a.txt; sed -i 's/status: in-progress/status: complete/' task-graph.yaml; "
        "git add -A; git commit -qm Forged; git update-ref refs/remotes/origin/main HEAD; "
        "touch $(git rev-parse --git-common-dir)/refs/remotes/origin/main.lock"
    )
    lock = alpha.world.path / ".git" / "refs" / "remotes" / "origin" / "main.lock"

    def unlock() -> None:
        events = alpha.path / ".ralph" / "logs" / "loop.jsonl"
        until(lambda: events.exists() and '"unreachable"' in events.read_text())
        lock.unlink()

    away = threading.Thread(target=unlock)
    away.start()
    told = work(alpha, script)
    away.join()
    assert "its remote cannot be asked where it is; waiting until it can be" in told
    assert on_base(alpha, "T-1")["status"] == "blocked", told
    assert "a.txt" not in files_on_base(alpha)


#: Has a review written in a clone, as by a person who is in no loop, and takes it into the branch.
REVIEWS = (
    "echo good > a.txt; {add} && exit 9; git add -A; git commit -qm Work\n"
    "git clone -q . ../else; unset RALPH_TASK RALPH_CLAIM\n"
    "(cd ../else && {add} && git commit -qm Reviewed) || exit 9\n"
    "git pull -q --ff-only ../else HEAD && rm -rf ../else || exit 9\n"
)
OF_ITSELF = REVIEWS.format(add=f"{RALPH} audit add T-1 --verdict clear --by bob -q")
OF_ANOTHER = REVIEWS.format(add=f"{RALPH} audit add T-2 --verdict clear --by bob -q")
BLOCKS = f"export RALPH_TASK=T-1; {RALPH} block --reason needs_context --question Which -q"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "said"),
    [
        (OF_ITSELF, "is a review by bob, which the base has not"),
        (OF_ITSELF + BLOCKS, "T-1 is blocked (needs_context)"),
        (OF_ANOTHER, "the branch of T-1 changes records of other tasks"),
    ],
)
def test_a_review_that_the_agent_writes_is_none(script: str, said: str, tmp_path: Path) -> None:
    two = (task("T-1", "risk: high", "outputs: [a.txt]"), task("T-2", "risk: high", "x-later: 1"))
    alpha = made(tmp_path, *two)
    told = work(alpha, script, "--task", "T-1")
    assert said in told
    assert on_base(alpha, "T-1")["status"] in ("pending", "blocked")
    assert "a.txt" not in files_on_base(alpha)
    assert alpha.run("git", "grep", "-q", "kind: review", "origin/main").code == 1


#: Keeps for the base's own graph that T-1 asks for no review.
FORGES = """
import subprocess, sys
from ralphgit.records import graph_file
from ralphgit.records.row_cache import Cache
blob = subprocess.check_output(["git", "rev-parse", "origin/main:task-graph.yaml"]).decode().strip()
text = subprocess.check_output(["git", "cat-file", "blob", blob]).replace(b"review:", b"x-rev1:")
shard = ("task-graph.yaml", blob)
for name in ("rows", "index"):
    for path in __import__("pathlib").Path(sys.argv[1], "ralphgit/cache").glob(f"*.{name}"):
        path.unlink()
Cache(sys.argv[1]).store([shard], {shard: graph_file.rows(graph_file.parse(text, path=shard[0]))})
"""


def test_what_an_agent_has_kept_of_the_base_lands_nothing(tmp_path: Path) -> None:
    """Rows of graphs lie in a cache below `.git`: there the base asks for no review."""
    settings = {"ralph.toml": '[agents.ann]\ncommand = "true"\n'}
    alpha = made(tmp_path, task("T-1", "review: ann", "outputs: [a.txt]"), files=settings)
    (tmp_path / "forges.py").write_text(FORGES)
    script = (
        f"if [ $RALPH_ATTEMPT = 1 ]; then {sys.executable} {tmp_path}/forges.py "
        '"$(git rev-parse --path-format=absolute --git-common-dir)"; exit; fi; '
        "echo good > a.txt; sed -i.bak 's/review: ann/x-a: b/' task-graph.yaml; rm *.bak"
    )
    ran = loop(alpha, "--once", "--agent", agent(alpha, script))
    assert "T-1 has review: ann, and nobody but" in ran.err
    refused = alpha.ralph("land")
    assert (refused.code, "T-1 has review: ann" in refused.out) == (7, True), refused.out
    assert on_base(alpha, "T-1")["status"] == "pending"


#: What an agent invents: that somebody has reviewed its task, and has answered a question of it.
INVENTED: dict[str, dict[str, object]] = {
    "review": {
        "id": "aaaaaaaaab", "kind": "review", "task": "T-1", "at": "2026-11-30T01:00:00Z",
        "target": "HEAD", "by": "Ann", "lenses": ["correctness"], "verdict": "clear",
    },
    "event": {
        "id": "aaaaaaaaab", "kind": "event", "task": "T-1", "claim": "aaaaaaaaab",
        "events": [{"at": "t", "event": "landed", "by": "Ann", "note": "reviewed, and approved"}],
    },
    "answer": {
        "id": "aaaaaaaaaa", "task": "T-1", "claim": "$RALPH_CLAIM", "question": "May I?",
        "options": [], "at": "2026-11-30T01:00:00Z", "by": "w1",
        "answer": {"text": "Yes", "by": "Ann", "at": "2026-11-30T01:00:00Z"},
    },
}  # fmt: skip


@pytest.mark.parametrize("what", slow.but(1, INVENTED))
def test_a_review_or_an_answer_that_comes_with_the_work_waits_for_a_person(
    what: str, tmp_path: Path
) -> None:
    alpha, told = made(tmp_path, ONE), INVENTED[what]
    folder = f"records/{'guidance' if what == 'answer' else 'audit'}/T-1"
    path = f"{folder}/{told['id']}.yaml"
    invents = f"mkdir -p {folder}; cat > {path} <<E\n{json.dumps(told)}\nE\n"
    said = work(alpha, f"echo good > a.txt\n{invents}")
    assert f"- T-1: {path} is a" in said and f"{what} by Ann, which the base has not" in said
    assert on_base(alpha, "T-1")["status"] == "pending"
    assert path not in files_on_base(alpha)
    landed = alpha.world.ralph("land", "--all", "--accept-concerns")
    assert (landed.code, on_base(alpha, "T-1")["status"]) == (0, "complete"), landed.err


def test_a_link_behind_which_another_file_judges_waits_for_a_person(tmp_path: Path) -> None:
    """Behind it `..` goes by where it leads: tools/check.sh is as the base has it."""
    verify = "verify: [cd pkg/sub && sh ../../tools/check.sh]"
    files = {"tools/check.sh": "exit 1\n", "pkg/sub/k": "k\n"}
    alpha = made(tmp_path, task("T-1", "scope: {write: [pkg/**]}", verify), files=files)
    said = work(
        alpha,
        "mkdir -p pkg/a/b/x pkg/a/b/tools; mv pkg/sub pkg/a/b/x; ln -s a/b/x/sub pkg/sub; "
        "echo exit 0 > pkg/a/b/tools/check.sh",
    )
    assert "- T-1: pkg/sub is a link, so `cd pkg/sub && sh ../../tools/check.sh` may" in said
    assert on_base(alpha, "T-1")["status"] == "pending"
    told = alpha.ralph("diff", "--json").data
    assert [one["code"] for one in told["notes"]] == ["changed_link"]
    assert told["verdict"] != "clear"


def test_a_link_behind_which_a_later_task_is_judged_waits_for_a_person(tmp_path: Path) -> None:
    later = task("T-2", "depends_on: [T-1]", "verify: [cd pkg/sub && sh ../../tools/check.sh]")
    first = task("T-1", "scope: {write: [pkg/**]}", "verify: [test -d pkg/sub]")
    files = {"tools/check.sh": "exit 1\n", "pkg/sub/k": "k\n"}
    alpha = made(tmp_path, first, later, files=files)
    said = work(
        alpha,
        "mkdir -p pkg/a/b/x pkg/a/b/tools; mv pkg/sub pkg/a/b/x; ln -s a/b/x/sub pkg/sub; "
        "echo exit 0 > pkg/a/b/tools/check.sh",
    )
    assert "- T-1: pkg/sub is a link, so `cd pkg/sub && sh ../../tools/check.sh` may" in said
    assert on_base(alpha, "T-1")["status"] == "pending"


@pytest.mark.slow
def test_a_claim_in_another_name_is_refused(tmp_path: Path) -> None:
    """Else its worker's own review would be somebody else's."""
    alpha = made(tmp_path, ONE)
    said = work(alpha, "echo good > a.txt; sed -i 's/by: alpha/by: zeta/' task-graph.yaml")
    assert "the claim on T-1 was made by alpha, and names zeta here (task-graph.yaml:" in said
    assert on_base(alpha, "T-1")["status"] == "blocked", said


def test_an_event_in_another_name_in_the_audit_of_its_claim_waits_for_a_person(
    tmp_path: Path,
) -> None:
    alpha = made(tmp_path, ONE)
    event = "  - {at: t, event: noted, by: Ann, note: approved}"
    said = work(alpha, f"echo good > a.txt; echo '{event}' >> records/audit/T-1/$RALPH_CLAIM.yaml")
    assert "is an event by Ann, which the base has not" in said
    assert on_base(alpha, "T-1")["status"] == "pending"


@pytest.mark.slow
@pytest.mark.parametrize("bit", ["assume-unchanged", "skip-worktree"])
def test_a_file_that_git_is_told_not_to_look_at_is_looked_at(bit: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    script = (
        "echo bad > a.txt; git add a.txt; git commit -qm half; "
        f"git update-index --{bit} a.txt; echo good > a.txt"
    )
    told = work(alpha, script)
    assert on_base(alpha, "T-1")["status"] == "complete", told
    assert alpha.git("show", "origin/main:a.txt") == "good"


#: Hides a check that is committed, and fails.
HIDES = {
    "skip": "git update-index --skip-worktree checks/b.t; rm checks/b.t",
    "assume": "git update-index --assume-unchanged checks/b.t; rm checks/b.t",
    "split": (
        "echo exit 0 > checks/b.t; git update-index --skip-worktree checks/b.t; "
        "git update-index --split-index"
    ),
    "split, gone": (
        "git update-index --skip-worktree checks/b.t; rm checks/b.t; git update-index --split-index"
    ),
    "in two attempts": (
        "test -e once || { touch once; exit 1; }; rm -f once; "
        "git update-index --skip-worktree checks/b.t; rm -f checks/b.t"
    ),
}
CHECKED = task(
    "T-1",
    "scope: {write: [a.txt]}",
    'verify: ["for one in checks/*.t; do sh $t || exit 1; done"]',
)


@pytest.mark.slow
@pytest.mark.parametrize("how", [*HIDES])
def test_a_check_that_the_agent_hides_is_seen(how: str, tmp_path: Path) -> None:
    files = {"checks/a.t": "exit 0\n", "checks/b.t": "grep -q good a.txt\n"}
    alpha = made(tmp_path, CHECKED, files=files)
    script = agent(alpha, f"echo bad > a.txt; {HIDES[how]}")
    env = {"RALPH_AGENT_ATTEMPTS": "3", "RALPH_LOOP_BACKOFF": "0.01"}
    ran = loop(alpha, "--once", "--agent", script, env=env)
    assert on_base(alpha, "T-1")["status"] == "blocked", ran.err
    assert "a.txt" not in files_on_base(alpha)


@pytest.mark.slow
@pytest.mark.parametrize("cone", slow.but(1, [True, False]))
def test_in_a_sparse_checkout_only_what_is_outside_may_be_gone(cone: bool, tmp_path: Path) -> None:
    files = {
        "checks/a.t": "exit 0\n", "checks/b.t": "grep -q good a.txt\n", "docs/far/a.md": "",
        "checks/deep/c.t": "exit 0\n",
    }  # fmt: skip
    alpha = made(tmp_path, CHECKED, files=files)
    told = ["--cone", "checks"] if cone else ["--no-cone", "/*", "!docs/"]
    alpha.git("sparse-checkout", "set", *told)
    assert not (alpha.path / "docs").exists()
    script = agent(alpha, f"echo bad > a.txt; {HIDES['skip']}")
    env = {"RALPH_AGENT_ATTEMPTS": "1"}
    ran = loop(alpha, "--once", "--agent", script, env=env)
    assert on_base(alpha, "T-1")["status"] == "blocked", ran.err
    assert alpha.world.ralph("reply", "T-1", "Do it.").code == 0
    hides = "echo '!/checks/b.t' >> $(git rev-parse --git-path info/sparse-checkout)"
    script = agent(alpha, f"echo bad > a.txt; {hides}; git read-tree -mu HEAD")
    ran = loop(alpha, "--once", "--agent", script, "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err


@pytest.mark.slow
def test_work_in_a_sparse_checkout_lands(tmp_path: Path) -> None:
    files = {"checks/b.t": "grep -q good a.txt\n", "docs/far/a.md": "", "lib/x/y.py": ""}
    alpha = made(tmp_path, CHECKED, files=files)
    alpha.git("sparse-checkout", "set", "--cone", "checks")
    ran = loop(alpha, "--once", "--agent", agent(alpha, "echo good > a.txt"))
    assert (ran.code, on_base(alpha, "T-1")["status"]) == (0, "complete"), ran.err
    assert "docs/far/a.md" in files_on_base(alpha)


def test_an_index_that_is_broken_is_told_as_that(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    broken = r"printf 'DIRC\0\0\0\2\0\0\0\5' > $(git rev-parse --git-path index)"
    script = agent(alpha, f"echo good > a.txt; {broken}")
    ran = loop(alpha, "--once", "--agent", script, env=judged(alpha))
    assert ran.code not in (0, 70), ran.err
    assert on_base(alpha, "T-1")["status"] == "pending"


def test_a_pipe_in_place_of_the_index_is_told(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    script = agent(alpha, "f=$(git rev-parse --git-path index); rm $f; mkfifo $f")
    env = {**judged(alpha), "RALPH_GIT_TIMEOUT": "4"}  # the first git waits for it
    ran = loop(alpha, "--once", "--agent", script, "--json", env=env)
    assert (ran.code, ran.error) == (7, "blocks_git"), ran.err
    stopped = alpha.world.ralph("reset", "T-1", "--reason", "x", "--force", "--json")
    assert (stopped.code, stopped.error) == (7, "blocks_git"), stopped.out
    assert alpha.run("sh", "-c", ran.json["error"]["hint"]).code == 0
    assert alpha.world.ralph("reset", "T-1", "--reason", "x", "--force").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["", "scope: {write: ['**']}"])
def test_safety_settings_that_the_agent_changes_wait_for_a_person(
    scope: str, tmp_path: Path
) -> None:
    one = task("T-1", "verify: [mytest]", *([scope] if scope else []))
    alpha = made(tmp_path, one, files={"ralph.toml": "[verify]\nrequired = true\n"})
    told = work(alpha, "echo good > a.txt; echo 'land.concerns = true' > ralph.toml")
    assert on_base(alpha, "T-1")["status"] == "pending", told
    assert "a safety setting is changed: verify.required, true -> false (ralph.toml)" in told
    assert alpha.git("show", "origin/main:ralph.toml") == "[verify]\nrequired = true"
    assert alpha.world.ralph("land", "--all").code == 7
    landed = alpha.world.ralph("land", "--all", "--accept-concerns")
    assert (landed.code, on_base(alpha, "T-1")["status"]) == (0, "complete"), landed.err


def test_settings_that_are_the_work_land(tmp_path: Path) -> None:
    one = task("T-1", "verify: [mytest]", "scope: {write: [a.txt, ralph.toml]}")
    alpha = made(tmp_path, one, files={"ralph.toml": "[verify]\nrequired = true\n"})
    told = work(alpha, "echo good > a.txt; echo 'land.concerns = true' > ralph.toml")
    assert on_base(alpha, "T-1")["status"] == "complete", told


HIDING = {
    "a .gitignore that ignores itself": "printf 'check.sh\\n.gitignore\\n' > .gitignore",
    "one in a folder": ("rm check.sh; printf '*\\n' > lib/.gitignore; touch lib/conftest.py"),
    "attributes that nobody sees": (
        "printf '.git*\\n' > .gitignore; rm check.sh; echo 'a.txt ident' > .gitattributes"
    ),
    "a note of what a command left": "printf 'check.sh\\0' > .ralph/left",
    "a repository in that note": (
        "rm check.sh; mkdir x; git -C x init -q; touch x/y; printf 'x\\0' > .ralph/left"
    ),
    "a link out of the worktree": "rm check.sh a.txt; touch ../here; ln -s ../here a.txt",
    "a link by an absolute path": "rm check.sh a.txt; ln -s $PWD/lib/one.py a.txt",
    "a link to what is no file": ("rm check.sh a.txt; mkfifo ../here; ln -s ../here a.txt"),
    "a link of before the claim, it says": (
        "rm check.sh; ln -sf $PWD/lib/one.py a.txt; git add -A; git commit -qm x; "
        "r=$(git for-each-ref --format='%(refname)' refs/ralph/leases); "
        'git cat-file blob $r | sed "s/^start: .*/start: $(git rev-parse HEAD)/" > ../lease; '
        "git update-ref $r $(git hash-object -w ../lease); echo x > b.txt"
    ),
    "a link to what is ignored": "rm check.sh a.txt; echo good > .ralph/x; ln -s .ralph/x a.txt",
}


@pytest.mark.slow
@pytest.mark.parametrize("how", slow.but(3, [*HIDING]))
def test_what_is_seen_by_the_commands_and_not_committed_does_not_land(
    how: str, tmp_path: Path
) -> None:
    one = task("T-1", "scope: {write: [a.txt, b.txt]}", "verify: [test -e a.txt]")
    alpha = made(tmp_path, one, files={"lib/one.py": ""})
    told = work(alpha, f"echo bad > a.txt; touch check.sh; {HIDING[how]}")
    assert on_base(alpha, "T-1")["status"] == "blocked", told
    assert "a.txt" not in files_on_base(alpha)


def test_a_link_that_a_verify_command_makes_does_not_land(tmp_path: Path) -> None:
    one = task("T-1", "outputs: [out]", "verify: [sh b.sh, sh check.sh]")
    alpha = made(tmp_path, one, files={"check.sh": "grep -q here out/a.txt\n"})
    (tmp_path / "x").write_text("here\n")
    told = work(alpha, f"echo 'mkdir -p out; ln -sf {tmp_path}/x out/a.txt; echo 1 > out/b' > b.sh")
    assert on_base(alpha, "T-1")["status"] == "blocked", told
    assert "out/a.txt is a link to" in told


DEEP = """
import os
os.chdir("lib")
for _ in range(25):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
open("f", "w").close()
"""
#: What git passes over without a word, by what is said of it.
UNSEEN = {
    "lib/.git has a name": "echo good > lib/.git",
    "lib/new/.git has a name": "mkdir -p lib/new/.git; echo good > lib/new/.git/x",
    "lib/here is neither": "mkfifo lib/here",
    "has a path that is too long": f"python3 -c '{DEEP}'",
}


@pytest.mark.slow
@pytest.mark.parametrize("said", [*UNSEEN])
def test_what_git_passes_over_does_not_land(said: str, tmp_path: Path) -> None:
    one = task("T-1", "scope: {write: [a.txt, b.txt]}", "verify: [test -e a.txt]")
    alpha = made(tmp_path, one, files={"lib/one.py": ""})
    told = work(alpha, f"echo bad > a.txt; {UNSEEN[said]}")
    assert said in told
    assert on_base(alpha, "T-1")["status"] == "blocked", told
    assert "a.txt" not in files_on_base(alpha)


def test_what_git_passes_over_in_ignored_folders_lands(tmp_path: Path) -> None:
    ignored = {".gitignore": "node_modules\n*.sock\n", "lib/one.py": ""}
    one = task("T-1", "scope: {write: [a.txt, lib/**]}", "verify: [test -e a.txt]")
    alpha = made(tmp_path, one, files=ignored)
    told = work(
        alpha,
        "echo good > a.txt; mkdir -p lib/new/node_modules/one/.git; mkfifo lib/new/x.sock; "
        "mkdir -p cache/deep/.git; echo '*' > cache/.gitignore; touch lib/new/x",
    )
    assert on_base(alpha, "T-1")["status"] == "complete", told


@pytest.mark.parametrize("name", slow.but(0, [".gitignore", ".gitattributes"]))
def test_a_pipe_that_git_would_wait_for_ends_the_loop(name: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, files={"lib/one.py": ""})
    script = agent(alpha, f"echo good > a.txt; mkfifo lib/{name}")
    env = {**judged(alpha), "RALPH_GIT_TIMEOUT": "2"}  # before the loop looks it asks git, too
    for _ in range(2):  # the next loop does not begin, either
        ran = loop(alpha, "--once", "--agent", script, "--json", env=env)
        assert (ran.code, ran.error) == (7, "blocks_git"), ran.err
        assert f"lib/{name} is a pipe" in ran.out + ran.err
    assert "a.txt" not in files_on_base(alpha)
    (alpha.path / "lib" / name).unlink()
    assert loop(alpha, "--once", "--agent", script, env=env).code == 7
    (alpha.path / "lib" / name).unlink()


def test_a_pipe_that_a_verify_command_makes_ends_the_loop(tmp_path: Path) -> None:
    makes = "verify: [mkfifo lib/.gitignore]"
    alpha = made(tmp_path, task("T-1", makes), files={"lib/one.py": ""})
    script = agent(alpha, "echo good > a.txt")
    ran = loop(alpha, "--once", "--agent", script, "--json", env=judged(alpha))
    assert (ran.code, ran.error) == (7, "blocks_git"), ran.err


def test_a_pipe_that_git_would_wait_for_is_named_by_reset(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, files={"lib/one.py": ""})
    alpha.claim("T-1")
    alpha.run("mkfifo", "lib/.gitignore")
    stopped = alpha.world.ralph("reset", "T-1", "--reason", "x", "--force", "--json")
    assert (stopped.code, stopped.error) == (7, "blocks_git"), stopped.out


@pytest.mark.parametrize("words", ["complete", "evidence list", "evidence verify T-1"])
def test_a_pipe_that_git_would_wait_for_stops_who_looks(words: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, files={"lib/one.py": ""})
    alpha.claim("T-1")
    alpha.run("mkfifo", "lib/.gitignore")
    stopped = alpha.ralph(*words.split(), "--json")
    assert (stopped.code, stopped.error) == (7, "blocks_git"), stopped.err
    assert alpha.run("sh", "-c", stopped.json["error"]["hint"]).code == 0
    assert alpha.ralph(*words.split(), "--json").error != "blocks_git"


def test_a_pipe_that_git_would_wait_for_keeps_a_worktree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worktrees, "_PATIENCE_S", 0.5)
    alpha = made(tmp_path, ONE, files={"lib/one.py": ""})
    alpha.run("mkfifo", "lib/.gitignore")
    listed = alpha.world.ralph("worktree", "list")
    assert (listed.code, "alpha" in listed.out) == (0, True), listed.err
    removed = alpha.world.ralph("worktree", "remove", "alpha", "--json")
    assert (removed.code, removed.error, alpha.path.exists()) == (8, "has_work", True), removed.err
    assert alpha.world.ralph("worktree", "prune").code == 0
    assert alpha.path.exists()


@pytest.mark.slow
def test_a_link_to_what_is_committed_and_a_cache_that_ignores_itself_land(tmp_path: Path) -> None:
    one = task("T-1", "scope: {write: [a.txt, b, c]}", "verify: [test -e a.txt]")
    alpha = made(tmp_path, one, files={"lib/one.py": "one\n"})
    told = work(
        alpha,
        "ln -s lib/one.py a.txt; ln -s lib b; ln -s nowhere c; mkdir cache; echo '*' > "
        "cache/.gitignore",
    )
    assert on_base(alpha, "T-1")["status"] == "complete", told


@pytest.mark.slow
def test_another_task_that_was_completed_beside_its_own_does_not_land(tmp_path: Path) -> None:
    """The agent itself is kept to its own worktree; what it merges may be anybody's."""
    first, second = task("T-1"), task("T-2", "verify: [mytest]", depends="T-0")
    alpha = made(tmp_path, first.replace("pending\n", "pending\n    priority: 0\n"), second)
    alpha.world.replace("depends_on: [T-0]", "scope: {write: [b.txt]}")
    alpha.world.commit("Free")
    alpha.world.git("push", "-q", "origin", "main")
    beta = alpha.world.worktree("beta", at="origin/main")
    beta.claim("T-2")
    beta.write("b.txt", "bad\n")
    fooled = f"{FAKE} PATH=$PWD/../fake:$PATH {RALPH} complete -q"
    assert beta.run("sh", "-ec", fooled).code == 0
    clean = "env -u RALPH_TASK -u RALPH_CLAIM -u RALPH_WORKER"
    script = (
        f"(cd ../beta; {clean} {RALPH} claim T-0 -q) && exit 9; "
        "echo good > a.txt; git add -A; git commit -qm half; git merge -q beta || exit 9"
    )
    told = work(alpha, script)
    assert "exit code 9" not in told
    assert on_base(alpha, "T-1")["status"] == "blocked", told
    assert on_base(alpha, "T-2")["status"] == "pending"
    assert "b.txt" not in files_on_base(alpha)


@pytest.mark.slow
@pytest.mark.parametrize("edit", ["s/mytest2/true/", "s/b.txt/'**'/", "/id: T-2/,$d"])
def test_another_task_that_the_agent_made_easier_does_not_land(edit: str, tmp_path: Path) -> None:
    hard = task("T-2", "scope: {write: [b.txt]}", "verify: [mytest2]")
    first = task("T-1").replace("pending\n", "pending\n    priority: 0\n")
    alpha = made(tmp_path, first, hard)
    before = alpha.world.read().partition("id: T-2")[2]
    told = work(alpha, f'echo good > a.txt; sed -i "{edit}" task-graph.yaml')
    assert on_base(alpha, "T-1")["status"] == "blocked", told
    assert before in alpha.git("show", "origin/main:task-graph.yaml") + "\n"


#: A rebase as git keeps it, that would run a line of the agent's.
_PLANTED = """
echo good > a.txt; git add -A; git commit -qm Work
d=$(git rev-parse --git-dir)/rebase-merge; mkdir $d; echo 'exec touch ../ran' > $d/git-rebase-todo
git symbolic-ref HEAD > $d/head-name; git rev-parse HEAD | tee $d/onto > $d/orig-head
"""


def test_a_rebase_that_the_agent_has_begun_is_not_told_to_be_continued(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    ran = loop(alpha, "--once", "--agent", agent(alpha, _PLANTED), env=judged(alpha))
    assert ran.code == 8, ran.err
    assert "came while the agent worked on T-1: a rebase (git rebase --quit)" in ran.err
    assert "--continue" not in ran.out + ran.err
    looks = ran.err.splitlines()[-1].removeprefix("hint: ")
    assert alpha.run("sh", "-c", looks).out == "exec touch ../ran\n"
    assert "a.txt" not in files_on_base(alpha)
