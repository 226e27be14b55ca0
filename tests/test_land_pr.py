"""`run --land pr`: a branch and a pull request for each task, and what becomes of them (SPEC 7)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import slow
from forge import Forge
from test_loop import events, made, on_base, rescued, task
from world import Place, Result, until

from ralphgit.app.forge import pull_request_text
from ralphgit.model.task import Lifecycle, Task


def run(place: Place, forge: Forge, *words: str, **env: str) -> Result:
    line = ("run", "--agent", "scripted", "--land", "pr", *words)
    quick = {"RALPH_LOOP_BACKOFF": "0.01", "RALPH_LOOP_IDLE": "0.05"}
    return place.ralph(*line, env={**quick, **forge.environ, **env})


def branches(place: Place) -> list[str]:
    found = place.git("for-each-ref", "--format=%(refname:short)", "refs/heads/ralph").split()
    return [name for name in found if name.startswith("ralph/")]


def states(place: Place) -> dict[str, str]:
    tasks = place.ralph("list", "--json").data["tasks"]
    return {found["id"]: found["state"] for found in tasks}


@pytest.mark.slow
def test_a_task_goes_into_review_and_lands(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]", "verify: [grep -q T-1 one.txt]"))
    forge = Forge(alpha.world)
    ran = run(alpha, forge)
    assert (ran.code, ran.out) == (
        0, "done: T-1\nThe loop has ended: nothing is ready; 1 pull request is still in review.\n",
    )  # fmt: skip
    (branch,) = branches(alpha)
    assert re.fullmatch(r"ralph/T-1-\w{6}", branch)
    assert ran.err.splitlines() == [
        "claimed T-1: Task T-1", "T-1: https://forge.example/acme/proj/pull/1", "T-1 is in review",
    ]  # fmt: skip
    (pull,) = forge.pulls
    assert (pull["head"], pull["base"], pull["title"]) == (branch, "main", "T-1: Task T-1")
    assert forge.git("rev-parse", branch) == alpha.git("rev-parse", branch)
    assert on_base(alpha, "T-1")["status"] == "pending"
    assert states(alpha) == {"T-1": "in-review"}


@pytest.mark.slow
@pytest.mark.parametrize("method", slow.but(1, ["squash", "merge", "rebase"]))
def test_what_the_forge_has_merged_is_noticed(method: str, tmp_path: Path) -> None:
    """And the next task, which needs it, begins on the fresh base."""
    commits = "{write: {one.txt: half}, commit: Half of it, run: 'echo whole > one.txt'}"
    alpha = made(
        tmp_path,
        task("T-1", "outputs: [one.txt]", script=commits),
        task("T-2", "outputs: [two.txt]", depends="T-1"),
    )
    forge = Forge(alpha.world)
    assert run(alpha, forge, RALPH_SCRIPT_RUN="1").code == 0
    (branch,) = branches(alpha)
    assert states(alpha) == {"T-1": "in-review", "T-2": "waiting"}
    forge.merge(branch, method)
    ran = run(alpha, forge, RALPH_SCRIPT_RUN="1")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-2")
    assert ran.err.splitlines()[0] == "T-1 has landed on origin/main"
    assert [on_base(alpha, id)["status"] for id in ("T-1", "T-2")] == ["complete", "pending"]
    (second,) = branches(alpha)
    assert second.startswith("ralph/T-2-")
    assert alpha.git("rev-parse", f"{second}~1") == alpha.git("rev-parse", "origin/main")
    assert alpha.git("for-each-ref", f"refs/remotes/origin/{branch}", "refs/ralph/rescue") == ""
    assert alpha.git("for-each-ref", "--format=%(refname)", "refs/ralph") == "refs/ralph/leases/T-2"
    forge.merge(second, method)
    last = run(alpha, forge)
    assert (last.code, last.out) == (3, "")
    assert last.err.splitlines()[0] == "T-2 has landed on origin/main"
    # The worktree stands on the base now, as after `--land merge`.
    assert alpha.git("rev-parse", second) == alpha.git("rev-parse", "origin/main")
    assert alpha.git("status", "--porcelain") == ""
    assert alpha.git("for-each-ref", "refs/ralph") == ""
    assert {found["event"] for found in events(alpha, "landed", "opened")} == {"landed", "opened"}


@pytest.mark.slow
def test_a_pull_request_that_is_closed_needs_a_person(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"))
    forge = Forge(alpha.world)
    assert run(alpha, forge).code == 0
    (branch,) = branches(alpha)
    forge.close(branch)
    for said in (True, False):
        ran = run(alpha, forge)
        assert (ran.code, ran.out) == (7, "")
        assert ("T-1: its pull request was closed (https://forge" in ran.err) is said
        told, hint = ran.err.splitlines()[-2:]
        assert told.startswith("  T-1 is complete, and the pull request of alpha was closed (")
        assert told.endswith(' reset T-1 --reason "TEXT" --force')
        assert hint == "hint: ralphgit wait --for ready --fetch"
    assert [event["task"] for event in events(alpha, "pr-closed")] == ["T-1"]
    assert branches(alpha) == [branch]
    assert len(forge.pulls) == 1
    # Opened again and merged, it counts.
    forge.close(branch, "OPEN")
    assert "\n  T-1 (in-review): alpha in this worktree" in run(alpha, forge).err
    forge.merge(branch, "squash")
    assert "T-1 has landed on origin/main" in run(alpha, forge).err


@pytest.mark.slow
@pytest.mark.parametrize("verb", slow.but(1, ["list", "create"]))
def test_killed_after_the_push_it_opens_one(verb: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"))
    forge = Forge(alpha.world)
    forge.kills(verb)
    assert run(alpha, forge).code == -9
    (branch,) = branches(alpha)
    assert forge.git("rev-parse", branch) == alpha.git("rev-parse", branch)
    assert forge.pulls == []
    ran = run(alpha, forge)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1")
    assert [pull["head"] for pull in forge.pulls] == [branch]
    run(alpha, forge)
    assert len(forge.pulls) == 1


@pytest.mark.slow
def test_killed_after_the_pull_request_was_opened_it_opens_no_second(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]", "verify: [test -s one.txt]"))
    forge = Forge(alpha.world)
    forge.kills("merge")  # comes right after
    assert run(alpha, forge, RALPH_LAND_AUTO_MERGE="yes").code == -9
    assert len(forge.pulls) == 1
    ran = run(alpha, forge)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1")
    assert len(forge.pulls) == 1
    assert forge.verbs().count("gh pr create") == 1


@pytest.mark.slow
@pytest.mark.parametrize("method", slow.but(1, ["merge", "squash", "rebase"]))
def test_auto_merge_drains_a_chain(method: str, tmp_path: Path) -> None:
    alpha = made(
        tmp_path,
        task("T-1", "outputs: [one.txt]", "verify: [test -s one.txt]"),
        task("T-2", "outputs: [two.txt]", "verify: [test -s two.txt]", depends="T-1"),
        task("T-3", "outputs: [three.txt]", "verify: [test -s three.txt]", depends="T-2"),
    )
    forge = Forge(alpha.world)
    env = {"RALPH_LAND_AUTO_MERGE": "true", "RALPH_LAND_METHOD": method}
    ran = run(alpha, forge, "--idle", "wait", **env)
    assert (ran.code, ran.out) == (
        0, "done: T-1 T-2 T-3\nThe loop has ended: everything is done.\n",
    ), ran.err  # fmt: skip
    merges = [call for call in forge.calls if call[2] == "merge"]
    assert [call[4:6] for call in merges] == [["--auto", f"--{method}"]] * 3
    assert len(branches(alpha)) == 1
    assert rescued(alpha) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "edit",
    [
        "sed -i 's/test -s two.txt/true/' task-graph.yaml",
        "sed -i '/review: ann/d' task-graph.yaml",
        "printf '  - id: T-9\\n    title: More\\n    status: pending\\n' >> task-graph.yaml",
        "printf 'verify.required = false\\n' > ralph.toml",
        "sed -i 's/outputs: .one.txt./&\\n    priority: 0/' task-graph.yaml",
    ],
)
def test_a_branch_that_changes_more_than_its_task_is_not_merged_by_itself(
    edit: str, tmp_path: Path
) -> None:
    alpha = made(
        tmp_path,
        task(
            "T-1", "outputs: [one.txt]", "verify: [test -s one.txt]",
            script="{write: {one.txt: good}, run: 'sh ../edit.sh'}",
        ),
        task("T-2", "review: ann", "verify: [test -s two.txt]", depends="T-1"),
        files={"ralph.toml": "verify.required = true\n"},
    )  # fmt: skip
    (alpha.world.folder / "edit.sh").write_text(edit)
    forge = Forge(alpha.world)
    ran = run(alpha, forge, RALPH_LAND_AUTO_MERGE="always", RALPH_SCRIPT_RUN="1")
    assert len(forge.pulls) == 1, ran.err
    assert "gh pr merge" not in forge.verbs()
    assert "so a person merges it" in ran.err


@pytest.mark.parametrize("plans", [False, True])
def test_integrated_work_that_plans_more_is_not_merged_by_itself(
    plans: bool, tmp_path: Path
) -> None:
    words = ("scope: {write: [one.txt]}", "verify: [grep -q x one.txt]")
    alpha = made(tmp_path, task("T-1", *words))
    forge = Forge(alpha.world)
    if plans:
        more = "\n".join(f"    {line}" for line in words)
        new = f"  - id: T-9\n    title: More\n    status: pending\n{more}\n"
        alpha.write_graph(alpha.read().rstrip("\n") + "\n" + new)
    alpha.did("T-1", {"one.txt": "x\n"})
    env = {**forge.environ, "RALPH_LAND_BASE": "pr", "RALPH_LAND_AUTO_MERGE": "always"}
    found = alpha.world.ralph("integrate", "alpha", env=env)
    assert found.code == 0, found.out + found.err
    assert any(call[2] == "merge" for call in forge.calls) is not plans, found.err
    assert ("(T-9 is changed too), so a person merges it" in found.err) is plans


@pytest.mark.slow
def test_what_comes_to_the_branch_after_it_was_judged_is_not_merged(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]", "verify: [test -s one.txt]"))
    forge = Forge(alpha.world)
    git = f"git --git-dir={alpha.world.origin.path}"
    refs = f"{git} for-each-ref --format='%(refname)' refs/heads/ralph"
    forge.followed("create", f"{refs} | xargs -I@ {git} update-ref @ refs/heads/main")
    ran = run(alpha, forge, RALPH_LAND_AUTO_MERGE="always")
    assert [call[6] for call in forge.calls if call[2] == "merge"] == ["--match-head-commit"]
    assert "Head branch was modified" in ran.err
    assert [pull["state"] for pull in forge.pulls] == ["OPEN"]


@pytest.mark.slow
def test_a_forge_that_does_not_merge_by_itself_is_said(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]", "verify: [test -s one.txt]"))
    forge = Forge(alpha.world)
    forge.breaks("merge", "Auto merge is not allowed for this repository\n")
    ran = run(alpha, forge, RALPH_LAND_AUTO_MERGE="true")
    assert (ran.code, len(forge.pulls)) == (0, 1)
    assert ran.err.splitlines()[1] == (
        "T-1: gh pr merge failed: Auto merge is not allowed for this repository; "
        "the branch is pushed and nothing is lost; it waits for a person to merge it"
    )


@pytest.mark.slow
def test_a_forge_that_does_not_know_us_needs_a_person(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"))
    forge = Forge(alpha.world)
    forge.breaks("list", "HTTP 401: Bad credentials (https://api.github.com/graphql)\n")
    ran = run(alpha, forge)
    assert (ran.code, forge.verbs()) == (7, ["gh pr list"])
    assert ran.err.splitlines()[-2:] == [
        "error: gh pr list: HTTP 401: Bad credentials (https://api.github.com/graphql); "
        "the branch is pushed and nothing is lost: log in, then repeat",
        "hint: gh auth login",
    ]
    (asked,) = alpha.world.ralph("inbox", "--json").data["questions"]
    assert asked["reason"] == "pr-pushed"
    assert asked["question"].startswith("alpha could not open its pull request: gh pr list: HTTP")
    (busy,) = alpha.world.ralph("status", "--json").data["workers"]
    assert (busy["state"], busy["phase"], busy["reason"]) == ("stuck", "", "no pull request")
    forge.mends("list")
    land = alpha.world.ralph(*asked["command"].split()[1:], env=forge.environ)
    assert (land.code, len(forge.pulls)) == (0, 1), land.err
    assert alpha.world.ralph("inbox", "--json").data["questions"] == []
    assert (run(alpha, forge).code, len(forge.pulls)) == (3, 1)  # it waits for the merge


@pytest.mark.slow
def test_a_conflict_in_review_is_said_once(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [c.txt]"), files={"c.txt": "base\n"})
    world = alpha.world
    forge = Forge(world)
    run(alpha, forge)
    world.write("c.txt", "theirs\n")
    world.commit("Theirs")
    world.git("push", "--quiet", "origin", "main")
    said = "T-1 conflicts with origin/main in c.txt (https://forge.example/acme/proj/pull/1)"
    assert said in run(alpha, forge).err
    assert said not in run(alpha, forge).err
    assert [event["paths"] for event in events(alpha, "pr-conflict")] == [["c.txt"]]


@pytest.mark.slow
def test_what_conflicts_before_it_is_pushed_is_done_again(tmp_path: Path) -> None:
    script = "[{run: 'sh ../hook.sh', write: {c.txt: one}}, {write: {c.txt: both}}]"
    alpha = made(
        tmp_path, task("T-1", "outputs: [c.txt]", script=script), files={"c.txt": "base\n"}
    )
    world = alpha.world
    (tmp_path / "hook.sh").write_text(
        f"cd {world.path} && echo theirs > c.txt && "
        "git commit --quiet -am Theirs && git push --quiet origin main\n"
    )
    forge = Forge(world)
    ran = run(alpha, forge, RALPH_SCRIPT_RUN="1")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert "conflicts with the base in c.txt (attempt 1)" in ran.err
    (pull,) = forge.pulls
    forge.merge(pull["head"])
    assert forge.git("show", "main:c.txt") == "both"


@pytest.mark.slow
def test_what_was_pushed_and_conflicts_by_then_is_done_again(tmp_path: Path) -> None:
    script = "[{write: {c.txt: one}}, {write: {c.txt: both}}]"
    alpha = made(
        tmp_path, task("T-1", "outputs: [c.txt]", script=script), files={"c.txt": "base\n"}
    )
    world = alpha.world
    forge = Forge(world)
    forge.kills("list")
    assert run(alpha, forge).code == -9
    world.write("c.txt", "theirs\n")
    world.commit("Theirs")
    world.git("push", "--quiet", "origin", "main")
    ran = run(alpha, forge)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    (pull,) = forge.pulls
    assert (
        forge.git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/ralph")
        == (pull["head"])
    )
    forge.merge(pull["head"], "squash")
    assert forge.git("show", "main:c.txt") == "both"


@pytest.mark.slow
@pytest.mark.parametrize("others", slow.but(1, [False, True]), ids=["ours", "commits of others"])
def test_a_claim_that_loses_in_review(others: bool, tmp_path: Path) -> None:
    later = task("T-2", "outputs: [two.txt]", "priority: 3")
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"), later)
    world = alpha.world
    forge = Forge(world)
    assert run(alpha, forge, "--once").code == 0
    (branch,) = branches(alpha)
    mine = alpha.git("rev-parse", branch)
    if others:
        forge.git("update-ref", f"refs/heads/{branch}", forge.commit(branch, "Review"))
    beta = world.worktree("beta")
    env = {"RALPH_LEASE": "off"}
    assert world.ralph("reset", "T-1", "--reason", "somebody else does it", "--force").code == 0
    beta.git("reset", "--hard", "--quiet", "origin/main")
    assert beta.ralph("claim", "T-1", env=env).code == 0
    beta.write("one.txt", "beta\n")
    assert beta.ralph("complete", env=env).code == 0
    beta.git("push", "--quiet", "origin", "HEAD:main")
    ran = run(alpha, forge)
    assert ran.out.splitlines()[:2] == ["done: T-2", "lost: T-1"], ran.err
    assert "the claim on T-1 is lost: T-1 was reset on origin/main (epoch 1)" in ran.err
    assert all(not name.startswith("ralph/T-1-") for name in branches(alpha))
    kept = [alpha.git("rev-parse", ref) for ref in rescued(alpha)]
    assert mine in kept
    there = forge.git("for-each-ref", f"refs/heads/{branch}")
    assert bool(there) is others
    assert (f"{branch} is still on origin" in ran.err) is others


@pytest.mark.slow
def test_a_note_of_another_branch_has_nothing_deleted(tmp_path: Path) -> None:
    """An agent can write the note, and the loop pushes with rights of its own."""
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"), task("T-2", "outputs: [two.txt]"))
    world = alpha.world
    forge = Forge(world)
    beta = world.worktree("beta")
    beta.claim("T-2")
    beta.write("two.txt", "half\n")
    beta.commit("Half")
    for branch in ("beta", "ralph/T-2-abcdef"):
        beta.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    world.git("push", "--quiet", "origin", "main:refs/heads/release")
    main = world.git("rev-parse", "main")
    claim = beta.lease("T-2")["claim"]
    forged = {"ralph/T-2-abcdef": beta.head, "beta": beta.head, "release": main, "main": main}
    claims = (("T-2", claim), ("T-2", f"{claim}x"), ("T-1", "zzzzzzzzzz"), ("T-1", "yyyyyyyyyy"))
    notes = "".join(
        f"  - {{task: {task}, claim: {claim}, by: alpha, epoch: 0, branch: {branch}, "
        f"commit: {commit}, via: none, state: open, url: ''}}\n"
        for (task, claim), (branch, commit) in zip(claims, forged.items(), strict=True)
    )
    alpha.write(".ralph/pulls.yaml", f"version: 1\npulls:\n{notes}")
    before = forge.git("for-each-ref", "--format=%(refname)", "refs/heads").split()
    ran = run(alpha, forge)
    assert "lost:" not in ran.out
    assert "release, which was not pushed for a claim of this worker; the note is gone" in ran.err
    after = forge.git("for-each-ref", "--format=%(refname)", "refs/heads").split()
    assert {*before} <= {*after}
    assert world.git("rev-parse", "main") == main


# -- the text ------------------------------------------------------------------------------

HOSTILE = (
    "</details><script>alert(1)</script> `x` ``` **b** [l](http://e.example) @ann #12 "
    "GH-7 fixes #3 <!-- ![i](x)"
)
GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: '{title}'
    status: pending
    description: |
      First line
      /merge
      ```
      # Not a heading
    acceptance:
      - id: ACC-1
        text: '{title}'
    verify:
      - "true # ```` @ann"
    x-note: "```"
    x-script:
      write: {{a.txt: a}}
      report: {{status: done_with_concerns, concerns: ['/close @ann token=hunter2hunter2']}}
"""


@pytest.mark.parametrize(("title", "rest"), [
    ("T-1: Write it", "Write it"), ("[t-1] Write it", "Write it"), ("T-10 is next", "T-10 is next"),
    ("T-1", "T-1"), ("Undo T-1", "Undo T-1"),
])  # fmt: skip
def test_a_title_does_not_say_the_id_twice(title: str, rest: str) -> None:
    assert pull_request_text.bare_title(Task("T-1", title, Lifecycle())) == rest


@pytest.mark.slow
def test_nothing_of_the_text_acts(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-0"))
    world = alpha.world
    world.write_graph(GRAPH.format(title=HOSTILE))
    world.commit("Plan")
    world.git("push", "--quiet", "origin", "main")
    world.ralph("trust", "--yes")
    forge = Forge(world)
    ran = run(alpha, forge)
    assert ran.code == 0, ran.err
    (pull,) = forge.pulls
    assert pull["title"] == f"T-1: {HOSTILE}"[:200]
    body = pull["body"]
    prose, _, record = body.partition("### Record\n\n")
    assert "<" not in prose.replace("&lt;", "")
    plain = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)|&#?\w+;", " ", prose)
    assert re.search(r"(?i)@\w|#\d|gh-\d|https?:", plain) is None
    assert "\n/" not in prose
    assert "> \\`\\`\\`\n> \\# Not a heading\n" in prose
    assert "| 0 of 1 criteria proved, 1 assumed | fresh |" in prose
    assert "- ACC-1 is assumed (by " in prose
    assert ", fresh: exit 0 of true \\# \\`\\`\\`\\` \\@&#8288;ann" in prose
    assert "hunter2hunter2" not in body
    assert "- **concern**: T-1: alpha is not sure: /close \\@&#8288;ann" in prose
    lines = record.split("\n")
    fence = re.match("`+", lines[0])
    assert fence is not None
    end = lines.index(fence.group())
    assert lines[0] == f"{fence.group()}diff"
    assert all(fence.group() not in line for line in lines[1:end])
    assert all(line[:1] in " +-@" for line in lines[1:end])
    assert "+    status: complete" in lines[:end]
    claim = events(alpha, "claimed")[0]["claim"]
    assert lines[end + 1 :] == [
        "", "Ralph-Task: T-1", f"Ralph-Claim: {claim}", "Ralph-Worker: alpha", "",
    ]  # fmt: skip


# -- other ways ----------------------------------------------------------------------------


@pytest.mark.slow
def test_glab(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"))
    forge = Forge(alpha.world)
    env = {"RALPH_LAND_VIA": "glab"}
    assert run(alpha, forge, **env).code == 0
    (pull,) = forge.pulls
    create = next(call for call in forge.calls if call[2] == "create")
    assert create[:9] == [
        "glab", "mr", "create", "--source-branch", pull["head"], "--target-branch", "main",
        "--title", "T-1: Task T-1",
    ]  # fmt: skip
    assert create[-1] == "--yes"
    forge.close(pull["head"])
    assert "its pull request was closed" in run(alpha, forge, **env).err


@pytest.mark.slow
@pytest.mark.parametrize(
    "host, program",
    slow.but(2, [("github.com", "gh"), ("forge.example", ""), ("gitlab.com", "glab")]),
)
def test_the_host_says_which(host: str, program: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"))
    world = alpha.world
    world.git("config", f"url.{world.origin.path}.insteadOf", f"https://{host}/acme/proj.git")
    world.git("remote", "set-url", "origin", f"https://{host}/acme/proj.git")
    hook = world.origin.write("hooks/post-receive", "#!/bin/sh\necho Open: https://e.example/new\n")
    hook.chmod(0o755)
    forge = Forge(world)
    ran = run(alpha, forge, RALPH_LAND_VIA="auto")
    assert ran.code == 0, ran.err
    assert {call[0] for call in forge.calls} == ({program} if program else set())
    said = "T-1: Open: https://e.example/new"
    assert (said in ran.err.splitlines()) is not bool(program)
    assert len(forge.git("for-each-ref", "refs/heads/ralph").splitlines()) == 1
    if not program:
        (branch,) = branches(alpha)
        forge.merge(branch, "squash")
        assert "T-1 has landed on origin/main" in run(alpha, forge, RALPH_LAND_VIA="auto").err


@pytest.mark.slow
def test_push_options(tmp_path: Path) -> None:
    evil = r"description: 'Beware \n/approve'"
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]", "verify: [test -s one.txt]", evil))
    world = alpha.world
    world.origin.git("config", "receive.advertisePushOptions", "true")
    hook = world.origin.write(
        "hooks/pre-receive",
        "#!/bin/sh\nn=0\nwhile test $n -lt $GIT_PUSH_OPTION_COUNT; do\n"
        '  eval "printf %s\\\\\\\\n \\"\\$GIT_PUSH_OPTION_$n\\"" >> ../options; n=$((n+1))\ndone\n',
    )
    hook.chmod(0o755)
    forge = Forge(world)
    ran = run(alpha, forge, RALPH_LAND_VIA="push-options", RALPH_LAND_AUTO_MERGE="1")
    assert ran.code == 0, ran.err
    assert forge.calls == []
    *options, merging = (tmp_path / "options").read_text().splitlines()
    assert merging == "merge_request.merge_when_pipeline_succeeds"
    *options, described = options
    assert options == [
        "merge_request.create", "merge_request.target=main", "merge_request.title=T-1: Task T-1",
    ]  # fmt: skip
    # GitLab makes lines of it again: no line of the task's own words is one of those.
    name, _, text = described.partition("=")
    lines = text.replace("\\n", "\n").splitlines()
    assert (name, lines[0]) == ("merge_request.description", "## T-1: Task T-1")
    assert "+    status: complete" in lines
    assert any("Beware" in line for line in lines)
    assert not any(line.startswith("/approve") for line in lines)


@pytest.mark.slow
def test_a_command_of_ones_own_needs_consent(tmp_path: Path) -> None:
    command = (
        'printf "%s\\n" "$RALPH_TASK" "$RALPH_BRANCH" "$RALPH_BASE" "$RALPH_TITLE" > ../told; '
        'cp "$RALPH_BODY_FILE" ../body; echo https://forge.example/7'
    )
    toml = f"[land]\nmode = 'pr'\nvia = '''{command}'''\n"
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"), files={"ralph.toml": toml})
    world = alpha.world
    world.ralph("trust", "--revoke")
    line = ("run", "--agent", "scripted")
    refused = alpha.ralph(*line, "--json", "-q")
    assert (refused.code, refused.error) == (7, "untrusted")
    assert "printf" in world.ralph("trust", "--yes").out
    ran = alpha.ralph(*line)
    assert ran.code == 0, ran.err
    assert "T-1: https://forge.example/7" in ran.err.splitlines()
    (branch,) = branches(alpha)
    assert (tmp_path / "told").read_text() == f"T-1\n{branch}\nmain\nT-1: Task T-1\n"
    assert "Ralph-Task: T-1" in (tmp_path / "body").read_text()
    # A branch cannot name another one for itself.
    alpha.write("ralph.toml", "[land]\nmode = 'pr'\nvia = 'touch ../evil'\n")
    alpha.git("commit", "--quiet", "-am", "Evil")
    alpha.ralph(*line)
    assert not (tmp_path / "evil").exists()


def test_what_cannot_be_is_said_before_the_work(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"))
    forge = Forge(alpha.world)
    without = run(alpha, forge, "--json", "-q", RALPH_LAND_VIA="gh", **alpha.only("git", "sh"))
    assert (without.code, without.error) == (8, "no_forge")
    kept = run(alpha, forge, "--branch", "keep", "--json", "-q")
    assert (kept.code, kept.error) == (2, "usage")
    assert alpha.git("for-each-ref", "refs/ralph", "refs/heads/ralph") == ""


def test_without_a_remote(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"), remote=False)
    ran = alpha.ralph("run", "--agent", "scripted", "--land", "pr", "--json", "-q")
    assert (ran.code, ran.error) == (8, "no_remote")


@pytest.mark.slow
def test_a_branch_that_somebody_else_has_is_left(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"))
    forge = Forge(alpha.world)
    forge.kills("list")
    assert run(alpha, forge).code == -9
    (branch,) = branches(alpha)
    other = forge.commit("main", "Other")
    forge.git("update-ref", f"refs/heads/{branch}", other)
    ran = run(alpha, forge, "--json", "-q")
    assert (ran.code, ran.error) == (8, "branch_taken")
    assert forge.git("rev-parse", branch) == other


@pytest.mark.slow
def test_a_blocked_task_is_seen_elsewhere(tmp_path: Path) -> None:
    """No pull request is opened for a question, and other clones see it all the same."""
    ask = "{report: {status: needs_context, question: 'Which colour?'}}"
    alpha = made(tmp_path, task("T-1", script=ask))
    forge = Forge(alpha.world)
    ran = run(alpha, forge)
    assert (ran.code, ran.out.splitlines()[0]) == (7, "blocked: T-1")
    assert forge.pulls == []
    (branch,) = branches(alpha)
    assert forge.git("rev-parse", branch) == alpha.git("rev-parse", branch)
    elsewhere = alpha.world.clone("elsewhere")
    (asked,) = elsewhere.ralph("inbox", "--json").data["questions"]
    assert (asked["task"], asked["question"]) == ("T-1", "Which colour?")
    # Once it is answered nothing is left of it there, and its work so far is kept.
    done = elsewhere.ralph("reply", "T-1", "Red", "--json")
    assert done.code == 0, done
    assert forge.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert elsewhere.git("for-each-ref", "refs/remotes/origin/ralph") == ""
    assert run(alpha, forge).code == 7
    assert "Red" in (alpha.path / ".ralph" / "prompt.md").read_text()


@pytest.mark.slow
def test_a_branch_with_more_than_the_answered_block_stays_on_the_remote(tmp_path: Path) -> None:
    ask = "{report: {status: needs_context, question: 'Which colour?'}}"
    alpha = made(tmp_path, task("T-1", script=ask), task("T-2"))
    forge = Forge(alpha.world)
    assert run(alpha, forge, "--task", "T-1").code == 7
    (branch,) = branches(alpha)
    alpha.git("switch", "-q", branch)
    assert alpha.ralph("edit", "T-2", "--priority", "0").code == 0
    alpha.commit("More")
    alpha.git("push", "-q", "origin", branch)
    assert alpha.world.ralph("reply", "T-1", "Red").code == 0
    assert forge.git("rev-parse", branch) == alpha.git("rev-parse", branch)


@pytest.mark.slow
def test_what_the_agent_makes_of_a_script_that_a_setting_names_is_not_run(tmp_path: Path) -> None:
    """Neither to open a pull request nor to notify; as the base has them, both are run."""
    script = 'cat > /dev/null; echo "real $0" >> ../trace; echo https://x.example/pull/1\n'
    settings = "land.via = 'sh tools/pr.sh'\nnotify.command = 'sh tools/notify.sh'\n"
    files = {"tools/pr.sh": script, "tools/notify.sh": script, "ralph.toml": settings}
    evil = "sed -i s/real/evil/ tools/*.sh"
    alpha = made(
        tmp_path,
        task("T-1", "outputs: [one.txt]", script=f"{{write: {{one.txt: x}}, run: '{evil}'}}"),
        task("T-2", "outputs: [two.txt]"),
        files=files,
    )
    assert alpha.world.ralph("trust", "--yes").code == 0
    quick = {"RALPH_LOOP_BACKOFF": "0.01", "RALPH_SCRIPT_RUN": "1"}
    line = ("run", "--agent", "scripted", "--land", "pr", "--once", "--task")
    ran = alpha.ralph(*line, "T-1", env=quick)
    assert "tools/pr.sh, which land.via runs, is not as origin/main has it" in ran.err
    trace = alpha.world.folder / "trace"
    assert "evil" not in (trace.read_text() if trace.exists() else "")
    other = alpha.world.worktree("beta")
    done = other.ralph(*line, "T-2", env=quick)
    assert (done.code, done.err.count("https://x.example/pull/1")) == (0, 1), done.err
    until(lambda: trace.exists() and "real tools/notify.sh" in trace.read_text())
    assert "real tools/pr.sh" in trace.read_text()
    assert "evil" not in trace.read_text()
