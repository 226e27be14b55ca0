"""What a command line names outside of the worktree is not the agent's to change (SPEC L9)."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest
import slow
from test_changed_settings import works
from test_git_settings import opened
from test_landing import agent, files_on_base
from test_loop import loop, made, on_base, task
from world import Place, until

from ralphgit.app.processes import named_outside, named_programs
from ralphgit.app.workspace.project import Project
from ralphgit.git import run_git

#: A line, and what the agent writes, in a folder beside the worktree, that it comes to.
COMES_TO = [
    ("sh ../tools/check.sh", "check.sh", "../tools/check.sh"),
    ("sh '../tools/check.sh' -q", "check.sh", "../tools/check.sh"),
    ("python3 {tools}/check.py", "check.py", "{tools}/check.py"),
    (". ../tools/check.sh", "check.sh", "../tools/check.sh"),
    ("sh < ../tools/check.sh", "check.sh", "../tools/check.sh"),
    ("sh <>../tools/check.sh", "check.sh", "../tools/check.sh"),
    ("[ 2 \\> ../tools/check.sh ]", "check.sh", "../tools/check.sh"),
    ("make -s -f../tools/rules.mk", "rules.mk", "../tools/rules.mk"),
    ("sh $PWD/../tools/check.sh", "check.sh", "./../tools/check.sh"),
    ("sh ../tools/new.sh", "new.sh", "../tools/new.sh"),
    ("cd ../tools && sh check.sh", "check.sh", "../tools/check.sh"),
    ("sh -c 'cd ../tools; ./check.sh'", "check.sh", "../tools/check.sh"),
    ("(cd ..; sh tools/check.sh)", "check.sh", "../tools/check.sh"),
    ("cd .. && cd tools && cd deep && sh check.sh", "deep/check.sh", "../tools/deep/check.sh"),
    ("cd docs && sh ../../tools/check.sh", "check.sh", "../tools/check.sh"),
    ("env -C ../tools sh check.sh", "check.sh", "../tools/check.sh"),
    ("make -s -C ../tools", "Makefile", "../tools"),
    ("make -s -C../tools", "GNUmakefile", "../tools/GNUmakefile"),
    ("make --directory={tools}", "rules.mk", "{tools}"),
    ("find ../tools -name 'ch*' -exec sh {{}} +", "deep/check.sh", "../tools"),
    ("for f in ../tools/*.sh; do sh $f; done", "check.sh", "../tools"),
    ("T=../tools; sh $T/check.sh", "check.sh", "../tools/check.sh"),
    ("mkdir -p build\nsh ../tools/check.sh", "check.sh", "../tools/check.sh"),
    ("touch\tx >\n sh ../tools/check.sh", "check.sh", "../tools/check.sh"),
    ("cc -o ../tools/check.sh a.c; ../tools/check.sh", "check.sh", "../tools/check.sh"),
    ("sh ../tools/check.sh --out-dir ../tools --output", "check.sh", "../tools/check.sh"),
    ("x --out --report ../tools/check.sh", "check.sh", "../tools/check.sh"),
    # Without asking, or of what is there: nothing is written.
    ("unzip -o ../tools/judge.zip -d build", "judge.zip", "../tools/judge.zip"),
    ("rsync -a go -o ../tools/ .; cd ../x", "check.sh", "../tools"),
    ("make gcc -o ../tools/rules.mk", "rules.mk", "../tools/rules.mk"),
    ("go run ./x -o ../tools/check.sh", "check.sh", "../tools/check.sh"),
    ("x -o../tools/check.sh", "check.sh", "../tools/check.sh"),
    ("cc a.c; tar -x -o ../tools/judge.tar", "judge.tar", "../tools/judge.tar"),
    ("cd ./../tools && sh check.sh", "check.sh", "../tools/check.sh"),
    ("cd docs/../../tools && sh check.sh", "check.sh", "../tools/check.sh"),
    ("make -sC ./../tools", "Makefile", "./../tools"),
    ("make -s -C $(pwd)/../tools", "Makefile", "./../tools"),
    ("sh '../tools/the check.sh'", "the check.sh", "../tools/the check.sh"),
    ("sh ../tools/the\\ check.sh", "the check.sh", "../tools/the check.sh"),
    ("sh -c \"sh '../tools/the check.sh'\"", "the check.sh", "../tools/the check.sh"),
    ("make -s --file='../tools/the rules.mk'", "the rules.mk", "../tools/the rules.mk"),
    ("cd '../tools/of all' && sh ./check.sh", "of all/check.sh", "../tools/of all/check.sh"),
    ("sh ../tools/v=1,2.sh", "v=1,2.sh", "../tools/v=1,2.sh"),
    ("cd .. && python3 -um tools.deep.check", "deep/check.py", "../tools/deep/check.py"),
    ("cd ../tools && python3 -mcheck", "check.py", "../tools"),
    ("cd linked && sh ../check.sh", "check.sh", "{tools}/check.sh"),
    ("sh linked/../check.sh", "check.sh", "{tools}/check.sh"),
    ("node ../tools/check", "check.js", "../tools/check.js"),
    ("node -e \"require('../tools/check')\"", "check.cjs", "../tools/check.cjs"),
    ("cd ../tools && node check.of", "check.of.mjs", "../tools/check.of.mjs"),
    ("just check", "../justfile", "../justfile"),
    ("sh -c 'sh $2' x rm ../tools/check.sh", "check.sh", "../tools/check.sh"),
    ("sh ~root/../{tools}/check.sh", "check.sh", "~root/../{tools}/check.sh"),
]
#: The same from folders that are not there yet.
FROM_WITHIN = [
    "mkdir -p build && cd build && sh ../../tools/check.sh",
    "make -C build -f ../../tools/check.sh",
    "(cd src/deep; . ../../../tools/check.sh)",
    "cd build && cd ../../tools && sh check.sh",
    "cd build && cd ../.. && sh tools/check.sh",
    "D=build; mkdir -p $D; cd $D && sh ../../tools/check.sh",
    "sh build/../../tools/check.sh",
]


def test_what_a_line_comes_to_from_a_folder_that_comes_with_the_work_counts(alpha: Place) -> None:
    before = {line: taken_down(alpha, line) for line in FROM_WITHIN}
    for folder in ("build", "src/deep"):
        (alpha.path / folder).mkdir(parents=True)
    assert [changed(alpha, before[line]) for line in FROM_WITHIN] == [[]] * len(FROM_WITHIN)
    (alpha.path.parent / "tools" / "check.sh").write_text("exit 0\n")
    missed = [line for line in FROM_WITHIN if not changed(alpha, before[line])]
    assert missed == []


def taken_down(place: Place, *lines: str) -> dict[str, str]:
    project = opened(place)
    names = {name for line in lines for name in named_outside.names(project, line)}
    return {
        name: named_outside.sign(project, name, os.path.realpath)
        for name in names
        if not name.isalnum()
    }


def sign(project: Project, name: str) -> str:
    return named_outside.sign(project, name, os.path.realpath)


def changed(place: Place, before: dict[str, str]) -> list[str]:
    project = opened(place)
    return sorted(name for name, was in before.items() if sign(project, name) != was)


@pytest.fixture
def alpha(tmp_path: Path) -> Place:
    """A worktree with a folder `docs`, and beside it a folder of tools that none may run."""
    place = made(tmp_path, task("T-1"), files={"docs/a.md": "a\n"})
    tools = place.path.parent / "tools"
    (tools / "deep").mkdir(parents=True)
    (tools / "of all").mkdir()
    (place.path / "linked").symlink_to(tools / "deep")
    for name in ("check.sh", "check.py", "rules.mk", "Makefile", "deep/check.sh"):
        (tools / name).write_text("exit 1\n")
    return place


def test_what_a_line_comes_to_outside_counts_also_where_it_may_not_be_run(alpha: Place) -> None:
    tools = alpha.path.parent / "tools"
    for line, file, name in COMES_TO:
        line, name = line.format(tools=tools), name.format(tools=tools)
        path, before = tools / file, taken_down(alpha, line)
        old = path.read_text() if path.exists() else None
        path.write_text("exit 0\n")
        assert name in changed(alpha, before), (line, before)
        path.unlink() if old is None else path.write_text(old)
        assert changed(alpha, before) == [], line


def test_another_file_of_the_same_content_is_another_judge(alpha: Place) -> None:
    """Somebody may write there later: git its log, say, or a merge another file of the work."""
    tools = alpha.path.parent / "tools"
    before = taken_down(alpha, "sh ../tools/check.sh", "find ../tools -name x")
    for at in (tools / "check.sh", tools):
        other = alpha.path.parent / "other"
        at.rename(other)
        at.symlink_to(other)
        assert changed(alpha, before) != [], at
        at.unlink()
        other.rename(at)
        assert changed(alpha, before) == [], at


def test_a_link_outside_is_no_work_wherever_it_leads(alpha: Place) -> None:
    programs = alpha.path.parent / "programs"
    programs.mkdir()
    place = Place(alpha.path, {**alpha.environ, "PATH": f"{programs}:{os.defpath}"}, alpha.world)
    names = ["judge", "../tools/new.sh"]
    before = named_programs.taken_down(opened(place), names)
    assert [before[f"program {name}"] for name in names] == ["", ""]
    (alpha.path / "judge").write_text("exit 0\n")
    (alpha.path / "judge").chmod(0o755)
    for target in (alpha.path / "judge", alpha.path / "nothing"):
        for at in (programs / "judge", alpha.path.parent / "tools" / "new.sh"):
            at.unlink(missing_ok=True)
            at.symlink_to(target)
        now = named_programs.taken_down(opened(place), names)
        assert now["program ../tools/new.sh"] != ""
        assert (now["program judge"] != "") == target.exists()


def test_what_a_shell_and_git_find_on_the_path_counts(alpha: Place) -> None:
    programs = alpha.path.parent / "programs"
    programs.mkdir()
    place = Place(alpha.path, {**alpha.environ, "PATH": f"{programs}:{os.defpath}"}, alpha.world)
    for line, file, mode in ((". rules.sh", "rules.sh", 0o644), ("git judge", "git-judge", 0o755)):
        names = named_programs.outside(opened(place), [line])
        seen = [named_programs.taken_down(opened(place), names)]
        for text in ("exit 1\n", "exit 0\n"):
            (programs / file).write_text(text)
            (programs / file).chmod(mode)
            seen.append(named_programs.taken_down(opened(place), names))
        assert len({one[f"program {file}"] for one in seen}) == 3, line


#: A line that only writes there, or names where others work.
WRITES = (
    "make test > ../tools/check.sh", "make test 2>>../tools/log", "CACHE=../tools make test",
    "CACHE=../../tools make test", "cd .. && ls", "test -e a || { touch ../tools/log; }",
    "mkdir -p ../tools/out; make test | tee -a ../tools/log",
    "make PREFIX=/tmp", "python3 -m pytest --basetemp ~",
    "pytest --junitxml=../tools/log", "pytest --junit-xml ../tools/log --basetemp=../tools",
    "mypy --cache-dir ../tools x", "tsc --outDir ../tools", "x --output-file '../tools/log' a",
    "go test -coverprofile=../tools/log", "go build -o ../tools/log", "cc -o../tools/log a.c",
    "ccache arm-none-eabi-gcc -o ../tools/log a.c",
    "CC=gcc CGO_ENABLED=1 go test -c ./x -coverprofile=../tools/log -o ../tools/check.sh",
    "cd x && /usr/bin/clang++-15 -O2 a.c -o ../tools/log; sort -u a -o ../tools/check.sh",
    "sh -c 'curl -s https://a.example -o ../tools/log'", "ruff check -o ../tools/log",
    "npm ci --cache=../tools", "eslint --cache-location ../tools/log",
)  # fmt: skip


def test_what_a_line_only_writes_to_is_its_own(alpha: Place) -> None:
    before = taken_down(alpha, *WRITES)
    alpha.run("sh", "-c", "echo x >> ../tools/check.sh; echo x >> ../tools/log; echo x >> ../x")
    assert changed(alpha, before) == []


def test_a_folder_that_many_names_share_is_looked_at_once(alpha: Place) -> None:
    """What is said of each is what a look at each by itself says."""
    outside = alpha.path.parent / "outside"
    outside.mkdir()
    (outside / "tool").write_text("x\n", encoding="utf-8")
    for name in ("plain", "sub/plain", "LOUD"):
        alpha.write(name, "x\n")
    (alpha.path / "to-file").symlink_to(outside / "tool")
    (alpha.path / "sub" / "Link").symlink_to(outside)
    (alpha.path / "sub" / "gone").symlink_to(outside / "nothing")
    (alpha.path / "leads").symlink_to(outside)
    (alpha.path / "home-tool").symlink_to("plain")
    given = (
        "plain", "./plain", "sub/plain", "sub/Link", "sub/Link/tool", "sub/gone", "to-file",
        "leads/tool", "leads/none", "leads", "sub", ".", "..", "home-tool", "none/at/all",
        f"{outside}/tool", "../outside/tool", "~/none", "sub/../to-file", "plain/x", "/",
    )  # fmt: skip
    project = opened(alpha)
    each = {name: sign(project, name) for name in given}
    leading = {*named_outside.leading_out(project, given, os.path.realpath)}
    assert {name for name in given if each[name]} <= leading
    assert {"to-file", "leads/tool", "sub/Link/tool"} <= {name for name in given if each[name]}
    assert {"plain", "./plain", "sub/plain", "none/at/all", "plain/x"}.isdisjoint(leading)
    many = tuple(f"sub/{number}" for number in range(1000))
    assert [*named_outside.leading_out(project, many, os.path.realpath)] == []


def test_of_a_large_folder_what_is_nearest_counts(alpha: Place) -> None:
    tools = alpha.path.parent / "tools"
    for number in range(named_outside.MOST_FILES):
        (tools / "deep" / f"{number:04}").touch()
    before = taken_down(alpha, "make -C ../tools")
    (tools / "deep" / f"{named_outside.MOST_FILES - 1:04}").write_text("not seen")
    assert changed(alpha, before) == []
    (tools / "deep" / "0000").write_text("seen")
    assert changed(alpha, before) == ["../tools"]


def test_what_is_stored_through_a_mapping_is_seen_whatever_its_times_say(alpha: Place) -> None:
    """Once a page is dirty, no store into it moves the time of the file's last change (ctime)."""
    check = alpha.path.parent / "tools" / "check.sh"
    before = taken_down(alpha, "sh ../tools/check.sh")
    with check.open("r+b") as file, mmap.mmap(file.fileno(), 0) as page:
        with run_git.program_of_others():
            page[0:1] = page[0:1]
            assert changed(alpha, before) == []  # a look while the agent works
            page[0:6] = b"exit 0"
            assert changed(alpha, before) == ["../tools/check.sh"]
            page[0:6] = b"exit 1"
            assert changed(alpha, before) == []
            page[0:6] = b"exit 0"
        assert changed(alpha, before) == ["../tools/check.sh"]


def test_a_store_through_a_mapping_into_one_of_git_s_own_programs_is_seen(tmp_path: Path) -> None:
    (tmp_path / "git-one").write_text("exit 1\n")
    (tmp_path / "git-two").hardlink_to(tmp_path / "git-one")
    name = f"{named_programs.GITS_OWN}{tmp_path}"
    with (tmp_path / "git-one").open("r+b") as file, mmap.mmap(file.fileno(), 0) as page:
        page[0:1] = page[0:1]
        before = named_programs.gits_own(name)
        with run_git.program_of_others():
            assert named_programs.gits_own(name) == before
            page[0:6] = b"exit 0"
            assert named_programs.gits_own(name) != before
            page[0:6] = b"exit 1"
            assert named_programs.gits_own(name) == before
            page[0:6] = b"exit 0"
        assert named_programs.gits_own(name) != before


@pytest.mark.skipif(sys.platform != "linux", reason="root gives up its user in a child")
def test_what_its_owner_may_not_write_is_read_anew_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who owns a file takes that back, and writes through what he had open before."""
    nobody = 65534
    check = tmp_path / "check.sh"
    check.write_text("exit 1\n")
    if os.geteuid() == 0:
        os.chown(check, nobody, nobody)
        os.chown(tmp_path, nobody, nobody)
    reading, writing = os.pipe()
    monkeypatch.chdir(tmp_path)  # no folder above has to be entered
    if (pid := os.fork()) == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(nobody)
            with open("check.sh", "r+b") as file, mmap.mmap(file.fileno(), 0) as page:
                os.fchmod(file.fileno(), 0o444)
                for text in (b"exit 1", b"exit 0"):
                    with run_git.program_of_others():
                        page[0:6] = text
                    os.write(writing, named_outside.content("check.sh").encode() + b"\n")
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with open(reading, encoding="ascii") as told:
        digests = told.read().split()
    assert len(set(digests)) == 2, digests


def test_a_script_that_a_verify_command_is_given_is_not_the_agents_to_change(
    tmp_path: Path,
) -> None:
    verify = f"verify: {json.dumps(['cd ../tools && sh check.sh'])}"
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}", verify))
    check = alpha.path.parent / "tools" / "check.sh"
    check.parent.mkdir()
    check.write_text("exit 1\n")
    ran = works(alpha, f"echo bad > a.txt; echo exit 0 > {check}", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["program ../tools", "program ../tools/check.sh"]
    assert "a.txt" not in files_on_base(alpha)


@pytest.mark.slow
def test_what_a_task_names_that_came_after_the_loop_began_is_not_the_agents_to_change(
    tmp_path: Path,
) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [a.txt]"))
    world = alpha.world
    late = world.path.parent / "tools" / "late.sh"
    late.parent.mkdir()
    late.write_text("exit 1\n")
    begun, planned = tmp_path / "begun", tmp_path / "planned"

    def plan() -> None:
        until(begun.exists)
        world.git("pull", "--quiet", "origin", "main")
        world.write_graph(world.read() + "\n" + task("T-2", "verify: [sh ../tools/late.sh]"))
        world.commit("Plan")
        world.git("push", "--quiet", "origin", "main")
        assert world.ralph("trust", "--yes").code == 0
        planned.touch()

    person = threading.Thread(target=plan)
    person.start()
    first = f"echo good > a.txt; touch {begun}; until test -e {planned}; do sleep 0.05; done"
    script = f"if test $RALPH_TASK = T-1; then {first}; else echo exit 0 > {late}; fi"
    ran = loop(alpha, "--max-tasks", "2", "--agent", agent(alpha, script), "--json")
    person.join()
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["program ../tools/late.sh"]
    assert on_base(alpha, "T-2")["status"] == "pending"


def test_a_file_of_the_worktree_that_git_runs_is_not_the_agents_to_change(tmp_path: Path) -> None:
    """Else git would commit what it makes of the files, and not what was verified."""
    files = {".gitattributes": "a.txt filter=z\n", ".gitignore": ".tools\n"}
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}"), files=files)
    alpha.git("config", "filter.z.clean", "sh .tools/clean")
    alpha.write(".tools/clean", "cat\n")
    ran = works(alpha, "echo good > a.txt; echo 'echo evil' > .tools/clean", "--json")
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["what git runs: .tools/clean"]
    assert "a.txt" not in files_on_base(alpha)


@pytest.mark.parametrize("who", slow.but(1, ["the agent", "the base"]))
def test_a_file_of_the_worktree_that_git_runs_may_be_as_the_base_has_it(
    who: str, tmp_path: Path
) -> None:
    """The loop brings its worktree there itself."""
    files = {".gitattributes": "*.txt filter=z\n", "run/clean": "cat\n"}
    tasks = (task(one, f"scope: {{write: [{one}.txt]}}") for one in ("T-1", "T-2"))
    alpha = made(tmp_path, *tasks, files=files)
    alpha.git("config", "filter.z.clean", "sh run/clean")
    changes = "echo '# ' >> run/clean"
    pushes = f"(cd {alpha.world.path}; {changes}; git commit -qam x; git push -q origin main)"
    does = pushes if who == "the base" else changes
    script = f"echo good > $RALPH_TASK.txt; if test $RALPH_TASK = T-1; then {does}; fi"
    ran = loop(alpha, "--agent", agent(alpha, script), "--json", env={"RALPH_AGENT_ATTEMPTS": "1"})
    if who == "the base":
        assert ran.json["data"]["done"] == ["T-1", "T-2"], (ran.out, ran.err)
    else:
        assert (ran.code, ran.error) == (7, "settings_changed"), (ran.out, ran.err)
        assert ran.json["error"]["changed"] == ["what git runs: run/clean"]


#: What names a program that git runs, and does so for the loop's own git.
ENVIRONMENT = ("GIT_ASKPASS", "SSH_ASKPASS", "GIT_PROXY_COMMAND", "GIT_SSH", "GIT_SSH_COMMAND",
               "GIT_EXEC_PATH")  # fmt: skip


def test_what_the_environment_has_git_run_is_not_the_agents_to_change(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}"))
    tools = alpha.path.parent / "the tools"
    tools.mkdir()
    env = {name: f"{tools}/{name}" for name in ENVIRONMENT}
    env["GIT_SSH_COMMAND"] = f"sh '{env['GIT_SSH_COMMAND']}'"
    Path(env["GIT_EXEC_PATH"]).mkdir()  # what is built into git needs nothing there
    for name in ENVIRONMENT[:-1]:
        (tools / name).write_text("exit 1\n")
    programs = " ".join((*ENVIRONMENT[:-1], f"{ENVIRONMENT[-1]}/git-remote-http"))
    fake = f"echo bad > a.txt; for f in {programs}; do echo x > '{tools}'/$f; done"
    ran = works(alpha, fake, "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    named = {one.rpartition("/")[2] for one in ran.json["error"]["changed"]}
    assert named >= set(ENVIRONMENT), ran.json["error"]["changed"]
    assert "a.txt" not in files_on_base(alpha)


@pytest.mark.slow
def test_what_one_git_finds_another_by_is_not_the_agents_to_change(tmp_path: Path) -> None:
    """git's own programs may lie in the user's folder, as Homebrew and conda have them."""
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}"), task("T-2"))
    real = alpha.git("--exec-path")
    own = alpha.path.parent / "git-core"
    own.mkdir()
    for name in os.listdir(real):
        (own / name).symlink_to(f"{real}/{name}")
    ways = alpha.path.parent / "ways"
    ways.mkdir()
    (ways / "git").write_text(f'#!/bin/sh\nexec {real}/git --exec-path={own} "$@"\n')
    (ways / "git").chmod(0o755)
    env = {"PATH": f"{ways}:{os.environ['PATH']}"}
    (own / "git-receive-pack").unlink()
    shutil.copy(f"{real}/git-receive-pack", own)
    # A backup makes another link, and a store gives the file another inode.
    links = f"ln {own}/git-receive-pack ../kept; cp {own}/git-receive-pack ../new"
    links += f"; mv ../new {own}/git-receive-pack"
    assert works(alpha, f"echo good > a.txt; {links}", "--once", env=env).code == 0
    fake = f"rm {own}/git-receive-pack; echo 'exit 1' > {own}/git-receive-pack"
    ran = works(alpha, f"echo bad > b.txt; {fake}", "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), (ran.out, ran.err)
    assert ran.json["error"]["changed"] == [f"git's own programs in {own}"]


def test_a_template_of_the_environment_is_not_the_agents_to_change(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "scope: {write: [a.txt]}"))
    hooks = alpha.path.parent / "template" / "hooks"
    hooks.mkdir(parents=True)
    env = {"GIT_TEMPLATE_DIR": str(hooks.parent)}
    ran = works(alpha, f"echo bad > a.txt; echo > {hooks}/pre-commit", "--json", env=env)
    assert (ran.code, ran.error) == (7, "settings_changed"), ran.err
    assert ran.json["error"]["changed"] == ["template hooks/pre-commit"]


def test_a_login_of_npm_below_home_ends_no_loop(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "verify: [npm test]"))
    project = opened(alpha)
    found = named_outside.names(project, "npm test")
    assert "../package.json" in found and not any(one.endswith("/.npmrc") for one in found)
