"""Find edits of append-only records: evidence, audit, and questions other than their answers."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping

from ralphgit.app.gate import evidence_history
from ralphgit.app.gate.changed import Span
from ralphgit.app.gate.problem import Problem
from ralphgit.app.gate.unpacked import Unpacked
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import trees
from ralphgit.records import atomic_files, yaml_reader
from ralphgit.records import input_limits as texts
from ralphgit.records.record_task import with_task
from ralphgit.records.schemas import FILED

#: Path, what was there, and what is; None where it was removed.
_Changed = tuple[str, bytes, bytes | None]


def between(
    was: Project, now: Project, span: Span, renames: Mapping[str, str], packed: Unpacked
) -> list[Problem]:
    """Find removed and edited records between the two ends of a change.

    `was` and `now` say where the records are on each, `renames` which tasks have another id there,
    and `packed` which records are in the archive.
    """
    start, end, objects = span.old, span.new, span.objects
    folder, target = f"{was.config.records}/", f"{now.config.records}/"
    if folder == target:
        changed = trees.differing(objects, start, end, kinds="MDT")
        paths = [path for path in changed if path.startswith(folder)]
    else:
        kept = objects.files([start], (), (was.config.records,), lambda _: True)[start]
        paths = [path for path, _ in kept]
    paths = [*dict.fromkeys([*paths, *packed.old.records])]
    old = objects.read(f"{start}:{path}" for path in paths)
    old.update((f"{start}:{path}", data) for path, data in packed.old.records.items())
    places = {
        path: f"{end}:{target}{_renamed(path.removeprefix(folder), renames)}" for path in paths
    }
    new = {f"{end}:{path}": data for path, data in packed.new.records.items()}
    new.update(objects.read(places.values()))
    pairs = [
        (path, _as_renamed(path, folder, old.get(f"{start}:{path}", b""), renames), new.get(place))
        for path, place in places.items()
    ]
    # A file that only moved with the folder is what it was; a link in its place is not.
    moved = {path for path in paths if _task(path, folder) in renames or path in packed.old.records}
    moved.update(
        path for path, place in places.items() if place.partition(":")[2] in packed.new.records
    )
    changes = (pair for pair in pairs
               if (folder == target and pair[0] not in moved) or pair[1] != pair[2])  # fmt: skip
    return list(_judged(was, changes, start))


def uncommitted(project: Project, renames: Mapping[str, str], packed: Unpacked) -> list[Problem]:
    """Find audit and guidance edited since HEAD. `evidence_history` covers evidence."""
    objects = project.repository.objects
    folders = [f"{project.config.records}/{kind}" for kind in FILED[1:]]
    paths = [*evidence_history.changed_here(project, folders, "MDT")]
    old = objects.read(f"HEAD:{path}" for path in paths)
    folder = f"{project.config.records}/"
    pairs = []
    for path in paths:
        place = folder + _renamed(path.removeprefix(folder), renames)
        before = _as_renamed(path, folder, old.get(f"HEAD:{path}", b""), renames)
        after = atomic_files.read(project.file(place)) or packed.new.records.get(place)
        if (place == path and place not in packed.new.records) or before != after:
            pairs.append((path, before, after))
    return list(_judged(project, pairs, "HEAD"))


def _task(path: str, folder: str) -> str:
    """The task that a record at `path` is about."""
    return path.removeprefix(folder).partition("/")[2].partition("/")[0]


def _renamed(path: str, renames: Mapping[str, str]) -> str:
    """Where the record `KIND/TASK/NAME` is after its task was renamed."""
    kind, _, rest = path.partition("/")
    task, _, name = rest.partition("/")
    return f"{kind}/{renames[task]}/{name}" if task in renames else path


def _as_renamed(path: str, folder: str, data: bytes, renames: Mapping[str, str]) -> bytes:
    task = _task(path, folder)
    return with_task(data, task, renames[task]) if task in renames else data


def _judged(project: Project, pairs: Iterable[_Changed], rev: str) -> Iterator[Problem]:
    for path, before, after in pairs:
        kind, _, rest = path.removeprefix(f"{project.config.records}/").partition("/")
        if kind not in FILED:
            continue
        if after is not None and (
            (kind == "audit" and _grew(before, after))
            or (kind == "guidance" and _answered(before, after))
        ):
            continue
        what = "removed" if after is None else "edited"
        yield Problem(
            code=f"{what}_{kind}",
            file=path,
            task=rest.partition("/")[0],
            message=f"{kind} is never {what}",
            hint=shlex.join(("git", "checkout", rev, "--", path)),
        )


def _mapping(data: bytes) -> dict[str, object]:
    try:
        value = yaml_reader.load(texts.decode(data, limit=max(len(data), 1)))
    except InvalidRecord:
        return {}
    return value if isinstance(value, dict) else {}


def _grew(before: bytes, after: bytes) -> bool:
    old, new = _mapping(before), _mapping(after)
    was, now = old.pop("events", None), new.pop("events", None)
    return isinstance(was, list) and isinstance(now, list) and old == new and now[: len(was)] == was


def _answered(before: bytes, after: bytes) -> bool:
    """Whether nothing changed but that an answer was added."""
    old, new = _mapping(before), _mapping(after)
    if old == new:
        return bool(old)
    return "answer" not in old and {k: v for k, v in new.items() if k != "answer"} == old
