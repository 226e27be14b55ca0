"""Give a task another id, and its records with it; stage and commit nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.own_claims import open_claims
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.tasks import edit, placement
from ralphgit.app.workspace.graph_files import file_named
from ralphgit.app.workspace.project import Project
from ralphgit.errors import ClaimHeld, UsageError
from ralphgit.model.ids import parse_task_id
from ralphgit.records import atomic_files, graph_file, splice_task, task_mapping
from ralphgit.records.record_task import with_task
from ralphgit.records.schemas import FILED
from ralphgit.rules.contract_digest import contract, keeps


class Renamed(NamedTuple):
    changed: edit.Changed
    old: str
    gone: tuple[str, ...]
    """Files that are no longer there."""


def rename(project: Project, task: str, new: str) -> Renamed:
    """Rename `task` to `new`: its block, its records, and what depends on it.

    A file that has the task's name is renamed, too. On a failure nothing is changed.

    Raises: UnknownTask, UsageError (bad_id), InvalidRecord (duplicate_id), ClaimHeld, NotWritable.
    """
    row = project.require_here().row(task)
    new = parse_task_id(new)
    if new == task:
        raise UsageError(f"{task} has that id already", hint=f"ralphgit edit {task} --rename NEW")
    synchronise(project, settle=False)
    edit.refuse_twin(project, new, placement.base_rows(project), but=task)
    _refuse_active(project, task)
    texts, place = _texts(project, task, new), row.file
    if os.path.splitext(os.path.basename(row.file))[0] == task:
        place = file_named(project.places_here, new) or row.file
    written, gone = [], []
    with atomic_files.Undo() as undo:
        for path, target in _records(project, task, new):
            data = atomic_files.read(project.file(path)) or b""
            undo.write(project.file(target), with_task(data, task, new))
            undo.remove(project.file(path))
            written.append(target)
            gone.append(path)
        # The task itself comes last: while it has its old id, a killed rename can be repeated.
        for path in sorted(texts, key=lambda path: path == row.file):
            target = place if path == row.file else path
            undo.write(project.file(target), texts[path].encode("utf-8"))
            written.append(target)
            if target != path:
                undo.remove(project.file(path))
                gone.append(path)
    project.written()
    return Renamed(edit.changed(project, new, *written), task, tuple(gone))


def _refuse_active(project: Project, task: str) -> None:
    """Raises: ClaimHeld where somebody works on the task, or its work waits."""
    if not project.base.commit:
        return
    claim_map = ClaimMap(project)
    own = [lease for lease in open_claims(project, claim_map) if lease.task == task]
    state = claim_map.task_states.get(task)
    active = claim_map.active_claims.get(task, [])
    blocked = state is not None and state.state in ("blocked", "in-progress")
    if not own and not active and not blocked:
        return
    holder = state.holder if state is not None else None
    who = f"{holder.by} ({holder.where})" if holder else own[0].by if own else active[0].where
    raise ClaimHeld(
        f"{task} is in flight: {who} has it; rename it once that has ended (nothing was written)",
        details={"task": task},
        hint=f"ralphgit show {task}",
    )  # fmt: skip


def _texts(project: Project, task: str, new: str) -> dict[str, str]:
    """The graph files that change, with what they are to hold. Raises: InvalidRecord."""
    here = project.here
    found = {}
    for path in dict.fromkeys(row.file for row in here.rows):
        text = here.content(path)
        rows = [row for row in here.rows if row.file == path]
        for number, row in enumerate(rows):
            wanted: dict[str, object] = {"id": new} if row.id == task else {}
            if task in row.depends_on:
                wanted["depends_on"] = [
                    new if one == task else one for one in here.stored(row)["depends_on"]
                ]
            if wanted:
                text = _spliced(project, path, text, number, wanted)
        if text != here.content(path):
            found[path] = text
    return found


def _spliced(project: Project, path: str, text: str, number: int, wanted: dict[str, object]) -> str:
    """Set fields of a task, and the digest of what it promises, of which its id is a part."""
    limit = project.config.max_graph_bytes

    def parsed(text: str) -> graph_file.GraphFile:
        return graph_file.parse(text.encode("utf-8"), path=path, limit=limit)

    before = task_mapping.task(parsed(text).tasks[number])
    text = splice_task.set_fields(parsed(text), number, wanted)
    file = parsed(text)
    life, promised = task_mapping.lifecycle(file.tasks[number]), contract(before)
    if life.claim is None or not life.claim.contract or not keeps(before, life.claim.contract):
        return text
    made = contract(task_mapping.task(file.tasks[number]))
    if made == promised:
        return text
    return splice_task.set_lifecycle(
        file, number, life._replace(claim=life.claim._replace(contract=made))
    )


def _records(project: Project, task: str, new: str) -> Iterator[tuple[str, str]]:
    """The task's records, and where each goes."""
    for kind in FILED:
        folder = f"{project.config.records}/{kind}"
        try:
            names = sorted(os.listdir(project.file(f"{folder}/{task}")))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            yield f"{folder}/{task}/{name}", f"{folder}/{new}/{name}"
