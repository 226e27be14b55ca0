"""Try an agent: is it installed and logged in, can it write in a worktree and run a command?"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.processes import run_program
from ralphgit.app.workspace.project import Project
from ralphgit.app.worktrees.proving_worktree import Ground
from ralphgit.errors import NeedsPerson
from ralphgit.git import work_done
from ralphgit.loop import agent_command, agent_process, attempt
from ralphgit.loop.agent_command import Command
from ralphgit.loop.agent_log import AgentLog
from ralphgit.loop.loop_options import Say
from ralphgit.loop.presets import BUILT_IN
from ralphgit.model.task import Usage
from ralphgit.model.usage import in_words, total
from ralphgit.records import atomic_files
from ralphgit.records.redact_secrets import secrets_in
from ralphgit.rules.agent_outcome import Limited, Outcome, Silent, Unavailable, Worked

#: So long a program may take to say its version, and an agent to answer.
_VERSION_S, _ANSWER_S = 60.0, 300.0
#: Without a word for so long it does not answer.
_SILENCE_S = 120.0
_WORD = "Answer with the one word: ready. Use no tool, and do nothing else.\n"
_WORK = (
    "This is a trial in a folder that is thrown away. Do just these two things with your tools:\n"
    "1. Write the word written into the file written.txt in this folder.\n"
    "2. Run this shell command in this folder: echo ran > ran.txt\n"
)


class Check(NamedTuple):
    """One thing that an agent has to be able to do."""

    name: str
    ok: bool
    said: str
    hint: str = ""
    """What to do where it is not."""


class Trial(NamedTuple):
    agent: str
    checks: tuple[Check, ...]
    """Those that were made: what cannot be without an earlier one is left out."""
    usage: Usage

    @property
    def fits(self) -> bool:
        return all(check.ok for check in self.checks)


def trial(project: Project, agent: str, say: Say) -> Trial:
    """Try the agent, in a worktree that is thrown away. `say` hears what it costs before.

    Raises: UsageError; NeedsPerson (untrusted); Refused (broken_extension, setup_failed).
    """
    try:
        command = agent_command.permitted(project, agent)
    except NeedsPerson as error:
        if error.code != "no_agent":
            raise
        return Trial(agent, (Check("installed", False, error.message, error.hint),), Usage())
    checks = [_installed(project, command), _version(project, command)]
    if command.task_fields:
        fields = ", ".join(command.task_fields.values())
        said = f"it is not asked: it does what a task says in {fields}, whatever the prompt"
        return Trial(command.name, (*checks, Check("answers", True, said)), Usage())
    say(
        f"asking {command.name} for one word, then for two small files: some ten thousand tokens, "
        "which cost what your account says"
    )
    used: list[Usage] = []
    with Ground(project, failing=f"{command.name} was not tried") as ground:
        top = ground.at(project.base.commit)
        for check in _answers(project, command, top, used):
            checks.append(check)
    return Trial(command.name, tuple(checks), total(used))


def _installed(project: Project, command: Command) -> Check:
    import shutil

    path = shutil.which(command.words[0], path=project.around.environ.get("PATH"))
    return Check("installed", True, path or command.words[0])


def _version(project: Project, command: Command) -> Check:
    printed = bytearray()
    ended = run_program.run(
        [command.words[0], "--version"], top=project.top, environ=project.around.environ,
        timeout=_VERSION_S, hear=printed.extend,
    )  # fmt: skip
    text = printed.decode("utf-8", "replace")
    found = re.search(r"\d+\.\d+(?:\.\d+)?", text)
    if ended.code or found is None:
        return Check("version", True, "it does not say")
    tried = next((one.tried for one in BUILT_IN if one.name == command.name), "")
    known = f", and the preset was tried with {tried}" if tried not in ("", found[0]) else ""
    return Check("version", True, f"{found[0]}{known}")


def _answers(project: Project, command: Command, top: str, used: list[Usage]) -> Iterator[Check]:
    """Ask it, and add to `used` what that took."""
    outcome, usage = _asked(project, command, top, _WORD)
    used.append(usage)
    hint = _hint(command, outcome)
    yield Check("answers", not hint, in_words(usage) if not hint else _said(outcome), hint)
    if hint:
        return
    outcome, usage = _asked(project, command, top, _WORK)
    used.append(usage)
    preset = next((one for one in BUILT_IN if one.name == command.name), None)
    bounds = f"it may not {preset.may_not}" if preset is not None and preset.may_not else ""
    for name, file, what in (
        ("writes here", "written.txt", "leave to change files"),
        ("runs commands", "ran.txt", "leave to run commands"),
    ):
        ok = os.path.isfile(os.path.join(top, file))
        said = "" if ok else f"there is no {file}; {_said(outcome) or 'it said that it is done'}"
        more = f" ({bounds})" if bounds else ""
        yield Check(name, ok, said, "" if ok else f"give it {what}{more}: --agent CMD")


def _said(outcome: Outcome) -> str:
    match outcome:
        case Limited(said=said) | Unavailable(said=said):
            return said
        case Silent(seconds):
            return f"no word for {seconds:.0f} s"
        case Worked(code):
            return f"exit code {code}" if code else ""
    return f"no end within {_ANSWER_S:.0f} s"


def _hint(command: Command, outcome: Outcome) -> str:
    """What to do for an agent that does not answer; "" for one that does."""
    match outcome:
        case Worked(0):
            return ""
        case Limited():
            return f"wait until its limit ends, or give it another account: {command.words[0]}"
    return f"start {command.words[0]} by hand here, log in, and choose a model"


def _asked(project: Project, command: Command, top: str, text: str) -> tuple[Outcome, Usage]:
    """Have the agent answer a prompt in the folder `top`."""
    folder = os.path.join(top, ".ralph")
    prompt, path = os.path.join(top, attempt.PROMPT), os.path.join(folder, "doctor.log")
    os.makedirs(folder, exist_ok=True)
    atomic_files.write(prompt, text.encode(), durable=False, follow=False)
    environ = agent_process.environment(
        {**project.around.environ, **command.environment},
        task="doctor", claim="doctor", worker=project.worker, packet="", report="",
    )  # fmt: skip
    environ["RALPH_PROMPT"] = prompt
    git, config = project.repository.git.at(top), project.config
    ended = agent_process.run(
        agent_command.started(command, project, prompt), top=top, prompt=prompt, environ=environ,
        log=AgentLog(
            path, limit=config.log_bytes, secrets=secrets_in(environ), reading=command.reading,
            top=top,
        ),
        timeout=_ANSWER_S, stop=lambda: "",
        silence=agent_process.Silence(
            min(_SILENCE_S, config.agent_silence), lambda: work_done.snapshot(git, top)
        ),
    )  # fmt: skip
    return attempt.how_ended(project, command, ended, False, environ), ended.usage
