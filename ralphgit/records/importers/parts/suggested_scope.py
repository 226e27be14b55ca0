"""Offer the files that a source names as the scope of a task, until somebody takes it."""

from __future__ import annotations

from collections.abc import Sequence

from ralphgit.records.importers.parts import paths_in_prose

#: Where an offered scope stands; `edit ID --take-scope` makes it the task's own.
SUGGESTED = "x-suggested-scope"


def suggestion(paths: Sequence[str]) -> dict[str, object]:
    """`paths`, as they are named, as a write scope that is offered."""
    return {"write": list(dict.fromkeys(map(paths_in_prose.pattern, paths)))}
