"""`independence`: which tasks may run together, and why others must not."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.status import independence
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import Refused, UsageError
from ralphgit.model.printable import counted
from ralphgit.rules.consecutive import Run

#: More conflicts than this are counted, not listed; --json has them all.
_MOST = 200


class Options(NamedTuple):
    tasks: tuple[str, ...] = ()
    ready: bool = False
    story: str = ""
    branches: bool = False
    assume: bool = False
    suggest_modes: bool = False


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
        "could_be_parallel": [one._asdict() for one in found.runs]
        if options.suggest_modes
        else None,
        "branches": between,
    }
    return Outcome(
        data, before=() if call.screen.json else tuple(_lines(found, options)), error=error
    )


def _lines(found: independence.Found, options: Options) -> Iterator[str]:
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
    if found.unproved and not options.assume and len(found.rows) > 1:
        yield "What is unproved stands alone; --assume takes it for independent."
    if options.suggest_modes:
        yield from _run_lines(found.runs)
    if found.branches is not None:
        yield from _branch_lines(found.branches)


def _run_lines(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        waits = f"each behind {', '.join(run.depends_on)}" if run.depends_on else "each at once"
        yield f"could be parallel: {' '.join(run.tasks)} ({waits})"
        for task in run.tasks[1:]:
            yield f"    ralphgit edit {task} {_as_options(run, task)}"
    if not runs:
        yield "No task waits for another without need, as far as scopes say."


def _as_options(run: Run, task: str) -> str:
    depends = [f"--depends-on {other}" for other in run.depends_on] or ["--remove depends_on"]
    return " ".join([*depends, *(["--mode parallel"] if task in run.sequential else [])])


def _branch_lines(branches: independence.Branches) -> Iterator[str]:
    for one in branches.conflicts:
        yield safe(f"{one.a} x {one.b}  merge: {', '.join(one.paths)}")
    count, clashes = len(branches.compared), len(branches.conflicts)
    told = f"{count} branch{'' if count == 1 else 'es'}"
    yield f"{told} in flight, {clashes or 'no'} conflict{'' if clashes == 1 else 's'} to come"
