"""What reads input, called directly: for most cases, as a command takes ten times as long."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from ralphgit.app.conflicts import task_merge
from ralphgit.app.handoff import worker_report
from ralphgit.app.workspace import heartbeat, runtime_files, tracked_pull_requests
from ralphgit.errors import InvalidRecord
from ralphgit.loop import attempt_memory
from ralphgit.model import setting_values
from ralphgit.model.three_way_merge import ThreeWay
from ralphgit.records import (
    audit_file,
    audit_merge,
    evidence_file,
    export_formats,
    graph_file,
    graph_sections,
    importers,
    input_limits,
    lease_object,
    question_file,
    review_file,
    runtime_notes,
    schema_validation,
    settings_file,
    splice_task,
    task_mapping,
    yaml_reader,
    yaml_writer,
)
from ralphgit.rules import (
    active_scopes,
    branch_changes,
    contract_digest,
    cycles,
    independence,
    pattern_overlap,
    readiness,
)

LIMIT = 1 << 24


def graph(data: bytes) -> None:
    """A graph file: read, shown, judged, written back, and each task spliced."""
    file, problems = graph_file.parse_all(data, path="g.yaml")
    if problems:
        raise problems[0]
    rows = graph_file.rows(file)
    for number, row in enumerate(rows):
        json.loads(row.json, parse_constant=_no_constant)
        task = task_mapping.task(file.tasks[number])
        contract_digest.contract(task)
        branch_changes.consistency(row.id, row.status, file.tasks[number])
        made = splice_task.set_lifecycle(file, number, task.lifecycle)
        graph_file.parse(made.encode(), path="g.yaml")
        active_scopes.bad_pattern(row)
        if number == 2:
            break
    branch_changes.graph_faults(rows)
    cycles.find_cycles({row.id: row.depends_on for row in rows})
    readiness.order(rows)
    some = [row for row in rows if active_scopes.bad_pattern(row) is None][:6]
    independence.conflicts(some, {row.id: row for row in rows})
    for form in ("yaml", "json", "markdown"):
        export_formats.text(form, file.tasks, file.root)


def sections(data: bytes) -> None:
    """A graph file beside one that is well, as `resolve` meets them."""
    mine = graph_sections.split(data, path="g.yaml", limit=LIMIT)
    graph_sections.joined(mine)
    base = graph_sections.split(BASE, path="g.yaml", limit=LIMIT)
    task_merge.decide({"g.yaml": ThreeWay(base, mine, base)}, {}, given_up={}, limit=LIMIT)
    task_merge.decide({"g.yaml": ThreeWay(base, mine, mine)}, {}, given_up={}, limit=LIMIT)


BASE = b"version: 1\ntasks:\n  - id: T-1\n    title: One\n    status: pending\n"


def evidence(data: bytes) -> None:
    made = evidence_file.parse(data)
    evidence_file.encode(made, "records/evidence/T-1/e1.yaml")
    _schema("evidence", data)


def audit(data: bytes) -> None:
    audit_merge.joined(ThreeWay(None, data, data))
    _schema("audit", data)
    found = audit_file.events(data)
    if found is None:
        review(data)
    elif found[2]:
        audit_file.appended(data, found[2][0], path="x", task=found[0], claim=found[1])
        audit_file.without_last(data, ("completed",), claim=found[1])


def review(data: bytes) -> None:
    made = review_file.parse(data)
    if made is not None:
        review_file.encode(made, "records/audit/T-1/e1.yaml")


def guidance(data: bytes) -> None:
    made = question_file.parse(data)
    question_file.encode(made, "records/guidance/T-1/e1.yaml")
    if made.answer is not None:
        question_file.answered(data, made.answer)
    _schema("guidance", data)


def _schema(kind: str, data: bytes) -> None:
    text = input_limits.decode(data, limit=LIMIT)
    found = [where for where, _ in schema_validation.problems(kind, yaml_reader.load(text))]
    schema_validation.positions(text, found)


def report(data: bytes) -> None:
    with _placed(".ralph/report.yaml", data) as top:
        found = worker_report.read(top, ())
    yaml_writer.mapping(
        found._asdict() | {"concerns": [*found.concerns], "options": [*found.options]}
    ).encode()


def lease(data: bytes) -> None:
    made = lease_object.parse(data, "0" * 40)
    lease_object.encode(made)


def notes(data: bytes) -> None:
    """Each note that a worktree keeps; whoever reads one knows nothing where it cannot be read."""
    readers: dict[str, Callable[[str], object]] = {
        ".ralph/heartbeat": _beat,
        ".ralph/attempts.yaml": lambda top: attempt_memory.attempts(top, "k1"),
        ".ralph/breaker.yaml": runtime_files.breaker,
        ".ralph/pulls.yaml": tracked_pull_requests.read,
    }
    for name, read in readers.items():
        with _placed(name, data) as top:
            read(top)
    with _placed(".ralph/x", data) as top:
        runtime_notes.read(f"{top}/.ralph/x")


def _beat(top: str) -> None:
    found = heartbeat.read(top)
    if found is not None:
        heartbeat.gone(found._replace(host=heartbeat.host()))
        heartbeat.alive(found, 0.0)


def settings(data: bytes) -> None:
    """`ralph.toml`, and each of its values as the environment or git's configuration has it."""
    found = settings_file.parse(data)
    setting_values.resolve([("ralph.toml", found)])
    settings_file.with_graph(data.decode(), ["a", "b"])


def source(data: bytes) -> None:
    """A file to import, by its content and as one of the formats."""

    def load(text: str) -> object:
        return yaml_reader.load(input_limits.decode(text.encode("utf-8"), limit=LIMIT))

    refusals = []
    both = (None, importers.BUILT_IN[len(data) % len(importers.BUILT_IN)])
    for wanted in both:
        try:
            importers.convert("x.md", data, load, wanted=wanted)
        except InvalidRecord as error:
            refusals.append(error)
    if len(refusals) == len(both):
        raise refusals[0]


def pattern(data: bytes) -> None:
    """Patterns of a scope, one a line, each with each."""
    lines = data.decode("utf-8", "replace").splitlines()[:3]
    for one in lines:
        if pattern_overlap.check_pattern(one) is None:
            pattern_overlap.covers(one, "src/a/b/c.txt")
            pattern_overlap.head(one)
            for other in lines:
                if pattern_overlap.check_pattern(other) is None:
                    pattern_overlap.overlap(one, other)


class _placed:
    """A worktree's folder with one file in it."""

    def __init__(self, name: str, data: bytes) -> None:
        self._name, self._data = name, data

    def __enter__(self) -> str:
        top = Path(tempfile.mkdtemp(dir=_memory()))
        self._top = top
        (top / self._name).parent.mkdir(parents=True)
        (top / self._name).write_bytes(self._data)
        return str(top)

    def __exit__(self, *_: object) -> None:
        import shutil

        shutil.rmtree(self._top)


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _no_constant(name: str) -> object:
    raise AssertionError(f"{name} is not JSON")
