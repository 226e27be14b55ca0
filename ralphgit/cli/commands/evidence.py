"""`evidence`: what was observed about tasks: add, list, verify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ralphgit.app.base import opening
from ralphgit.app.evidence import record as observe
from ralphgit.app.evidence import survey
from ralphgit.app.evidence.survey import TaskEvidence
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe
from ralphgit.cli.subcommands import action_of
from ralphgit.errors import Refused, UsageError
from ralphgit.model.evidence import Evidence, Support
from ralphgit.model.ids import parse_task_id
from ralphgit.rules import assessment

#: Which options go with which action.
_TAKES = {
    "add": {"shows", "does_not_show", "artifact", "kind", "supports", "partially", "challenges",
            "worker"},
    "list": {"at", "stale"},
    "verify": {"rerun"},
}  # fmt: skip
_VERDICTS = {
    "supports": "supports", "partially": "partially-supports", "challenges": "challenges",
}  # fmt: skip


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    action = action_of("evidence", _TAKES, options)
    given = options.get("tasks", ())
    assert isinstance(given, tuple)
    tasks = tuple(dict.fromkeys(map(parse_task_id, given)))
    project = opening.project(around, warnings)
    if action == "add":
        return _add(project, tasks, options)
    if action == "list":
        found = survey.survey(project, tasks, at=str(options.get("at", "")))
        return _list(found, stale=bool(options.get("stale")))
    return _verify(observe.again(project, tasks, rerun=bool(options.get("rerun"))))


# -- add -------------------------------------------------------------------------------------


def _add(project: Project, tasks: Sequence[str], options: Mapping[str, object]) -> Outcome:
    if len(tasks) != 1:
        raise UsageError(
            "evidence add is about one task", hint="ralphgit evidence add ID --shows TEXT"
        )
    shows = str(options.get("shows", "")).strip()
    if not shows:
        raise UsageError("evidence needs to say what it shows", hint="--shows TEXT")
    made = observe.add(
        project,
        observe.RecordOptions(
            task=tasks[0],
            shows=shows,
            does_not_show=str(options.get("does_not_show", "")).strip(),
            kind=str(options.get("kind", "")),
            artifact=str(options.get("artifact", "")),
            verdicts=tuple(_verdicts(options)),
        ),
    )
    line = f"{made.evidence.kind} recorded for {made.evidence.task}: {made.path}"
    advice = "It is staged; it travels in your next commit."
    data = {"record": survey.stored(made.evidence), "file": made.path}
    return Outcome(data, before=(safe(line),), advice=(advice,))


def _verdicts(options: Mapping[str, object]) -> Iterator[Support]:
    for option, verdict in _VERDICTS.items():
        given = options.get(option, ())
        assert isinstance(given, (list, tuple))
        yield from (Support(criterion, verdict) for criterion in given)


# -- list and verify -------------------------------------------------------------------------


def _list(found: Sequence[TaskEvidence], *, stale: bool) -> Outcome:
    lines = []
    for one in found:
        lines += _told(one, stale=stale)
    if not lines:
        lines = ["No stale evidence." if stale else "No evidence."]
    return Outcome(_data(found, stale=stale), before=lines)


def _told(one: TaskEvidence, *, stale: bool) -> list[str]:
    lines = [
        f"  {_worth(filed.judged):<10}  {one_line(filed.judged.evidence)}"
        for filed in one.records
        if not stale or not (filed.judged.fresh or filed.judged.superseded)
    ]
    lines += [
        f"  {item.support:<10}  {safe(item.criterion)}: {safe(item.text)}"
        for item in one.criteria
        if not stale or item.support == assessment.STALE
    ]
    if not lines and not stale and one.row.status == "complete":
        lines = ["  none"]
    return [f"{one.row.id}  {safe(one.row.title)}", *lines] if lines else []


def _worth(judged: assessment.Judged) -> str:
    if judged.superseded:
        return "superseded"
    return "fresh" if judged.fresh else "stale"


def one_line(record: Evidence) -> str:
    """A record in a line: what was observed, and what came of it."""
    if record.command:
        return safe(f"exit {record.exit_code}: {record.command}")
    about = f"{record.artifact.path}: " if record.artifact else ""
    by = f" ({record.by})" if record.by else ""
    return safe(f"{record.kind}: {about}{record.shows}{by}")


def _data(found: Sequence[TaskEvidence], *, stale: bool = False) -> dict[str, object]:
    return {
        "evidence": [
            {
                **survey.stored(filed.judged.evidence),
                "fresh": filed.judged.fresh,
                "superseded": filed.judged.superseded,
                "file": filed.path,
            }
            for one in found
            for filed in one.records
            if not stale or not (filed.judged.fresh or filed.judged.superseded)
        ],
        "criteria": [
            {"task": one.row.id, **item._asdict()}
            for one in found
            for item in one.criteria
            if not stale or item.support == assessment.STALE
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
        return Outcome(data, before=[*lines, "All evidence is fresh, and passes."], advice=advice)
    commands = bool(done.unproved) or any(record.command for _, record in done.stale)
    missing = f", {len(done.unproved)} missing" if done.unproved else ""
    error = Refused(
        f"{len(done.stale)} stale, {len(done.failed)} failed{missing}",
        code="evidence_failed" if done.failed else "evidence_stale",
        hint="ralphgit evidence verify --rerun" if commands and not done.reruns else "",
    )
    return Outcome(data, before=lines, error=error, advice=advice)
