"""Render a diff as plain text, and word the sentences that Markdown and JSON share.

The caller escapes them for where they are shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ralphgit.app.diff.record_diff import CLEAR, CONCERNS, PROBLEMS, UNCHANGED, Diff
from ralphgit.app.diff.task_change import CONCERN, PROBLEM, TaskChange
from ralphgit.model.printable import counted
from ralphgit.rules import diff_steps, evidence_verdict

#: What a worker does, by step.
_DOES = {
    diff_steps.CLAIM: "claims",
    diff_steps.COMPLETE: "completes",
    diff_steps.BLOCK: "blocks",
    diff_steps.FORCE: "FORCE-COMPLETES",
    diff_steps.RESET: "resets",
    diff_steps.RELEASE: "releases",
    diff_steps.ANSWER: "answers",
    diff_steps.REOPEN: "reopens",
    diff_steps.CANCEL: "cancels",
}
#: What becomes of a task, in the order of the summary.
_BECAME = {
    diff_steps.COMPLETE: "completed",
    diff_steps.FORCE: "completed by force",
    diff_steps.CLAIM: "claimed",
    diff_steps.BLOCK: "blocked",
    diff_steps.RESET: "reset",
    diff_steps.RELEASE: "released",
    diff_steps.ANSWER: "answered",
    diff_steps.REOPEN: "reopened",
    diff_steps.CANCEL: "cancelled",
    diff_steps.TAKE_BACK: "taken back",
    diff_steps.IMPORT: "imported as done",
    diff_steps.SET: "set by hand",
    diff_steps.ADD: "added",
    diff_steps.REMOVE: "removed",
    diff_steps.EDIT: "edited",
    diff_steps.RECORD: "with new records",
}


def lines(diff: Diff) -> Iterator[str]:
    """Render the whole diff for people, line by line."""
    yield verdict(diff)
    yield compared(diff)
    if diff.verdict == UNCHANGED:
        yield from settings(diff)
        yield files(diff)
        return
    if diff.notes:
        yield ""
    for note in diff.notes:
        yield f"{note.severity}: {note.message}"
    for one in diff.changes:
        yield ""
        proved = proof_summary(one)
        yield sentence(one) + (f": {proved}" if proved else "")
        yield f"  {one.title}"
        yield from (f"  {line}" for line in details(one))
    if ready := diff.ready:
        yield ""
        yield "becomes ready:"
        yield from (f"  {row.id}  {row.title}" for row in ready)
    yield ""
    yield from settings(diff)
    yield files(diff)


def compared(diff: Diff) -> str:
    """Say what is compared with what."""
    since = "since it left" if diff.range.since_fork else "against"
    old, new = diff.range.old[:12], diff.range.new[:12]
    return f"{diff.range.head} {since} {diff.range.base} ({old}..{new})"


def verdict(diff: Diff) -> str:
    """Sum the diff up in one sentence."""
    if diff.verdict == UNCHANGED:
        return "no record is changed"
    tally = ", ".join(_tally(diff)) or "no task is changed"
    count = Counter(note.severity for note in diff.notes)
    said = [counted(count[PROBLEM], "problem")] * bool(count[PROBLEM])
    said += [counted(count[CONCERN], "concern")] * bool(count[CONCERN])
    word = {PROBLEMS: "problems", CONCERNS: "concerns", CLEAR: "clear"}[diff.verdict]
    return f"{word}: {tally}" + (f"; {' and '.join(said)}" if said else "")


def _tally(diff: Diff) -> Iterator[str]:
    ends = Counter(one.change for one in diff.changes)
    ends += Counter(
        diff_steps.ADD
        for one in diff.changes
        if one.steps[0].deed == diff_steps.ADD and one.change != diff_steps.ADD
    )
    for deed, word in _BECAME.items():
        if ends[deed]:
            yield f"{counted(ends[deed], 'task')} {word}"
    if diff.archived:
        yield f"{counted(len(diff.archived), 'task')} archived"
    if diff.restored:
        yield f"{counted(len(diff.restored), 'task')} back from the archive"
    if diff.moved:
        yield f"{counted(diff.moved, 'task')} moved to another file"


def sentence(one: TaskChange) -> str:
    """Say who does what to the task."""
    said = [
        {diff_steps.ADD: f"{one.task} is added", diff_steps.REMOVE: f"{one.task} is removed"}[
            step.deed
        ]
        for step in one.steps
        if step.deed in (diff_steps.ADD, diff_steps.REMOVE)
    ]
    groups: list[tuple[str, list[str]]] = []
    for step in one.steps:
        if step.deed not in _DOES:
            continue
        by = step.by or "somebody"
        if groups and groups[-1][0] == by:
            groups[-1][1].append(_DOES[step.deed])
        else:
            groups.append((by, [_DOES[step.deed]]))
    if groups:
        does = ", then ".join(f"{by} {' and '.join(verbs)}" for by, verbs in groups)
        said.append(f"{does} {'it' if said else one.task}")
    said += [
        f"takes back {one.task} ({step.by})"
        for step in one.steps
        if step.deed == diff_steps.TAKE_BACK
    ]
    said = [
        f"{one.task} is imported as done from {step.why}, unverified"
        for step in one.steps
        if step.deed == diff_steps.IMPORT
    ] or said
    if one.change == diff_steps.SET and one.new is not None:
        said.append(f"{one.task} was made {one.new.status} by hand; no command does that")
    if one.old is not None and one.new is not None and one.old.id != one.new.id:
        said.append(f"{one.old.id} is renamed to {one.new.id}")
    if fields := [name for name in one.fields if name != "id"]:
        edited = f"{one.task} is edited" if not said else "edited as well"
        promise = "; its contract changes" if one.broken_contract else ""
        said.append(f"{edited} ({', '.join(fields)}{promise})")
    if one.change == diff_steps.RECORD:
        said.append(f"{one.task} gets new records")
    return "; ".join(said)


def proof_summary(one: TaskChange) -> str:
    """Sum up criteria and evidence; "" for a task that is not completed yet."""
    if not one.completed and not (one.records and one.change == diff_steps.RECORD):
        return ""
    return ", ".join(filter(None, (judged(one), evidence(one))))


def judged(one: TaskChange) -> str:
    """Say whether it is unverified, and how its criteria are."""
    return ", ".join(filter(None, ("unverified" if one.unverified else "", criteria(one))))


def criteria(one: TaskChange) -> str:
    """Say how many criteria are proved, assumed and open; without any, how many commands pass."""
    if not one.criteria:
        ran = [filed.judged for filed in one.own_records if filed.judged.evidence.command]
        passing = [j for j in ran if j.fresh and not j.evidence.failed]
        return f"{len(passing)} of {counted(len(ran), 'command')} passing" if ran else "no criteria"
    return evidence_verdict.summary(one.own_criteria)


def evidence(one: TaskChange) -> str:
    if one.then is not None:
        return f"stale since {one.then.since}"
    word = {"": "", "none": "no evidence"}.get(one.evidence)
    return f"evidence {one.evidence}" if word is None else word


def details(one: TaskChange) -> Iterator[str]:
    """Say everything else about a task."""
    task, old = one.new, one.old
    if task is not None and old is not None and task.epoch != old.epoch:
        yield f"epoch {old.epoch} to {task.epoch}: older claims no longer count"
    for step in one.steps:
        if step.why and step.deed in (diff_steps.RESET, diff_steps.RELEASE, diff_steps.REOPEN,
                                      diff_steps.CANCEL, diff_steps.FORCE):  # fmt: skip
            yield f"{step.by or 'somebody'} {_DOES[step.deed]} it because: {step.why}"
    if task is not None and one.worked_on and task.claim is not None:
        yield f"claim {task.claim.id} by {task.claim.by}"
    life = task.lifecycle if task is not None else None
    if life is not None and one.worked_on:
        if life.blocked is not None and life.blocked.question:
            yield f"asks ({life.blocked.reason}): {life.blocked.question}"
            yield from (f"option: {option}" for option in life.blocked.options)
        elif life.blocked is not None:
            yield f"blocked: {life.blocked.reason}"
        for concern in life.result.concerns if life.result else ():
            yield f"concern: {concern}"
    for asked in one.written.guidance:
        if asked.answer is not None:
            yield f"{asked.answer.by} answers '{asked.question}': {asked.answer.text}"
    yield from _proofs(one)
    for review in one.reviews:
        risk = f"; residual risk: {review.residual_risk}" if review.residual_risk else ""
        yield f"review by {review.by}: {review.verdict}{risk}"
    for review, finding in one.findings:
        yield f"open finding of {review.by} ({finding.severity}): {finding.text}"
    if old is not None and task is not None:
        yield from (f"now depends on {other}" for other in one.edges.added)
        yield from (f"no longer depends on {other}" for other in one.edges.removed)
    elif one.edges.added:
        yield f"depends on {', '.join(one.edges.added)}"


def _proofs(one: TaskChange) -> Iterator[str]:
    if not one.completed and one.change != diff_steps.RECORD:
        return
    said = {filed.judged.evidence.id: _proof(filed.judged) for filed in one.records}
    for item in one.criteria:
        by = f" (by {', '.join(item.by)})" if item.by else ""
        yield f"{item.criterion} is {item.support}{by}: {item.text}"
    yield from said.values()


def _proof(judged: evidence_verdict.Judged) -> str:
    one, freshness = judged.evidence, "fresh" if judged.fresh else "STALE"
    if one.command:
        before = " (passed before, too)" if one.passed_before else ""
        return f"evidence {one.id}, {freshness}: exit {one.exit_code} of {one.command}{before}"
    about = f"{one.artifact.path}: " if one.artifact else ""
    by = f", by {one.by}" if one.by else ""
    return f"evidence {one.id}, {freshness}{by}: {about}{one.shows}"


def settings(diff: Diff) -> Iterator[str]:
    """Say which settings are changed, where no note says so."""
    if not any(note.code == "settings_changed" for note in diff.notes):
        yield from (one.sentence for one in diff.settings)


def files(diff: Diff) -> str:
    """Say how many other files are changed."""
    count = len(diff.files)
    if not count:
        return "no file is changed besides the records"
    return f"{counted(count, 'file')} besides the records {'is' if count == 1 else 'are'} changed"
