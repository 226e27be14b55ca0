"""What forbids a claim although nobody holds the task (SPEC 4, preflight)."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ralphgit.model.task_row import Row
from ralphgit.rules.readiness import TaskState


class Refusal(NamedTuple):
    """A guard that says no."""

    code: str
    message: str
    hint: str
    related: tuple[str, ...] = ()
    """Ids of the tasks it is about."""


def dependencies(
    row: Row, base: Mapping[str, Row], here: Mapping[str, Row] | None
) -> Refusal | None:
    """Every dependency is complete on the base, or in `here` where that is accepted too."""
    open_ = [other for other in row.depends_on if not _complete(other, base)]
    if here is not None:
        open_ = [other for other in open_ if not _complete(other, here)]
    if not open_:
        return None
    unknown = [other for other in open_ if other not in base]
    names = ", ".join(f"{other} (unknown)" if other in unknown else other for other in open_)
    return Refusal(
        "dependencies_incomplete",
        f"{row.id} depends on what is not complete on the base: {names}",
        "ralphgit next; --stack accepts what is complete on this branch",
        tuple(open_),
    )


def _complete(task: str, rows: Mapping[str, Row]) -> bool:
    return task in rows and rows[task].status == "complete"


def contract(row: Row) -> Refusal | None:
    """What the task may write and read is said in patterns that can be understood."""
    patterns = [p for p in (*row.write, *row.read) if _SIMPLE.fullmatch(p) is None]
    if not patterns:
        return None
    from ralphgit.rules.pattern_overlap import check_pattern

    for pattern in patterns:
        if wrong := check_pattern(pattern):
            return Refusal(
                "contract_invalid",
                f"{row.id} has a scope that means nothing: {pattern!r}: {wrong}",
                f"mend it where {row.id} stands: {row.file}:{row.line}",
            )
    return None


def mode(row: Row, task_state: TaskState) -> Refusal | None:
    """The task's mode lets it run now, beside what runs of its story."""
    others = [other for other in task_state.blocked_on if other not in row.depends_on]
    if not others:
        return None
    return Refusal(
        "mode",
        f"{row.id} (mode {row.mode}) must not run beside, or before, {', '.join(others)}",
        "ralphgit next",
        tuple(others),
    )


class ActiveScopes(NamedTuple):
    """The tasks in flight, made ready to be compared with thousands of others."""

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
        that its scope is understood; where it is False, `contract` and `overlap` tell.
        """
        if row.read and contract(row):
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


def overlap(row: Row, active_scopes: ActiveScopes) -> Refusal | None:
    """No task in flight may write where this one writes, or needs the same resource.

    That is `rules.independence`, of which only some reasons count for a claim.
    """
    if active_scopes.is_clear(row):
        return None
    from ralphgit.rules.independence import CLAIM, DOES, RESOURCE, meetings

    for other in active_scopes.rows:
        if other.id == row.id:
            continue
        found = meetings(row, other, reasons=CLAIM, generated=active_scopes.generated)
        if not found:
            continue
        reason, mine, theirs, path = found[0]
        if reason == RESOURCE:
            shared = sorted(meeting.path for meeting in found if meeting.reason == RESOURCE)
            message = f"{row.id} and {other.id}, which is in flight, both need {', '.join(shared)}"
        else:
            message = (
                f"{row.id} {DOES[mine.kind]} {mine.name}, and {other.id}, which is in flight, "
                f"{DOES[theirs.kind]} {theirs.name}: both cover {path}"
            )
        return Refusal("scope_overlap", message, "ralphgit next", (other.id,))
    return None


# -- patterns that need no reading ---------------------------------------------------------

#: A pattern without anything but names and `*`: never wrong, and not written in two ways.
_SIMPLE = re.compile(r"[\w*-][\w*.-]*(?:/[\w*-][\w*.-]*)*/?", re.ASCII)


def _head(pattern: str) -> str:
    """What every path begins with that `pattern` covers, a `/` put after it; "" is unknown."""
    if _SIMPLE.fullmatch(pattern) is None:
        return ""
    before, star, _ = pattern.partition("*")
    return before if star or before.endswith("/") else before + "/"
