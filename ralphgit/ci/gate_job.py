"""Run one job: judge the change, then report it where people look."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence

from ralphgit.app.diff import markdown as diff_markdown
from ralphgit.app.diff import record_diff
from ralphgit.app.gate import check
from ralphgit.app.gate.problem import Problem
from ralphgit.app.rendering import safe_markdown
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.ci import pull_request_comment
from ralphgit.ci.job_environment import Job
from ralphgit.ci.pull_request_comment import Forge
from ralphgit.ci.rest_client import Denied
from ralphgit.cli import sarif_report, workflow_commands
from ralphgit.cli.commands.check import verdict
from ralphgit.cli.render import safe
from ralphgit.errors import NotWritable, RalphError, RemoteUnavailable, UsageError
from ralphgit.git import remote, worktrees
from ralphgit.model.printable import counted

_MOST_ROWS = 50
#: What a comment of either forge may have, and some more room than the diff takes.
_LONGEST = 65_000
_LOST = ("claim_lost", "merge_conflict")


def run(around: Surroundings, job: Job, forge: Forge | None) -> int:
    """Do the job; the exit code of `check`, whatever becomes of the comment.

    Raises: RalphError.
    """
    if not job.head:
        print("The branch was deleted: there is nothing to judge.")
        return 0
    warnings: list[str] = []
    project = Project.open(around, warnings)
    _require_history(project)
    job = job._replace(base=_base(project, job))
    found = [one.redacted(around.environ) for one in _judged(project, job)]
    refused = verdict(found, strict=job.strict)
    _annotate(job, found)
    if job.report:
        _replace(job.report, _report(project, job, found))
    body = _body(project, job, found)
    lost = any(problem.code in _LOST for problem in found)
    word, note = _comment(around, job, forge, body, lost=lost)
    if note:
        print(workflow_commands.command(word, note) if job.forge == "github" else safe(note))
    if job.summary:
        _write(job.summary, f"{body}\n{note}\n" if note else body, more=True)
    for sentence in warnings:
        print(f"warning: {_harmless(sentence)}", file=sys.stderr)
    if refused is None:
        print("No problem stops this change.")
        return 0
    say(refused, job.forge)
    return refused.exit_code


def say(error: RalphError, forge: str) -> None:
    """Print a refusal on stderr and as an annotation."""
    print(f"error: {_harmless(str(error))}", file=sys.stderr)
    if error.hint:
        print(f"hint: {_harmless(error.hint)}", file=sys.stderr)
    if forge == "github" and error.code != "problems_found":
        print(workflow_commands.command("error", f"{error}\n{error.hint}"))


def _harmless(text: str) -> str:
    """A line of a log in which GitHub's runner finds no command; the old form counts anywhere."""
    return safe(text).replace("##[", "## [")


# -- judging -----------------------------------------------------------------------------


def _require_history(project: Project) -> None:
    if project.repository.git.line("rev-parse", "--is-shallow-repository") == "true":
        raise UsageError(
            "this clone is shallow: without its history a change cannot be judged",
            code="shallow",
            hint="actions/checkout: with: fetch-depth: 0; in GitLab: variables: GIT_DEPTH: 0",
        )


def _base(project: Project, job: Job) -> str:
    """The commit to judge against: the base's tip, where it has come further than the event."""
    if not job.onto:
        return job.base
    ref = f"refs/remotes/origin/{job.onto}"
    if ref not in project.repository.refs and project.base.remote:
        # A clone of one branch alone, as GitLab makes it.
        git, timeout = project.repository.git, project.config.fetch_timeout
        remote.fetch(git, project.base.remote, job.onto, timeout=timeout)
        project.refresh()
    known = project.repository.refs.get(ref)
    if known is None:
        return job.base
    if job.base and worktrees.fork(project.repository.git, job.base, known.oid) != job.base:
        return job.base
    return known.oid


def _judged(project: Project, job: Job) -> list[Problem]:
    if not job.base:
        return check.check(project, at=job.head, anew=True)
    if not job.merged:
        return check.check(project, between=f"{job.base}..{job.head}")
    return check.check(project, base=job.base, at=job.head)


# -- saying ------------------------------------------------------------------------------


def _annotate(job: Job, found: Sequence[Problem]) -> None:
    if job.forge == "github":
        for line in workflow_commands.lines(found):
            print(line)
        return
    for one in found:
        print(safe(f"{one.path}:{one.line}: {one.severity}: {one.message} [{one.code}]"))
        if one.hint:
            print(safe(f"  {one.hint}"))


def _report(project: Project, job: Job, found: Sequence[Problem]) -> str:
    report = sarif_report.log if job.forge == "github" else sarif_report.code_quality
    return report(found, anywhere=project.config.graph[0])


def _body(project: Project, job: Job, found: Sequence[Problem]) -> str:
    """Write the comment: what stops the change, then what it does to the records."""
    parts = [diff_markdown.MARKER, _verdict(job, found)]
    if found:
        parts.append(_table(found))
    if job.base:
        dots = "..." if job.merged else ".."
        try:
            diff = record_diff.diff(project, f"{job.base}{dots}{job.head}")
            told = diff_markdown.comment(project, diff)
        except RalphError as error:
            why = safe_markdown.escape(str(error))
            told = f"What it does to the records is unknown: {why}."
        parts.append(told.removeprefix(diff_markdown.MARKER).strip())
    text = "\n\n".join(parts)
    if len(text) > _LONGEST:
        text = "\n\n".join([*parts[:-1], "What it does to the records is too long to show here."])
    return f"{text}\n"


def _verdict(job: Job, found: Sequence[Problem]) -> str:
    counts = Counter(one.severity for one in found)
    kinds = ("error", "warning")
    tally = ", ".join(counted(counts[kind], kind) for kind in kinds if counts[kind])
    if verdict(found, strict=job.strict) is None:
        return "**The records are in order.**" + (f" {tally.capitalize()}." if tally else "")
    lost = [one.task for one in found if one.code == "claim_lost"]
    if lost:
        names = ", ".join(safe_markdown.code(task) for task in dict.fromkeys(lost))
        return f"**This cannot be merged: the claim on {names} is lost.** {tally}."
    return f"**This should not be merged as it is:** {tally}."


def _table(found: Sequence[Problem]) -> str:
    rows = ["| | where | what |", "|---|---|---|"]
    for one in found[:_MOST_ROWS]:
        where = safe_markdown.code(f"{one.path}:{one.line}").replace("|", "\\|") if one.path else ""
        hint = f"<br>{safe_markdown.escape(one.hint)}" if one.hint else ""
        said = f"{safe_markdown.escape(one.message)} ({safe_markdown.code(one.code)}){hint}"
        rows.append(f"| {one.severity} | {where} | {said} |")
    if len(found) > _MOST_ROWS:
        rows.append(f"| | | and {len(found) - _MOST_ROWS} more: run `ralphgit check` |")
    return "\n".join(rows)


def _comment(
    around: Surroundings, job: Job, forge: Forge | None, body: str, *, lost: bool
) -> tuple[str, str]:
    """Write the comment; if there is none, returns how loud to say so, and why."""
    if not job.comment or (not job.pull and not (job.source and lost)):
        return "", ""
    if forge is None:
        return "notice", "There is no comment: the job has no token for one."
    wait = pull_request_comment.pause(around.environ)
    try:
        pull_request_comment.put(forge, job, diff_markdown.MARKER, body, wait=wait)
    except Denied as error:
        why = "the branch is a fork's, so the job may only read" if job.fork else str(error)
        return "notice" if job.fork else "warning", f"There is no comment: {why}."
    except RemoteUnavailable as error:
        # The verdict counts, and a forge that was away does not change it.
        return "warning", f"There is no comment: {error}."
    return "", ""


def _replace(path: str, text: str) -> None:
    """Write a file in the place of whatever is there: it may be a link that came with the branch.

    Raises: NotWritable.
    """
    here, folder = os.getcwd(), os.path.abspath(os.path.dirname(path))
    if f"{folder}/".startswith(f"{here}/") and os.path.realpath(folder) != folder.replace(
        here, os.path.realpath(here), 1
    ):
        raise NotWritable(
            f"cannot write {path}: a link is on the way to it",
            hint="name a file outside of the checkout, or one at its top",
        )
    if os.path.islink(path):
        os.unlink(path)
    _write(path, text)


def _write(path: str, text: str, *, more: bool = False) -> None:
    with open(path, "a" if more else "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text if text.endswith("\n") else f"{text}\n")
