"""The kinds of repositories that are met. Each makes one, and says from where it is worked in."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import test_plain_layout as layouts
from keys import ANN, Keyring
from world import Place, World, installed

from variants.journey import GRAPH, begun

Make = Callable[[Path], Place]


class Kind(NamedTuple):
    """A kind of repository."""

    name: str
    make: Make
    refused: str = ""
    """The code of the refusal that is right here; "" where all has to go."""


def usual(folder: Path) -> Place:
    return begun(World(folder))


def _set(*settings: str) -> Make:
    """A usual repository with settings of git: name, value, name, value."""

    def make(folder: Path) -> Place:
        world = begun(World(folder))
        for name, value in zip(settings[::2], settings[1::2], strict=True):
            world.git("config", name, value)
        world.git("rm", "--quiet", "-r", "--cached", ".")
        world.git("reset", "--quiet", "--hard")
        return world

    return make


def conflict_style(folder: Path) -> Place:
    made = _set("rerere.enabled", "true", "merge.conflictStyle", "zdiff3")(folder)
    if made.run("git", "merge-file", "-p", *["src/readme"] * 3).code:
        pytest.skip("this git knows no zdiff3, and does not merge where it is asked for")
    return made


def _laid(layout: Callable[[World], Path]) -> Make:
    """A usual repository, laid out otherwise by `test_plain_layout`."""

    def make(folder: Path) -> Place:
        world = begun(World(folder))
        return Place(layout(world), world.environ, world)

    return make


def _cloned(*words: str) -> Make:
    def make(folder: Path) -> Place:
        world = begun(World(folder))
        world.origin.git("config", "uploadpack.allowFilter", "true")
        url, path = f"file://{world.origin.path}", folder / "clone"
        world.git("clone", "--quiet", *words, url, str(path))
        return Place(path, world.environ, world)

    return make


def _initialised(*words: str) -> Make:
    """A repository, and its remote, of another format."""

    def make(folder: Path) -> Place:
        outer = World(folder)
        if outer.run("git", "init", "--quiet", "-b", "main", *words, "../other").code:
            pytest.skip(f"this git knows no {words[0]}")
        outer.git("init", "--quiet", "--bare", "-b", "main", *words, "../other.git")
        place = Place(folder / "other", outer.environ, outer)
        place.write_graph(GRAPH)
        place.write("src/readme", "here\n")
        place.commit("Begin")
        place.git("remote", "add", "origin", str(folder / "other.git"))
        place.git("push", "--quiet", "-u", "origin", "main")
        place.git("remote", "set-head", "origin", "main")
        return place

    return make


def hooks_path(folder: Path) -> Place:
    """Each hook notes that it ran."""
    world = begun(World(folder))
    for name in ("pre-commit", "commit-msg", "post-commit", "post-checkout", "pre-push"):
        world.write(f"hooks/{name}", f"#!/bin/sh\necho {name} >> {folder}/ran\n").chmod(0o755)
    world.commit("Hooks of the repository")
    world.git("push", "--quiet", "origin", "main")
    world.git("config", "core.hooksPath", str(world.path / "hooks"))
    return world


def signing(folder: Path) -> Place:
    installed("gpg", "gnupg")
    keys = Keyring()
    keys.__enter__()
    atexit.register(keys.__exit__, None, None, None)  # the repository is in use until then
    world = begun(World(folder))
    world.environ |= keys.environ
    world.git("config", "commit.gpgsign", "true")
    world.git("config", "user.signingkey", ANN)
    return world


def sparse(folder: Path) -> Place:
    """The folder of the records is outside of the cone; git's own worktrees take the cone over."""
    world = begun(World(folder))
    world.write("large/x", "x\n")
    world.commit("More")
    world.git("push", "--quiet", "origin", "main")
    world.git("sparse-checkout", "set", "--cone", "src")
    return world


def submodules(folder: Path) -> Place:
    world = begun(World(folder))
    layouts.submodule(world)
    world.commit("A submodule")
    world.git("push", "--quiet", "origin", "main")
    return world


def large_files(folder: Path) -> Place:
    installed("git-lfs", "git-lfs")
    world = begun(World(folder))
    world.git("lfs", "install", "--local")
    world.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    world.commit("Large files")
    world.git("push", "--quiet", "origin", "main")
    return world


def hidden_bare(folder: Path) -> Place:
    """proj/.bare, proj/.git that leads to it, and worktrees beside each other; with its remote."""
    world = begun(World(folder))
    place = Place(layouts.hidden_bare(world), world.environ, world)
    place.git("config", "remote.origin.url", str(world.origin.path))
    place.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    place.git("fetch", "--quiet", "origin")
    place.git("remote", "set-head", "origin", "main")
    return place


def _owned(*, trusted: bool) -> Make:
    def make(folder: Path) -> Place:
        if os.geteuid() != 0:
            pytest.skip("only root gives a folder away")
        world = begun(World(folder))
        for path in (world.path, world.path / ".git"):
            os.chown(path, 4321, 4321)
        if trusted:
            text = (Path(world.environ["GIT_CONFIG_GLOBAL"]).read_text()
                    + "[safe]\n\tdirectory = *\n")  # fmt: skip
            own = folder / "gitconfig"
            own.write_text(text)
            world.environ["GIT_CONFIG_GLOBAL"] = str(own)
        elif world.run("git", "status").code == 0:
            pytest.skip("this git does not ask whose a repository is")
        return world

    return make


def fsmonitor(folder: Path) -> Place:
    """A monitor that says of every file that it may have changed."""
    world = begun(World(folder))
    hook = world.write(".git/monitor", "#!/bin/sh\nprintf 'token\\0/\\0'\n")
    hook.chmod(0o755)
    world.git("config", "core.fsmonitor", str(hook))
    return world


def index_v4(folder: Path) -> Place:
    world = begun(World(folder))
    world.git("config", "index.version", "4")
    world.git("config", "core.untrackedCache", "true")
    world.git("update-index", "--index-version", "4")
    return world


def inherited(folder: Path) -> Place:
    """Variables of another repository, as of a program that was started in it."""
    world = begun(World(folder))
    other = World(folder / "elsewhere", name="other")
    other.commit("Other")
    led = {
        "GIT_DIR": str(other.path / ".git"),
        "GIT_WORK_TREE": str(other.path),
        "GIT_INDEX_FILE": str(other.path / ".git" / "index"),
        "GIT_PREFIX": "src/",
    }
    return Place(world.path, {**world.environ, **led}, world)


def inside_a_hook(folder: Path) -> Place:
    """The variables that a hook of a commit in this repository is given."""
    world = begun(World(folder))
    hook = world.write(".git/hooks/post-commit", "#!/bin/sh\nenv | grep ^GIT_ > ../seen\n")
    hook.chmod(0o755)
    world.commit("The hook runs")
    hook.unlink()
    world.git("push", "--quiet", "origin", "main")
    lines = (folder / "seen").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines)
    return Place(world.path, {**world.environ, **given}, world)


def not_utf8(folder: Path) -> Place:
    return begun(World(folder, name=os.fsdecode(b"pr\xf6j")))


def linked_records(folder: Path) -> Place:
    """`claim` refuses; see `tests/test_paths.py` for `check`."""
    world = begun(World(folder))
    world.write("kept/x", "x\n")
    (world.path / "records").symlink_to("kept")
    world.commit("Records elsewhere")
    world.git("push", "--quiet", "origin", "main")
    return world


def failing_hook(folder: Path) -> Place:
    world = begun(World(folder))
    world.write(".git/hooks/post-checkout", "#!/bin/sh\necho no >&2\nexit 1\n").chmod(0o755)
    return world


KINDS = (
    Kind("a usual repository", usual),
    Kind("object format sha256", _initialised("--object-format=sha256")),
    Kind("refs in reftable", _initialised("--ref-format=reftable")),
    Kind("core.autocrlf=true", _set("core.autocrlf", "true")),
    Kind("core.autocrlf=input, core.safecrlf=true",
         _set("core.autocrlf", "input", "core.safecrlf", "warn")),
    Kind("core.hooksPath", hooks_path),
    Kind("commit.gpgSign", signing),
    Kind("rerere, merge.conflictStyle=zdiff3", conflict_style),
    Kind("a sparse checkout without the records' folder", sparse),
    Kind("a shallow clone", _cloned("--depth", "1", "--no-single-branch")),
    Kind("a partial clone without blobs", _cloned("--filter=blob:none")),
    Kind("a partial clone without trees", _cloned("--filter=tree:0")),
    Kind("a clone that shares objects", _cloned("--shared")),
    Kind("submodules", submodules),
    Kind("large files (git LFS)", large_files),
    Kind("a bare repository with worktrees", hidden_bare),
    Kind("a separate git dir", _laid(layouts.separate)),
    Kind("a `.git` that is a link", _laid(layouts.linked_git_dir)),
    Kind("a HEAD that is a link", _laid(layouts.old_head)),
    Kind("extensions.worktreeConfig", _set("extensions.worktreeConfig", "true")),
    Kind("a path through a symbolic link", _laid(layouts.by_a_link)),
    Kind("another owner", _owned(trusted=False), refused="not_a_repository"),
    Kind("another owner, safe.directory", _owned(trusted=True)),
    Kind("core.fsmonitor, a hook", fsmonitor),
    Kind("index version 4, core.untrackedCache", index_v4),
    Kind("core.splitIndex", _set("core.splitIndex", "true")),
    Kind("inherited GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE", inherited),
    Kind("inside a hook", inside_a_hook),
    Kind("core.ignoreCase", _set("core.ignoreCase", "true")),
    Kind("core.quotePath=false, core.precomposeUnicode",
         _set("core.quotePath", "false", "core.precomposeUnicode", "true")),
    Kind("diff.noprefix, diff.external, color.ui=always, column.ui=always",
         _set("diff.noprefix", "true", "diff.external", "false", "color.ui", "always",
              "column.ui", "always")),
    Kind("push.default=nothing, pull.rebase, fetch.prune",
         _set("push.default", "nothing", "pull.rebase", "true", "fetch.prune", "true")),
    Kind("a path that is not UTF-8", not_utf8, refused="odd_path"),
    Kind("a records' folder that is a link", linked_records, refused="linked_folder"),
    Kind("a post-checkout hook that fails", failing_hook),
)  # fmt: skip
