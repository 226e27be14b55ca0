"""Completion: the scripts, and the words that they are given."""

from __future__ import annotations

import os
import pty
import select
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from world import PATIENCE, Place, World

GRAPH = """\
version: 1
tasks:
  - {id: T-1, title: a, status: pending}
  - {id: T-2, title: b, status: pending}
  - {id: S.x, title: c, status: pending}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit()
    return made


def completed(place: Place, words: str, number: int, variable: str = "_RALPHGIT_COMPLETE") -> str:
    env = {variable: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(number)}
    found = place.ralph(env=env)
    assert (found.code, found.err) == (0, "")
    return found.out


def test_task_ids_are_live(world: World) -> None:
    assert completed(world, "ralphgit show ", 2) == "plain,T-1\nplain,T-2\nplain,S.x\n"
    assert completed(world, "ralphgit edit T", 2) == "plain,T-1\nplain,T-2\n"
    world.replace("T-2", "T-22")
    assert completed(world, "ralphgit prompt T-2", 2) == "plain,T-22\n"
    assert completed(world, "ralphgit show ", 2, "_GIT_RALPH_COMPLETE").startswith("plain,T-1\n")


def test_commands_options_and_choices(world: World) -> None:
    assert completed(world, "ralphgit comp", 1) == "plain,complete\nplain,completion\n"
    assert completed(world, "ralphgit completion ", 2) == "plain,bash\nplain,zsh\nplain,fish\n"
    assert completed(world, "ralphgit graph --format ", 3) == (
        "plain,tree\nplain,mermaid\nplain,dot\n"
    )
    assert completed(world, "ralphgit add --de", 2) == "plain,--depends-on\nplain,--description\n"


def test_where_there_is_no_graph_there_are_no_ids(world: World) -> None:
    assert completed(Place(world.folder, world.environ), "ralphgit show ", 2) == "\n"
    world.write_graph("version: 1\ntasks: [")
    assert completed(world, "ralphgit show ", 2) == "\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script(world: World, shell: str) -> None:
    found = world.ralph("completion", shell)
    assert (found.code, found.err) == (0, "")
    assert f"_RALPHGIT_COMPLETE={shell}_complete" in found.out
    assert world.ralph("completion", shell, "--json").data == {"shell": shell, "script": found.out}


def test_a_shell_that_is_not_known(world: World) -> None:
    found = world.ralph("completion", "powershell")
    assert (found.code, found.out) == (2, "")
    assert "'powershell' is not one of 'bash', 'zsh', 'fish'" in found.err


@pytest.mark.parametrize(
    ("words", "function"),
    [
        (["ralphgit", "show", "T"], "_ralphgit_completion ralphgit"),
        (["git", "ralph", "show", "T"], "_git_ralph"),
        (["git", "-C", "x y", "ralph", "show", "T"], "__git_cmd_idx=3; _git_ralph"),
    ],
)
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes(world: World, words: list[str], function: str) -> None:
    program = world.write("../bin/ralphgit", f'#!/bin/sh\nexec {sys.executable} -m ralphgit "$@"\n')
    program.chmod(0o755)
    world.write("../completion", world.ralph("completion", "bash").out)
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        f". ../completion; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
        f'{function}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    path = f"{program.parent}:{world.environ['PATH']}"
    found = world.run("bash", "--norc", "-c", script, env={"PATH": path})
    assert found == (0, "T-1\nT-2\n", "")


# -- what is offered, by what there is ---------------------------------------------------


def words(place: Place, *line: str) -> list[str]:
    """What is offered for the last word of a line."""
    out = completed(place, " ".join(("ralphgit", *line)), len(line))
    return [one.removeprefix("plain,") for one in out.split()]


def test_each_command_is_offered_the_tasks_that_it_is_for(world: World) -> None:
    world.write_graph(
        "version: 1\ntasks:\n"
        + "".join(
            f"  - {{id: {task}, title: t, status: {status}, story: {story}}}\n"
            for task, status, story in (
                ("T-1", "pending", "S-1"), ("T-2", "pending", "S-1"), ("T-3", "pending", "S-2"),
                ("T-4", "blocked", "S-2"), ("T-5", "complete", "S-3"),
            )
        )
        + "  - {id: T-6, title: t, status: pending, depends_on: [T-1]}\n"
    )  # fmt: skip
    world.commit()
    alpha = world.worktree("alpha")
    everything = [f"T-{number}" for number in range(1, 7)]
    alpha.claim("T-2")
    for verb, tasks in {
        "show": everything, "edit": everything, "log": everything,
        "claim": ["T-1", "T-3"], "preflight": ["T-1", "T-3"],
        "complete": ["T-2"], "block": ["T-2"], "release": ["T-2"],
        "reply": ["T-4"], "reset": ["T-2", "T-4"], "reset --reopen": ["T-5"],
    }.items():  # fmt: skip
        assert words(alpha, *verb.split(), "") == tasks, verb
    assert words(world, "complete", "") == []
    assert words(world, "run", "--task", "") == ["T-1", "T-3"]
    assert words(world, "add", "--depends-on", "T-1", "--depends-on", "") == everything
    assert words(world, "add", "--id", "") == []
    assert words(world, "next", "--story", "S") == ["S-1", "S-2", "S-3"]
    for line in ("stop", "logs", "fleet attach"):
        assert words(world, *line.split(), "") == ["proj", "alpha"], line
    assert words(world, "worktree", "remove", "") == ["alpha"]
    assert words(world, "worktree", "new", "") == []
    assert words(world, "land", "") == ["alpha"]
    assert words(world, "show", "T-1", "--at", "") == ["alpha", "main"]
    assert words(world, "run", "--agent", "cl") == ["claude"]
    assert words(world, "check", "") == ["alpha"]
    assert words(world, "diff", "") == ["alpha", "main"]
    assert words(world, "archive", "") == ["T-5"]
    awaited = ["attention", "ready", "done", *everything[:4], "T-6"]
    assert words(world, "wait", "--for", "") == awaited
    world.git("config", "ralph.agents.careful.command", "claude")
    assert words(world, "edit", "T-1", "--agent", "") == ["careful"]
    world.git("update-ref", "refs/ralph/rescue/T-9/abc", "HEAD")
    assert words(world, "rescue", "show", "") == ["T-9", "refs/ralph/rescue/T-9/abc"]
    assert world.ralph("archive", "T-5").code == 0
    assert words(world, "archive", "--restore", "") == ["T-5"]
    assert completed(world, "ralphgit import ta", 2) == "file,ta\n"


#: As YAML writes it; the escapes are for its reader.
TITLE = r"""Say $(touch pwned), `touch pwned`; it: 'q' \"d\" %F{red} \u202e[31m \n""" + 70 * "x"


@pytest.fixture
def hostile(world: World) -> World:
    """Titles, branches and stories that are no plain words."""
    world.write_graph(
        f'version: 1\ntasks:\n  - {{id: T-1, title: "{TITLE}", status: pending, story: S-1}}\n'
        "  - {id: T-2, title: b, status: pending}\n  - {id: S.x, title: c, status: pending}\n"
    )
    world.commit()
    for name in ("$(touch${IFS}pwned)", "`touch`", "a;b", "a&b", "it's", "a|b", "fine/one"):
        world.git("branch", name)
    return world


def test_what_is_no_plain_word_is_not_offered(hostile: World) -> None:
    assert words(hostile, "land", "") == ["fine/one"]
    env = {"_RALPHGIT_COMPLETE": "zsh_complete", "COMP_WORDS": "ralphgit show ", "COMP_CWORD": "2"}
    shown = hostile.ralph(env=env).out.splitlines()
    assert shown == [
        "plain", "T-1",
        r"""Say $(touch pwned), `touch pwned`; it: 'q' "d" %F{red} \u...""",
        "plain", "T-2", "b", "plain", "S.x", "c",
    ]  # fmt: skip


# -- in the shells themselves ------------------------------------------------------------


def environ(world: World, shell: str) -> Mapping[str, str]:
    """What finds the two programs as an installation has them, and the shell's script."""
    for name in ("ralphgit", "git-ralph"):
        start = f'#!/bin/sh\nexec {sys.executable} -m ralphgit "$@"\n'
        program = world.write(f"../bin/{name}", start)
        program.chmod(0o755)
    world.write("../completion", world.ralph("completion", shell).out)
    path = f"{world.folder}/bin:{world.environ['PATH']}"
    return {**world.environ, "PATH": path, "TERM": "dumb"}


needs_fish = pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
needs_zsh = pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")


@needs_fish
@pytest.mark.slow
def test_fish_completes(hostile: World) -> None:
    hostile.write("my file", "x")
    lines = [
        "ralphgit show ", "git ralph show T", "git -C . ralph claim T-2", "git ralph show 'T-2",
        "git ralph land ", "ralphgit export my", "git ralph comp", "git show ralph ",
    ]  # fmt: skip
    asked = "; ".join(f'complete -C "{line}"; echo .' for line in lines)
    env = environ(hostile, "fish")
    done = hostile.run("fish", "--no-config", "-c", f". ../completion; {asked}", env=env)
    title = r"""Say $(touch pwned), `touch pwned`; it: 'q' "d" %F{red} \u..."""
    verb = "Verify a claimed task and commit it with its evidence."
    first, *others = done.out.split("\n.\n")[:-1]
    assert (done.code, done.err) == (0, "")
    assert sorted(first.splitlines()) == ["S.x\tc", f"T-1\t{title}", "T-2\tb"]
    assert others[:-1] == [
        f"T-1\t{title}\nT-2\tb", "T-2\tb", "T-2\tb", "fine/one", "my file",
        f"complete\t{verb}\ncompletion\tThe completion script for bash, zsh or fish.",
    ]  # fmt: skip
    assert "T-1" not in others[-1]
    assert not (hostile.path / "pwned").exists()


def talked(
    argv: Sequence[str], steps: Sequence[tuple[str, str]], cwd: Path, env: Mapping[str, str]
) -> str:
    """What an interactive program shows on a terminal: each step is sent once the text that the
    one before it waits for has come."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(cwd)
        os.execvpe(argv[0], [*argv], dict(env))
    shown = b""
    try:
        for send, wanted in steps:
            begin, deadline = len(shown), time.monotonic() + PATIENCE
            os.write(terminal, send.encode())
            while wanted.encode() not in shown[begin:]:
                rest = deadline - time.monotonic()
                assert rest > 0, f"{wanted!r} did not come: {shown[begin:].decode()}"
                if select.select([terminal], [], [], rest)[0]:
                    shown += os.read(terminal, 65536)
    finally:
        os.close(terminal)  # the shell is hung up
        os.waitpid(pid, 0)
    return shown.decode("utf-8", "replace")


@needs_zsh
@pytest.mark.slow
def test_zsh_completes(hostile: World) -> None:
    clear = "\x15"
    shown = talked(
        ["zsh", "-f", "-i"],
        [
            ("autoload -Uz compinit && compinit -u -D\n", ""),
            (". ../completion; print rea''dy\n", "ready\r\n"),
            ("ralphgit show \t", "S.x  -- c"),
            ("S\t", "S.x "),
            (clear + "git ralph show \t", "S.x  -- c"),
            ("S\t", "S.x "),
            (clear + "git ralph land \t", "fine/one "),
            (clear + "git ralph sta\t", "status "),
        ],
        hostile.path,
        environ(hostile, "zsh"),
    )  # fmt: skip
    assert "T-1  -- Say $(touch pwned), `touch pwned`; it: 'q'" in shown
    assert not (hostile.path / "pwned").exists()
