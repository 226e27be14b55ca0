"""Define a task and its lifecycle, as stored (SPEC 3.1).

NamedTuples and not dataclasses, which take 9 ms to import and make: a fifth of `claim`.
"""

from typing import NamedTuple

from ralphgit.model.task_row import DEFAULT_PRIORITY
from ralphgit.model.task_status import Mode, Outcome, Reason, Status


class Claim(NamedTuple):
    """Who does a task. `id` is random: two claims are never the same bytes."""

    id: str
    by: str
    at: str
    """UTC, `2026-11-21T10:00:00Z`."""
    base: str
    """The commit of the base branch that the claim was made from, 12 hex digits."""
    contract: str
    """Digest of what was promised: `rules.contract_digest`."""
    unsynchronised: bool = False
    """The remote could not be reached when the claim was made."""
    base_branch: str = ""
    """The branch that it is to land on, where that is not the usual base."""


class Result(NamedTuple):
    """How a claimed task was completed."""

    id: str
    claim: str
    outcome: Outcome
    at: str
    concerns: tuple[str, ...] = ()


class Blocked(NamedTuple):
    """Why a claimed task cannot go on."""

    id: str
    claim: str
    reason: Reason
    question: str
    options: tuple[str, ...]
    at: str
    shared: bool = False
    """What is asked is about the whole story: its other tasks wait for the answer, too."""


class Reset(NamedTuple):
    """Stands in place of a claim that was reset or released."""

    id: str
    claim: str
    by: str
    at: str
    reason: str


class Cancelled(NamedTuple):
    """Why a task will not be done."""

    id: str
    by: str
    at: str
    reason: str


class Lifecycle(NamedTuple):
    """The fields of a task that ralphgit itself changes, and nothing else.

    Every change writes a fresh random id into this group: that is what makes two
    changes of one task conflict in a line-based merge (law L1).
    """

    status: Status = Status.PENDING
    claim: Claim | None = None
    result: Result | None = None
    blocked: Blocked | None = None
    reset: Reset | None = None
    cancelled: Cancelled | None = None
    epoch: int = 0
    """Raised by each reset and release: a claim of a lower epoch is fenced off (law L3)."""


class Criterion(NamedTuple):
    id: str
    text: str


class Scope(NamedTuple):
    """Path patterns (`rules.pattern_overlap`) and named resources."""

    write: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


class Task(NamedTuple):
    """One task of the graph: what is promised, and how far it is."""

    id: str
    title: str
    lifecycle: Lifecycle
    story: str = ""
    priority: int = DEFAULT_PRIORITY
    complexity: str = ""
    depends_on: tuple[str, ...] = ()
    description: str = ""
    acceptance: tuple[Criterion, ...] = ()
    verify: tuple[str, ...] = ()
    """Commands."""
    proves: tuple[tuple[str, str], ...] = ()
    """A command, and a criterion that it proves, for each that is named."""
    outputs: tuple[str, ...] = ()
    scope: Scope = Scope()
    mode: Mode = Mode.PARALLEL
    risk: str = ""
    """low, medium, high or "": work on a task of high risk lands after a review (SPEC 3.3)."""
    needs: tuple[str, ...] = ()
    """What a worker has to provide."""
    agent: str = ""
    """The profile whose agent does it; "" for any."""
    review: str = ""
    """The profile that reviews it before it lands; "" for none."""
    budget: float | None = None
    """What the attempts of one claim may cost, in US dollars."""

    @property
    def status(self) -> Status:
        return self.lifecycle.status

    @property
    def claim(self) -> Claim | None:
        return self.lifecycle.claim

    @property
    def changes_nothing(self) -> bool:
        """Whether it verifies alone what others did, and names no file that comes of that."""
        return self.mode == Mode.VERIFY and not (self.scope.write or self.outputs)

    def proved_by(self, command: str) -> tuple[str, ...]:
        """The criteria that a verify command is said to prove."""
        return tuple(criterion for one, criterion in self.proves if one == command)

    @property
    def epoch(self) -> int:
        return self.lifecycle.epoch


#: No attempt costs as much, in US dollars: a number above is none, and infinity is neither.
MOST_USD = 1e9


class Usage(NamedTuple):
    """What an attempt has used, as its agent said it; a zero, None or "" is what it did not say."""

    agent: str = ""
    model: str = ""
    input_tokens: int = 0
    """All that the model was given, with what came from a cache."""
    output_tokens: int = 0
    cost_usd: float | None = None
    seconds: float = 0.0

    @property
    def is_told(self) -> bool:
        """Whether the agent said anything of it."""
        return bool(self.input_tokens or self.output_tokens or self.cost_usd)

    def stored(self) -> dict[str, object]:
        """What was said, as a record and JSON have it."""
        return {key: said for key, said in self._asdict().items() if said not in ("", 0, None)}


#: The events with which an attempt ends, for its worker.
ENDS = ("completed", "force-completed", "blocked", "released")


class Event(NamedTuple):
    """An event of the audit: one change in the life of an attempt at a task (SPEC 3.3)."""

    at: str
    event: str
    by: str
    from_: str
    to: str
    note: str = ""
    summary: str = ""
    """What the worker says that it did, of a completion."""
    usage: Usage | None = None
    """What the attempt has used until then, where its agent said it."""
