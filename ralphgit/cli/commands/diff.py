"""`diff`: what a branch does to the records, in tasks and not in lines."""

from __future__ import annotations

from collections.abc import Iterator

from ralphgit.app.base import opening
from ralphgit.app.diff import record_diff
from ralphgit.app.diff import text as diff_words
from ralphgit.app.diff.record_diff import UNCHANGED, Diff
from ralphgit.app.diff.task_change import TaskChange
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings, fetch=bool(options.get("fetch")))
    given = str(options.get("range", ""))
    found = record_diff.diff(project, given)
    if not given and record_diff.is_uncommitted(project, found):
        project.warn(
            "this worktree's records have changes that are not committed; they are not told here"
        )
    if options.get("format") == "markdown":
        from ralphgit.app.diff import markdown

        text = markdown.comment(project, found)
        return Outcome({**as_json(found), "markdown": text}, before=(text.removesuffix("\n"),))
    return Outcome(as_json(found), before=[safe(line) for line in _told(found)])


def _told(found: Diff) -> Iterator[str]:
    yield diff_words.verdict(found)
    yield diff_words.compared(found)
    if found.verdict == UNCHANGED:
        yield diff_words.files(found)
        return
    if found.notes:
        yield ""
    for note in found.notes:
        yield f"{note.severity}: {note.message}"
    for one in found.changes:
        yield ""
        worth = diff_words.proof_summary(one)
        yield diff_words.sentence(one) + (f": {worth}" if worth else "")
        yield f"  {one.title}"
        yield from (f"  {line}" for line in diff_words.details(one))
    if found.ready:
        yield ""
        yield "becomes ready:"
        yield from (f"  {row.id}  {row.title}" for row in found.ready)
    yield ""
    yield diff_words.files(found)


def as_json(found: Diff) -> dict[str, object]:
    """A diff as JSON tells it."""
    edges = [
        (one.task, other, kind)
        for one in found.changes
        for kind, others in zip(("added", "removed"), one.edges, strict=True)
        for other in others
    ]
    return {
        "verdict": found.verdict,
        "range": {
            "old": found.range.old, "new": found.range.new,
            "base": found.range.base, "head": found.range.head,
        },
        "changes": [_change(one) for one in found.changes],
        "added": [one.task for one in found.changes if one.old is None],
        "removed": [one.task for one in found.changes if one.new is None],
        "moved": found.moved,
        "edges": {
            kind: [{"task": task, "depends_on": on} for task, on, which in edges if which == kind]
            for kind in ("added", "removed")
        },
        "ready": [row.id for row in found.ready],
        "files": list(found.files),
        "outside_scope": list(found.outside),
        "notes": [note._asdict() for note in found.notes],
    }  # fmt: skip


def _change(one: TaskChange) -> dict[str, object]:
    old, new = one.old, one.new
    known = new or old
    life = new.lifecycle if new else None
    return {
        "task": one.task,
        "title": one.title,
        "change": one.change,
        "steps": [
            {"change": step.deed, "by": step.by or None, "why": step.why} for step in one.steps
        ],
        "sentence": diff_words.sentence(one),
        "from": old.status.value if old else None,
        "to": new.status.value if new else None,
        "by": one.by or None,
        "claim": known.claim.id if known and known.claim else None,
        "epoch": known.epoch if known else 0,
        "file": one.file,
        "evidence": one.evidence or None,
        "criteria": [{"task": one.task, **item._asdict()} for item in one.criteria],
        "records": [
            {
                "id": filed.judged.evidence.id,
                "kind": filed.judged.evidence.kind,
                "fresh": filed.judged.fresh,
                "command": filed.judged.evidence.command or None,
                "exit_code": filed.judged.evidence.exit_code,
                "file": filed.path,
            }
            for filed in one.records
        ],
        "outcome": life.result.outcome.value if life and life.result else None,
        "concerns": list(life.result.concerns) if life and life.result else [],
        "question": life.blocked.question if life and life.blocked else None,
        "answers": [
            {"question": asked.question, "text": asked.answer.text, "by": asked.answer.by}
            for asked in one.written.guidance
            if asked.answer is not None
        ],
        "reviews": [
            {"id": review.id, "by": review.by, "verdict": review.verdict} for review in one.reviews
        ],
        "findings": [
            {"review": review.id, "by": review.by, **finding._asdict()}
            for review, finding in one.findings
        ],
        "fields": list(one.fields),
        "contract": list(one.broken_contract) if one.old else [],
    }
