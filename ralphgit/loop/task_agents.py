"""Choose the agent for each task of a loop: its profile's, or the loop's own."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

from ralphgit.app.workspace import agent_pause
from ralphgit.app.workspace.project import Project
from ralphgit.errors import AwaitsPerson, NothingReady, RalphError, UsageError
from ralphgit.loop import agent_command
from ralphgit.loop.agent_away import AgentAway
from ralphgit.loop.agent_command import Command
from ralphgit.loop.loop_options import Say
from ralphgit.model import agent_profile
from ralphgit.model.agent_profile import AgentProfile
from ralphgit.model.task_row import Row

#: Which profile a task asks for.
ProfileOf = Callable[[Row, Sequence[AgentProfile]], str]
#: How many of the tasks that a loop leaves are said.
_MOST = 3


class TaskAgents:
    """The agents of one loop.

    With `--agent` there is one: where it is a profile, for tasks that ask for this profile or for
    none, else for those that ask for none. Without it each task gets the agent of its profile.
    """

    def __init__(
        self, project: Project, asked: str, *, only: bool = False,
        of: ProfileOf = agent_profile.of_row,
    ) -> None:  # fmt: skip
        """Raises: UsageError; NeedsPerson (untrusted, no_agent); Refused (broken_extension)."""
        config = project.config
        self._profiles, self._asked, self._only, self._of = config.agents, asked, only, of
        self._names = {one.name for one in config.agents}
        if only and asked not in self._names:
            raise UsageError(
                "--only-profile needs the name of a profile",
                hint="--agent NAME --only-profile, of [agents.NAME] in ralph.toml",
            )
        if of is agent_profile.reviewer and not (asked or config.agent_command or self._profiles):
            raise UsageError(
                "no agent is configured that could review, here or as a profile ([agents.NAME] in "
                "ralph.toml)",
                code="no_agent", hint="ralphgit run --role review --agent CMD",
            )  # fmt: skip
        self._commands: dict[str, Command] = {}
        """The command of each profile that tasks get here, and by "" the loop's own."""
        if asked or config.agent_command or not self._profiles:
            self._commands[""] = agent_command.permitted(project, asked)
        for profile in () if asked else self._profiles:
            try:
                self._commands[profile.name] = agent_command.of_profile(project, profile)
            except RalphError as error:
                last = profile is self._profiles[-1] and not self._commands
                if error.code != "no_agent" or last:
                    raise
                project.warn(f"{error.message}; what asks for the profile {profile.name} is left")
        self._aways: dict[str, AgentAway] = {}
        self._say: Say = lambda _: None
        self._held: set[str] = set()
        self.left: dict[str, str] = {}
        """The tasks that this loop leaves to others, each with the profile that it asks for."""

    @property
    def named(self) -> str:
        """The agents in a word each, for the journal."""
        return ", ".join(dict.fromkeys(one.line for one in self._commands.values()))

    @property
    def lines(self) -> list[str]:
        """What is started of each agent, as a shell line."""
        return [one.read_as_line for one in self._commands.values()]

    def begin(self, top: str, away: Callable[[Command], AgentAway], say: Say) -> None:
        """Begin to work in the worktree at `top`: `away` makes what waits for an agent that cannot.

        Raises: NotWritable.
        """
        self._aways = {name: away(one) for name, one in self._commands.items()}
        agent_pause.note_used(top, (one.path for one in self._aways.values()))
        self._say = say

    # -- which ---------------------------------------------------------------------------

    def _name(self, profile: str) -> str | None:
        """The key of the command for a task that asks for `profile`; None where it is left."""
        if self._asked:
            fits = profile == self._asked or not (profile or self._only)
            return "" if fits else None
        name = profile if profile in self._commands else ""
        return None if name != profile or name not in self._commands else name

    def takes(self, row: Row) -> bool:
        """Whether this loop may take a task now; what it leaves is said once."""
        profile = self._of(row, self._profiles)
        name = self._name(profile)
        if name is None:
            self._leave(row.id, profile)
            return False
        self.left.pop(row.id, None)
        away = self._aways[name]
        if away.held_until or away.why:
            self._held.add(name)
            return False
        return True

    def _leave(self, task: str, profile: str) -> None:
        if self.left.get(task) != profile:
            self.left[task] = profile
            if self._is_unknown(profile):
                self._say(f"{self._sentence(task)}; it is left (ralphgit check)")

    def _is_unknown(self, profile: str) -> bool:
        return profile not in {"", *self._names}

    def _sentence(self, task: str) -> str:
        profile = self.left[task]
        unknown = ", which nobody has set" if self._is_unknown(profile) else ""
        return f"{task} asks for {f'the profile {profile}' if profile else 'no profile'}{unknown}"

    def away(self, project: Project, task: str) -> AgentAway:
        """Return what stands for the agent of a task that this loop works on.

        One that was begun for a profile that is not here any more is the loop's own.
        """
        row = project.base_view.known(task)
        name = self._name(self._of(row, self._profiles) if row is not None else "")
        return self._aways[next(iter(self._aways)) if name is None else name]

    # -- waiting -------------------------------------------------------------------------

    def may_start(self) -> bool:
        """Wait while every agent of this loop is limited; false if a stop is wanted."""
        limited = [one for one in self._aways.values() if one.is_limited()]
        if len(limited) < len(self._aways):
            return True
        return min(limited, key=lambda one: one.held_until).may_start()

    @property
    def why(self) -> str:
        """What a person has to help an agent with; "" while all can work."""
        return "; ".join(filter(None, (one.why for one in self._aways.values())))

    @property
    def all_away(self) -> bool:
        """Whether every agent needs a person."""
        return all(one.why for one in self._aways.values())

    def wait(self, seconds: float, *, person: bool) -> bool:
        """Wait a while for an agent whose limit lasts and that tasks were passed over for, and
        with `person` also for one that a person has to help; False for none.

        At most so many seconds: meanwhile there may be something to do for another agent.
        """
        held, self._held = self._held, set()
        away = [
            one
            for name, one in self._aways.items()
            if (name in held and one.is_limited()) or (person and one.why)
        ]
        if not away:
            return False
        min(away, key=lambda one: one.held_until).wait(seconds)
        return True

    @property
    def said(self) -> str:
        """What this loop leaves, as the end of a sentence."""
        sentences = [self._sentence(task) for task in sorted(self.left)]
        more = [f"and {len(sentences) - _MOST} more"] if len(sentences) > _MOST else []
        return "".join(f"; {one}" for one in (*sentences[:_MOST], *more))

    def nothing(self, why: RalphError) -> RalphError:
        """Return why there is nothing to claim, with the tasks that this loop leaves to others."""
        if not self.left:
            return why
        sentences = [self._sentence(task) for task in sorted(self.left)]
        if why.code != "all_done":
            why.lines = (*why.lines, *sentences)
            return why
        unknown = [task for task, profile in self.left.items() if self._is_unknown(profile)]
        profile = next(iter(self.left.values())) or "AGENT"
        kind = AwaitsPerson if unknown else NothingReady
        return kind(
            f"nothing can be claimed here: {sentences[0]}",
            code="needs_person" if unknown else "waiting", lines=tuple(sentences[1:]),
            hint="ralphgit check" if unknown else f"ralphgit run --agent {shlex.quote(profile)}",
            details={"left": dict(self.left)},
        )  # fmt: skip
