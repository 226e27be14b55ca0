"""Define evidence: what was observed about a task, bound to the observed content (SPEC 3.2)."""

from typing import NamedTuple

VERDICTS = ("supports", "challenges", "partially-supports")
COMMAND, ARTIFACT, OBSERVATION, REVIEW = "command", "artifact", "observation", "review"


class Support(NamedTuple):
    """What an observation says about one criterion."""

    criterion: str
    """The criterion's id, or its text."""
    verdict: str
    """One of VERDICTS."""


class Subject(NamedTuple):
    """The content that was judged."""

    commit: str
    """What was checked out."""
    tree: str
    """All of the content, changes that were not committed included."""
    scope_digest: str
    """Over the files in the task's scope: the evidence is stale once it differs."""


class Output(NamedTuple):
    """What a command printed, stdout and stderr as they came."""

    sha256: str
    """Of all of it."""
    bytes: int
    tail: str
    """The end of it, redacted."""


class Artifact(NamedTuple):
    """A file that shows something."""

    path: str
    """From the top of the worktree."""
    sha256: str
    bytes: int


class Evidence(NamedTuple):
    """One observation. Never edited: observing again writes another."""

    id: str
    task: str
    kind: str
    """COMMAND, ARTIFACT, OBSERVATION or REVIEW."""
    claim: str = ""
    """The claim that the task had then; "" where it had none."""
    supports: tuple[Support, ...] = ()
    shows: str = ""
    does_not_show: str = ""
    by: str = ""
    """Who observed, where it was no command."""
    at: str = ""
    """When, in UTC; of a command when it was started."""
    command: str = ""
    command_digest: str = ""
    exit_code: int | None = None
    duration_s: float | None = None
    output: Output | None = None
    artifact: Artifact | None = None
    subject: Subject | None = None
    before: int | None = None
    """What a command exited with on the base without the work; None where it was not asked."""

    @property
    def passed_before(self) -> bool:
        """Whether it is a command that passes, and did without the work: it proves nothing new."""
        return (self.exit_code, self.before) == (0, 0)

    @property
    def failed(self) -> bool:
        """Whether it is a command that did not pass."""
        return self.kind == COMMAND and self.exit_code != 0
