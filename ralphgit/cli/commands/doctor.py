"""`doctor`: what a crash or a setting left behind."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.doctor import examine
from ralphgit.app.doctor.finding_kinds import Finding
from ralphgit.app.workspace import configuration
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import Refused
from ralphgit.model.printable import counted


class Options(NamedTuple):
    fix: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    found = examine.examine(project, fix=options.fix, thorough=call.screen.verbose)
    lines = [line for finding in found for line in _told(finding)]
    if all(finding.severity == "info" for finding in found):
        lines.append("Nothing to fix.")
    left = [f for f in found if not f.fixed and f.severity in ("error", "warning")]
    error = None
    if left:
        hint = "ralphgit doctor --fix" if any(f.fixable for f in left) else ""
        error = Refused(counted(len(left), "finding"), code="findings", hint=hint)
    findings = [{**f._asdict(), "meaning": f.kind.meaning, "mend": f.kind.fix} for f in found]
    data: dict[str, object] = {"findings": findings}
    if call.screen.verbose:
        sources = configuration.sources(project.settings)
        lines += [f"set: {key}  ({safe(where)})" for key, where in sources.items()]
        data["settings"] = sources
    return Outcome(data, before=lines, error=error)


def _told(finding: Finding) -> list[str]:
    if finding.fixed:
        return [f"fixed: {safe(finding.message)}"]
    return [
        f"{finding.severity}: {safe(finding.message)} [{finding.code}]",
        f"  {finding.kind.meaning}",
        f"  {finding.kind.fix}",
        f"  {safe(finding.hint)}",
    ]
