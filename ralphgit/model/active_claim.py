"""Define active claims: claims and results that the base does not have (yet)."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ralphgit.model.pull_request import Pull
else:
    # A field's type is nothing at run time, and to import this one takes a 30th of `next`.
    Pull = object

#: The folder of refs that keep the work of claims which were given up or lost, by task.
RESCUE = "refs/ralph/rescue/"


class ActiveClaim(NamedTuple):
    """One place where a task has another state than on the base."""

    task: str
    status: str
    """`Status` in that place; a lease counts as in-progress."""
    claim: str
    by: str
    at: str
    epoch: int
    kind: str
    """lease, worktree (not committed) or branch."""
    where: str
    """For people: "worktree ../proj-beta", "branch origin/feature/beta"."""
    path: str = ""
    """The worktree's folder, where one is known."""
    stale: bool = False
    """Its holder is gone, or has gone silent."""
    note: str = ""
    """What a blocked task asks."""
    stored: str = ""
    """The block of a blocked task as it is there, as JSON."""
    ref: str = ""
    """Full name of the branch, for kind branch; remote-tracking ones too."""
    base: str = ""
    """The commit of the base that the claim was made from, abbreviated; "" where it is unknown."""
    pull: Pull | None = None
    """Its pull request, where one of this machine's worktrees has it noted."""


class Lease(NamedTuple):
    """What a lease ref points at: enough to write the claim's record again."""

    task: str
    claim: str
    by: str
    at: str
    base: str
    contract: str
    epoch: int
    start: str
    """HEAD when the claim was made: the task's own work begins there."""
    branch: str
    worktree: str
    """The worktree's folder, absolute."""
    host: str
    unsynchronised: bool = False
    loop: str = ""
    """The process of the loop that made the claim; "" of one by hand, which beats nowhere."""
    base_branch: str = ""
    """The branch that decides; "" in leases of before there could be another."""
    oid: str = ""
    """The object behind the ref; not part of the record itself."""
    is_taken_back: bool = False
    """The base had the claim, and has it no longer (law L12); not part of the record either."""


class TakenBack(NamedTuple):
    """A claim that was on the base and is not any more."""

    task: str
    claim: str
    commit: str = ""
    """What took it back; "" where no commit did, or where it is unknown."""
    by: str = ""
    """The author's name of that commit."""
    at: str = ""
    is_rewritten: bool = False
    """The base's history was rewritten: it has not the commits that brought the claim."""

    def sentence(self, base: str) -> str:
        """Say so; `base` is the name of the base."""
        said = f"it was taken back on {base}, where it was before"
        if self.is_rewritten:
            return f"{said}: the history of {base} was rewritten"
        return f"{said}, in {self.commit[:12]} by {self.by}" if self.commit else said
