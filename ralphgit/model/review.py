"""Define reviews of the work on a task (SPEC 3.3)."""

from typing import NamedTuple

from ralphgit.model.evidence import Subject
from ralphgit.model.task import Usage

VERDICTS = ("clear", "concerns", "changes-needed", "inconclusive")
CLEAR = "clear"
DISPOSITIONS = ("open", "fixed", "accepted", "superseded", "converted", "rejected")
OPEN = "open"


class Finding(NamedTuple):
    """One thing that a review found."""

    id: str
    """FIND-1, FIND-2, ..., unique within the review."""
    severity: str
    text: str
    disposition: str = OPEN


class Disposal(NamedTuple):
    """What became of a finding of an earlier review: that record is not edited."""

    review: str
    finding: str
    disposition: str


class Review(NamedTuple):
    """A reviewer's verdict on the work on a task."""

    id: str
    task: str
    by: str
    at: str
    target: str
    """What was reviewed: a commit, a range, a file."""
    verdict: str
    claim: str = ""
    lenses: tuple[str, ...] = ()
    """The points of view that were taken."""
    context_reviewed: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    disposes: tuple[Disposal, ...] = ()
    residual_risk: str = ""
    subject: Subject | None = None
    """The content that was reviewed, as evidence has it."""
    model: str = ""
    """The model that reviewed it, where its agent said so."""
    usage: Usage | None = None
    """What the reviewer has used for it, where its agent said it."""
