"""`evidence`: what was observed about tasks: add, list, verify."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence import record as observe
from ralphgit.app.evidence.judged_evidence import TaskEvidence
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import Refused, UsageError
from ralphgit.model.evidence import Evidence, Support
from ralphgit.rules import evidence_verdict


class Options(NamedTuple):
    action: str
    tasks: tuple[str, ...] = ()
    shows: str = ""
    does_not_show: str = ""
    artifact: str = ""
    kind: str = ""
    proves: tuple[str, ...] = ()
    partially: tuple[str, ...] = ()
    challenges: tuple[str, ...] = ()
    at: str = ""
    stale: bool = False
    rerun: bool = False


def run(call: Call, options: Options) -> Outcome:
    tasks = tuple(dict.fromkeys(options.tasks))
    project = call.project()
    if options.action == "add":
        return _add(project, tasks, options)
    if options.action == "list":
        return _list(judged_evidence.survey(project, tasks, at=options.at), options.stale)
    return _verify(observe.again(project, tasks, rerun=options.rerun))


# -- add -------------------------------------------------------------------------------------


def _add(project: Project, tasks: Sequence[str], options: Options) -> Outcome:
    if len(tasks) != 1:
        raise UsageError(
            "evidence add is about one task", hint="ralphgit evidence add ID --shows TEXT"
        )
    shows = options.shows.strip()
    if not shows:
        raise UsageError("evidence needs to say what it shows", hint="--shows TEXT")
    made = observe.add(
        project,
        observe.RecordOptions(
            task=tasks[0],
            shows=shows,
            does_not_show=options.does_not_show.strip(),
            kind=options.kind,
            artifact=options.artifact,
            verdicts=tuple(_verdicts(options)),
        ),
    )
    line = f"{made.evidence.kind} recorded for {made.evidence.task}: {made.path}"
    advice = "It is staged; it travels in your next commit."
    data = {"record": judged_evidence.stored(made.evidence), "file": made.path}
    return Outcome(data, before=(safe(line),), advice=(advice,))


def _verdicts(options: Options) -> Iterator[Support]:
    yield from (Support(criterion, "supports") for criterion in options.proves)
    yield from (Support(criterion, "partially-supports") for criterion in options.partially)
    yield from (Support(criterion, "challenges") for criterion in options.challenges)


# -- list and verify -------------------------------------------------------------------------


def _list(found: Sequence[TaskEvidence], stale: bool) -> Outcome:
    if stale:
        found = [_only_stale(one) for one in found]
    lines = [line for one in found for line in _told(one, none=not stale)]
    return Outcome(
        _data(found), before=lines or ["No stale evidence." if stale else "No evidence."]
    )


def _only_stale(one: TaskEvidence) -> TaskEvidence:
    old = [filed for filed in one.records if not (filed.judged.fresh or filed.judged.superseded)]
    stale = [item for item in one.criteria if item.support == evidence_verdict.STALE]
    return one._replace(records=tuple(old), criteria=tuple(stale))


def _told(one: TaskEvidence, *, none: bool) -> list[str]:
    """`none`: list also complete tasks that have none."""
    lines = [
        f"  {_worth(filed.judged):<10}  {one_line(filed.judged.evidence)}" for filed in one.records
    ]
    lines += [
        f"  {item.support:<10}  {safe(item.criterion)}: {safe(item.text)}" for item in one.criteria
    ]
    if not lines and none and one.row.status == "complete":
        lines = ["  none"]
    return [f"{one.row.id}  {safe(one.row.title)}", *lines] if lines else []


def _worth(judged: evidence_verdict.Judged) -> str:
    if judged.superseded:
        return "superseded"
    return "fresh" if judged.fresh else "stale"


def one_line(record: Evidence) -> str:
    """Return a record in one line: what was observed, and its result."""
    if record.command:
        return safe(f"exit {record.exit_code}: {record.command}")
    about = f"{record.artifact.path}: " if record.artifact else ""
    by = f" ({record.by})" if record.by else ""
    return safe(f"{record.kind}: {about}{record.shows}{by}")


def _data(found: Sequence[TaskEvidence]) -> dict[str, object]:
    return {
        "evidence": [
            {
                **judged_evidence.stored(filed.judged.evidence),
                "fresh": filed.judged.fresh,
                "superseded": filed.judged.superseded,
                "file": filed.path,
            }
            for one in found
            for filed in one.records
        ],
        "criteria": [
            {"task": one.row.id, **item._asdict()} for one in found for item in one.criteria
        ],
    }


def _verify(done: observe.Verified) -> Outcome:
    lines = [
        safe(f"ran for {again.task}: exit {again.exit_code}: {again.command}")
        for again in done.reruns
    ]
    trouble = [(one, record, "stale") for one, record in done.stale]
    trouble += [(one, record, f"exit {record.exit_code}") for one, record in done.failed]
    lines += [safe(f"{word}: {one.row.id}: {one_line(record)}") for one, record, word in trouble]
    lines += [safe(f"no evidence: {task}: {command}") for task, command in done.unproved]
    data = {**_data(done.tasks), "rerun": [again._asdict() for again in done.reruns]}
    advice = ("What was written is staged; it travels in your next commit.",) * bool(done.reruns)
    if not trouble and not done.unproved:
        some = any(one.records for one in done.tasks)
        said = "All evidence is fresh, and passes." if some else "No evidence."
        return Outcome(data, before=[*lines, said], advice=advice)
    hint = "ralphgit evidence verify --rerun" if done.unproved and not done.reruns else ""
    if done.stale:
        first = done.stale[0][0].row.id
        old = [record for one, record in done.stale if one.row.id == first]
        again = [record for record in old if record.command] if not done.reruns else []
        hint = hint or evidence_verdict.renewal(first, again or old)
    missing = f", {len(done.unproved)} missing" if done.unproved else ""
    error = Refused(
        f"{len(done.stale)} stale, {len(done.failed)} failed{missing}",
        code="evidence_failed" if done.failed else "evidence_stale",
        hint=hint,
    )
    return Outcome(data, before=lines, error=error, advice=advice)
