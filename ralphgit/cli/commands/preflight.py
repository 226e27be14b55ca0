"""`preflight`: would a claim succeed, would this branch merge?"""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.lifecycle import preflight
from ralphgit.app.lifecycle.claim_guards import ClaimOptions
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Json, Outcome, Screen, safe, task_json
from ralphgit.model.ids import parse_task_id


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    import json

    project = opening.project(around, warnings, fetch=bool(options.get("fetch")))
    priority = options.get("priority")
    found = preflight.preflight(
        project,
        ClaimOptions(
            task=parse_task_id(str(options["task"])) if "task" in options else "",
            story=str(options.get("story", "")),
            priority=priority if isinstance(priority, int) else None,
            stack=bool(options.get("stack")),
        ),
    )
    checks = [{"check": f.check, "ok": f.ok, "message": f.message} for f in found.findings]
    task = task_json(*found.task) if found.task else "null"
    return Outcome(
        Json(f'{{"task": {task}, "checks": {json.dumps(checks)}}}'),
        before=[f"{'ok' if f.ok else 'no'}  {safe(f.message)}" for f in found.findings],
        error=found.error,
    )
