"""Write a pull request's title and text: Markdown in which nothing of a record can act.

What people and agents wrote is text here, and nothing else: no markup, no HTML, no link, nobody
mentioned, no issue closed, no line that a forge takes for a command.
"""

from __future__ import annotations

import difflib
import re

from ralphgit.app.diff import markdown
from ralphgit.app.diff import record_diff as diffs
from ralphgit.app.rendering.safe_markdown import escape, fenced, one_line, quoted
from ralphgit.app.workspace.project import Project
from ralphgit.model.active_claim import Lease
from ralphgit.model.task import Task
from ralphgit.records.redact_secrets import redact, secrets_in

_LONGEST_TITLE = 200
#: GitHub takes 65,536 characters, and the text before is short.
_LONGEST_DIFF = 12_000


def title(project: Project, task: Task) -> str:
    """`ID: title`, on one line."""
    return _redacted(project, f"{task.id}: {one_line(bare_title(task))}")[:_LONGEST_TITLE]


def bare_title(task: Task) -> str:
    """The title without the task's id, where it begins with that: plans often say it in both."""
    found = re.match(rf"\W*{re.escape(task.id)}\W+(?=\w)", task.title, re.IGNORECASE)
    return task.title[found.end() :] if found else task.title


def body(project: Project, lease: Lease, head: str) -> str:
    """What the task was, what the branch does to the records, the record's lines, trailers."""
    found = diffs.diff(project, head)
    after = found.new.view
    task = after.task(lease.task)
    parts = [f"## {task.id}: {escape(bare_title(task))}"]
    if task.description.strip():
        parts.append(quoted(task.description))
    before = project.base_view
    old = before.text(before.by_id[task.id]) if task.id in before.by_id else ""
    record = fenced(diff(old, after.text(after.row(task.id))), "diff")
    last = [
        f"### Record\n\n{record}",
        f"Ralph-Task: {lease.task}\nRalph-Claim: {lease.claim}\nRalph-Worker: {lease.by}\n",
    ]
    room = markdown.LONGEST - sum(len(part) + 2 for part in (*parts, *last))
    parts.append(markdown.section(project, found, room))
    return _redacted(project, "\n\n".join([*parts, *last]))


def diff(old: str, new: str) -> str:
    """A unified diff of two blocks, without file names; cut where it is long."""
    lines = difflib.unified_diff(_lines(old), _lines(new), lineterm="", n=2)
    text = "\n".join(list(lines)[2:])
    if len(text) > _LONGEST_DIFF:
        text = text[:_LONGEST_DIFF].rpartition("\n")[0] + "\n... and more"
    return text


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _redacted(project: Project, text: str) -> str:
    return redact(text, secrets_in(project.around.environ))
