"""The policy that turns a base and what is in flight into states and an order, row by row."""

from __future__ import annotations

from typing import NamedTuple, cast

import pytest
from _pytest.mark import ParameterSet
from rows import row

from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Status
from ralphgit.rules import readiness
from ralphgit.rules.readiness import TaskState, TaskStates


def base_row(words: str) -> Row:
    """`STATUS [CLAIM][@EPOCH]`: the task T on the base."""
    status, _, claim = words.partition(" ")
    status, _, epoch = status.partition("@")
    if "@" in claim:
        claim, _, epoch = claim.partition("@")
    by = f"worker-{claim}" if claim else ""
    return row("T", status, claim=claim, by=by, at="since", epoch=int(epoch or 0))


#: What a flight in the tables is: where it was seen, and in which status.
SIGHTINGS = {
    "lease": ("lease", "in-progress"),
    "worktree": ("worktree", "in-progress"),
    "branch": ("branch", "in-progress"),
    "done": ("branch", "complete"),
    "blocked": ("branch", "blocked"),
    "dropped": ("branch", "cancelled"),
}


def flight(words: str, task: str = "T") -> ActiveClaim:
    """`SIGHTING CLAIM[@EPOCH][!]`, "!" for a holder who is gone."""
    sighting, claim = words.split()
    kind, status = SIGHTINGS[sighting]
    stale = claim.endswith("!")
    claim, _, epoch = claim.removesuffix("!").partition("@")
    where = f"{kind} of {claim}"
    return ActiveClaim(
        task, status, claim, f"worker-{claim}", "since", int(epoch or 0), kind, where, stale=stale
    )


# -- one task: the base against what is in flight ----------------------------------------

#: `ours` is a claim that the base has or would have, `other` somebody else's.
POLICY = """
 no | base                | in flight                    | state       | holder         | beside
  1 | pending             |                              | ready       | -              |
  2 | pending             | lease ours                   | claimed     | lease ours     |
  3 | pending             | worktree ours                | claimed     | worktree ours  |
  4 | pending             | lease ours, worktree ours    | claimed     | worktree ours  |
  5 | pending             | branch ours                  | in-progress | branch ours    |
  6 | pending             | lease ours, branch ours      | in-progress | branch ours    |
  7 | pending             | done ours                    | in-review   | branch ours    |
  8 | pending             | done ours, lease ours        | in-review   | branch ours    |
  9 | pending             | blocked ours                 | blocked     | branch ours    |
 10 | pending             | blocked ours, lease ours     | blocked     | branch ours    |
 11 | pending             | dropped ours                 | cancelled   | branch ours    |
 33 | pending             | blocked ours, lease other    | claimed     | lease other    |
 34 | pending             | blocked ours, worktree other | blocked     | branch ours    |
 12 | pending             | lease other, branch ours     | in-progress | branch ours    |
 13 | pending             | branch other, done ours      | in-review   | branch ours    |
 14 | in-progress ours    |                              | in-progress | base ours      |
 15 | in-progress ours    | lease ours                   | in-progress | lease ours     |
 16 | in-progress ours    | done ours                    | in-review   | branch ours    |
 17 | in-progress ours    | blocked ours                 | blocked     | branch ours    |
 18 | in-progress ours    | branch other                 | in-progress | base ours      | lost other
 19 | in-progress ours    | done other                   | in-progress | base ours      | lost other
 20 | in-progress ours    | lease other, lease ours      | in-progress | lease ours     | lost other
 21 | blocked ours        |                              | blocked     | base ours      |
 22 | blocked ours        | branch ours                  | blocked     | base ours      |
 23 | blocked ours        | lease other                  | claimed     | lease other    |
 24 | blocked ours        | branch ours, worktree other  | claimed     | worktree other |
 25 | blocked ours        | done other                   | in-review   | branch other   |
 26 | complete ours       |                              | complete    | base ours      |
 27 | complete ours       | branch ours                  | complete    | base ours      |
 28 | complete ours       | branch other                 | complete    | base ours      | lost other
 29 | complete ours       | done other                   | complete    | base ours      | lost other
 30 | complete ours       | lease other                  | complete    | base ours      |
 31 | cancelled           |                              | cancelled   | -              |
 32 | cancelled           | branch other                 | cancelled   | -              | lost other

 Fenced off: a claim of a lower epoch than the base's counts for nothing (law L3).
 40 | pending@1           | branch ours                  | ready       | -              |
 41 | pending@1           | done ours, lease ours        | ready       | -              |
 42 | pending@1           | done ours, lease other@1     | claimed     | lease other    |
 43 | in-progress other@1 | done ours                    | in-progress | base other     |
 44 | in-progress other@2 | done ours@1, branch x@2      | in-progress | base other     | lost x
 45 | complete other@1    | done ours                    | complete    | base other     |
 A reset that has yet to land fences as well.
 46 | pending             | branch other@1               | in-progress | branch other   |
 47 | pending             | lease ours, worktree other@1 | claimed     | worktree other |
 48 | in-progress ours    | done ours, branch other@1    | in-progress | branch other   |

 Stale: the holder is gone. Work that is done, or that somebody else has, needs no holder.
 60 | pending             | lease ours!                  | claimed     | lease ours     | stale
 61 | pending             | worktree ours, lease ours!   | claimed     | worktree ours  | stale
 62 | pending             | branch ours, lease ours!     | in-progress | branch ours    | stale
 63 | in-progress ours    | lease ours!                  | in-progress | lease ours     | stale
 64 | pending             | done ours, lease ours!       | in-review   | branch ours    |
 65 | pending             | branch ours, lease other!    | in-progress | branch ours    |
 66 | in-progress ours    | lease other!                 | in-progress | base ours      | lost other
 67 | pending@1           | lease ours!                  | ready       | -              |
"""


class Case(NamedTuple):
    base: str
    flights: tuple[str, ...]
    state: str
    holder: str
    stale: bool
    lost: tuple[str, ...]


def cases() -> list[ParameterSet]:
    found = []
    for line in POLICY.splitlines():
        number, *cells = (cell.strip() for cell in line.split("|"))
        if not number.isdigit():
            continue
        base, flights, state, holder, beside = cells
        case = Case(
            base,
            tuple(part.strip() for part in flights.split(",") if part.strip()),
            state,
            holder,
            beside == "stale",
            tuple(beside.removeprefix("lost ").split()) if beside.startswith("lost") else (),
        )
        found.append(pytest.param(case, id=number))
    return found


def seen(standing: TaskState) -> tuple[str, str, bool, tuple[str, ...], tuple[str, ...]]:
    holder = standing.holder
    return (
        standing.state,
        f"{holder.kind} {holder.claim}" if holder else "-",
        standing.stale,
        tuple(lost.claim for lost in standing.lost),
        standing.blocked_on,
    )


def test_the_numbers_of_the_policy_are_unique() -> None:
    numbers = [param.id for param in cases()]
    assert len(set(numbers)) == len(numbers) == 51


@pytest.mark.parametrize("case", cases())
def test_policy(case: Case) -> None:
    rows, flights = [base_row(case.base)], [flight(words) for words in case.flights]
    expected = (case.state, case.holder, case.stale, case.lost, ())
    assert seen(TaskStates(rows, {"T": flights})["T"]) == expected
    # In which order they were seen must not matter.
    assert seen(TaskStates(rows, {"T": flights[::-1]})["T"]) == expected


def test_what_the_base_tells_of_a_holder() -> None:
    found = TaskStates([base_row("in-progress ours@2")], {})["T"].holder
    assert found == ActiveClaim(
        "T", "in-progress", "ours", "worker-ours", "since", 2, "base", "the base"
    )


def test_a_holder_s_worktree_is_known_from_any_sighting() -> None:
    branch = flight("branch ours")
    lease = flight("lease ours")._replace(path="/w/alpha", where="worktree ../alpha")
    other = flight("lease other")._replace(path="/w/beta")
    found = TaskStates([base_row("pending")], {"T": [branch, other, lease]})["T"].holder
    assert found == branch._replace(path="/w/alpha", where="worktree ../alpha")


def test_every_status_has_a_row() -> None:
    told = {base_row(cast("Case", param.values[0]).base).status for param in cases()}
    assert told == set(Status)


# -- several tasks: dependencies and modes -----------------------------------------------


def derived(rows: list[Row], **flights: str) -> dict[str, str]:
    """State of each task, and what it waits for. Flights by task: `A="lease c"`."""
    found = TaskStates(rows, {task: [flight(words, task)] for task, words in flights.items()})
    return {
        task: " ".join((standing.state, *standing.blocked_on)) for task, standing in found.items()
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", "waiting A"),
        ("in-progress", "waiting A"),
        ("blocked", "waiting A"),
        ("cancelled", "waiting A"),
        ("complete", "ready"),
    ],
)
def test_a_dependency_counts_once_it_is_complete_on_the_base(status: str, state: str) -> None:
    rows = [row("A", status, claim="c"), row("B", depends_on=("A",))]
    assert derived(rows)["B"] == state


def test_a_dependency_in_review_still_waits_to_land() -> None:
    rows = [row("A"), row("B", depends_on=("A",))]
    assert derived(rows, A="done c") == {"A": "in-review", "B": "waiting A"}


def test_an_unknown_dependency_waits() -> None:
    assert derived([row("B", depends_on=("X", "Y"))]) == {"B": "waiting X Y"}


def test_a_held_task_is_not_said_to_wait() -> None:
    rows = [row("A"), row("B", depends_on=("A",))]
    assert derived(rows, B="lease c") == {"A": "ready", "B": "claimed"}


#: Two tasks of one story, of which the first is in some state: what is the second one's?
MODES = """
 no | mode of the first | in flight for the first | mode of the second | the second
  1 | parallel          | lease c                 | parallel           | ready
  2 | parallel          | lease c                 | sequential         | waiting A
  3 | parallel          | lease c                 | verify             | waiting A
  4 | sequential        | lease c                 | parallel           | waiting A
  5 | sequential        | lease c                 | sequential         | waiting A
  6 | verify            | lease c                 | parallel           | waiting A
  7 | sequential        | branch c                | parallel           | waiting A
  8 | sequential        | done c                  | parallel           | waiting A
  9 | sequential        | blocked c               | parallel           | ready
 10 | sequential        | dropped c               | parallel           | ready
 11 | sequential        |                         | sequential         | ready
 12 | parallel          |                         | verify             | waiting A
 13 | verify            |                         | parallel           | ready
"""


@pytest.mark.parametrize(
    ("first", "flying", "second", "state"),
    [
        pytest.param(*cells, id=number)
        for number, *cells in ([c.strip() for c in line.split("|")] for line in MODES.splitlines())
        if number.isdigit()
    ],
)
def test_modes(first: str, flying: str, second: str, state: str) -> None:
    rows = [row("A", story="S", mode=first), row("B", story="S", mode=second)]
    flights = {"A": flying} if flying else {}
    assert derived(rows, **flights)["B"] == state
    # Another story, or none, is not concerned.
    elsewhere = [rows[0], rows[1]._replace(story="S2")]
    assert derived(elsewhere, **flights)["B"] == "ready"
    alone = [rows[0]._replace(story=""), rows[1]._replace(story="")]
    assert derived(alone, **flights)["B"] == "ready"


def test_a_checkpoint_waits_for_all_earlier_tasks_of_its_story() -> None:
    rows = [
        row("A", "complete", story="S"),
        row("B", "cancelled", story="S"),
        row("C", "blocked", claim="c", story="S"),
        row("D", story="S"),
        row("X", story="S2"),
        row("V", story="S", mode="verify", depends_on=("D",)),
        row("E", story="S"),
    ]
    assert derived(rows)["V"] == "waiting D C"
    done = [r._replace(status="complete") if r.id in "CD" else r for r in rows]
    assert derived(done)["V"] == "ready"
    assert derived(done, E="lease c")["V"] == "waiting E"


# -- order -------------------------------------------------------------------------------


def names(rows: list[Row]) -> list[str]:
    return [found.id for found in rows]


def test_priority_then_story_then_file() -> None:
    rows = [
        row("none-2"),
        row("s1-2", story="S1"),
        row("s2-2", story="S2"),
        row("s2-0", story="S2", priority=0),
        row("s1-2b", story="S1"),
        row("none-0", priority=0),
        row("s1-0", story="S1", priority=0),
        row("s1-5", story="S1", priority=5),
    ]
    assert names(readiness.order(rows)) == [
        "s1-0", "s2-0", "none-0", "s1-2", "s1-2b", "s2-2", "none-2", "s1-5",
    ]  # fmt: skip


def test_a_finished_task_still_places_its_story() -> None:
    graph = [row("A", "complete", story="S1"), row("B", story="S2"), row("C", story="S1")]
    assert names(readiness.order(graph[1:], of=graph)) == ["C", "B"]
