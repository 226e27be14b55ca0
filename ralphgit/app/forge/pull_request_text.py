"""Write a pull request's title and text: Markdown in which nothing of a record can act.

What people and agents wrote is text here, and nothing else: no markup, no HTML, no link, nobody
mentioned, no issue closed, no line that a forge takes for a command.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from ralphgit.app.diff import markdown
from ralphgit.app.diff import record_diff as diffs
from ralphgit.app.evidence import attempt_events
from ralphgit.app.rendering.safe_markdown import escape, fenced, one_line, quoted
from ralphgit.app.workspace import commit_message
from ralphgit.app.workspace.project import Project
from ralphgit.model.active_claim import Lease
from ralphgit.model.printable import cut
from ralphgit.model.task import Task
from ralphgit.records.redact_secrets import redact, secrets_in

_LONGEST_TITLE = 200
#: GitHub takes 65,536 characters, and the text before is short.
_LONGEST_DIFF = 12_000
_LONGEST_SUMMARY = 2_000


def title(project: Project, tasks: Sequence[Task]) -> str:
    """By `commit.subject`, as a squash merge takes it; of several tasks all ids and all titles."""
    ids = ", ".join(task.id for task in tasks)
    titles = "; ".join(one_line(bare_title(task)) for task in tasks)
    said = commit_message.subject(project, ids, titles, event="completed", story=tasks[0].story)
    return _redacted(project, said)[:_LONGEST_TITLE]


def bare_title(task: Task) -> str:
    """The title without the task's id, where it begins with that: plans often say it in both."""
    found = re.match(rf"\W*{re.escape(task.id)}\W+(?=\w)", task.title, re.IGNORECASE)
    return task.title[found.end() :] if found else task.title


def body(project: Project, leases: Sequence[Lease], head: str) -> str:
    """Each task, what its worker says, what becomes of the records, their lines, trailers."""
    found = diffs.diff(project, head)
    after, before = found.new.view, project.base_view
    parts, records, trailers = [], [], ""
    for lease in leases:
        task = after.task(lease.task)
        parts.append(f"## {task.id}: {escape(bare_title(task))}")
        if task.description.strip():
            parts.append(quoted(task.description))
        events = attempt_events.at(project, head, lease.task, lease.claim)
        if summary := attempt_events.summary(events):
            said = quoted(cut(summary, _LONGEST_SUMMARY))
            parts.append(f"{escape(lease.by)} says:\n\n{said}")
        old = before.text(before.by_id[task.id]) if task.id in before.by_id else ""
        records.append(fenced(diff(old, after.text(after.row(task.id))), "diff"))
        trailers += (
            f"Ralph-Task: {lease.task}\nRalph-Claim: {lease.claim}\nRalph-Worker: {lease.by}\n"
        )
    last = ["### Record\n\n" + "\n\n".join(records), trailers]
    room = markdown.LONGEST - sum(len(part) + 2 for part in (*parts, *last))
    parts.append(markdown.section(project, found, room))
    return _redacted(project, "\n\n".join([*parts, *last]))


def of_records(project: Project, head: str) -> str:
    """What becomes of the records, where nothing is completed."""
    return markdown.section(project, diffs.diff(project, head), markdown.LONGEST) + "\n"


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
