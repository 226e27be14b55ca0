"""Of git's settings all steer what a loop decides, but those that are known not to."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from test_loop import made, task
from test_machines import with_tasks
from world import Place

from ralphgit.app.processes import changed_settings
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.git import remote
from ralphgit.git.run_git import Git
from ralphgit.loop import worker_clone
from ralphgit.records import git_attributes
from ralphgit.rules import harmless_settings


def opened(place: Place) -> Project:
    return Project.open(Surroundings(str(place.path), place.environ, time.time, str, {}))


def changed(place: Place, before: Mapping[str, str]) -> dict[str, bool]:
    """What has changed, and whether it steers."""
    found = changed_settings.changes(opened(place), before)
    return {one.name.removeprefix("git config "): one.steers for one in found}


#: Each with what is named of it.
STEER = {
    "git config remote.evil.url ../e; git config remote.evil.promisor true": "remote.evil.promisor",
    "git config remote.evil.uploadpack 'sh up.sh'": "remote.evil.uploadpack",
    "git config extensions.partialclone evil": "extensions.partialclone",
    "git config --global uploadpack.packObjectsHook 'sh up.sh'": "uploadpack.packobjectshook",
    "git config push.followTags true": "push.followtags",
    "git config --add push.pushOption ci.skip": "push.pushoption",
    "git config push.gpgSign if-asked": "push.gpgsign",
    "git config remote.pushDefault public": "remote.pushdefault",
    "git config remote.public.pushurl ../e": "remote.public.pushurl",
    "git config branch.alpha.pushRemote public": "branch.alpha.pushremote",
    "git config branch.alpha.remote ../e": "branch.alpha.remote",
    "git config remote.public.url ext::sh": "remote.public.url",
    "git config remote.named.url ../e": "remote.named.url",
    "git config remote.wide.fetch '+refs/*:refs/*'": "remote.wide.fetch",
    "git config remotes.x-y public": "remotes.x-y",
    "git config branch.alpha.mergeOptions -sours": "branch.alpha.mergeoptions",
    "git config branch.main.remote public": "branch.main.remote",
    "git remote add upstream ../e": "remote.upstream.url",
    "git config remote.public.gh-resolved base": "remote.public.gh-resolved",
    "git config branch.main.merge refs/heads/x": "branch.main.merge",
    "git config branch.main.rebase true": "branch.main.rebase",
    "git config --global init.templateDir ~/tpl": "init.templatedir",
    "git config --global --add maintenance.repo ~/evil": "maintenance.repo",
    "git config trailer.x.cmd 'sh x.sh'": "trailer.x.cmd",
    "git config alias.Lint '!sh x.sh'": "alias.lint",
    "git config alias.deep.command '!sh x.sh'": "alias.deep.command",
    "git config rerere.enabled true": "rerere.enabled",
    "git config ralph.verify.required false": "ralph.verify.required",
    "git config ralph.notifyCommand 'sh x.sh'": "ralph.notifycommand",
    "git config ralph.landMode none": "ralph.landmode",
    "git config submodule.lib.update '!sh x.sh'": "submodule.lib.update",
    "git config submodule.there.url ../evil": "submodule.there.url",
    "git config made.up.tomorrow x": "made.up.tomorrow",
    # What a judge reads that git prints.
    "git config color.ui always": "color.ui",
    "git config --global column.tag 'always, dense'": "column.tag",
    "git config column.ui row": "column.ui",  # always, too
    "git config color.diff.meta always": "color.diff.meta",
    "git config merge.conflictStyle zdiff3": "merge.conflictstyle",
    # Git ends where it reads them, and `! git grep` has passed.
    "git config color.grep bogus": "color.grep",
    "git config --global log.date bogus": "log.date",
    "git config blame.date bogus": "blame.date",
    "git config diff.ralphgit.xfuncname '('": "diff.ralphgit.xfuncname",
    "printf '[branch \"x\"]\nmerge\n' >> ~/.gitconfig": "branch.x.merge",
    "printf '[remote \"up\"]\ntagopt\n' >> ~/.gitconfig": "remote.up.tagopt",
    # What helpers of git's read.
    "git config remote.origin.gcrypt-rsync-put-flags --rsh=x":
        "remote.origin.gcrypt-rsync-put-flags",
    "git config remote.origin.gh-resolved evil/repo": "remote.origin.gh-resolved",
    "git config branch.alpha.made-up x": "branch.alpha.made-up",
    "git config git-crypt.repoStateDir x": "git-crypt.repostatedir",
    "printf '[color]\nui = always\n' > ~/work.config": "work.config",
    "echo x > $H/pre-commit.d/lib.sh": "hook pre-commit.d/lib.sh",
    "chmod +x $H/pre-commit.d/known": "hook pre-commit.d/known",
    "echo x > ../behind/new": "hook linked/new",
    "printf '[core]\\nfsmonitor = sh\\n' > ~/work.config": "work.config",
    # What is included under a condition that does not hold here includes others.
    "printf '[core]\\nfsmonitor = sh\\n' > ~/inc/b": "inc/b",
    "printf '[core]\\nfsmonitor = sh\\n' > ~/inc/deep/c": "inc/deep/c",
}  # fmt: skip
NO_STEER = {
    "git config user.name Robot": "user.name",
    "git config --global --add safe.directory '*'": "safe.directory",
    "git config pull.rebase false": "pull.rebase",
    "git config --global color.ui never": "color.ui",
    "git config push.autoSetupRemote true": "push.autosetupremote",
    "git config lfs.https://a.example/x.git/info/lfs.locksverify true":
        "lfs.https://a.example/x.git/info/lfs.locksverify",
    "git config submodule.lib.url ../lib; git config submodule.lib.active true":
        "submodule.lib.url",
    # What git starts at a terminal alone, and what only a person calls.
    "git config --global core.editor vim": "core.editor",
    "git config --global pager.log 'less -R'": "pager.log",
    "git config --global mergetool.x.cmd 'x $LOCAL'": "mergetool.x.cmd",
    "git config --global alias.co checkout": "alias.co",
    "git remote add up https://a.example/up.git": "remote.up.fetch",
    "git remote set-url other git@a.example:other.git": "remote.other.url",
    "git config remote.origin.gh-resolved base": "remote.origin.gh-resolved",
    "git config git-town.main-branch main": "git-town.main-branch",
    f"git config diff.ralphgit.xfuncname {shlex.quote(git_attributes.TASK_LINE)}":
        "diff.ralphgit.xfuncname",  # as `init` does
    "git config extensions.worktreeConfig true": "extensions.worktreeconfig",
}  # fmt: skip
#: Another file in its place, which says the same as long as nobody writes there.
LINKED = {
    "mv ~/.gitconfig ../g; ln -s $PWD/../g ~/.gitconfig": ".gitconfig",
    "mv ~/inc/a ../a; ln -s $PWD/../a ~/inc/a": "inc/a",
    "mv $C/config ../c; ln -s $PWD/../c $C/config": "config",
    "mv $C/info/exclude ../e; ln -s $PWD/../e $C/info/exclude": "info/exclude",
    "mv .git ../dotgit; ln -s $PWD/../dotgit .git": ".git",
    "mv $H/pre-commit.d/known ../known; ln -s $PWD/../known $H/pre-commit.d/known":
        "hook pre-commit.d/known",
    "touch $C/logs/HEAD; ln $C/logs/HEAD ../log": "logs/HEAD",
    "touch $C/COMMIT_EDITMSG; ln $C/COMMIT_EDITMSG ../message": "COMMIT_EDITMSG",
}  # fmt: skip
#: What git writes by itself, and people do in worktrees of their own.
UNSAID = (
    "git branch -q --track x origin/main", "git config branch.x.description 'A thing'",
    "git config branch.alpha.vscode-merge-base origin/main",
    "git branch -q -D old", "git push -q -u origin alpha",
    "git fetch -q && git branch -q --set-upstream-to origin/main main",
    "git config branch.x.remote public; git config branch.x.merge refs/heads/x",
    # Another file says the same, or nothing that steers.
    "git config --global core.abbrev 12",
    "printf '[user]\n\tname = B\n# or A\n' > ~/work.config",
    "git -C ../proj config --worktree user.name B",
)  # fmt: skip


#: What git takes and prints the same with; "" for any text.
TAKEN = {
    "true false yes no on off 1 0": (
        "advice.detachedHead", "extensions.worktreeConfig", "fetch.prune", "maintenance.auto",
        "pull.ff", "pull.rebase", "push.autoSetupRemote", "rebase.autoSquash", "rebase.autoStash",
    ),
    "auto never true false yes no on off 1 0": (
        "color.advice", "color.branch", "color.diff", "color.grep", "color.interactive",
        "color.push", "color.remote", "color.showBranch", "color.status", "color.transport",
        "color.ui",
    ),
    "only": ("pull.ff",),
    "merges": ("pull.rebase",),
    "0 6700": ("gc.auto",),
    "main develop": ("init.defaultBranch",),
    "basic": ("lfs.https://a/.access",),
    "simple current upstream": ("push.default",),
    "* /x": ("safe.directory",),
    "": (
        "author.name", "committer.email", "core.editor", "core.pager", "diff.guiTool", "diff.tool",
        "difftool.x.cmd", "gui.x", "interactive.diffFilter", "merge.tool", "mergetool.x.cmd",
        "pager.log", "sequence.editor", "user.email", "user.name", "branch.x.description",
        "branch.x.gh-merge-base", "submodule.lib.url",
    ),
}  # fmt: skip
#: What it does not take of keys that may change; None for no value.
NOT_TAKEN = (
    ("user.name", None), ("author.email", None), ("committer.name", None), ("core.editor", None),
    ("user.useconfigonly", "x"), ("advice.detachedhead", "x"), ("advice.statushints", "false"),
    ("color.advice", "x"), ("color.pager", "auto"), ("pager.color", "x"), ("push.default", "x"),
    ("branch.autosetuprebase", "x"), ("color.ui", "Always"), ("fetch.prune", "x"),
    ("column.ui", "row"), ("tag.sort", "x"), ("gc.auto", "x"), ("pull.ff", "x"),
    ("init.defaultbranch", ".."), ("safe.directory", "~nobody-here/x"),
    ("submodule.lib.active", "false"), ("help.autocorrect", "immediate"),
)  # fmt: skip
_READS = """git grep -n e; git log -1; git status; git diff-tree -p --root HEAD; git branch -a
    git tag
    git fetch -q; git remote -v; git ls-remote; git blame task-graph.yaml; git push -q --dry-run
    git submodule status; git pull -q; git rev-parse @{push}; git for-each-ref"""


@pytest.fixture
def alpha(tmp_path: Path) -> Place:
    """Hooks that run what is in a folder, and in one behind a link; a branch that has settings."""
    line = "verify: [git st, git lint, 'git fetch named && git show named/x:check | sh']"
    alpha = own_settings(made(tmp_path, task("T-1", line)))
    alpha.run("sh", "-c", f"""set -e
        H={hooks(alpha)}; mkdir -p $H/pre-commit.d ../behind
        echo x > $H/pre-commit.d/known; ln -s $PWD/../behind $H/linked
        git config remote.public.url ../public.git; git config branch.main.remote origin
        git config remote.other.url ../other.git; git config remote.named.url ../named.git
        git config alias.st 'deep --all'; git config core.abbrev 12
        git config submodule.there.url ../there; git branch -q old
        git config branch.old.pushRemote public; touch ~/work.config
        git config --global includeIf.gitdir:/elsewhere/.path '~/work.config'
        git config --global includeIf.onbranch:none.path inc/a; mkdir -p ~/inc/deep; ln -s . ~/inc/l
        printf '[Include]\npath = b\n[includeIf "gitdir:/x/"]\npath = l/a' > ~/inc/a
        printf '[include]\npath = ~/inc/deep/c\npath = a\n' > ~/inc/b
    """)  # fmt: skip
    return alpha


def own_settings(place: Place) -> Place:
    """The same with a `~/.gitconfig` and templates of its own: those of other tests are theirs."""
    environ = {**place.environ, "GIT_CONFIG_GLOBAL": f"{place.environ['HOME']}/.gitconfig"}
    environ.pop("GIT_TEMPLATE_DIR")
    return Place(place.path, environ, place.world)


def hooks(place: Place) -> str:
    return place.git("rev-parse", "--path-format=absolute", "--git-path", "hooks")


def test_a_change_of_git_s_settings_steers_unless_it_is_known_not_to(alpha: Place) -> None:
    gone = {"git config --unset branch.main.remote": "branch.main.remote"}
    here = {"git config branch.main.remote .": "branch.main.remote"}
    for steers, does in ((False, NO_STEER), (True, gone), (True, here), (True, STEER)):
        before = changed_settings.signs(opened(alpha))
        alpha.run("sh", "-ec", "; ".join((f"H={hooks(alpha)}", *does)))
        found = changed(alpha, before)
        for name in does.values():
            named = [one for one in found if one == name or one.endswith(f"/{name}")]
            assert [found[one] for one in named] == [steers], (name, found)


def test_what_may_change_is_taken_by_git_which_prints_the_same(alpha: Place) -> None:
    alpha.git("push", "-q", "-u", "origin", "alpha")
    script = ("sh", "-ec", _READS)
    before = alpha.run(*script)
    assert before.code == 0, before.err
    config = Path(alpha.environ["HOME"], ".gitconfig")
    kept = config.read_text(encoding="utf-8")
    for number in range(10):
        said = []
        for values, keys in TAKEN.items():
            named = values.split() or ["true", "x y"]
            said += [(key, named[number % len(named)]) for key in keys]
        config.write_text(kept, encoding="utf-8")
        for key, value in said:
            assert is_harmless(key, value), (key, value)
            alpha.git("config", "--global", key, value)
        now = alpha.run(*script)
        assert (now.code, now.out) == (0, before.out), (said, now.err)


def is_harmless(key: str, value: str) -> bool:
    section, _, rest = key.partition(".")
    inner, dot, last = rest.rpartition(".")
    spelt = f"{section.lower()}.{inner}{dot}{last.lower()}"
    if said := harmless_settings.of_branch(spelt)[1]:
        return harmless_settings.is_of_upstream(said)
    return harmless_settings.may_change(spelt, [value], is_new=True)


@pytest.mark.parametrize(("key", "value"), NOT_TAKEN)
def test_a_value_that_git_may_not_take_steers(key: str, value: str | None) -> None:
    assert not harmless_settings.may_change(key, [value or ""], is_new=True)


def test_the_remote_that_git_asks_where_none_is_named_is_the_base_s(alpha: Place) -> None:
    """`git ls-remote`, say."""
    alpha.git("push", "-q", "-u", "origin", "alpha")
    before = changed_settings.signs(opened(alpha))
    alpha.git("remote", "add", "up", "../up.git")
    assert set(changed(alpha, before).values()) == {False}
    for value, steers in (("up", True), (".", True), ("public", True), ("origin", None)):
        alpha.git("config", "branch.alpha.remote", value)
        assert changed(alpha, before).get("branch.alpha.remote") is steers, value
    alpha.git("config", "--unset", "branch.alpha.remote")
    assert "branch.alpha.remote" not in changed(alpha, before)
    alpha.git("config", "branch.alpha.remote", "public")
    before = changed_settings.signs(opened(alpha))
    alpha.git("config", "remote.public.url", "../e")
    assert changed(alpha, before) == {"remote.public.url": True}


def test_below_a_folder_called_logs_a_second_name_of_the_index_is_none(tmp_path: Path) -> None:
    """As our own commit in another worktree makes."""
    (tmp_path / "logs").mkdir()
    alpha = made(tmp_path / "logs", task("T-1"))
    index = Path(alpha.world.worktree("beta").git("rev-parse", "--absolute-git-dir"), "index")
    before = changed_settings.signs(opened(alpha))
    index.with_name("index.ralph-1").hardlink_to(index)
    assert changed(alpha, before) == {}


def test_what_stands_in_where_no_base_is_named_may_only_become_the_base_s(alpha: Place) -> None:
    alpha.run("sh", "-ec", "git push -q origin origin/main:refs/heads/trunk; git fetch -q")
    alpha.git("remote", "set-head", "origin", "trunk")
    assert opened(alpha).base.short == "origin/trunk"
    alpha.git("config", "--unset", "branch.main.remote")
    before = changed_settings.signs(opened(alpha))
    alpha.git("config", "branch.main.remote", "other")
    assert changed(alpha, before)["branch.main.remote"]
    alpha.git("config", "branch.main.remote", "origin")
    assert changed(alpha, before) == {}


def test_a_link_in_the_place_of_what_steers_git_steers(alpha: Place) -> None:
    common = alpha.git("rev-parse", "--path-format=absolute", "--git-common-dir")
    alpha.run("sh", "-ec", f"mkdir -p {common}/info; echo x > {common}/info/exclude")
    before = changed_settings.signs(opened(alpha))
    done = alpha.run("sh", "-ec", "; ".join((f"H={hooks(alpha)}; C={common}", *LINKED)))
    assert done.code == 0, done.err
    found = changed(alpha, before)
    for name in LINKED.values():
        assert {steers for one, steers in found.items() if one.endswith(name)} == {True}, found


def test_a_link_that_leads_nowhere_from_here_steers(alpha: Place) -> None:
    """By `/proc/self/cwd`, say, it leads somewhere for a git that is started elsewhere."""
    common = alpha.git("rev-parse", "--path-format=absolute", "--git-common-dir")
    places = [f"{hooks(alpha)}/post-merge", f"{common}/info/attributes", "~/.gitconfig"]
    before = changed_settings.signs(opened(alpha))
    for place in places:
        linked = f"rm -f {place}; mkdir -p $(dirname {place}); ln -s /proc/self/cwd/no {place}"
        assert alpha.run("sh", "-ec", linked).code == 0
    found = [name for name, steers in changed(alpha, before).items() if steers]
    for end in ("post-merge", "info/attributes", ".gitconfig"):
        assert any(name.endswith(end) for name in found), found


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv makes root as others are")
def test_a_folder_of_hooks_that_may_not_be_listed_steers(tmp_path: Path) -> None:
    (tmp_path / "hooks" / "in").mkdir(parents=True)
    (tmp_path / "hooks" / "in").chmod(0o300)
    said = "from ralphgit.app.processes import configured_git as c; print(*c.below('hooks'))"
    line = ["--bounding-set=-all", "--inh-caps=-all", sys.executable, "-c", said]
    done = subprocess.run(["setpriv", *line], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "hooks/in\n", done.stderr


@pytest.mark.parametrize("does", UNSAID)
def test_what_git_notes_of_branches_is_not_named(does: str, alpha: Place) -> None:
    before = changed_settings.signs(opened(alpha))
    alpha.run("sh", "-c", does)
    assert changed(alpha, before) == {}


def test_a_push_takes_nothing_with_it(alpha: Place) -> None:
    """Whatever `push.*` says: no tags, no options, no submodules."""
    bare = alpha.world.origin
    bare.git("config", "receive.advertisePushOptions", "true")
    hook = Path(bare.git("rev-parse", "--path-format=absolute", "--git-path", "hooks/pre-receive"))
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho options: ${GIT_PUSH_OPTION_COUNT:-0} >&2\n")
    hook.chmod(0o755)
    alpha.git("tag", "--annotate", "v9", "-m", "release")
    alpha.git("config", "push.followTags", "true")
    alpha.git("config", "--add", "push.pushOption", "ci.skip")
    alpha.git("config", "push.recurseSubmodules", "on-demand")
    sent = remote.send(
        Git(str(alpha.path), alpha.environ), "origin", alpha.head, "refs/heads/x", old="",
        timeout=60.0,
    )  # fmt: skip
    assert (sent.moved, sent.said) == (True, ("options: 0",))
    assert "v9" not in bare.git("for-each-ref")
    assert bare.git("rev-parse", "x") == alpha.head


def test_a_worker_s_clone_has_no_hook_of_a_template(tmp_path: Path) -> None:
    world = with_tasks(tmp_path)
    ran = world.folder / "ran"
    hook = Path(world.environ["HOME"], "tpl", "hooks", "post-checkout")
    hook.parent.mkdir(parents=True)
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    place = own_settings(world)
    place.git("config", "--global", "init.templateDir", "~/tpl")
    place.git("clone", "-q", str(world.origin.path), "usual")
    ran.unlink()
    clone = worker_clone.take(place.environ, str(world.origin.path), "ann")
    os.close(clone.lock)
    assert Path(clone.path, "task-graph.yaml").exists()
    assert not ran.exists()
