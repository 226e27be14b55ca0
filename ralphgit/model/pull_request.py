"""Define pull requests: what a forge says of one, and what is noted of those of this machine."""

from enum import StrEnum
from typing import NamedTuple


class PullState(StrEnum):
    """How far a pull request is; of several that hold the first one of these is said."""

    MERGED = "merged"
    """The forge has merged it; the base here may not have it yet."""
    CLOSED = "closed"
    """Somebody has closed it without merging it."""
    CONFLICT = "conflict"
    """It does not merge into the base."""
    FAILED = "failed"
    """Checks of its last commit have failed."""
    CHANGES = "changes"
    """A reviewer asks for changes."""
    COMMENTED = "commented"
    """Somebody has written something; nothing waits for an answer."""
    OPEN = "open"
    FIXING = "fixing"
    """The agent works on it again."""
    PUSHED = "pushed"
    """Its branch is on the remote, and there may be no pull request yet."""


#: Nothing goes on before somebody acts.
WAITING = frozenset((PullState.CLOSED, PullState.CONFLICT, PullState.FAILED, PullState.CHANGES))


class Said(NamedTuple):
    """What somebody wrote in a pull request."""

    by: str
    at: str
    """ISO 8601, as the forge has it."""
    text: str
    where: str = ""
    """The file and line that it is about; "" for none."""


class Check(NamedTuple):
    """A check of a commit that has failed."""

    name: str
    url: str = ""
    job: str = ""
    """By which the forge knows its log; "" where it has none."""


class PullSeen(NamedTuple):
    """A pull request, as its forge shows it at one moment."""

    state: PullState
    """OPEN, MERGED or CLOSED."""
    url: str
    number: str
    base: str
    """The branch that it is to be merged into."""
    commit: str
    """The last one of its branch that the forge knows."""
    conflicts: bool = False
    failed: tuple[Check, ...] = ()
    changes: tuple[Said, ...] = ()
    """Reviews that ask for changes and still count."""
    comments: tuple[Said, ...] = ()


class Pull(NamedTuple):
    """A completed task whose branch is on the remote."""

    task: str
    claim: str
    by: str
    epoch: int
    branch: str
    """Short name, on the remote; and here, unless the work was done on another one."""
    commit: str
    """What was pushed."""
    via: str
    url: str = ""
    state: PullState = PullState.PUSHED
    about: str = ""
    """More of that in a few words: the failed checks, the paths, who asks."""
    told: str = ""
    """What the loop has told of it last."""
    heard: str = ""
    """When the newest of what reviewers wrote was written that has been answered by a push."""
    hears: str = ""
    """The same of what the agent is working on."""
    cause: str = ""
    """The state for which it works on it."""
    at: str = ""
    """Since when it is in that state, as we have seen it; RFC 3339."""
    fixes: int = 0
    """How often the agent was given it back."""
    asks: str = ""
    """Why it gave up, or what it asks."""
    base: str = ""
    """The branch that it is to be merged into, where that is not the base."""

    @property
    def waits(self) -> bool:
        """Whether nothing goes on before somebody acts."""
        return self.state in WAITING

    @property
    def event(self) -> str:
        """The state as an event: `pr-failed`."""
        return f"pr-{self.state}"

    @property
    def words(self) -> str:
        """The state and what it is about, for people."""
        what = _WORDS.get(self.state, str(self.state))
        return f"{what}: {self.about}" if self.about else what

    @property
    def is_at_forge(self) -> bool:
        """Whether it stands as it was pushed, and its pull request is open or has ended."""
        return self.state not in (PullState.PUSHED, PullState.FIXING)

    @property
    def place(self) -> str:
        """Its address; where that is not known, its branch."""
        return self.url or self.branch

    def stored(self) -> dict[str, object]:
        """As JSON output has it."""
        return {
            "state": str(self.state), "about": self.about, "url": self.url or None,
            "branch": self.branch, "since": self.at or None, "fixes": self.fixes,
        }  # fmt: skip


_WORDS = {
    PullState.PUSHED: "pushed",
    PullState.CONFLICT: "conflicts with the base",
    PullState.FAILED: "checks failed",
    PullState.CHANGES: "changes requested",
}


def judged(
    seen: PullSeen, *, commit: str, heard: str = "", paths: tuple[str, ...] = ()
) -> tuple[PullState, str]:
    """The state of a pull request of which `commit` was pushed, and what it is about.

    `paths`: where it does not merge into the base as that is known here. What was written until
    `heard` has been answered. Of another commit than `commit` the checks say nothing.
    """
    if seen.state is not PullState.OPEN:
        return seen.state, ""
    if seen.conflicts or paths:
        return PullState.CONFLICT, _some(paths)
    if seen.failed and seen.commit in ("", commit):
        return PullState.FAILED, _some([check.name for check in seen.failed])
    for state, words in ((PullState.CHANGES, seen.changes), (PullState.COMMENTED, seen.comments)):
        if new := [said.by for said in words if said.at > heard]:
            return state, _some(list(dict.fromkeys(new)))
    return PullState.OPEN, ""


_MOST = 5


def _some(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
