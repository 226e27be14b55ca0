"""`check`: the gate."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.gate import check
from ralphgit.app.gate.problem import Problem
from ralphgit.cli import workflow_commands
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import Refused, UsageError
from ralphgit.model.printable import counted


class Options(NamedTuple):
    range: str = ""
    base: str = ""
    at: str = ""
    format: str = "text"
    strict: bool = False


def run(call: Call, options: Options) -> Outcome:
    form = options.format
    if call.screen.json and form != "text":
        raise UsageError(
            f"--json and --format {form} cannot be combined", hint="leave out one of the two"
        )
    project = call.project()
    found = check.check(project, base=options.base, at=options.at, between=options.range)
    if form == "sarif":
        from ralphgit.cli import sarif_report

        lines = [sarif_report.log(found, anywhere=project.config.graph[0])]
    elif form == "github":
        lines = list(workflow_commands.lines(found))
    else:
        lines = list(_text(found))
    problems = [shown(one) for one in found]
    error = verdict(found, strict=options.strict)
    return Outcome({"problems": problems}, before=lines, error=error)


def shown(problem: Problem) -> dict[str, object]:
    """Return a problem for JSON."""
    told = problem._asdict()
    del told["label"]
    return told


def verdict(problems: Sequence[Problem], *, strict: bool) -> Refused | None:
    """Return the error for `problems`; None if they are none, or only warnings without `strict`."""
    count = sum(strict or one.severity == "error" for one in problems)
    if not count:
        return None
    return Refused(f"{counted(count, 'problem')} found", code="problems_found")


def _text(problems: Sequence[Problem]) -> Iterator[str]:
    for problem in problems:
        where = f"{problem.file}:{problem.line}:{problem.column}: " if problem.file else ""
        yield safe(f"{where}{problem.severity}: {problem.message} [{problem.code}]")
        if problem.hint:
            yield safe(f"  {problem.hint}")
    if not problems:
        yield "No problem found."
