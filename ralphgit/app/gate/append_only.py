"""Find edits of append-only records: evidence, audit, and questions other than their answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ralphgit.app.gate import evidence_history
from ralphgit.app.gate.problem import Problem
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import trees
from ralphgit.git.objects import Objects
from ralphgit.records import atomic_files, yaml_reader
from ralphgit.records import input_limits as texts
from ralphgit.records.schemas import FILED

#: Path, what was there, and what is; None where it was removed.
_Changed = tuple[str, bytes, bytes | None]


def between(was: Project, now: Project, start: str, end: str, objects: Objects) -> list[Problem]:
    """Find removed and edited records between commit `start` and tree or commit `end`.

    `objects` reads both; `was` and `now` say where the records are on each.
    """
    folder, target = f"{was.config.records}/", f"{now.config.records}/"
    if folder == target:
        changed = trees.differing(objects, start, end, kinds="MDT")
        paths = [path for path in changed if path.startswith(folder)]
    else:
        kept = objects.files([start], (), (was.config.records,), lambda _: True)[start]
        paths = [path for path, _ in kept]
    old = objects.read(f"{start}:{path}" for path in paths)
    places = {path: f"{end}:{target}{path.removeprefix(folder)}" for path in paths}
    new = objects.read(places.values())
    pairs = [
        (path, old.get(f"{start}:{path}", b""), new.get(place)) for path, place in places.items()
    ]
    # A file that only moved with the folder is what it was; a link in its place is not.
    changes = (pair for pair in pairs if folder == target or pair[1] != pair[2])
    return list(_judged(was, changes, start[:12]))


def uncommitted(project: Project) -> list[Problem]:
    """Find audit and guidance edited since HEAD. `evidence_history` covers evidence."""
    objects = project.repository.objects
    folders = [f"{project.config.records}/{kind}" for kind in FILED[1:]]
    paths = [
        path for folder in folders for path in evidence_history.changed_here(project, folder, "MDT")
    ]
    old = objects.read(f"HEAD:{path}" for path in paths)
    pairs = (
        (path, old.get(f"HEAD:{path}", b""), atomic_files.read(project.file(path)))
        for path in paths
    )
    return list(_judged(project, pairs, "HEAD"))


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
            hint=f"git checkout {rev} -- {path}",
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
