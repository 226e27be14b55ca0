"""Open a pull request for a pushed branch, with whatever opens them here (`land.via`).

The branch goes to the remote by compare-and-swap and under a name that has a random part, so it is
nobody else's. What was done is noted in `.ralph/pulls.yaml` as it is done: after a kill, the same
again finds the branch pushed, and asks the forge for its pull request before it opens one.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import RESCUE
from ralphgit.app.forge import forge_cli
from ralphgit.app.processes import trust, verify_command
from ralphgit.app.workspace import tracked_pull_requests
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.tracked_pull_requests import Pull
from ralphgit.errors import GuardRefused, RalphError
from ralphgit.git import remote, worktrees
from ralphgit.model.active_claim import Lease
from ralphgit.model.config import VIAS

_HOST = re.compile(r"(?:[a-z+]+://)?(?:[^/@]*@)?([^/:@]+)[:/]", re.I)
_COMMAND = "command"
_PLAIN = "none"


class Request(NamedTuple):
    """A branch that is to be pushed, and the pull request for it."""

    branch: str
    """Short name, on the remote."""
    head: str
    title: str
    text: str
    leases: tuple[Lease, ...] = ()
    """The claims whose completions it brings; none where it changes records alone."""


class Opened(NamedTuple):
    commit: str
    """What was pushed."""
    url: str
    """The pull request's address, "" if it is not known."""
    said: tuple[str, ...]
    """What the remote, or what opened it, has to tell."""


def opens(project: Project) -> bool:
    """Whether a pull request can be opened from here: by a forge's program that is installed, or
    as `land.via` says.
    """
    return _via(project) != _PLAIN


def refuse_unfit(project: Project) -> None:
    """Refuse where no pull request can be opened from here.

    Raises: GuardRefused (no_remote, no_forge); NeedsPerson (untrusted).
    """
    if not project.base.remote:
        raise GuardRefused(
            f"{project.base.branch} is on no remote, so there is nowhere to open a pull request",
            code="no_remote", hint="push it to a remote, or say --land merge",
        )  # fmt: skip
    via = _via(project)
    if via in forge_cli.PROGRAMS and not _has(project, via):
        raise GuardRefused(
            f"land.via is {via}, which is not on PATH",
            code="no_forge", hint=f"install {via}, or set land.via",
        )  # fmt: skip
    if via == _COMMAND:
        trust.require(project, [project.config.land_via])


def publish(project: Project, wanted: Request) -> Opened:
    """Push the branch and open its pull request; again, only what is missing is done.

    Raises: RemoteUnavailable, NeedsPerson (untrusted, forge_login), GuardRefused (branch_taken,
    unsettled), PushRefused, RalphError (no_push_options, forge_failed).
    """
    via, branch = _via(project), wanted.branch
    options = _push_options(project, wanted.title) if via == "push-options" else ()
    said = push(project, wanted.leases, branch, wanted.head, options)
    pulls = [
        Pull(lease.task, lease.claim, lease.by, lease.epoch, branch, wanted.head, via)
        for lease in wanted.leases
    ]
    for pull in pulls:
        tracked_pull_requests.note(project.top, pull)
    with tempfile.TemporaryDirectory(prefix="ralphgit-") as scratch:
        file = os.path.join(scratch, "body.md")
        with open(file, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(wanted.text)
        request = forge_cli.Request(branch, project.base.branch, wanted.title, wanted.text, file)
        if via in forge_cli.PROGRAMS:
            found = forge_cli.find(project, via, branch)
            url = forge_cli.create(project, via, request) if found is None else found
            said = _merge_when_allowed(project, via, branch)
        elif via == _COMMAND:
            url, said = _command(project, wanted.leases, request)
        else:
            url = forge_cli.url("\n".join(said))
    for pull in pulls:
        opened = pull._replace(state=tracked_pull_requests.OPEN, url=url)
        tracked_pull_requests.note(project.top, opened)
    return Opened(wanted.head, url, tuple(said))


def push(
    project: Project,
    leases: Sequence[Lease],
    branch: str,
    head: str,
    options: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Bring `head` to the remote's branch, unless it is there; what the remote says.

    Raises: RemoteUnavailable, GuardRefused (branch_taken, unsettled), PushRefused,
    RalphError (no_push_options).
    """
    git, where, config = project.repository.git, project.base.remote, project.config
    ref = f"refs/heads/{branch}"
    there = remote.tip(git, where, ref, timeout=config.fetch_timeout)
    if there == head or (not leases and _same_content(project, there, head)):
        return ()
    if there and not _ours(project, leases, there, head):
        raise GuardRefused(
            f"{branch} on {where} has commits that are not from here; it was left as it is",
            code="branch_taken",
            hint=f"git fetch {where} {branch} && git log FETCH_HEAD",
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
    return sent.said


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
    project: Project, leases: Sequence[Lease], request: forge_cli.Request
) -> tuple[str, tuple[str, ...]]:
    """Run the configured command; (url, what it printed)."""
    extra = {
        "RALPH_BRANCH": request.branch, "RALPH_BASE": request.base,
        "RALPH_TITLE": request.title, "RALPH_BODY_FILE": request.file,
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
    return forge_cli.url(ran.tail), lines
