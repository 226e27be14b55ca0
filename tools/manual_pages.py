"""The manual pages, made from the table of commands that help is made of.

PYTHONPATH=tools python -m manual_pages FOLDER
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from ralphgit import __version__
from ralphgit.cli.command_spec import Command, Param
from ralphgit.cli.command_table import COMMANDS, GLOBAL, GROUPS
from ralphgit.records import schemas, settings_template

EXITS = {
    "0": "done",
    "1": 'a valid "no": problems found, verification failed',
    "2": "wrong usage",
    "3": "nothing is ready: waiting for others, or all_done",
    "4": "remote or authentication unavailable",
    "5": "claim lost, or held by another",
    "6": "invalid record or graph",
    "7": "needs a person (blocked, untrusted)",
    "8": "a guard refused",
    "70": "a bug in ralphgit",
    "129, 130, 143": "the terminal was closed, interrupted, terminated",
}
FILES = {
    "task-graph.yaml": "The task graph; graph in ralph.toml may name other files.",
    "records/": "Evidence, audit and guidance; never edited by hand.",
    "ralph.toml": "Settings; ralphgit init writes one with every default.",
    ".ralph/": "This worktree's runtime state: packet.yaml, report.yaml, logs/. Never committed.",
}
#: Examples of the commands that people begin with.
EXAMPLES = {
    "claim": ("ralphgit claim T-1",),
    "complete": ("ralphgit complete", 'ralphgit complete --concern "no test on Windows"'),
    "block": ('ralphgit block --reason needs_context --question "Which port?"',),
    "reset": ('ralphgit reset T-1 --reason "its worker is gone"',),
    "next": ("ralphgit next --json", "ralphgit next --story S-1"),
    "add": ('ralphgit add --title "Say hello" --output hello.txt --write hello.txt',),
    "check": ("ralphgit check --base origin/main",),
    "run": ("ralphgit run --agent claude --land pr", "ralphgit run --once --agent scripted"),
    "init": ("ralphgit init --dry-run", "ralphgit init --skill .claude/skills"),
    "doctor": ("ralphgit doctor -v", "ralphgit doctor --fix"),
    "completion": (
        "ralphgit completion bash > ~/.local/share/bash-completion/completions/ralphgit",
    ),
}


def _variables() -> Iterator[tuple[str, str]]:
    """The environment variable of each setting, and what it sets."""
    for key, words in settings_template.described():
        yield f"RALPH_{key.upper().replace('.', '_')}", words


def pages() -> dict[str, str]:
    """Every page by its file name."""
    made = {"ralphgit.1": _program("ralphgit"), "git-ralph.1": _program("git-ralph")}
    for command in COMMANDS.values():
        made[f"ralphgit-{command.name}.1"] = _command(command)
    return made


# -- roff ----------------------------------------------------------------------------------


def _text(words: str) -> str:
    """Words as roff shows them: no character of theirs is a request or an escape."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    escaped = escaped.replace("'", "\\(aq").replace("~", "\\(ti").replace("^", "\\(ha")
    return "\n".join(
        f"\\&{line}" if line.startswith((".", "'")) else line for line in escaped.split("\n")
    )


def _filled(words: str) -> str:
    """A paragraph in lines of which each sentence begins one, as roff wants it."""
    lines = [
        line
        for sentence in words.replace(". ", ".\n").split("\n")
        for line in textwrap.wrap(sentence, 90, break_on_hyphens=False, break_long_words=False)
    ]
    return _text("\n".join(lines))


def _bold(words: str) -> str:
    return f"\\fB{_text(words)}\\fP"


def _head(name: str, says: str) -> str:
    title = name.upper().replace("-", "\\-")
    return (
        f'.TH "{title}" "1" "" "ralphgit {__version__}" "ralphgit manual"\n'
        f".SH NAME\n{_text(name)} \\- {_text(says.rstrip('.'))}\n"
    )


def _items(pairs: Iterator[tuple[str, str]]) -> str:
    return "".join(f".TP\n{term}\n{_filled(words)}\n" for term, words in pairs)


def _code(lines: tuple[str, ...]) -> str:
    return f".nf\n{_text(chr(10).join(lines))}\n.fi\n"


# -- what the pages have -------------------------------------------------------------------


def _option(param: Param) -> str:
    value = f" \\fI{_text(param.metavar)}\\fP" if param.metavar else ""
    return ", ".join(map(_bold, param.flags)) + value


def _explained(param: Param) -> str:
    choices = f" One of: {', '.join(param.choices)}." if param.choices else ""
    return f"{param.help}{' Required.' if param.required else ''}{choices}"


def _options(params: tuple[Param, ...]) -> str:
    return _items((_option(one), _explained(one)) for one in params if one.flags)


def _exit_status() -> str:
    return ".SH EXIT STATUS\n" + _items((_bold(code), f"{words}.") for code, words in EXITS.items())


def _command(command: Command) -> str:
    arguments = [one for one in command.params if not one.flags]
    usage = " ".join(["[\\fIoptions\\fP]", *(f"\\fI{_text(one.metavar)}\\fP" for one in arguments)])
    parts = [
        _head(f"ralphgit-{command.name}", command.help),
        f".SH SYNOPSIS\n{_bold(f'ralphgit {command.name}')} {usage}\n.br\n"
        f"{_bold(f'git ralph {command.name}')} {usage}\n",
        f".SH DESCRIPTION\n{_filled(command.help)}\n",
    ]
    if command.detail:
        parts.append(f".PP\n{_filled(command.detail)}\n")
    chosen = [one for one in arguments if one.choices]
    parts += [
        f".PP\n\\fI{_text(one.metavar)}\\fP is one of: {_text(', '.join(one.choices))}.\n"
        for one in chosen
    ]
    if options := _options(command.params):
        parts.append(f".SH OPTIONS\n{options}")
    for one in command.params:
        if one.listed is not None:
            # What happens to be installed here is no part of the page.
            built_in = [
                (_bold(each.name), each.help) for each in one.listed("") if not each.package
            ]
            parts.append(f".SH {one.metavar}S\n{_items(iter(built_in))}")
    parts.append(f".SH GLOBAL OPTIONS\n{_options(GLOBAL)}")
    parts.append(".SH OUTPUT\n" + _filled(
        "With --json one object on stdout, also for errors, with the keys schema_version, kind, "
        "ok, data, warnings and error."
    ) + "\n")  # fmt: skip
    if keys := _keys(command.name):
        parts.append(f".PP\nKeys of data: {_text(', '.join(keys))}.\n")
    parts.append(_exit_status())
    if examples := EXAMPLES.get(command.name):
        parts.append(f".SH EXAMPLES\n{_code(examples)}")
    parts.append(f".SH SEE ALSO\n{_bold('ralphgit')}(1)\n")
    return "".join(parts)


def _keys(command: str) -> list[str]:
    """The keys of `data` that the output's schema names for a command."""
    schema = json.loads(schemas.read("output"))
    found: dict[str, None] = {}
    for rule in schema["allOf"]:
        kinds = rule["if"]["properties"].get("kind", {})
        if command in kinds.get("enum", [kinds.get("const")]):
            data = rule["then"].get("properties", {}).get("data", {})
            found.update(dict.fromkeys(_properties(schema, data)))
    return [*found]


def _properties(schema: dict[str, Any], rule: dict[str, Any]) -> Iterator[str]:
    if "$ref" in rule:
        yield from _properties(schema, schema["$defs"][rule["$ref"].rpartition("/")[2]])
    yield from rule.get("properties", {})
    for other in (*rule.get("anyOf", ()), *rule.get("oneOf", ())):
        yield from _properties(schema, other)


def _program(name: str) -> str:
    typed = name.replace("-", " ")
    parts = [
        _head(name, "a git-native record store for coding agents that work in parallel"),
        f".SH SYNOPSIS\n{_bold(typed)} [\\fIoptions\\fP] \\fICOMMAND\\fP [\\fIarguments\\fP]\n",
        ".SH DESCRIPTION\n",
        _filled(
            "The task graph, the evidence and the audit are YAML in the repository. A worker "
            "claims a task by committing the claim together with the work; when two claim the "
            "same task, the second to merge gets a merge conflict: git is the arbiter. "
            "ralphgit and git ralph are the same program."
        ),
        "\n.SH COMMANDS\n",
    ]
    for group in GROUPS:
        parts.append(f".SS {group.capitalize()}\n")
        parts.append(_items(
            (f"{_bold(f'ralphgit-{one.name}')}(1)", one.help)
            for one in COMMANDS.values() if one.group == group
        ))  # fmt: skip
    parts += [
        f".SH OPTIONS\n{_options(GLOBAL)}",
        _exit_status(),
        ".SH ENVIRONMENT\n",
        _items((_bold(name), words) for name, words in _variables()),
        _items(iter([(_bold("NO_COLOR, FORCE_COLOR"), "No colour; colour also off a terminal.")])),
        ".SH FILES\n",
        _items((f"\\fI{_text(path)}\\fP", words) for path, words in FILES.items()),
        ".SH EXAMPLES\n",
        _code(("ralphgit init", "ralphgit add --title \"Say hello\"", "ralphgit worktree new alpha",
               "ralphgit claim", "ralphgit complete")),
        f".SH SEE ALSO\n{_bold('git')}(1), {_bold('just')}(1)\n",
    ]  # fmt: skip
    return "".join(parts)


def main(folder: str) -> None:
    """Write every page into `folder`, and remove pages of commands that are gone."""
    made = pages()
    for name in os.listdir(folder):
        if name.endswith(".1") and name not in made:
            os.unlink(os.path.join(folder, name))
    for name, text in made.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main(sys.argv[1])
