"""What an agent changes around its work has no effect on what its loop decides (SPEC L9)."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import slow
from test_landing import agent, files_on_base
from test_loop import QUICK, end_agents, events, loop, made, on_base, start, task
from world import PATIENCE, Place, Result, until

from ralphgit.app.processes import (
    changed_settings,
    named_programs,
    named_refs,
    other_worktrees,
    watched_settings,
)
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.errors import NeedsPerson
from ralphgit.git import worktrees
from ralphgit.loop.presets import BUILT_IN

ONE = task("T-1", "scope: {write: [a.txt]}", "verify: [grep -q good a.txt]")


def works(alpha: Place, script: str, *words: str, env: dict[str, str] | None = None) -> Result:
    env = {"RALPH_AGENT_ATTEMPTS": "1", **(env or {})}
    return loop(alpha, "--once", "--agent", agent(alpha, script), *words, env=env)


STEERING = [
    ("git config core.hooksPath ../evil", "git config core.hookspath"),
    ("git config url.../evil.insteadOf x", "git config url.../evil.insteadof"),
    ("git config --add remote.origin.pushurl ../evil.git", "git config remote.origin.pushurl"),
    ("git config filter.x.clean cat", "git config filter.x.clean"),
    ("git config core.trustCtime false", "git config core.trustctime"),
    ("git config ralph.base x; git branch x", "git config ralph.base"),
    ("git config ralph.landMode none", "git config ralph.landmode"),
    ("echo a.txt >> $(git rev-parse --git-path info/exclude)", "info/exclude"),
    ("echo '* filter=x' > $(git rev-parse --git-path info/attributes)", "info/attributes"),
    ("mkdir -p ~/.config/git; echo a.txt > ~/.config/git/ignore", ".config/git/ignore"),
    (
        "mkdir -p ~/.config/git; echo 'a.txt ident' > ~/.config/git/attributes; "
        "echo '$Id: good $' > a.txt",
        ".config/git/attributes",
    ),
    ("echo > $(git rev-parse --git-common-dir)/info/grafts", "info/grafts"),
    ("git rev-parse HEAD > $(git rev-parse --git-common-dir)/shallow", ".git/shallow"),
    (
        "echo /tmp > $(git rev-parse --git-common-dir)/objects/info/alternates",
        "objects/info/alternates",
    ),
    ("mkdir $(git rev-parse --git-common-dir)/rr-cache", ".git/rr-cache"),
    ("l=$(git rev-parse --git-dir)/ralphgit/loop.lock; rm $l; touch $l", "ralphgit/loop.lock"),
    (
        "git config branch.$(git symbolic-ref --short HEAD).pushRemote public",
        "pushremote",
    ),
    (
        "h=$(git rev-parse --git-path hooks); mkdir -p $h; printf '#!/bin/sh\\n' > $h/pre-commit; "
        "chmod +x $h/pre-commit",
        "hook pre-commit",
    ),
]


@pytest.mark.parametrize(("does", "name"), STEERING, ids=[name for _, name in STEERING])
def test_what_steers_git_ends_the_loop(does: str, name: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    ran = works(alpha, f"echo good > a.txt; {does}", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert any(one.endswith(name) for one in ran.json["error"]["changed"]), ran.out
    (told,) = events(alpha, "settings-changed")
    assert any(one.endswith(name) for one in told["changed"])
    assert "a.txt" not in files_on_base(alpha)
    assert on_base(alpha, "T-1")["status"] == "pending"
    assert alpha.leases == ["T-1"]  # the claim is kept


def test_nothing_goes_on_until_a_person_has_looked(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    for does in (STEERING[0][0], "true"):
        ran = works(alpha, f"echo good > a.txt; {does}", "--json")
        assert (ran.code, ran.error) == (7, "settings_changed")
    assert on_base(alpha, "T-1")["status"] == "pending"
    assert alpha.leases == ["T-1"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets others set them")
@pytest.mark.parametrize("above", slow.but(1, [False, True]))
def test_a_limit_of_the_loop_s_process_is_not_the_agents(above: bool, tmp_path: Path) -> None:
    """What its verify commands print or read could be cut; so could that of the next one."""
    parent = "pid = int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1]); "
    lowers = (
        "import os, re, resource; pid = int(re.search('pid: ([0-9]+)', "
        f"open('.ralph/heartbeat').read())[1]); {parent * above}soft = 1 << 50 | os.getpid(); "
        "resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))"
    )
    alpha = made(tmp_path, ONE)
    ran = works(alpha, f'echo good > a.txt; {sys.executable} -c "{lowers}"', "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    (named,) = ran.json["error"]["changed"]
    assert named.startswith("a limit of process" if above else "a limit of the loop: RLIMIT_FSIZE")
    assert re.search("FSIZE .soft:hard was unlimited:unlimited and is [0-9]+:unlimited", named)
    assert "a.txt" not in files_on_base(alpha)
    # It was that process's, or is the shell's, say, from which the next one is started.
    again = works(alpha, "true", "--json")
    assert (again.code, again.error) == ((7, "settings_changed") if above else (0, ""))
    if above:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(int(re.findall("[0-9]+", named)[0]), resource.RLIMIT_FSIZE, unlimited)
        assert works(alpha, "true", "--json").error == ""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets others set them")
def test_a_limit_counts_where_it_is_lowered_and_of_the_same_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpha = made(tmp_path, ONE)
    project = Project.open(Surroundings(str(alpha.path), alpha.environ, time.time, lambda: "an id"))

    def have(soft: int, hard: int) -> None:
        monkeypatch.setattr(resource, "prlimit", lambda pid, number: (soft, hard))

    have(100, 200)
    before = changed_settings.signs(project)
    have(150, resource.RLIM_INFINITY)
    assert changed_settings.changes(project, before) == []
    for limit in ((99, 200), (100, 199)):
        have(*limit)
        lowered = [one.name for one in changed_settings.changes(project, before) if one.steers]
        assert f"process {os.getppid()}," in lowered[0]
        assert "soft:hard was 100:200 and is {}:{}".format(*limit) in lowered[0]
    boot = heartbeat.boot_id()
    then = {name: sign.replace(boot, "another") for name, sign in before.items()}
    assert changed_settings.changes(project, then) == []
    start = f" {heartbeat.start_time(os.getppid())} "
    then = {name: sign.replace(start, " 1 ") for name, sign in before.items()}
    left = [one.name for one in changed_settings.changes(project, then)]
    assert not [name for name in left if f"process {os.getppid()}," in name]


def test_resolutions_that_git_notes_by_a_setting_are_no_change(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    alpha.git("config", "rerere.enabled", "true")
    ran = works(alpha, "echo good > a.txt; mkdir $(git rev-parse --git-common-dir)/rr-cache")
    assert ran.out.splitlines()[0] == "done: T-1", ran.err


@pytest.mark.slow
def test_after_a_look_the_loop_goes_on(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    done = works(alpha, "echo good > a.txt; git config core.hooksPath ../evil", "--json")
    assert done.code == 7
    alpha.git("config", "--unset", "core.hooksPath")
    ran = works(alpha, "true")
    assert ran.out.splitlines()[0] == "done: T-1", ran.err
    hinted = made(tmp_path / "other", ONE)
    done = works(hinted, "echo good > a.txt; git config core.hooksPath ../evil", "--json")
    hinted.run("sh", "-c", str(done.json["error"]["hint"]).partition("if it is meant: ")[2])
    assert works(hinted, "true").out.splitlines()[0] == "done: T-1"


@pytest.mark.parametrize(
    ("does", "name"),
    slow.but(
        1,
        [
            ("git config user.name Robot", "git config user.name"),
            (
                """printf 'base = "x"\\nworker = "eve"\\n' > ralph.toml; git branch x""",
                "ralph.toml",
            ),
        ],
    ),
)
def test_what_a_loop_has_read_once_is_named_and_has_no_effect(
    does: str, name: str, tmp_path: Path
) -> None:
    alpha = made(tmp_path, ONE, files={".gitignore": "ralph.toml\n"})
    ran = works(alpha, f"echo good > a.txt; {does}")
    assert ran.out.splitlines()[0] == "done: T-1", ran.err
    assert f"changed while the agent worked on T-1: {name}" in ran.err
    assert on_base(alpha, "T-1")["status"] == "complete"
    assert on_base(alpha, "T-1")["claim"]["by"] == "alpha"
    assert alpha.git("ls-remote", "--heads", "origin", "x") == ""


def test_a_program_that_a_verify_command_names_is_not_the_agents_to_change(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}", "verify: [mytest]"))
    first, second = alpha.world.folder / "first", alpha.world.folder / "second"
    for folder, text in ((first, ""), (second, "#!/bin/sh\ngrep -q good a.txt\n")):
        folder.mkdir()
        if text:
            (folder / "mytest").write_text(text)
            (folder / "mytest").chmod(0o755)
    env = {"PATH": f"{first}:{second}:{alpha.environ['PATH']}"}
    fake = f"echo bad > a.txt; printf '#!/bin/sh\\n' > {first}/mytest; chmod +x {first}/mytest"
    ran = works(alpha, fake, "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["program mytest"]
    assert "a.txt" not in files_on_base(alpha)


def test_a_relative_entry_of_the_path_counts_from_the_worktree_s_top(tmp_path: Path) -> None:
    """The loop is started below; the verify command runs in the top."""
    files = {"sub/k": "k\n"}
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}", "verify: [mytest]"), files=files)
    path = programs(alpha, mytest="#!/bin/sh\ngrep -q good a.txt\n")["PATH"]
    env = {"PATH": path.replace(str(alpha.world.folder / "programs"), "../programs")}
    below = Place(alpha.path / "sub", alpha.environ, alpha.world)
    fake = "echo bad > a.txt; printf '#!/bin/sh\n' > ../programs/mytest"
    ran = works(below, fake, "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["program mytest"]
    assert "a.txt" not in files_on_base(alpha)
    git = alpha.world.folder / "programs" / "git"
    git.write_text("#!/bin/sh\nexit 1\n")
    git.chmod(0o755)
    listed = alpha.ralph("list", env=env)  # there it would be found, and is not the one
    assert (listed.code, listed.err) == (0, "")


STARTED = {
    "agents.critic.command": "program ../tools/critic.sh", "agent.command": "program critic",
    "worktree.setup": "program ../tools/critic.sh",
}  # fmt: skip


@pytest.mark.parametrize("key", STARTED)
def test_what_agents_are_started_by_is_not_an_agent_s_to_change(key: str, tmp_path: Path) -> None:
    """What else a command names it may write itself, as a log, and an agent's program too."""
    line = "critic" if key == "agent.command" else "sh ../tools/critic.sh --log ../tools/log"
    table, _, name = key.rpartition(".")
    alpha = made(tmp_path, ONE, files={"ralph.toml": f"[{table}]\n{name} = '{line}; claude'\n"})
    env = programs(alpha, critic="", claude="")
    assert alpha.world.ralph("trust", "--yes").code == 0
    (alpha.world.folder / "tools").mkdir()
    (alpha.world.folder / "tools" / "critic.sh").write_text("")
    changes = "for one in ../tools/critic.sh ../tools/log ../programs/*; do echo exit >> $one; done"
    ran = works(alpha, f"echo good > a.txt; {changes}", "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == [STARTED[key]]
    if key == "worktree.setup":
        assert alpha.world.ralph("worktree", "new", "gamma").code == 7


def test_a_judge_counts_from_where_merged_work_is_proved(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}", "verify: [sh ../tools/check]"))
    for folder in ("tools", "deep/tools"):
        (alpha.world.folder / folder).mkdir(parents=True)
        (alpha.world.folder / folder / "check").write_text("grep -q good a.txt\n")
    alpha.world.git("worktree", "move", str(alpha.path), "../deep/alpha")
    alpha = Place(alpha.world.folder / "deep" / "alpha", alpha.environ, alpha.world)
    ran = works(alpha, "echo good > a.txt; echo exit 0 > ../../tools/check", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == [f"program {alpha.world.folder}/tools/check"]


def test_the_programs_of_presets_are_known_to_renew_themselves() -> None:
    presets = {one.name for one in BUILT_IN} - {"file", "scripted"}
    assert presets <= set(named_programs.RENEWED)
    started = {os.path.basename(one.words[0]) for one in BUILT_IN if one.name != "scripted"}
    assert started <= set(named_programs.RENEWED)


#: Each runs the program `{}`, one way or another.
FORMS = (
    "cd . && X=1 {}", "X=1 {}", "if ! {}; then exit 1; fi", "true\n{}", ">/dev/null {}",
    "2>../log {}", "command {}", "echo .#x && {}", "echo $#; {}", "X=${{Y:-a b}} {}",
    "echo \"`echo '\"'`\"; {}", "trap {} EXIT", "eval {}", ". {}", "sh -c {}", "timeout 9 {}",
    "true && \\\n{}", "test -n \"$({})\"", "X={}; $X", "'{}'", "sh -c 'cd . && {} -q'",
    "cat <<E >../log\nit's\nE\n{}", "nohup env X=1 {}", "true|{}",
)  # fmt: skip
#: And these have quotes, or the like, within its name, which ends in `tool`.
BROKEN_UP = ("my\\\ntool", 'his""tool', "her\\tool", "a'tool'")


def test_a_program_that_a_line_comes_to_is_not_the_agents_to_change(tmp_path: Path) -> None:
    names = [f"tool{number}" for number, _ in enumerate(FORMS)]
    lines = [form.format(name) for form, name in zip(FORMS, names, strict=True)]
    names += ["mytool", "histool", "hertool", "atool"]
    home = f"~/{tmp_path.name}/homely"
    lines += [*BROKEN_UP, home]
    verify = f"verify: {json.dumps(lines)}"
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}", verify))
    programs = alpha.world.folder / "programs"
    programs.mkdir()
    # The claim is looked at once all are there; none was before.
    env = {"PATH": f"{programs}:{alpha.environ['PATH']}", "RALPH_LOOP_CHECK": "60"}
    places = [f"{programs}/{name}" for name in names]
    places.append(str(Path(alpha.environ["HOME"], tmp_path.name, "homely")))
    fakes = f"for f in {' '.join(places)}; do mkdir -p $(dirname $f); echo >$f; chmod +x $f; done"
    ran = works(alpha, f"echo bad > a.txt; {fakes}", "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    wanted = {f"program {name}" for name in (*names, home)}
    assert set(ran.json["error"]["changed"]) == wanted
    assert "a.txt" not in files_on_base(alpha)
    assert works(alpha, "true", env=env).code == 7


def programs(alpha: Place, **texts: str) -> dict[str, str]:
    """The environment of a loop with a folder of its own on PATH, and these programs in it."""
    folder = alpha.world.folder / "programs"
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{alpha.environ['PATH']}"}


@pytest.mark.slow
def test_a_program_that_is_rewritten_with_its_size_and_time_is_another(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}", "verify: [mytest]"))
    env = programs(alpha, mytest="#!/bin/sh\ngrep -q good a.txt\n")
    # It is as long as before.
    fake = (
        "echo bad > a.txt; p=../programs/mytest; cp -p $p ../kept; "
        "printf '#!/bin/sh\\ntrue -q good a.txt\\n' > $p; touch -r ../kept $p"
    )
    ran = works(alpha, fake, "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["program mytest"]
    # Another link to it, as package managers make them, is no change, nor is its old text.
    (alpha.world.folder / "programs" / "mytest").write_text("#!/bin/sh\ngrep -q good a.txt\n")
    linked = works(alpha, "ln ../programs/mytest ../linked; echo good > a.txt", env=env)
    assert linked.out.splitlines()[0] == "done: T-1", linked.err


@pytest.mark.slow
def test_the_configuration_of_another_worktree_ends_the_loop(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    beta = alpha.world.worktree("beta")
    alpha.git("config", "extensions.worktreeConfig", "true")
    alpha.git("config", "--worktree", "user.name", "me")
    common = alpha.git("rev-parse", "--path-format=absolute", "--git-common-dir")
    for where in (beta.git("rev-parse", "--absolute-git-dir"), common):
        path = Path(where) / "config.worktree"
        old = path.read_bytes() if path.exists() else None
        sets = f"echo good > a.txt; git config --file {path} filter.x.clean cat"
        ran = works(alpha, sets, "--json")
        assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
        (name,) = ran.json["error"]["changed"]
        assert name.endswith("config.worktree")
        path.unlink() if old is None else path.write_bytes(old)
    # A worktree that comes (with a copy of these settings) or goes is no change.
    comes = f"git worktree remove --force {beta.path}; git worktree add -q --detach ../gamma"
    ran = works(alpha, f"echo good > a.txt; {comes}")
    assert ran.out.splitlines()[0] == "done: T-1", ran.err


def test_a_configuration_that_git_does_not_read_yet_ends_the_loop(tmp_path: Path) -> None:
    """git reads it once a person has a sparse checkout, in whichever worktree."""
    alpha = made(tmp_path, ONE)
    path = f"{alpha.git('rev-parse', '--absolute-git-dir')}/config.worktree"
    plants = f"echo good > a.txt; git config --file {path} core.fsmonitor ../evil"
    ran = works(alpha, plants, "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    (name,) = ran.json["error"]["changed"]
    assert name.startswith("worktree's git config") and name.endswith("config.worktree")


def test_another_worktree_s_sparse_checkout_is_named(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, files={"lib/x": "x\n", "src/x": "x\n"})
    alpha.world.git("sparse-checkout", "set", "src", "lib")
    path = alpha.world.path / ".git" / "info" / "sparse-checkout"
    ran = works(alpha, f"echo good > a.txt; printf '/*\\n!/*/\\n/src/\\n' > {path}")
    assert ran.code == 0, ran.err
    (said,) = [one for one in ran.err.splitlines() if "changed while the agent worked" in one]
    assert "another worktree's sparse checkout: " in said


#: How another worktree comes to be one of another repository.
ELSEWHERE = {
    "no gitdir any more": ('rm "$B/gitdir" $T/.git; cp -r "$R" $T/.git', "-beta"),
    "nothing in its place": (
        'rm $T/.git; mv "$R" $T/../.git; git -C $T/.. config core.worktree $T', "beta/.git"
    ),
    "its commondir": ('echo "$R" > "$B/commondir"', "/commondir"),
    "its .git": ('echo "gitdir: $R" > $T/.git', "/.git"),
    "a repository in its place": ('rm $T/.git; cp -r "$R" $T/.git', "/.git"),
    "its gitdir": ('echo "$R" > "$B/gitdir"', "-beta"),
    "a new one": (
        'git worktree add -q --detach ../x; echo "$R" > "$C/worktrees/x/commondir"',
        "worktrees/x/commondir",
    ),
    "one by hand": ('mkdir -p "$C/worktrees/z"; cp -r "$R/." "$C/worktrees/z"; '
                    'echo "$PWD/../z/.git" > "$C/worktrees/z/gitdir"', "worktrees/z/commondir"),
}  # fmt: skip


#: What of a worktree's files git reads as it stands there, and a look without its blanks does not.
MISLEADING = {
    "commondir": (b"../.. \n", b" ../..", b"../..\0/x\n", b"../../../r\n", b"/nowhere"),
    ".git": (b"gitdir: FOLDER \n", b"gitdir:  FOLDER", b"FOLDER", b"gitdir: FOLDER\0x"),
}


def test_what_git_reads_as_another_repository_s_is_not_read_as_this_one_s(tmp_path: Path) -> None:
    folder, top = tmp_path / "r/.git/worktrees/b", tmp_path / "b"
    folder.mkdir(parents=True)
    top.mkdir()
    good = {"commondir": b"../..\r\n", ".git": os.fsencode(f"gitdir: {folder}\n")}
    (folder / "gitdir").write_text(f"{top}/.git\n")
    places = {"commondir": folder / "commondir", ".git": top / ".git"}
    for name, texts in MISLEADING.items():
        for text in (*texts, good[name]):
            for other, data in good.items():
                places[other].write_bytes(data)
            places[name].write_bytes(text.replace(b"FOLDER", os.fsencode(folder)))
            found = worktrees.misled(str(folder.parent.parent))
            assert [*found] == ([] if text == good[name] else [str(places[name])]), text
    # Of a submodule's checkout the repository knows where it is.
    config, common = {"core.worktree": "../../b"}, str(folder.parent.parent)
    of = SimpleNamespace(common_dir=common, config=config)
    project = cast(Project, SimpleNamespace(repository=of, show_path=str))
    name = f"leads git to another repository: {common}/../../b/.git"
    assert name in other_worktrees.misled(project)
    places[".git"].write_text(f"gitdir: {common}\n")
    assert name not in other_worktrees.misled(project)
    # git goes on upwards where nothing is there, or a pipe.
    (tmp_path / "r/.git/worktrees/e").mkdir()
    (tmp_path / "r/.git/worktrees/e/commondir").write_text("/nowhere\n")
    for above, misleads in (
        ((), False), (("HEAD", "objects", "refs"), True), (("HEAD", "commondir"), True),
        ((".git",), True), ((".git: e",), True), ((".git: b",), False),
    ):  # fmt: skip
        for name in above:
            name, _, other = name.partition(": ")
            if other:
                (tmp_path / name).write_text(f"gitdir: {folder.parent / other}\n")
            else:
                (tmp_path / name).mkdir()
        (top / ".git").unlink()
        assert bool(worktrees.misled(str(folder.parent.parent))) is misleads, above
        os.mkfifo(top / ".git")
        assert bool(worktrees.misled(str(folder.parent.parent))) is misleads, above
        for name in above:
            one = tmp_path / name.partition(": ")[0]
            one.unlink() if one.is_file() else one.rmdir()


@pytest.mark.parametrize("how", slow.but(1, ELSEWHERE))
def test_another_worktree_of_another_repository_ends_the_loop(how: str, tmp_path: Path) -> None:
    """And nothing that looks into worktrees runs what that repository says."""
    alpha = made(tmp_path, ONE, task("T-2"))
    beta = alpha.world.worktree("beta")
    beta.claim("T-2")
    beta.commit("Claim T-2")
    evil, ran_it = tmp_path / "evil.sh", tmp_path / "ran"
    evil.write_text(f"#!/bin/sh\ntouch {ran_it}\nexit 1\n")
    evil.chmod(0o755)
    does, name = ELSEWHERE[how]
    git_dir = beta.git("rev-parse", "--absolute-git-dir")
    made_evil = (
        f"B={git_dir}; T={beta.path}; R=$PWD/../evil/.git; "
        f"git clone -q . ../evil; git -C ../evil config core.fsmonitor {evil}; "
        "git -C ../evil checkout -q feature/beta 2>/dev/null; "
        "C=$(git rev-parse --path-format=absolute --git-common-dir)"
    )
    ran = works(alpha, f"echo good > a.txt; {made_evil}; {does}", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    named = {one.rpartition(": ") for one in ran.json["error"]["changed"]}
    kinds = {"leads git to another repository", "no worktree of the repository any more"}
    assert {kind for kind, _, _ in named} <= kinds
    assert any(path.endswith(name) for _, _, path in named), named
    ran_it.unlink(missing_ok=True)
    world = alpha.world
    for words in ("status", "worktree list", "worktree prune --dry-run", "report -", "list"):
        world.ralph(*words.split())
        assert not ran_it.exists(), words


@pytest.mark.slow
@pytest.mark.parametrize("where", ["main", "beta"])
def test_a_rebase_that_the_agent_leaves_in_another_worktree_is_named(
    where: str, tmp_path: Path
) -> None:
    alpha = made(tmp_path, ONE)
    there = alpha.world.worktree("beta") if where == "beta" else alpha.world
    folder = f"{there.git('rev-parse', '--absolute-git-dir')}/rebase-merge"
    blank = "head -c 1000000 /dev/zero | tr '\\0' '\\n'"  # read in time, too
    plants = f"mkdir {folder}; ({blank}; echo 'exec touch evil') > {folder}/git-rebase-todo"
    ran = works(alpha, f"echo good > a.txt; {plants}")
    assert ran.code == 0, ran.err
    (said,) = [one for one in ran.err.splitlines() if "changed while the agent worked" in one]
    assert "a rebase that runs programs: " in said and said.endswith("/git-rebase-todo")
    (Path(folder) / "git-rebase-todo").write_text("pick 1234567\n")
    assert "a rebase" not in works(alpha, "true").err


#: What a test of the agent's may do while it is run, and what is named then.
IN_VERIFY = [
    ("printf '#!/bin/sh\\n' > ../programs/grep; chmod +x ../programs/grep", "program grep"),
    ("printf '#!/bin/sh\\n' > ../programs/git; chmod +x ../programs/git", "program git"),
    ("git config core.fsmonitor ../evil", "git config core.fsmonitor"),
    (
        "h=$(git rev-parse --git-path hooks); mkdir -p $h; "
        "printf '#!/bin/sh\\necho bad > a.txt; git add a.txt\\n' > $h/pre-commit; "
        "chmod +x $h/pre-commit",
        "hook pre-commit",
    ),
]


@pytest.mark.parametrize(("does", "name"), IN_VERIFY)
@pytest.mark.parametrize("text", ["bad", "good"])
def test_what_a_verify_command_changes_ends_the_loop(
    does: str, name: str, text: str, tmp_path: Path
) -> None:
    verify = "verify: [sh test.sh, grep -q good a.txt]"
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt, test.sh]}", verify))
    env = programs(alpha)
    script = f"echo {text} > a.txt; cat > test.sh <<'Y'\n{does}\nY\n"
    ran = works(alpha, script, "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == [name]
    assert "a.txt" not in files_on_base(alpha)
    assert on_base(alpha, "T-1")["status"] == "pending"


def test_a_git_that_came_on_the_path_ends_the_loop(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = programs(alpha)
    fake = f"printf '#!/bin/sh\\nexec {shutil.which('git')} \"$@\"\\n' > ../programs/git"
    ran = works(alpha, f"echo good > a.txt; {fake}; chmod +x ../programs/git", "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["program git"]


def test_a_program_that_a_loop_or_git_runs_is_not_the_agents_to_add(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    alpha.git("config", "credential.helper", "mine --timeout=3")
    alpha.git("config", "filter.x.process", "'git-big' filter-process")
    alpha.git("config", "remote.public.url", "mine://a.example/x")
    alpha.git("config", "tag.gpgSign", "true")
    names = ("gh", "ssh", "git-credential-mine", "git-big", "git-remote-mine", "gpg")
    fakes = "; ".join(f"echo > ../programs/{one}; chmod +x ../programs/{one}" for one in names)
    env = programs(alpha)
    ran = works(alpha, f"echo good > a.txt; {fakes}", "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert sorted(ran.json["error"]["changed"]) == sorted(f"program {one}" for one in names)


#: How git comes to the helper of a remote, or to another program, besides an address.
COMES_TO = {
    "another address": ("url.mine::.insteadOf shop:", "git-remote-mine"),
    "another one for a push": ("url.mine://a/.pushInsteadOf shop:", "git-remote-mine"),
    "another in parts": ("url.mi.insteadOf sh", "git-remote-miop"),
    "a remote's helper": ("remote.public.vcs mine", "git-remote-mine"),
    "a branch's address": ("branch.main.remote mine::x", "git-remote-mine"),
    "the first of two": ("remote.public.url mine::x", "git-remote-mine"),
    "a transfer of git-lfs": ("lfs.customtransfer.x.path mytool", "mytool"),
    "alternates": ("core.alternateRefsCommand mytool", "mytool"),
    "packs": ("uploadpack.packObjectsHook mytool", "mytool"),
}


@pytest.mark.parametrize("how", slow.but(12, COMES_TO))
def test_a_program_that_git_comes_to_is_not_the_agents_to_change(how: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    setting, name = COMES_TO[how]
    alpha.git("config", *setting.split(" "))
    alpha.git("config", "--add", "remote.public.url", "shop::x")
    env = programs(alpha, **{name: "#!/bin/sh\nexit 1\n"})
    ran = works(alpha, f"echo good > a.txt; echo >> ../programs/{name}", "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == [f"program {name}"]


def test_another_repository_in_the_worktree_s_place_ends_the_loop(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    other = (
        "echo good > a.txt; common=$(git rev-parse --path-format=absolute --git-common-dir); "
        "cp -r $(git rev-parse --git-dir) ../other; echo $common > ../other/commondir; "
        "echo gitdir: $PWD/../other > .git"
    )
    ran = works(alpha, other, "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ".git" in ran.json["error"]["changed"]


#: What an agent changes, and what ends its loop while it works.
_HOOK = "h=$(git rev-parse --git-path hooks); mkdir -p $h; printf '#!/bin/sh\\n' > $h/pre-commit"
LATE = {
    "a hook": (f"{_HOOK}; chmod +x $h/pre-commit", "hook pre-commit"),
    "a setting": ("git config ralph.base evil; git branch evil", "git config ralph.base"),
    "a program": ("printf '#!/bin/sh\\n' > ../programs/mytest", "program mytest"),
}


def interrupted(alpha: Place, does: str, env: dict[str, str], number: int) -> None:
    """The loop is ended while its agent still works, and has done this."""
    there = alpha.world.folder / "there"
    script = f"{does}; echo bad > a.txt; touch {there}; sleep 60"
    running = start(alpha, "--agent", agent(alpha, script), "--land", "merge", env=env)
    until(there.exists)
    running.send_signal(number)
    running.communicate(timeout=PATIENCE)
    assert running.returncode == (-9 if number == signal.SIGKILL else 143)
    end_agents(alpha.task("T-1")["claim"]["id"], signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "number"),
    [(what, n) for what in LATE for n in (signal.SIGTERM, signal.SIGKILL)],
)
def test_what_an_agent_changed_in_a_loop_that_was_ended_is_seen_by_whoever_comes_next(
    what: str, number: int, tmp_path: Path
) -> None:
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}", "verify: [mytest]"), task("T-2"))
    env = {**QUICK, **programs(alpha, mytest="#!/bin/sh\ngrep -q good a.txt\n")}
    beta = alpha.world.worktree("beta")
    gamma = beta.world.worktree("gamma")
    gamma.did("T-2", {"b.txt": "b\n"})
    does, name = LATE[what]
    interrupted(alpha, does, env, number)
    for place, words in (
        (alpha, ("run", "--once", "--agent", "true")),
        (beta, ("run", "--once", "--agent", "true")),
        (gamma, ("land",)),
        (alpha.world, ("land", "--all")),
    ):
        ran = place.ralph(*words, "--json", env=env)
        assert (ran.code, ran.error) == (7, "settings_changed"), (words, ran.out)
        assert name in ran.json["error"]["changed"]
    assert files_on_base(alpha) == ["task-graph.yaml"]
    alpha.run("sh", "-c", str(ran.json["error"]["hint"]).partition("if it is meant: ")[2])
    # The false program is meant, then.
    assert gamma.ralph("land", env=env).code == 0


@pytest.mark.slow
def test_a_loop_that_was_ended_goes_on_where_nothing_steers_otherwise(tmp_path: Path) -> None:
    """Also from another terminal, with other programs first on its PATH."""
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}", "verify: [mytest]"))
    env = {**QUICK, **programs(alpha, mytest="#!/bin/sh\ngrep -q good a.txt\n")}
    interrupted(alpha, "git config user.name Robot", env, signal.SIGTERM)
    other = alpha.world.folder / "other"
    other.mkdir()
    shutil.copy(alpha.world.folder / "programs/mytest", other)
    env["PATH"] = f"{other}:{env['PATH']}"
    ran = works(alpha, "echo good > a.txt", env=env)
    assert ran.out.splitlines()[0] == "done: T-1", ran.err
    assert list((alpha.world.path / ".git/ralphgit/watched").iterdir()) == []


def test_a_note_says_what_was_there_and_not_which_git_is_run(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    env = programs(alpha, git='#!/bin/sh\ntouch "$HOME/ran"\nexec /usr/bin/git "$@"\n')
    environ = {**alpha.environ, **env}
    around = Surroundings(str(alpha.path), environ, time.time, lambda: "an id")
    now = Project.open(around)
    watched_settings.watch(now, changed_settings.signs(now))
    ran = Path(environ["HOME"], "ran")
    ran.unlink()
    assert alpha.world.ralph("land", "--all").code == 0
    assert not ran.exists()


@pytest.mark.parametrize("is_forged", [True, False])
def test_a_note_has_git_ask_no_repository_but_its_own(is_forged: bool, tmp_path: Path) -> None:
    """One where objects are missing has git fetch them, by a program that it names."""
    alpha = made(tmp_path, ONE)
    alpha.git("tag", "v1", "origin/main")
    there = Project.open(Surroundings(str(alpha.path), alpha.environ, time.time, lambda: "an id"))
    signs = {**changed_settings.signs(there), **named_refs.taken_down(there, {"v1": True}, "")}
    evil, ran = alpha.world.folder / "evil", tmp_path / "ran"
    alpha.run("git", "init", "-q", str(evil))
    remote = {"promisor": "true", "url": str(evil), "uploadpack": f"touch {ran}; false"}
    for key, value in (
        ("extensions.partialClone", "origin"),
        *((f"remote.origin.{key}", value) for key, value in remote.items()),
    ):
        alpha.git("-C", str(evil), "config", key, value)  # fmt: skip
    (evil / ".git/refs/tags/v1").write_text("1" * 40 + "\n")
    watched_settings.watch(there, signs)
    if is_forged:
        (note,) = (alpha.world.path / ".git/ralphgit/watched").iterdir()
        note.write_text(note.read_text().replace(str(alpha.path), str(evil)))
    else:
        (alpha.path / ".git").write_text(f"gitdir: {evil}/.git\n")
    done = alpha.world.ralph("land", "--all", "--json")
    assert (done.code, done.error) == (7, "settings_changed"), done.err
    (named,) = done.json["error"]["changed"]
    assert named.startswith("leads git to another repository: ")
    assert not ran.exists()


NO_NOTES = [b"[]", b"{", b'{"top": "/", "environ": {"HOME": "a\\u0000"}, "signs": {}}',
            b'{"top": "/", "environ": {"PATH": 1}, "signs": {}}']  # fmt: skip


@pytest.mark.parametrize("text", NO_NOTES)
def test_a_note_that_is_none_is_named(text: bytes, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    folder = alpha.world.path / ".git/ralphgit/watched"
    folder.mkdir(parents=True)
    (folder / "proj-alpha").write_bytes(text)
    done = alpha.world.ralph("land", "--all", "--json")
    assert (done.code, done.error) == (7, "settings_changed"), done.err
    assert done.json["error"]["changed"] == [".git/ralphgit/watched/proj-alpha"]


@pytest.mark.parametrize("goes", ["rm -rf $c/worktrees/proj-alpha",
                                  "git -C $c worktree remove -f -f $PWD"])  # fmt: skip
def test_who_takes_its_own_worktree_away_is_found_by_whoever_comes_next(
    goes: str, tmp_path: Path
) -> None:
    alpha = made(tmp_path, ONE, task("T-2"))
    beta = alpha.world.worktree("beta")
    does = "c=$(git rev-parse --path-format=absolute --git-common-dir)"
    does += "; mkdir -p $c/hooks; echo > $c/hooks/pre-push"
    assert works(alpha, f"echo good > a.txt; {does}; {goes}", "--json").code != 0
    ran = works(beta, "echo good > a.txt", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), (ran.out, ran.err)
    assert "hook pre-push" in ran.json["error"]["changed"]
    beta.run("sh", "-c", str(ran.json["error"]["hint"]).partition("if it is meant: ")[2])
    assert works(beta, "echo good > a.txt", "--json").error != "settings_changed"


#: What an agent may have done before its worktree went, and what is named then.
BEFORE_IT_WENT = {
    "true": "",
    "git config core.fsmonitor true": "git config core.fsmonitor",
    "git config --unset ralph.x": "git config ralph.x",
    "echo true > ../tools/check.sh": "program {}/tools/check.sh",
    "git tag -f v1 $(git commit-tree -m x HEAD^{tree})": "what git finds as v1",
    "echo x >> ../proj/.git/info/exclude": ".git/info/exclude",
}


@pytest.mark.parametrize("does", BEFORE_IT_WENT)
@pytest.mark.parametrize("goes", ["rm -rf {0}", "git worktree remove --force {0}"])
def test_a_worktree_that_a_person_removed_stops_nobody_where_nothing_differs(
    does: str, goes: str, tmp_path: Path
) -> None:
    """Not where a loop was killed and nothing has changed, wherever the next one is."""
    line = "verify: [sh ../tools/check.sh, git diff v1 --quiet -- x]"
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}", line), task("T-2"))
    (alpha.world.folder / "tools").mkdir()
    (alpha.world.folder / "tools" / "check.sh").touch()
    alpha.git("tag", "v1", "origin/main")
    alpha.git("config", "ralph.x", "y")
    beta = alpha.world.worktree("beta")
    environ = {**alpha.environ, "PATH": f".:{alpha.path}/.venv/bin:{alpha.environ['PATH']}"}
    now = Project.open(Surroundings(str(alpha.path), environ, time.time, lambda: "an id"))
    watched_settings.watch(now, changed_settings.with_branch(now, changed_settings.of_loop(now)))
    alpha.run("sh", "-c", does)
    alpha.world.run("sh", "-c", goes.format(alpha.path))
    far = alpha.world.folder / "deep" / "far"
    alpha.world.git("worktree", "add", "-q", "--detach", str(far), "origin/main")
    (note,) = (alpha.world.path / ".git/ralphgit/watched").iterdir()
    said, wanted = note.read_bytes(), BEFORE_IT_WENT[does].format(alpha.world.folder)
    for other in (alpha.world.path, beta.path, far):
        there = Project.open(Surroundings(str(other), alpha.environ, time.time, lambda: "an id"))
        if wanted:
            for _ in range(2):
                with pytest.raises(NeedsPerson, match=re.escape(wanted)):
                    watched_settings.require_seen(there)
            continue
        watched_settings.require_seen(there)
        assert not note.exists()
        note.write_bytes(said)


def test_what_another_worktree_has_for_itself_is_compared_there_where_the_first_is_gone(
    tmp_path: Path,
) -> None:
    alpha = made(tmp_path, ONE)
    alpha.git("config", "extensions.worktreeConfig", "true")
    beta = alpha.world.worktree("beta")
    now = Project.open(Surroundings(str(alpha.path), alpha.environ, time.time, lambda: "an id"))
    watched_settings.watch(now, changed_settings.signs(now))
    alpha.world.git("worktree", "remove", "--force", str(alpha.path))
    beta.git("config", "--worktree", "core.fsmonitor", "true")
    there = Project.open(Surroundings(str(beta.path), alpha.environ, time.time, lambda: "an id"))
    for _ in range(2):
        with pytest.raises(NeedsPerson, match=r"proj-beta/config\.worktree"):
            watched_settings.require_seen(there)
    beta.git("config", "--worktree", "--unset", "core.fsmonitor")
    Path(beta.git("rev-parse", "--git-path", "config.worktree")).unlink(missing_ok=True)
    watched_settings.require_seen(there)


@pytest.mark.slow
def test_a_worktree_is_not_removed_before_what_its_agent_changed_was_looked_at(
    tmp_path: Path,
) -> None:
    alpha = made(tmp_path, ONE)
    env = dict(QUICK)
    interrupted(alpha, "git config core.fsmonitor true", env, signal.SIGKILL)
    remove = ("worktree", "remove", "alpha", "--force", "over", "--json")
    ran = alpha.world.ralph(*remove)
    assert (ran.code, ran.error) == (7, "settings_changed"), (ran.out, ran.err)
    assert alpha.path.is_dir()
    alpha.git("config", "--unset", "core.fsmonitor")
    assert alpha.world.ralph(*remove).code == 0
    assert list((alpha.world.path / ".git/ralphgit/watched").iterdir()) == []


#: Where the agent puts a link, from its git folder, and what git or ralphgit would write there.
LINKS = ["COMMIT_EDITMSG", "logs/HEAD", "../../ralphgit/cache", "../proj-beta/ralphgit",
         "../../gc.pid", "../../logs/refs/remotes/origin/other"]  # fmt: skip


@pytest.mark.parametrize("place", LINKS)
def test_nothing_is_written_where_a_link_of_the_agents_leads(place: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    alpha.world.worktree("beta")
    precious = tmp_path / "precious"
    precious.mkdir()
    for number in range(300):
        (precious / f"{number}.jpg").touch()
    does = (
        f"cd $(git rev-parse --absolute-git-dir); mkdir -p $(dirname {place}); rm -rf {place}; "
        f"ln -s {precious}"
        f"{'' if 'ralphgit' in place else '/1.jpg'} {place}"
    )
    ran = works(alpha, f"echo good > a.txt; {does}", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), (ran.out, ran.err)
    assert ran.json["error"]["changed"][0].startswith("a link among git's files: ")
    alpha.ralph("status")
    found = sorted(precious.iterdir())
    assert len(found) == 300 and not any(one.stat().st_size for one in found)


def test_a_merge_that_the_agent_begins_in_another_worktree_is_named(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    ran = works(alpha, "echo good > a.txt; c=$(git rev-parse --git-common-dir); "
                "git rev-parse HEAD > $c/MERGE_HEAD")  # fmt: skip
    assert ran.out.splitlines()[0] == "done: T-1", ran.err
    assert "a merge, or the like, that has begun: ../proj/.git/MERGE_HEAD" in ran.err


def test_the_remotes_own_branch_is_not_the_agents_to_choose(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    does = (
        "git push --quiet origin HEAD:evil; git fetch --quiet; "
        "git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/evil"
    )
    ran = works(alpha, f"echo good > a.txt; {does}", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["origin/HEAD"]
    assert works(alpha, "true", "--json").error == "settings_changed"


@pytest.mark.slow
@pytest.mark.parametrize("text", ["{x", "[1]", "3", "null"])
def test_a_note_that_is_none_wants_a_person(text: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    alpha.run("sh", "-c", f"d=$(git rev-parse --git-common-dir)/ralphgit/watched; "
              f"mkdir -p $d; echo '{text}' > $d/proj-alpha")  # fmt: skip
    ran = works(alpha, "echo good > a.txt", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    alpha.run("sh", "-c", str(ran.json["error"]["hint"]).partition("if it is meant: ")[2])
    assert works(alpha, "echo good > a.txt").out.splitlines()[0] == "done: T-1"


#: Where the loop would commit then, and not on the branch that it began on.
MOVES = ("git symbolic-ref HEAD refs/heads/main",
         "git worktree add -qb theirs ../theirs; git symbolic-ref HEAD refs/heads/theirs",
         "b=$(git symbolic-ref HEAD); git update-ref -d $b; git symbolic-ref $b refs/heads/main",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("does", MOVES)
def test_another_branch_in_the_worktree_ends_the_loop(does: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    main = alpha.git("rev-parse", "main")
    ran = works(alpha, f"echo good > a.txt; {does}", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    (named,) = ran.json["error"]["changed"]
    branch = f"refs/heads/{named.removeprefix('HEAD, which was on ')}"
    assert branch.startswith("refs/heads/ralph/T-1-")
    assert (alpha.git("rev-parse", "main"), "a.txt" in files_on_base(alpha)) == (main, False)
    assert works(alpha, "true", "--json").error == "settings_changed"
    # As it was, the loop goes on.
    alpha.git("symbolic-ref", "HEAD", branch)
    alpha.git("update-ref", "--no-deref", branch, main)
    looks = "git checkout -q --detach origin/main; git checkout -q -; echo good > a.txt"
    ran = works(alpha, looks)
    assert ran.out.splitlines()[0] == "done: T-1", ran.err


@pytest.mark.slow
def test_work_on_a_branch_that_the_agent_has_made_lands(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    ran = works(alpha, "git checkout -qb mine; echo good > a.txt; git add a.txt; git commit -qm A")
    assert ran.out.splitlines()[0] == "done: T-1", ran.err
    assert "a.txt" in files_on_base(alpha)


def test_a_copy_of_the_repository_in_its_place_ends_the_loop(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    script = (
        "echo good > a.txt; cp -r $(git rev-parse --git-common-dir) ../copy.git; "
        "realpath ../copy.git > $(git rev-parse --git-dir)/commondir"
    )
    ran = works(alpha, script)
    assert ran.code == 7, ran.err
    assert "commondir" in ran.err
    assert "a.txt" not in files_on_base(alpha)


#: Makes a commit with another judge, in nobody's worktree.
LOOSER = (
    "echo bad > a.txt; export GIT_INDEX_FILE=$PWD/../index; git read-tree origin/main; "
    "blob=$(echo true | git hash-object -w --stdin); "
    "git update-index --add --cacheinfo 100644,$blob,check.sh; "
    "looser=$(git commit-tree -p origin/main -m x $(git write-tree)); unset GIT_INDEX_FILE; "
)


@pytest.mark.parametrize(
    ("ref", "does"),
    [
        ("origin/main", "git replace -f $(git rev-parse origin/main:check.sh) $blob"),
        ("main", "git update-ref refs/heads/main $looser"),
        ("v1", "git tag -f v1 $looser"),
        ("later", "git branch later $looser"),
        # In capitals as HEAD is, and as the beginning of an id.
        ("STABLE", "git tag -f STABLE $looser"),
        ("2024", "git branch -f 2024 $looser"),
        # git takes a tag before a remote's branch.
        ("origin/HEAD", "git tag origin/HEAD $looser"),
        ("origin", "git branch origin $looser"),
    ],
)
def test_a_judge_that_a_line_takes_from_git_is_not_the_agents(
    ref: str, does: str, tmp_path: Path
) -> None:
    line = f'verify: ["git show {ref}:check.sh | sh"]'
    one = task("T-1", "scope: {write: [a.txt]}", line)
    alpha = made(tmp_path, one, files={"check.sh": "grep -q good a.txt\n"})
    alpha.git("remote", "set-head", "origin", "main")
    for kind, name in (("tag", "v1"), ("tag", "STABLE"), ("branch", "2024")):
        alpha.git(kind, name, "origin/main")
    ran = works(alpha, LOOSER + does)
    assert "a.txt" not in files_on_base(alpha)
    told = "verify failed (exit 1)" if ref == "origin/main" else f"what git finds as {ref}"
    assert (ran.code, told in ran.err) == (7, True), ran.err


def test_a_judge_in_a_commit_that_is_named_by_its_beginning_is_not_the_agents(
    tmp_path: Path,
) -> None:
    alpha = made(tmp_path, ONE)
    project = Project.open(Surroundings(str(alpha.path), alpha.environ, time.time, lambda: "an id"))
    short = project.base.commit[:9]
    words = named_refs.words([f"git archive {short} check.sh | tar x", "git diff cafe"])
    refs = named_refs.taken_down(project, words, "refs/heads/alpha")
    before = {**changed_settings.signs(project), **refs}
    for name in ("cafe", short):
        alpha.git("tag", name, "HEAD")
    changed = [one.name for one in changed_settings.changes(project, before) if one.steers]
    assert changed == [f"what git finds as {short}"]


def test_a_branch_that_the_agent_moves_with_the_base_has_not_come_along(tmp_path: Path) -> None:
    """The judge puts it back before it ends, so that nothing is seen to have changed then."""
    line = 'verify: ["git show main:check.sh | sh"]'
    one = task("T-1", "scope: {write: [a.txt]}", line)
    alpha = made(tmp_path, one, files={"check.sh": "grep -q good a.txt\n"})
    back = LOOSER.replace("echo true", "echo git update-ref refs/heads/main $(git rev-parse main)")
    moves = (
        "git update-ref refs/heads/main $looser; git update-ref refs/remotes/origin/main $looser"
    )
    ran = works(alpha, back + moves)
    assert (ran.code, "what git finds as main" in ran.err) == (7, True), ran.err
    assert "a.txt" not in files_on_base(alpha)


def test_what_a_test_calls_the_base_is_not_what_the_next_attempt_begins_with(
    tmp_path: Path,
) -> None:
    """It may have put another wrapper of the agent there, and beside."""
    work = tmp_path / "work.sh"
    test = LOOSER.replace("check.sh", "wrap.sh").replace("echo true", "cat wrap.sh")
    work.write_text(
        "cat > a.sh <<'END'\necho touch ../free > wrap.sh\n"
        f"{test}git update-ref refs/remotes/origin/main $looser; exit 1\nEND\n"
    )
    one = task("T-1", "scope: {write: [a.sh]}", "verify: [sh a.sh]")
    alpha = made(tmp_path, one, files={"wrap.sh": f"sh {work}\n"})
    env = {"RALPH_AGENT_ATTEMPTS": "2"}
    ran = loop(alpha, "--once", "--agent", "sh wrap.sh", "--json", env=env)
    assert not (alpha.world.folder / "free").exists()
    assert (ran.code, ran.error) == (7, "changed_program"), (ran.out, ran.err)


@pytest.mark.slow
def test_what_was_proved_on_what_a_test_calls_the_base_is_proved_on_no_other(
    tmp_path: Path,
) -> None:
    """What is pushed from there is refused, and the next try has the same files in the scope."""
    looser = LOOSER.removeprefix("echo bad > a.txt; ").replace("check.sh", "judge.sh")
    scope = "scope: {write: [a.txt, t.sh], read: [b.txt]}"
    files = {"judge.sh": "! grep -q BROKEN b.txt\n", "b.txt": "fine\n"}
    alpha = made(tmp_path, task("T-1", scope, "verify: [sh t.sh, sh judge.sh]"), files=files)
    work, main = tmp_path / "work.sh", alpha.world.path
    work.write_text(
        f"(cd {main}; echo BROKEN > b.txt; git commit -qam On; git push -q origin main)\n"
        "echo good > a.txt; cat > t.sh <<'END'\ngit symbolic-ref -q HEAD >/dev/null || exit 0\n"
        f"git fetch -q; {looser}git update-ref refs/remotes/origin/main $looser\nEND\n"
    )
    works(alpha, f"sh {work}")
    assert on_base(alpha, "T-1")["status"] != "complete"
    assert "a.txt" not in files_on_base(alpha)


def test_a_branch_that_is_called_as_a_word_is_ends_no_loop(tmp_path: Path) -> None:
    line = 'verify: ["git diff --exit-code HEAD -- docs && grep -q good a.txt && true build"]'
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}", line))
    alpha.git("branch", "build", "HEAD")
    does = "git branch docs; git update-ref refs/heads/build $looser"
    ran = works(alpha, f"{LOOSER}{does}; echo good > a.txt")
    assert ran.out.splitlines()[0] == "done: T-1", ran.err
    assert "what git finds by now as docs" in ran.err


def test_which_words_of_a_line_git_is_given() -> None:
    lines = {
        "git show 2>&1 v1:c.sh | sh; make z": {"v1": True},
        "sh -c 'git show v1:c.sh | sh' && make z": {"v1": True},
        'git show "v1:c.sh" | sh': {"v1": True},
        "git log 'a;b' v1..v2 -- x; make z": {"v1": True, "v2": True},
        "git show $(git rev-parse v2) v1:x": {"v1": True, "v2": False},
        "X=v1; git show $X:c.sh | sh": {"v1": False},
        "G=git; $G show v1:c.sh | sh": {"v1": True},
        "echo v1 | xargs git archive | tar x": {"v1": False},
        "git archive v1 | tar x && make z": {"v1": False},
        "git fetch https://x/y && make z; legit v1": {},
    }
    for line, wanted in lines.items():
        words = named_refs.words([line])
        assert {one: words[one] for one in words if one in ("v1", "v2", "z")} == wanted, line


def test_a_judge_that_a_line_takes_from_git_may_come_along_with_the_base(tmp_path: Path) -> None:
    line = 'verify: ["git show main:check.sh | sh"]'
    one = task("T-1", "scope: {write: [a.txt]}", line)
    alpha = made(tmp_path, one, files={"check.sh": "grep -q good a.txt\n"})
    main = alpha.world.path
    moves = f"cd {main}; git commit -q --allow-empty -m On; git push -q origin main"
    ran = works(alpha, f"echo good > a.txt; {moves}")
    assert ran.out.splitlines()[0] == "done: T-1", ran.err


@pytest.mark.slow
def test_a_tracking_branch_that_the_agent_moves_decides_nothing(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    looser = (
        "echo bad > a.txt; git stash -q; git checkout -q --detach origin/main; "
        "sed -i 's/grep -q good a.txt/true/' task-graph.yaml; git commit -qam Looser; "
        "git update-ref refs/remotes/origin/main HEAD; git checkout -q -; git stash pop -q"
    )
    ran = works(alpha, looser)
    assert ran.code in (0, 7), ran.err
    assert "a.txt" not in files_on_base(alpha)
    assert on_base(alpha, "T-1")["status"] != "complete", ran.err


@pytest.mark.slow
def test_a_commit_that_the_agent_replaces_decides_nothing(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    looser = (
        "echo bad > a.txt; cp task-graph.yaml ../kept; base=$(git rev-parse origin/main); "
        "export GIT_INDEX_FILE=../index; git read-tree $base; git show $base:task-graph.yaml | "
        "sed 's/grep -q good a.txt/true/' > ../looser; "
        "git update-index --cacheinfo 100644,$(git hash-object -w ../looser),task-graph.yaml; "
        "git replace $base $(git commit-tree -m Looser $(git write-tree))"
    )
    ran = works(alpha, looser)
    assert ran.code in (0, 7), ran.err
    assert "a.txt" not in files_on_base(alpha)
