"""`preflight`: would a claim succeed, would this branch merge?"""

from typing import NamedTuple

from ralphgit.app.lifecycle import preflight
from ralphgit.app.status import local_base
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Json, Outcome, encoded, safe, task_json
from ralphgit.rules.claim_options import ClaimOptions, Priorities


class Options(NamedTuple):
    task: str = ""
    story: str = ""
    priority: Priorities | None = None
    fetch: bool = False
    stack: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project(fetch=options.fetch)
    local_base.warn_if_ahead(project)
    found = preflight.preflight(project, ClaimOptions(**options._asdict()))
    checks = [{"check": f.check, "ok": f.ok, "message": f.message} for f in found.findings]
    task = task_json(*found.task) if found.task else "null"
    return Outcome(
        Json(f'{{"task": {task}, "checks": {encoded(checks)}}}'),
        before=[f"{'ok' if f.ok else 'no'}  {safe(f.message)}" for f in found.findings],
        error=found.error,
    )
