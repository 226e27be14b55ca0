"""Offer the files that a source names as the scope of a task."""

from __future__ import annotations

from collections.abc import Sequence

from ralphgit.records.importers.parts import paths_in_prose


def suggestion(paths: Sequence[str], more: str = "") -> dict[str, object]:
    """`paths`, as they are named, as a write scope that is offered.

    `more` is what the source names besides, and is no path ("any callers of it"): as a scope, the
    paths would forbid that.
    """
    write = list(dict.fromkeys(map(paths_in_prose.pattern, paths)))
    return {"write": write, "open": more} if more else {"write": write}
