"""Find the coding agent of a name, and start any command as one, with the prompt on stdin.

A preset (`presets`) is the non-interactive command line that a tool documents, with the leave to
change files in the worktree that unattended work needs. An installed package adds its own under
the entry-point group `ralphgit.agents`; help, completion and the documents are made from the
values. Without a preset: `--agent "CMD ..."`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ralphgit.app.processes import trust
from ralphgit.app.workspace import agent_pause, extensions
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NeedsPerson, UsageError
from ralphgit.loop.presets import BUILT_IN, AgentPreset
from ralphgit.loop.presets.preset import (
    GIT_FOLDERS,
    PROMPT,
    Did,
    Ended,
    Erred,
    Event,
    Reading,
    Said,
    Seen,
    Used,
)
from ralphgit.model.agent_profile import AgentProfile
from ralphgit.model.config import Config
from ralphgit.model.listed import Listed

#: The entry-point group in which a package names its presets.
GROUP = "ralphgit.agents"
_ODD = "name another agent, or report it to the package's authors"
#: What starts a line that needs a shell; what only a shell understands, outside of quotes and in
#: double ones; and the programs whose own such quotes are: theirs is what the quotes keep.
_SHELL = ("/bin/sh", "-c")
_QUOTED = re.compile(r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_SYNTAX = re.compile(r"[|&;<>()$`]")
_EXPANDED = re.compile(r"^\"(?:\\.|[^\\$`])*(?:\$[\w({]|`)", re.DOTALL)
_SHELLS = ("sh", "bash", "dash", "ksh", "zsh", "fish")
#: What is read of such a line to know which quotes a place is in, and what ends what was opened.
_PLACE = re.compile(f"{re.escape(PROMPT)}|{re.escape(GIT_FOLDERS)}")
_TOKEN = re.compile(rf"{_PLACE.pattern}|\\.|\$\(|.", re.DOTALL)
_OPENS = ("'", '"', "(", "$(", "`")
_CLOSED_BY = {"'": "'", '"': '"', "(": ")", "$(": ")", "`": "`"}


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

    reading: Reading = Reading()

    def limit(self, config: Config) -> float:
        """Return the seconds for each attempt."""
        return self.timeout or config.agent_timeout

    @property
    def read_as_line(self) -> str:
        """The words, and the values of its variables, as one shell line."""
        return shlex.join((*self.words, *self.environment.values()))

    @property
    def name(self) -> str:
        """The preset, or the program's name: whose signs count."""
        return agent_pause.shown(self.line)


def started(command: Command, project: Project, prompt: str) -> list[str]:
    """Return the words of a command as they are started in the project's worktree, with the file
    that has the prompt.
    """
    repository = project.repository
    folders = dict.fromkeys(map(os.path.realpath, (repository.common_dir, repository.git_dir)))
    text = json.dumps(list(folders), ensure_ascii=False)
    values = {GIT_FOLDERS: text, PROMPT: prompt}
    if command.words == (*_SHELL, command.line):
        return [*_SHELL, _filled(command.line, values)]
    return [_PLACE.sub(lambda found: values[found.group()], word) for word in command.words]


def _filled(line: str, values: Mapping[str, str]) -> str:
    """Put values into a shell line so that the shell reads each as it is, in whatever quotes its
    place is, and also in a `$(...)` in quotes.
    """
    opened: list[str] = []
    done = []
    for found in _TOKEN.finditer(line):
        token = found.group()
        inside = opened[-1] if opened else ""
        if token in values:
            done.append(_quoted(values[token], inside, nested="`" in opened))
            continue
        done.append(token)
        if inside == "'":
            if token.endswith("'"):  # also behind a backslash, which is none here
                opened.pop()
        elif token == _CLOSED_BY.get(inside):
            opened.pop()
        elif token in _OPENS and not (inside == '"' and token in ("'", "(")):
            opened.append(token)
    return "".join(done)


def _quoted(value: str, inside: str, *, nested: bool) -> str:
    if inside == '"':
        word = re.sub(r'([\\"$`])', r"\\\1", value)
    else:
        word = shlex.quote(value)
        word = f"'{word}'" if inside == "'" else word
    return re.sub(r"([\\$`])", r"\\\1", word) if nested else word


def command(line: str, *, folder: str, warn: Callable[[str], None]) -> Command:
    """Return the command that a preset or a command line stands for: split as a shell does, or
    given to one where only a shell understands it.

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
                return _guarded(extension, _started(preset))
    if _needs_shell(line, words):
        return Command((*_SHELL, line), line)
    # A line of your own for a tool that is known: its events are read where it prints them.
    known = (one.reading for one in BUILT_IN if one.name == os.path.basename(words[0]))
    return Command(words, line, reading=next(known, Reading()))


def _needs_shell(line: str, words: tuple[str, ...]) -> bool:
    if _SYNTAX.search(_QUOTED.sub("", line)):
        return True
    if any(os.path.basename(word) in _SHELLS for word in words):
        return False
    return any(_EXPANDED.match(found.group()) for found in _QUOTED.finditer(line))


def _started(preset: AgentPreset) -> Command:
    return Command(
        preset.words,
        preset.name,
        preset.environment,
        preset.task_fields,
        reading=preset.reading,
    )


def _refuse_odd(extension: extensions.Extension, preset: AgentPreset) -> None:
    """Raises: Refused (broken_extension) where a process could not be started with it."""
    words: list[object] = list(preset.words) if isinstance(preset.words, tuple) else [None]
    for pairs in (preset.environment, preset.task_fields):
        words += [*pairs, *pairs.values()] if isinstance(pairs, dict) else [None]
    whole = all(isinstance(word, str) and "\0" not in word for word in words)
    if not whole or not preset.words or not preset.words[0]:
        raise extensions.Broken(f"{extension} has words or variables that are not text", hint=_ODD)
    if not (preset.read is None or callable(preset.read)) or not isinstance(preset.errors, str):
        raise extensions.Broken(f"{extension} has no function as its reader", hint=_ODD)


def _guarded(extension: extensions.Extension, command: Command) -> Command:
    """`command` whose reader fails with an error of ours that names the package."""
    read, errors = command.reading
    if read is None:
        return command

    def guarded(event: Event) -> list[Seen]:
        try:
            seen = list(read(event))
        except (Exception, SystemExit) as error:
            why = extensions.cause(error)
            raise extensions.Broken(f"{extension} cannot read: {why}", hint=_ODD) from error
        if not all(isinstance(one, (Said, Did, Erred, Used, Ended)) for one in seen):
            raise extensions.Broken(f"{extension} reads what is no event", hint=_ODD)
        return seen

    return command._replace(reading=Reading(guarded, errors))


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

    Raises: UsageError; NeedsPerson (untrusted, no_agent); Refused (broken_extension).
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
            hint=f"git config {shlex.quote(f'ralph.agents.{profile.name}.command')} CMD",
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

    Raises: NeedsPerson (no_agent).
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


def not_there(why: str) -> NeedsPerson:
    return NeedsPerson(
        f"the agent {why}",
        code="no_agent", hint="install it, or name another one: --agent CMD",
    )  # fmt: skip
