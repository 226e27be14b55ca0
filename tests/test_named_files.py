"""A file of the worktree that a command may come to is run only as the base has it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from world import World

from ralphgit.app.processes import agent_files, named_files
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings

#: All of them run tools/notify.sh.
NAMES_IT = (
    "tools/notify.sh", "sh tools/notify.sh x", "./tools/notify.sh", "sh tools//notify.sh",
    "sh tools/../tools/notify.sh", 'bash -c "tools/notify.sh x"', "bash -c 'sh tools/notify.sh'",
    'sh "$PWD"/tools/notify.sh', 'sh "$PWD/tools/notify.sh"', "sh $(pwd)/tools/notify.sh",
    "sh `pwd`/tools/notify.sh", "cd tools && sh notify.sh", "(cd ./tools; ./notify.sh)",
    "cd to*; sh notify.sh", "sh tools/*.sh", "sh tools/notify.?h", "for f in tools/*; do $f; done",
    "sh to''ols/not\"i\"fy.sh", "sh tools/not\\ify.sh", "X=notify; sh tools/$X.sh",
    "X=notify; sh tools/${X%y}y.sh", "X=tools/notify.sh; sh $X",
    "A=noti B=fy.sh; cd tools; sh $A$B",
    "$TOOL x", "sh ${TOOL:-no}", "bash -c 'tools/{notify,no}.sh'",
    "cat x | sh -s < tools/notify.sh", "curl -d @tools/notify.sh localhost",
    "eval \"$(cat 'tools/notify.sh')\"", "sh TOP/tools/notify.sh",
    "sh tools/\\\nnotify.sh", "env -C tools sh notify.sh",
)  # fmt: skip
#: None of them runs a file that has changed: the graph, and tools/notify.sh.
OTHERS = (
    "true", 'gh pr create --head "$RALPH_BRANCH" --title "$RALPH_TASK: $RALPH_TITLE"',
    "sh tools/other.sh", 'curl -d "$RALPH_TASK-$RALPH_EVENT" https://host/$RALPH_TASK',
    '"$HOME"/bin/notify "$RALPH_MESSAGE"', ". ./.env; curl $HOOK", "tail -1 .ralph/logs/loop.jsonl",
    "cd tools && sh other.sh", "notify-send ralph \"$1\"",
    "sh -c 'printf %s \"$RALPH_MESSAGE\" | mail me'", "cd latest && sh ../tools/other.sh",
    "sh latest/other.sh",
)  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    world = World(tmp_path_factory.mktemp("named"))
    world.write_graph("version: 1\ntasks: []\n")
    for name in ("notify", "other"):
        world.write(f"tools/{name}.sh", "echo base\n")
    world.write(".gitignore", ".env\n*.pyc\n*.so\n")
    for name in ("tools/agent.py", "agent.js", "v1/agent"):
        world.write(name, "echo base\n")
    for name, to in {"latest": "tools", "lib": "v1", "tools/agent": "../lib/agent"}.items():
        (world.path / name).symlink_to(to)
    world.commit()
    alpha = world.worktree("alpha")
    alpha.write("tools/notify.sh", "echo of the agent\n")
    alpha.write("task-graph.yaml", "version: 1\ntasks: []\n# more\n")
    alpha.write(".env", "HOOK=https://host/hook\n")
    alpha.write("Makefile", "pr:\n")
    environ = {**alpha.environ, "TOOL": "tools/notify.sh"}
    return Project.open(Surroundings(str(alpha.path), environ, time.time, lambda: "an id"))


#: What an agent writes that its own line is to run at the next attempt.
AGENTS = {
    "python3 -um tools.agent": "tools/agent.py", "uv run -m tools.agent": "tools/agent.py",
    "python3 -m tools.agent": "tools.py", "node agent": "agent.js", "make agent": "Makefile.sh",
    "sh -c 'test -f .venv/env && . .venv/env; claude'": ".venv/env", "sh tools/agent": "v1/agent",
    "tools/agent": "lib", "sh tools/other.sh": "tools/other.sh",
}  # fmt: skip


@pytest.mark.parametrize("line", AGENTS)
def test_what_an_agent_leaves_for_its_own_line_is_seen(line: str, project: Project) -> None:
    """Also where git takes it for as it was, by what the agent says of line ends."""
    top, name = Path(project.top), AGENTS[line]
    said, before = agent_files.changed_here(project, line, None)
    assert said == []
    for path in (top / name, top / ".gitattributes"):
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
    (top / ".gitattributes").write_text("* text=auto\n")
    if name == "lib":
        (top / name).symlink_to("/usr/bin")
    else:
        (top / name).write_text("echo base\r\n")
    found, _ = agent_files.changed_here(project, line, before)
    (top / ".gitattributes").unlink()
    (top / name).unlink()
    project.repository.git.at(str(top)).try_run("checkout", "-q", "--", name)
    assert found == [name]


@pytest.mark.parametrize("command", NAMES_IT)
def test_whatever_a_line_comes_to_a_changed_file_is_seen(command: str, project: Project) -> None:
    line = command.replace("TOP", project.top)
    assert "tools/notify.sh" in named_files.changed(project, line)


@pytest.mark.parametrize("command", OTHERS)
def test_what_names_no_changed_file_is_run(command: str, project: Project) -> None:
    assert named_files.changed(project, command) == []


#: All of them run a script that has in its name what otherwise ends a word.
ODD_NAMES = {
    "sh 'my tools/open it.sh'": "my tools/open it.sh", "sh my\\ tools/it.sh": "my tools/it.sh",
    "sh -c \"cd 'my tools'; sh it.sh\"": "my tools/it.sh", "sh tools/v=1,2.sh": "tools/v=1,2.sh",
    "env X=1 sh --rcfile='my tools/rc'": "my tools/rc",
}  # fmt: skip


@pytest.mark.parametrize("command", ODD_NAMES)
def test_a_name_with_what_ends_a_word_is_seen(command: str, project: Project) -> None:
    name = ODD_NAMES[command]
    path = Path(project.top, name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("echo of the agent\n")
    found = named_files.changed(project, command)
    path.unlink()
    assert name in found


#: From a folder that is a link into pkg/a/b, all of them run another tools/other.sh there.
BEHIND = ("cd pkg/sub && sh ../../tools/other.sh", "sh pkg/sub/../../tools/other.sh",
          "env -C pkg/sub sh ../../tools/other.sh", "cd pkg/.env; sh ../../tools/other.sh",
          "sh TOP/pkg/sub/../../tools/other.sh")  # fmt: skip


def test_what_a_line_comes_to_behind_a_link_of_the_agents_is_seen(project: Project) -> None:
    """There `..` goes by where the link leads; one of them is ignored."""
    pkg = Path(project.top, "pkg")
    (pkg / "a/b/x/sub2").mkdir(parents=True)
    (pkg / "sub").symlink_to("a/b/x/sub2")
    (pkg / ".env").symlink_to("sub")
    (pkg / "a/b/tools").mkdir()
    (pkg / "a/b/tools/other.sh").write_text("echo of the agent\n")
    found = [named_files.changed(project, line.replace("TOP", project.top)) for line in BEHIND]
    assert found == [["pkg/a/b/tools/other.sh", "pkg/sub"]] * len(BEHIND)
    shutil.rmtree(pkg)


#: All of them run code of the package py/open, each the file that is named.
MODULES = {
    "node .ci/open": ".ci/open.js", "node ci/open.pr": "ci/open.pr.js",
    "python3 -m py.open": "py/open/__main__.py", "python3 -mpy.open": "py/open/__main__.py",
    "python3 py/open": "py/open/__main__.py", "cd py && python3 -m open": "py/open/__main__.py",
    "python3 -c 'import py.open.it'": "py/open/it.py", "node ./py/open": "py/open/index.js",
    "python3 -m py.open.it": "py/open/__init__.py", "python3 -m py.open.x": "py.so",
    "go run ./py/open": "py/open/tell.go",
    "python3 -m py.bare": "py/bare/__init__.cpython-311-x86_64-linux-gnu.so",
    "python3 -m py.pack.x": "py/pack/__init__.pyc",
}  # fmt: skip


@pytest.mark.parametrize("command", MODULES)
def test_what_is_run_of_a_module_or_a_folder_is_seen(command: str, project: Project) -> None:
    for name in {*MODULES.values()}:
        path = Path(project.file(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert MODULES[command] in named_files.changed(project, command)


def test_a_new_file_that_a_program_reads_by_itself_is_seen(project: Project) -> None:
    assert named_files.changed(project, "make pr") == ["Makefile"]
    assert named_files.changed(project, "test -e Makefile && echo pr") == ["Makefile"]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("npm run -s tell", ".npmrc"), ("npx tell", ".npmrc"), ("pnpm tell", ".pnpmfile.cjs"),
        ("yarn tell", ".yarnrc.yml"), ("bun run tell", "bunfig.toml"), ("just tell", "JUSTFILE"),
        ("just tell", ".JustFile"), ("rake tell", "rakelib/x.rake"), ("bundle exec x", "Gemfile"),
        ("task tell", "Taskfile.dist.yml"), ("make pr", "GNUmakefile"), ("make pr", "Makefile.sh"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ignored", [False, True])
def test_what_a_program_reads_by_itself(
    command: str, name: str, ignored: bool, tmp_path: Path
) -> None:
    """Also where the agent has git ignore it."""
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks: []\n")
    world.write(".gitignore", ".env\n")
    world.commit()
    world.write(name, "of the agent\n")
    if ignored:
        world.write(".gitignore", f".env\n{name}\n")
    found = Project.open(Surroundings(str(world.path), world.environ, time.time, lambda: "an id"))
    assert name in named_files.changed(found, command)
