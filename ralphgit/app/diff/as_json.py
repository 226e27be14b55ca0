"""Render a diff as a JSON object, whose keys are a contract (SPEC 6)."""

from __future__ import annotations

from ralphgit.app.diff import text
from ralphgit.app.diff.record_diff import Diff
from ralphgit.app.diff.task_change import TaskChange


def as_json(diff: Diff) -> dict[str, object]:
    """Render a diff as a JSON object."""
    return {
        "verdict": diff.verdict,
        "range": {
            "old": diff.range.old, "new": diff.range.new,
            "base": diff.range.base, "head": diff.range.head,
        },
        "changes": [_change(one) for one in diff.changes],
        "added": [one.task for one in diff.changes if one.old is None],
        "removed": [one.task for one in diff.changes if one.new is None],
        "moved": diff.moved,
        "archived": list(diff.archived),
        "restored": list(diff.restored),
        "edges": {
            kind: [
                {"task": one.task, "depends_on": other}
                for one in diff.changes
                for other in getattr(one.edges, kind)
            ]
            for kind in ("added", "removed")
        },
        "ready": [row.id for row in diff.ready],
        "files": list(diff.files),
        "outside_scope": list(diff.outside),
        "settings": [
            {"name": one.name, "from": one.old, "to": one.new, "safety": one.safety}
            for one in diff.settings
        ],
        "notes": [note._asdict() for note in diff.notes],
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
        "sentence": text.sentence(one),
        "from": old.status.value if old else None,
        "to": new.status.value if new else None,
        "by": one.by or None,
        "claim": known.claim.id if known and known.claim else None,
        "epoch": known.epoch if known else 0,
        "file": one.file,
        "evidence": one.evidence or None,
        "unverified": one.unverified,
        "criteria": [{"task": one.task, **item._asdict()} for item in one.criteria],
        "records": [
            {
                "id": filed.judged.evidence.id,
                "kind": filed.judged.evidence.kind,
                "fresh": filed.judged.fresh,
                "command": filed.judged.evidence.command or None,
                "exit_code": filed.judged.evidence.exit_code,
                "passed_before": filed.judged.evidence.passed_before,
                "file": filed.path,
            }
            for filed in one.records
        ],
        "changed_since": [
            {"commit": later.commit, "by": later.by, "task": later.task or None}
            for later in (one.then.later if one.then else ())
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
