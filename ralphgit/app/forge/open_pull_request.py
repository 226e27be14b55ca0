"""Open a pull request for a pushed branch, with whatever opens them here (`land.via`).

The branch goes to the remote by compare-and-swap and under a name that has a random part, so it is
nobody else's. What was done is noted in `.ralph/pulls.yaml` as it is done: after a kill, the same
again finds the branch pushed, and asks the forge for its pull request before it opens one.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.forge import choice, contract, places
from ralphgit.app.forge.choice import COMMAND, PLAIN
from ralphgit.app.forge.contract import Forge, PullName
from ralphgit.app.processes import named_files, trust, verify_command
from ralphgit.app.workspace import tracked_pull_requests
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, RalphError, RemoteUnavailable
from ralphgit.git import remote, worktrees
from ralphgit.git.objects import scratch_folder
from ralphgit.model.active_claim import RESCUE, Lease
from ralphgit.model.pull_request import Pull, PullState

#: In bytes: git sends an option in one packet, of at most 65,516, and hooks get it in a variable.
_LONGEST_OPTION = 60_000


class Request(NamedTuple):
    """A branch that is to be pushed, and the pull request for it."""

    branch: str
    """Short name, on the remote."""
    head: str
    title: str
    text: str
    leases: tuple[Lease, ...] = ()
    """The claims whose completions it brings; none where it changes records alone."""
    base: str = ""
    """The branch of the pull request that it stands on; "" for the base."""
    auto_merge: bool = False
    """The forge is to merge it as soon as its rules are met."""
    said: tuple[str, ...] = ()
    """What there is to say of that."""


class Opened(NamedTuple):
    commit: str
    """What was pushed."""
    url: str
    """The pull request's address, "" if it is not known."""
    said: tuple[str, ...]
    """What the remote, or what opened it, has to tell."""


class Pushed(NamedTuple):
    commit: str
    """What the remote's branch is at."""
    said: tuple[str, ...] = ()
    """What the remote says."""


def opens(project: Project) -> bool:
    """Whether a pull request can be opened from here: by a forge's program that is installed, or
    as `land.via` says.
    """
    return choice.via(project) != PLAIN


def refuse_unfit(project: Project) -> None:
    """Refuse where no pull request can be opened from here.

    Raises: GuardRefused (no_remote, no_forge); NeedsPerson (untrusted).
    """
    if not project.base.remote:
        raise GuardRefused(
            f"{project.base.branch} is on no remote, so there is nowhere to open a pull request",
            code="no_remote", hint="push it to a remote, or say --land merge",
        )  # fmt: skip
    told = project.config.land_remote
    if told and f"remote.{told}.url" not in project.repository.config:
        raise GuardRefused(
            f"land.remote is {told}, and there is no such remote; nothing was changed",
            code="no_remote", hint="git remote -v",
        )  # fmt: skip
    via = choice.via(project)
    if via in choice.PROGRAMS and not choice.is_installed(project, via):
        raise GuardRefused(
            f"land.via is {via}, which is not on PATH",
            code="no_forge", hint=f"install {via}, or set land.via",
        )  # fmt: skip
    if via == COMMAND:
        trust.require(project, [project.config.land_via])


def publish(project: Project, wanted: Request) -> Opened:
    """Push the branch and open its pull request; again, only what is missing is done.

    Raises: RemoteUnavailable, NeedsPerson (untrusted, forge_login), GuardRefused (branch_taken,
    unsettled), PushRefused, RalphError (no_push_options, forge_failed).
    """
    via, branch = choice.via(project), wanted.branch
    options = _push_options(project, wanted) if via == "push-options" else ()
    sent = push(project, wanted.leases, branch, wanted.head, options)
    noted = tracked_pull_requests.everywhere(project.repository.worktrees)
    known = {pull.claim: pull for pull in noted}
    pulls = []
    for lease in wanted.leases:
        new = Pull(lease.task, lease.claim, lease.by, lease.epoch, branch, wanted.head, via)
        if (old := known.get(lease.claim)) is not None:
            new = old._replace(branch=branch, commit=wanted.head, via=via, state=PullState.PUSHED)
            new = new._replace(heard=max(old.heard, old.hears), hears="", cause="")
        pulls.append(new._replace(about="", asks="", base=wanted.base))
    for pull in pulls:
        tracked_pull_requests.note_where_known(project, pull)
    try:
        url, said = _open(project, via, wanted, sent)
    except RalphError as error:
        if not isinstance(error, RemoteUnavailable):  # which is away for a while
            for pull in pulls:
                tracked_pull_requests.note_where_known(project, pull._replace(about=error.message))
        raise
    for pull in pulls:
        opened = pull._replace(state=PullState.OPEN, url=url, at=project.now())
        tracked_pull_requests.note_where_known(project, opened)
    return Opened(wanted.head, url, tuple(said))


def _open(project: Project, via: str, wanted: Request, sent: Pushed) -> tuple[str, Sequence[str]]:
    """Open the pull request of a pushed branch, if it has none; (url, what there is to say)."""
    branch = wanted.branch
    with scratch_folder() as scratch:
        file = os.path.join(scratch, "body.md")
        with open(file, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(wanted.text)
        base, fork = wanted.base or project.base.branch, places.fork(project, branch)
        request = contract.Request(branch, base, wanted.title, wanted.text, file, fork)
        if (there := choice.of(project)) is not None:
            found = there.find(branch)
            url = there.create(request) if found is None else found
            name = PullName(url or branch)
            return url, _merge_when_allowed(project, there, name, wanted, sent.commit)
        if via == COMMAND:
            return _command(project, wanted.leases, request)
        return contract.url_in("\n".join(sent.said)), sent.said


def push(
    project: Project,
    leases: Sequence[Lease],
    branch: str,
    head: str,
    options: tuple[str, ...] = (),
) -> Pushed:
    """Bring `head` to the remote's branch, unless its content is there.

    Raises: RemoteUnavailable, GuardRefused (branch_taken, unsettled), PushRefused,
    RalphError (no_push_options).
    """
    git, config = project.repository.git, project.config
    where = project.push_remote(branch)
    ref = f"refs/heads/{branch}"
    there = remote.tip(git, where, ref, timeout=config.fetch_timeout)
    if there == head or (not leases and _same_content(project, there, head)):
        return Pushed(there)
    if there and not _ours(project, leases, there, head):
        raise GuardRefused(
            f"{branch} on {where} has commits that are not from here; it was left as it is",
            code="branch_taken",
            hint=f"{shlex.join(('git', 'fetch', where, branch))} && git log FETCH_HEAD",
        )
    with project.around.progress.step(f"pushing {branch} to {where}"):
        sent = remote.send(
            git, where, head, ref, old=there, timeout=config.push_timeout, options=options
        )
    if not sent.moved:
        raise GuardRefused(
            f"{branch} moved on {where} while it was pushed", code="unsettled",
            hint="repeat the command",
        )  # fmt: skip
    return Pushed(head, sent.said)


def _same_content(project: Project, one: str, other: str) -> bool:
    """Whether two commits have the same files; False if either is not here."""
    trees = [f"{commit}^{{tree}}" for commit in (one, other) if commit]
    found = project.repository.objects.resolve(trees)
    return len(found) == 2 and found[0] is not None and found[0] == found[1]


def _ours(project: Project, leases: Sequence[Lease], tip: str, head: str) -> bool:
    """Whether what the remote has is part of `head`, or work of this claim that was put aside."""
    git = project.repository.git
    if worktrees.is_ancestor(git, tip, head):
        return True
    if not leases:
        return False
    places = [f"{RESCUE}{lease.task}/{lease.claim}" for lease in leases]
    kept = git.try_run("for-each-ref", f"--contains={tip}", *(f"{place}*" for place in places))
    return kept.status == 0 and bool(kept.out.strip())


def _push_options(project: Project, wanted: Request) -> tuple[str, ...]:
    """What GitLab understands; each is one line."""
    config = project.config
    merging = "merge_request.merge_when_pipeline_succeeds"
    squash = ("merge_request.squash",) if config.land_method == "squash" else ()
    return (
        "merge_request.create",
        f"merge_request.target={wanted.base or project.base.branch}",
        f"merge_request.title={wanted.title}",
        f"merge_request.description={_in_one_line(wanted.text)}",
        *((merging, *squash) if wanted.auto_merge else ()),
    )


def _in_one_line(text: str) -> str:
    r"""Write a text as GitLab reads it in an option: with `\n` for the end of a line.

    What stands in the text as `\n` is kept apart: no line comes out of it, which could be a command
    to GitLab. What is too long is cut at the end of a line.
    """
    lines, room = list[str](), _LONGEST_OPTION
    printable = text.encode("utf-8", "backslashreplace").decode().replace("\\n", "\\ n")
    for line in printable.replace("\0", "").rstrip("\n").split("\n"):
        room -= len(line.encode()) + 2
        if room < 0:
            lines.append("...")
            break
        lines.append(line)
    return "\\n".join(lines)


def _merge_when_allowed(
    project: Project, there: Forge, pull: PullName, wanted: Request, commit: str
) -> tuple[str, ...]:
    """Ask for it where it is configured; a forge that refuses is said, and a person merges."""
    if not wanted.auto_merge:
        return wanted.said
    try:
        there.merge_when_allowed(pull, project.config.land_method, commit)
    except RalphError as error:
        return (f"{error.message}; it waits for a person to merge it", *error.lines)
    return ()


def _command(
    project: Project, leases: Sequence[Lease], request: contract.Request
) -> tuple[str, tuple[str, ...]]:
    """Run the configured command; (url, what it printed).

    Raises: GuardRefused (changed_program) where this worktree has another version of what it names.
    """
    if changed := named_files.changed(project, project.config.land_via):
        raise GuardRefused(
            f"{', '.join(changed)}, which land.via runs, is not as {project.base.label} has it; "
            "the branch is pushed, and no pull request was opened",
            code="changed_program", hint="ralphgit diff",
        )  # fmt: skip
    extra = {
        "RALPH_BRANCH": request.branch, "RALPH_BASE": request.base,
        "RALPH_TITLE": request.title, "RALPH_BODY_FILE": request.file, **named_files.UNCACHED,
    }  # fmt: skip
    for lease in leases[:1]:
        extra |= {"RALPH_TASK": lease.task, "RALPH_CLAIM": lease.claim, "RALPH_WORKER": lease.by}
    environ = verify_command.environment(project.around.environ, project.config.verify_env, extra)
    with project.around.progress.step("opening a pull request"):
        ran = verify_command.run(
            project.config.land_via, top=project.top, environ=environ,
            timeout=project.config.fetch_timeout, now=project.around.now(),
        )  # fmt: skip
    lines = tuple(line for line in ran.tail.split("\n") if line.strip())[-10:]
    if not ran.passed:
        how = "took too long" if ran.timed_out else f"exit {ran.exit_code}"
        raise RalphError(
            f"the command that opens pull requests failed ({how})",
            code="forge_failed", lines=lines,
            hint="the branch is pushed; fix the command, then repeat",
        )  # fmt: skip
    return contract.url_in(ran.tail), lines
