"""`independence`: which tasks may run together, and why others must not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.status import independence
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import Refused, UsageError
from ralphgit.model.printable import counted

#: More conflicts than this are counted, not listed; --json has them all.
_MOST = 200


class Options(NamedTuple):
    tasks: tuple[str, ...] = ()
    ready: bool = False
    story: str = ""
    branches: bool = False


def run(call: Call, options: Options) -> Outcome:
    if options.tasks and (options.ready or options.story):
        raise UsageError(
            "say which tasks by their ids, or by --ready and --story, not both",
            hint="ralphgit independence --help",
        )
    project = call.project()
    found = independence.independence(project, **options._asdict())
    branches = found.branches
    pairs = len({(one.a, one.b) for one in found.conflicts})
    error = None
    if options.tasks and pairs:
        what = f"{counted(pairs, 'pair')} of these tasks must not run together"
        error = Refused(what, code="dependent", hint="start one group after another")
    between = None
    if branches is not None:
        compared = [{"branch": one.name, "tasks": one.tasks} for one in branches.compared]
        between = {"compared": compared, "conflicts": [one._asdict() for one in branches.conflicts]}
    data = {
        "conflicts": [one._asdict() for one in found.conflicts],
        "groups": found.groups,
        "unproved": [one._asdict() for one in found.unproved],
        "branches": between,
    }
    return Outcome(data, before=() if call.screen.json else tuple(_lines(found)), error=error)


def _lines(found: independence.Found) -> Iterator[str]:
    for one in found.conflicts[:_MOST]:
        yield safe(f"{one.a} x {one.b}  {one.reason}: {one.message}")
        for path in one.paths[1:]:
            yield safe(f"    also {path}")
    if len(found.conflicts) > _MOST:
        yield f"... and {len(found.conflicts) - _MOST} more (--json has all)"
    for unknown in found.unproved:
        yield safe(f"{unknown.task}  unproved: {unknown.why}")
    if not found.rows:
        yield "No task to compare."
    for number, group in enumerate(found.groups, 1):
        yield f"group {number}: {' '.join(group)}"
    if found.branches is not None:
        yield from _branch_lines(found.branches)


def _branch_lines(branches: independence.Branches) -> Iterator[str]:
    for one in branches.conflicts:
        yield safe(f"{one.a} x {one.b}  merge: {', '.join(one.paths)}")
    count, clashes = len(branches.compared), len(branches.conflicts)
    told = f"{count} branch{'' if count == 1 else 'es'}"
    yield f"{told} in flight, {clashes or 'no'} conflict{'' if clashes == 1 else 's'} to come"
