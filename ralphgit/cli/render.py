"""Show results and errors as text for people, or as one JSON object for programs.

Everything that comes from a repository is untrusted, and shown `safe`.
"""

import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from ralphgit.errors import RalphError
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.printable import safe as safe
from ralphgit.model.printable import safe_lines as safe_lines
from ralphgit.model.task_row import Row
from ralphgit.rules.readiness import TaskState

SCHEMA_VERSION = 1


def encoded(value: object) -> str:
    """Encode `value` as JSON. Raises: ValueError for a number that is not finite: JSON has none."""
    import json  # what people read needs none of it

    return json.dumps(value, allow_nan=False)


class Json(str):
    """Text that is JSON already."""

    __slots__ = ()


class Table(NamedTuple):
    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    labelled: bool = False
    """Show the headers off a terminal, too: it stands among other lines, and no program cuts it."""


class Outcome(NamedTuple):
    """What a command found or did."""

    data: object
    """For --json: anything `json` can write, or `Json`."""
    before: Sequence[str] = ()
    table: Table | None = None
    after: Sequence[str] = ()
    error: RalphError | None = None
    """A valid "no": exit code and JSON error beside the data."""
    advice: Sequence[str] = ()
    """What it means and what comes next; not said with -q."""
    left_off: str = ""
    """How much of a list is shown, where that is not all of it; said on stderr, not with -q."""
    last: str = ""
    """A line for programs that follow the text: nothing comes after it, on stderr neither."""


class Screen(NamedTuple):
    """How to show things."""

    json: bool
    quiet: bool
    verbose: bool
    terminal: bool
    colour: bool


def telling(screen: Screen) -> Callable[[str], None]:
    """Return a function that shows progress on stderr; with -q it shows nothing."""

    def say(text: str) -> None:
        if not screen.quiet:
            print(safe(text), file=sys.stderr, flush=True)

    return say


def show(outcome: Outcome, kind: str, warnings: Sequence[str], screen: Screen) -> None:
    """Print a result: stdout gets the result, stderr everything else."""
    if screen.json:
        print(envelope(kind, outcome.data, warnings, outcome.error))
        return
    _warn(warnings, screen)
    for line in outcome.before:
        print(line)
    if outcome.table is not None:
        _table(outcome.table, screen)
    for line in outcome.after:
        print(line)
    if not screen.quiet:
        for line in outcome.advice:
            print(line)
    if outcome.left_off and not screen.quiet:
        sys.stdout.flush()
        print(outcome.left_off, file=sys.stderr)
    if outcome.error is not None:
        sys.stdout.flush()  # the findings come before the error about them
        _explain(outcome.error, screen)
    if outcome.last:
        print(outcome.last)


def fail(error: RalphError, kind: str, warnings: Sequence[str], screen: Screen) -> None:
    """Print a refusal."""
    if screen.json:
        print(envelope(kind, error.data, warnings, error))
        return
    _warn(warnings, screen)
    _explain(error, screen)


def _explain(error: RalphError, screen: Screen) -> None:
    if not str(error):
        return
    red, plain = ("\x1b[31m", "\x1b[0m") if screen.colour else ("", "")
    word = f"{red}error:{plain} " if error.is_fault else ""
    print(f"{word}{safe(str(error))}", file=sys.stderr)
    for line in error.lines:
        print(f"  {safe(line)}", file=sys.stderr)
    if error.hint:
        print(f"hint: {safe(error.hint)}", file=sys.stderr)


def _warn(warnings: Sequence[str], screen: Screen) -> None:
    if not screen.quiet:
        for sentence in warnings:
            print(f"warning: {safe(sentence)}", file=sys.stderr)


def envelope(kind: str, data: object, warnings: Sequence[str], error: RalphError | None) -> str:
    """Encode the one JSON object of SPEC 6."""
    told = data if isinstance(data, Json) else encoded(data)
    failure: dict[str, object] | None = None
    if error is not None:
        failure = {"code": error.code, "exit": error.exit_code, "message": error.message}
        failure |= {**error.details, "hint": error.hint}
    text = (
        f'{{"schema_version": {SCHEMA_VERSION}, "kind": {encoded(kind)}, '
        f'"ok": {"false" if error else "true"}, "data": {told}, '
        f'"warnings": {encoded(list(warnings))}, "error": {encoded(failure)}}}'
    )
    return text.replace("\x7f", "\\u007f")


def _table(table: Table, screen: Screen) -> None:
    rows = [tuple(map(safe, row)) for row in table.rows]
    if not screen.terminal:
        styles = _CODES if screen.colour else {}
        for row in [table.headers, *rows] if table.labelled and rows else rows:
            print("\t".join(_styled(cell, styles.get(_STYLES.get(cell, ""), "")) for cell in row))
        return
    if not rows:
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, header in enumerate(table.headers):
        drawn.add_column(header, overflow="fold", ratio=None, no_wrap=number == 0)
    for row in rows:
        drawn.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console(no_color=not screen.colour, highlight=False).print(drawn)


_STYLES = {
    "ready": "green", "blocked": "red", "in-progress": "yellow", "claimed": "yellow",
    "in-review": "cyan", "complete": "dim", "cancelled": "dim",
}  # fmt: skip
_CODES = {"green": "32", "red": "31", "yellow": "33", "cyan": "36", "dim": "2"}


def _styled(cell: str, code: str) -> str:
    return f"\x1b[{code}m{cell}\x1b[0m" if code else cell


# -- tasks -------------------------------------------------------------------------------


def holder_of(active: ActiveClaim | None) -> dict[str, object] | None:
    """Return a holder for JSON; None if a task was cancelled without being claimed."""
    if active is None or not active.by:
        return None
    return {
        "worker": active.by, "where": active.where, "since": active.at,
        "claim": active.claim, "kind": active.kind,
        "pull_request": active.pull.stored() if active.pull is not None else None,
    }  # fmt: skip


_FREE = '"holder": null, "stale": false, "blocked_on": []'


def task_json(row: Row, task_state: TaskState) -> str:
    """Encode TASK of SPEC 6: the stored block and what is derived.

    The stored part is the row's JSON text as it is: at thousands of tasks, reading it
    only to write it again would be most of the command.
    """
    if task_state.holder is None and not task_state.blocked_on and not task_state.stale:
        middle = _FREE
    else:
        middle = (
            f'"holder": {encoded(holder_of(task_state.holder))}, '
            f'"stale": {"true" if task_state.stale else "false"}, '
            f'"blocked_on": {encoded(task_state.blocked_on)}'
        )
        if task_state.blocked_by_base:
            middle += f', "blocked_by_base": {encoded(task_state.blocked_by_base)}'
    return (
        f'{row.json[:-1]}, "state": "{task_state.state}", {middle}, '
        f'"file": {_quoted(row.file)}, "line": {row.line}}}'
    )


@lru_cache(maxsize=8)
def _quoted(file: str) -> str:
    return encoded(file)


def tasks_json(pairs: Sequence[tuple[Row, TaskState]]) -> str:
    """Encode a list of TASK."""
    return "[" + ", ".join([task_json(row, task_state) for row, task_state in pairs]) + "]"


def task_table(pairs: Sequence[tuple[Row, TaskState]]) -> Table:
    """List tasks in the usual columns."""
    rows = []
    for row, task_state in pairs:
        state = task_state.state + (" (stale)" if task_state.stale else "")
        story = row.story or "-"
        rows.append((row.id, state, str(row.priority), story, row.title, _note(task_state)))
    return Table(("ID", "STATE", "P", "STORY", "TITLE", "HOLDER / WAITS FOR"), rows)


#: Who has changed a task under no claim.
NOBODY = "nobody"


def _note(task_state: TaskState) -> str:
    if task_state.holder is not None and task_state.state not in ("complete", "cancelled"):
        holder, pull = task_state.holder, task_state.holder.pull
        about = f"; {pull.words}, {pull.place}" if pull is not None else ""
        return f"{holder.by or NOBODY}, {holder.where}{about}"
    return waits_for(task_state)


def waits_for(task_state: TaskState) -> str:
    """What holds a task back; where this worktree's graph says otherwise, who says so."""
    said = task_state.blocked_by_base
    return ", ".join(
        f"{one} (as the base has it)" if one in said else one for one in task_state.blocked_on
    )


def stored_task(row: Row, task_state: TaskState, **beside: object) -> Json:
    """Encode `{"task": TASK}` with more keys beside it."""
    more = "".join(f', "{key}": {encoded(value)}' for key, value in beside.items())
    return Json(f'{{"task": {task_json(row, task_state)}{more}}}')
