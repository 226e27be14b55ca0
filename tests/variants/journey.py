"""What is done in a repository: worktrees, a race, completion, landing, reset, diff, check."""

from __future__ import annotations

from pathlib import Path

from world import Place, Result, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: One
    status: pending
    verify:
      - test -s src/one.bin
    outputs:
      - src/one.bin
    scope:
      write: [src/one.bin]

  - id: T-2
    title: Two
    status: pending
    scope:
      write: [src/two.bin]

  - id: T-3
    title: Three
    status: pending
    scope:
      write: [src/three.bin]
"""


class Wrong(Exception):
    """What a command did that it should not have done."""


def refusal(main: Place) -> tuple[str, str] | None:
    """Why nothing can be done here, as the first command says; None where it can.

    Raises: Wrong where the refusal is none, or has made something.
    """
    before = main.world.state("/.git/ralphgit")
    done = main.ralph("worktree", "new", "alpha", "--json")
    if done.code == 0:
        return None
    if done.code not in (1, 2, 6, 7, 8) or not done.json["error"]["hint"]:
        raise Wrong(f"worktree new: {done}")
    if main.world.state("/.git/ralphgit") != before:
        raise Wrong(f"worktree new was refused ({done.error}) and has changed something")
    return done.error, done.json["error"]["message"]


class Journey:
    """One repository, from two worktrees to a reset task."""

    def __init__(self, main: Place, base: str) -> None:
        self.main, self.base = main, base

    def run(self, alpha: Place) -> None:
        """Raises: Wrong. `alpha` is the worktree that was made first."""
        main = self.main
        self.does(main, "trust", "--yes")
        made = self.does(main, "worktree", "new", "beta").data["worktree"]
        beta = Place(Path(made["path"]), main.environ, main.world)
        self.does(main, "check", "--at", self.base)
        self.does(alpha, "claim", "T-1")
        lost = beta.ralph("claim", "T-1", "--json")
        self.wants((lost.code, lost.error) == (5, "claim_held"), "the second claim", lost)
        for text in ("one\r\nand\n", "one\n"):  # also what git would convert
            (alpha.path / "src").mkdir(exist_ok=True)
            alpha.write("src/one.bin", text)
        self.does(beta, "claim", "T-3")
        (beta.path / "src").mkdir(exist_ok=True)
        beta.write("src/three.bin", "three\n")
        self.does(alpha, "complete")
        self.clean(alpha)
        branch = plain(alpha).git("rev-parse", "--abbrev-ref", "HEAD")
        found = self.does(main, "diff", f"{self.base}...{branch}")
        said = [one["sentence"] for one in found.data["changes"]]
        self.wants(said == ["alpha claims and completes T-1"], "diff", found)
        self.does(main, "check", branch, "--base", self.base)
        self.does(alpha, "land", "--land", "merge")
        self.state("T-1", "complete")
        self.does(beta, "complete", "--land", "merge")  # the base has moved
        self.state("T-3", "complete")
        self.does(beta, "claim", "T-2")
        (beta.path / "src").mkdir(exist_ok=True)
        beta.write("src/two.bin", "two\n")
        listed = plain(main).git("worktree", "list", "--porcelain").splitlines()
        home = Place(Path(listed[0].removeprefix("worktree ")), main.environ, main.world)
        reset = self.does(home, "reset", "T-2", "--reason", "gone")
        kept = plain(main).git("for-each-ref", "--format=%(refname)", "refs/ralph/rescue").split()
        self.wants(len(kept) == 1, "the rescue ref of the reset", reset)
        if not plain(main).run("git", "config", "filter.lfs.clean").out:
            self.wants(
                plain(main).git("show", f"{kept[0]}:src/two.bin") == "two", "its work", reset
            )
        self.state("T-2", "ready")
        self.wants(plain(main).leases == [], "no lease is left", reset)
        self.does(main, "check", "--at", self.base)
        fsck = plain(main).run("git", "fsck", "--no-progress", "--no-dangling")
        self.wants(fsck.code == 0, "git fsck", fsck)

    def does(self, place: Place, *words: str) -> Result:
        done = place.ralph(*words, "--json")
        self.wants(done.code == 0, " ".join(words), done)
        return done

    def state(self, task: str, state: str) -> None:
        done = self.does(self.main, "status", "--all")
        states = {one["id"]: one["state"] for one in done.data["tasks"]}
        self.wants(states.get(task, "complete") == state, f"{task} is {state}", done)

    def clean(self, place: Place) -> None:
        done = plain(place).run("git", "status", "--porcelain")
        self.wants(done == Result(0, "", ""), "a clean worktree", done)

    def wants(self, held: bool, what: str, done: Result) -> None:
        if not held:
            raise Wrong(f"{what}: exit {done.code}: {done.out[-1500:]}{done.err[-500:]}")


def plain(place: Place) -> Place:
    """The same place for git itself, which is led elsewhere by inherited variables."""
    return Place(place.path, place.world.environ, place.world)


def begun(world: World) -> World:
    """A repository with a graph, pushed to its remote."""
    world.write_graph(GRAPH)
    world.write("src/readme", "here\n")
    world.commit("Begin")
    assert world.origin
    return world
