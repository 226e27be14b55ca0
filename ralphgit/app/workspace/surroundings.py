"""Hold what a command takes from outside: folder, environment, clock, ids, flags."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, TypeVar

from ralphgit.git import child_process
from ralphgit.git.repository import Opening

Item = TypeVar("Item")


class EarlyOpening(NamedTuple):
    """A look at a repository that was begun early."""

    opening: Opening
    at: float
    """Seconds since 1970, UTC."""


class Progress:
    """Where long work says what it is at; this one shows nobody."""

    __slots__ = ()

    def step(self, what: str, number: int = 0, of: int = 0) -> AbstractContextManager[None]:
        """Show `what`, the step `number` of so many, while the block runs."""
        return nullcontext()

    def through(self, what: str, items: Sequence[Item]) -> Iterable[Item]:
        """Return `items`, to go through them: shown is at which of them the work is."""
        return items

    def heard(self, output: bytes) -> None:
        """Take in what the program printed that the innermost step runs."""


class Surroundings(NamedTuple):
    """All that a command takes from outside; nothing below reads it elsewhere."""

    directory: str
    environ: Mapping[str, str]
    now: Callable[[], float]
    """Seconds since 1970, UTC."""
    new_id: Callable[[], str]
    """A fresh record id."""
    flags: Mapping[str, object] = {}
    """Settings from the command line."""
    begun: EarlyOpening | None = None
    progress: Progress = Progress()
    may_land: bool = False
    """Whether it may bring work to the base: then it believes no file of the cache, into which an
    agent could have written, but what its own process has put there."""
    person: bool = False
    """Whether a person sits at a terminal, who can be asked."""


def begin(around: Surroundings, *, claims: bool = False) -> Surroundings:
    """Have git look for the repository while the command, which `claims`, is imported."""
    at, opening = around.now(), Opening(around.directory, around.environ, claims=claims)
    return around._replace(begun=EarlyOpening(opening, at))


def leave() -> None:
    """Stop what git processes still wait for a question: the program ends."""
    child_process.end_all()
