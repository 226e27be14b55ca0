"""`audit`: reviews of the work on tasks: add, list."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.evidence import reviews
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import UsageError
from ralphgit.model.review import DISPOSITIONS, Disposal, Finding, Review
from ralphgit.rules.review_verdict import open_findings


class Options(NamedTuple):
    action: str
    tasks: tuple[str, ...] = ()
    verdict: str = ""
    target: str = ""
    by: str | None = None
    lenses: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    disposals: tuple[str, ...] = ()
    residual_risk: str = ""
    at: str = ""
    open: bool = False


def run(call: Call, options: Options) -> Outcome:
    tasks = tuple(dict.fromkeys(options.tasks))
    project = call.project()
    if options.action == "add":
        return _add(project, tasks, options)
    return _list(reviews.at(project, options.at, tasks), only_open=options.open)


# -- add -------------------------------------------------------------------------------------


def _add(project: Project, tasks: Sequence[str], options: Options) -> Outcome:
    if len(tasks) != 1:
        raise UsageError("a review is about one task", hint="ralphgit audit add ID --verdict WORD")
    if not options.verdict:
        raise UsageError("a review needs a verdict", hint="ralphgit audit --help")
    by = (options.by or "").strip()
    if options.by is not None and not by:
        raise UsageError("--by is empty: a review has a reviewer", hint="--by NAME")
    made = reviews.add(
        project,
        reviews.ReviewOptions(
            task=tasks[0],
            verdict=options.verdict,
            by=by,
            target=options.target,
            lenses=options.lenses,
            context=options.context,
            findings=tuple(_findings(options.findings)),
            disposes=tuple(_disposals(options.disposals)),
            residual_risk=options.residual_risk.strip(),
        ),
    )
    data = {"review": reviews.stored(made.review), "file": made.path}
    line = f"review of {made.review.task} by {made.review.by}: {made.review.verdict}: {made.path}"
    advice = "It is staged; it travels in your next commit."
    worktree, base = project.repository.worktree, project.base
    if base.remote and worktree is not None and worktree.branch == f"refs/heads/{base.branch}":
        advice += f" It counts once {base.label} has it: {reviews.landing(project)}"
    return Outcome(data, before=(safe(line),), advice=(advice,))


def _findings(told: Sequence[str]) -> Iterator[Finding]:
    for given in told:
        severity, colon, text = given.partition(":")
        if not colon or not severity.strip() or not text.strip():
            raise UsageError(
                f"a finding is written SEVERITY: TEXT, not {given!r}",
                hint='--finding "minor: a typo"',
            )
        yield Finding("", severity.strip(), text.strip())


def _disposals(told: Sequence[str]) -> Iterator[Disposal]:
    for given in told:
        place, equals, word = given.partition("=")
        made, slash, finding = place.partition("/")
        if not equals or not slash or word not in DISPOSITIONS:
            raise UsageError(
                f"{given!r} is not REVIEW/FINDING=WORD",
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
