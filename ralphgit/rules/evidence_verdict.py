"""Judge the evidence about a task: criterion by criterion, and command by command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ralphgit.model.evidence import Evidence
from ralphgit.model.task import Criterion

#: How far a criterion is met, the strongest last.
UNSUPPORTED, STALE, PARTIAL, SUPPORTED, CHALLENGED = (
    "unsupported", "stale", "partial", "supported", "challenged",
)  # fmt: skip
_STRENGTH = {UNSUPPORTED: 0, STALE: 1, PARTIAL: 2, SUPPORTED: 3, CHALLENGED: 4}
_SAYS = {"supports": SUPPORTED, "partially-supports": PARTIAL, "challenges": CHALLENGED}


class Judged(NamedTuple):
    """A record, and what it is worth now."""

    evidence: Evidence
    fresh: bool
    """The content that it was made on is still what is there."""
    superseded: bool = False
    """A newer record of the same command replaces it."""

    @property
    def counts(self) -> bool:
        return self.fresh and not self.superseded


class Supported(NamedTuple):
    """How far one criterion of a task is met."""

    criterion: str
    text: str
    support: str
    """unsupported, stale (only evidence that is), partial, supported or challenged."""
    by: tuple[str, ...]
    """Ids of the records that say so."""


def judged(records: Iterable[tuple[Evidence, bool]], *, claim: str = "") -> list[Judged]:
    """The records that are about a task under `claim`, oldest first, with whether they are fresh.

    A record of another claim is about work that was given up, so it is left out; one without a
    claim is anybody's. Of one command the newest fresh record counts; where none is fresh, the
    newest.
    """
    own = [pair for pair in records if not claim or pair[0].claim in ("", claim)]
    own.sort(key=lambda pair: (pair[0].at, pair[0].id))
    newest: dict[str, str] = {}
    for wanted in (False, True):
        for evidence, fresh in own:
            if evidence.command_digest and fresh >= wanted:
                newest[evidence.command_digest] = evidence.id
    return [
        Judged(one, fresh, newest.get(one.command_digest, one.id) != one.id) for one, fresh in own
    ]


def support(acceptance: Sequence[Criterion], records: Iterable[Judged]) -> list[Supported]:
    """How far each criterion is met.

    One challenge outweighs any support. A record may name a criterion by its id or its text.
    """
    records = [one for one in records if not one.superseded]
    found = []
    for item in acceptance:
        says: dict[str, list[str]] = {}
        for one in records:
            for entry in one.evidence.supports:
                if entry.criterion in (item.id, item.text):
                    word = _SAYS[entry.verdict] if one.fresh else STALE
                    says.setdefault(word, []).append(one.evidence.id)
        best = max(says, key=lambda word: _STRENGTH[word], default=UNSUPPORTED)
        found.append(Supported(item.id, item.text, best, tuple(says.get(best, ()))))
    return found


def unproved(commands: Sequence[str], records: Sequence[Judged]) -> list[str]:
    """The commands that no fresh record is about, in their order."""
    fresh = {one.evidence.command for one in records if one.counts}
    return [command for command in dict.fromkeys(commands) if command not in fresh]
