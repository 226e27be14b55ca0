"""Hold a loop to the settings that it has begun with, whatever changes while its agents work."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from ralphgit.app.evidence import seen_here_alone
from ralphgit.app.processes import agent_files, changed_settings, watched_settings
from ralphgit.app.processes.changed_settings import Signs
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NeedsPerson
from ralphgit.loop.event_log import Journal
from ralphgit.loop.heartbeat_writer import HeartbeatWriter
from ralphgit.loop.loop_options import Say
from ralphgit.model.config import flat
from ralphgit.model.printable import listed

#: Who is at work while something changes, as a line says it before the task.
_AGENT, _COMMAND = "the agent worked on", "a command was run for"
#: What merged content decides: a graph may move while a loop runs.
_OF_THE_BASE = ("graph", "records", "base", "remote")


def read_once(project: Project) -> dict[str, object]:
    """Return the settings as they are now, as flags: no file that changes later has a say.

    Raises: UsageError, InvalidRecord.
    """
    settings = flat(project.config)
    base = {"base": project.base.branch, "remote": project.base.remote}
    free = {name: value for name, value in settings.items() if name not in _OF_THE_BASE}
    return {**project.around.flags, **free, **{k: v for k, v in base.items() if v}}


class HeldSettings:
    """What steers one loop, as it was before its first agent."""

    def __init__(
        self, signs: Signs, lines: Sequence[str], journal: Journal, beat: HeartbeatWriter, say: Say
    ) -> None:
        """`lines`: the commands of all agents that the loop may start."""
        self._signs, self._lines = signs, lines
        self._journal, self._beat, self._say = journal, beat, say
        self._named: set[str] = set()
        """What has been said to have changed."""
        self._at_work = _COMMAND
        self._run: dict[str, Mapping[str, str]] = {}
        """By line, the files of the worktree that it runs and the base has not otherwise, as before
        the first attempt of any agent."""

    def require_agent(self, project: Project, line: str) -> None:
        """Refuse to start an agent of whose command an earlier one has changed a file.

        Raises: NeedsPerson (changed_program).
        """
        for one in self._lines if not self._run else ():
            other, now = agent_files.changed_here(project, one, None)
            self._run[one] = {name: sign for name, sign in now.items() if name not in other}
        changed = agent_files.changed_here(project, line, self._run.get(line))[0]
        if changed:
            base = project.base
            there = project.repository.objects.resolve([f"{base.commit}:{one}" for one in changed])
            known = [name for name, oid in zip(changed, there, strict=True) if oid]
            raise NeedsPerson(
                f"{', '.join(changed)}, which the agent's command runs, is not as {base.label} has "
                "it, or as it was; the agent was not started, and the claim is kept",
                code="changed_program",
                hint=shlex.join(("git", "checkout", base.commit, "--", *known))
                if known
                else "look at it and put it back, then repeat",
                details={"changed": changed},
            )

    def with_task(self, project: Project, task: str) -> Signs:
        """Add what a task brings of its own; return all with what its branch has now."""
        self._signs = changed_settings.with_task(project, self._signs, task)
        return changed_settings.with_branch(project, self._signs)

    def watched(self, project: Project, noted: Signs | None = None) -> AbstractContextManager[None]:
        """Watch while an agent or a command works; `noted`: what was seen just before."""
        self._at_work = _AGENT
        return watched_settings.watched(project, self._signs, self._name, noted=noted)

    def unchanged(self, project: Project) -> None:
        """Name what has changed, and refuse to go on where it steers, or git would wait for it.

        Raises: NeedsPerson (settings_changed, blocks_git).
        """
        watched_settings.require_same(project, self._signs, self._name, every=True)
        self._at_work = _COMMAND  # the next to run
        seen_here_alone.passed_over(project.repository)

    def require(self, project: Project, before: Signs) -> None:
        """Name what is not as `before`, and refuse to go on where that steers.

        Raises: NeedsPerson (settings_changed).
        """
        watched_settings.require_same(project, before, self._name)

    def _name(self, changed: Sequence[changed_settings.Change]) -> None:
        """Say once what has changed."""
        names = [one.name for one in changed if one.name not in self._named]
        self._named.update(names)
        if names:
            task = self._beat.now.task
            self._journal.write("settings-changed", task=task, changed=names)
            self._say(
                f"changed while {self._at_work} {task}: {listed(names, watched_settings.MOST)}"
            )
