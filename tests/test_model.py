"""The short form of `python -m model`, and that it finds what is planted."""

from __future__ import annotations

import random

import pytest
from model.__main__ import run
from model.history import History
from model.machine import Machine, Wrong

from ralphgit.app.active_claims import leases
from ralphgit.rules import claim_verdict


@pytest.mark.slow
def test_what_hypothesis_has_happen_in_two_clones_holds() -> None:
    before = Machine.counts.total()
    run(4, 20261129, machines=2, length=5, shrink=False)
    assert Machine.counts.total() - before >= 4


def test_a_lease_that_is_given_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look around and the lease are both taken out: either would refuse the second one."""
    monkeypatch.setattr(claim_verdict, "_occupied", lambda facts, options: None)
    monkeypatch.setattr(leases, "acquire", lambda *known, **begun: leases.Taken(known[1]))
    machine = Machine()
    try:
        machine.begin("remote")
        with pytest.raises(Wrong, match=r"and proj-\w+ got it|and second-\w+ got it"):
            for number in range(6):
                machine.claim(random.Random(number))
    finally:
        machine.failed = True
        machine.teardown()


def test_what_the_history_says_needs_nothing_of_ralphgit() -> None:
    """Done twice, a claim on two tasks, an illegal move, an epoch that falls, work gone."""
    machine = Machine()
    try:
        machine.begin("local")
        assert machine.field is not None
        world, history = machine.field.world, machine.history

        def now(old: str, new: str, *, work: str = "") -> list[str]:
            world.write("task-graph.yaml", world.read().replace(old, new, 1))
            if work:
                world.write("work/1.txt", f"{work}\n")
            world.commit()
            world.git("push", "--quiet", "origin", "main")
            return [one[14:] for one in history.problems(by_hand=False)]

        done = "    status: complete\n    claim: {id: c1}\n    epoch: 1\n    x-key: 1\n"
        assert now("    status: pending\n    x-key: 1\n", done, work="c1") == []
        assert now("id: c1", "id: c2", work="c2") == ["1 was done by c1, and is done again by c2"]
        assert now("epoch: 1", "epoch: 0") == ["1 went from epoch 1 to 0"]
        assert now("status: complete", "status: blocked") == ["1 went from complete to blocked"]
        assert now("status: blocked", "status: complete", work="c1") == [
            "1 is complete by c2, and its work is c1's"
        ]
        two = "    status: complete\n    claim: {id: c2}\n    x-key: 2\n"
        assert "claim c2 is on 2 and on 1" in now("    status: pending\n    x-key: 2\n", two)
        found = now("    x-key: 2\n", "    x-key: 1\n")
        assert {"1 stands in the graph twice", "2 is gone"} <= {*found}
        assert history.kept({"never written\n"}, [world.path]) == [
            "what was written is lost: never written"
        ]
        assert isinstance(history, History)
    finally:
        machine.failed = True
        machine.teardown()
