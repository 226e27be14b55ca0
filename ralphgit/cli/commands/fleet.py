"""`fleet`: several loops at once: up, status, attach, down."""

import shlex
import sys
from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.app.active_claims import recovery_commands
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import leave
from ralphgit.cli import worker_fleet
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, Table, safe, telling
from ralphgit.errors import GuardRefused, Refused, UsageError
from ralphgit.loop import fleet, fleet_leftover, fleet_state, ssh_fleet, tmux_session, wake
from ralphgit.loop.fleet import Started
from ralphgit.model.ids import is_id
from ralphgit.model.printable import shown_address

_MOST = 64
_MOST_FAR = 1000


class Options(NamedTuple):
    action: str
    name: str = ""
    number: int | None = None
    stories: tuple[str, ...] = ()
    agent: str = ""
    land: str = ""
    idle: str = ""
    tmux: bool = False
    no_tmux: bool = False
    now: bool = False
    engine: str = ""
    url: str = ""
    image: str = ""
    trust: bool = False
    provides: str = ""
    on: tuple[str, ...] | None = None
    fetch: bool = False
    wake: str = ""
    every: float | None = None


def run(call: Call, options: Options) -> Outcome:
    if options.url and not options.on and options.action != "manifest":
        return _here(call, options)
    project = call.project(fetch=options.fetch)
    if options.action == "manifest":
        return _manifest(project, options)
    if options.action == "up":
        if options.name:
            raise UsageError(
                "fleet up NAME is for workers in clones, which --url starts here",
                hint="ralphgit fleet up -n 3",
            )
        if options.on:
            return _there(project, options, options.on)
        return _up(call, project, options)
    if options.action == "status":
        return _status(project, options)
    if options.action == "attach":
        return _attach(call, project, options.name)
    return _down(project, options)


# -- workers in clones ---------------------------------------------------------------------


def _here(call: Call, options: Options) -> Outcome:
    """Workers of a URL on this machine, without a repository around us."""
    around, url = call.around._replace(begun=None), options.url
    if options.action == "up":
        if options.name and not is_id(options.name):
            there = shlex.quote(shown_address(url))
            raise UsageError(
                f"{options.name!r} is not a worker",
                code="bad_name", hint=f"ralphgit fleet up gpu --url {there} -n 1",
            )  # fmt: skip
        words = _wanted(options)
        return worker_fleet.up_here(around, url, options.name, words, _words(options))
    if options.action == "status":
        return worker_fleet.status_here(around, url)
    return worker_fleet.down_here(around, url, options.name, now=options.now)


def _there(project: Project, options: Options, hosts: tuple[str, ...]) -> Outcome:
    url = options.url or _remote_url(project)
    if options.number is None and not options.stories:
        options = options._replace(number=len(hosts))
    workers = _wanted(options)
    return worker_fleet.up_there(project, hosts, url, workers, _words(options))


def _wanted(options: Options) -> list[fleet.Wanted]:
    """The workers of `fleet up`. Raises: UsageError."""
    for given, name in (
        (options.tmux, "--tmux"), (options.no_tmux, "--no-tmux"), (options.wake, "--wake"),
    ):  # fmt: skip
        if given:
            raise UsageError(
                f"{name} is for loops in worktrees of this repository",
                hint=f"leave out {name}: a worker runs in the background, in a clone",
            )
    if options.land == "none":
        raise UsageError(
            "a worker in a clone has to land what it does: --land none leaves it there",
            hint="--land auto, pr or merge",
        )
    stories = list(dict.fromkeys(options.stories))
    return fleet.wanted(_count(options, len(stories)), stories)


def _words(options: Options) -> list[str]:
    """The words of these options, for `worker` or for `fleet up` on a host."""
    found = [("--agent", options.agent), ("--land", options.land), ("--idle", options.idle)]
    words = [word for option in found if option[1] for word in option]
    return [*words, *_more(options)]


def _more(options: Options) -> tuple[str, ...]:
    """The words that a worker takes wherever it runs."""
    provides = ("--provides", options.provides) if options.provides else ()
    return (*provides, *(("--trust",) if options.trust else ()))


def _remote_url(project: Project) -> str:
    """Where workers on other machines find the repository. Raises: UsageError."""
    remote = project.base.remote or project.config.remote or "origin"
    if url := project.repository.config.get(f"remote.{remote}.url"):
        return url
    raise UsageError(
        "there is no remote, and workers on other machines have nothing else in common",
        hint="name it with --url URL",
    )


def _count(options: Options, stories: int) -> int:
    """How many workers. Raises: UsageError."""
    count = stories if options.number is None else options.number
    if not 0 < count <= _MOST:
        problem = f"-n must be 1 to {_MOST}" if count else "fleet up needs to know how many workers"
        raise UsageError(problem, hint="ralphgit fleet up -n 3")
    if stories and count != stories:
        raise UsageError(
            f"-n {count} and {stories} stories: there is one worker for each story",
            hint="leave out -n",
        )
    return count


# -- manifest --------------------------------------------------------------------------------


def _manifest(project: Project, options: Options) -> Outcome:
    from ralphgit.loop import manifests

    if not options.engine:
        engines = " or ".join(manifests.ENGINES)
        raise UsageError(
            f"fleet manifest needs to know for what: {engines}",
            hint="ralphgit fleet manifest --for slurm -n 8",
        )
    count = 1 if options.number is None else options.number
    if not 0 < count <= _MOST_FAR:
        raise UsageError(
            f"-n must be 1 to {_MOST_FAR}", hint=f"ralphgit fleet manifest --for {options.engine}"
        )
    url = options.url
    if url != shown_address(url):
        project.warn("the manifest has what --url has, a password or a token: commit it nowhere")
    if options.engine == "kubernetes" and not options.image:
        project.warn(
            "put an image with ralphgit, git and the agent in the place of IMAGE, or use --image"
        )
    if not url and options.engine != "github-actions":
        url = shown_address(_remote_url(project))  # a manifest is committed, and no secret is
    if options.land == "none":
        raise UsageError(
            "a worker on another machine has to land what it does: --land none leaves it there",
            hint=f"ralphgit fleet manifest --for {options.engine} --land auto",
        )
    if len(options.stories) > 1:
        raise UsageError(
            "a worker takes the tasks of one story, or of all",
            hint="write a manifest for each --story",
        )
    words = manifests.options(agent=options.agent, land=options.land, story=options.stories)
    words = (*words, *_more(options))
    job = manifests.Job(url, count, words, options.image or "IMAGE")
    text = manifests.ENGINES[options.engine](job)
    return Outcome({"for": options.engine, "text": text}, before=text.rstrip("\n").split("\n"))


# -- up ------------------------------------------------------------------------------------


def _up(call: Call, project: Project, options: Options) -> Outcome:
    if bool(options.wake) != (options.every is not None):
        raise UsageError(
            "--every and --wake go together: how often, and what is run then",
            hint='ralphgit fleet up -n 3 --every 10m --wake "CMD"',
        )
    if options.tmux and options.no_tmux:
        raise UsageError("--tmux and --no-tmux cannot be combined", hint="use one of them")
    stories = list(dict.fromkeys(options.stories))
    count = _count(options, len(stories))
    tmux = True if options.tmux else False if options.no_tmux else None
    told = fleet.FleetOptions(options.agent, options.land, options.idle, tmux, options.provides)
    started = fleet.up(project, fleet.wanted(count, stories), told)
    session = fleet.session(project)
    data = {
        "workers": [one._asdict() for one in started],
        "session": session.name if session is not None else None,
    }
    lines = [_line(project, one) for one in started]
    failed = [one.name for one in started if one.state == "failed"]
    error = None
    if failed:
        more = "" if len(failed) == len(started) else "; the others run"
        top = next(one.worktree for one in started if one.state == "failed")
        hint = f"what it said: {project.show_path(top)}/{fleet.LOG}"
        what = f"the loop of {', '.join(failed)} ended at once{more}"
        error = Refused(what, code="not_started", hint=hint)
    attach = "ralphgit fleet attach" if session is not None else "ralphgit logs -f NAME"
    advice = () if failed else (f"Next: ralphgit fleet status, or {attach}",)
    if options.wake and options.every is not None and not failed:
        return _watched(call, options, data, lines, [one.worktree for one in started])
    return Outcome(data, before=lines, error=error, advice=advice)


def _watched(
    call: Call, options: Options, data: Mapping[str, object], lines: list[str], tops: list[str]
) -> Outcome:
    """Stay until the loops have ended, and wake who is to be woken meanwhile."""
    assert options.every is not None
    say = telling(call.screen)
    for line in lines:
        say(line)
    call = call._replace(around=call.around._replace(begun=None))  # which looks once
    wake.watch(call.project, tops, options.wake, options.every, say)
    left = fleet_leftover.leftover(call.project())
    return Outcome(
        {**data, "left": left._asdict() if left is not None else None},
        before=[left.sentence if left is not None else "All loops have ended."],
        advice=(f"Next: {left.command}",) if left is not None else (),
    )


def _line(project: Project, one: Started) -> str:
    where = safe(project.show_path(one.worktree))
    new = "the new worktree " if one.made else ""
    if one.state == "running":
        return f"{one.name} runs already in {where} (process {one.pid}, {one.how}); left alone."
    if one.state == "ended":
        return f"{one.name} started in {new}{where}, and has ended: {safe(one.why)}."
    if one.state == "failed":
        return f"{one.name} ended at once in {new}{where}: {safe(one.why or 'it did not say why')}"
    how = "in tmux" if one.how == "tmux" else "in the background"
    return f"{one.name} started in {new}{where}, {how} (process {one.pid})."


# -- status --------------------------------------------------------------------------------


def _status(project: Project, options: Options) -> Outcome:
    url = options.url
    if options.on:
        return worker_fleet.status_there(project, options.on, url or _remote_url(project))
    found = fleet_state.workers(project)
    rows: list[tuple[str, ...]] = []
    for one in found:
        beat = f"{one.age_s:.0f} s ago" if one.age_s is not None else "-"
        counts = (str(len(one.done)), str(len(one.blocked)))
        place, now = project.show_path(one.worktree), (one.phase or "-", one.task or "-", beat)
        rows.append((one.name, place, one.state, *now, *counts, one.how))
    far, error = worker_fleet.elsewhere(project, ask=options.fetch)
    rows += [worker_fleet.row(one, str(one["host"])) for one in far]
    before = () if rows or error else ("No loop runs, and no fleet has been started.",)
    advice = [] if rows else ["Next: ralphgit fleet up -n 2"]
    if any(one["state"] == worker_fleet.NOT_ASKED for one in far):
        advice = ["Next: ralphgit fleet status --fetch asks the other machines"]
    left = fleet_leftover.leftover(project)
    if left is not None:
        advice = [left.sentence, f"Next: {left.command}"]
    data = {
        "workers": [*({**one._asdict(), "task": one.task or None} for one in found), *far],
        "left": left._asdict() if left is not None else None,
    }
    table = Table(worker_fleet.HEADERS, rows) if rows else None
    return Outcome(data, before=before, table=table, advice=advice, error=error)


# -- attach and down -----------------------------------------------------------------------


def _attach(call: Call, project: Project, name: str) -> Outcome:
    logs = f"ralphgit logs -f {shlex.quote(name or 'NAME')}"
    if name:
        ssh_fleet.worktrees(project, (name,), hint="ralphgit fleet status --fetch")
    if lacking := tmux_session.missing():
        raise GuardRefused(f"{lacking} is not installed: there is no session to attach to",
                           code="no_tmux", hint=logs)  # fmt: skip
    session = fleet.session(project)
    if session is None:
        raise GuardRefused("no loop of this repository runs in tmux", code="no_session", hint=logs)
    windows = [one for one in session.windows() if one.name == name]
    if name and not windows:
        raise GuardRefused(f"{name} does not run in tmux", code="no_session", hint=logs)
    if call.screen.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise GuardRefused(
            "there is no terminal to attach the session to", code="no_terminal",
            hint=f"tmux attach -t {shlex.quote(session.name)}, or {logs}",
        )  # fmt: skip
    leave()
    session.attach(windows[0] if windows else None)


def _down(project: Project, options: Options) -> Outcome:
    name, now = options.name, options.now
    known = ssh_fleet.noted(project)
    hosts = options.on or [one.name for one in known if name in ("", *one.workers)]
    if hosts and (name or options.on):
        url = options.url or ("" if not options.on else _remote_url(project))
        return worker_fleet.down_there(project, hosts, url, name, now=now)
    here = _down_here(project, name, now=now)
    if not hosts:
        return here
    there = worker_fleet.down_there(project, hosts, "", "", now=now)
    assert isinstance(here.data, dict) and isinstance(there.data, dict)
    stopped = [*here.data["stopped"], *there.data["stopped"]]
    lines = [*(here.before if here.data["stopped"] else ()), *there.before]
    error = here.error or there.error
    return here._replace(data={**here.data, "stopped": stopped}, before=lines, error=error)


def _down_here(project: Project, name: str, *, now: bool) -> Outcome:
    asked = fleet.down(project, (name,) if name else (), now=now)
    session = fleet.session(project)
    closed = session.close_if_empty() if session is not None else ""
    lines, late = [], []
    for one in asked:
        where = safe(project.show_path(one.worktree))
        if one.ended:
            kept = f"; it still holds {one.task}" if now and one.task else ""
            lines.append(f"The loop of {one.name} in {where} has ended{kept}.")
        elif one.task and not now:
            lines.append(f"The loop of {one.name} in {where} ends after {one.task}.")
        else:
            late.append(f"{one.name} (process {one.pid})")
    if closed:
        lines.append(f"The tmux session {closed} is closed.")
    data = {"stopped": [one._asdict() for one in asked], "session_closed": bool(closed)}
    error = None
    if late:
        what = f"asked to end, and still there: {', '.join(late)}"
        hint = "ralphgit fleet down --now"
        error = Refused(what, code="still_running", hint=hint)
    advice = ["The worktrees stay; ralphgit worktree prune removes those that are done."]
    if held := [one.name for one in asked if one.ended and one.task]:
        again = recovery_commands.fleet_command(held)
        advice.append(f"Next: {again} goes on with what {', '.join(held)} still holds")
    before = lines or ["No loop of a fleet runs."]
    return Outcome(data, before=before, error=error, advice=tuple(advice) if asked else ())
