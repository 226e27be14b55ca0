"""Decide whether a task's scope is valid and overlaps that of an active task (SPEC 4)."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from ralphgit.model.task_row import Row

if TYPE_CHECKING:
    from ralphgit.rules.independence import Meeting


class BadPattern(NamedTuple):
    """A pattern in the scope of a task that cannot be understood."""

    task: str
    pattern: str
    why: str
    """As `check_pattern` says it."""
    place: str
    """File and line of the task."""

    @property
    def sentence(self) -> str:
        return f"{self.task} has a bad pattern in its scope: {self.pattern!r}: {self.why}"


def bad_pattern(row: Row) -> BadPattern | None:
    """The first pattern of what a task writes and reads that cannot be understood."""
    patterns = [p for p in (*row.write, *row.read) if _SIMPLE.fullmatch(p) is None]
    if not patterns:
        return None
    from ralphgit.rules.pattern_overlap import check_pattern

    for pattern in patterns:
        if why := check_pattern(pattern):
            return BadPattern(row.id, pattern, why, f"{row.file}:{row.line}")
    return None


class ActiveScopes(NamedTuple):
    """The scopes of the tasks in flight, made ready to be compared with thousands of others."""

    rows: tuple[Row, ...]
    resources: frozenset[str]
    heads: tuple[str, ...]
    """How the paths begin that they write, or need as a resource, sorted."""
    generated: tuple[str, ...]
    """Patterns of generated files, as they are configured."""

    @classmethod
    def of(cls, rows: Iterable[Row], generated: Iterable[str] = ()) -> "ActiveScopes":
        rows = tuple(rows)
        resources = frozenset(name for row in rows for name in row.resources)
        heads = {_head(pattern) for row in rows for pattern in row.write}
        heads.update(f"{name}/" for name in resources)
        return cls(rows, resources, tuple(sorted(heads)), tuple(generated))

    def is_clear(self, row: Row) -> bool:
        """True where a look at how the paths begin tells that `row` meets none of them, and
        that its scope is understood; where it is False, `bad_pattern` and `overlap` tell.
        """
        if row.read and bad_pattern(row):
            return False
        if row.resources:
            if not self.resources.isdisjoint(row.resources):
                return False
            if not all(self._is_free(f"{name}/") for name in row.resources):
                return False
        return all(self._is_free(_head(pattern)) for pattern in row.write)

    def _is_free(self, head: str) -> bool:
        """Whether no path that begins with `head` can be one of theirs."""
        if not head or head.startswith(self.heads):
            return False
        # Those that begin with `head` follow it in the order of letters.
        after = bisect_left(self.heads, head)
        return after == len(self.heads) or not self.heads[after].startswith(head)


class Overlap(NamedTuple):
    """A task in flight that touches what another one is to write, or needs its resource."""

    task: str
    other: str
    """The one in flight."""
    meetings: tuple["Meeting", ...]
    """Where the two meet; never empty, resources first."""

    @property
    def sentence(self) -> str:
        from ralphgit.rules.independence import DOES, RESOURCE

        task, other = self.task, f"{self.other}, which is in flight,"
        reason, mine, theirs, path = self.meetings[0]
        if reason == RESOURCE:
            shared = sorted(one.path for one in self.meetings if one.reason == RESOURCE)
            return f"{task} and {other} both need {', '.join(shared)}"
        uses = f"{DOES[mine.kind]} {mine.name}, and {other} {DOES[theirs.kind]} {theirs.name}"
        return f"{task} {uses}: both cover {path}"


def overlap(row: Row, active_scopes: ActiveScopes) -> Overlap | None:
    """The first task in flight that writes where `row` does, or needs the same resource.

    That is `rules.independence`, of which only some reasons count for a claim.
    """
    if active_scopes.is_clear(row):
        return None
    from ralphgit.rules.independence import CLAIM, meetings

    for other in active_scopes.rows:
        if other.id != row.id:
            found = meetings(row, other, reasons=CLAIM, generated=active_scopes.generated)
            if found:
                return Overlap(row.id, other.id, tuple(found))
    return None


def obstacle(row: Row, active_scopes: ActiveScopes) -> BadPattern | Overlap | None:
    """What in its own scope, or in flight, keeps a ready task from being claimed."""
    if active_scopes.is_clear(row):
        return None
    return bad_pattern(row) or overlap(row, active_scopes)


def beginnings(row: Row) -> set[str]:
    """What the paths begin with that `row` writes, or needs as a resource: unless one of them
    meets one of `ActiveScopes.heads`, or is "", its scope is clear.

    "" alone where the row itself has to be looked at: for what it needs of a worker, say.
    """
    if row.needs or (row.read and bad_pattern(row)):
        return {""}
    return {*map(_head, row.write), *(f"{name}/" for name in row.resources)}


# -- patterns that need no reading ---------------------------------------------------------

#: A pattern without anything but names and `*`: never wrong, and not written in two ways.
_SIMPLE = re.compile(r"[\w*-][\w*.-]*(?:/[\w*-][\w*.-]*)*/?", re.ASCII)


def _head(pattern: str) -> str:
    """What every path begins with that `pattern` covers, a `/` put after it; "" is unknown."""
    if _SIMPLE.fullmatch(pattern) is None:
        return ""
    before, star, _ = pattern.partition("*")
    return before if star or before.endswith("/") else before + "/"
