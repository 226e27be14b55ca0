"""What people, editors and honest agents do beside a loop every day ends none."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
import slow
from test_changed_settings import ONE, works
from test_git_settings import own_settings
from test_landing import agent, files_on_base
from test_loop import events, loop, made, task
from world import Place

from ralphgit.app.processes import named_outside

#: In the main worktree, while an agent works in another one; $B is a third one.
ACTS = {
    "a person's git": (
        """git gc -q --prune=now; git repack -adq; git pack-refs --all; git commit-graph write
        git checkout -qb feature; echo y > y.txt; git add .; git commit -qm y; git tag -a v1 -m v1
        git checkout -q main; git merge -q --no-ff --no-edit feature; git branch -qd feature
        git push -q -u origin main; git fetch -q --all --prune --tags; git notes add -m n
        git worktree add -q ../new -b new; git -C ../new commit -q --allow-empty -m z
        git worktree remove $B; git worktree move ../new ../newer; git worktree lock ../newer
        git clone -q --shared . ../clone; git remote set-head origin main""",
        set(),
    ),
    "a merge, a rebase and a bisect under way": (
        """git commit -q --allow-empty -m 1; git commit -q --allow-empty -m 2
        git bisect start -q HEAD HEAD~2; git bisect reset -q
        cd $B; echo 1 > x; git add x; git commit -qm 1; echo s > x; git stash -q; git stash pop -q
        git stash -q; git checkout -qb other HEAD~1; echo 2 > x; git add x; git commit -qm 2
        ! git merge -q beta""",
        {"a merge, or the like, that has begun: ../proj/.git/worktrees/proj-beta/MERGE_HEAD"},
    ),
    "settings of a person, and of tools": (
        """git config --global alias.co checkout; git config --global core.editor vim
        git config --global core.pager delta; git config --global delta.navigate true
        git config --global pull.rebase true; git config --global diff.tool meld
        git config --global fetch.prune true
        git config user.email ann@example.com; git config gui.wmstate normal
        git config branch.main.vscode-merge-base origin/main
        git config remote.origin.gh-resolved base; git config git-town.main-branch main
        git remote add up https://example.com/up.git; git config branch.x.gh-merge-base main
        git config --file ~/work.config user.name B; echo '# mine' >> ~/work.config
        mkdir .vscode .idea; echo '{}' > .vscode/settings.json; echo x > .idea/workspace.xml""",
        {
            "git config alias.co", "git config core.editor", "git config core.pager",
            "git config delta.navigate", "git config pull.rebase", "git config diff.tool",
            "git config fetch.prune", "git config user.email",
            "git config gui.wmstate", "git config remote.origin.gh-resolved",
            "git config git-town.main-branch", "git config remote.up.url",
            "git config remote.up.fetch", "git config user.name",
        },
    ),
    "a sparse checkout, and settings of one worktree": (
        "git -C $B sparse-checkout set lib; git -C $B config --worktree user.name B",
        {
            "git config extensions.worktreeconfig",
            "another worktree's sparse checkout: ../proj/.git/worktrees/proj-beta/config.worktree",
            "another worktree's sparse checkout: "
            "../proj/.git/worktrees/proj-beta/info/sparse-checkout",
        },
    ),
    "credentials, hosts and programs of others": (
        """echo https://u:new@example.com > ~/.git-credentials; echo h >> ~/.ssh/kh
        ln ~/bin/large ~/bin/linked; touch ~/bin/large; cp ~/bin/small ~/bin/t
        mv ~/bin/t ~/bin/small; cp ~/bin/small ~/bin/another; mkdir ~/.cache; echo x > ~/.cache/x
        (ulimit -n 64; true); echo 1 > ../report.xml""",
        set(),
    ),
}  # fmt: skip
_PREPARE = """
    mkdir -p ~/bin ~/.ssh; printf '#!/bin/sh\\n' > ~/bin/small; cp ~/bin/small ~/bin/large
    chmod +x ~/bin/*; head -c 33000000 /dev/zero | tr '\\0' '\\n' >> ~/bin/large; echo g > ~/.ssh/kh
    git config --global credential.helper 'store --file ~/.git-credentials'
    git config --global core.sshCommand 'ssh -o UserKnownHostsFile=~/.ssh/kh'
    git config --global include.path ~/work.config; git config --file ~/work.config user.name A
    echo https://u:old@example.com > ~/.git-credentials; echo 0 > ../report.xml
"""


def prepared(tmp_path: Path) -> tuple[Place, dict[str, str]]:
    """A worktree, and what a loop there, a person and an agent have in their environment."""
    line = "verify: [large, small --junitxml=../report.xml, grep -q good a.txt]"
    alpha = own_settings(made(tmp_path, task("T-1", "scope: {write: [a.txt]}", line)))
    beta, home = alpha.world.worktree("beta"), alpha.environ["HOME"]
    env = {"PATH": f"{home}/bin:{alpha.environ.get('PATH', '')}", "B": str(beta.path),
           "M": str(alpha.world.path)}  # fmt: skip
    done = alpha.run("sh", "-ec", _PREPARE, env=env)
    assert done.code == 0, done.err
    return alpha, env


@pytest.mark.parametrize("name", slow.but(0, ACTS))
def test_an_everyday_act_ends_no_loop(name: str, tmp_path: Path) -> None:
    act, told = ACTS[name]
    alpha, env = prepared(tmp_path)
    ran = works(alpha, f"echo good > a.txt\n(cd $M && set -e\n{act}\n) || exit 9", env=env)
    assert ran.code == 0, ran.err
    assert [one["outcome"] for one in events(alpha, "attempted")] == ["done"]
    said = [one["changed"] for one in events(alpha, "settings-changed")]
    assert {one for names in said for one in names} == told
    assert "a.txt" in files_on_base(alpha)


_HOOK = (
    "mkdir -p .githooks; printf '#!/bin/sh\\n{}\\n' > .githooks/pre-commit; chmod +x .githooks/*"
)


def with_hooks(tmp_path: Path, *more: str) -> Place:
    """A worktree that is behind the base, which has hooks where git is told to look for them."""
    alpha = made(tmp_path, ONE, *more)
    script = f"""git config core.hooksPath .githooks; {_HOOK.format("exit 0")}; git add .
        git commit -qm hooks; git push -q origin main"""
    assert alpha.world.run("sh", "-ec", script).code == 0
    return alpha


def test_a_hook_that_comes_with_the_base_ends_no_loop(tmp_path: Path) -> None:
    alpha = with_hooks(tmp_path)
    ran = works(alpha, "echo good > a.txt")
    assert (ran.code, events(alpha, "settings-changed")) == (0, []), ran.err


@pytest.mark.slow
def test_a_hook_that_goes_with_the_base_ends_no_loop(tmp_path: Path) -> None:
    """The first task begins while the base has it, the second one without."""
    alpha = with_hooks(tmp_path, task("T-2"))
    assert alpha.run("git", "merge", "-q", "main").code == 0
    does = (
        "test $RALPH_TASK = T-1 || { echo 2 > two.txt; exit; }; echo good > a.txt; "
        f"cd {alpha.world.path}; git rm -qr .githooks; git commit -qm 'No hooks'; "
        "git push -q origin main"
    )
    ran = loop(alpha, "--agent", agent(alpha, does))
    assert (ran.code, events(alpha, "settings-changed")) == (0, []), ran.err
    assert not (alpha.path / ".githooks").exists()


@pytest.mark.parametrize(
    "does",
    [
        _HOOK.format("touch ../ran"),
        "chmod -x .githooks/pre-commit",
        # As the base has it where the agent has moved that, too.
        f"git worktree add -q --detach ../x; (cd ../x; {_HOOK.format('touch ../ran')}; "
        "git commit -qam x --no-verify; git update-ref refs/remotes/origin/main HEAD); "
        + _HOOK.format("touch ../ran"),
    ],
)
def test_a_hook_of_the_worktree_is_not_the_agents_to_change(does: str, tmp_path: Path) -> None:
    alpha = with_hooks(tmp_path)
    ran = works(alpha, f"echo good > a.txt; {does}", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["hook pre-commit"]
    assert "worktree.setup" in ran.json["error"]["hint"]
    assert not (alpha.path.parent / "ran").exists()


def test_who_changed_it_and_what_helps_is_told(tmp_path: Path) -> None:
    """What a verify command writes outside by itself would end every loop again."""
    files = {"check.sh": "date +%N > $1\n"}
    alpha = made(tmp_path, task("T-1", "verify: [sh check.sh ../times]"), files=files)
    alpha.write("../times", "0\n")
    ran = works(alpha, "echo good > a.txt")
    assert ran.code == 7
    assert "changed while a command was run for T-1: program ../times" in ran.err
    assert "hint: where a verify command itself writes there, have it write within" in ran.err
    again = works(alpha, "true")
    said = "error: not as it was when a loop of the worktree proj-alpha began: program ../times;"
    assert again.err.startswith(said)
    rm = again.err.splitlines()[-1].partition("if it is meant: ")[2]
    assert alpha.run("sh", "-c", rm).code == 0
    sets = works(alpha, "git config core.abbrev 9")
    (look,) = [one for one in sets.err.splitlines() if one.startswith("hint: look at it (")]
    line = look.partition("(")[2].partition(")")[0]
    assert alpha.git(*shlex.split(line)[1:]).endswith("\t9")


@pytest.mark.slow
def test_what_makes_links_of_git_s_own_files_is_told(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    ran = works(alpha, f"echo good > a.txt; cp -al {alpha.world.path} ../backup")
    assert (ran.code, "a copy by hard links (cp -al)" in ran.err) == (7, True)
    shutil.rmtree(tmp_path / "backup")  # as told, then repeated
    assert works(alpha, "echo good > a.txt").code == 0


def test_a_link_to_a_program_leaves_it_as_it_is(tmp_path: Path) -> None:
    """As who installs it from a cache makes."""
    tool = tmp_path / "tool"
    tool.write_text("1\n")
    before = [named_outside.content(str(tool), large) for large in (1, 2)]
    (tmp_path / "other").hardlink_to(tool)
    now = [named_outside.content(str(tool), large) for large in (1, 2)]
    assert (before[0] == now[0], before[1] == now[1]) == (False, True)


def test_of_many_changes_a_few_are_named(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    does = "mkdir -p $h; for n in $(seq 30); do echo x > $h/hook-$n; done"
    ran = works(alpha, f"echo good > a.txt; h=$(git rev-parse --git-path hooks); {does}")
    assert ran.code == 7
    said = [line for line in ran.err.splitlines() if "changed while" in line]
    assert [line.count(", hook ") for line in said] == [9, 9]
    assert all(" and 20 more" in line for line in said)
    assert len(events(alpha, "settings-changed")[0]["changed"]) == 30
