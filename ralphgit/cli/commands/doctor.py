"""`doctor`: what a crash or a setting left behind."""

from typing import NamedTuple

from ralphgit.app.doctor import examine
from ralphgit.app.doctor.finding_kinds import Finding
from ralphgit.app.workspace import configuration
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, telling
from ralphgit.errors import Refused, UsageError
from ralphgit.model.printable import counted


class Options(NamedTuple):
    fix: bool = False
    agent: str = ""


def run(call: Call, options: Options) -> Outcome:
    if options.agent:
        if options.fix:
            raise UsageError("--fix does not go with --agent", hint="ralphgit doctor --fix")
        return _trial(call, options.agent)
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


def _trial(call: Call, agent: str) -> Outcome:
    from ralphgit.loop import agent_trial

    made = agent_trial.trial(call.project(), agent, telling(call.screen))
    lines = []
    for check in made.checks:
        mark = "yes" if check.ok else "no"
        lines.append(f"{check.name}: {mark}" + (f" ({safe(check.said)})" if check.said else ""))
        lines += [f"  {safe(check.hint)}"] if check.hint else []
    error = None
    if not made.fits:
        failed = next(check for check in made.checks if not check.ok)
        error = Refused(
            f"{made.agent} cannot work here: {failed.name}", code="agent_unfit", hint=failed.hint
        )
    data = {
        "findings": [], "agent": made.agent, "checks": [one._asdict() for one in made.checks],
        "usage": made.usage.stored(),
    }  # fmt: skip
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
