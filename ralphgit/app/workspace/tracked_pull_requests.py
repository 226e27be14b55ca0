"""Keep `.ralph/pulls.yaml`: the pull requests of this worktree that have not landed."""

import os
from typing import Any, NamedTuple

from ralphgit.records import runtime_notes

PATH = os.path.join(".ralph", "pulls.yaml")
PUSHED, OPEN, REFUSED = "pushed", "open", "refused"


class Pull(NamedTuple):
    """A completed task whose branch is on the remote."""

    task: str
    claim: str
    by: str
    epoch: int
    branch: str
    """Short name, on the remote; and here, unless the work was done on another one."""
    commit: str
    """What was pushed."""
    via: str
    url: str = ""
    state: str = PUSHED
    """pushed (there may be no pull request yet), open, or refused (closed by somebody)."""
    conflicts: bool = False
    """It did not merge into the base when it was last looked at."""


def read(top: str) -> list[Pull]:
    """What is noted; nothing where the note cannot be read."""
    entries = runtime_notes.read(os.path.join(top, PATH)).get("pulls")
    found = [_pull(entry) for entry in entries] if isinstance(entries, list) else []
    return [pull for pull in found if pull is not None]


def _pull(entry: object) -> Pull | None:
    if not isinstance(entry, dict):
        return None
    kinds = {**dict.fromkeys(Pull._fields, str), "epoch": int, "conflicts": bool}
    known: dict[str, Any] = {k: v for k, v in entry.items() if type(v) is kinds.get(k)}
    required = set(Pull._fields) - set(Pull._field_defaults)
    return Pull(**known) if required <= set(known) else None


def note(top: str, pull: Pull) -> None:
    """Note a pull request, in place of what was noted of the same claim. Raises: NotWritable."""
    known = read(top)
    if pull not in known:
        _write(top, [*(one for one in known if one.claim != pull.claim), pull])


def drop(top: str, claim: str) -> None:
    """Forget the pull request of a claim. Raises: NotWritable."""
    known = read(top)
    kept = [one for one in known if one.claim != claim]
    if kept != known:
        _write(top, kept)


def _write(top: str, pulls: list[Pull]) -> None:
    record = {"version": 1, "pulls": [pull._asdict() for pull in pulls]}
    runtime_notes.write(os.path.join(top, PATH), record)
