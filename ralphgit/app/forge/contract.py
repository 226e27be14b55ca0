"""Define what every forge can be asked."""

from __future__ import annotations

import re
from typing import NamedTuple, NewType, Protocol

from ralphgit.model.pull_request import Check, PullSeen

PullName = NewType("PullName", str)
"""Names a pull request to a forge: its address, its number or its branch. Of what is noted it is
made by `places.named` alone: a worker can write the note, and the token goes to that host.
"""

_URL = re.compile(r"https?://[!-~]+")


class Request(NamedTuple):
    """A pull request that is to be opened."""

    branch: str
    base: str
    title: str
    body: str
    file: str
    """Holds `body`."""
    fork: str = ""
    """The repository that has `branch`, as owner/name, where it is another one than the base's."""

    @property
    def head(self) -> str:
        """The branch, with its owner before it where it is in a fork."""
        return f"{self.fork.partition('/')[0]}:{self.branch}" if self.fork else self.branch


class Forge(Protocol):
    """What a forge does for us.

    Every call is bounded in time, prompts nobody, and raises RemoteUnavailable, NeedsPerson
    (forge_login), RalphError (no_forge, forge_failed).
    """

    def find(self, branch: str) -> PullName | None:
        """Where the open pull request of a branch is to be seen; None if there is none."""

    def create(self, request: Request) -> str:
        """Open a pull request; where it is to be seen, "" where that is not told."""

    def look(self, pull: PullName) -> PullSeen:
        """How it is now."""

    def log(self, pull: PullName, check: Check) -> str:
        """What a failed check printed; "" where that cannot be had."""

    def merge_when_allowed(self, pull: PullName, method: str, commit: str) -> None:
        """Have the forge merge it as soon as its rules are met, and only while `commit` is its last
        one; again changes nothing.
        """

    def retarget(self, pull: PullName, base: str) -> None:
        """Have it merged into another branch."""

    def comment(self, pull: PullName, text: str) -> None:
        """Write `text`, Markdown, below it."""

    def merged_commit(self, pull: PullName) -> str:
        """The commit that it has become on its base; "" where it is not merged."""


def url_in(text: str) -> str:
    """The last address in what a program printed."""
    found = _URL.findall(text)
    return found[-1].rstrip(".,;)>\"'") if found else ""
