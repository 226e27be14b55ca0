"""What can become of something that both sides of a merge have changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.model.three_way import Side


class Question(NamedTuple):
    """Why a task, a file or a record is left to a person."""

    code: str
    """One of the codes in docs/resolve.md."""
    about: tuple[str, ...] = ()
    """The fields, or the files, that it is about."""


class Join(NamedTuple):
    """How a task that both sides have changed is put together."""

    life: Side
    """Whose lifecycle fields stand."""
    fields: Mapping[str, Side]
    """Whose value of each other field stands; where that side has none, the field is gone."""
    values: Mapping[str, object]
    """Fields that are made of both."""
    order: tuple[str, ...]
    """All fields of the result."""
