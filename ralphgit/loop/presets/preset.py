"""Define what a preset is, and what the events of its agent say.

An agent that prints JSON, an event a line, has a `read`: it gets an event and returns what there
is to see of it. What it does not know it leaves out; the raw line is kept beside the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ralphgit.model.task import Usage

#: In the words of a preset: the folders in which git keeps what the worktree shares with others,
#: and what is its own, as a JSON list. Codex protects either unless it is named (tried with 0.171).
GIT_FOLDERS = "{git_folders}"
#: In the words of any agent: the file with the prompt.
PROMPT = "{prompt}"


class Said(NamedTuple):
    """What the agent says."""

    text: str
    more: bool = False
    """Whether the rest of it comes with the next events."""


class Did(NamedTuple):
    """What it does, or what became of it: a command, a change of a file."""

    text: str


class Erred(NamedTuple):
    """What went wrong, in its own words."""

    text: str


class Used(NamedTuple):
    """What was used since the last time, or by the message `key`, of which the last one counts."""

    usage: Usage
    key: str = ""


class Ended(NamedTuple):
    """The typed result of its run."""

    failed: str = ""
    """Its own words for why it failed; "" where it did not."""
    status: int = 0
    """The HTTP status that it names; 0 for none."""
    usage: Usage | None = None
    """What all of the run has used."""


Event = Mapping[str, Any]
Seen = Said | Did | Erred | Used | Ended
Read = Callable[[Event], Sequence[Seen]]


class Reading(NamedTuple):
    """How the output of an agent is read."""

    read: Read | None = None
    errors: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPreset:
    """A coding agent that `--agent NAME` starts."""

    name: str
    """As people call it, and `--agent` takes it: a word in small letters."""
    help: str
    """What it is, in one line."""
    words: tuple[str, ...]
    """The program and its arguments; the program reads the prompt on stdin, or in the file that
    `PROMPT` stands for. `GIT_FOLDERS` stands for where git keeps the worktree's data, for a tool
    whose sandbox protects that.
    """
    needs: str
    """What must be there before it can work, in a few words."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those that ralphgit was started with."""
    task_fields: Mapping[str, str] = field(default_factory=dict)
    """Variables that hold a field of the task as JSON: the variable, then the field."""
    read: Read | None = None
    """How its events are read, where it prints JSON."""
    errors: str = ""
    """How a plain line tells of an error after which it goes on trying, as a regular expression;
    its last group is what went wrong.
    """
    may_not: str = ""
    """What it may not do, in a few words."""
    trust: str = ""
    """How a folder comes to be one in which it works, in a few words."""
    tried: str = ""
    """The version that it was tried with."""

    @property
    def reading(self) -> Reading:
        return Reading(self.read, self.errors)
