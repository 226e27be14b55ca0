"""Another ref that is called as the base is stands in its place nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_changed_settings import works
from test_loop import made, task
from world import Place

ONE = task("T-1", "scope: {write: [a.txt]}", "verify: [grep -q good a.txt]")
MADE = [
    "git update-ref refs/heads/origin/main HEAD",
    "git update-ref refs/tags/origin/main HEAD",
    "git tag origin/main HEAD; git pack-refs --all",
    "git update-ref refs/origin/main HEAD",
    "mkdir -p $g/origin; git rev-parse HEAD > $g/origin/main",
]


def _beyond(folder: Path, script: str, *, base: str = "") -> Place:
    """alpha has a file outside of its scope on its branch, and has run `script`."""
    alpha = made(folder, ONE)
    if base:
        alpha.world.write("ralph.toml", f'base = "{base}"\n')
        alpha.world.commit("Name the base")
        alpha.world.git("push", "-q", "origin", "main")
        alpha.git("reset", "-q", "--hard", "origin/main")
    alpha.claim("T-1")
    alpha.write("other.txt", "evil\n")
    alpha.commit("Beyond")
    prefix = "set -e; g=$(git rev-parse --git-common-dir); "
    assert alpha.run("sh", "-c", prefix + script).code == 0
    return alpha


@pytest.mark.parametrize("script", MADE)
def test_the_base_is_judged_against(script: str, tmp_path: Path) -> None:
    alpha = _beyond(tmp_path, script)
    real = alpha.git("rev-parse", "refs/remotes/origin/main")
    for line in (("check", "--base", "origin/main"), ("check", "origin/main..HEAD"), ("check",)):
        found = alpha.ralph(*line)
        assert "other.txt is outside the write scope of T-1" in found.out + found.err, line
    found = alpha.ralph("diff", "origin/main...alpha")
    assert "other.txt" in found.out, found.out
    assert "alpha since it left refs/remotes/origin/main (" in alpha.ralph("diff").out
    assert alpha.world.ralph("worktree", "new", "beta", "--from", "origin/main").code == 0
    assert alpha.git("rev-parse", "refs/heads/feature/beta") == real
    assert "other.txt" in alpha.ralph("diff", "origin/main~0...alpha").out


def test_a_setting_means_the_remotes_branch(tmp_path: Path) -> None:
    alpha = _beyond(tmp_path, MADE[0], base="origin/main")
    assert alpha.ralph("status", "--json").data["base"]["ref"] == "refs/remotes/origin/main"
    assert "other.txt is outside" in alpha.ralph("check").out


def test_a_name_of_several_branches_is_refused(tmp_path: Path) -> None:
    alpha = _beyond(tmp_path, "git update-ref refs/heads/origin/x HEAD; git push -q origin main:x")
    found = alpha.ralph("diff", "origin/x...alpha")
    assert (found.code, found.err) == (
        2, "error: origin/x may be refs/heads/origin/x or refs/remotes/origin/x; nothing was "
        "looked at\nhint: say which one in full: refs/remotes/origin/x\n",
    )  # fmt: skip
    assert "other.txt" in alpha.ralph("diff", "refs/remotes/origin/x...alpha").out
    alpha.git("push", "-q", "origin", "alpha:x")
    assert alpha.ralph("diff", "origin/x...alpha").code == 0  # it is one commit


@pytest.mark.slow
@pytest.mark.parametrize("script", MADE[:2])
def test_a_loop_ends_where_its_agent_makes_one(script: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    ran = works(alpha, f"echo good > a.txt; {script}", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    ref = script.split()[2]
    assert ran.json["error"]["changed"] == [f"{ref}, which is called as the base is"]
    alpha.git("update-ref", "-d", ref)
    assert works(alpha, "true", "--json").code == 0


@pytest.mark.parametrize("folder", ["heads", "tags"])
def test_a_name_that_a_commit_s_id_begins_with_is_refused(folder: str, tmp_path: Path) -> None:
    """A message had it of the commit; who types it would review another one."""
    alpha = _beyond(tmp_path, "true")
    whole = alpha.git("rev-parse", "origin/main")
    alpha.git("update-ref", f"refs/{folder}/{whole[:12]}", "HEAD")
    found = alpha.ralph(
        "audit", "add", "T-1", "--target", whole[:12], "--verdict", "clear", "--by", "z"
    )
    assert (found.code, found.err) == (
        2, f"error: {whole[:12]} may be refs/{folder}/{whole[:12]} or {whole}; nothing was looked "
        f"at\nhint: say which one in full: {whole}\n",
    )  # fmt: skip
    assert "other.txt" in alpha.ralph("diff", f"{whole}...alpha").out
    assert alpha.ralph("diff", f"{whole[:11]}...alpha").code == 0
    alpha.git("branch", "abcdef")
    assert alpha.ralph("diff", "abcdef...alpha").code == 0  # it is nothing else
