"""Open a repository from Python (`ralphgit.open`), and ask or change what is in it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from traceback import clear_frames
from typing import TypeVar

from ralphgit.api import values
from ralphgit.api.values import Claimed, Completed, Diff, GivenUp, Reset, Status, Task
from ralphgit.app.active_claims import next_tasks
from ralphgit.app.active_claims.next_tasks import Pair
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.base.records_in_review import InReview
from ralphgit.app.gate.problem import Problem
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.errors import RalphError, UsageError
from ralphgit.model.config import setting_name
from ralphgit.model.ids import parse_task_id, record_id
from ralphgit.model.task_status import Reason, State
from ralphgit.rules import claim_options
from ralphgit.rules.claim_options import Priorities


def _ignore(_sentence: str) -> None:
    pass


def open(
    path: str | os.PathLike[str],
    *,
    worker: str = "",
    environ: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
    warn: Callable[[str], None] = _ignore,
) -> Repo:
    """Open the repository that the folder `path` is in: a worktree, a folder of it, or a bare one.

    Nothing is read from this process's environment. `environ` is what git and the verify
    commands get instead, and of its `RALPH_*` the settings; `os.environ` makes it act as the
    command line does. `worker` and `settings` (`{"base": "develop"}`, by the names of
    `ralphgit.model.config.Config`) are stronger. `warn` hears each warning as a sentence.

    Raises: NotARepository; UsageError (unknown_setting).
    """
    flags: dict[str, object] = {}
    for key, value in (settings or {}).items():
        name = setting_name(key)
        if name is None:
            raise UsageError(
                f"unknown setting {key}",
                code="unknown_setting", hint="the settings are listed in docs/configuration.md",
            )  # fmt: skip
        flags[name] = value
    if worker:
        flags["worker"] = worker
    around = Surroundings(
        directory=os.path.abspath(path),
        environ=dict(environ or {}),
        now=time.time,
        new_id=lambda: record_id(os.urandom(8)),
        flags=flags,
    )
    Project.open(around).repository.close()
    return Repo(around, warn)


_Value = TypeVar("_Value", State, Reason)


class Repo:
    """A repository with a task graph. Each call reads again what is there then.

    Nothing is printed. What is refused is raised, as `ralphgit.errors` has it. May be used by
    several threads.
    """

    def __init__(self, around: Surroundings, warn: Callable[[str], None]) -> None:
        """By `open`."""
        self._around = around
        self._warn = warn

    @property
    def path(self) -> str:
        """The folder that it was opened by, absolute."""
        return self._around.directory

    def __repr__(self) -> str:
        return f"ralphgit.open({self.path!r})"

    @contextmanager
    def _project(self, *, fetch: bool = False) -> Iterator[Project]:
        warnings: list[str] = []
        project = Project.open(self._around, warnings)
        try:
            if fetch:
                synchronise(project, settle=False)
            yield project
        except RalphError as error:
            # A caller that keeps the error would keep the processes that its frames have started.
            clear_frames(error.__traceback__)
            raise
        finally:
            project.repository.close()
            for sentence in warnings:
                self._warn(sentence)

    # -- looking -------------------------------------------------------------------------

    def tasks(self, *, story: str = "", state: str = "", at: str = "") -> tuple[Task, ...]:
        """List the tasks of this worktree, or of the revision `at`, in file order. Reads only.

        Raises: NotARepository; InvalidRecord; UsageError (bad_revision, bad_value); GuardRefused
        (bare).
        """
        from ralphgit.app.status import task_list

        if state:
            _one_of(State, "state", state)
        with self._project() as project:
            return _tasks(task_list.listed(project, story=story, state=state, at=at))

    def show(self, id: str, *, at: str = "") -> Task:
        """Return one task of this worktree, or of the revision `at`. Reads only.

        Raises: UnknownTask; else as `tasks`.
        """
        from ralphgit.app.status import task_list

        with self._project() as project:
            found = task_list.shown(project, parse_task_id(id), at=at)
            return values.task(found.row, found.task_state)

    def next(
        self, *, story: str = "", priority: int | str | None = None, fetch: bool = False
    ) -> tuple[Task, ...]:
        """List what can be claimed now, in the order of claiming; () if nothing is ready.

        `priority`: only tasks of that one, or of a range ("0-1", "0,3"). Reads only; with `fetch`
        the base is fetched first.

        Raises: NotARepository; InvalidRecord; GuardRefused (no_commit).
        """
        with self._project(fetch=fetch) as project:
            wanted = _priorities(priority)
            return _tasks(next_tasks.takeable(project, story=story, priority=wanted).tasks)

    def status(self, *, fetch: bool = False) -> Status:
        """Summarise everything. Reads only; with `fetch` the base is fetched first.

        Raises: NotARepository; InvalidRecord; GuardRefused (no_commit).
        """
        from ralphgit.app.status.overview import overview

        with self._project(fetch=fetch) as project:
            found = overview(project)
            return Status(
                base=project.base.label,
                commit=project.base.commit,
                local_ahead=project.local_base_ahead(),
                counts=values.counts(found.counts),
                tasks=_tasks(found.tasks),
                workers=tuple(found.workers),
                attention=tuple(found.attention),
            )

    # -- working -------------------------------------------------------------------------

    def claim(
        self,
        id: str | None = None,
        *,
        story: str = "",
        priority: int | str | None = None,
        fetch: bool = True,
        stack: bool = False,
        force: str = "",
    ) -> Claimed:
        """Take a task, the first that is ready if `id` is None: leased, and staged here.

        It travels in the first commit of the work. The task that is returned has its packet, too.
        Claiming again what this worktree has resumes it. `stack`: dependencies may be complete on
        this branch only. `force`: a reason to pass the guards. On any failure all is as before.

        Raises: NothingReady, ClaimHeld, ClaimLost, UnknownTask, IllegalMove, GuardRefused,
        InvalidRecord, RemoteUnavailable (where the remote is required), NotWritable.
        """
        from ralphgit.app.handoff import packet
        from ralphgit.app.lifecycle import claim
        from ralphgit.app.workspace import inside_loop
        from ralphgit.rules.claim_options import ClaimOptions

        wanted = ClaimOptions(
            task=_id(id), story=story, priority=_priorities(priority), fetch=fetch, stack=stack,
            force=force,
        )  # fmt: skip
        with self._project() as project:
            inside_loop.refuse(project, "claim", {"force": force})
            done = claim.claim(project, wanted)
            promised, lease = project.here.task(done.row.id), done.lease
            made = packet.compile(
                project, promised, claim=lease.claim, worker=lease.by, clean=False
            )
            return values.claimed(done.row, done.task_state, made)

    def complete(
        self,
        id: str | None = None,
        *,
        message: str = "",
        summary: str = "",
        concerns: tuple[str, ...] = (),
        shows: str = "",
        proves: tuple[str, ...] = (),
        accept_contract: bool = False,
        force: str = "",
        by: str = "",
    ) -> Completed:
        """Verify the claimed task and commit all that is left, with result, evidence and audit.

        The verify commands must be trusted (`ralphgit trust`). `message`: the commit's
        message, or just its subject. `summary`: what was done, for the audit and
        the workers of tasks that depend on it. `shows`: what was observed, as evidence
        of the criteria `proves`. `force`: a reason to complete whatever is missing.
        On any refusal nothing is committed.

        `by`: the commit, the range (A..B) or the pull request ("#12") on the base that did the
        work, without a claim: it is verified on the base, and completed there.

        Raises: Refused (with what is missing), ClaimLost, ClaimHeld, IllegalMove, GuardRefused,
        NeedsPerson (untrusted), InvalidRecord, NotWritable; with `by` also UsageError, UnknownTask.
        """
        from ralphgit.app.integration import before_work, complete_merged
        from ralphgit.app.lifecycle import complete

        told = complete.CompleteOptions(
            task=_id(id),
            message=message,
            summary=summary,
            concerns=tuple(concerns),
            shows=shows,
            proves=tuple(proves),
            accept_contract=accept_contract,
            force=force,
            by=by,
        )
        with self._project() as project:
            if by:
                merged = complete_merged.complete_by(project, told)
                commit = "" if merged.pull is not None else merged.commit
                at = next_tasks.on_base(project, merged.task, commit=commit)
                return Completed(
                    task=values.task(*at), commit=merged.commit, evidence=merged.evidence,
                    pull=_in_review(merged.pull),
                )  # fmt: skip
            done = complete.complete(project, told, before=before_work.exit_codes)
            pair = next_tasks.pair(project, done.task)
            return Completed(task=values.task(*pair), commit=done.commit, evidence=done.evidence)

    def block(
        self,
        id: str | None = None,
        *,
        reason: Reason | str = "",
        question: str = "",
        answers: tuple[str, ...] = (),
    ) -> GivenUp:
        """Commit why the claimed task cannot go on; this worktree is free for another one.

        `answers`: possible ones to the question.

        Raises: UsageError, ClaimLost, ClaimHeld, IllegalMove, GuardRefused, InvalidRecord,
        NotWritable.
        """
        from ralphgit.app.lifecycle import block_release
        from ralphgit.app.workspace import inside_loop

        usual = Reason.NEEDS_CONTEXT if question else Reason.OTHER
        why, options = _one_of(Reason, "reason", reason or usual), tuple(answers)
        with self._project() as project:
            inside_loop.refuse(project, "block")
            with WorktreeLock(project):
                given = block_release.block(
                    project, _id(id), reason=why, question=question, options=options
                )
            return _given_up(project, *given)

    def release(self, id: str | None = None, *, reason: str = "") -> GivenUp:
        """Give the claimed task back; the work so far stays in this worktree.

        Raises: as `block`.
        """
        from ralphgit.app.lifecycle import block_release
        from ralphgit.app.workspace import inside_loop

        with self._project() as project:
            inside_loop.refuse(project, "release")
            with WorktreeLock(project):
                given = block_release.release(project, _id(id), reason=reason)
            return _given_up(project, *given)

    def reset(
        self,
        id: str,
        *,
        reason: str = "",
        claim: str = "",
        reopen: bool = False,
        force: bool = False,
        push: bool = True,
        fetch: bool = True,
    ) -> Reset:
        """Put a task back to pending on the base, and keep its holder's work in a rescue ref.

        From the main worktree. `claim`: only if that one still holds the task. `reopen`: also a
        complete or cancelled one. `force`: although the holder is alive.

        Raises: GuardRefused, IllegalMove, ClaimHeld, UnknownTask, UsageError, InvalidRecord,
        RemoteUnavailable (where the remote is required), NotWritable.
        """
        from ralphgit.app.lifecycle import reset
        from ralphgit.app.workspace import inside_loop

        told = reset.ResetOptions(parse_task_id(id), reason, claim, reopen, force, push, fetch)
        with self._project() as project:
            inside_loop.refuse(project, "reset")
            done = reset.reset(project, told)
            project.refresh()
            at = "" if done.pull is not None else done.commit
            row, task_state = next_tasks.on_base(project, done.task, commit=at)
            return Reset(
                task=values.task(row, task_state),
                claim=done.claim,
                rescued=done.rescued,
                commit=done.commit,
                pushed=done.pushed,
                pull=_in_review(done.pull),
            )

    # -- reviewing -----------------------------------------------------------------------

    def diff(self, range: str = "", *, fetch: bool = False) -> Diff:
        """Describe what a range does to the records, in tasks. Reads only.

        `range`: "" is this branch since it left the base, REV that one since it did, A..B the
        two as they are, A...B what B changed since it left A.

        Raises: UsageError (bad_revision, unrelated); InvalidRecord (no_graph); GuardRefused
        (no_commit).
        """
        from ralphgit.app.diff import markdown, record_diff, text
        from ralphgit.app.diff.as_json import as_json

        with self._project(fetch=fetch) as project:
            found = record_diff.diff(project, range)
            return Diff(
                verdict=found.verdict,
                changes=found.changes,
                notes=found.notes,
                files=found.files,
                outside_scope=found.outside,
                ready=tuple(row.id for row in found.ready),
                text="".join(f"{line}\n" for line in text.lines(found)),
                markdown=markdown.comment(project, found),
                json=json.dumps(as_json(found)),
            )

    def check(self, range: str = "", *, base: str = "", at: str = "") -> tuple[Problem, ...]:
        """List every problem that the gate finds, errors first; () if there is none. Reads only.

        Of this worktree's records and uncommitted changes; with `base` of what this branch
        changes, merged into that revision in memory; with `range` (OLD..NEW) of what NEW changes
        since OLD; with `at` of the records on that revision.

        Raises: UsageError (bad_revision, usage); GuardRefused (bare); InvalidRecord (no_graph).
        """
        from ralphgit.app.gate import check

        with self._project() as project:
            return tuple(check.check(project, base=base, at=at, between=range))


def _id(id: str | None) -> str:
    return "" if id is None else parse_task_id(id)


def _one_of(kind: type[_Value], name: str, value: str) -> _Value:
    """Raises: UsageError (bad_value), which names the values that there are."""
    try:
        return kind(value)
    except ValueError:
        values_ = ", ".join(kind)
        raise UsageError(
            f"{name} is {value!r}, which is none of {values_}", code="bad_value", hint=values_
        ) from None


def _priorities(wanted: int | str | None) -> Priorities | None:
    return None if wanted is None else claim_options.priorities(str(wanted))


def _given_up(project: Project, task: str, commit: str) -> GivenUp:
    from ralphgit.app.landing import base_branch

    project.refresh()
    pull = _in_review(base_branch.share(project, task))
    return GivenUp(task=values.task(*next_tasks.pair(project, task)), commit=commit, pull=pull)


def _in_review(pull: InReview | None) -> str:
    return (pull.url or pull.branch) if pull is not None else ""


def _tasks(pairs: Sequence[Pair]) -> tuple[Task, ...]:
    return tuple(values.task(row, task_state) for row, task_state in pairs)
