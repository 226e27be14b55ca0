"""Offer commands as tools for agents: which, with which options, and a call's command line.

All of it is made from the table of commands, so a tool takes what its command takes and says what
its help says. Who may do what is decided here, and in `docs/mcp.md` for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.cli.command_spec import Command, Param
from ralphgit.cli.command_table import COMMANDS
from ralphgit.errors import UsageError
from ralphgit.mcp.tool_description import Tool

#: They only look, whatever is asked of them; `fetch` is withheld.
_LOOK = (
    *("status", "list", "show", "next", "prompt", "graph", "packet", "log", "inbox"),
    *("preflight", "independence", "check", "diff"),
)
#: What a worker does with a task of its own.
_WORK = ("claim", "complete", "block", "release", "resolve")


class _Looking(NamedTuple):
    """The part of a command of several actions that only looks."""

    actions: tuple[str, ...]
    options: frozenset[str]


_PARTLY = {
    "evidence": _Looking(("list", "verify"), frozenset({"tasks", "at", "stale"})),
    "audit": _Looking(("list",), frozenset({"tasks", "at", "open"})),
}
#: Options that no tool has unless a person allows the command.
_WITHHELD = frozenset({
    # Passing a guard, or accepting a changed contract or a concern, is for a person who answers.
    "force", "accept_contract", "accept_concerns",
    # The user who starts the server says who the agent is, and what is here; a review has to be
    # another's.
    "worker", "by", "provides",
    # The network: tools that look leave everything as it is, and claim fetches by itself.
    "fetch", "no_fetch", "require_remote",
    # The data are the same without them.
    "format", "ready",
})  # fmt: skip
#: Commands that no agent is ever offered, with the reason.
_NEVER = {
    "trust": "consent to a repository's commands is a person's to give",
    "completion": "it is for shells",
    "mcp": "it is this server",
    "board": "it needs a terminal",
}
#: They may run the repository's verify commands, once a person trusts those.
_RUN = frozenset({"complete", "evidence", "run", "fleet", "batch", "integrate", "land"})
#: They go on until they are stopped.
_ENDLESS = frozenset({"follow", "wake", "every"})

#: What several tools take; said once, in the instructions, and not in each tool's schema.
_SAID_ONCE = ("story", "priority", "at", "stack", "limit", "all")

_WHAT = "ralphgit: tasks in git, shared by parallel workers. "
_HOW = (
    "claim takes the next task, brings this worktree onto the base and returns the packet; "
    "work; complete with land=auto runs the checks, commits and lands; claim again. No scope: any "
    "file the task needs. Stuck: block with a question, claim another; once answered, claim takes "
    "it up again. exit 3 waiting: claim with wait; all_done: stop. 5: another has it, "
    "claim another. 7: a person is needed; after claim, stop. 8: do as the hint says. Never edit "
    "records or tasks by hand, push, merge or rebase. "
)
_ANSWERS = (
    "Answers are JSON: data, or error with a hint; left_off counts entries cut from a long one."
)


class Offer(NamedTuple):
    tools: tuple[Tool, ...]
    instructions: str
    """Sent once, when an agent connects."""


def offer(*, allow: Sequence[str] = (), read_only: bool = False) -> Offer:
    """Return the tools and instructions for an agent, in the order of the table.

    Raises: UsageError for a command that does not exist or is never offered.
    """
    for name in allow:
        if name not in COMMANDS:
            raise UsageError(f"there is no command {name}", hint="ralphgit --help")
        if name in _NEVER:
            raise UsageError(f"{name} is never offered: {_NEVER[name]}", hint="ralphgit mcp --list")
    if allow and read_only:
        raise UsageError("--allow and --read-only cannot be combined", hint="use one of them")
    usual = {*_LOOK, *_PARTLY} if read_only else {*_LOOK, *_PARTLY, *_WORK}
    params = {
        name: _params(command, whole=name in allow, read_only=read_only)
        for name, command in COMMANDS.items()
        if name in usual or name in allow
    }
    tools = tuple(
        _tool(COMMANDS[name], of, looks=read_only or (name in _LOOK and name not in allow))
        for name, of in params.items()
    )
    # The first one has the text of `cli.shared_options`; others may name an action as well.
    once: dict[str, str] = {}
    for param in (param for of in params.values() for param in of):
        if param.name in _SAID_ONCE:
            once.setdefault(param.name, param.help)
    shared = "".join(f" {name}: {text}" for name, text in once.items())
    return Offer(tools, f"{_WHAT}{'' if read_only else _HOW}{_ANSWERS}{shared}")


def _params(command: Command, *, whole: bool, read_only: bool) -> tuple[Param, ...]:
    """What the tool takes of what the command takes."""
    kept = [param for param in command.params if param.name not in _ENDLESS]
    if not whole:
        kept = [param for param in kept if param.name not in _WITHHELD]
    part = _PARTLY.get(command.name)
    if read_only and part is not None:
        kept = [
            param._replace(choices=part.actions) if param.name == "action" else param
            for param in kept
            if param.name == "action" or param.name in part.options
        ]
    return tuple(kept)


def _tool(command: Command, params: Sequence[Param], *, looks: bool) -> Tool:
    schema: dict[str, object] = {"type": "object"}
    if params:
        schema["properties"] = {param.name: _schema(param) for param in params}
    if required := [param.name for param in params if _required(param)]:
        schema["required"] = required

    def words(arguments: Mapping[str, object]) -> list[str]:
        return _words(command.name, params, arguments)

    return Tool(
        command.name, command.help, schema, words, looks=looks,
        runs=command.name in _RUN and not looks,
        destroys=command.name not in (*_LOOK, *_PARTLY, *_WORK)
        or any(param.name == "force" for param in params),
    )  # fmt: skip


def _required(param: Param) -> bool:
    return param.required or (not param.flags and param.kind in ("text", "rest"))


def _schema(param: Param) -> dict[str, object]:
    schema: dict[str, object]
    if param.choices:
        # The words speak for themselves; Gemini takes no enum without its type.
        return {"type": "string", "enum": list(param.choices)}
    if param.kind in ("many", "rest", "any"):
        schema = {"type": "array", "items": {"type": "string"}}
    else:
        schema = {"type": {"flag": "boolean", "int": "integer"}.get(param.kind, "string")}
    if param.help and param.name not in _SAID_ONCE:
        schema["description"] = param.help.replace("; repeatable", "")
    return schema


# -- from arguments to words -------------------------------------------------------------------


def _words(verb: str, params: Sequence[Param], arguments: Mapping[str, object]) -> list[str]:
    """The command line, in which no value can become an option.

    Raises: UsageError for an argument that the tool does not take, or of another type.
    """
    names = [param.name for param in params]
    if unknown := [name for name in arguments if name not in names]:
        takes = f"it takes {', '.join(names)}" if names else "it takes none"
        raise UsageError(f"{verb} has no argument {unknown[0]!r}", hint=takes)
    options: list[str] = []
    behind: list[str] = []
    for param in params:
        value = arguments.get(param.name)
        if value is None:  # what models write for "not given"
            if _required(param):
                raise UsageError(f"{verb} needs {param.name}", hint=_wanted(param))
            continue
        told = _CHECKS[param.kind](value)
        if told is None or (param.choices and told[0] not in param.choices):
            raise UsageError(
                f"{param.name} of {verb} is {_wanted(param)}", hint=f"ralphgit {verb} --help"
            )
        if not param.flags:
            behind += told
        elif param.kind != "flag":
            flag = param.flags[-1]
            options += [f"{flag}={word}" if flag.startswith("--") else flag + word for word in told]
        elif value:
            options.append(param.flags[-1])
    return [verb, *options, "--", *behind]


def _text(value: object) -> list[str] | None:
    """A value as words; None for what no command line can hold."""
    if not isinstance(value, str) or "\0" in value:
        return None
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return None
    return [value]


def _texts(value: object) -> list[str] | None:
    if not isinstance(value, list):
        return None
    words = [word for one in value for word in _text(one) or ()]
    return words if len(words) == len(value) else None


def _whole(value: object) -> list[str] | None:
    ok = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**18
    return [str(value)] if ok else None


def _flag(value: object) -> list[str] | None:
    return [str(value)] if isinstance(value, bool) else None


_CHECKS: dict[str, Callable[[object], list[str] | None]] = {
    "text": _text, "optional": _text, "int": _whole, "flag": _flag,
    "many": _texts, "rest": _texts, "any": _texts,
}  # fmt: skip


def _wanted(param: Param) -> str:
    if param.choices:
        return f"one of {', '.join(param.choices)}"
    return {
        "flag": "true or false", "int": "a whole number, 0 or more",
        "many": "a list of texts", "any": "a list of texts", "rest": "a list of texts",
    }.get(param.kind, "text")  # fmt: skip
