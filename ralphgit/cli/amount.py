"""How much of a long list is shown."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from ralphgit.cli.shared_options import MOST

Item = TypeVar("Item")


class Amount(NamedTuple):
    """The options of a command that lists."""

    limit: int | None = None
    all: bool = False

    def first(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the beginning of a list."""
        return items[: self._most(len(items))]

    def last(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the end of a list, in which the newest comes last."""
        return items[len(items) - self._most(len(items)) :]

    def left_off(self, count: int) -> str:
        """Say that not all of so many are shown; "" where they are."""
        most = self._most(count)
        return f"{most} of {count} shown; --all shows all" if most < count else ""

    def _most(self, count: int) -> int:
        return count if self.all else min(count, MOST if self.limit is None else self.limit)
