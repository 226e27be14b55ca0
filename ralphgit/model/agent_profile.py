"""Define profiles of agents: `[agents.NAME]` in ralph.toml, for the tasks that ask for one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.model.task_row import Row

#: What the settings of profiles are called together.
AGENTS = "agents"


class AgentProfile(NamedTuple):
    """An agent as the settings have it, for tasks whose `agent` or `review` names it."""

    name: str
    command: str = ""
    """A preset's name or a command line; "" for a profile that has none yet."""
    timeout: float = 0.0
    """Seconds for each attempt; 0 is `agent.timeout`."""
    environment: tuple[str, ...] = ()
    """Variables of its own, each `NAME=VALUE`."""
    story: tuple[str, ...] = ()
    """The stories whose tasks ask for it, where they name no other."""


#: What may be set of a profile, and what a value of the same type is.
DEFAULTS: Mapping[str, object] = AgentProfile._field_defaults


def from_settings(made: Mapping[str, object]) -> tuple[AgentProfile, ...]:
    """Return the profiles that settings called `agents.NAME.KEY` make, by name."""
    found: dict[str, dict[str, object]] = {}
    for setting, value in made.items():
        family, _, rest = setting.partition(".")
        name, _, key = rest.rpartition(".")
        if family == AGENTS and name:
            found.setdefault(name, {})[key] = value
    return tuple(
        AgentProfile(name, **told)  # type: ignore[arg-type]  # parse_setting has seen to the types
        for name, told in sorted(found.items())
    )


def as_settings(profiles: Iterable[AgentProfile]) -> dict[str, object]:
    """Return the settings that make these profiles."""
    return {
        f"{AGENTS}.{one.name}.{key}": value
        for one in profiles
        for key, value in one._asdict().items()
        if key in DEFAULTS and value
    }


def wanted(own: str, story: str, profiles: Iterable[AgentProfile]) -> str:
    """Return the profile that a task asks for, by `own` name or as one of its story; "" for none.

    Of several profiles with the story it is the first by name.
    """
    if own or not story:
        return own
    return next((one.name for one in profiles if story in one.story), "")


def of_row(row: Row, profiles: Sequence[AgentProfile]) -> str:
    """Return the same of a task that is not whole."""
    return wanted(_field(row, "agent"), row.story, profiles)


def reviewer(row: Row, _: Sequence[AgentProfile]) -> str:
    """Return the profile that is to review a task; "" for any."""
    return _field(row, "review")


def _field(row: Row, name: str) -> str:
    if f'"{name}"' not in row.json:
        return ""
    import json  # few tasks ask for one

    found = json.loads(row.json).get(name)
    return found if isinstance(found, str) else ""
