"""A repository with a long history of finished tasks: each with its files, evidence and audit.

All of it is valid: `check` finds no error in it. The same numbers give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from ralphgit.model.evidence import COMMAND, Evidence, Output, Subject
from ralphgit.model.task import Criterion, Event, Lifecycle, Scope, Task
from ralphgit.records import audit_file, evidence_file
from ralphgit.rules.contract_digest import contract

HEAD = "version: 1\ntasks:\n"
#: The records of a finished task: its audit, and evidence of its commands.
RECORDS = 4


def task_id(number: int) -> str:
    """The id of finished task `number`."""
    return f"T-{number:05d}"


def claim_id(number: int) -> str:
    """The id of its claim."""
    return f"c{number:09d}"


def month(number: int) -> str:
    """The month in which it was finished: some 400 are in one."""
    year, rest = divmod(number // 400, 12)
    return f"{2024 + year}-{rest + 1:02d}"


def files(finished: range, waiting: int = 0) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file; `waiting` tasks are still to be done."""
    blocks = [HEAD]
    for number in finished:
        source = f"src/part{number % 50:02d}/m{number}.py"
        code = f"VALUE = {number}\n".encode()
        yield source, code
        blocks.append(_block(number))
        yield from _records(number, source, code)
    for number in range(waiting):
        blocks.append(f"  - id: W-{number:04d}\n    title: Wait {number}\n    status: pending\n")
    yield "task-graph.yaml", "".join(blocks).encode()


def _block(number: int) -> str:
    claim = claim_id(number)
    lines = [
        f"  - id: {task_id(number)}", f"    title: Write module {number}",
        "    status: complete", "    claim:", f"      id: {claim}", "      by: alpha",
        f'      at: "{month(number)}-03T10:00:00Z"', f"      contract: {contract(_task(number))}",
        "    result:", f"      id: r{number:09d}", f"      claim: {claim}", "      outcome: done",
        f'      at: "{month(number)}-03T11:00:00Z"', f"    story: S-{number // 24:04d}",
        "    acceptance:", "      - id: ACC-1", "        text: it has a value", "    verify:",
        *(f"      - {command}" for command in _task(number).verify), "    scope:",
        f"      write: [src/part{number % 50:02d}/m{number}.py]",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _task(number: int) -> Task:
    commands = tuple(f"test -s src/part{number % 50:02d}/m{number}.py -a {n}" for n in range(3))
    return Task(
        task_id(number), f"Write module {number}", Lifecycle(),
        acceptance=(Criterion("ACC-1", "it has a value"),), verify=commands,
        scope=Scope(write=(f"src/part{number % 50:02d}/m{number}.py",)),
    )  # fmt: skip


def _records(number: int, source: str, code: bytes) -> Iterator[tuple[str, bytes]]:
    task, claim, day = task_id(number), claim_id(number), f"{month(number)}-03"
    path = audit_file.path("records", task, claim)
    data: bytes | None = None
    for event, at, was, now in (
        ("claimed", "10:00:00", "pending", "in-progress"),
        ("completed", "11:00:00", "in-progress", "complete"),
    ):
        made = Event(f"{day}T{at}Z", event, "alpha", was, now)
        data = audit_file.appended(data, made, path=path, task=task, claim=claim)
    assert data is not None
    yield path, data
    line = f"100644 {_blob_id(code)}\t{source}\0".encode()
    subject = Subject("0" * 40, "0" * 40, hashlib.sha256(line).hexdigest())
    for place, command in enumerate(_task(number).verify):
        one = Evidence(
            id=f"e{number:07d}{place}", task=task, claim=claim, kind=COMMAND, supports=(),
            shows="the command exits 0", does_not_show="anything that it does not look at",
            at=f"{day}T10:59:0{place}.000Z", command=command,
            command_digest=hashlib.sha256(command.encode()).hexdigest(), exit_code=0,
            duration_s=0.1, output=Output(hashlib.sha256(b"").hexdigest(), 0, ""), subject=subject,
        )  # fmt: skip
        path = evidence_file.path("records", task, one.id)
        yield path, evidence_file.encode(one, path)


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def fast_import(contents: Mapping[str, bytes]) -> bytes:
    """One commit of these files on main, for `git fast-import`."""
    head = (
        b"commit refs/heads/main\ncommitter Ann <ann@example.com> 1700000000 +0000\ndata 5\nfirst"
    )
    parts = [head]
    for path, data in contents.items():
        parts.append(f"\nM 100644 inline {path}\ndata {len(data)}\n".encode() + data)
    return b"".join(parts) + b"\n"
