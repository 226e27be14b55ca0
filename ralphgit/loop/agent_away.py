"""Wait for an agent that cannot work: at a limit, and until a person has helped.

A limit pauses every loop of this machine that uses the agent (`agent_pause`). Neither it nor a
login, a network that is away or silence counts as an attempt at a task.
"""

from __future__ import annotations

import time

from ralphgit.app.workspace import agent_pause
from ralphgit.app.workspace.agent_pause import LIMITED, UNAVAILABLE, AgentPause
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.loop import attempt_memory
from ralphgit.loop.agent_presets import Command
from ralphgit.loop.attempt_memory import Attempts
from ralphgit.loop.event_log import Journal
from ralphgit.loop.loop_options import Say
from ralphgit.loop.waiting import Pauses
from ralphgit.model.config import Config
from ralphgit.model.printable import at_utc, duration
from ralphgit.rules import retry_policy
from ralphgit.rules.agent_outcome import Limited, Silent, Unavailable


class AgentAway:
    """What one loop does while its agent cannot work."""

    def __init__(
        self, around: Surroundings, config: Config, command: Command, top: str, pauses: Pauses,
        journal: Journal, say: Say,
    ) -> None:  # fmt: skip
        self._around, self._config, self._command, self._top = around, config, command, top
        self._environ = {**around.environ, **command.environment}  # which say whose account it is
        self._pauses, self._journal, self._say = pauses, journal, say
        self._times = 0
        self.why = ""
        """What a person has to help with; "" while the agent can work."""

    @property
    def command(self) -> Command:
        return self._command

    @property
    def limited_until(self) -> float:
        """When its limit ends, in seconds since 1970; 0 where there is none."""
        note = self._limit()
        return note.until if note is not None else 0.0

    def is_limited(self) -> bool:
        """Whether some loop has run into a limit of the agent that lasts."""
        return self._limit() is not None

    def _limit(self) -> AgentPause | None:
        note = agent_pause.read(self._environ, self._command.line)
        lasts = note is not None and note.kind == LIMITED and note.until > self._around.now()
        return note if lasts else None

    def may_start(self) -> bool:
        """Wait while a limit of the agent lasts, whoever ran into it; false if a stop is wanted."""
        while not self._pauses.stop_wanted() and (note := self._limit()) is not None:
            left, end = note.until - self._around.now(), at_utc(note.until)
            why = f"{self._command.name} is limited: {note.said}"
            self._journal.write("limited", until=end, message=why)
            self._say(f"{why}; waiting {duration(left)}, until {end}")
            self._wait_out(note, why)
        return not self._pauses.stop_wanted()

    def _wait_out(self, note: AgentPause, why: str) -> None:
        """Wait until a limit ends, or its note is another one, or gone."""

        def over() -> bool:
            return agent_pause.read(self._environ, self._command.line) != note

        self._pauses.until(note.until, "limited", why, now=self._around.now, over=over)

    def limited(self, before: Attempts, outcome: Limited) -> None:
        """Note a limit, for every loop that uses the agent."""
        row, config, now = before.limited + 1, self._config, self._around.now()
        attempt_memory.note_attempts(self._top, before._replace(limited=row))
        told = None if outcome.until is None else outcome.until - now
        seconds = retry_policy.limit_pause(
            told, row=row, least=config.loop_backoff, usual=config.loop_cooldown
        )
        self._note(LIMITED, outcome.said, now + seconds)

    def gives_back(self, before: Attempts, outcome: Unavailable | Silent) -> bool:
        """Note that the agent could not work; whether its task is to be given back now.

        A few times it is tried again at once, after a pause; after that a person has to help, and
        until then once is enough.
        """
        row = before.unavailable + 1
        attempt_memory.note_attempts(self._top, before._replace(unavailable=row))
        said = (
            f"no output and no change for {duration(outcome.seconds)}"
            if isinstance(outcome, Silent) else outcome.said
        )  # fmt: skip
        why = f"{self._command.name} cannot work: {said}"
        if row < retry_policy.MOST_UNAVAILABLE and not self._times:
            self._say(f"{why}; trying again")
            self._pauses.after_failure(row, self._config, why)
            return False
        self._times += 1
        self.why = why
        seconds = retry_policy.away_pause(self._times, usual=self._config.loop_cooldown)
        self._note(UNAVAILABLE, said, self._around.now() + seconds)
        self._journal.write("unavailable", message=f"{why}; a person has to help")
        return True

    def pause(self) -> None:
        """Wait for a person, longer each time; then the agent is tried again."""
        seconds = retry_policy.away_pause(self._times, usual=self._config.loop_cooldown)
        at = self._around.now() + seconds
        self._say(f"{self.why}; tried again in {duration(seconds)}, at {at_utc(at)}")
        self._pauses.until(at, "agent unavailable", self.why, now=self._around.now)
        self.why = ""

    def worked(self, since: float) -> None:
        """Note that the agent has worked, begun at `since`: what was noted before is over."""
        self._times = 0
        agent_pause.forget(self._environ, self._command.line, before=since)

    def _note(self, kind: str, said: str, until: float) -> None:
        note = AgentPause(self._command.line, kind, said, until, time.time())
        agent_pause.write(self._environ, note)
