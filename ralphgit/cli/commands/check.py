"""`check`: the gate."""

from __future__ import annotations

from ralphgit.app import check, look
from ralphgit.app.project import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe
from ralphgit.errors import Refused


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = look.project(around, warnings)
    found = check.check(project, base=str(options.get("base", "")), at=str(options.get("at", "")))
    errors = [problem for problem in found if problem.severity == "error"]
    lines = []
    for problem in found:
        where = f"{problem.file}:{problem.line}:{problem.column}: " if problem.file else ""
        lines.append(safe(f"{where}{problem.severity}: {problem.message} [{problem.code}]"))
        if problem.hint:
            lines.append(safe(f"  {problem.hint}"))
    if not found:
        lines.append("No problem found.")
    error = None
    if errors:
        count = len(errors)
        error = Refused(f"{count} problem{'' if count == 1 else 's'} found", code="problems_found")
    return Outcome({"problems": [p._asdict() for p in found]}, before=lines, error=error)
