"""This repository's own workflows: valid, with few rights, and bound to the code they use."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ryaml
from world import ROOT, World

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def loaded(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = ryaml.loads(path.read_text())
    return found


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for job in loaded(path)["jobs"].values():
            yield from ((path.name, step) for step in job["steps"])


def test_actions_are_named_by_full_commit_id() -> None:
    uses = [line for path in WORKFLOWS for line in path.read_text().splitlines() if "uses:" in line]
    assert len(uses) > 4
    for line in uses:
        assert re.fullmatch(r" *- uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    commits: dict[str, set[str]] = {}
    for action, commit in re.findall(r"uses: (\S+)@(\S+)", "\n".join(uses)):
        commits.setdefault(action, set()).add(commit)
    assert {action for action, found in commits.items() if len(found) > 1} == set()


def test_workflows_have_few_rights() -> None:
    rights = {
        (path.name, name): {**loaded(path)["permissions"], **job.get("permissions", {})}
        for path in WORKFLOWS
        for name, job in loaded(path)["jobs"].items()
    }
    assert rights.pop(("release.yml", "publish")) == {"id-token": "write"}
    assert set(map(str, rights.values())) == {"{'contents': 'read'}"}
    for name, step in steps():
        assert "${{" not in step.get("run", ""), name
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_ci_runs_on_every_python_that_is_supported() -> None:
    jobs = loaded(ROOT / ".github/workflows/ci.yml")["jobs"]
    linux, macos = (jobs[name]["strategy"]["matrix"]["python"] for name in ("linux", "macos"))
    assert linux == macos
    assert PROJECT["requires-python"] == f">={linux[0]}"
    assert [int(version.partition(".")[2]) for version in linux] == [11, 12, 13, 14]


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    if shutil.which("actionlint") is None:
        pytest.skip("actionlint is not installed; as a hook of pre-commit it runs in CI")
    done = World(tmp_path).run("actionlint", *map(str, WORKFLOWS))
    assert (done.code, done.out) == (0, "")
