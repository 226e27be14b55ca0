"""What a command sees in a submodule is what its commit has, or the task is not complete."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from test_complete import at_work, one_task, world_of
from world import Place, Result, grown

FILE = ("-c", "protocol.file.allow=always")


@pytest.fixture
def alpha() -> Place:
    """At work where the base has a submodule, which is checked out."""
    return grown(begun)


def begun(folder: Path) -> Place:
    world = world_of(folder, one_task("verify: [sh check]"), check="grep -q good lib/impl\n")
    lib = folder / "lib.git"
    world.git("init", "--quiet", "--bare", str(lib))
    filled = folder / "filling"
    world.git("clone", "--quiet", str(lib), str(filled))
    (filled / "impl").write_text("bad\n")
    (filled / ".gitignore").write_text("*.o\n")
    for words in (("add", "."), ("commit", "-qm", "lib"), ("push", "-q", "origin", "HEAD")):
        world.git("-C", str(filled), *words)
    world.git(*FILE, "submodule", "--quiet", "add", str(lib), "lib")
    world.commit()
    assert world.ralph("trust", "--yes").code == 0
    made = at_work(world)
    made.git(*FILE, "submodule", "--quiet", "update", "--init")
    made.write("a", "work\n")
    return made


def refused(place: Place, *said: str) -> Result:
    done = place.ralph("complete", "--json")
    assert done.code == 1, done.out
    lines = [line for line in done.json["error"]["missing"] if line.startswith("lib")]
    assert len(lines) == len(said), lines
    for line, words in zip(lines, said, strict=True):
        assert words in line
    return done


HIDES = {
    "as it is": "true",
    "flagged": "git -C lib update-index --assume-unchanged impl",
    "settings": "git -C lib config core.fsmonitor false; git -C lib config core.trustctime false; "
    "git config -f .gitmodules submodule.lib.ignore all",
    "filtered": "echo '* filter=x' > $(git -C lib rev-parse --path-format=absolute --git-path "
    "info/attributes); git -C lib config filter.x.clean 'echo bad'",
}  # fmt: skip


@pytest.mark.parametrize("how", HIDES)
def test_a_changed_file_in_a_submodule(how: str, alpha: Place) -> None:
    alpha.write("lib/impl", "good\n")
    alpha.run("sh", "-c", HIDES[how])
    refused(alpha, "lib is a submodule with impl changed in it")


def test_a_new_file_in_a_submodule(alpha: Place) -> None:
    alpha.write("lib/new", "good\n")
    exclude = alpha.git("-C", "lib", "rev-parse", "--path-format=absolute", "--git-path", "info")
    Path(exclude, "exclude").write_text("new\n")
    alpha.write("lib/impl.o", "built\n")
    refused(alpha, "lib is a submodule with new changed in it")


def test_a_commit_of_a_submodule_that_nobody_else_has(alpha: Place) -> None:
    alpha.write("lib/impl", "good\n")
    alpha.git("-C", "lib", "commit", "-qam", "local")
    said = refused(alpha, "lib is a submodule at a commit that is on no remote of it")
    (line,) = (one for one in said.json["error"]["missing"] if one.startswith("lib"))
    push = shlex.split(line[line.index("(git") + 1 : -1])
    assert push[-1] == "HEAD:refs/heads/alpha"
    alpha.git(*push[1:])
    assert alpha.ralph("complete").code == 0


def test_files_of_a_submodule_that_is_not_checked_out(alpha: Place) -> None:
    alpha.git("submodule", "--quiet", "deinit", "--force", "lib")
    alpha.write("lib/impl", "good\n")
    refused(alpha, "lib is a submodule without a checkout, and has files")


@pytest.mark.parametrize("where", ["here", "on the base"])
def test_only_the_base_says_what_is_not_looked_at(where: str, alpha: Place) -> None:
    place = alpha if where == "here" else alpha.world
    place.write(".gitmodules", f"{alpha.read('.gitmodules')}\tignore = dirty\n")
    alpha.write("lib/impl", "good\n")
    if where == "here":
        refused(alpha, "lib is a submodule with impl changed in it")
    else:
        alpha.world.commit()
        assert alpha.ralph("complete").code == 0


def test_what_a_command_changes_in_a_submodule(alpha: Place) -> None:
    """The next command would see it, and no commit has it."""
    alpha.write("check", "echo good > lib/impl\n")
    refused(alpha, "lib is a submodule with impl changed in it")


@pytest.mark.parametrize("becomes", ["ln -s ../.cache lib/deep", "echo x > lib/deep", "true"])
def test_a_submodule_of_a_submodule_that_is_something_else(becomes: str, alpha: Place) -> None:
    """Its own index hides it, so that no git says a word."""
    other = alpha.git("-C", "lib", "config", "remote.origin.url")
    alpha.git(*FILE, "-C", "lib", "submodule", "--quiet", "add", other, "deep")
    alpha.git("-C", "lib", "commit", "-qm", "deep")
    alpha.git("-C", "lib", "push", "-q", "origin", "HEAD:refs/heads/alpha")
    alpha.git("-C", "lib", "update-index", "--assume-unchanged", "deep")
    alpha.write(".cache/impl", "good\n")
    alpha.write(".cache/.gitignore", "*\n")
    alpha.run("sh", "-ec", f"rm -rf lib/deep; {becomes}")
    refused(alpha, "lib is a submodule with deep changed in it")
