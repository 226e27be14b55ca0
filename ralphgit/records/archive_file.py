"""Read and write the archive: finished tasks with all their records, one file for each month.

A file is lines of JSON: the first says what it is, each other one is a task, sorted by id. A line
holds the task's block and its records verbatim, so that all of them can be put back byte for byte.
What is in a line is decided by the task alone, not by who archives it, or when: two people who
archive the same task write the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.model.task_row import Row
from ralphgit.model.three_way_merge import ThreeWay
from ralphgit.records import graph_file
from ralphgit.records.input_limits import MAX_GRAPH_BYTES
from ralphgit.records.schemas import ARCHIVE, ARCHIVE_SUFFIX, FILED

HEADER = {"kind": "archive", "version": 1}
#: The statuses of what can be archived.
FINISHED = ("complete", "cancelled")
_KEYS = {"id", "file", "block", "records"}
_KINDS = "|".join(FILED)
_DAY = re.compile(r"(\d{4}-\d{2})-\d{2}")
_MARKER = re.compile(rb"(?m)^(?:<{7}|={7}|>{7}|\|{7})")


class Archived(NamedTuple):
    """A task in the archive, whole."""

    id: str
    file: str
    """The graph file that it was in."""
    block: str
    """Its text there, with the comments before it."""
    records: Mapping[str, str]
    """Its records: path below the records folder (`audit/T-1/9k2vq07x3m.yaml`) and content."""


class Entry(NamedTuple):
    """What is known of an archived task without reading it."""

    id: str
    title: str
    status: str
    claim: str
    epoch: int
    by: str
    at: str
    mark: str
    """As of `Row`."""
    start: int
    end: int
    """Its line is `data[start:end]`, in bytes."""


def path(records: str, row: Row, ended: str) -> str:
    """The file for a task that was finished at `ended`, below the folder `records`."""
    found = _DAY.match(ended) or _DAY.match(row.at)
    return f"{records}/{ARCHIVE}/{found[1] if found else 'undated'}{ARCHIVE_SUFFIX}"


def encode(tasks: Iterable[Archived]) -> bytes:
    """The file that has these tasks."""
    lines = [json.dumps(HEADER)]
    for one in sorted(tasks):
        lines.append(json.dumps(one._asdict(), ensure_ascii=False, sort_keys=True))
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def parse(data: bytes) -> dict[str, Archived]:
    """Every task of a file, by id. Raises: InvalidRecord with the line."""
    return {one.id: one for one, _, _ in _tasks(data)}


def index(data: bytes) -> list[Entry]:
    """What is known of each task, and where it is in the file.

    Every line is held against its schema, and every block is read: a task that is not finished has
    no place here.

    Raises: InvalidRecord with the line.
    """
    from ralphgit.records import schema_validation

    found = []
    for number, (one, start, end) in enumerate(_tasks(data), 2):
        for _, said in schema_validation.problems("archive", one._asdict()):
            raise _wrong(number, said, one.id)
        try:
            row = row_of(one)
        except InvalidRecord as error:
            raise _wrong(number, f"{one.id}: {error.message}", one.id) from None
        if row.status not in FINISHED:
            said = f"{one.id} is {row.status}, and only what is finished can be archived"
            raise _wrong(number, said, one.id, "archived_unfinished")
        found.append(Entry(*_facts(row), start, end))
    return found


def _facts(row: Row) -> tuple[str, str, str, str, int, str, str, str]:
    return (
        row.id, row.title, row.status, row.claim, row.epoch, row.by, row.at, row.mark,
    )  # fmt: skip


def row_of(one: Archived) -> Row:
    """The slim form of an archived task, as it was in its graph file.

    Raises: InvalidRecord.
    """
    text = f"version: 1\ntasks:\n{one.block}"
    file = graph_file.parse(text.encode(), path=one.file, limit=MAX_GRAPH_BYTES)
    rows = graph_file.rows(file)
    if [row.id for row in rows] != [one.id]:
        raise InvalidRecord(f"the block is not that of {one.id}")
    return rows[0]


def line(data: bytes) -> Archived:
    """The task of one line. Raises: InvalidRecord."""
    return _task(data, 1)


def joined(versions: ThreeWay[bytes | None]) -> bytes:
    """One file with the tasks of two: two people have archived, or restored, at once.

    Raises: InvalidRecord where the same task differs, other than by having more records.
    """
    old, *sides = (parse(data) if data is not None else {} for data in versions)
    gone = {task for side in sides for task in old if task not in side}
    found: dict[str, Archived] = {}
    for side in sides:
        for task, one in side.items():
            if task in gone and one == old[task]:
                continue  # the other side has restored it
            known = found.setdefault(task, one)
            if known != one:
                records = {**known.records, **one.records}
                same = (known.file, known.block) == (one.file, one.block)
                both = known.records.keys() & one.records.keys()
                if not same or any(known.records[key] != one.records[key] for key in both):
                    raise InvalidRecord(f"{task} is archived in two forms", task=task)
                found[task] = known._replace(records=records)
    return encode(found.values())


def _tasks(data: bytes) -> Iterable[tuple[Archived, int, int]]:
    if found := _MARKER.search(data):
        number = data.count(b"\n", 0, found.start()) + 1
        raise _wrong(number, "unresolved conflict marker", "", "conflict_marker")
    start, seen, last = 0, set[str](), ""
    for number, raw in enumerate(data.split(b"\n"), 1):
        end = start + len(raw)
        if number == 1:
            _header(raw)
        elif raw.strip():
            one = _task(raw, number)
            if one.id.casefold() in seen:
                raise _wrong(number, f"{one.id} is archived twice", one.id, "duplicate_id")
            if one.id < last:
                raise _wrong(number, f"{one.id} stands behind {last}: the ids are sorted", one.id)
            seen.add(one.id.casefold())
            last = one.id
            yield one, start, end
        start = end + 1


def _header(raw: bytes) -> None:
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        said = None
    if said != HEADER:
        raise _wrong(1, f"an archive begins with {json.dumps(HEADER)}", "")


def _task(raw: bytes, number: int) -> Archived:
    try:
        said = json.loads(raw)
    except ValueError as error:
        raise _wrong(number, f"not a line of JSON: {error}", "") from None
    except RecursionError:
        raise _wrong(number, "the JSON is nested too deep", "", "too_deep") from None
    if not isinstance(said, dict) or said.keys() != _KEYS:
        raise _wrong(number, f"a task of the archive has {', '.join(sorted(_KEYS))}", "")
    records = said["records"]
    texts = [said["id"], said["file"], said["block"]]
    if not isinstance(records, dict) or not all(
        isinstance(text, str) for text in (*texts, *records.values())
    ):
        raise _wrong(number, "id, file and block are text, and records a mapping of texts", "")
    for path in records:
        if (
            not re.fullmatch(rf"(?:{_KINDS})/{re.escape(said['id'])}/[^/]+\.yaml", path)
            or ".." in path
        ):
            raise _wrong(number, f"{path} is no record of {said['id']}", said["id"])
    return Archived(said["id"], said["file"], said["block"], records)


def _wrong(number: int, said: str, task: str, code: str = "bad_archive") -> InvalidRecord:
    return InvalidRecord(
        said, line=number, column=1, task=task or None, code=code,
        hint="restore the line as an earlier commit has it",
    )  # fmt: skip
