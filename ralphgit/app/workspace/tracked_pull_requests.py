"""Keep `.ralph/pulls.yaml`: the pull requests of this worktree that have not landed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ralphgit.app.workspace.project import Project
from ralphgit.git.listings import Worktree

if TYPE_CHECKING:
    from ralphgit.model.pull_request import Pull

PATH = os.path.join(".ralph", "pulls.yaml")
#: What earlier versions called a closed one.
_REFUSED = "refused"
#: What programs are told of a pull request: an option is none, though a worker can write the note.
_NAMES = ("branch", "commit", "url", "base")


def read(top: str) -> list[Pull]:
    """What is noted; nothing where the note cannot be read."""
    path = os.path.join(top, PATH)
    if not os.path.lexists(path):
        return []  # and no parser is loaded
    from ralphgit.records import runtime_notes

    entries = runtime_notes.read(path).get("pulls")
    found = [_pull(entry) for entry in entries] if isinstance(entries, list) else []
    return [pull for pull in found if pull is not None]


def everywhere(worktrees: Iterable[Worktree]) -> list[Pull]:
    """The pull requests of this machine's worktrees."""
    return [
        pull
        for worktree in worktrees
        if worktree.exists and not worktree.bare
        for pull in read(worktree.path)
    ]


def _pull(entry: object) -> Pull | None:
    if not isinstance(entry, dict):
        return None
    from ralphgit.model.pull_request import Pull, PullState

    kinds = {**dict.fromkeys(Pull._fields, str), "epoch": int, "fixes": int}
    known: dict[str, Any] = {k: v for k, v in entry.items() if type(v) is kinds.get(k)}
    state = {_REFUSED: "closed"}.get(state := known.pop("state", PullState.PUSHED), state)
    known["state"] = PullState(state) if state in {*PullState} else PullState.OPEN
    if any(str(known.get(name, "")).startswith("-") for name in _NAMES):
        return None
    required = set(Pull._fields) - set(Pull._field_defaults)
    return Pull(**known) if required <= set(known) else None


def of_records(project: Project) -> list[str]:
    """The notes of pull requests that bring records alone (`app.base.records_in_review`): files of
    the repository, for all its worktrees.
    """
    folder = records_folder(project)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if name.endswith(".yaml")]


def has_records(project: Project) -> bool:
    """Whether there is such a note, or a remote's branch of records was fetched."""
    names = project.repository.refs
    others = (name for name in names if name.startswith("refs/remotes/"))
    return bool(of_records(project)) or any("/ralph/records/" in name for name in others)


def records_folder(project: Project) -> str:
    return os.path.join(project.repository.common_dir, "ralphgit", "in-review")


def note(top: str, pull: Pull) -> None:
    """Note a pull request, in place of what was noted of the same claim. Raises: NotWritable."""
    known = read(top)
    if pull not in known:
        _write(top, [*(one for one in known if one.claim != pull.claim), pull])


def note_where_known(project: Project, pull: Pull) -> None:
    """Note a pull request in each worktree that has noted it, and in this one where none has.

    Who lands another worker's branch does so in its own worktree. Raises: NotWritable.
    """
    there = [one.path for one in project.repository.worktrees if one.exists and not one.bare]
    tops = [top for top in there if any(one.claim == pull.claim for one in read(top))]
    for top in tops or [project.top]:
        note(top, pull)


def drop(top: str, claim: str) -> None:
    """Forget the pull request of a claim. Raises: NotWritable."""
    known = read(top)
    kept = [one for one in known if one.claim != claim]
    if kept != known:
        _write(top, kept)


def _write(top: str, pulls: list[Pull]) -> None:
    from ralphgit.records import runtime_notes

    entries = [{**pull._asdict(), "state": str(pull.state)} for pull in pulls]
    runtime_notes.write(os.path.join(top, PATH), {"version": 1, "pulls": entries})
