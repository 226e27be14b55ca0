"""The story, scene by scene."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from demo import stage as stages
from demo.narrator import Narrator
from demo.stage import Done, Place, Stage, Surprise, must
from demo.three_loops import LOOP, Landing, drain, fresh_branch, land, landings

WORKERS = ("alpha", "beta", "gamma")
TASKS = 15
FIRST, HELD, RACED, CRASHED = "ST-101", "ST-201", "ST-102", "ST-301"


def play(stage: Stage, narrator: Narrator) -> None:
    """Play all of it. Raises: Surprise as soon as something happens otherwise; Stopped."""
    Story(stage, narrator).play()


class Story:
    """One performance."""

    def __init__(self, stage: Stage, narrator: Narrator) -> None:
        self.stage, self.tell = stage, narrator
        self.main = Place(stage, "weather", os.path.join(stage.folder, "weather"))
        self.alpha, self.beta, self.gamma = self.workers = tuple(
            Place(stage, name, os.path.join(stage.folder, f"weather-{name}")) for name in WORKERS
        )
        self.claims: dict[str, str] = {}
        """The claim that has to stand on origin/main in the end, by task."""
        self.rescued: list[str] = []

    def play(self) -> None:
        begin = time.monotonic()
        self.set_up()
        self.plain_claim()
        self.held_task()
        self.race()
        self.crash()
        landed = self.drain()
        self.curtain(landed)
        facts = self.inspect()
        took = time.monotonic() - begin
        self.tell.gap()
        self.tell.sentence(f"{facts} All of it really happened, in {took:.1f} s.")

    # -- the scenes ----------------------------------------------------------------

    def set_up(self) -> None:
        self.tell.heading("A bare remote, a clone, three linked worktrees, and a graph of 15 tasks")
        folder = Place(self.stage, "demo", self.stage.folder)
        folder.git("init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
        folder.git("clone", "--quiet", "origin.git", "weather")
        for name in ("origin.git", "weather"):
            # Nothing in the background that would still write while the folder is removed.
            for key, value in (("gc.auto", "0"), ("maintenance.auto", "false")):
                folder.git("-C", name, "config", key, value)
        # Where the clone of an empty repository calls its first branch otherwise.
        self.main.git("symbolic-ref", "HEAD", "refs/heads/main")
        with open(os.path.join(self.main.path, "task-graph.yaml"), "wb") as file:
            file.write(stages.example_graph())
        self.main.git("add", "task-graph.yaml")
        self.main.git("commit", "--quiet", "-m", "Plan the weather station")
        self.main.git("push", "--quiet", "--set-upstream", "origin", "main")
        self.main.git("remote", "set-head", "origin", "main")
        for worker in self.workers:
            path = os.path.relpath(worker.path, self.main.path)
            branch = f"feature/{worker.name}"
            self.main.git("worktree", "add", "--no-track", "-b", branch, path, "origin/main")
        self.act(self.main, "ralphgit trust --yes", show=())
        self.tell.gap()

    def plain_claim(self) -> None:
        self.tell.heading("1. A claim is a change of the record: it travels with the work")
        self.act(self.alpha, f"ralphgit claim {FIRST}", show=("alpha has", "staged"))
        claim = self.claim_in(self.alpha, FIRST)
        line = "git diff --cached -U0 task-graph.yaml"
        diff = self.act(self.alpha, line, show=("status:", " id:", " by:"))
        must(f"+      id: {claim}" in diff.out, "the claim's id in the staged diff")
        self.write(self.alpha, FIRST)
        self.act(self.alpha, "ralphgit complete")
        self.land(self.alpha, FIRST)
        self.tell.gap()

    def held_task(self) -> None:
        self.tell.heading("2. A task that somebody holds is refused, with the holder's name")
        self.act(self.alpha, f"ralphgit claim {HELD}", show=())
        refused = self.act(self.beta, f"ralphgit claim {HELD}", expect=5, show=("error:",))
        must(f"alpha has {HELD}" in refused.err, "alpha to be named as the holder")
        must(self.beta.git("status", "--porcelain") == "", "the refusal to leave nothing behind")
        self.write(self.alpha, HELD)
        self.alpha.run("ralphgit complete")
        self.land(self.alpha, HELD, quietly=True)
        self.tell.gap()

    def race(self) -> None:
        self.tell.heading("3. A race with leases off: the merge conflict decides")
        for place in (self.alpha, self.beta):
            self.act(place, f"RALPH_LEASE=off ralphgit claim {RACED}", show=("warning",))
            self.write(place, RACED)
        ours, theirs = self.claim_in(self.beta, RACED), self.claim_in(self.alpha, RACED)
        must(ours and theirs and ours != theirs, "two claims with ids of their own")
        self.tell.sentence("Both do the same work, byte for byte. alpha completes and lands first.")
        self.alpha.run("RALPH_LEASE=off ralphgit complete")
        self.land(self.alpha, RACED, quietly=True)
        self.beta.git("add", "--all")
        self.beta.git("commit", "--quiet", "-m", f"{RACED}: work so far")
        self.beta.git("fetch", "--quiet", "origin")
        self.act(self.beta, "git merge origin/main", expect=1, show=("CONFLICT",))
        unmerged = self.beta.git("diff", "--name-only", "--diff-filter=U")
        must(unmerged == "task-graph.yaml", f"a conflict in the record alone, not in {unmerged}")
        marked = self.beta.run("git diff -U0 task-graph.yaml").out
        must(f"id: {ours}" in marked and f"id: {theirs}" in marked, "both claims in the conflict")
        self.tell.output(claims_in_conflict(marked))
        self.act(self.beta, "git merge --abort")
        lost = self.act(self.beta, "RALPH_LEASE=off ralphgit complete", expect=5)
        must(f"alpha won {RACED}" in lost.err, "alpha to be named as the winner")
        self.kept(RACED, ours, lost, "station/limits.py")
        self.tell.gap()

    def crash(self) -> None:
        self.tell.heading("4. A worker dies; what it did is kept, and its late result is refused")
        dies = f"ralphgit claim {CRASHED} && echo '<!doctype html>' > draft.html && kill -9 $$"
        script = dies.replace("ralphgit", self.stage.environ["RALPHGIT"], 1)
        done = self.stage.run(self.gamma.path, ["sh", "-c", script], dies, {})
        must(done.code == -9, f"the worker to be killed, not exit code {done.code}: {done.err}")
        self.tell.command("gamma", dies, ended="killed", output=())
        claim = self.claim_in(self.gamma, CRASHED)
        done = self.reset(CRASHED, "gamma crashed")
        self.kept(CRASHED, claim, done, "draft.html")
        late = self.act(self.gamma, "ralphgit complete", expect=5, show=("error:",))
        must(f"{CRASHED} was reset" in late.err, "the reset to be named as the reason")
        must(self.on_base(CRASHED)["status"] == "pending", f"{CRASHED} to be free")
        self.tell.gap()

    def drain(self) -> list[Landing]:
        left = TASKS - len(self.claims)
        self.tell.heading(f"5. The other {left} tasks, by three ralph loops at once")
        self.main.git("fetch", "--quiet", "origin")
        since = self.main.git("rev-parse", "origin/main")
        self.tell.command("alpha, beta, gamma", LOOP, output=())
        begin = time.monotonic()
        drain(self.workers)
        took = time.monotonic() - begin
        found = landings(self.main, since)
        shares = Counter(landing.worker for landing in found)
        merges = sum(landing.merged for landing in found)
        self.tell.sentence(
            f"Landed in {took:.1f} s ({', '.join(f'{name} {shares[name]}' for name in WORKERS)}): "
            f"{merges} clean merges, no conflict."
        )
        self.claims.update({landing.task: landing.claim for landing in found})
        self.tell.gap()
        return found

    def curtain(self, landed: list[Landing]) -> None:
        self.main.git("pull", "--quiet", "--ff-only")
        tip = self.main.git("rev-parse", "HEAD")
        last = next((landing for landing in landed if landing.after == tip), None)
        if last is None:
            raise Surprise("expected origin/main to be where the last landing left it")
        self.tell.heading(f"The record of the last one to land, {last.task}, in git's own diff")
        line = f"git diff -U0 {last.before[:10]} {last.after[:10]} -- task-graph.yaml"
        diff = self.act(self.main, line, show=hunk)
        must(diff.out.count("\n@@ ") == 1, "the diff of the record to be one hunk")
        must(f"id: {last.claim}" in diff.out, f"the claim of {last.worker} in the diff")
        status = self.act(self.main, "ralphgit status")
        must(f"{TASKS} complete" in status.out, f"{TASKS} complete tasks")

    def inspect(self) -> str:
        """What must be true in the end, as a sentence."""
        data = self.main.run("ralphgit status --all --json").data()
        counts = {state: count for state, count in data["counts"].items() if count}
        must(counts == {"complete": TASKS}, f"{TASKS} complete tasks and no other, not {counts}")
        claims = {task["id"]: task["claim"]["id"] for task in data["tasks"]}
        must(claims == self.claims, "every task to be complete under the claim that landed it")
        must(not data["workers"], "no worktree to hold a task")
        rescued = self.refs("refs/ralph/rescue")
        must(rescued == sorted(self.rescued), f"what was lost to be kept, not {rescued}")
        records = self.main.git("ls-files", "records/evidence").splitlines()
        commands = sum(len(task["verify"]) for task in data["tasks"])
        must(len(records) == commands, f"{commands} evidence records, not {len(records)}")
        for place in (self.main, *self.workers):
            must(place.git("status", "--porcelain") == "", f"a clean worktree {place.path}")
        for folder in ("weather", "origin.git"):
            check = "fsck --full --strict --no-dangling --no-progress"
            checked = self.main.run(f"git -C ../{folder} {check}")
            must(not checked.said, f"git fsck to find nothing in {folder}, not {checked.said}")
        return (
            f"{TASKS} tasks, each complete under the one claim that landed it; {commands} evidence "
            f"records; {len(self.rescued)} rescue refs; git fsck finds nothing."
        )

    # -- what the scenes are made of -----------------------------------------------

    def act(self, place: Place, line: str, *, expect: int = 0, show: Show | None = None) -> Done:
        """Run a command and tell it, with what `show` leaves of what it said."""
        done = place.run(line, expect=expect)
        self.show(place, line, done, show)
        return done

    def show(self, place: Place, line: str, done: Done, show: Show | None) -> None:
        said = [text for text in done.said if text.strip()]
        if isinstance(show, tuple):
            said = [text for text in said if any(word in text for word in show)]
        elif show is not None:
            said = show(said)
        ended = f"exit {done.code}" if done.code else ""
        self.tell.command(place.name, line, ended=ended, output=said)

    def write(self, place: Place, task: str) -> None:
        """The worker's work: the files that the example has for the task."""
        place.write(self.stored(place, task)["x-script"]["write"])

    def stored(self, place: Place, task: str) -> dict[str, Any]:
        """The task in this worktree's files."""
        found: dict[str, Any] = place.run(f"ralphgit show {task} --json").data()["task"]
        return found

    def claim_in(self, place: Place, task: str) -> str:
        """The claim in this worktree's files, which has to be of its worker."""
        claim = self.stored(place, task)["claim"]
        must(claim["by"] == place.name, f"{place.name} to have {task}, not {claim['by']}")
        return str(claim["id"])

    def on_base(self, task: str) -> dict[str, Any]:
        """The task on origin/main."""
        data = self.main.run(f"ralphgit show {task} --at origin/main --json").data()
        found: dict[str, Any] = data["task"]
        return found

    def land(self, place: Place, task: str, *, quietly: bool = False) -> None:
        """Bring the finished task to origin/main and begin a new branch there."""
        landing = land(place, task, self.claim_in(place, task))
        if not quietly:
            self.tell.command(place.name, "git push origin HEAD:main", output=())
        stands = self.on_base(task)
        must(
            stands["status"] == "complete" and stands["claim"]["id"] == landing.claim,
            f"{task} to be complete on origin/main under claim {landing.claim}",
        )
        self.claims[task] = landing.claim
        fresh_branch(place, f"feature/{place.name}-{task}")

    def reset(self, task: str, reason: str) -> Done:
        """`just task-reset` from the main worktree; where there is no just, what it runs."""
        just = stages.just(self.stage)
        line = f"ralphgit reset {task} --reason '{reason}'"
        if not just:
            self.tell.sentence("`just task-reset` is not at hand here. What it runs:")
            return self.act(self.main, line)
        line = f"just task-reset {task} '{reason}'"
        done = self.stage.run(self.main.path, [*just, "task-reset", task, reason], line, {})
        self.main.check(line, done, 0)
        self.show(self.main, line, done, None)
        return done

    def kept(self, task: str, claim: str, done: Done, path: str) -> None:
        """The loser's work is in a rescue ref that it was told of, and not on its branch."""
        ref = f"refs/ralph/rescue/{task}/{claim}"
        must(any(ref in line for line in done.said), f"{ref} to be named")
        self.main.git("cat-file", "-e", f"{ref}:{path}")
        self.rescued.append(ref)

    def refs(self, prefix: str) -> list[str]:
        return self.main.git("for-each-ref", "--format=%(refname)", prefix).splitlines()


Show = tuple[str, ...] | Callable[[list[str]], list[str]]
"""Which lines of an output are worth showing: those with one of the words, or a choice."""


def hunk(lines: list[str]) -> list[str]:
    """A diff without its headers."""
    first = next((n for n, line in enumerate(lines) if line.startswith("@@")), len(lines))
    return lines[first + 1 :]


def claims_in_conflict(marked: str) -> list[str]:
    """Of a conflict in the record: the marks, and the claim on each side."""
    kept: list[str] = []
    before = ""
    for line in marked.splitlines():
        mark = line.startswith(("++<<<<<<<", "++=======", "++>>>>>>>"))
        if mark or before.endswith(" claim:"):
            kept.append(line)
        before = line
    return kept
