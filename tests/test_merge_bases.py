"""Work that merges what the base has merged too, and merges of more than two (SPEC L9, 7)."""

from __future__ import annotations

from pathlib import Path

import pytest
import slow
from test_git_settings import opened
from test_landing import files_on_base
from test_loop import made, on_base, task
from test_nothing_believed import RALPH, work
from world import Place

from ralphgit.errors import GuardRefused
from ralphgit.git import merge_preview, trees, worktrees

ONE = task("T-1", "verify: [mytest]").replace("pending\n", "pending\n    priority: 0\n")
HARD = task("T-9", "verify: [mytest2]", depends="T-1")
SETTINGS = "[verify]\nrequired = true\n"
#: `git commit-tree` of the index with the base's two parents as its own, in either order.
BOTH = {
    "first": "git commit-tree -p {base}^1 -p {base}^2",
    "second": "git commit-tree -p {base}^2 -p {base}^1",
}


def crossed(folder: Path) -> Place:
    """A base whose last commit is a merge, which has made T-9 and the settings stricter."""
    alpha = made(folder, ONE, HARD.replace("mytest2", "'true'"))
    world = alpha.world
    world.git("switch", "--quiet", "-c", "stricter")
    world.replace("'true'", "mytest2")
    world.write("ralph.toml", SETTINGS)
    world.commit("Ask for more")
    world.git("switch", "--quiet", "main")
    world.write("m.txt", "m\n")
    world.commit("Something else")
    world.git("merge", "--quiet", "--no-ff", "--no-edit", "stricter")
    world.git("push", "--quiet", "origin", "main")
    return alpha


@pytest.mark.parametrize("how", slow.but(1, ["second", "first"]))
@pytest.mark.parametrize("then", ["", f"; {RALPH} block --question why"], ids=["done", "blocked"])
def test_what_the_base_has_merged_is_not_taken_back(how: str, then: str, tmp_path: Path) -> None:
    alpha = crossed(tmp_path)
    commit = BOTH[how].format(base="$base")
    work_done = "echo good > a.txt; sed -i s/mytest2/true/ *.yaml; git rm -qf ralph.toml"
    told = work(
        alpha,
        "base=$(git rev-parse origin/main); "
        f"{'git rm -qf m.txt' if then else work_done}; git add -A; "
        f"git update-ref HEAD $({commit} -m Work $(git write-tree)){then}",
    )
    assert on_base(alpha, "T-1")["status"] != "complete", told
    assert on_base(alpha, "T-9")["verify"] == ["mytest2"]
    assert "m.txt" in files_on_base(alpha)
    assert alpha.git("show", "origin/main:ralph.toml") == SETTINGS.strip()


@pytest.mark.parametrize("how", slow.but(1, BOTH))
def test_what_a_merge_would_take_back_is_shown(how: str, tmp_path: Path) -> None:
    alpha = crossed(tmp_path)
    alpha.git("merge", "--quiet", "origin/main")
    alpha.claim("T-1")
    base = alpha.git("rev-parse", "origin/main")
    alpha.write("a.txt", "good\n")
    alpha.complete("--force", "by hand")
    alpha.replace("mytest2", "'true'")
    alpha.git("rm", "--quiet", "-f", "ralph.toml")
    alpha.git("add", "-A")
    line = f"git update-ref HEAD $({BOTH[how].format(base=base)} -m Work $(git write-tree))"
    assert alpha.run("sh", "-ec", line).code == 0
    assert set(alpha.git("merge-base", "--all", "HEAD", base).split()) == {
        alpha.git("rev-parse", f"{base}^{number}") for number in (1, 2)
    }
    shown = alpha.world.ralph("diff", "alpha").out
    assert "verify.required, true -> false" in shown and "T-9" in shown, shown
    assert "clear" not in shown


def test_what_two_commits_have_in_common_is_what_git_merges(tmp_path: Path) -> None:
    alpha = crossed(tmp_path)
    repository, base = opened(alpha.world).repository, alpha.world.git("rev-parse", "main")
    ends = [alpha.world.git("rev-parse", f"main^{number}") for number in (1, 2)]
    work = alpha.world.git("commit-tree", "-p", ends[1], "-p", ends[0], "-m", "x", "main^{tree}")
    assert sorted(worktrees.forks(repository.git, base, work)) == sorted(ends)
    common = merge_preview.merge_base(repository, base, work)
    assert trees.tree_id(repository.objects, common) == alpha.world.git("rev-parse", "main^{tree}")
    assert merge_preview.merge_base(repository, base, work) == common
    assert merge_preview.merge_base(repository, base, ends[0]) == ends[0]


def test_several_bases_that_conflict_are_told(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    world = alpha.world
    world.git("switch", "--quiet", "-c", "other")
    world.write("m.txt", "theirs\n")
    world.commit("Theirs")
    world.git("switch", "--quiet", "main")
    world.write("m.txt", "ours\n")
    world.commit("Ours")
    ends = ("main", "other")
    merges = [
        world.git("commit-tree", "-p", one, "-p", two, "-m", "x", f"{one}^{{tree}}")
        for one, two in (ends, ends[::-1])
    ]
    repository = opened(alpha.world).repository
    with pytest.raises(GuardRefused, match=r"conflicts in m\.txt") as refused:
        merge_preview.merge_base(repository, *merges)
    assert refused.value.code == "several_merge_bases"
    world.git("switch", "--quiet", "--detach", merges[1])
    words = (refused.value.hint or "").split()[1:]
    assert world.run("git", *words).code == 1  # it is git that asks now
    world.git("checkout", "--quiet", "--ours", "m.txt")
    world.commit("Joined")
    assert merge_preview.merge_base(repository, merges[0], world.head) == merges[0]


OCTOPUS = (
    "git add -A; h=$(git rev-parse HEAD); o() { git commit-tree -p $h -m $1 $h^{tree}; }; "
    "git update-ref HEAD $(git commit-tree -p $h -p $(o 1) -p $(o 2) -m x $(git write-tree))"
)
NOTHING = task("T-1", "mode: verify", "verify: ['true']")
MERGED = {
    "a link": (
        ONE, f"echo good > a.txt; git add -A; git commit -qm x; ln -s $PWD/a.txt l; {OCTOPUS}",
        "l is a link to",
    ),
    "a task that changes nothing": (
        NOTHING, f"echo x > evil; {OCTOPUS}", "evil is changed, and T-1 verifies"
    ),
    "a line end in a name": (
        NOTHING, r"""n="$(printf 'evil\n.')"; echo x > "${n%%.}"; git add -A; git commit -qm x""",
        "is changed, and T-1 verifies",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", slow.but(1, MERGED))
def test_what_a_merge_of_more_than_two_brings_is_the_task_s(how: str, tmp_path: Path) -> None:
    one, script, said = MERGED[how]
    alpha = made(tmp_path, one)
    told = work(alpha, script)
    assert on_base(alpha, "T-1")["status"] == "blocked" and said in told, told
