"""A value as it stands on the two sides of a merge and where they part."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
U = TypeVar("U")


class Side(StrEnum):
    """The two sides as git numbers them: stage 2 of the index is ours, stage 3 is theirs."""

    OURS = "ours"
    THEIRS = "theirs"

    @property
    def other(self) -> Side:
        return Side.THEIRS if self is Side.OURS else Side.OURS


class ThreeWay(NamedTuple, Generic[T]):
    """The ancestor's value and each side's; a side that has none says so in `T` itself."""

    ancestor: T
    ours: T
    theirs: T

    def map(self, change: Callable[[T], U]) -> ThreeWay[U]:
        return ThreeWay(change(self.ancestor), change(self.ours), change(self.theirs))

    def of(self, side: Side) -> T:
        return self.ours if side is Side.OURS else self.theirs

    def decided(self) -> Side | None:
        """The side whose value stands where at most one has changed it; None where both have.

        Where both have the same, either may be taken: it is told as ours.
        """
        if self.ours == self.theirs or self.theirs == self.ancestor:
            return Side.OURS
        return Side.THEIRS if self.ours == self.ancestor else None
