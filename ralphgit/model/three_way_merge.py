"""Define a three-way merge: the ancestor's value, each side's, and what becomes of them."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
U = TypeVar("U")


class Side(StrEnum):
    """The two sides as git numbers them: stage 2 of the index is ours, stage 3 is theirs."""

    OURS = "ours"
    THEIRS = "theirs"

    @property
    def other(self) -> "Side":
        return Side.THEIRS if self is Side.OURS else Side.OURS


class ThreeWay(NamedTuple, Generic[T]):
    """The ancestor's value and each side's; a side that has none says so in `T` itself."""

    ancestor: T
    ours: T
    theirs: T

    def map(self, change: Callable[[T], U]) -> "ThreeWay[U]":
        return ThreeWay(change(self.ancestor), change(self.ours), change(self.theirs))

    def of(self, side: Side) -> T:
        return self.ours if side is Side.OURS else self.theirs

    def decided(self) -> Side | None:
        """Return the side whose value wins if at most one has changed it; None if both have.

        If both have the same value, it is ours.
        """
        if self.ours == self.theirs or self.theirs == self.ancestor:
            return Side.OURS
        return Side.THEIRS if self.ours == self.ancestor else None


class Question(NamedTuple):
    """Why a task, a file or a record is left to a person."""

    code: str
    """One of the codes in docs/resolve.md."""
    about: tuple[str, ...] = ()
    """The fields, or the files, that it is about."""


class Join(NamedTuple):
    """How a task that both sides have changed is put together."""

    life: Side
    """Whose lifecycle fields win."""
    fields: Mapping[str, Side]
    """Whose value of each other field wins; if that side has none, the field is gone."""
    values: Mapping[str, object]
    """Fields that are made of both."""
    order: tuple[str, ...]
    """All fields of the result."""
