"""What is read from a repository's own files, against what git itself says of the same place."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from world import Place, World

from ralphgit.git import listings, plain_layout
from ralphgit.git.repository import Repository

#: A variable that has git asked for everything; it changes nothing here.
ASK_GIT = {"GIT_CEILING_DIRECTORIES": "/nowhere"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write("a", "one\n")
    made.commit()
    return made


def known(place: Place, env: dict[str, str]) -> tuple[object, ...]:
    """All that the files could have answered; the order of refs and worktrees, too."""
    seen = Repository.open(str(place.path), {**place.environ, **env})
    try:
        listed = tuple(seen.refs.items()), seen.worktrees, seen.worktree, seen.home, seen.name
        return seen.git_dir, seen.common_dir, seen.top, seen.bare, seen.linked, *listed
    finally:
        seen.close()


def compared(place: Place, *, plain: bool, env: dict[str, str] | None = None) -> None:
    """The files say what git says; `plain` is whether they are read at all."""
    env = env or {}
    top = place.run("git", "rev-parse", "--show-toplevel").out.removesuffix("\n")
    found = plain_layout.find(top, {**place.environ, **env}) if top else None
    assert (found is not None) == plain
    assert known(place, env) == known(place, {**env, **ASK_GIT})


def folders(place: Place) -> list[str]:
    """What is linked to a repository and may be asked as well."""
    return [found[9:] for found in place.git("worktree", "list", "--porcelain").splitlines()
            if found.startswith("worktree ")]  # fmt: skip


# --- refs and worktrees of a usual repository ---------------------------------------------


def branches(world: World) -> None:
    for name in ("a/b", "a.b", "a-b", "ä", "Z", "x/y/z"):
        world.git("branch", name)
    world.git("update-ref", "refs/ralph/leases/T-1", world.head)
    world.git("tag", "v1")


def packed(world: World) -> None:
    branches(world)
    world.git("tag", "-a", "-m", "v2", "v2")
    world.git("pack-refs", "--all")
    world.git("branch", "later")
    world.commit("main is loose again")
    world.git("branch", "-D", "a.b")


def fetched(world: World) -> None:
    assert world.origin.path.exists()
    world.origin.git("branch", "other", "main")
    world.git("fetch", "--quiet")


def head_of_packed(world: World) -> None:
    fetched(world)
    world.git("pack-refs", "--all")


def dangling(world: World) -> None:
    world.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")


def symbolic(world: World) -> None:
    world.git("symbolic-ref", "refs/heads/trunk", "refs/heads/main")
    world.git("symbolic-ref", "refs/heads/stem", "refs/heads/trunk")
    world.git("symbolic-ref", "HEAD", "refs/heads/stem")


def outside(world: World) -> None:
    world.git("tag", "v1")
    world.git("symbolic-ref", "refs/heads/trunk", "refs/tags/v1")


def round_and_round(world: World) -> None:
    world.git("symbolic-ref", "refs/heads/one", "refs/heads/two")
    world.git("symbolic-ref", "refs/heads/two", "refs/heads/one")


def badly_named(world: World) -> None:
    store = world.path / ".git" / "refs" / "heads"
    (store / "a b").write_text(f"{world.head}\n")
    (store / "x..y").write_text(f"{world.head}\n")


def left_over(world: World) -> None:
    """By a git that was killed, and by others."""
    store = world.path / ".git" / "refs" / "heads"
    (store / "main.lock").write_text("")
    (store / ".hidden").write_text("")
    (store / "empty" / "folder").mkdir(parents=True)


def broken(world: World) -> None:
    (world.path / ".git" / "refs" / "heads" / "cut").write_text("")
    (world.path / ".git" / "refs" / "heads" / "nothing").write_text("0" * 40 + "\n")
    (world.path / ".git" / "refs" / "heads" / "words").write_text("no id\n")


def of_no_object(world: World) -> None:
    (world.path / ".git" / "refs" / "heads" / "gone").write_text("1" * 40 + "\n")


def linked_file(world: World) -> None:
    (world.path / ".git" / "refs" / "heads" / "link").symlink_to("main")


def worktrees(world: World) -> None:
    for name in ("zeta", "alpha"):
        world.worktree(name)
    world.git("worktree", "add", "--quiet", "--detach", "../free")
    world.git("worktree", "add", "--quiet", "../in two  words", "-b", "w/2")


def locked(world: World) -> None:
    for name, reason in (("a", ()), ("b", ("--reason", " two\nlines ")), ("c", ())):
        world.worktree(name)
        world.git("worktree", "lock", *reason, f"../proj-{name}")
    (world.path.parent / "proj-c" / ".git").unlink()


def lost(world: World) -> None:
    for name in ("a", "b", "c"):
        world.worktree(name)
    (world.path.parent / "proj-a" / ".git").unlink()
    (world.path / ".git" / "worktrees" / "proj-b" / "gitdir").unlink()
    (world.path / ".git" / "worktrees" / "proj-c" / "HEAD").write_text("cut")


def on_packed(world: World) -> None:
    world.worktree("a")
    world.git("pack-refs", "--all")


def unborn(world: World) -> None:
    world.worktree("a").git("symbolic-ref", "HEAD", "refs/heads/new")


def rebasing(world: World) -> None:
    place = world.worktree("a")
    place.write("a", "two\n")
    place.commit()
    world.write("a", "three\n")
    world.commit()
    assert place.run("git", "rebase", "main").code != 0


def no_branch(world: World) -> None:
    world.git("update-ref", "refs/other/x", world.head)
    world.git("symbolic-ref", "HEAD", "refs/other/x")


@pytest.mark.parametrize(
    ("make", "plain"),
    [
        *((make, True) for make in (
            branches, packed, fetched, head_of_packed, dangling, symbolic, outside,
            round_and_round, badly_named, left_over, broken, of_no_object, linked_file, worktrees,
            locked, lost, on_packed, unborn, rebasing,
        )),
        (no_branch, False),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_files_say_what_git_says(world: World, make: Callable[[World], None], plain: bool) -> None:
    make(world)
    compared(world, plain=plain)
    for path in folders(world)[1:]:
        if os.path.isdir(path) and os.path.lexists(os.path.join(path, ".git")):
            there = Place(Path(path), world.environ, world)
            if there.run("git", "rev-parse").code == 0:
                compared(there, plain=True)


@pytest.mark.parametrize(
    "make", [branches, packed, fetched, head_of_packed, dangling, symbolic, worktrees, locked,
             on_packed, unborn, rebasing],
)  # fmt: skip
def test_git_is_not_asked_where_files_are_as_it_writes_them(
    world: World, make: Callable[[World], None]
) -> None:
    make(world)
    seen = Repository.open(str(world.path), world.environ)
    before = seen.git.calls
    assert seen.refs
    assert seen.worktrees
    assert seen.git.calls == before
    seen.close()


# --- where a repository is ----------------------------------------------------------------


def subfolder(world: World) -> Path:
    return world.write("src/deep/x", "").parent


def by_a_link(world: World) -> Path:
    (world.folder / "link").symlink_to(world.path)
    return world.folder / "link"


def below_a_link(world: World) -> Path:
    subfolder(world)
    return by_a_link(world) / "src"


def linked_worktree(world: World) -> Path:
    return world.worktree("alpha").path


def relative_link(world: World) -> Path:
    place = world.worktree("alpha")
    (place.path / ".git").write_text("gitdir: ../proj/.git/worktrees/proj-alpha\n")
    return place.path


def link_without_line_end(world: World) -> Path:
    place = world.worktree("alpha")
    (place.path / ".git").write_text(f"gitdir: {world.path}/.git/worktrees/proj-alpha")
    return place.path


def link_of_another_system(world: World) -> Path:
    place = world.worktree("alpha")
    (place.path / ".git").write_bytes(
        f"gitdir: {world.path}/.git/worktrees/proj-alpha\r\n".encode()
    )
    return place.path


def separate(world: World) -> Path:
    world.git("init", "--quiet", "--separate-git-dir", "../apart")
    return world.path


def separate_and_linked(world: World) -> Path:
    (world.folder / "apart").mkdir()
    world.git("init", "--quiet", "--separate-git-dir", "../apart/.git")
    return world.worktree("alpha").path


def moved_by_hand(world: World) -> Path:
    """Its own `.git` still leads to the repository; the repository knows the old place."""
    place = world.worktree("alpha")
    return place.path.rename(world.folder / "moved")


def linked_git_dir(world: World) -> Path:
    (world.path / ".git").rename(world.folder / "store")
    (world.path / ".git").symlink_to("../store")
    return world.path


def old_head(world: World) -> Path:
    head = world.path / ".git" / "HEAD"
    head.unlink()
    head.symlink_to("refs/heads/main")
    return world.path


def submodule(world: World) -> Path:
    within = World(world.folder / "other")
    within.commit()
    allowed = ("-c", "protocol.file.allow=always")
    world.git(*allowed, "submodule", "--quiet", "add", str(within.path), "sub")
    return world.path / "sub"


def with_submodule(world: World) -> Path:
    return submodule(world).parent


def nested(world: World) -> Path:
    world.git("init", "--quiet", "within")
    return world.path / "within"


def git_dir(world: World) -> Path:
    return world.path / ".git"


def in_git_dir(world: World) -> Path:
    return world.path / ".git" / "refs"


def git_dir_of_worktree(world: World) -> Path:
    world.worktree("alpha")
    return world.path / ".git" / "worktrees" / "proj-alpha"


def bare(world: World) -> Path:
    return world.origin.path


def worktree_of_bare(world: World) -> Path:
    world.origin.git("worktree", "add", "--quiet", str(world.folder / "linked"), "main")
    return world.folder / "linked"


def hidden_bare(world: World) -> Path:
    """As some lay worktrees out: proj/.bare, proj/.git that leads to it, proj/main."""
    top = world.folder / "laid"
    world.git("clone", "--quiet", "--bare", str(world.path), str(top / ".bare"))
    (top / ".git").write_text("gitdir: ./.bare\n")
    Place(top, world.environ).git("worktree", "add", "--quiet", "main")
    return top / "main"


def top_of_hidden_bare(world: World) -> Path:
    return hidden_bare(world).parent


def digest(world: World) -> Path:
    world.git("init", "--quiet", "--object-format=sha256", "long")
    place = Place(world.path / "long", world.environ)
    place.commit()
    return place.path


def tables(world: World) -> Path:
    if world.run("git", "init", "--quiet", "--ref-format=reftable", "tables").code:
        pytest.skip("this git knows no reftable")
    place = Place(world.path / "tables", world.environ)
    place.commit()
    return place.path


def own_settings(world: World) -> Path:
    world.git("config", "extensions.worktreeConfig", "true")
    return world.worktree("alpha").path


USUAL = (subfolder, by_a_link, below_a_link, linked_worktree, relative_link, link_without_line_end,
         separate, separate_and_linked, moved_by_hand, with_submodule, nested)  # fmt: skip
LEFT_TO_GIT = (link_of_another_system, linked_git_dir, old_head, submodule, git_dir, in_git_dir,
               git_dir_of_worktree, bare, worktree_of_bare, hidden_bare, top_of_hidden_bare,
               digest, tables, own_settings)  # fmt: skip


@pytest.mark.parametrize("make", [*USUAL, *LEFT_TO_GIT])
def test_the_folders_are_those_of_git(world: World, make: Callable[[World], Path]) -> None:
    compared(Place(make(world), world.environ, world), plain=make in USUAL)


@pytest.mark.parametrize("make", [*USUAL, *LEFT_TO_GIT])
def test_what_the_shell_calls_a_folder_is_no_other_folder(
    world: World, make: Callable[[World], Path]
) -> None:
    """git names a main worktree by PWD, where that is a link to it."""
    path = make(world)
    link = world.folder / "by-a-link"
    link.symlink_to(path)
    place = Place(link, {**world.environ, "PWD": str(link)}, world)
    assert known(place, {}) == known(place, ASK_GIT)


@pytest.mark.parametrize(
    "settings",
    [
        "", "[core]\n", "[core]\n\tbare = false\n", "[CORE]\n\trepositoryFormatVersion = 0\n",
        "[branch \"worktree\"]\n\tremote = bare\n", "[branch \"extensions\"]\n",
    ],
)  # fmt: skip
def test_usual_settings_need_no_git(world: World, settings: str) -> None:
    world.write(".git/config", settings)
    compared(world, plain=True)


@pytest.mark.parametrize(
    "settings",
    [
        "[core]\n\tbare\n", "[core]\n\tbare = true\n", "[core] bare = 1\n", "[core]bare=true\n",
        "[core]\n\tbare = false\\\n\n", "[core]\n\tworktree = ../elsewhere\n",
        "[core] worktree = ..\n", "[core]\n\tbare=false\n", "[core]\n\tbare = false\r\n",
        "[extensions]\n\tnoop = true\n[core]\n\trepositoryformatversion = 1\n",
        "[core]\n\trepositoryformatversion = 1\n", "[core]\n\tignorecase = true\n",
    ],
)  # fmt: skip
def test_unusual_settings_are_left_to_git(world: World, settings: str) -> None:
    (world.folder / "elsewhere").mkdir()
    world.write(".git/config", settings)
    assert plain_layout.find(str(world.path), world.environ) is None
    assert known(world, {}) == known(world, ASK_GIT)


@pytest.mark.parametrize("settings", ["[core]\n\trepositoryformatversion = 9\n", "[core\n"])
def test_a_repository_that_git_refuses_is_refused(world: World, settings: str) -> None:
    world.write(".git/config", settings)
    before = world.ralph("status", "--json")
    assert (before.code, before.json["error"]["code"]) == (2, "not_a_repository")
    assert world.ralph("status", "--json", env=ASK_GIT).json["error"]["code"] == "not_a_repository"
    assert "fatal: " in before.json["error"]["message"]


@pytest.mark.parametrize("lost", ["HEAD", "objects", "refs"])
def test_half_a_repository_is_none(world: World, lost: str) -> None:
    (world.path / ".git" / lost).rename(world.folder / "lost")
    assert plain_layout.find(str(world.path), world.environ) is None
    assert world.ralph("status").err.endswith("is not in a git repository\nhint: git init\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder away")
@pytest.mark.parametrize("given", ["", ".git"])
def test_a_folder_of_another_owner_is_left_to_git(world: World, given: str) -> None:
    os.chown(world.path / given, 4321, 4321)
    done = world.ralph("status")
    assert (done.code, "dubious ownership" in done.err) == (2, True), done.err
    trusted = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory",
               "GIT_CONFIG_VALUE_0": str(world.path)}  # fmt: skip
    assert plain_layout.find(str(world.path), world.environ) is None
    assert known(world, trusted) == known(world, {**trusted, **ASK_GIT})


def test_what_a_hook_inherits_leads_nowhere_else(world: World) -> None:
    """git tells its hooks a folder, an index and more; a command looks from where it stands."""
    other = World(world.folder / "another")
    other.commit()
    world.write(".git/hooks/post-commit", "#!/bin/sh\nenv | grep ^GIT_ > ../seen\n").chmod(0o755)
    alpha = world.worktree("alpha")
    alpha.commit("the hook has run")
    told = (world.folder / "seen").read_text()
    inherited = dict(line.split("=", 1) for line in told.splitlines())
    assert "GIT_INDEX_FILE" in inherited
    given = {"GIT_DIR": str(other.path / ".git"), "GIT_WORK_TREE": str(other.path)}
    for env in (inherited, given):
        compared(alpha, plain=True, env=env)
        assert known(alpha, env) == known(alpha, {})


# --- while others write -------------------------------------------------------------------


def test_a_ref_that_is_packed_meanwhile_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its loose file goes between the look into its folder and the look into itself."""
    for name in ("one", "two"):
        world.git("branch", name)
    expected = listings.refs_in(str(world.path / ".git"))
    assert expected is not None
    real, packs = plain_layout.content, iter([True])

    def content(path: str | bytes) -> bytes:
        if next(packs, False):
            world.git("pack-refs", "--all")
        return real(path)

    monkeypatch.setattr("ralphgit.git.listings.content", content)
    assert listings.refs_in(str(world.path / ".git")) == expected
    assert not (world.path / ".git" / "refs" / "heads" / "one").exists()


def test_many_refs_are_all_read(world: World) -> None:
    """More than one piece of a file, and names that sort as bytes do."""
    names = [
        f"refs/heads/{folder}{number}" for folder in ("n/", "n-", "ö") for number in range(700)
    ]
    world.git("update-ref", "--stdin", stdin="".join(f"create {n} {world.head}\n" for n in names))
    world.git("pack-refs", "--all")
    assert (world.path / ".git" / "packed-refs").stat().st_size > 1 << 16
    for name in names[::100]:
        world.git("update-ref", "-d", name)
    compared(world, plain=True)


def test_a_worktree_is_listed_as_it_is_now(world: World) -> None:
    """Also where its branch has moved since the refs were read."""
    alpha = world.worktree("alpha")
    seen = Repository.open(str(world.path), world.environ)
    before = seen.refs["refs/heads/alpha"].oid
    assert seen.worktrees[1].head == before
    alpha.commit("moved")
    seen.forget_worktrees()
    assert seen.worktrees[1].head == alpha.head != before
    seen.close()


def test_no_name_of_a_ref_is_judged_otherwise_than_by_git(world: World) -> None:
    """Of names that a file can have, those with what git forbids are left to it."""
    pieces = ["a", "é", "a.b", "a b", "a..b", "a~", "^a", "a:b", "a?", "a*", "[a", "a\\b", "a@{b",
              "@", "a.", "a.lock", "-a", "{a}", "a\x7f"]  # fmt: skip
    bad = {piece for piece in pieces if listings._BAD.search(f"refs/heads/{piece}".encode())}
    git = {piece for piece in pieces
           if world.run("git", "check-ref-format", f"refs/heads/{piece}").code}  # fmt: skip
    assert bad == git
    assert re.search("lock", "".join(git))
