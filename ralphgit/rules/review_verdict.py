"""Decide whether work is reviewed: by somebody else, in its present form, with no objection."""

from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.model.review import CLEAR, OPEN, Finding, Review
from ralphgit.model.task import Task

HIGH = "high"
AGAINST = "changes-needed"


def asked(*tasks: Task | None) -> str:
    """Return why work lands only after a review, as the task is on the branch or on the base: its
    risk, or the profile that is to review it; "" where it need not be.
    """
    known = [one for one in tasks if one is not None]
    if any(one.risk == HIGH for one in known):
        return "risk: high"
    return next((f"review: {one.review}" for one in known if one.review), "")


def is_own_word(one: Review, model: str) -> bool:
    """Whether a review is a clear word of `model` on what it has done itself."""
    same = one.model.casefold() == model.casefold()
    return bool(model) and same and one.verdict == CLEAR


def against(reviews: Sequence[Review], *, worker: str, digest: str) -> Review | None:
    """Return the newest review of this very content that wants it changed, by somebody else than
    the worker, unless others have settled each of its findings; None where there is none.
    """
    found = standing(reviews, worker=worker, digest=digest)
    others = [one for one in reviews if one.by.casefold() != worker.casefold()]
    still_open = {one.review.id for one in open_findings(others)}
    wants = [one for one in found if one.verdict == AGAINST]
    wants = [one for one in wants if not one.findings or one.id in still_open]
    return wants[-1] if wants else None


def missing(reviews: Sequence[Review], *, worker: str, digest: str, not_by: str = "") -> str:
    """Why work of `worker` on content with this scope digest counts as not reviewed; "" if it is.

    `not_by`: the model whose clear word alone does not count, since it did the work.

    Of each reviewer the newest review of this very content counts. One must be clear, by somebody
    other than the worker, and none may ask for changes; of two in one second that one counts. What
    asks for changes counts no more once others than the worker have settled all that it found.
    """
    others = [one for one in reviews if one.by.casefold() != worker.casefold()]
    of_this = standing(reviews, worker=worker, digest=digest)
    if (one := against(reviews, worker=worker, digest=digest)) is not None:
        how = f", which {one.by} alone takes back"
        if one.findings:
            how = f"; {one.by} takes that back, or somebody settles what it found"
        return f"{one.by} asks for changes (review {one.id}){how}"
    counting = [one for one in of_this if not is_own_word(one, not_by)]
    if any(one.verdict == CLEAR for one in counting):
        return ""
    if of_this and not counting:
        return f"only {not_by}, which did the work itself, finds it clear"
    if others and not of_this:
        return "what was reviewed has changed since"
    if of_this:
        return f"no review of it is clear ({of_this[0].by}: {of_this[0].verdict})"
    return f"nobody but {worker} has reviewed it"


def standing(reviews: Sequence[Review], *, worker: str, digest: str) -> list[Review]:
    """List the newest review of this very content by each reviewer but the worker."""
    newest: dict[str, Review] = {}
    for one in sorted(reviews, key=_when):
        if one.subject and one.subject.scope_digest == digest:
            newest[one.by.casefold()] = one
    newest.pop(worker.casefold(), None)
    return list(newest.values())


def _when(one: Review) -> tuple[str, bool, str]:
    return one.at, one.verdict == AGAINST, one.id


class OpenFinding(NamedTuple):
    """A finding that nothing has become of yet."""

    review: Review
    finding: Finding


def open_findings(reviews: Sequence[Review]) -> list[OpenFinding]:
    """The findings that are open, after what later reviews say became of them."""
    disposed: dict[tuple[str, str], str] = {}
    for one in sorted(reviews, key=lambda one: (one.at, one.id)):
        for entry in one.disposes:
            disposed[entry.review, entry.finding] = entry.disposition
    return [
        OpenFinding(one, finding)
        for one in reviews
        for finding in one.findings
        if disposed.get((one.id, finding.id), finding.disposition) == OPEN
    ]
