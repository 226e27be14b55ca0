"""Hold what a command takes from outside: folder, environment, clock, ids, flags."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ralphgit.git import child_process
from ralphgit.git.repository import Opening


class EarlyOpening(NamedTuple):
    """A look at a repository that was begun early."""

    opening: Opening
    at: float
    """Seconds since 1970, UTC."""


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
    person: bool = False
    """Whether a person sits at a terminal, who can be asked."""


def begin(around: Surroundings, *, claims: bool = False) -> Surroundings:
    """Have git look for the repository while the command, which `claims`, is imported."""
    at, opening = around.now(), Opening(around.directory, around.environ, claims=claims)
    return around._replace(begun=EarlyOpening(opening, at))


def leave() -> None:
    """Stop what git processes still wait for a question: the program ends."""
    child_process.end_all()
