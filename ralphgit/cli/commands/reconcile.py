"""`reconcile`: what came back from workers, against their packets."""

from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.integration import reconcile
from ralphgit.app.integration.reconcile import NOT_READY, Reconciled
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import Refused
from ralphgit.model.printable import counted


class Options(NamedTuple):
    branches: tuple[str, ...]
    fetch: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project(fetch=options.fetch)
    found = reconcile.reconcile(project, options.branches)
    bad = [one for one in found if one.verdict == NOT_READY]
    error = None
    if bad:
        names = ", ".join(one.branch for one in bad)
        verb = "is" if len(bad) == 1 else "are"
        against = (issue for one in bad for issue in one.issues if issue.severity == "error")
        hint = next((issue.hint for issue in against if issue.hint), "")
        error = Refused(f"{names} {verb} not ready", code="not_ready", hint=hint)
    lines = [line for one in found for line in summary(one)]
    return Outcome({"branches": [as_json(one) for one in found]}, before=lines, error=error)


def as_json(one: Reconciled) -> dict[str, object]:
    """Return a branch for JSON."""
    issues = [issue._asdict() for issue in one.issues]
    return {**one._asdict(), "verdict": one.verdict, "issues": issues}


def summary(one: Reconciled) -> Iterator[str]:
    """Describe a branch for people."""
    files = f"{counted(len(one.files), 'file')} changed"
    yield safe(f"{one.branch}: {one.verdict} ({', '.join(one.tasks)}; {files})")
    for issue in one.issues:
        yield safe(f"  {issue.severity}: {issue.message} [{issue.code}]")
        if issue.hint:
            yield safe(f"    {issue.hint}")
