"""Define the index of a graph, in which a few tasks are found without a look at the others.

What an index says follows from the rows alone: where a task stands, which ones may be taken
while nothing is in flight, and what of them a claim in flight may touch. Tasks are numbered
from 0 in the order of the graph. Digests narrow a search; the row itself decides.
"""

import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

#: Of a task without a story, in the place of the number of its story's first task.
NO_STORY = 0xFFFFFFFF
#: What a task is while nothing is in flight, by its letter in `kinds`.
WAITING, READY, CANCELLED, IN_PROGRESS, BLOCKED = b"w", b"r", b"x", b"p", b"b"
#: Complete under a claim, and without one.
CLAIMED, UNCLAIMED = b"c", b"u"
_STATES = {
    WAITING: "waiting", READY: "ready", CANCELLED: "cancelled", IN_PROGRESS: "in-progress",
    BLOCKED: "blocked", CLAIMED: "complete", UNCLAIMED: "complete",
}  # fmt: skip


class GraphIndex(NamedTuple):
    """A graph summed up. Every number is one of a task, 4 bytes of the machine's order."""

    kinds: bytes | memoryview
    """A letter for each task."""
    priorities: bytes | memoryview
    """Of each task."""
    firsts: Sequence[int]
    """For each task the first one of its story, or NO_STORY."""
    by_story: Sequence[int]
    """The tasks that have a story, ordered by its first one and then by their own number."""
    id_digests: Sequence[int]
    """Of every id, ascending."""
    id_numbers: Sequence[int]
    """The tasks in the same order."""
    story_digests: Sequence[int]
    """Of every story's name, ascending."""
    story_numbers: Sequence[int]
    """Each story's first task in the same order."""
    order: Sequence[int]
    """What is ready, in the order in which it would be taken."""
    head_numbers: Sequence[int]
    """What is ready, once for each beginning of paths that it touches, ordered by these."""
    head_ends: Sequence[int]
    """Where each of these beginnings ends in `heads`."""
    heads: bytes | memoryview
    unmet: Sequence[int]
    """The tasks that depend on one that is not in the graph."""

    @property
    def size(self) -> int:
        """How many tasks there are."""
        return len(self.kinds)

    def numbers(self, kinds: bytes) -> list[int]:
        """The tasks of one of these kinds, ascending."""
        whole = bytes(self.kinds)
        found: list[int] = []
        for kind in kinds:
            at = whole.find(kind)
            while at >= 0:
                found.append(at)
                at = whole.find(kind, at + 1)
        return sorted(found)

    def counts(self) -> dict[str, int]:
        """How many tasks are in each state while nothing is in flight."""
        whole = bytes(self.kinds)
        found: dict[str, int] = {}
        for kind, state in _STATES.items():
            found[state] = found.get(state, 0) + whole.count(kind)
        return found

    def with_id(self, task: str) -> Iterator[int]:
        """The tasks whose id may be `task`."""
        yield from _at(self.id_digests, self.id_numbers, digest(task))

    def begins(self, story: str) -> Iterator[int]:
        """The first tasks of stories whose name may be `story`."""
        yield from _at(self.story_digests, self.story_numbers, digest(story))

    def of_story(self, first: int) -> Sequence[int]:
        """The tasks of the story that begins with task `first`."""
        place = self.firsts.__getitem__
        begin = bisect_left(self.by_story, first, key=place)
        return self.by_story[begin : bisect_right(self.by_story, first, begin, key=place)]

    def place(self, number: int) -> tuple[int, int, int]:
        """What orders the tasks that may be taken: `readiness.order`."""
        return self.priorities[number], self.firsts[number], number

    def near(self, heads: Iterable[str]) -> set[int]:
        """What is ready and may touch a path that begins with one of `heads`, or whose own
        beginnings tell nothing.
        """
        found = set(self._beginning(b""))
        for head in heads:
            found.update(self._meeting(head.encode()))
        return found

    def _beginning(self, head: bytes) -> Iterator[int]:
        """What is ready and touches exactly the beginning `head`."""
        at = bisect_left(range(len(self.head_ends)), head, key=self._head)
        while at < len(self.head_ends) and self._head(at) == head:
            yield self.head_numbers[at]
            at += 1

    def _meeting(self, head: bytes) -> Iterator[int]:
        """What is ready and touches a beginning that `head` begins with, or that begins with it."""
        entries = range(len(self.head_ends))
        at = bisect_left(entries, head, key=self._head)
        while at < len(entries) and self._head(at).startswith(head):
            yield self.head_numbers[at]
            at += 1
        # Then the shorter ones: each is the last entry that is not behind what is left of `head`.
        left = head
        while left:
            at = bisect_right(entries, left, key=self._head) - 1
            if at < 0:
                return
            found = self._head(at)
            if head.startswith(found):
                yield from self._beginning(found) if found else ()
                left = found[:-1]
            else:
                left = left[: _common(left, found)]

    def _head(self, at: int) -> bytes:
        return bytes(self.heads[self.head_ends[at - 1] if at else 0 : self.head_ends[at]])


def state(kind: bytes | memoryview) -> str:
    """The state that a letter of `kinds` says."""
    return _STATES[bytes(kind)]


def kinds(state: str) -> bytes:
    """The letters of a state."""
    return b"".join(kind for kind, name in _STATES.items() if name == state)


def _common(a: bytes, b: bytes) -> int:
    """How many bytes two texts begin with that are the same."""
    length = min(len(a), len(b))
    return next((n for n in range(length) if a[n] != b[n]), length)


def digest(text: str) -> int:
    return binascii.crc32(text.encode("utf-8", "surrogateescape"))


def _at(digests: Sequence[int], numbers: Sequence[int], wanted: int) -> Iterator[int]:
    at = bisect_left(digests, wanted)
    while at < len(digests) and digests[at] == wanted:
        yield numbers[at]
        at += 1
