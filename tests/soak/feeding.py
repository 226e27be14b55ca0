"""A plan that grows while loops work: tasks come by stories, and finished stories are archived."""

from __future__ import annotations

import time

from world import Place, Result

from soak import history
from soak.field import Field, graph

#: Seconds from one look at the base to the next.
_EVERY = 0.5
#: Landings come between a commit and its push: how often it is tried.
_TRIES = 200


class Feeder:
    """Somebody who plans in a clone of his own, and pushes to the base.

    The graph has some two stories of `share` tasks at a time, however many there are in all.
    """

    def __init__(self, field: Field, *, tasks: int, share: int, sleep: float) -> None:
        self._field, self._tasks, self._share, self._sleep = field, tasks, share, sleep
        folder = field.world.folder
        field.world.git("clone", "--quiet", field.address, str(folder / "planner"))
        self._clone = Place(folder / "planner", field.world.environ, field.world)
        self._stories, self._next = 1, 0.0

    @property
    def given(self) -> int:
        """How many tasks there have been."""
        return min(self._tasks, self._stories * self._share)

    def feed(self) -> None:
        """Plan the next story where little is left to do, and archive the one before the last."""
        if self.given == self._tasks or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        states = history.live(self._field.world, self._field.base())
        if states.total() - states["complete"] > self._share // 2:
            return
        first, number = self.given, self._stories
        self._stories += 1
        text = graph(self.given, sleep=self._sleep, first=first, share=self._share)
        self._update()
        self._clone.write(f"graph/S-{number}.yaml", text)
        self._clone.commit(f"Plan story S-{number}")
        self._push()
        if number > 1:
            # What live tasks depended on when its story was archived follows with the next one.
            for story in (f"S-{number - 2}", f"S-{number - 3}")[: number - 1]:
                done = self._clone.ralph("archive", "--older-than", "0", "--story", story)
                assert done.code == 0, done.err
            self._push()

    def _update(self) -> None:
        self._clone.git("pull", "--quiet", "--rebase")

    def _push(self) -> None:
        said: Result | None = None
        for _ in range(_TRIES):
            said = self._clone.run("git", "push", "--quiet", "origin", "main")
            if said.code == 0:
                return
            self._update()
        raise AssertionError(f"{_TRIES} pushes were refused, at last: {said.err if said else ''}")
