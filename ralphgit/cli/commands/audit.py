"""`audit`: reviews of the work on tasks: add, list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ralphgit.app.base import opening
from ralphgit.app.evidence import reviews
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe
from ralphgit.cli.subcommands import action_of
from ralphgit.errors import UsageError
from ralphgit.model.ids import parse_task_id
from ralphgit.model.review import DISPOSITIONS, Disposal, Finding, Review
from ralphgit.rules.review_verdict import open_findings

#: Which options go with which action.
_TAKES = {
    "add": {"verdict", "target", "by", "lens", "context", "finding", "dispose", "residual_risk"},
    "list": {"at", "open"},
}


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    action = action_of("audit", _TAKES, options)
    tasks = tuple(dict.fromkeys(map(parse_task_id, _many(options, "tasks"))))
    project = opening.project(around, warnings)
    if action == "add":
        return _add(project, tasks, options)
    found = reviews.at(project, str(options.get("at", "")), tasks)
    return _list(found, only_open=bool(options.get("open")))


def _many(options: Mapping[str, object], name: str) -> tuple[str, ...]:
    given = options.get(name, ())
    assert isinstance(given, (list, tuple))
    return tuple(given)


# -- add -------------------------------------------------------------------------------------


def _add(project: Project, tasks: Sequence[str], options: Mapping[str, object]) -> Outcome:
    if len(tasks) != 1:
        raise UsageError("a review is about one task", hint="ralphgit audit add ID --verdict WORD")
    if "verdict" not in options:
        raise UsageError("a review needs a verdict", hint="ralphgit audit --help")
    by = str(options.get("by", "")).strip()
    if "by" in options and not by:
        raise UsageError("a reviewer has a name", hint="--by NAME")
    made = reviews.add(
        project,
        reviews.ReviewOptions(
            task=tasks[0],
            verdict=str(options["verdict"]),
            by=by,
            target=str(options.get("target", "")),
            lenses=_many(options, "lens"),
            context=_many(options, "context"),
            findings=tuple(_findings(options)),
            disposes=tuple(_disposals(options)),
            residual_risk=str(options.get("residual_risk", "")).strip(),
        ),
    )
    data = {"review": reviews.stored(made.review), "file": made.path}
    line = f"review of {made.review.task} by {made.review.by}: {made.review.verdict}: {made.path}"
    advice = "It is staged; it travels in your next commit."
    return Outcome(data, before=(safe(line),), advice=(advice,))


def _findings(options: Mapping[str, object]) -> Iterator[Finding]:
    for given in _many(options, "finding"):
        severity, colon, text = given.partition(":")
        if not colon or not severity.strip() or not text.strip():
            raise UsageError(
                f"a finding is SEVERITY: TEXT, and not {given!r}", hint='--finding "minor: a typo"'
            )
        yield Finding("", severity.strip(), text.strip())


def _disposals(options: Mapping[str, object]) -> Iterator[Disposal]:
    for given in _many(options, "dispose"):
        place, equals, word = given.partition("=")
        made, slash, finding = place.partition("/")
        if not equals or not slash or word not in DISPOSITIONS:
            raise UsageError(
                f"{given!r} does not say what became of which finding",
                hint=f"--dispose REVIEW/FIND-1=WORD, one of {', '.join(DISPOSITIONS)}",
            )
        yield Disposal(made, finding, word)


# -- list ------------------------------------------------------------------------------------


def _list(found: Sequence[Review], *, only_open: bool) -> Outcome:
    still_open = open_findings(found)
    of_open = {one.review.id for one in still_open}
    shown = [one for one in found if not only_open or one.id in of_open]
    lines = []
    for one in shown:
        lines.append(f"{one.task}  {one.verdict}, by {one.by}, {one.at} ({one.id})")
        lines.append(f"  of {one.target}" + "".join(f", {lens}" for lens in one.lenses))
        for finding in one.findings:
            is_open = any(o.review is one and o.finding is finding for o in still_open)
            word = "open" if is_open else "closed"
            lines.append(f"  {word}  {finding.id}  {finding.severity}: {finding.text}")
        if one.residual_risk:
            lines.append(f"  residual risk: {one.residual_risk}")
    data = {
        "reviews": [reviews.stored(one) for one in shown],
        "open_findings": [
            {"task": one.review.task, "review": one.review.id, **one.finding._asdict()}
            for one in still_open
        ],
    }
    return Outcome(data, before=[safe(line) for line in lines] or ["No review."])
