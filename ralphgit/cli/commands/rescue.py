"""`rescue`: work that was kept: list, show, apply, drop."""

from typing import NamedTuple

from ralphgit.app.lifecycle import rescued_work
from ralphgit.app.lifecycle.rescued_work import Kept
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, Table, safe
from ralphgit.errors import UsageError
from ralphgit.model.active_claim import RESCUE
from ralphgit.model.printable import counted


class Options(NamedTuple):
    action: str
    name: str = ""


def run(call: Call, options: Options) -> Outcome:
    action, name = options
    if action != "list" and not name:
        raise UsageError(
            f"rescue {action} needs a task or a ref", hint=f"ralphgit rescue {action} TASK"
        )
    project = call.project()
    if action == "list":
        return _list(project, name)
    if action == "show":
        return _show(project, rescued_work.one(project, name))
    if action == "apply":
        return _apply(project, rescued_work.one(project, name))
    return _drop(project, rescued_work.listed(project, name))


def _list(project: Project, name: str) -> Outcome:
    found = rescued_work.listed(project, name)
    rows = [
        (_short(one), one.status or "-", counted(len(one.files), "file"),
         "landed" if one.landed else f"{len(one.left)} not on {project.base.label}")
        for one in found
    ]  # fmt: skip
    table = Table(("REF", "TASK IS", "HOLDS", "LANDED"), rows)
    landed = any(one.landed for one in found)
    advice = ("ralphgit worktree prune removes what has landed.",) if landed else ()
    return Outcome({"rescued": [_json(one) for one in found]}, table=table, advice=advice)


def _show(project: Project, kept: Kept) -> Outcome:
    patch = rescued_work.patch(project, kept)
    head = [f"{kept.ref} ({kept.commit[:12]}): {counted(len(kept.files), 'file')}"]
    lines = [*head, *(safe(line) for line in patch.splitlines())]
    return Outcome({"rescued": [_json(kept)], "patch": safe_patch(patch)}, before=lines)


def safe_patch(patch: str) -> str:
    """A patch for JSON: bytes that are no UTF-8 are replaced."""
    return patch.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _apply(project: Project, kept: Kept) -> Outcome:
    with WorktreeLock(project):
        rescued_work.apply(project, kept)
    count = counted(len(kept.files), "file")
    line = f"{count} of {_short(kept)} brought here, staged; its records were left out."
    return Outcome({"rescued": [_json(kept)]}, before=(line,))


def _drop(project: Project, found: list[Kept]) -> Outcome:
    gone = [one for one in found if rescued_work.drop(project, one)]
    lines = [f"Dropped {_short(one)}; git update-ref {one.ref} {one.commit} brings it back."
             for one in gone]  # fmt: skip
    return Outcome({"rescued": [_json(one) for one in gone]}, before=lines)


def _short(kept: Kept) -> str:
    return safe(kept.ref.removeprefix(RESCUE))


def _json(kept: Kept) -> dict[str, object]:
    return {**kept._asdict(), "status": kept.status or None, "files": list(kept.files),
            "left": list(kept.left)}  # fmt: skip
