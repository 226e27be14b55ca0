"""`doctor`: what a crash or a setting left behind."""

from __future__ import annotations

from ralphgit.app import doctor, look
from ralphgit.app.project import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe
from ralphgit.errors import Refused


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = look.project(around, warnings)
    found = doctor.examine(project, fix=bool(options.get("fix")))
    lines = []
    for finding in found:
        mark = "fixed" if finding.fixed else finding.severity
        lines.append(f"{mark}: {safe(finding.message)}")
        if not finding.fixed:
            lines.append(f"  {safe(finding.hint)}")
    if not found:
        lines.append("Nothing to mend.")
    left = [f for f in found if not f.fixed and f.severity != "advice"]
    error = None
    if left:
        error = Refused(
            f"{len(left)} finding{'' if len(left) == 1 else 's'}", code="findings",
            hint="ralphgit doctor --fix" if any(f.fixable for f in left) else "",
        )  # fmt: skip
    return Outcome({"findings": [f._asdict() for f in found]}, before=lines, error=error)
