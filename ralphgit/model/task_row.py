"""Define the slim form of a task: all that readiness and ordering need.

A NamedTuple and not a dataclass: 10,000 are made from cached columns in 4 ms, where
frozen dataclasses take 40.
"""

from typing import NamedTuple

#: Of a task that has none, from 0 (the most urgent) to 5.
DEFAULT_PRIORITY = 2


class Row(NamedTuple):
    id: str
    title: str
    status: str
    """Normalised: one of `Status`."""
    priority: int
    story: str
    mode: str
    depends_on: tuple[str, ...]
    write: tuple[str, ...]
    read: tuple[str, ...]
    resources: tuple[str, ...]
    needs: tuple[str, ...]
    epoch: int
    claim: str
    """The claim's id, "" without one; likewise the next four."""
    by: str
    at: str
    base: str
    contract: str
    mark: str
    """The id of the newest lifecycle record that is not the claim (result, blocked,
    reset, cancelled): with `claim` and `epoch` it tells two states of a task apart."""
    file: str
    """Path of the shard, relative to the top of the worktree, `/`-separated."""
    line: int
    """Of the task's first line, from 1."""
    start: int
    end: int
    """The task's text is `text[start:end]` of its shard, in characters."""
    texts: bytes | memoryview
    """The stored blocks of many tasks as JSON, in ASCII: few are ever asked for."""
    texts_start: int
    texts_end: int

    @property
    def json(self) -> str:
        """The stored block as a JSON object."""
        return str(self.texts[self.texts_start : self.texts_end], "ascii")

    @property
    def stage(self) -> tuple[str, str, int, str]:
        """Return what every lifecycle change changes: it is equal if nothing has changed."""
        return (self.status, self.claim, self.epoch, self.mark)
