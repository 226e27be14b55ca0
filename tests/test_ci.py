"""The gate in CI: the action and the GitLab job, run as their runners do, against a forge's API."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import action
import pytest
import ryaml
from forge_api import PERSON, ForgeApi
from sealing import older
from test_check import begun, done, status
from world import ROOT, Place, Result, World

from ralphgit.app.diff.markdown import MARKER

ZERO = "0" * 40


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = begun(tmp_path)
    assert made.origin
    return made


@pytest.fixture
def alpha(world: World) -> Place:
    return world.worktree("alpha")


@pytest.fixture
def api() -> Iterator[ForgeApi]:
    with ForgeApi() as made:
        yield made


class Runner:
    """A forge's runner in a fresh clone of what was pushed."""

    def __init__(self, world: World, api: ForgeApi) -> None:
        self.world, self.api = world, api
        self.temp = world.folder / "runner"
        program = self.temp / "ralphgit" / "bin" / "python"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        program.chmod(0o755)
        self.summary = self.temp / "summary.md"
        self._count = 0

    def clone(self, at: str) -> Place:
        self._count += 1
        place = self.world.clone(f"checkout-{self._count}")
        place.git("checkout", "--quiet", "--detach", at)
        return place

    def github(
        self, event: str, payload: Mapping[str, Any], *, ref: str = "", at: str = "origin/alpha",
        inputs: Mapping[str, str] | None = None, env: Mapping[str, str] | None = None,
    ) -> Result:  # fmt: skip
        """Run the action for an event."""
        place = self.clone(at)
        file = self.temp / "event.json"
        repository = {"default_branch": "main", "full_name": "acme/proj"}
        file.write_text(json.dumps({"repository": repository, **payload}))
        self.summary.unlink(missing_ok=True)
        environ = {
            **place.environ, "RUNNER_TEMP": str(self.temp), "TOKEN": "GITHUB",
            "GITHUB_API_URL": self.api.url, "GITHUB_REPOSITORY": "acme/proj",
            "GITHUB_REF": ref, "GITHUB_SHA": place.head, "RALPH_CI_PAUSE": "0",
            "GITHUB_STEP_SUMMARY": str(self.summary), **(env or {}),
        }  # fmt: skip
        return Result(*action.run(place.path, event, file, environ, inputs or {}))

    def pull(self, world: World, *, fork: bool = False, **more: Any) -> Result:
        head = {"sha": world.git("rev-parse", "alpha"), "ref": "alpha",
                "repo": {"full_name": "mallory/proj" if fork else "acme/proj"}}  # fmt: skip
        base = {"sha": world.git("rev-parse", "main~0"), "ref": "main"}
        pull = {"number": 7, "head": head, "base": base}
        return self.github("pull_request", {"pull_request": pull}, **more)

    def push(
        self, world: World, branch: str = "alpha", *, before: str = ZERO, **more: Any
    ) -> Result:
        payload = {"before": before, "after": world.git("rev-parse", branch)}
        at = f"origin/{branch}"
        return self.github("push", payload, ref=f"refs/heads/{branch}", at=at, **more)

    def gitlab(self, **variables: str) -> Result:
        place = self.clone("origin/alpha")
        environ = {
            "CI_API_V4_URL": self.api.url, "CI_PROJECT_ID": "12", "CI_DEFAULT_BRANCH": "main",
            "CI_COMMIT_SHA": place.head, "RALPH_CI_GITLAB_TOKEN": "GITLAB", "RALPH_CI_PAUSE": "0",
            **variables,
        }  # fmt: skip
        return place.run(sys.executable, "-I", "-m", "ralphgit.ci", "gitlab", env=environ)


@pytest.fixture
def runner(world: World, api: ForgeApi) -> Runner:
    return Runner(world, api)


def pushed(place: Place) -> None:
    place.git("push", "--quiet", "--force", "origin", "HEAD")


def lose(world: World, alpha: Place) -> None:
    """Alpha and beta claim the same task, and beta's claim is on main first."""
    alpha.claim("T-3")
    alpha.commit("Alpha claims")
    status(world, "T-3", "    status: in-progress\n    claim: {id: k2, by: beta, at: t, base: b}\n")
    world.commit("Beta claims")
    pushed(alpha)
    pushed(world)


# -- GitHub --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_pull_request_has_one_comment_that_is_kept_up_to_date(
    world: World, alpha: Place, api: ForgeApi, runner: Runner
) -> None:
    done(alpha)
    pushed(alpha)
    mallory = api.add(f"{MARKER}\nmine", PERSON)
    for number in range(120):
        api.add(f"comment {number}", PERSON)
    found = runner.pull(world)
    assert (found.code, found.out, found.err) == (0, "No problem stops this change.\n", "")
    body = api.bodies()[-1]
    assert body.startswith(f"{MARKER}\n\n**The records are in order.**\n")
    assert body.count(MARKER) == 1
    assert "T\\-1" in body or "T-1" in body
    assert runner.summary.read_text() == body
    assert runner.pull(world).code == 0
    assert (len(api.comments), api.asked[-1].split()[0]) == (122, "GET")
    alpha.write("two.txt", "outside\n")
    alpha.commit("Outside")
    pushed(alpha)
    api.add(f"{MARKER}\nof a run at the same time")
    found = runner.pull(world, inputs={"sarif": str(runner.temp / "log.sarif")})
    assert found.code == 1
    assert found.out.startswith("::error file=two.txt,line=1,col=1,title=outside_scope::two.txt")
    assert found.err == "error: 1 problem found\n"
    log = json.loads((runner.temp / "log.sarif").read_text())
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["outside_scope"]
    mine = [c["body"] for c in api.comments if c["body"].startswith(MARKER)]
    assert (len(mine), mine[0]) == (2, mallory["body"])
    assert "**This should not be merged as it is:** 1 error." in mine[1]
    assert "| error | `two.txt:1` |" in mine[1]


@pytest.mark.slow
def test_a_fork_gets_a_summary_and_a_word_of_why(
    world: World, alpha: Place, api: ForgeApi, runner: Runner
) -> None:
    done(alpha)
    pushed(alpha)
    api.read_only = True
    found = runner.pull(world, fork=True)
    why = "There is no comment: the branch is a fork's, so the job may only read."
    assert (found.code, found.out) == (0, f"::notice::{why}\nNo problem stops this change.\n")
    assert api.comments == []
    assert runner.summary.read_text().endswith(f"{why}\n")
    quiet = runner.pull(world, inputs={"comment": "false"})
    assert (quiet.code, quiet.out) == (0, "No problem stops this change.\n")


@pytest.mark.slow
def test_a_push_says_that_a_claim_is_lost(
    world: World, alpha: Place, api: ForgeApi, runner: Runner
) -> None:
    done(alpha)
    pushed(alpha)
    assert runner.push(world).code == 0
    assert api.comments == []  # the pull request's own run comments
    lose(world, alpha)
    found = runner.push(world)
    assert found.code == 1
    assert "title=claim_lost::" in found.out
    (body,) = api.bodies()
    assert "**This cannot be merged: the claim on `T-3` is lost.**" in body
    api.branch = "another"
    api.comments.clear()
    assert (runner.push(world).code, api.comments) == (1, [])


@pytest.mark.slow
def test_a_merge_queue_and_the_base_itself(world: World, alpha: Place, runner: Runner) -> None:
    before = world.head
    done(alpha)
    pushed(alpha)
    group = {"base_sha": before, "head_sha": alpha.head, "base_ref": "refs/heads/main"}
    assert runner.github("merge_group", {"merge_group": group}).code == 0
    assert world.merge("alpha").code == 0
    pushed(world)
    assert runner.push(world, "main", before=before).code == 0
    assert runner.push(world, "main").code == 0
    (path,) = (world.path / "records/evidence/T-1").iterdir()
    name = str(path.relative_to(world.path))
    world.replace("exits 0", "passes", name)
    world.commit("An edit")
    pushed(world)
    found = runner.push(world, "main", before="HEAD~")
    assert (found.code, f"file={name}," in found.out) == (1, True)
    assert "title=edited_evidence" in found.out
    gone = {"before": before, "after": ZERO}
    found = runner.github("push", gone, ref="refs/heads/alpha")
    assert (found.code, found.out) == (0, "The branch was deleted: there is nothing to judge.\n")
    other = runner.github("workflow_dispatch", {}, ref="refs/heads/alpha")
    assert other.code == 0  # what main has done wrong is not this branch's doing
    refused = runner.github("pull_request_target", {})
    assert (refused.code, refused.out.startswith("::error::this does not run on")) == (2, True)


@pytest.mark.slow
def test_a_branch_that_is_called_as_a_queue_s_is_judged_as_any(
    world: World, alpha: Place, runner: Runner
) -> None:
    """Who may push a branch would have a green check for what a pull request's run refuses."""
    done(alpha)
    (alpha.path / "elsewhere").write_text("x\n")
    alpha.commit("More than its scope")
    pushed(alpha)
    refused = runner.pull(world)
    name = "gh-readonly-queue/main/pr-1-c0ffee"
    found = runner.github("push", {"before": ZERO, "after": alpha.head}, ref=f"refs/heads/{name}")
    assert (refused.code, found.code) == (1, 1), found.out
    at_gitlab = runner.gitlab(CI_COMMIT_BRANCH=name, CI_COMMIT_BEFORE_SHA=ZERO)
    assert at_gitlab.code == 1, at_gitlab.out


@pytest.mark.slow
def test_a_forge_that_fails_is_asked_again_and_then_it_is_said(
    world: World, alpha: Place, api: ForgeApi, runner: Runner
) -> None:
    done(alpha)
    pushed(alpha)
    api.failures = [502, -502]  # the second is written all the same
    assert runner.pull(world).code == 0
    assert len(api.comments) == 1
    api.comments.clear()
    api.failures = [500, 502, 503]
    found = runner.pull(world)
    assert (found.code, api.comments) == (0, [])
    assert "::warning::There is no comment: the comment could not be written: POST" in found.out
    assert runner.summary.read_text().startswith(MARKER)
    # What is wrong is said whatever the forge does, and secrets are in neither place.
    alpha.replace("depends_on: [T-1]", "depends_on: [T-9, hunter2hunter2]")
    alpha.commit("Wrong")
    pushed(alpha)
    api.failures = [500, 502, 503]
    found = runner.pull(world, env={"DEPLOY_TOKEN": "hunter2hunter2"})
    assert (found.code, api.comments) == (1, [])
    assert "T-9, which does not exist" in found.out
    assert "hunter2" not in found.out + found.err + runner.summary.read_text()


def test_nothing_of_a_checkout_is_run(
    world: World, alpha: Place, api: ForgeApi, runner: Runner
) -> None:
    evil = "import os\nos.close(os.open('/tmp/ralphgit-pwned', os.O_CREAT))\nraise SystemExit(0)\n"
    for name in ("json.py", "ralphgit/__init__.py", "ralphgit/ci/__main__.py", "click.py"):
        alpha.write(name, evil)
    title = "x\n::set-output name=a::b ##[add-mask]c $(touch pwned) <img src=x> @all"
    text = f"  - id: T-4\n    title: {json.dumps(title)}\n    status: pending\n"
    alpha.write_graph(alpha.read() + text + "    depends_on: ['T-5']\n")
    alpha.commit("Hostile")
    branch = "a;touch${IFS}pwned"
    alpha.git("branch", "--quiet", "-m", branch)
    pushed(alpha)
    found = runner.push(world, branch)
    assert found.code == 1
    assert [line[:8] for line in found.out.splitlines()] == ["::error "]
    assert "##[" not in found.out + found.err
    assert not Path("/tmp/ralphgit-pwned").exists()
    assert not list(world.folder.rglob("pwned"))
    summary = runner.summary.read_text()
    assert "<img" not in summary and "@all" not in summary


def test_a_shallow_clone_is_refused(world: World, alpha: Place, runner: Runner) -> None:
    place = Place(world.folder / "shallow", world.environ)
    world.git("clone", "--quiet", "--depth=1", f"file://{world.origin.path}", str(place.path))
    event = place.write("../event.json", "{}")
    env = {"GITHUB_EVENT_PATH": str(event), "GITHUB_EVENT_NAME": "push"}
    found = place.run(sys.executable, "-I", "-m", "ralphgit.ci", "github", env=env)
    assert (found.code, "fetch-depth: 0" in found.err) == (2, True)
    assert found.out.startswith("::error::this clone is shallow")


# -- GitLab --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_link_that_comes_with_the_branch_leads_the_report_nowhere(
    world: World, alpha: Place, api: ForgeApi, runner: Runner, tmp_path: Path
) -> None:
    done(alpha)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "report.json").write_text("mine\n")
    (alpha.path / "report.json").symlink_to(precious / "report.json")
    (alpha.path / "out").symlink_to(precious)
    alpha.commit("Links")
    pushed(alpha)
    told = {
        report: runner.gitlab(
            CI_PIPELINE_SOURCE="merge_request_event", CI_MERGE_REQUEST_IID="7",
            CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main", RALPH_CI_REPORT=report,
            CI_MERGE_REQUEST_DIFF_BASE_SHA=world.head,
        ).err
        for report in ("report.json", "out/report.json")
    }  # fmt: skip
    assert "problems found" in told["report.json"]
    assert "cannot write out/report.json: a link is on the way to it" in told["out/report.json"]
    assert (precious / "report.json").read_text() == "mine\n"


@pytest.mark.slow
def test_gitlab(world: World, alpha: Place, api: ForgeApi, runner: Runner) -> None:
    done(alpha)
    alpha.write("two.txt", "outside\n")
    alpha.commit("Outside")
    pushed(alpha)
    report = runner.temp / "quality.json"
    merge_request = {
        "CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "RALPH_CI_REPORT": str(report),
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": world.head, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "12",
    }  # fmt: skip
    for _ in range(2):
        found = runner.gitlab(**merge_request)
        assert (found.code, found.err) == (1, "error: 1 problem found\n")
        assert found.out.startswith("two.txt:1: error: two.txt is outside the write scope of T-1")
    (body,) = api.bodies()
    assert body.startswith(MARKER)
    (one,) = json.loads(report.read_text())
    assert (one["check_name"], one["location"]) == (
        "outside_scope", {"path": "two.txt", "lines": {"begin": 1}},
    )  # fmt: skip
    api.comments.clear()
    lose(world, alpha)
    found = runner.gitlab(CI_PIPELINE_SOURCE="push", CI_COMMIT_BRANCH="alpha")
    assert (found.code, len(api.comments)) == (1, 1)
    assert "claim_lost" in found.out


# -- files -----------------------------------------------------------------------------------


def test_the_hook_runs_what_it_names(world: World, alpha: Place) -> None:
    (hook,) = ryaml.loads((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["pass_filenames"] is False
    words = shlex.split(hook["entry"])
    assert words[0] == "ralphgit"
    assert alpha.ralph(*words[1:]).code == 0
    alpha.replace("depends_on: [T-1]", "depends_on: [T-9]")
    assert alpha.ralph(*words[1:]).code == 1
    for name in ("task-graph.yaml", "graph/a.yaml", "records/evidence/T-1/e.yaml", "ralph.toml"):
        assert re.search(hook["files"], name), name
    assert not re.search(hook["files"], "src/records.py")


def shown() -> list[str]:
    """The YAML of docs/ci.md."""
    text = (ROOT / "docs" / "ci.md").read_text()
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.M | re.S)


def test_the_documented_workflows_ask_for_little_and_pin_what_they_use() -> None:
    workflows = [one for one in map(ryaml.loads, shown()) if "jobs" in one]
    assert len(workflows) == 2
    known = ryaml.loads((ROOT / "action.yml").read_text())["inputs"]
    for workflow in workflows:
        assert workflow["permissions"] == {}
        assert set(workflow["on"]) == {"pull_request", "merge_group", "push"}
        (job,) = workflow["jobs"].values()
        assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            name, _, at = step.get("uses", "").partition("@")
            if name:
                assert name == "actions/checkout" or name == "ralphgit/ralphgit"
                assert at == "FULL_COMMIT_ID" or re.fullmatch("[0-9a-f]{40}", at)
                assert name.startswith("actions/") or set(step.get("with", {})) <= set(known)
    table = (ROOT / "docs" / "ci.md").read_text().partition("| input |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"(?m)^\| `(\w+)` \|", table)) == sorted(known)


# -- init --ci -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forge", "path"),
    [("github", ".github/workflows/ralphgit.yml"), ("gitlab", ".gitlab/ralphgit.yml")],
)
def test_init_writes_the_job_that_the_page_shows(tmp_path: Path, forge: str, path: str) -> None:
    world = World(tmp_path)
    told = world.ralph("init", "--ci", forge)
    assert told.code == 0
    assert f"created  {path}\n" in told.out
    include = "Put this into .gitlab-ci.yml: include: {local: .gitlab/ralphgit.yml}\n"
    assert (include in told.out) is (forge == "gitlab")
    sealed, _, job = world.read(path).partition("\n")
    assert re.fullmatch(r"# Written by ralphgit init \([0-9a-f]{12}\), which renews it\.", sealed)
    assert job in shown()
    before = world.snapshot()
    assert f"kept     {path}\n" in world.ralph("init", "--ci", forge).out
    assert world.snapshot() == before

    # What another version wrote is renewed without being asked for again, and what somebody has
    # changed stays.
    ours = world.read(path)
    world.write(path, older(ours))
    assert "outdated" in world.ralph("doctor").out
    assert f"renewed  {path}\n" in world.ralph("init").out
    assert world.read(path) == ours
    world.write(path, ours + "# mine\n")
    for words in ((), ("--ci", forge), ("--undo",)):
        said = world.ralph("init", *words).out
        assert f"kept     {path}  (it is not as init wrote it)\n" in said
    world.write(path, ours)
    assert f"removed  {path}\n" in world.ralph("init", "--undo").out
    assert not (world.path / path).parent.exists()


def test_init_without_a_forge_writes_no_job(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.ralph("init").code == 0
    assert not (world.path / ".github").exists() and not (world.path / ".gitlab").exists()
    wrong = world.ralph("init", "--ci", "gitlab", "--undo")
    assert (wrong.code, wrong.err.splitlines()[0]) == (
        2,
        "error: --ci cannot be combined with --undo",
    )
