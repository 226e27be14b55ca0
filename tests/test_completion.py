"""Completion: the scripts, and the words that they are given."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from world import Place, World

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
