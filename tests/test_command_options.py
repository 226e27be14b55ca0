"""The table of commands and what each command declares to take: two statements of one thing."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple, get_args, get_type_hints

import pytest

from ralphgit.cli import click_application, command_call, fast_argv
from ralphgit.cli.command_spec import Param
from ralphgit.cli.command_table import COMMANDS, module_of
from ralphgit.errors import UsageError

NOTHING = object()


class Field(NamedTuple):
    name: str
    type: Any
    default: object


def declared(options: Any) -> Iterator[Field]:
    """The fields of a command's `Options`, those of a group in it as its own."""
    for name, type_ in get_type_hints(options).items():
        default = options._field_defaults.get(name, NOTHING)
        if hasattr(default, "_fields"):
            yield from declared(type(default))
        else:
            yield Field(name, type_, default)


def misfit(param: Param, field: Field) -> str:
    """Why the field cannot hold what the parameter gives, or its absence; "" where it can."""
    kind = "many" if param.kind in ("rest", "any") else param.kind
    usual = {"flag": bool, "int": int, "many": tuple[str, ...]}.get(kind, str)
    fits = [usual, usual | None] if kind != "flag" else [usual]
    if param.parse is not None:
        parsed: Any = get_type_hints(param.parse)["return"]
        fits += [tuple[parsed, ...]] if kind == "many" else [parsed, parsed | None]
    if field.type not in fits:
        return f"{field.name} is a {field.type}"
    needed = param.required or (not param.flags and param.kind in ("text", "rest"))
    if needed:
        return "" if field.default is NOTHING else f"{field.name} is never absent"
    if kind == "flag":
        absent: tuple[object, ...] = (param.unsets,)
    elif type(None) in get_args(field.type):
        absent = (None,)
    else:
        absent = {"int": (0,), "many": ((),)}.get(kind, ("", "-", *param.choices))
    return "" if field.default in absent else f"{field.name} is {field.default!r} when absent"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_declares_what_the_table_says_it_takes(name: str) -> None:
    options = import_module(module_of(name)).Options
    fields = list(declared(options))
    by_name = {field.name: field for field in fields}
    assert len(by_name) == len(fields), "two groups have a field of one name"
    params = {param.field or param.name: param for param in COMMANDS[name].params}
    assert len(params) == len(COMMANDS[name].params), "two parameters fill one field"
    wanted = {field: param for field, param in params.items() if not param.setting}
    assert by_name.keys() == wanted.keys()
    assert [why for field, p in wanted.items() if (why := misfit(p, by_name[field]))] == []


def test_what_does_not_fit_is_found() -> None:
    """The means of the test above."""
    number = Param("limit", ("--limit",), "", "int")
    assert misfit(number, Field("limit", int | None, None)) == ""
    assert misfit(number, Field("limit", str, "")) != ""
    assert misfit(number, Field("limit", int | None, 3)) != ""
    assert misfit(number._replace(required=True), Field("limit", int, 0)) != ""
    off = Param("no_push", ("--no-push",), "", field="push", unsets=True)
    assert misfit(off, Field("push", bool, True)) == ""
    assert misfit(off, Field("push", bool, False)) != ""


def typed(*words: str) -> Any:
    line = fast_argv.read(words)
    assert line is not None
    module = import_module(module_of(line.command))
    return command_call.options(COMMANDS[line.command], module.Options, line.options)


def test_words_become_typed_options() -> None:
    claim = typed("claim", "T-1", "--priority", "0", "--no-fetch", "--worker", "alpha")
    assert (claim.task, claim.priority, claim.fetch, claim.story) == ("T-1", {0}, False, "")
    add = typed("add", "--title", "New", "--output", "a", "--output", "b", "--after", "T-1")
    assert (add.after, add.fields.title, add.fields.outputs) == ("T-1", "New", ("a", "b"))
    assert (add.fields.verify, add.fields.priority) == (None, None)
    assert typed("import", "a", "b").files == ("a", "b")
    assert typed("resolve", "--yield", "T-1").yields == ("T-1",)


def test_a_setting_on_the_line_is_a_setting() -> None:
    given = {"task": "T-1", "worker": "alpha", "require_remote": True, "json": True}
    found = command_call.settings(COMMANDS["claim"], given)
    assert found == {"worker": "alpha", "require_remote": True}


@pytest.mark.parametrize("line", [("show", "a b"), ("evidence", "list", "T-1", "../x"),
                                  ("run", "--task", "T-1.lock")])  # fmt: skip
def test_what_is_no_id_is_refused(line: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as refused:
        typed(*line)
    assert refused.value.code == "bad_id"


def test_an_option_of_another_action_is_refused() -> None:
    for line, said in (
        (("evidence", "list", "--rerun"), "--rerun cannot be combined with evidence list"),
        (("evidence", "list", "--worker", "a"), "--worker cannot be combined with evidence list"),
        (("fleet", "status", "w1"), "NAME cannot be combined with fleet status"),
        (("batch", "run", "--limit", "1"), "--limit cannot be combined with batch run"),
    ):
        with pytest.raises(UsageError) as refused:
            typed(*line)
        assert (str(refused.value), refused.value.hint) == (said, f"ralphgit {line[0]} --help")


def test_every_action_takes_what_names_it() -> None:
    for command in COMMANDS.values():
        known = next((p.choices for p in command.params if p.name == "action"), ())
        for param in command.params:
            assert set(param.actions) <= set(known), (command.name, param.name)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_fits_one_screen(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """32 lines of 80 columns; and every value is named."""
    monkeypatch.setenv("COLUMNS", "80")
    assert click_application.read([command, "--help"], "ralphgit") == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert len(lines) <= 32, shown
    assert max(map(len, lines)) <= 80
    assert "x>=0" not in shown
    words = " ".join(shown.split()).replace("- ", "-")
    for param in COMMANDS[command].params:
        assert [value for value in param.choices if value not in words] == []
