"""`worker`: one stateless worker, on any machine; all that counts is on the remote."""

import shlex
from typing import NamedTuple

from ralphgit.app.processes import trust
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.commands import run as run_loop
from ralphgit.cli.render import Outcome, telling
from ralphgit.errors import RalphError
from ralphgit.loop import give_back, worker_clone
from ralphgit.loop.loop_options import LoopOptions
from ralphgit.rules.claim_options import Priorities


class Options(NamedTuple):
    url: str
    trust: bool = False
    """Agree to run what the repository names."""
    reference: str = ""
    max_tasks: int | None = None
    max_cost: float | None = None
    max_time: float | None = None
    story: str = ""
    priority: Priorities | None = None
    agent: str = ""
    only_profile: bool = False
    land: str = ""
    idle: str = "exit"
    role: str = "work"

    @property
    def loop(self) -> LoopOptions:
        """Those of them that are the loop's."""
        given = self._asdict()
        return LoopOptions(**{name: given[name] for name in LoopOptions._fields if name in given})


def run(call: Call, options: Options) -> Outcome:
    run_loop.refuse_none(options.max_tasks)
    flags = {**call.around.flags, "lease": "remote"}
    named = str(flags.get("worker") or "")
    environ = call.around.environ
    clone = worker_clone.take(environ, options.url, named, reference=options.reference)
    flags["worker"] = clone.worker
    around = call.around._replace(directory=clone.path, begun=None, flags=flags)
    say = telling(call.screen)
    say(f"worker {clone.worker} in {clone.path}")
    here = call._replace(around=around)
    if options.trust:
        project = Project.open(around, call.warnings)
        trust.grant(project, trust.consent(project).untrusted)
        project.repository.close()
    try:
        done = run_loop.run(here, options.loop)
    except RalphError as error:
        _leave(here, ended=True)
        _elsewhere(error, clone.path)
        raise
    except BaseException:  # a signal mostly: the machine is wanted back
        _leave(here, ended=False)
        raise
    _leave(here, ended=True)
    if done.error is None or done.error.code == "all_done":
        return done._replace(error=None)  # it has found what it was to bring about
    _elsewhere(done.error, clone.path)
    return done


def _leave(call: Call, *, ended: bool) -> None:
    """Have nothing here that is not on the remote as well: work is kept there, tasks are free."""
    say = telling(call.screen)
    try:
        project = Project.open(call.around, call.warnings)
        for one in give_back.all_claims(project, "its worker was stopped", ended=ended):
            more = f"; the work so far is kept in {one.kept}" if one.kept else ""
            branch = f"{project.base.remote}/{one.branch}"
            say(
                f"{one.task} is complete on {branch}, and has yet to land"
                if one.branch
                else f"{one.task} is given back{more}"
            )
    except RalphError as error:
        say(f"what this worker had is still here, and the next one goes on with it: {error}")


def _elsewhere(error: RalphError, path: str) -> None:
    """Give the error a hint that can be typed where this command was."""
    if error.hint.startswith("ralphgit "):
        error.hint = f"ralphgit -C {shlex.quote(path)} {error.hint.removeprefix('ralphgit ')}"
