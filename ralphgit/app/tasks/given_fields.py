"""Hold the fields that `add` and `edit` are given, and make of them what a task stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ralphgit.app.tasks import verify_entries
from ralphgit.errors import UsageError
from ralphgit.model import characters
from ralphgit.model.ids import is_id, parse_task_id
from ralphgit.model.paths import pattern_fault
from ralphgit.model.task_status import PRIORITIES
from ralphgit.rules.pattern_overlap import check_pattern

#: As the schema of a task has it, in US dollars.
MOST_BUDGET = 1_000_000


class Fields(NamedTuple):
    """The fields to set on a task; None leaves one as it is."""

    title: str | None = None
    story: str | None = None
    priority: int | None = None
    complexity: str | None = None
    depends_on: tuple[str, ...] | None = None
    description: str | None = None
    acceptance: tuple[str, ...] | None = None
    verify: tuple[str, ...] | None = None
    proves: tuple[str, ...] | None = None
    """`ID=CMD`: the criterion that a verify command proves."""
    outputs: tuple[str, ...] | None = None
    write: tuple[str, ...] | None = None
    read: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    mode: str | None = None
    milestone: str | None = None
    tags: tuple[str, ...] | None = None
    risk: str | None = None
    budget: float | None = None
    needs: tuple[str, ...] | None = None
    agent: str | None = None
    review: str | None = None


def stored(fields: Fields, old: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were given, as a task stores them and in that order; not the title.

    `old`: the task's block as it is.

    Raises: UsageError naming the option that is wrong.
    """
    for name, value in fields._asdict().items():
        if isinstance(value, str):
            require_text(name, value)
        elif isinstance(value, tuple):
            for text in value:
                require_text(name, text)
    if fields.title is not None and len(fields.title.splitlines()) > 1:
        raise UsageError("a title must be one line", hint="put the rest into --description")
    if fields.story is not None and not is_id(fields.story):
        raise UsageError(
            f"{fields.story!r} is not the id of a story", code="bad_id", hint="--story S-024"
        )
    for name, profile in (("agent", fields.agent), ("review", fields.review)):
        if profile is not None and not is_id(profile):
            raise UsageError(
                f"{profile!r} is not the name of a profile", code="bad_id",
                hint=f"--{name} NAME, of [agents.NAME] in ralph.toml",
            )  # fmt: skip
    if fields.priority is not None and fields.priority not in PRIORITIES:
        raise UsageError("priority must be a whole number from 0 to 5", hint="--priority 2")
    if fields.budget is not None and fields.budget > MOST_BUDGET:
        raise UsageError(f"a budget is at most {MOST_BUDGET} USD", hint="--budget 2.5")
    for other in fields.depends_on or ():
        parse_task_id(other)
    for need in fields.needs or ():
        if not is_id(need):
            raise UsageError(f"{need!r} is no need", code="bad_id", hint="--needs gpu")
    for pattern in (*(fields.write or ()), *(fields.read or ())):
        if wrong := check_pattern(pattern):
            raise UsageError(
                f"the pattern {pattern!r}: {wrong}", code="bad_pattern", hint="--write 'src/api/**'"
            )
    for path in fields.outputs or ():
        if fault := pattern_fault(path):
            hint = "--output src/api/client.ts"
            raise UsageError(f"the output {path!r} {fault}", code="bad_path", hint=hint)
    criteria = None
    if fields.acceptance is not None:
        criteria = [{"id": f"ACC-{n}", "text": text} for n, text in enumerate(fields.acceptance, 1)]
    scope = {"write": fields.write, "read": fields.read, "resources": fields.resources}
    scope_told = {name: list(items) for name, items in scope.items() if items is not None}
    told = {
        "story": fields.story,
        "priority": fields.priority,
        "complexity": fields.complexity,
        "depends_on": fields.depends_on and list(dict.fromkeys(fields.depends_on)),
        "description": fields.description,
        "acceptance": criteria,
        "verify": verify_entries.entries(
            fields.verify, fields.proves, criteria or old.get("acceptance"), old.get("verify")
        ),
        "outputs": fields.outputs and list(fields.outputs),
        "scope": scope_told or None,
        "mode": fields.mode,
        "milestone": fields.milestone,
        "tags": fields.tags and list(dict.fromkeys(fields.tags)),
        "risk": fields.risk,
        "budget": _short(fields.budget),
        "needs": fields.needs and list(dict.fromkeys(fields.needs)),
        "agent": fields.agent,
        "review": fields.review,
    }
    return {name: value for name, value in told.items() if value is not None}


def _short(amount: float | None) -> float | None:
    """2, and not 2.0: as a person writes it."""
    return int(amount) if amount is not None and amount.is_integer() else amount


def require_text(name: str, text: str) -> None:
    """Raises: UsageError for text that is empty or has what no text may hold."""
    if not text.strip():
        raise UsageError(f"{name} is empty", hint="edit --remove FIELD takes a field out")
    characters.refuse(name, text)
