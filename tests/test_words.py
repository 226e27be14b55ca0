"""The command line: the fast reader and click agree, and every command can be asked about."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import slow
from hypothesis import event, given
from hypothesis import strategies as st
from world import ROOT, World

from ralphgit.cli import click_application, fast_argv
from ralphgit.cli.command_spec import Param
from ralphgit.cli.command_table import COMMANDS, GLOBAL, GROUPS, module_of

# -- two readers -------------------------------------------------------------------------

_TEXTS = st.sampled_from(
    ["", "x", "T-1", "-", "--", "-x", "--json", "a b", "=", "a=b", "ä", "0", "list", "-C", "\t"]
)
_NUMBERS = st.sampled_from(["0", "1", "5", "007", "-1", "+1", "1_0", "1.5", "", "x", "٣", "9" * 30])


def _value(param: Param) -> st.SearchStrategy[str]:
    if param.choices:
        return st.sampled_from([*param.choices, param.choices[0].upper(), ""])
    return _NUMBERS if param.kind == "int" else _TEXTS


@st.composite
def _spelled(draw: st.DrawFn, param: Param) -> list[str]:
    """An option or an argument in one of its spellings, a wrong one now and then."""
    if not param.flags:
        return draw(st.lists(_value(param), max_size=2))
    flag = draw(st.sampled_from(param.flags))
    if param.kind == "flag":
        return [draw(st.sampled_from([flag, flag, flag, f"{flag}=x", f"{flag}x"]))]
    value = draw(_value(param))
    forms = [[flag, value], [flag, value], [f"{flag}={value}"], [f"{flag}{value}"], [flag]]
    return draw(st.sampled_from(forms))


_STRAY = st.sampled_from(["-z", "--unknown", "--js", "-qv", "extra", "--help", "-h", "--version"])


@st.composite
def _lines(draw: st.DrawFn) -> list[str]:
    """A command line, more often right than wrong."""
    name = draw(st.sampled_from([*COMMANDS, "nothing"]))
    params = COMMANDS[name].params if name in COMMANDS else ()
    before = [word for p in draw(_some(GLOBAL)) for word in draw(_spelled(p))]
    optional = ("optional", "any")
    needed = [p for p in params if p.required or (not p.flags and p.kind not in optional)]
    chosen = [*draw(_some((*params, *GLOBAL))), *(draw(st.just(needed)) if needed else [])]
    after = [word for p in draw(st.permutations(chosen)) for word in draw(_spelled(p))]
    line = [*before, name, *after]
    if draw(st.integers(0, 4)) == 0:
        line.insert(draw(st.integers(0, len(line))), draw(_STRAY))
    return line


def _some(params: tuple[Param, ...]) -> st.SearchStrategy[list[Param]]:
    return st.lists(st.sampled_from(params), max_size=3) if params else st.just([])


@pytest.mark.slow
@given(_lines())
@slow.examples(300)
def test_the_fast_reader_declines_or_agrees_with_click(line: list[str]) -> None:
    quick = fast_argv.read(line)
    event("declined" if quick is None else f"read {quick.command}")
    if quick is not None:
        assert click_application.read(line, "ralphgit") == quick


@given(_lines().map(lambda line: ["-qv", *line]))
@slow.examples(100)
def test_click_alone_reads_the_same_as_with_the_fast_reader(line: list[str]) -> None:
    """`-qv` is a spelling that only click knows: the rest must mean what it always does."""
    assert fast_argv.read(line) is None
    quick = fast_argv.read(["-q", "-v", *line[1:]])
    if quick is not None:
        assert click_application.read(line, "ralphgit") == quick


@pytest.mark.parametrize("command", COMMANDS)
def test_the_usual_spellings_need_no_click(command: str) -> None:
    """Help and errors are click's; what is typed every day is read without it."""
    line = ["-C", ".", "--json", command]
    for param in COMMANDS[command].params:
        value = "text"
        if param.choices or param.kind == "int" or param.alone:
            value = param.choices[0] if param.choices else "3"
        if not param.flags:
            line.append(value)
        elif param.kind == "flag":
            line.append(param.flags[0])
        else:
            line += [param.flags[0], value]
    found = fast_argv.read(line)
    assert found is not None
    assert set(found.options) == {"directory", "json", *(p.name for p in COMMANDS[command].params)}


def test_zero_is_a_value() -> None:
    edit = ["edit", "T-1", "--priority", "0"]
    for line in (edit, ["next", "--limit=0"], ["-qv", "next", "--limit=0"]):
        found = fast_argv.read(line) or click_application.read(line, "ralphgit")
        assert isinstance(found, fast_argv.Line)
        assert 0 in [v for v in found.options.values() if not isinstance(v, bool)]


def test_an_option_that_may_stand_alone() -> None:
    """`complete --land`, `--land merge`: both readers see where its value is a word of its own."""
    given = [
        ("--land", "auto", ""), ("--land T-1", "auto", "T-1"), ("--land merge", "merge", ""),
        ("--land=pr", "pr", ""), ("--land merge T-1", "merge", "T-1"),
        ("T-1 --land", "auto", "T-1"),
        ("--land --json", "auto", ""), ("--land -- merge", "auto", "merge"),
    ]  # fmt: skip
    for line, land, task in given:
        words = ["complete", *line.split()]
        quick = fast_argv.read(words)
        assert quick is not None and quick == click_application.read(words, "ralphgit")
        assert (quick.options["land"], quick.options.get("task", "")) == (land, task)
    behind = click_application.read(["-qv", "complete", "-m", "--land", "--land"], "ralphgit")
    assert isinstance(behind, fast_argv.Line)
    assert (behind.options["message"], behind.options["land"]) == ("--land", "auto")


# -- the table ---------------------------------------------------------------------------


def test_every_command_has_a_module_a_group_and_a_line_of_help() -> None:
    for name, command in COMMANDS.items():
        assert (ROOT / f"{module_of(name).replace('.', '/')}.py").is_file()
        assert command.group in GROUPS
        assert command.help.endswith((".", "?"))
        for param in command.params:
            assert not param.flags or param.help.endswith(".")


def test_no_option_means_two_things() -> None:
    for command in COMMANDS.values():
        flags = [flag for param in (*command.params, *GLOBAL) for flag in param.flags]
        names = [param.name for param in (*command.params, *GLOBAL)]
        assert len(flags) == len(set(flags)), command.name
        assert len(names) == len(set(names)), command.name


# -- the program -------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph("version: 1\ntasks:\n  - {id: T-1, title: Ä, status: pending}\n")
    made.commit("The graph")
    return made


def test_help_lists_every_command(world: World) -> None:
    for line in (("--help",), ("-h",)):
        found = world.ralph(*line)
        assert (found.code, found.err) == (0, "")
        assert found.out.startswith("Usage: ralphgit [OPTIONS] COMMAND [ARGS]...\n")
        for command in COMMANDS.values():
            assert f"\n  {command.name} " in found.out
    nothing = world.ralph()
    assert (nothing.code, nothing.out, nothing.err) == (2, "", found.out)


def test_help_of_every_command(world: World) -> None:
    """In one process: click reads the table anew for each."""
    for name, command in COMMANDS.items():
        shown = click_application.program("ralphgit").commands[name]
        found = shown.get_help(shown.make_context(name, [], resilient_parsing=True))
        assert command.help.split(".")[0] in " ".join(found.split())
        for param in command.params:
            assert all(flag in found for flag in param.flags)
    for line in (("claim", "--help"), ("reset", "-h"), ("import", "--help")):
        told = world.ralph(*line)
        assert (told.code, told.err) == (0, "")
        assert told.out.startswith(f"Usage: ralphgit {line[0]} ")


def test_the_version(world: World) -> None:
    found = world.ralph("--version")
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("ralphgit ")
    assert found.out.count("\n") == 1
    told = world.ralph("--version", "--json").json
    assert (told["kind"], told["data"]) == ("version", {"version": found.out.split()[1]})
    for line in (("--json", "--help"), ("next", "--json", "--help")):
        told = world.ralph(*line).json
        assert (told["kind"], told["data"]["text"][:15]) == ("help", "Usage: ralphgit")


WRONG = [
    (("--nothing",), "ralphgit"),
    (("nothing",), "nothing"),
    (("list", "--nothing"), "list"),
    (("list", "extra"), "list"),
    (("list", "--state", "odd"), "list"),
    (("next", "--limit", "many"), "next"),
    (("next", "--limit", "-1"), "next"),
    (("next", "--limit", "9" * 5000), "next"),
    (("next", "--limit"), "next"),
    (("show",), "show"),
    (("show", "T-1", "T-2"), "show"),
    (("reset",), "reset"),
    (("list", "--json=yes"), "list"),
    (("-C",), "ralphgit"),
    (("-C", ".", "list", "--nothing"), "list"),
    (("list", "--nothing", "-C", "."), "list"),
    (("import",), "import"),
    (("completion", "tcsh"), "completion"),
    (("completion",), "completion"),
    (("complete", "--land=odd"), "complete"),
    (("complete", "--land="), "complete"),
]


@pytest.mark.parametrize(("line", "verb"), WRONG, ids=lambda value: str(value)[:40])
def test_wrong_usage(world: World, line: tuple[str, ...], verb: str) -> None:
    found = world.ralph(*line)
    assert (found.code, found.out) == (2, "")
    error, hint = found.err.splitlines()
    assert error.startswith("error: ")
    assert hint == f"hint: ralphgit {verb + ' ' if verb in COMMANDS else ''}--help"
    told = world.ralph("--json", *line)
    assert (told.code, told.err) == (2, "")
    assert told.json["kind"] == verb
    assert (told.json["ok"], told.json["data"]) == (False, None)
    assert (told.json["error"]["code"], told.json["error"]["exit"]) == ("usage", 2)


def as_one_object(out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(out)
    assert out.count("\n") == 1
    return found


ERRORS = [
    (("show", "T-9"), 2, "unknown_task"),
    (("show", "a b"), 2, "bad_id"),
    (("list", "--at", "nowhere"), 2, "bad_revision"),
    (("next", "--story", "S-9"), 3, "all_done"),
    (("complete",), 8, "not_claimed"),
    (("-C", "/nowhere", "list"), 2, "not_a_repository"),
    (("list", "--unknown"), 2, "usage"),
    (("unknown",), 2, "usage"),
]


@pytest.mark.parametrize(("line", "code", "error"), ERRORS, ids=lambda value: str(value)[:40])
def test_an_error_is_one_object_of_the_schema(
    world: World, line: tuple[str, ...], code: int, error: str
) -> None:
    found = world.ralph(*line, "--json")
    assert (found.code, found.err) == (code, "")
    told = as_one_object(found.out)
    assert list(told) == ["schema_version", "kind", "ok", "data", "warnings", "error"]
    assert told["error"]["code"] == error
    validator().validate(told)


def validator() -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    schema = json.loads((ROOT / "schemas" / "output.schema.json").read_text(encoding="utf-8"))
    empty: Registry[Any] = Registry()
    return Draft202012Validator(schema, registry=empty)


def test_global_options_stand_before_and_after_the_verb(world: World) -> None:
    elsewhere = world.folder
    place = str(world.path)
    wanted = world.ralph("list", "--json").json
    for line in (
        ("-C", place, "--json", "list"),
        ("--json", "list", "-C", place),
        ("list", "-C", place, "--json"),
        (f"-C{place}", "list", "--json"),
        ("-qv", "-C", place, "list", "--json"),
        ("-C", "/nowhere", "list", "--json", "-C", place),
    ):
        found = world.run("env", "-C", str(elsewhere), *_program(), *line)
        assert (found.code, found.err) == (0, "")
        assert found.json == wanted


def _program() -> tuple[str, ...]:
    import sys

    return (sys.executable, "-m", "ralphgit")


def test_quiet_says_results_and_errors_only(world: World) -> None:
    assert world.ralph("claim", "T-1").err == ""
    again = world.ralph("claim", "T-1")
    assert again.err.startswith("warning: ")
    result, *_, advice = again.out.splitlines()
    assert advice.startswith("Next: ")
    assert world.ralph("claim", "T-1", "-q") == world.ralph("-q", "claim", "T-1") == (
        0, f"{result}\n", "",
    )  # fmt: skip
    loud, quiet = (world.ralph("claim", "T-1", "--json", *q) for q in ((), ("-q",)))
    assert loud == quiet
    assert world.ralph("show", "T-9", "-q").err.startswith("error: ")


def test_quiet_gives_no_advice(world: World) -> None:
    """The result alone: what is printed can be read by a script, line by line."""
    for line, result in (
        (("init",), r"(?:(?:created|changed|kept)  +\S.*\n)+"),
        (("add", "--title", "New"), r"T-\d+ added in task-graph\.yaml:\d+: New\n"),
        (("edit", "T-2", "--title", "Old"), r"T-2 changed in task-graph\.yaml:\d+: Old\n"),
        (("claim", "T-1"), r"proj has T-1: .+\n"),
        (("release", "T-1"), r"T-1 is given back: commit [0-9a-f]{12}\n"),
        (("worktree", "new", "beta"), r"Made \S+ on the new branch \S+, from main \(\w+\)\.\n"),
    ):
        found = world.ralph(*line, "-q")
        assert (found.code, found.err) == (0, ""), found
        assert re.fullmatch(result, found.out), found.out


SUGGESTIONS = [
    (("status", "--bogus"), "No such option '--bogus'."),
    (("status", "--fetsh"), "No such option '--fetsh'. Did you mean '--fetch'?"),
    (("claim", "--nofetch"), "No such option '--nofetch'. Did you mean '--no-fetch'?"),
    (("completion",), "Missing argument 'SHELL'. Choose from: bash, zsh, fish"),
]


@pytest.mark.parametrize("line", [("claim", "T-1"), ("complete",)])
def test_force_without_a_reason_is_wrong_usage(world: World, line: tuple[str, ...]) -> None:
    for none in ("", " "):
        found = world.ralph(*line, "--force", none)
        assert (found.code, found.out) == (2, "")
        assert "--force takes a reason, and there is none" in found.err


def test_a_way_to_land_that_there_is_not_is_told(world: World) -> None:
    found = world.ralph("complete", "--land", "bogus")
    assert found.code == 2
    assert "what --land takes: auto, merge, pr" in found.err


@pytest.mark.parametrize(("line", "said"), SUGGESTIONS, ids=[line[-1] for line, _ in SUGGESTIONS])
def test_what_is_suggested_looks_like_the_word(
    world: World, line: tuple[str, ...], said: str
) -> None:
    assert world.ralph(*line) == (
        2, "", f"error: {said}\nhint: ralphgit {line[0]} --help\n",
    )  # fmt: skip


# -- colour ------------------------------------------------------------------------------


def coloured(world: World, *line: str, **env: str) -> bool:
    found = world.ralph(*line, env=env)
    assert found.code == 2
    return "\x1b" in found.err


def test_colour_is_asked_for_or_for_a_terminal(world: World) -> None:
    wrong = ("show", "T-9")
    assert not coloured(world, *wrong)
    assert coloured(world, *wrong, FORCE_COLOR="1")
    assert not coloured(world, *wrong, FORCE_COLOR="")
    assert not coloured(world, *wrong, FORCE_COLOR="1", NO_COLOR="1")
    assert coloured(world, *wrong, FORCE_COLOR="1", NO_COLOR="")
    assert not coloured(world, *wrong, "--no-color", FORCE_COLOR="1")
    assert not coloured(world, "--no-color", *wrong, FORCE_COLOR="1")
    # Also where click explains.
    assert coloured(world, "list", "--unknown", FORCE_COLOR="1")
    assert not coloured(world, "list", "--unknown", "--no-color", FORCE_COLOR="1")


def test_colour_that_is_asked_for_is_also_in_what_is_piped(world: World) -> None:
    plain = world.ralph("list").out
    assert "\tready\t" in plain
    forced = world.ralph("list", env={"FORCE_COLOR": "1"}).out
    assert "\t\x1b[32mready\x1b[0m\t" in forced
    assert re.sub("\x1b\\[[0-9]+m", "", forced) == plain
    assert world.ralph("list", "--no-color", env={"FORCE_COLOR": "1"}).out == plain


def on_a_terminal(world: World, *line: str, **env: str) -> bytes:
    """What the command writes when its output is a terminal."""
    import pty
    import subprocess

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*_program(), *line],
        cwd=world.path,
        env={**world.environ, "TERM": "xterm", **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:
        pass  # Linux says so when the other side has closed
    os.close(ours)
    process.wait()
    return seen


def test_a_terminal_gets_a_table_and_colour(world: World) -> None:
    plain = on_a_terminal(world, "list", NO_COLOR="1")
    assert b"ID" in plain and "Ä".encode() in plain
    assert b"\x1b[3" not in plain
    assert b"\x1b[32m" in on_a_terminal(world, "list")
    assert b"\x1b[3" not in on_a_terminal(world, "list", TERM="dumb")
    assert b"\x1b[31merror:" in on_a_terminal(world, "show", "T-9")
    assert world.ralph("list").out == "T-1\tready\t2\t-\tÄ\t\n"
