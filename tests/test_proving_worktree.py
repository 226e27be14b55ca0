"""What code under a verify command does in the worktree where merged work is proved."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from test_integrate import no_trace, task, world_of
from world import Result, World

from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.app.worktrees.proving_worktree import Ground

#: Passes where the work alone is, and not beside what others have landed meanwhile.
TEST = "#!/bin/sh\ntest -s src/a.txt && ! test -e other.txt\n"
HERE = 'test "${PWD%-alpha}" = "$PWD" || exit 0\n'


def proved(world: World, script: str, then: str = "status") -> Result:
    """Integrate work whose first verify command runs `script`, on a base that has moved, after
    another git command.
    """
    alpha = world.worktree("alpha", at="main")
    alpha.claim("A")
    alpha.write("src/a.txt", "a\n")
    alpha.write("src/x.sh", HERE + script)
    alpha.complete()
    world.write("other.txt", "theirs\n")
    world.commit("Other")
    if "origin" in world.git("remote").split():
        world.git("push", "--quiet", "origin", "main")
    world.git(*then.split())
    return world.ralph("integrate", "alpha", "--json")


def make(folder: Path) -> World:
    one = task("A", "sh src/x.sh", "src/**").replace("src/x.sh\n", "src/x.sh\n      - sh t.sh\n")
    return world_of(folder, one, t__sh=TEST)


def test_every_file_is_there_whatever_is_sparse(tmp_path: Path) -> None:
    world = make(tmp_path)
    ran = proved(world, "true", "sparse-checkout set --no-cone /* !/other.txt")
    assert ran.code == 1 and ran.data["stops"][0]["command"] == "sh t.sh", ran.out
    assert not (world.path / "other.txt").exists()


@pytest.mark.parametrize(
    ("line", "file"),
    [("sh tools/filter.sh", "tools/filter.sh"), ("sh .ci/filter", ".ci/filter"),
     ("python3 -m tools.it", "tools/it.py"), ("make -s smudge", "Makefile")],
)  # fmt: skip
def test_git_runs_nothing_of_the_work_where_it_is_checked_out(
    line: str, file: str, tmp_path: Path
) -> None:
    world, ran = World(tmp_path), tmp_path / "ran"
    world.write(".gitattributes", "*.txt filter=x\n")
    usual, evil = "sed s/a/b/\n", f"touch {ran}; cat\n"
    if file.endswith(".py"):
        usual, evil = "print('b')\n", f"open({str(ran)!r}, 'w')\n"
    elif file == "Makefile":
        usual, evil = f"smudge:\n\t@{usual}", f"smudge:\n\t@{evil}"
    world.write(file, usual)
    world.write("zz.txt", "a\n")
    world.write_graph("version: 1\ntasks: []\n")
    base = world.commit()
    world.git("switch", "--quiet", "--create", "work")
    world.write(file, evil)
    world.write(".husky/reference-transaction", f"#!/bin/sh\ntouch {ran}\n").chmod(0o755)
    work = world.commit()
    world.git("switch", "--quiet", "main")
    for key, value in (("core.hooksPath", ".husky"), ("filter.x.smudge", line),
                       ("filter.x.clean", "sed s/b/a/")):  # fmt: skip
        world.git("config", key, value)
    project = Project.open(Surroundings(str(world.path), world.environ, time.time, lambda: "an-id"))
    with Ground(project, failing="nothing was done") as ground:
        # The base's own filter is as it was, until there was another.
        seen = (base, work, base)
        told = [Path(ground.at(commit), "zz.txt").read_text() for commit in seen]
        # For a reviewer none is run: what it starts in its turn may be the work's.
        inside = str(Path(ground.path, "work"))
        with Ground(project, failing="nothing was done", inside=inside) as alone:
            assert Path(alone.at(base), "zz.txt").read_text() == "a\n"
    assert (told, ran.exists()) == (["b\n", "a\n", "a\n"], False)


def test_a_run_for_several_tasks_is_told_of_none(tmp_path: Path) -> None:
    """What passes for one task, by what it is told of it, says nothing of another."""
    world = World(tmp_path)
    lines = ["sh own.sh", "grep -q done src/$RALPH_TASK.txt", "sh all.sh"]
    one = "  - id: T-1\n    title: One\n    status: pending\n    verify:\n"
    world.write_graph("version: 1\ntasks:\n" + one + "".join(f"      - {li}\n" for li in lines))
    ran = tmp_path / "ran"
    world.write("own.sh", f"echo $RALPH_TASK >> {ran}; grep -q done src/$RALPH_TASK.txt\n")
    world.write("all.sh", f"echo all >> {ran}\n")
    world.write("src/T-1.txt", "done\n")
    world.write("src/T-2.txt", "nothing\n")
    head = world.commit()
    assert world.ralph("trust", "--yes").code == 0
    project = Project.open(Surroundings(str(world.path), world.environ, time.time, lambda: "an-id"))
    with Ground(project, failing="nothing was done") as ground:
        runs = ground.run(head, [(id, "", line) for line in lines for id in ("T-1", "T-2")])
    assert {key: run.passed for key, run in runs.items()} == {
        ("T-1", lines[0]): True, ("T-2", lines[0]): False,
        ("T-1", lines[1]): True, ("T-2", lines[1]): False,
        ("T-1", lines[2]): True, ("T-2", lines[2]): True,
    }  # fmt: skip
    assert ran.read_text().split("\n") == ["", "T-1", "T-2", "all", ""]


PASSES = "printf '#!/bin/sh\\nexit 0\\n' > t.sh\n"
HIDDEN = {
    "skip-worktree": PASSES + "git update-index --skip-worktree t.sh",
    "assume-unchanged": PASSES + "git update-index --assume-unchanged t.sh",
    "staged": PASSES + "git add t.sh",
    "committed": PASSES + "git commit -qm Evil --no-verify t.sh",
    "no index": PASSES + 'rm "$(git rev-parse --git-dir)/index"',
    "no git": PASSES + "rm .git; git init -q .; git add -A; git commit -qm Evil",
    "head": "git checkout -q --detach HEAD^",
}


@pytest.mark.parametrize("how", [*HIDDEN])
def test_what_a_command_hides_proves_nothing(how: str, tmp_path: Path) -> None:
    world = make(tmp_path)
    done = proved(world, HIDDEN[how])
    assert (done.code, done.error) == (1, "not_done"), done.out
    assert re.search(r"changed (t\.sh|HEAD|\.git)", done.json["error"]["message"]), done.out
    assert world.task("A")["status"] == "pending"
    assert no_trace(world)


STEERING = {
    "core.hookspath": "git config core.hooksPath /nowhere; git checkout -q --detach HEAD^",
    "post-merge": 'h="$(git rev-parse --git-common-dir)/hooks"; mkdir -p "$h"; '
    'printf "#!/bin/sh\\n" > "$h/post-merge"; chmod +x "$h/post-merge"',
    "config.worktree": 'touch "$(git rev-parse --git-dir)/config.worktree"; '
    'printf "[core]\\n\\tautocrlf = true\\n" > "$(git rev-parse --git-dir)/config.worktree"',
}


@pytest.mark.parametrize("name", [*STEERING])
def test_what_steers_git_lands_nothing(name: str, tmp_path: Path) -> None:
    world = make(tmp_path)
    before = world.head
    done = proved(world, STEERING[name])
    assert (done.code, done.error) == (7, "settings_changed"), done.out
    assert name in done.json["error"]["message"]
    assert world.git("rev-parse", "main^") == before
    if name != "config.worktree":  # which went with its worktree
        # Neither does the next one, until a person has looked.
        again = world.ralph("integrate", "alpha", "--json")
        assert (again.code, again.error) == (7, "settings_changed"), again.out


def test_a_mirror_in_the_remote_s_place_gets_nothing(tmp_path: Path) -> None:
    world = make(tmp_path)
    where, mirror = world.origin.path, tmp_path / "mirror.git"
    done = proved(
        world,
        f"git clone -q --mirror '{where}' '{mirror}'\n"
        f"git config 'url.{mirror}.insteadOf' '{where}'",
    )
    assert (done.code, done.error) == (7, "settings_changed"), done.out
    assert world.git("--git-dir", str(mirror), "log", "-1", "--format=%s", "main") == "Other"


def test_line_ends_that_git_would_not_let_in_are_no_change(tmp_path: Path) -> None:
    world = make(tmp_path)
    world.write("crlf.txt", "one\r\ntwo\r\n")
    world.commit("As it came")
    world.write(".gitattributes", "*.txt text\n")
    world.git("add", ".gitattributes")
    world.git("commit", "-qm", "Text from now on")
    world.write("src/a.txt", "a\n")
    world.write("src/x.sh", "exit 0\n")
    world.git("add", "src")
    world.git("commit", "-qm", "The work")
    done = world.ralph("complete", "A", "--by", "HEAD", "--json")
    assert done.code == 0, done.out


@pytest.mark.parametrize(("name", "is_removed"), [("mine", False), ("integration-x1", True)])
def test_only_what_was_made_to_prove_something_is_removed_as_left_over(
    name: str, is_removed: bool, tmp_path: Path
) -> None:
    """Why a worktree is locked any worker can write."""
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks: []\n")
    world.commit()
    place = world.folder / f"{world.path.name}-{name}"
    world.git("worktree", "add", "--quiet", "--detach", str(place))
    (place / "new.txt").write_text("mine\n")
    reason = f"ralphgit: integration-{4194303} 1 x"
    world.git("worktree", "lock", "--reason", reason, str(place))
    world.ralph("doctor", "--fix")
    assert place.exists() is not is_removed
