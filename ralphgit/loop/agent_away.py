"""Wait for an agent that cannot work: at a limit, and until a person has helped.

What one loop has run into holds for every loop of this machine that uses the agent
(`agent_pause`): at a limit all wait, and of a login that has expired the first one tells a person,
and one alone tries it again. Neither these nor a network that is away or silence counts as an
attempt at a task.
"""

from __future__ import annotations

import os

from ralphgit.app.workspace import agent_pause
from ralphgit.app.workspace.agent_pause import LIMITED, UNAVAILABLE, AgentPause
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.loop import attempt_memory
from ralphgit.loop.agent_command import Command
from ralphgit.loop.attempt_memory import Attempts
from ralphgit.loop.event_log import Journal
from ralphgit.loop.loop_options import Say
from ralphgit.loop.waiting import Pauses
from ralphgit.model.config import Config
from ralphgit.model.printable import at_utc, duration
from ralphgit.rules import backoff_and_breaker
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
        self.path = agent_pause.path(self._environ, command.line)
        """The note about the agent."""
        self._began = around.now()
        self._times = 0
        self._why = ""
        self._tries: AgentPause | None = None
        """The note by which this loop alone tries the agent again."""
        self._said: AgentPause | None = None
        self._noted: tuple[object, AgentPause | None] = (None, None)

    @property
    def command(self) -> Command:
        return self._command

    @property
    def why(self) -> str:
        """What a person has to help with; "" while the agent can work."""
        note = self._unavailable()
        return self._why or (self._cannot_work(note.said) if note is not None else "")

    @property
    def held_until(self) -> float:
        """When it is tried again, in seconds since 1970; 0 where it can work."""
        note = self._limit() or self._unavailable()
        return note.until if note is not None else 0.0

    def is_limited(self) -> bool:
        """Whether some loop has run into a limit of the agent that lasts."""
        return self._limit() is not None

    def _cannot_work(self, said: str) -> str:
        return f"{self._command.name} cannot work: {said}"

    def _limit(self) -> AgentPause | None:
        note = self._note_of(LIMITED)
        return note if note is not None and note.until > self._around.now() else None

    def _unavailable(self) -> AgentPause | None:
        """What keeps it from working, as some loop has noted it since this one began.

        Of before that it says nothing: who starts a loop has helped the agent meanwhile.
        """
        note = self._note_of(UNAVAILABLE)
        return note if note not in (None, self._tries) and note.at >= self._began else None

    def _note_of(self, kind: str) -> AgentPause | None:
        try:
            found = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return None
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if self._noted[0] != seen:  # it is asked for each task that is ready
            self._noted = (seen, agent_pause.read(self._environ, self._command.line))
        note = self._noted[1]
        return note if note is not None and note.kind == kind else None

    def may_start(self) -> bool:
        """Wait while a limit of the agent lasts, whoever ran into it; false if a stop is wanted."""
        while not self._pauses.stop_wanted() and (note := self._limit()) is not None:
            self._wait_out(note, note.until)
        return not self._pauses.stop_wanted()

    def wait(self, seconds: float) -> None:
        """Wait so long at most until it can work, or is to be tried again, which this loop does."""
        note = self._limit() or self._unavailable()
        if note is None:
            self._why = ""  # another loop's agent has worked meanwhile
            return
        now = self._around.now()
        if note.until > now:
            self._wait_out(note, min(note.until, now + seconds))
        elif note.kind == UNAVAILABLE:
            # So that of several loops one tries it: the others see that it is tried.
            self._tries = self._note(UNAVAILABLE, note.said, now + self._away_pause())
            self._why = ""

    def _wait_out(self, note: AgentPause, until: float) -> None:
        """Wait until a time, or until a note is another one, or gone; why is said once."""
        limited = note.kind == LIMITED
        why = f"{self._command.name} is limited: {note.said}" if limited else self.why
        if note != self._said:
            self._said = note
            left, end = duration(note.until - self._around.now()), at_utc(note.until)
            if limited:
                self._journal.write("limited", until=end, message=why)
                self._say(f"{why}; waiting {left}, until {end}")
            else:
                self._say(f"{why}; tried again in {left}, at {end}")

        def over() -> bool:
            return self._note_of(note.kind) != note

        phase = "limited" if limited else "agent unavailable"
        self._pauses.until(until, phase, why, end=note.until, now=self._around.now, over=over)

    def limited(self, before: Attempts, outcome: Limited) -> None:
        """Note a limit, for every loop that uses the agent."""
        row, config, now = before.limited + 1, self._config, self._around.now()
        attempt_memory.note_attempts(self._top, before._replace(limited=row))
        told = None if outcome.until is None else outcome.until - now
        seconds = backoff_and_breaker.limit_pause(
            told, row=row, least=config.loop_backoff, usual=config.loop_cooldown
        )
        self._note(LIMITED, outcome.said, now + seconds)

    def gives_back(self, before: Attempts, outcome: Unavailable | Silent) -> bool:
        """Note that the agent could not work; whether its task is to be given back now.

        A few times it is tried again at once, after a pause; after that a person has to help, and
        until then once is enough. The first loop tells the person.
        """
        row = before.unavailable + 1
        attempt_memory.note_attempts(self._top, before._replace(unavailable=row))
        said = (
            f"no output and no change for {duration(outcome.seconds)}"
            if isinstance(outcome, Silent) else outcome.said
        )  # fmt: skip
        why, known = self._cannot_work(said), self._note_of(UNAVAILABLE)
        asked = known is not None and known.at >= self._began
        if row < backoff_and_breaker.MOST_UNAVAILABLE and not (self._times or asked):
            self._say(f"{why}; trying again")
            self._pauses.after_failure(row, self._config, why)
            return False
        self._times += 1
        self._why, self._tries = why, None
        self._note(UNAVAILABLE, said, self._around.now() + self._away_pause())
        if not asked:
            self._journal.write("unavailable", message=f"{why}; a person has to help")
        return True

    def _away_pause(self) -> float:
        return backoff_and_breaker.away_pause(max(1, self._times), usual=self._config.loop_cooldown)

    def worked(self, since: float) -> None:
        """Note that the agent has worked, begun at `since`: what was noted before is over."""
        self._times, self._why, self._tries = 0, "", None
        agent_pause.forget(self._environ, self._command.line, before=since)

    def _note(self, kind: str, said: str, until: float) -> AgentPause:
        note = AgentPause(self._command.line, kind, said, until, self._around.now())
        agent_pause.write(self._environ, note)
        return self._note_of(kind) or note
