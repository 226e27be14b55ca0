"""The title and the text of a pull request: Markdown in which nothing of a record can act.

What people and agents wrote is text here, and nothing else: no markup, no HTML, no link, nobody
mentioned, no issue closed, no line that a forge takes for a command.
"""

from __future__ import annotations

import difflib
import re
import unicodedata

from ralphgit.app.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.model.flight import Lease
from ralphgit.model.task import Task
from ralphgit.records import plain
from ralphgit.records import text as texts
from ralphgit.records.redact import redact, secrets_in

_LONGEST_TITLE = 200
_LONGEST_LINE = 1000
#: GitHub takes 65,536 characters, and the text before is short.
_LONGEST_DIFF = 24_000
_MOST_LINES = 60
#: U+2060, which shows nothing and parts `@` from a name, and `#` from a number.
_JOINER = "&#8288;"
_MARKS = frozenset("\\`*_[]|.")
_MARKS_AT_THE_START = frozenset("+-=")
_CALLS = frozenset("@#!$%~^&")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", ":": "&#58;"}
_ISSUE = re.compile(r"(?i)\bGH(?=-\d)")


def title(project: Project, task: Task) -> str:
    """`ID: title`, on one line."""
    return _redacted(project, f"{task.id}: {_line(task.title)}")[:_LONGEST_TITLE]


def body(project: Project, lease: Lease, head: str) -> str:
    """What the task was, what supports each criterion, concerns, the record's diff, trailers."""
    after = project.view(head, head[:12])
    task = after.task(lease.task)
    parts = [f"## {task.id}: {escape(task.title)}"]
    if task.description.strip():
        parts.append(_quoted(task.description))
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


def escape(text: str) -> str:
    """One line of text as Markdown that shows just it."""
    made = []
    text = _line(text)
    for number, sign in enumerate(text):
        after = text[number + 1 : number + 2]
        marks = sign in _MARKS or sign in _CALLS or (not number and sign in _MARKS_AT_THE_START)
        shown = _ENTITIES.get(sign, f"\\{sign}" if marks else sign)
        made.append(shown + (_JOINER if sign in _CALLS and after.strip() else ""))
    return _ISSUE.sub(lambda found: found.group() + _JOINER, "".join(made))


def code(text: str) -> str:
    """One line of text as an inline code span."""
    text = _line(text)
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fenced(text: str, language: str = "") -> str:
    """Lines as a block of code that they cannot end."""
    fence = "`" * max(3, _longest_run(text) + 1)
    lines = [_shown(line) for line in text.split("\n")]
    return "\n".join([f"{fence}{language}", *lines, fence])


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


def _quoted(text: str) -> str:
    lines = text.strip().split("\n")
    shown = [f"> {escape(line)}" if line.strip() else ">" for line in lines[:_MOST_LINES]]
    return "\n".join(shown + ["> ..."] * (len(lines) > _MOST_LINES))


def _line(text: str) -> str:
    """`text` on one line, without what does not show or turns the direction of writing."""
    return _shown(" ".join(text.split()))[:_LONGEST_LINE]


def _shown(line: str) -> str:
    return "".join(c if c == "\t" or not unicodedata.category(c).startswith("C") else "\ufffd"
                   for c in line.rstrip("\r"))  # fmt: skip


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _redacted(project: Project, text: str) -> str:
    return redact(text, secrets_in(project.around.environ))
