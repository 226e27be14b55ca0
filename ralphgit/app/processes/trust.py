"""Record consent to run what a repository names, outside it and command by command (SPEC 5).

Asked for is what the repository itself names: verify commands, the settings of `ralph.toml` that
are run, the agent (a preset, too) and the prompt template. What the user names on the command
line, in the environment or in git's configuration is his own word, and asks for nothing.

The record is `ralphgit/trust/<digest of the repository's path>.yaml` below XDG_DATA_HOME
(`~/.local/share`): a digest for each command together with its environment policy. A command
that changed by one byte, or runs under another policy, asks again. Beside each digest stands
what it was of, so that the question can show what changed.
"""

import hashlib
import json
import os
import pwd
import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ralphgit.app.workspace import inside_loop
from ralphgit.app.workspace.graph_view import HERE, GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, NeedsPerson, NotWritable
from ralphgit.model import characters
from ralphgit.model.agent_profile import AgentProfile
from ralphgit.model.config import VIAS
from ralphgit.records import atomic_files, settings_file, yaml_reader, yaml_writer
from ralphgit.records import input_limits as texts

AGENT, COMMAND, PROMPT = "agent", "command", "prompt"
"""How something is run: as the coding agent, by sh, or as what the agent is told."""

#: The settings whose value sh runs.
_SHELL = ("integrate_verify", "worktree_setup", "notify_command", "land_via")


class Asked(NamedTuple):
    """Something that the repository wants to have run."""

    use: str
    """AGENT, COMMAND or PROMPT."""
    text: str
    """The command line, the agent's name, or the template's path."""
    of: str
    """What names it: `verify of T-1`, `agent.command`."""
    where: str
    """Where that is: `origin/main:ralph.toml:4`."""
    digest: str
    """What is consented to."""
    before: str = ""
    """What the last consent for the same was to, and how that differs; "" if there was none."""


class Consent(NamedTuple):
    """What a repository wants to have run, by whether somebody has agreed to it."""

    trusted: tuple[Asked, ...]
    untrusted: tuple[Asked, ...]


def consent(project: Project) -> Consent:
    """Every verify command on the base and in this worktree, and what the settings name."""
    record = _record(project)
    known = {entry["digest"] for entry in record}
    asked = {one.digest: one for one in reversed([*_by_settings(project), *_by_tasks(project)])}
    found = [*reversed(asked.values())]
    new = [one for one in found if one.digest not in known]
    return Consent(
        tuple(one for one in found if one.digest in known),
        tuple(_compared(project, new, [e for e in record if e["digest"] not in asked])),
    )


def _compared(
    project: Project, new: Sequence[Asked], gone: Sequence[Mapping[str, str]]
) -> Iterable[Asked]:
    """Each of `new` with what it takes the place of: of the same, the newest that is gone."""
    left = [*gone]
    for one in new:
        same = [entry for entry in left if entry["of"] == one.of]
        last = next(
            (e for e in reversed(same) if e["text"] == one.text), same[-1] if same else None
        )
        if last is None:
            yield one
            continue
        left.remove(last)
        if last["text"] != one.text:
            before = last["text"]
        elif one.use == PROMPT:
            before = f"what git show {last['detail']} shows"
        else:
            before = f"the same with verify.env = {last['detail']}"
        yield one._replace(before=before)


def _by_tasks(project: Project) -> Iterable[Asked]:
    views: list[GraphView] = []
    if project.base.commit:
        views.append(project.base_view)
    if project.repository.top is not None:
        views.append(project.here)
    seen: set[str] = set()
    contents: dict[tuple[str, str], str] = {}
    for view in views:
        for row in view.rows:
            commands = view.task(row.id).verify if '"verify"' in row.json else ()
            for command in commands:
                if command in seen:
                    continue
                seen.add(command)
                key = (view.label, row.file)
                content = contents[key] = contents.get(key) or view.content(row.file)
                line = row.line + _line_in(content[row.start : row.end], command)
                prefix = "" if view.label == HERE else f"{view.label}:"
                where = f"{prefix}{row.file}:{line}"
                digest = _digest(project, COMMAND, command)
                yield Asked(COMMAND, command, f"verify of {row.id}", where, digest)


def _line_in(block: str, command: str) -> int:
    """On which line of a task's block, from 0, its verify command stands, or else the list."""
    lines = block.split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip(" -").startswith("verify:")), 0)
    return next((n for n in range(first, len(lines)) if command in lines[n]), first)


def _by_settings(project: Project) -> Iterable[Asked]:
    config = project.config
    if config.agent_command and not project.set_by_user("agent_command"):
        digest = _digest(project, AGENT, config.agent_command)
        where = _where(project, "agent_command")
        yield Asked(AGENT, config.agent_command, "agent.command", where, digest)
    for profile in config.agents:
        if (line := _of_profile(project, profile)) is not None:
            name = f"agents.{profile.name}.command"
            yield Asked(AGENT, line, name, _where(project, name), _digest(project, AGENT, line))
    if (prompt := _prompt(project)) is not None:
        yield prompt
    for name in _SHELL:
        text: str = getattr(config, name)
        if text and not (name == "land_via" and text in VIAS) and not project.set_by_user(name):
            where = _where(project, name)
            yield Asked(
                COMMAND, text, name.replace("_", "."), where, _digest(project, COMMAND, text)
            )


def _of_profile(project: Project, profile: AgentProfile) -> str | None:
    """What the repository has run for a profile, with the variables that it sets; None for
    nothing.
    """
    setting = f"agents.{profile.name}."
    variables = () if project.set_by_user(f"{setting}environment") else profile.environment
    if not profile.command or (project.set_by_user(f"{setting}command") and not variables):
        return None
    return " ".join((*map(shlex.quote, variables), profile.command))


def _prompt(project: Project) -> Asked | None:
    """The prompt template, by its content on the base; None where there is none."""
    path = project.config.agent_prompt
    content = project.repository.objects.resolve([f"{project.base.commit}:{path}"])[0]
    if not path or content is None or project.set_by_user("agent_prompt"):
        return None
    where = f"{project.base.label}:{path}:1"
    return Asked(PROMPT, path, "agent.prompt", where, _digest(project, PROMPT, content))


def _where(project: Project, name: str) -> str:
    objects, base = project.repository.objects, project.base
    oid = objects.resolve([f"{base.commit}:{settings_file.FILE}"])[0] if base.commit else None
    if oid and (line := settings_file.line_of(objects.read([oid])[oid], name)):
        return f"{base.label}:{settings_file.FILE}:{line}"
    here = project.settings_here
    return f"{settings_file.FILE}:{settings_file.line_of(here, name) or 1}" if here else ""


def verify_commands(project: Project) -> list[str]:
    """Those of the tasks that are still to be done, as the base has them."""
    view = project.base_view
    rows = [row for row in view.rows if row.status not in ("complete", "cancelled")]
    found = [
        command for row in rows if '"verify"' in row.json for command in view.task(row.id).verify
    ]
    return list(dict.fromkeys(found))


def require(project: Project, commands: Sequence[str]) -> None:
    """Refuse to run, by sh, what the repository names and nobody has agreed to.

    Raises: NeedsPerson unless the user trusts, or himself names, every one of `commands`.
    """
    if not commands:
        return
    known = _known(project)
    own = {getattr(project.config, name) for name in _SHELL if project.set_by_user(name)}
    missing = [
        command
        for command in commands
        if command not in own and _digest(project, COMMAND, command) not in known
    ]
    _refuse(project, missing)


def require_agent(project: Project) -> None:
    """Refuse an agent, or a prompt template, that the repository names and nobody has agreed to.

    Raises: NeedsPerson.
    """
    config = project.config
    if not project.set_by_user("agent_command"):
        digest = _digest(project, AGENT, config.agent_command)
        _refuse(project, [] if digest in _known(project) else [config.agent_command])


def require_profile(project: Project, profile: AgentProfile) -> None:
    """Refuse the command of a profile that the repository names and nobody has agreed to.

    Raises: NeedsPerson.
    """
    text = _of_profile(project, profile)
    if text is not None and _digest(project, AGENT, text) not in _known(project):
        _refuse(project, [text])


def require_prompt(project: Project) -> None:
    """Refuse a prompt template that the repository names and nobody has agreed to.

    Raises: NeedsPerson.
    """
    prompt = _prompt(project) if project.config.agent_prompt else None
    if prompt is not None and prompt.digest not in _known(project):
        _refuse(project, [prompt.text])


def _refuse(project: Project, missing: Sequence[str]) -> None:
    """Raises: NeedsPerson (untrusted) where something is missing."""
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise NeedsPerson(
            f"nobody has agreed yet to run what this repository names: {missing[0]}{more}",
            code="untrusted",
            hint=ask_a_person(project),
            details={"commands": [*missing]},
        )


def ask_a_person(project: Project) -> str:
    """Return the hint of a refusal: what a person does, or that a worker has to ask one."""
    if project.around.person and not inside_loop.claimed(project):
        return "ralphgit trust"
    return "ask a person, and stop until one at a terminal has read it and agreed"


def refuse_worker(project: Project) -> None:
    """Raises: GuardRefused (worker_consents) inside a loop."""
    inside_loop.refuse(project, "trust")


def grant(project: Project, asked: Iterable[Asked]) -> None:
    """Remember consent to `asked`, beside what was trusted before.

    Raises: GuardRefused (worker_consents) for a worker of a loop; NotWritable.
    """
    refuse_worker(project)
    entries = {entry["digest"]: entry for entry in _record(project)}
    for one in asked:
        entries.pop(one.digest, None)
        detail = _policy(project) if one.use == COMMAND else ""
        if one.use == PROMPT:
            spec = f"{project.base.commit}:{one.text}"
            detail = project.repository.objects.resolve([spec])[0] or ""
        entries[one.digest] = {
            "digest": one.digest, "of": one.of, "text": one.text, "detail": detail,
        }  # fmt: skip
    record = {
        "version": 2, "repository": project.repository.common_dir, "commands": [*entries.values()]
    }  # fmt: skip
    path = _path(project)
    atomic_files.write(path, yaml_writer.mapping(characters.values_without(record)).encode())


def revoke(project: Project) -> None:
    """Forget all consent for this repository.

    Raises: GuardRefused (worker_consents), NotWritable.
    """
    inside_loop.refuse(project, "trust")
    try:
        os.unlink(_path(project))
    except FileNotFoundError:
        return
    except OSError as error:
        raise NotWritable(f"cannot remove {_path(project)}: {error.strerror}") from error


def _policy(project: Project) -> str:
    return " ".join(sorted(project.config.verify_env))


def _digest(project: Project, use: str, text: str) -> str:
    policy = _policy(project) if use == COMMAND else ""
    return hashlib.sha256(json.dumps(["run 2", use, policy, text]).encode()).hexdigest()


def _path(project: Project) -> str:
    environ = project.around.environ
    home = environ.get("XDG_DATA_HOME") or os.path.join(
        environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir, ".local", "share"
    )
    where = os.path.realpath(project.repository.common_dir)
    name = hashlib.sha256(where.encode("utf-8", "surrogateescape")).hexdigest()[:20]
    return os.path.join(home, "ralphgit", "trust", f"{name}.yaml")


def _known(project: Project) -> set[str]:
    return {entry["digest"] for entry in _record(project)}


_KEYS = ("digest", "of", "text", "detail")


def _record(project: Project) -> list[dict[str, str]]:
    """What was agreed to, the oldest first; what an older version stored is asked anew."""
    data = atomic_files.read(_path(project))
    if data is None:
        return []
    try:
        return [*_entries(data)]
    except InvalidRecord as error:
        raise error.at(_path(project)) from None


@lru_cache(maxsize=1)  # a loop asks for each task
def _entries(data: bytes) -> Sequence[dict[str, str]]:
    value: Any = yaml_reader.load(texts.decode(data, limit=16 * 1024 * 1024))
    entries = value.get("commands") if isinstance(value, dict) else None
    return [
        {key: str(entry.get(key, "")) for key in _KEYS}
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    ]
