"""Define coding agents by name, and how to start any command as one, with the prompt on stdin.

A preset is the non-interactive command line that a tool documents, with the leave to change
files in the worktree that unattended work needs. An installed package adds its own under the
entry-point group `ralphgit.agents`; help, completion and the documents are made from the values,
and docs/extending.md has an example. Without a preset: `--agent "CMD ..."`.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ralphgit.app.processes import trust
from ralphgit.app.workspace import agent_pause, extensions
from ralphgit.app.workspace.project import Project
from ralphgit.errors import Refused, UsageError
from ralphgit.model.agent_profile import AgentProfile
from ralphgit.model.config import Config
from ralphgit.model.listed import Listed

#: The entry-point group in which a package names its presets.
GROUP = "ralphgit.agents"


#: In the words of a preset: the folders in which git keeps what the worktree shares with others,
#: and what is its own, as a JSON list. Codex protects either unless it is named (tried with 0.171).
GIT_FOLDERS = "{git_folders}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPreset:
    """A coding agent that `--agent NAME` starts."""

    name: str
    """As people call it, and `--agent` takes it: a word in small letters."""
    help: str
    """What it is, in one line."""
    words: tuple[str, ...]
    """The program and its arguments; the program reads the prompt on stdin. `GIT_FOLDERS` in them
    stands for where git keeps the worktree's data, for a tool whose sandbox protects that.
    """
    needs: str
    """What must be there before it can work, in a few words."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those that ralphgit was started with."""
    task_fields: Mapping[str, str] = field(default_factory=dict)
    """Variables that hold a field of the task as JSON: the variable, then the field."""


#: Sources: Claude Code "headless mode" (-p reads stdin, --permission-mode, --allowedTools), Codex
#: "non-interactive mode" (`exec -` reads stdin, --sandbox), Gemini CLI "headless mode" (stdin that
#: is no terminal, --approval-mode), opencode "run" (stdin is added to the message).
BUILT_IN: tuple[AgentPreset, ...] = (
    AgentPreset(
        name="claude",
        help="Claude Code.",
        words=(
            *("claude", "-p", "--permission-mode", "acceptEdits"),
            *("--allowedTools", "Bash,Edit,Glob,Grep,Read,Write"),
        ),
        needs="claude, logged in",
    ),
    AgentPreset(
        name="codex",
        help="Codex.",
        words=(
            *("codex", "exec", "--sandbox", "workspace-write"),
            *("-c", f"sandbox_workspace_write.writable_roots={GIT_FOLDERS}", "-"),
        ),
        needs="codex, logged in",
    ),
    AgentPreset(
        name="gemini",
        help="Gemini CLI.",
        words=("gemini", "--approval-mode", "yolo", "--skip-trust"),
        needs="gemini, logged in",
    ),
    AgentPreset(
        name="opencode",
        help="opencode.",
        words=("opencode", "run", "--auto"),
        needs="opencode, with a model chosen",
    ),
    AgentPreset(
        name="scripted",
        help="For trying out: it writes a task's outputs, or does what its x-script says.",
        words=(sys.executable, "-m", "ralphgit.loop.scripted_agent"),
        needs="nothing",
        task_fields={
            "RALPH_SCRIPT": "x-script",
            "RALPH_OUTPUTS": "outputs",
            "RALPH_SCOPE": "scope",
        },
    ),
)


class Command(NamedTuple):
    """What is started for a task."""

    words: tuple[str, ...]
    line: str
    """As it was configured: a preset's name or a command line."""
    environment: Mapping[str, str] = {}
    task_fields: Mapping[str, str] = {}
    profile: str = ""
    """The profile that it is of; "" for none."""
    timeout: float = 0.0
    """Seconds for each attempt; 0 is `agent.timeout`."""

    def limit(self, config: Config) -> float:
        """Return the seconds for each attempt."""
        return self.timeout or config.agent_timeout

    @property
    def name(self) -> str:
        """The preset, or the program's name: whose signs count."""
        return agent_pause.shown(self.line)


def started(command: Command, project: Project) -> list[str]:
    """Return the words of a command as they are started in the project's worktree."""
    repository = project.repository
    folders = dict.fromkeys(map(os.path.realpath, (repository.common_dir, repository.git_dir)))
    text = json.dumps(list(folders), ensure_ascii=False)
    return [word.replace(GIT_FOLDERS, text) for word in command.words]


def command(line: str, *, folder: str, warn: Callable[[str], None]) -> Command:
    """Return the command that a preset or a command line stands for, split as a shell does.

    Of presets that packages add, those in `folder` itself are passed over; `warn` hears of broken
    ones.

    Raises: UsageError; Refused (broken_extension).
    """
    for preset in BUILT_IN:
        if preset.name == line:
            return _started(preset)
    try:
        words = tuple(shlex.split(line))
    except ValueError as error:
        raise UsageError(f"--agent {line!r}: {error}", hint="quote it as for a shell") from None
    if not words:
        names = ", ".join(preset.name for preset in BUILT_IN)
        raise UsageError(
            "no agent is configured", code="no_agent",
            hint=f"--agent CMD, or one of {names}; or agent.command in ralph.toml",
        )  # fmt: skip
    if words == (line,) and extensions.is_name(line):
        for extension, preset in extensions.added(
            GROUP, AgentPreset, BUILT_IN, folder=folder, warn=warn
        ):
            if preset.name == line:
                _refuse_odd(extension, preset)
                return _started(preset)
    return Command(words, line)


def _started(preset: AgentPreset) -> Command:
    return Command(preset.words, preset.name, preset.environment, preset.task_fields)


def _refuse_odd(extension: extensions.Extension, preset: AgentPreset) -> None:
    """Raises: Refused (broken_extension) where a process could not be started with it."""
    words: list[object] = list(preset.words) if isinstance(preset.words, tuple) else [None]
    for pairs in (preset.environment, preset.task_fields):
        words += [*pairs, *pairs.values()] if isinstance(pairs, dict) else [None]
    whole = all(isinstance(word, str) and "\0" not in word for word in words)
    if not whole or not preset.words or not preset.words[0]:
        raise extensions.Broken(
            f"{extension} has words or variables that are not text",
            hint="name another agent, or report it to the package's authors",
        )


def listed(folder: str) -> list[Listed]:
    """List every preset with its help; broken packages are left out."""
    added = extensions.added(GROUP, AgentPreset, BUILT_IN, folder=folder, warn=lambda _: None)
    return [
        *(Listed(one.name, one.help) for one in BUILT_IN),
        *(Listed(one.name, one.help, extension.package) for extension, one in added),
    ]


def permitted(project: Project, agent: str) -> Command:
    """Return the command of `agent`, or of the settings, once it exists and may be run.

    What the repository names asks for consent, a preset and a prompt template, too.

    Raises: UsageError; NeedsPerson (untrusted); Refused (no_agent, broken_extension).
    """
    name = agent or project.config.agent_command
    profile = next((one for one in project.config.agents if one.name == name), None)
    if profile is not None:
        return of_profile(project, profile)
    found = command(name, folder=project.around.directory, warn=project.warn)
    if not agent:
        trust.require_agent(project)
    return _fit(project, found)


def of_profile(project: Project, profile: AgentProfile) -> Command:
    """Return the command of a profile, once it exists and may be run.

    Raises: as `permitted`.
    """
    if not profile.command:
        raise UsageError(
            f"the profile {profile.name} has no command", code="no_agent",
            hint=f"git config ralph.agents.{profile.name}.command CMD",
        )  # fmt: skip
    found = command(profile.command, folder=project.around.directory, warn=project.warn)
    trust.require_profile(project, profile)
    own = dict(one.split("=", 1) for one in profile.environment)
    return _fit(
        project,
        found._replace(
            environment={**found.environment, **own},
            profile=profile.name,
            timeout=profile.timeout,
        ),
    )


def _fit(project: Project, found: Command) -> Command:
    trust.require_prompt(project)
    _require(project, found)
    return found


def _require(project: Project, command: Command) -> None:
    """Check that the program exists, before a task is claimed for it.

    A program that is named by its path in the worktree may be on the base only.

    Raises: Refused (no_agent).
    """
    program = command.words[0]
    if os.sep in program and not os.path.isabs(program):
        here = os.path.join(project.repository.top or "", program)
        on_base = f"{project.base.commit}:{os.path.normpath(program)}"
        known = os.access(here, os.X_OK) or any(project.repository.objects.resolve([on_base]))
    else:
        known = bool(shutil.which(program, path=project.around.environ.get("PATH")))
    if not known:
        raise not_there(f"{program} cannot be started: there is no such program")


def not_there(why: str) -> Refused:
    return Refused(
        f"the agent {why}",
        code="no_agent", hint="install it, or name another one: --agent CMD",
    )  # fmt: skip
