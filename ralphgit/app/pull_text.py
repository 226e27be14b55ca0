"""The title and the text of a pull request: Markdown in which nothing of a record can act.

What people and agents wrote is text here, and nothing else: no markup, no HTML, no link, nobody
mentioned, no issue closed, no line that a forge takes for a command.
"""

from __future__ import annotations

import difflib

from ralphgit.app.markdown import code, escape, fenced, one_line, quoted
from ralphgit.app.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.model.flight import Lease
from ralphgit.model.task import Task
from ralphgit.records import plain
from ralphgit.records import text as texts
from ralphgit.records.redact import redact, secrets_in

_LONGEST_TITLE = 200
#: GitHub takes 65,536 characters, and the text before is short.
_LONGEST_DIFF = 24_000


def title(project: Project, task: Task) -> str:
    """`ID: title`, on one line."""
    return _redacted(project, f"{task.id}: {one_line(task.title)}")[:_LONGEST_TITLE]


def body(project: Project, lease: Lease, head: str) -> str:
    """What the task was, what supports each criterion, concerns, the record's diff, trailers."""
    after = project.view(head, head[:12])
    task = after.task(lease.task)
    parts = [f"## {task.id}: {escape(task.title)}"]
    if task.description.strip():
        parts.append(quoted(task.description))
    parts.append("### Acceptance\n\n" + "\n".join(_acceptance(project, task, lease, head)))
    concerns = task.lifecycle.result.concerns if task.lifecycle.result else ()
    if concerns:
        parts.append("### Concerns\n\n" + "\n".join(f"- {escape(one)}" for one in concerns))
    before = project.base_view
    old = before.text(before.by_id[task.id]) if task.id in before.by_id else ""
    record = fenced(diff(old, after.text(after.row(task.id))), "diff")
    parts.append(f"### Record\n\n{record}")
    parts.append(
        f"Ralph-Task: {lease.task}\nRalph-Claim: {lease.claim}\nRalph-Worker: {lease.by}\n"
    )
    return _redacted(project, "\n\n".join(parts))


def diff(old: str, new: str) -> str:
    """A unified diff of two blocks, without file names; cut where it is long."""
    lines = difflib.unified_diff(_lines(old), _lines(new), lineterm="", n=2)
    text = "\n".join(list(lines)[2:])
    if len(text) > _LONGEST_DIFF:
        text = text[:_LONGEST_DIFF].rpartition("\n")[0] + "\n... and more"
    return text


def _acceptance(project: Project, task: Task, lease: Lease, head: str) -> list[str]:
    evidence = _evidence(project, task.id, lease.claim, head)
    lines = []
    for criterion in task.acceptance:
        found = [(name, record, verdict) for name, record in evidence
                 if (verdict := _verdict(record, criterion.id))]  # fmt: skip
        mark = "x" if {verdict for _, _, verdict in found} == {"supports"} else " "
        said = "; ".join(f"{verdict}: {_named(name, record)}" for name, record, verdict in found)
        lines.append(
            f"- [{mark}] **{escape(criterion.id)}** {escape(criterion.text)}: "
            + (said or "no evidence")
        )
    if not lines:
        lines = [f"- {_named(name, record)}" for name, record in evidence]
    return lines or ["No criteria, and no evidence but the change itself."]


def _named(name: str, record: dict[str, object]) -> str:
    command = record.get("command")
    if not isinstance(command, str):
        return code(name)
    return f"{code(command)} exits {record.get('exit_code')} ({code(name)})"


def _verdict(record: dict[str, object], criterion: str) -> str:
    supports = record.get("supports")
    for one in supports if isinstance(supports, list) else []:
        if isinstance(one, dict) and one.get("criterion") == criterion:
            verdict = one.get("verdict")
            known = ("supports", "challenges", "partially-supports")
            return verdict if isinstance(verdict, str) and verdict in known else ""
    return ""


def _evidence(
    project: Project, task: str, claim: str, head: str
) -> list[tuple[str, dict[str, object]]]:
    """The claim's evidence records on a commit, with their paths."""
    objects = project.repository.objects
    folder = f"{project.config.records}/evidence/{task}"
    pairs = objects.files([head], (), (folder,), lambda path: path.endswith(".yaml"))[head]
    contents = objects.read([oid for _, oid in pairs])
    found = []
    for name, oid in pairs:
        try:
            limit = project.config.max_record_bytes
            value = plain.load(texts.decode(contents[oid], limit=limit))
        except InvalidRecord:
            continue
        if isinstance(value, dict) and value.get("claim") == claim:
            found.append((name, value))
    return sorted(found, key=lambda pair: str(pair[1].get("started_at", "")))


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _redacted(project: Project, text: str) -> str:
    return redact(text, secrets_in(project.around.environ))
