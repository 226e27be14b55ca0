"""Judge the evidence about a task: criterion by criterion, and command by command."""

import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from ralphgit.model.evidence import COMMAND, Evidence
from ralphgit.model.task import Criterion

#: How far a criterion is met, the strongest last.
OPEN, STALE, ASSUMED, PARTIAL, PROVED, CHALLENGED = _WORDS = (
    "open", "stale", "assumed", "partial", "proved", "challenged",
)  # fmt: skip
_SAYS = {"supports": PROVED, "partially-supports": PARTIAL, "challenges": CHALLENGED}

#: Why a task is unverified.
NOTHING = "no command ran and passed, and no criterion was observed"


class Judged(NamedTuple):
    """A record, and what it is worth now."""

    evidence: Evidence
    fresh: bool
    """The content that it was made on is still what is there."""
    superseded: bool = False
    """A newer record about the same replaces it, or the task is judged by other commands."""

    @property
    def counts(self) -> bool:
        return self.fresh and not self.superseded


class CriterionProof(NamedTuple):
    """How far one criterion of a task is met."""

    criterion: str
    text: str
    support: str
    """proved (fresh evidence names it), partial or challenged; assumed where only commands passed
    that name none; stale (only evidence that is); else open."""
    by: tuple[str, ...]
    """Ids of the records that say so."""


def judged(
    records: Iterable[tuple[Evidence, bool]], *, commands: Collection[str], claim: str = ""
) -> list[Judged]:
    """The records that are about a task under `claim`, oldest first, with whether they are fresh.

    `commands`: the digests of those that it is judged by; a run of another proves nothing.

    A record of another claim is about work that was given up, so it is left out; one without a
    claim is anybody's. Of one command the newest fresh record counts; where none is fresh, the
    newest. What else was observed counts beside others, but where it is stale and a newer fresh
    record of its kind names all its criteria.
    """
    own = [pair for pair in records if not claim or pair[0].claim in ("", claim)]
    own.sort(key=lambda pair: (pair[0].at, pair[0].id))
    newest: dict[str, str] = {}
    for wanted in (False, True):
        for evidence, fresh in own:
            if evidence.command_digest and fresh >= wanted:
                newest[evidence.command_digest] = evidence.id
    return [
        Judged(
            one, fresh,
            newest.get(one.command_digest, one.id) != one.id
            or (one.kind == COMMAND and one.command_digest not in commands)
            or (
                not (fresh or one.command_digest)
                and any(is_fresh and _renews(later, one) for later, is_fresh in own[number + 1 :])
            ),
        )
        for number, (one, fresh) in enumerate(own)
    ]  # fmt: skip


def _renews(later: Evidence, one: Evidence) -> bool:
    """Whether a record is about what an earlier one, of no command, was about."""
    named, known = ({entry.criterion for entry in each.supports} for each in (later, one))
    paths = (each.artifact.path if each.artifact else "" for each in (later, one))
    return (
        later.kind == one.kind and len({*paths}) == 1 and (known <= named if known else not named)
    )


def support(acceptance: Sequence[Criterion], records: Iterable[Judged]) -> list[CriterionProof]:
    """How far each criterion is met.

    One challenge outweighs any support. A record may name a criterion by its id or its text. A
    command that names none is about all of them, and proves none.
    """
    records = [one for one in records if not one.superseded]
    general = [r for r in records if r.evidence.kind == COMMAND and not r.evidence.supports]
    failed = any(one.fresh and one.evidence.failed for one in general)
    found = []
    for item in acceptance:
        says: dict[str, list[str]] = {}
        for one in records:
            for entry in one.evidence.supports:
                if entry.criterion in (item.id, item.text):
                    word = _SAYS[entry.verdict] if one.fresh else STALE
                    says.setdefault(word, []).append(one.evidence.id)
        for one in general:
            if not (failed or one.evidence.failed):
                says.setdefault(ASSUMED if one.fresh else STALE, []).append(one.evidence.id)
        best = max(says, key=_WORDS.index, default=OPEN)
        found.append(CriterionProof(item.id, item.text, best, tuple(says.get(best, ()))))
    return found


def summary(criteria: Sequence[CriterionProof]) -> str:
    """Count criteria: `1 of 3 criteria proved, 2 assumed`."""
    count = Counter(item.support for item in criteria)
    said = [f"{count[PROVED]} of {len(criteria)} criteria proved"]
    said += [f"{count[word]} {word}" for word in (ASSUMED, OPEN, CHALLENGED) if count[word]]
    return ", ".join(said)


def open_criteria(criteria: Sequence[CriterionProof]) -> list[str]:
    """Name the criteria that nothing speaks for."""
    return [item.criterion for item in criteria if item.support == OPEN]


def is_verified(acceptance: Sequence[Criterion], records: Iterable[Judged]) -> bool:
    """Whether anything was verified: a command passed, or somebody observed a criterion; of a task
    without criteria, anything at all.

    Stale evidence counts: that it is stale is said apart.
    """
    names = {name for item in acceptance for name in (item.id, item.text)}
    for judged in records:
        one = judged.evidence
        if judged.superseded or one.failed:
            continue
        good = {entry.criterion for entry in one.supports if entry.verdict != "challenges"}
        against = len(good) < len(one.supports)
        if one.kind == COMMAND or good & names or not (acceptance or against):
            return True
    return False


def unproved(commands: Sequence[str], records: Sequence[Judged]) -> list[str]:
    """The commands that no fresh record is about, in their order."""
    fresh = {one.evidence.command for one in records if one.counts}
    return [command for command in dict.fromkeys(commands) if command not in fresh]


def renewal(task: str, stale: Sequence[Evidence]) -> str:
    """Name the command that makes the evidence of `stale` anew: commands run again, and of what was
    observed a person says what is seen now.
    """
    if any(one.command for one in stale):
        return f"ralphgit evidence verify {task} --rerun"
    names = dict.fromkeys(entry.criterion for one in stale[:1] for entry in one.supports)
    return f"ralphgit evidence add {task} --shows TEXT" + "".join(
        f" --proves {shlex.quote(name)}" for name in names
    )
