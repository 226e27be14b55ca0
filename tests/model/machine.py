"""The state machine: what happens in `life`, with Hypothesis deciding what and to whom."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from life import ending
from life.events import KINDS
from life.field import Unexpected
from life.model import May, Model

from model.clones import Clones, made
from model.history import History

CHANCE = st.randoms(use_true_random=False)


class Wrong(AssertionError):
    """What does not hold."""


class Machine(RuleBasedStateMachine):
    """Two clones, three workers, a person and a forge."""

    counts: ClassVar[Counter[str]] = Counter()
    """Of all machines: how often each event did something."""
    commits: ClassVar[int] = 0
    """Of all machines: the commits of the base that were checked."""

    def __init__(self) -> None:
        super().__init__()
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="model-", dir=memory))
        self.field: Clones | None = None
        self.failed = False

    @initialize(lease=st.sampled_from(["remote", "remote", "local"]))
    def begin(self, lease: str) -> None:
        self.field = made(self.folder, random.Random(0), lease)
        self.model = Model(self.field.look(), self.field.taken)
        self.history = History(self.field.world.origin.path, self.field.world.environ)
        self._hold(self.history.problems(by_hand=False))

    # -- what happens ------------------------------------------------------------------------

    @rule(chance=CHANCE)
    def claim(self, chance: random.Random) -> None:
        self._happens("claim", chance)

    @rule(chance=CHANCE)
    def complete(self, chance: random.Random) -> None:
        self._happens("work", chance)

    @rule(chance=CHANCE)
    def claim_and_complete(self, chance: random.Random) -> None:
        for name in ("claim", "claim", "work", "work"):
            self._happens(name, chance)

    @rule(chance=CHANCE)
    def land(self, chance: random.Random) -> None:
        self._happens("land", chance)

    @rule(chance=CHANCE)
    def merge_squash_or_rebase(self, chance: random.Random) -> None:
        self._happens("merge", chance)

    @rule(chance=CHANCE, what=st.sampled_from(["reset", "reset", "release", "ask", "reply", "go"]))
    def trouble(self, chance: random.Random, what: str) -> None:
        """Reset, released, blocked, answered, left standing."""
        self._happens(what, chance)

    @rule(chance=CHANCE, what=st.sampled_from(["revert", "revert_task", "pick"]))
    def revert_or_cherry_pick(self, chance: random.Random, what: str) -> None:
        self._happens(what, chance)

    @rule(chance=CHANCE, what=st.sampled_from(["more", "edit", "rename", "shard"]))
    def create_edit_or_shard(self, chance: random.Random, what: str) -> None:
        self._happens(what, chance)

    # -- what must hold ----------------------------------------------------------------------

    def _happens(self, name: str, chance: random.Random) -> None:
        assert self.field is not None
        self.field.chance, self.field.old_ways = chance, False
        kind = KINDS[name]
        try:
            told = kind.run(self.field)
        except (Unexpected, AssertionError) as error:
            self._hold([f"{type(error).__name__}: {error}"])
            return
        if not told:
            return
        Machine.counts[name] += 1
        old_ways = May.TAKE | May.REOPEN if self.field.old_ways else May.NOTHING
        self.field.ledger.by_button = name in ("merge", "pick")
        self._saw(told, kind.may | old_ways)

    def _saw(self, told: str, may: May) -> None:
        """Judge what has become of the base: by the two models, by its history, by `check`."""
        field = self.field
        assert field is not None
        field.said.append(told)
        now = field.look()
        moved = now.commit != self.model.base.commit
        wrong = [told] if told.startswith("WRONG") else []
        wrong += self.model.saw(now, may)
        wrong += field.ledger.saw(now, may)
        by_hand = bool(may & (May.TAKE | May.RETURN | May.PART)) or bool(self.model.partly)
        before = self.history.commits
        wrong += self.history.problems(by_hand=by_hand)
        Machine.commits += self.history.commits - before
        if moved:
            done = field.ralph(field.world, "check", "--at", field.base)
            found = (done.data or {}).get("problems", ())
            wrong += [f"check: {one}" for one in found if one["severity"] == "error"]
        self._hold(wrong)

    def _hold(self, wrong: list[str]) -> None:
        if wrong:
            self.failed = True
            said = self.field.said if self.field is not None else []
            raise Wrong("\n".join([*said, *(f"WRONG: {one}" for one in wrong)]))

    def teardown(self) -> None:
        """Nothing written is lost; and a worker who comes new can do all that is left."""
        try:
            if self.field is None or self.failed:
                return
            written = {f"{claim}\n" for claim in self.field.ledger.written}
            clones = (self.field.world.path, self.field.second.path)
            self._hold(self.history.kept(written, clones))
            self.field.chance = random.Random(0)
            self._hold(ending.held(self.field, self.model.partly, self._saw))
        except Unexpected as error:
            self._hold([f"{type(error).__name__}: {error}"])
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
