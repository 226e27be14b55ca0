"""Note for all loops of this machine that an agent cannot work now, and until when.

A limit is of an account, not of a repository: so the note is the user's, below XDG_STATE_HOME
(`~/.local/state/ralphgit/agents`), one for each agent as it is named, with the keys and folders
that say whose account it uses. There no sandboxed agent writes, and a note that somebody forges
can make loops wait, and be seen in `status`, and nothing else.
"""

import json
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ralphgit import digests
from ralphgit.app.workspace import heartbeat, user_state
from ralphgit.app.workspace.project import Project
from ralphgit.records import atomic_files, runtime_notes

LIMITED, UNAVAILABLE = "limited", "unavailable"
#: What says which account an agent uses, besides its command.
_ACCOUNT = ("_API_KEY", "_AUTH_TOKEN", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "_BASE_URL")
_MOST_SAID = 500
#: In a worktree: the notes about the agents that its newest loop began with.
_USED = os.path.join(".ralph", "agents.yaml")


class AgentPause(NamedTuple):
    """Why an agent cannot work now."""

    agent: str
    """A preset, or a command line."""
    kind: str
    """LIMITED: it goes on by itself. UNAVAILABLE: a person has to help."""
    said: str
    """Its own words."""
    until: float
    """When it is tried again, in seconds since 1970."""
    at: float
    """When this was noted."""


def read(environ: Mapping[str, str], agent: str) -> AgentPause | None:
    """Return what is noted of an agent; None for nothing that can be read."""
    return _read(path(environ, agent))


def every(environ: Mapping[str, str]) -> list[AgentPause]:
    """Return what is noted of all agents of this user."""
    return [*_every(environ).values()]


def _every(environ: Mapping[str, str]) -> dict[str, AgentPause]:
    folder = _folder(environ)
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return {}
    notes = {name: _read(os.path.join(folder, name)) for name in names if name.endswith(".yaml")}
    return {name: note for name, note in notes.items() if note is not None}


def note_used(top: str, places: Iterable[str]) -> None:
    """Note in a worktree at which notes its loop looks. Raises: NotWritable."""
    names = [os.path.basename(place) for place in places]
    runtime_notes.write(os.path.join(top, _USED), {"notes": names})


def unavailable(project: Project) -> list[AgentPause]:
    """Return what keeps agents that this repository uses from working: those of its settings, and
    those that the newest loop of a worktree began with.
    """
    noted = _every(project.around.environ)
    away = {name: note for name, note in noted.items() if note.kind == UNAVAILABLE}
    if not away:
        return []
    used = {project.config.agent_command, *(one.command for one in project.config.agents)}
    names = set[str]()
    for worktree in project.repository.worktrees:
        found = runtime_notes.read(os.path.join(worktree.path, _USED)).get("notes")
        names |= {*map(str, found)} if isinstance(found, list) else set()
    return [note for name, note in away.items() if name in names or note.agent in used]


def write(environ: Mapping[str, str], note: AgentPause) -> None:
    """Note that an agent cannot work; of two limits the later end counts. Raises: NotWritable."""
    known = read(environ, note.agent)
    if known is not None and known.kind == note.kind == LIMITED and known.until > note.until:
        return
    said = note.said[:_MOST_SAID]
    runtime_notes.write(path(environ, note.agent), note._replace(said=said)._asdict())


def forget(environ: Mapping[str, str], agent: str, *, before: float) -> None:
    """Remove what was noted of an agent before it began to work well. Raises: NotWritable."""
    known = read(environ, agent)
    if known is not None and known.at < before:
        atomic_files.unlink(path(environ, agent))


def shown(agent: str) -> str:
    """Return the name of an agent: a preset, or the program of a command line."""
    words = agent.split()
    return os.path.basename(words[0]) if words else agent


def path(environ: Mapping[str, str], agent: str) -> str:
    """Return the file of an agent's note; its name tells nothing of keys."""
    account = sorted(
        (name, value) for name, value in environ.items() if name.endswith(_ACCOUNT) and value
    )
    said = json.dumps([agent, account]).encode()
    digest = digests.begin("sha256", said, len(said)).hexdigest()[:20]
    return os.path.join(_folder(environ), f"{digest}.yaml")


def _folder(environ: Mapping[str, str]) -> str:
    return user_state.folder(environ, "agents")


def _read(place: str) -> AgentPause | None:
    if not os.path.lexists(place):
        return None  # and no parser is loaded
    found = runtime_notes.read(place)
    until, at = found.get("until"), found.get("at")
    if not isinstance(until, (int, float)) or not isinstance(at, (int, float)):
        return None
    agent, kind, said = (str(found.get(name) or "") for name in ("agent", "kind", "said"))
    return AgentPause(agent, kind, said, heartbeat.seconds(until), heartbeat.seconds(at))
