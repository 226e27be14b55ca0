"""Make one attempt at a claimed task: write packet and prompt, run the agent, judge the result."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ralphgit.app.active_claims import lost_claims, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.own_claims import WayOut
from ralphgit.app.evidence import run_verify_commands
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.handoff import inbox_notes, packet, prompt, worker_report
from ralphgit.app.integration import before_work
from ralphgit.app.lifecycle import complete, task_branch
from ralphgit.app.processes import run_program, trust
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import (
    ClaimLost,
    GuardRefused,
    InvalidRecord,
    NeedsPerson,
    NotWritable,
    RalphError,
    Refused,
)
from ralphgit.git import index, work_done
from ralphgit.loop import (
    agent_command,
    agent_process,
    agent_time_zone,
    event_log,
    prompt_template,
    resume,
)
from ralphgit.loop.agent_log import AgentLog
from ralphgit.loop.attempt_memory import Attempts
from ralphgit.loop.claim_watch import LOST, Watch
from ralphgit.model.active_claim import Lease
from ralphgit.model.handoff import REPORT
from ralphgit.model.task import Scope, Task, Usage
from ralphgit.model.task_status import Reason, Status
from ralphgit.records import atomic_files, evidence_file
from ralphgit.records.redact_secrets import secrets_in
from ralphgit.rules import agent_outcome
from ralphgit.rules.agent_outcome import (
    End,
    Left,
    Limited,
    Lost,
    Over,
    Silent,
    Stuck,
    Unavailable,
    Worked,
)
from ralphgit.rules.reset_time import reset_time

PROMPT = os.path.join(".ralph", "prompt.md")
#: How often a completion is tried that something else is in the way of.
_TRIES = 4
#: How much of what a hook says is in the loop's line about it; the worker is told all of it.
_SHOWN_LINES = 6
#: Above it an exit code is a signal's.
_MOST_OWN_CODE = 128
_MOST_COMMITS = "--max-count=200"
_OWN_MESSAGE = f"If this is about the commit's message, write another one: message in {REPORT}."


class Done(NamedTuple):
    """Verified by this process, and committed."""

    commit: str = ""
    """What was verified."""
    why: str = ""
    """How the agent ended, where that was not well."""


class Failed(NamedTuple):
    """Not done; another attempt may succeed."""

    why: str
    """One sentence."""
    feedback: str
    """For the next prompt."""
    reason: Reason = Reason.VERIFY_FAILED
    """What the task is blocked for if this was the last attempt."""
    told: str = ""
    """For the person who is asked then; "" for the same as the worker."""


class GivenUp(NamedTuple):
    """The task was blocked or released in this worktree while the agent worked."""

    how: WayOut


#: Refuses to go on where something has changed that steers git or a verify command.
Unchanged = Callable[[Project], None]

Outcome = Done | Failed | Stuck | Limited | Unavailable | Silent | Over | Lost | GivenUp
#: How a program's end is called in the rules.
_ENDS = {
    run_program.EXITED: End.EXITED, run_program.TIMED_OUT: End.OVER,
    agent_process.SILENT: End.SILENT, LOST: End.LOST,
}  # fmt: skip


def attempt(
    project: Project,
    lease: Lease,
    before: Attempts,
    *,
    command: agent_command.Command,
    since: str,
    check: Callable[[], str],
    ended_here: Callable[[Project, Usage], None],
    base_seen: Callable[[Project, str], None],
    unchanged: Unchanged,
    fix: Callable[[RalphError, int], None],
    heard: Callable[[], None],
    stopped: Callable[[Usage], None],
) -> tuple[Outcome, Usage]:
    """Have the agent work on the task once, and judge the result by what is there.

    Returns also what the agent itself has used. `since` is the commit that the work stands on,
    where that is not the base.

    Neither its exit code nor its report makes a task done, and no exit code keeps a task from being
    done whose verify commands pass: `complete` decides. Where something else is in its way, `fix`
    waits or repairs, and it is tried again. `ended_here` is called as soon as the agent has ended,
    with what it used, and may refuse to go on; `base_seen` with the base as it was before;
    `unchanged` after each verify command, which runs what the agent wrote; `heard` when the agent
    prints something; `stopped`, with what it used, where we are interrupted while it works.

    Raises: ClaimLost, NeedsPerson (untrusted, settings_changed), NotWritable.
    """
    task = promised(project, lease)
    trust.require(project, task.verify)
    try:
        _prepare(project, task, lease, before)
    except OSError as error:
        raise NotWritable(f"cannot write below .ralph: {error.strerror}") from error
    config, top = project.config, project.top
    environ = agent_process.environment(
        {**project.around.environ, **command.environment},
        task=lease.task, claim=lease.claim, worker=lease.by,
        packet=os.path.join(top, packet.PATH), report=os.path.join(top, REPORT),
    )  # fmt: skip
    environ["RALPH_PROMPT"] = os.path.join(top, PROMPT)
    environ["RALPH_ATTEMPT"] = str(before.failed + 1)
    if command.task_fields:
        stored = project.here.stored(project.here.row(lease.task))
        stored |= {"outputs": task.outputs, "scope": task.scope.write}
        environ |= {
            variable: json.dumps(stored[field])
            for variable, field in command.task_fields.items()
            if field in stored
        }
    secrets = secrets_in(environ)
    path = os.path.join(top, event_log.FOLDER, f"{lease.task}-{lease.claim}.log")
    try:
        log = AgentLog(
            path, limit=config.log_bytes, secrets=secrets, reading=command.reading, top=top
        )
    except OSError as error:
        raise NotWritable(f"cannot write {path}: {error.strerror}") from error
    left, base = runtime_files.left(top), project.base.commit
    git = project.repository.git
    silence = agent_process.Silence(config.agent_silence, lambda: work_done.snapshot(git, top))
    ended: agent_process.Ended | None = None
    try:
        with Watch(check, config.loop_check) as watch:
            ended = agent_process.run(
                agent_command.started(command, project, os.path.join(top, PROMPT)), top=top,
                prompt=os.path.join(top, PROMPT), environ=environ, log=log,
                timeout=command.limit(config), stop=watch.why, silence=silence, heard=heard,
            )  # fmt: skip
    finally:
        if ended is None:
            stopped(log.usage)
    if project.repository.linked and not os.path.lexists(os.path.join(top, ".git")):
        # git would go on in whatever repository the folder lies in.
        raise resume.gone(top, project.repository.home)
    ended_here(project, ended.usage)  # before anything here asks git
    if what := project.repository.under_way():  # no attempt begins in the middle of one
        way_out = "git bisect reset" if what == "bisect" else f"git {what} --quit"
        project.warn(f"came while the agent worked on {lease.task}: a {what} ({way_out})")
    changed = silence.changed()
    runtime_files.leave(project, left)  # what is there, verify commands have left and no agent
    project.refresh(config=True)
    base_seen(project, base)
    if broken := resume.unreadable(project):
        return _begin_again(project, lease, broken), ended.usage
    if how := own_claims.given_up(project.view("HEAD", "HEAD"), lease):
        return GivenUp(how), ended.usage
    outcome = _judged(project, task, command, ended, changed, environ, secrets)
    ended_so = f"the agent ended with exit code {ended.code}" if ended.code else ""
    if isinstance(outcome, worker_report.Report) and (left := _marked(top, before)):
        why = f"conflict markers are left in {', '.join(left)}"
        outcome = Failed(why, f"{why}. Join both sides there, and remove the markers.")
    if isinstance(outcome, worker_report.Report):
        if ended_so:
            summary = f"{outcome.summary}\nThe agent ended with exit code {ended.code}.".lstrip()
            outcome = outcome._replace(summary=summary)
        outcome = _complete_at_last(project, lease, outcome, unchanged, since, fix)
        if ended_so and isinstance(outcome, Failed):
            outcome = outcome._replace(feedback=f"{outcome.feedback}\n\n{_end(ended)}")
        elif ended_so and isinstance(outcome, Done):
            told = f"{ended_so}, and its work passed the verify commands"
            event_log.note(path, told)
            project.warn(f"{lease.task}: {told}")
            outcome = outcome._replace(why=ended_so)
    if isinstance(outcome, Failed):
        event_log.note(path, f"attempt {before.failed + 1} failed: {outcome.why}")
    return outcome, ended.usage


def _marked(top: str, before: Attempts) -> list[str]:
    """Find the files that had conflict markers when the agent began, and have them still."""
    found = []
    for path in before.conflicts.splitlines():
        try:
            with open(os.path.join(top, path), "rb") as file:
                lines = file.read().split(b"\n")
        except OSError:
            continue
        if any(line.startswith((b"<<<<<<< ", b">>>>>>> ")) for line in lines):
            found.append(path)
    return found


def _begin_again(project: Project, lease: Lease, why: InvalidRecord) -> Failed:
    """Keep all the work in a rescue ref: a graph that cannot be read has no task's state."""
    with WorktreeLock(project):
        kept = task_branch.put_aside(project, lease)
    sentence = f"the task graph cannot be read: {why}"
    where = f" All that was done is kept in {kept}; bring the work over." if kept else ""
    return Failed(sentence, f"{sentence}. Leave the records to ralphgit.{where}")


def finish(project: Project, lease: Lease, unchanged: Unchanged, since: str) -> Outcome:
    """Complete what is there, as after an attempt; the agent does not run.

    Raises: as `attempt`.
    """
    try:
        said = worker_report.read(project.top, secrets_in(project.around.environ))
    except InvalidRecord:
        said = worker_report.Report("")
    return _complete(project, lease, said, unchanged, since)


def promised(project: Project, lease: Lease) -> Task:
    """Return the task as it was promised: on the base, where the base has it."""
    claim_map = ClaimMap(project)
    view = claim_map.base if lease.task in claim_map.base.by_id else project.require_here()
    return view.task(lease.task)


def _prepare(project: Project, task: Task, lease: Lease, before: Attempts) -> None:
    top = project.top
    os.makedirs(os.path.join(top, event_log.FOLDER), exist_ok=True)
    made = packet.compile(
        project, task, claim=lease.claim, worker=lease.by, clean=not before.failed
    )
    packed = packet.encoded(project, made)
    atomic_files.write(os.path.join(top, packet.PATH), packed, durable=False, follow=False)
    text = prompt.written(project, made)
    if path := project.config.agent_prompt:
        trust.require_prompt(project)
        text = prompt_template.render(project, path, packet.stored(made), text)
    text += "\n" + prompt.notes(inbox_notes.of_claim(top, lease.claim))
    if before.review:
        text += "\n" + prompt.from_review(before.review)
    if before.feedback:
        text += "\n" + prompt.feedback(before.feedback)
    told = text.encode("utf-8", "replace")
    atomic_files.write(os.path.join(top, PROMPT), told, durable=False, follow=False)
    worker_report.clear(top)


def _judged(
    project: Project, task: Task, command: agent_command.Command, ended: agent_process.Ended,
    changed: bool, environ: Mapping[str, str], secrets: tuple[str, ...],
) -> Outcome | worker_report.Report:  # fmt: skip
    """Judge an attempt by what the agent left; its report, if `complete` has to decide.

    Of an agent that a signal has ended, or that failed at a task without verify commands, nothing
    else tells whether the work is whole.
    """
    try:
        said, question = worker_report.read(project.top, secrets), None
    except InvalidRecord as error:
        sentence = f"the report was refused: {error}"
        return Failed(sentence, sentence)
    if said.status in ("needs_context", "blocked"):
        reason = Reason.NEEDS_CONTEXT if said.status == "needs_context" else Reason.OTHER
        asked = said.question or said.summary or "the worker asked no question"
        question = Stuck(reason, asked, said.options, said.shared)
    outcome = how_ended(project, command, ended, changed, environ, question)
    if not isinstance(outcome, Worked):
        return outcome
    if outcome.code == 0 or (task.verify and outcome.code <= _MOST_OWN_CODE):
        return said
    return Failed(f"the agent ended with exit code {ended.code}", _end(ended), Reason.OTHER)


def _end(ended: agent_process.Ended) -> str:
    """Say to the next attempt how an agent has failed."""
    end = "\n".join(ended.tail.splitlines()[-20:])
    printed = f":\n{end}" if end.strip() else ", and printed nothing."
    return f"It ended with exit code {ended.code}{printed}"


def how_ended(
    project: Project, command: agent_command.Command, ended: agent_process.Ended, changed: bool,
    environ: Mapping[str, str], question: Stuck | None = None,
) -> agent_outcome.Outcome:  # fmt: skip
    """Decide what an agent's end says: that it worked, or what kept it from working."""
    config = project.config
    seconds = {
        End.SILENT: config.agent_silence,
        End.OVER: command.limit(config),
    }.get(_ENDS[ended.how], ended.seconds)
    left = Left(_ENDS[ended.how], ended.code, ended.tail, changed, seconds, question, ended.words)
    now, zone = project.around.now(), agent_time_zone.zone_of(environ)
    return agent_outcome.outcome(
        left, agent=command.name,
        reset=lambda text: reset_time(text, now=now, zone=zone, zones=agent_time_zone.zone_named),
    )  # fmt: skip


def _complete_at_last(
    project: Project,
    lease: Lease,
    said: worker_report.Report,
    unchanged: Unchanged,
    since: str,
    fix: Callable[[RalphError, int], None],
) -> Outcome:
    """Complete the task, also where a lock, a full disk or another command is in the way for a
    while; the agent's work is there, and running it again would not help.
    """
    for number in range(1, _TRIES + 1):
        try:
            return _complete(project, lease, said, unchanged, since)
        except (ClaimLost, NeedsPerson):
            raise
        except RalphError as error:
            refusal = error
        if isinstance(refusal, InvalidRecord):
            project.refresh()
            assert project.base_view  # a base that cannot be read is nobody's attempt: it is raised
            break  # what the agent wrote
        fix(refusal, number)
        project.refresh()
    lines = [str(refusal), *refusal.lines, refusal.hint]
    return Failed(str(refusal), "\n".join(filter(None, lines)))


def _leave_out_evidence(project: Project, lease: Lease, since: str) -> None:
    """Take out all evidence that an agent can have written down (L9): what neither the base nor
    the commit `since`, on which the work stands, has.

    A run of the task's own commands on what a commit of the work has stays: where the agent has
    completed its task, the history has it, and evidence is never removed. One of other content,
    of what this and the base make together, say, would be taken for a proof of that.
    """
    task = promised(project, lease)
    folder = evidence_file.all_of(project.config.records)
    commits = [commit for commit in (project.base.commit, since) if commit]
    listed = project.repository.objects.files(commits, (), (folder,), lambda path: True)
    known = {path for files in listed.values() for path, _ in files}
    had = functools.cache(lambda: _digests(project, task.scope, since))
    for parent, _, names in os.walk(project.file(folder)):
        for full in (os.path.join(parent, name) for name in sorted(names)):
            if os.path.relpath(full, project.top) in known:
                continue
            shown = os.path.relpath(full, project.top)
            try:
                one = evidence_file.parse(atomic_files.read(full) or b"")
                is_run = run_verify_commands.is_run(one, task, lease.claim)
                if is_run and one.subject is not None and one.subject.scope_digest in had():
                    continue
                shown = one.shows or shown
            except InvalidRecord:
                pass
            atomic_files.unlink(full)
            project.warn(f"left out, as what an agent observes proves nothing in a loop: {shown}")


def _digests(project: Project, scope: Scope, since: str) -> set[str]:
    """Digest what each commit of the work has in a scope; of more than some hundred the newest."""
    known = (f"^{commit}" for commit in (project.base.commit, since) if commit)
    listed = project.repository.git.run("rev-list", _MOST_COMMITS, "HEAD", *known)
    return {Content(project, commit).digest(scope) for commit in listed.decode().split()}


def _missing(task: str, error: Refused) -> str:
    """Say in a sentence what keeps a task from being done."""
    found = error.details.get("missing")
    missing = [str(one) for one in found] if isinstance(found, list) else []
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    return f"{task} is not done: {missing[0]}{more}" if missing else error.message


def _complete(
    project: Project, lease: Lease, said: worker_report.Report, unchanged: Unchanged, since: str
) -> Outcome:
    if hidden := index.unwatched(project.repository):
        # What was verified would not be what is committed.
        index.watch(project.repository.git, hidden)
        project.warn(f"git was told to pass over {', '.join(hidden)}; it looks at them again")
    if own_claims.end_of(project.view("HEAD", "HEAD"), lease) is Status.COMPLETE:
        with WorktreeLock(project):
            if kept := task_branch.sweep(project, lease):
                project.warn(f"what was changed after {lease.task} was complete is kept in {kept}")
    _leave_out_evidence(project, lease, since)
    told = complete.CompleteOptions(
        task=lease.task,
        concerns=worker_report.concerns(said),
        summary=said.summary,
        message=said.message,
    )
    try:
        done = complete.complete(
            project, told, anew=lease, before=before_work.exit_codes,
            command_ended=lambda: unchanged(project),
        )  # fmt: skip
    except Refused as error:
        if isinstance(error, NotWritable):
            raise
        reason = Reason.SCOPE if error.details.get("outside") else Reason.VERIFY_FAILED
        why = _missing(lease.task, error)
        return Failed(why, "\n".join([why, *error.lines]), reason)
    except GuardRefused as error:
        if error.code == "worktree_busy":
            raise
        if error.code != "contract_changed":
            return Failed(error.message, f"{error.message}\n{error.hint}")
        if lost_claims.asked_anew(ClaimMap(project), lease):
            return Lost()
        question = f"{error.message}. Should it be done under the new contract?"
        return Stuck(Reason.NEEDS_CONTEXT, question, ())
    except RalphError as error:
        if error.code != "git_failed":
            raise
        # A hook that refuses the commit, say: the next attempt can fix what it complains of.
        said_by_git = str(error.details.get("stderr", ""))
        why = "; ".join((error.message, *error.lines[:_SHOWN_LINES]))
        return Failed(why, f"{error.message}\n{said_by_git}\n{_OWN_MESSAGE}")
    return Done(done.commit)
