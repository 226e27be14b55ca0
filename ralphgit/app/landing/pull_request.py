"""Land by pull request: push one branch per task, and let a forge merge it (SPEC 7).

The branch goes to the remote by compare-and-swap and under a name that has a random part, so it is
nobody else's. What was done is noted in `.ralph/pulls.yaml` as it is done: after a kill, the same
again finds the branch pushed, and asks the forge for its pull request before it opens one.

Whether a pull request has landed is read from the records on the base alone.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from typing import NamedTuple

from ralphgit.app.active_claims import leases, own_claims
from ralphgit.app.active_claims.claim_map import RESCUE, ClaimMap, read_leases
from ralphgit.app.base import is_landed
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.gate import landing_gate, verified_completion
from ralphgit.app.landing import forge_cli, merge, pull_request_text, tracked_pull_requests
from ralphgit.app.landing.merge import Conflict
from ralphgit.app.landing.tracked_pull_requests import Pull
from ralphgit.app.lifecycle import give_up, onto_base, rescue_refs, task_branch
from ralphgit.app.lifecycle.give_up import GivenUp
from ralphgit.app.processes import trust, verify_command
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, RalphError
from ralphgit.git import merge_preview, refs, remote, worktrees
from ralphgit.model.active_claim import Lease
from ralphgit.model.config import VIAS
from ralphgit.rules.lost_claim import Winner

_HOST = re.compile(r"(?:[a-z+]+://)?(?:[^/@]*@)?([^/:@]+)[:/]", re.I)
_COMMAND = "command"
_PLAIN = "none"


class Opened(NamedTuple):
    commit: str
    """What was pushed."""
    url: str
    """The pull request's address, "" if it is not known."""
    said: tuple[str, ...]
    """What the remote, or what opened it, has to tell."""


def refuse_unfit(project: Project) -> None:
    """Refuse where no pull request can be opened from here.

    Raises: GuardRefused (no_remote, no_forge); NeedsPerson (untrusted).
    """
    if not project.base.remote:
        raise GuardRefused(
            f"{project.base.branch} is on no remote, so there is nowhere to open a pull request",
            code="no_remote", hint="git push it to a remote, or: --land merge",
        )  # fmt: skip
    via = _via(project)
    if via in forge_cli.PROGRAMS and not _has(project, via):
        raise GuardRefused(
            f"land.via is {via}, which is not on PATH",
            code="no_forge", hint=f"install {via}, or set land.via",
        )  # fmt: skip
    if via == _COMMAND:
        trust.require(project, [project.config.land_via])


def by_pull(project: Project, lease: Lease) -> Opened | Conflict:
    """Push HEAD as the branch of a completed task, and open its pull request.

    Done again, it does what is missing and nothing twice. What does not merge into the base is
    not pushed. A claim that has lost meanwhile is given up, its work kept (law L7).

    Raises: ClaimLost, RemoteUnavailable, NeedsPerson (untrusted), GuardRefused (unverified,
    not_landable, branch_taken, unsettled), RalphError (push_refused, no_push_options,
    forge_failed).
    """
    refuse_unfit(project)
    synchronise(project)
    if winner := own_claims.winner_over(ClaimMap(project), lease):
        with WorktreeLock(project):
            raise give_up.lose(project, lease, winner)
    head = project.repository.head()
    verified_completion.require(project, lease, head, seen=True)
    made = merge.merged(project, project.base.commit, head, lease)
    if isinstance(made, Conflict):
        return made
    if winner := landing_gate.taken_back(project, lease, made):
        with WorktreeLock(project):
            raise give_up.lose(project, lease, winner)
    landing_gate.require(project, lease, made)
    via, branch = _via(project), branch_of(project, lease)
    task = project.view(head, head[:12]).task(lease.task)
    heading = pull_request_text.title(project, task)
    options = _push_options(project, heading) if via == "push-options" else ()
    said = _push(project, lease, branch, head, options)
    pull = Pull(lease.task, lease.claim, lease.by, lease.epoch, branch, head, via)
    tracked_pull_requests.note(project.top, pull)
    with tempfile.TemporaryDirectory(prefix="ralphgit-") as scratch:
        file = os.path.join(scratch, "body.md")
        text = pull_request_text.body(project, lease, head)
        with open(file, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        request = forge_cli.Request(branch, project.base.branch, heading, text, file)
        if via in forge_cli.PROGRAMS:
            found = forge_cli.find(project, via, branch)
            url = forge_cli.create(project, via, request) if found is None else found
            said = _merge_when_allowed(project, via, branch)
        elif via == _COMMAND:
            url, said = _command(project, lease, request)
        else:
            url = forge_cli.url("\n".join(said))
    tracked_pull_requests.note(
        project.top, pull._replace(state=tracked_pull_requests.OPEN, url=url)
    )
    return Opened(head, url, tuple(said))


def conflicts(project: Project, commit: str) -> tuple[str, ...]:
    """Where a commit does not merge into the base, by path; nothing is made."""
    with merge_preview.merged(project.repository, project.base.commit, commit) as merged:
        return merged.conflicts if merged.related else (".",)


def has_landed(project: Project, pull: Pull) -> bool:
    """Whether the base has the pull request's claim, complete: by merge, squash or rebase."""
    row = project.base_view.by_id.get(pull.task)
    return row is not None and (row.claim, row.status) == (pull.claim, "complete")


def finish(project: Project, pull: Pull) -> None:
    """Clear away what a pull request needed that has landed: lease, branch and note.

    What was edited on its way, so that the base has it otherwise, is kept in a rescue ref.

    Raises: GitError, NotWritable, GuardRefused.
    """
    leases.drop_dead(project, read_leases(project), project.base_view.by_id)
    tip = refs.current(project.repository.objects, f"refs/heads/{pull.branch}")
    if tip and not is_landed.landed(project, tip):
        rescue_refs.commit(project, tip, pull.task, pull.claim)
    task_branch.remove(project, pull.branch, tip, pushed=pull.commit)
    tracked_pull_requests.drop(project.top, pull.claim)
    project.refresh()


def winner_over(project: Project, pull: Pull) -> Winner | None:
    """Who has taken the task from under a pull request; None while its claim holds."""
    row = project.view(pull.commit, pull.branch).by_id.get(pull.task)
    begun = row.base if row is not None and row.claim == pull.claim else ""
    mine = _lease(pull)._replace(base=begun)
    return own_claims.winner_over(ClaimMap(project), mine, head=pull.commit)


def withdraw(project: Project, pull: Pull) -> GivenUp:
    """Give up a claim that was lost in review. Its branch is not the one that is worked on now.

    Raises: RemoteUnavailable, GitError, NotWritable, GuardRefused.
    """
    done = give_up.give_up(project, _lease(pull), pushed=give_up.Pushed(pull.branch, pull.commit))
    tracked_pull_requests.drop(project.top, pull.claim)
    project.refresh()
    return done


def opens(project: Project) -> bool:
    """Whether a pull request can be opened from here: by a forge's program that is installed, or
    as `land.via` says.
    """
    return _via(project) != _PLAIN


def keep_apart(project: Project, lease: Lease, head: str) -> bool:
    """Keep what was pushed on a local branch of the pushed one's name, so that this worktree's
    branch can leave it; False where this worktree is on that branch, or on the base's.
    """
    worktree, ref = project.repository.worktree, f"refs/heads/{branch_of(project, lease)}"
    if worktree is None or worktree.branch in ("", ref, f"refs/heads/{project.base.branch}"):
        return False
    objects, git = project.repository.objects, project.repository.git
    if refs.current(objects, ref) != head:
        if not refs.swap(git, ref, new=head, old=refs.current(objects, ref)):
            return False
        project.refresh()
    return True


# -- how ---------------------------------------------------------------------------------


def _via(project: Project) -> str:
    """gh, glab, push-options, none or command."""
    via = project.config.land_via or "auto"
    if via not in VIAS:
        return _COMMAND
    if via != "auto":
        return via
    hosts = _hosts(project)
    if "github.com" in hosts and _has(project, "gh"):
        return "gh"
    if any(host.startswith("gitlab.") for host in hosts) and _has(project, "glab"):
        return "glab"
    return _PLAIN


def program(project: Project) -> str:
    """The forge's program that knows the pull requests of the base's remote.

    Raises: GuardRefused (no_remote, no_forge).
    """
    via = _via(project) if project.base.remote else ""
    if via in forge_cli.PROGRAMS and _has(project, via):
        return via
    raise GuardRefused(
        f"no program here knows the pull requests of {project.base.branch}; nothing was changed",
        code="no_forge",
        hint="name the commit that it became on the base, or install gh or glab (land.via)",
    )


def _hosts(project: Project) -> set[str]:
    """The host of the base's remote: as it is written, and as git rewrites it."""
    name = project.base.remote
    urls = [project.repository.config.get(f"remote.{name}.url", "")]
    result = project.repository.git.try_run("remote", "get-url", "--push", "--", name)
    urls.append(result.out.decode("utf-8", "replace").split("\n")[0])
    found = [_HOST.match(url) for url in urls]
    return {one.group(1).lower().removeprefix("ssh.") for one in found if one}


def _has(project: Project, program: str) -> bool:
    return shutil.which(program, path=project.around.environ.get("PATH")) is not None


def _push_options(project: Project, title: str) -> tuple[str, ...]:
    """What GitLab understands; each is one line."""
    config = project.config
    merging = "merge_request.merge_when_pipeline_succeeds"
    squash = ("merge_request.squash",) if config.land_method == "squash" else ()
    return (
        "merge_request.create",
        f"merge_request.target={project.base.branch}",
        f"merge_request.title={title}",
        *((merging, *squash) if config.land_auto_merge else ()),
    )


def _merge_when_allowed(project: Project, program: str, branch: str) -> tuple[str, ...]:
    """Ask for it where it is configured; a forge that refuses is said, and a person merges."""
    if not project.config.land_auto_merge:
        return ()
    try:
        forge_cli.merge_when_allowed(project, program, branch, project.config.land_method)
    except RalphError as error:
        return (f"{error.message}; it waits for a person to merge it", *error.lines)
    return ()


def _command(
    project: Project, lease: Lease, request: forge_cli.Request
) -> tuple[str, tuple[str, ...]]:
    """Run the configured command; (url, what it printed)."""
    extra = {
        "RALPH_TASK": lease.task, "RALPH_CLAIM": lease.claim, "RALPH_WORKER": lease.by,
        "RALPH_BRANCH": request.branch, "RALPH_BASE": request.base,
        "RALPH_TITLE": request.title, "RALPH_BODY_FILE": request.file,
    }  # fmt: skip
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
    return forge_cli.url(ran.tail), lines


def share(project: Project, lease: Lease) -> None:
    """Push the branch of a blocked task, without a pull request: others see the question.

    Raises: RemoteUnavailable, GuardRefused (branch_taken, unsettled).
    """
    head = project.repository.head()
    _push(project, lease, branch_of(project, lease), head, ())


def is_shared(project: Project, lease: Lease) -> bool:
    """Whether the remote has HEAD as the branch of its task, as it was last seen."""
    ref = f"refs/remotes/{project.base.remote}/{branch_of(project, lease)}"
    return refs.current(project.repository.objects, ref) == project.repository.head()


# -- branches ----------------------------------------------------------------------------


def branch_of(project: Project, lease: Lease) -> str:
    """The branch's name on the remote: the worktree's own, where it was made for the task."""
    worktree = project.repository.worktree
    name = worktree.branch if worktree else ""
    if name.startswith(f"{onto_base.PREFIX}{lease.task}-"):
        return name.removeprefix("refs/heads/")
    return f"ralph/{lease.task}-{lease.claim[:6]}"


def _push(
    project: Project, lease: Lease, branch: str, head: str, options: tuple[str, ...]
) -> tuple[str, ...]:
    """Bring `head` to the remote's branch, unless it is there; what the remote says."""
    git, where, timeout = project.repository.git, project.base.remote, project.config.fetch_timeout
    ref = f"refs/heads/{branch}"
    there = remote.tip(git, where, ref, timeout=timeout)
    if there == head:
        return ()
    if there and not _ours(project, lease, there, head):
        raise GuardRefused(
            f"{branch} on {where} has commits that are not from here; it was left as it is",
            code="branch_taken",
            hint=f"to inspect: git fetch {where} {branch}; git log FETCH_HEAD",
        )
    with project.around.progress.step(f"pushing {branch} to {where}"):
        sent = remote.send(git, where, head, ref, old=there, timeout=timeout, options=options)
    if not sent.moved:
        raise GuardRefused(
            f"{branch} moved on {where} while it was pushed", code="unsettled",
            hint="repeat the command",
        )  # fmt: skip
    return sent.said


def _ours(project: Project, lease: Lease, tip: str, head: str) -> bool:
    """Whether what the remote has is part of `head`, or work of this claim that was put aside."""
    git = project.repository.git
    if worktrees.is_ancestor(git, tip, head):
        return True
    kept = git.try_run("for-each-ref", f"--contains={tip}", f"{RESCUE}{lease.task}/")
    names = kept.out.decode().split("\n") if kept.status == 0 else []
    return any(f"{RESCUE}{lease.task}/{lease.claim}" in name for name in names)


def _lease(pull: Pull) -> Lease:
    """As much of the claim as its standing needs."""
    return Lease(
        task=pull.task, claim=pull.claim, by=pull.by, at="", base="", contract="",
        epoch=pull.epoch, start="", branch=pull.branch, worktree="", host="",
    )  # fmt: skip
