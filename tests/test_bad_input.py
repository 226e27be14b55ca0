"""Whatever is wrong outside, each command says so in one sentence, and changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import slow
from world import PATIENCE, Place, Result, World

from ralphgit.cli.command_table import COMMANDS
from ralphgit.model.config import Config, key_of
from ralphgit.records import settings_template

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Grüße aus Köln
    status: pending
    verify:
      - test -s a.txt
  - id: T-2
    title: Second
    status: pending
    depends_on: [T-1]
"""
OTHER = "version: 1\ntasks:\n  - id: T-7\n    title: Seven\n    status: pending\n"

#: How each command is called here.
LINES: dict[str, tuple[str, ...]] = {
    "status": (),
    "list": (),
    "show": ("T-1",),
    "next": (),
    "prompt": (),
    "graph": (),
    "inbox": (),
    "wait": ("--timeout", "0"),
    "claim": ("T-1",),
    "complete": ("T-1",),
    "block": ("T-1", "--reason", "other"),
    "release": ("T-1",),
    "reset": ("T-1", "--reason", "gone"),
    "revert": ("T-1", "--reason", "a mistake"),
    "reply": ("T-1", "Yes"),
    "add": ("--title", "New"),
    "edit": ("T-1", "--title", "New"),
    "preflight": (),
    "run": ("--agent", "true", "--once"),
    "worker": ("nowhere.git", "--max-tasks", "0"),
    "stop": (),
    "logs": (),
    "worktree": ("list",),
    "fleet": ("up", "-n", "1", "--agent", "true"),
    "batch": ("plan",),
    "packet": ("T-1",),
    "log": (),
    "evidence": ("list",),
    "audit": ("list",),
    "reconcile": ("HEAD",),
    "integrate": ("HEAD", "--dry-run"),
    "land": ("HEAD", "--dry-run"),
    "independence": (),
    "check": (),
    "diff": (),
    "resolve": (),
    "report": ("-",),
    "init": (),
    "import": ("other.yaml",),
    "export": (),
    "shard": ("--layout", "task"),
    "archive": ("T-1",),
    "rebase-paths": ("src", "lib"),
    "rescue": ("list",),
    "trust": ("--yes",),
    "doctor": (),
    "completion": ("bash",),
    "mcp": ("--list",),
}
#: Commands that only show something.
LOOKS = (
    *("status", "list", "show", "next", "prompt", "graph", "inbox"),
    *("preflight", "worktree", "batch", "packet", "log", "independence"),
    *("evidence", "audit", "check", "diff", "report", "doctor", "export", "mcp", "rescue"),
)
OK, NO, USAGE, RECORD, GUARD = 0, 1, 2, 6, 8


def test_every_command_is_tried() -> None:
    """A new command is tried like all others once it stands in LINES."""
    assert set(LINES) | {"board"} == set(COMMANDS)  # that one needs a terminal: test_board


def one_message(found: Result) -> None:
    """A refusal is one `error:` line, its details, and one hint at most."""
    assert found.code not in (70, 0), found
    lines = found.err.splitlines()
    kinds = [line.partition(":")[0] for line in lines if not line.startswith("  ")]
    assert kinds.count("error") == 1, found.err
    assert kinds.count("hint") <= 1, found.err
    assert set(kinds) <= {"error", "hint", "warning"}, found.err
    assert "Traceback" not in found.out + found.err


def tried(
    place: Place,
    wanted: dict[str, int],
    *,
    snapshot: Callable[[], object],
    env: dict[str, str] | None = None,
    lines: dict[str, tuple[str, ...]] = LINES,
) -> None:
    """Each command ends as `wanted` says; where it is refused, nothing has changed.

    A command that is not named in `wanted` ends as "" does. Ones that may write are not
    run where they would succeed: the next one is to find the same.
    """
    before = snapshot()
    for command, line in lines.items():
        # A worker works in a clone of its own: nothing here is of interest to it.
        code = wanted.get(command, USAGE if command == "worker" else wanted[""])
        if code == OK and command not in LOOKS:
            continue
        found = place.ralph(command, *line, env=env)
        assert found.code == code, (command, found)
        if code:
            one_message(found)
        else:
            assert "error" not in found.err, (command, found)
        assert snapshot() == before, f"{command} has changed something"
    # As an object: one, and the same answer.
    code = wanted.get("claim", wanted[""])
    if code:
        told = place.ralph("claim", *lines["claim"], "--json", env=env)
        assert (told.code, told.err) == (code, "")
        assert told.json["error"]["exit"] == code


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.write("other.yaml", OTHER)
    made.commit("The graph")
    return made


# -- repositories ------------------------------------------------------------------------


def test_no_repository(tmp_path: Path) -> None:
    world = World(tmp_path)
    place = Place(tmp_path / "none", world.environ)
    place.path.mkdir()
    wanted = {"": USAGE, "completion": OK, "mcp": OK}
    tried(place, wanted, snapshot=world.snapshot)
    assert place.ralph("list") == (
        2, "", f"error: {place.path} is not in a git repository\nhint: git init\n",
    )  # fmt: skip
    assert world.ralph("-C", "/nowhere/at/all", "list").code == USAGE
    assert world.ralph("-C", str(world.write("file", "")), "list").code == USAGE


#: These look for a loop and its log, whatever the graph is.
LOOPLESS = {"stop": GUARD, "logs": GUARD}
NO_GRAPH = {
    "": RECORD, "doctor": NO, "init": OK, "import": OK, "trust": OK, "completion": OK, "mcp": OK,
    "resolve": OK, "rescue": OK, **LOOPLESS,
}  # fmt: skip


def test_no_commit_and_no_graph(tmp_path: Path) -> None:
    world = World(tmp_path)
    base = ("status", "next", "prompt", "inbox", "claim", "complete", "block", "release", "reset")
    more = (
        *("reply", "preflight", "worktree", "fleet", "run", "reconcile", "integrate", "land"),
        *("independence", "batch", "diff", "report", "resolve", "wait", "archive", "revert"),
    )
    wanted = {**NO_GRAPH, **dict.fromkeys((*base, *more), GUARD)}
    tried(world, wanted, snapshot=world.snapshot)


def test_no_commit_yet(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    here = (
        *("list", "show", "graph", "add", "edit", "packet", "log", "evidence", "audit", "check"),
        *("init", "import", "export", "shard", "trust", "rescue", "rebase-paths"),
    )
    wanted = {"": GUARD, **dict.fromkeys(here, OK), "doctor": NO, "completion": OK, "mcp": OK}
    tried(world, wanted, snapshot=world.snapshot)
    assert world.ralph("claim") == (
        8,
        "",
        "error: the repository has no commit on its base branch yet\n"
        "hint: git add -A && git commit -m 'First commit'\n",
    )


def test_no_graph(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit()
    tried(world, NO_GRAPH, snapshot=world.snapshot)


@pytest.mark.parametrize(
    "text",
    ["tasks: [\n", GRAPH + "    title: Third\n", "<<<<<<< HEAD\n" + GRAPH, "", GRAPH + "\0"],
    ids=["syntax", "duplicate", "conflict", "empty", "binary"],
)
def test_a_broken_graph(tmp_path: Path, text: str) -> None:
    world = World(tmp_path)
    world.write_graph(text)
    world.write("other.yaml", OTHER)
    world.commit("Broken")
    wanted = {"": RECORD, **dict.fromkeys(("check", "doctor"), NO), **LOOPLESS}
    wanted |= dict.fromkeys(("init", "completion", "mcp", "resolve", "diff", "rescue"), OK)
    some = LINES if text.startswith("tasks") else {v: LINES[v] for v in ("list", "claim", "add")}
    tried(world, wanted, snapshot=world.snapshot, lines=some)
    assert world.ralph("list").err.startswith("error: task-graph.yaml:")
    assert world.ralph("next").err.startswith("error: main:task-graph.yaml:")


def test_broken_settings(world: World) -> None:
    settings = {
        'lease = "local': "error: ralph.toml:1:",
        "lese = 1": "error: ralph.toml:1:1: unknown setting lese\n",
        "records = 3": "error: ralph.toml: records is 3, and should be text\n",
        "\0": "error: ralph.toml:1:1: not TOML",
        "graph = ['a/[']": "error: ralph.toml:1:10: graph is 'a/[', which is no pattern: '[' is",
        "lease = 'local'\ngraph = [": "error: ralph.toml:2:10: not TOML: ",
    }
    for text, message in settings.items():
        world.write("ralph.toml", text + "\n")
        for command in ("list", "claim", "check", "init"):
            found = world.ralph(command)
            one_message(found)
            assert found.code in (USAGE, RECORD)
            assert found.err.startswith(message), found.err
    (world.path / "ralph.toml").unlink()
    found = world.ralph("list", env={"RALPH_LEASE": "sometimes"})
    assert (found.code, found.out) == (USAGE, "")
    one_message(found)


def test_a_setting_is_named_as_it_is_spelled_where_it_was_made(world: World) -> None:
    wanted = " is 'x', and should be a positive number\n"
    said = world.ralph("list", env={"RALPH_LOOP_BACKOFF": "x"})
    assert said.err.startswith(f"error: the environment: RALPH_LOOP_BACKOFF{wanted}")
    assert "hint: set RALPH_LOOP_BACKOFF there to " in said.err
    world.git("config", "ralph.loop.backoff", "x")
    said = world.ralph("list")
    assert said.err.startswith(f"error: git config: ralph.loop.backoff{wanted}")
    world.git("config", "--unset", "ralph.loop.backoff")
    world.write("ralph.toml", "loop.backoff = 'x'\n")
    said = world.ralph("list")
    assert said.err.startswith(f"error: ralph.toml: loop.backoff{wanted}")


def test_every_setting_has_a_spelling() -> None:
    keys = {key for key, _ in settings_template.described() if not key.startswith("agents.")}
    assert keys == {key_of(name) for name in Config._fields if name != "agents"}


@pytest.mark.parametrize("name", ["{0}", "{}", "%s", "{"])
def test_a_remote_s_name_is_text(world: World, name: str) -> None:
    found = world.ralph("list", env={"RALPH_REMOTE": name})
    assert found.code in (OK, USAGE), found.err


def test_a_worktree_that_git_takes_for_another(world: World) -> None:
    alpha = world.worktree("alpha")
    world.write(".git/worktrees/proj-alpha/gitdir", "/nowhere/.git\n")
    found = alpha.ralph("logs")
    assert (found.code, found.out) == (USAGE, "")
    assert "hint: git worktree repair" in found.err


def test_files_that_are_folders_or_links(world: World) -> None:
    graph = world.path / "task-graph.yaml"
    graph.unlink()
    graph.mkdir()
    assert world.ralph("list").code == RECORD
    graph.rmdir()
    graph.symlink_to("nowhere.yaml")
    assert world.ralph("list").code == RECORD
    graph.unlink()
    graph.symlink_to("task-graph.yaml")
    for command in ("list", "add", "claim", "check"):
        one_message(world.ralph(command, *LINES[command]))
    graph.unlink()
    world.git("checkout", "--quiet", "task-graph.yaml")
    world.write("records", "not a folder\n")
    for command in ("claim", "check", "doctor"):
        found = world.ralph(command, *LINES[command])
        if found.code:
            one_message(found)
    assert world.ralph("claim", "T-1").code == NO
    assert world.git("status", "--porcelain") == "?? records"
    assert world.git("for-each-ref", "refs/ralph/leases") == ""


def test_pipes_and_sockets_are_no_graph_files(tmp_path: Path) -> None:
    """Nobody is at their other end: reading them would wait for ever."""
    world = World(tmp_path)
    world.write("ralph.toml", 'graph = ["graph/*.yaml"]\n')
    world.write_graph(GRAPH, "graph/real.yaml")
    world.commit()
    os.mkfifo(world.path / "graph" / "pipe.yaml")
    (world.path / "graph" / "link.yaml").symlink_to("pipe.yaml")
    for command in ("list", "check", "status", "next", "claim"):
        found = world.ralph(command, "--json")
        assert (found.code, found.error) == (OK, ""), found.out


def test_detached_head(world: World) -> None:
    world.git("checkout", "--quiet", "--detach")
    work = ("claim", "complete", "block", "release", "reset", "reply", "preflight")
    tried(world, {"": OK, **dict.fromkeys(work, GUARD)}, snapshot=world.snapshot)


HOOKS = {
    "lint failed": "git commit failed: lint failed\n",
    "one\ntwo": "git commit failed: exit 1\n  one\n  two\n",
    "one\nerror: two\nthree": "git commit failed: exit 1\n  one\n  error: two\n  three\n",
    "": "git commit failed: exit 1\n",
}


@pytest.mark.parametrize("said", HOOKS, ids=["a line", "lines", "an error", "nothing"])
def test_a_hook_that_refuses_the_commit(world: World, said: str) -> None:
    hook = world.write(".git/hooks/pre-commit", f"#!/bin/sh\nprintf %s '{said}' >&2\nexit 1\n")
    hook.chmod(0o755)
    world.claim("T-1")
    assert world.ralph("release", "T-1") == (
        1,
        "",
        f"error: {HOOKS[said]}"
        "hint: the message above is git's own, or a hook's that refused the commit\n",
    )


# -- words -------------------------------------------------------------------------------

WITH_ID = (
    *("show", "prompt", "claim", "complete", "block", "release", "reset", "reply"),
    *("edit", "preflight"),
)


@pytest.mark.parametrize("task", ["T-9", "t-1"])
def test_an_unknown_task(world: World, task: str) -> None:
    lines = {command: (task, *LINES[command][1:]) for command in WITH_ID}
    tried(world, {"": USAGE}, snapshot=world.snapshot, lines=lines)
    hint = "did you mean T-1?" if task == "t-1" else "ralphgit list"
    for command in WITH_ID:
        assert world.ralph(command, *lines[command]).err.endswith(f"\nhint: {hint}\n"), command


def test_a_task_in_progress_that_nobody_claimed(world: World) -> None:
    world.replace("status: pending\n    verify", "status: in-progress\n    verify")
    world.commit()
    assert world.ralph("claim", "T-1") == (
        5,
        "",
        "error: T-1 is held, and no record says by whom; if its worker is gone, reset it\n"
        'hint: ralphgit reset T-1 --reason "TEXT"\n',
    )
    assert world.ralph("reset", "T-1", "--reason", "nobody has it").code == OK
    world.claim("T-1")


@pytest.mark.parametrize("task", ["../x", ""])
def test_a_bad_id(world: World, task: str) -> None:
    lines = {command: (task, *LINES[command][1:]) for command in WITH_ID}
    tried(world, {"": USAGE}, snapshot=world.snapshot, lines=lines)


@pytest.mark.parametrize("task", ["a b", "a..b", "a.lock", "x" * 65, "ä", "\udcff", "a\nb", "*"])
def test_more_bad_ids(world: World, task: str) -> None:
    for command in ("show", "claim"):
        found = world.ralph(command, task, "--json")
        assert (found.code, found.error) == (USAGE, "bad_id")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (("add", "--title", ""), USAGE),
        (("add", "--title", "a\nb"), USAGE),
        (("add", "--title", "\udcff"), USAGE),
        (("add", "--title", "x", "--priority", "9"), USAGE),
        (("add", "--title", "x", "--file", "../../etc/passwd"), USAGE),
        (("add", "--title", "x", "--write", "../x"), USAGE),
        (("edit", "T-1"), USAGE),
        (("reply", "T-1", " "), USAGE),
        (("reply", "T-1", "\udcff"), USAGE),
        (("reply", "T-1", "Yes", "--by", "a\nb"), USAGE),
        (("claim", "T-1", "--worker", "a b"), USAGE),
        (("import", "nowhere.yaml"), USAGE),
        (("import", "."), USAGE),
        (("list", "--at", "--output=x"), USAGE),
        (("check", "--base", "-n"), USAGE),
        (("list", "--at", "HEAD:task-graph.yaml"), USAGE),
        (("check", "--base", "\udcff"), USAGE),
    ],
    ids=lambda value: " ".join(value).encode("ascii", "replace").decode()
    if isinstance(value, tuple) else "",
)  # fmt: skip
def test_words_that_make_no_sense(world: World, line: tuple[str, ...], code: int) -> None:
    before = world.snapshot()
    found = world.ralph(*line)
    assert (found.code, found.out) == (code, "")
    one_message(found)
    assert world.snapshot() == before


# -- surroundings ------------------------------------------------------------------------


def test_no_git_on_the_path(world: World, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    env = {"PATH": str(tmp_path / "empty")}
    tried(
        world, {"": NO, "worker": NO, "completion": OK, "mcp": OK}, snapshot=world.snapshot, env=env
    )
    assert world.ralph("claim", env=env).err == (
        "error: git is not installed or not on PATH\nhint: install git\n"
    )


def test_a_remote_that_does_not_answer(world: World) -> None:
    world.git("remote", "add", "origin", "ssh://nowhere.invalid/x")
    world.git("update-ref", "refs/remotes/origin/main", "main")
    env = {"GIT_SSH_COMMAND": "sleep 60; :", "RALPH_FETCH_TIMEOUT": "1"}
    found = world.ralph("next", "--fetch", env=env)
    assert (found.code, found.err) == (
        0,
        "warning: git fetch gave no answer within 1 s; going on with what was fetched before\n",
    )


def lived(place: Place, **how: Any) -> Iterator[tuple[str, Result]]:
    """The life of T-1 in a linked worktree; every step must succeed."""
    steps: tuple[tuple[str, ...], ...] = (
        ("claim", "T-1"), ("status",), ("preflight",),
        ("block", "T-1", "--reason", "other", "--question", "Wäre das gut?"),
        ("claim", "T-1", "--force", "ja"), ("complete", "T-1"), ("check", "--base", "main"),
    )  # fmt: skip
    for step in steps:
        if step[0] == "complete":
            place.write("a.txt", "ä\n")
        yield step[0], place.ralph(*step, **how)


def test_no_home(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.environ["XDG_DATA_HOME"] = alpha.environ.pop("HOME")
    assert alpha.ralph("trust", "--yes").code == OK
    for command, found in lived(alpha):
        assert found.code == OK, (command, found)


@pytest.mark.parametrize("home", ["/nowhere/at/all", "relative", ""])
def test_a_home_that_is_none(world: World, home: str) -> None:
    env = {"HOME": home}
    for command in (*LOOKS, "claim"):
        assert world.ralph(command, *LINES[command], env=env).code == OK
    found = world.ralph("complete", "T-1", env=env)
    assert (found.code, found.err.splitlines()[0][:6]) == (7, "error:")


def shell(place: Place, script: str, *words: str, env: dict[str, str] | None = None) -> Result:
    """Run `ralphgit WORDS` as "$@" of a shell script."""
    return place.run("sh", "-c", script, "sh", sys.executable, "-m", "ralphgit", *words, env=env)


@pytest.mark.slow
def test_closed_standard_streams(world: World) -> None:
    alpha = world.worktree("alpha")
    for script in ('"$@" <&-', '"$@" <&- 2>&-', '"$@" 2>&-'):
        found = shell(alpha, script, "list", "--json")
        assert (found.code, found.err) == (OK, ""), script
        assert len(found.data["tasks"]) == 2
        assert shell(alpha, script, "show", "T-9").code == USAGE
        told = shell(alpha, script, "show", "T-9", "--json")
        assert told.error == "unknown_task"
    for script in ('"$@" >&-', '"$@" <&- >&-', '"$@" <&- >&- 2>&-'):
        found = shell(alpha, script, "list")
        assert (found.code, found.out, found.err) == (OK, "", ""), script
        assert shell(alpha, script, "show", "T-9").code == USAGE
    assert shell(alpha, '"$@" <&- >&- 2>&-', "claim", "T-1").code == OK
    assert alpha.task("T-1")["status"] == "in-progress"
    assert shell(alpha, '"$@" <&-', "trust").code == 7
    assert shell(alpha, '"$@" <&- >&- 2>&-', "trust", "--yes").code == OK
    alpha.write("a.txt", "a\n")
    assert shell(alpha, '"$@" <&- >&- 2>&-', "complete").code == OK
    assert alpha.task("T-1")["status"] == "complete"


def test_a_full_output(world: World) -> None:
    for line in (("list",), ("list", "--json"), ("show", "T-9", "--json"), ("--help",)):
        found = shell(world, '"$@" >/dev/full', *line)
        assert found.code == NO, line
        assert found.err == "error: cannot write the output: No space left on device\n", line


@pytest.mark.slow
def test_a_reader_that_has_gone(world: World) -> None:
    """`ralphgit ... | head -1`: quiet, with the exit code of a closed pipe."""
    rest = f"    title: {'x' * 90}\n    status: pending\n"
    world.write_graph(GRAPH + "".join(f"  - id: X-{n}\n{rest}" for n in range(2000)))
    world.commit("Many")
    for command in ("list", "graph", "status"):
        amount = () if command == "graph" else ("--all",)  # a page of 20 is said on stderr
        for form in (amount, (*amount, "--json")):
            ours, theirs = os.pipe()
            os.close(ours)
            process = subprocess.run(
                [sys.executable, "-m", "ralphgit", command, *form],
                cwd=world.path, env=world.environ, stdout=theirs, stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL, check=False, timeout=PATIENCE,
            )  # fmt: skip
            os.close(theirs)
            assert (process.returncode, process.stderr) == (141, b""), command
    found = shell(world, 'exec 3>&1; { "$@"; echo "code $?" >&3; } | head -1', "list", "--all")
    assert found.out.startswith("T-1\tready") or "\nT-1\tready" in found.out
    assert found.err == ""


LOCALES: list[dict[str, str]] = [
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX", "LANG": "C"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "nowhere.UTF-8"},
    {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii"},
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "locale", slow.but(2, LOCALES), ids=lambda locale: "-".join(locale.values())
)
def test_a_locale_without_umlauts(world: World, locale: dict[str, str]) -> None:
    alpha = world.worktree("alpha")
    for line in (("list",), ("show", "T-1"), ("list", "--json"), ("packet", "T-1"), ("status",)):
        found = alpha.ralph(*line, env=locale)
        assert (found.code, found.err) == (OK, ""), line
    (first, _) = alpha.ralph("list", "--json", env=locale).data["tasks"]
    assert first["title"] == "Grüße aus Köln"
    if "PYTHONUTF8" in locale:
        # Whoever takes UTF-8 away from Python can write no umlaut; it is not made another.
        refused = alpha.ralph("edit", "T-1", "--title", "Größe", env=locale)
        assert refused.code == USAGE
        one_message(refused)
        return
    assert alpha.ralph("edit", "T-1", "--title", "Größe", env=locale).code == OK
    assert alpha.task("T-1")["title"] == "Größe"
    assert alpha.ralph("claim", "T-1", env=locale).code == OK
    question = ("--reason", "other", "--question", "Wäre das gut?")
    assert alpha.ralph("block", "T-1", *question, env=locale).code == OK
    assert alpha.task("T-1")["blocked"]["question"] == "Wäre das gut?"


NAMES = [
    "-pröj ect 日本語 ",
    'a:b\\c\t"d"',
    "it's $HOME `x`; (y) & *?[z] {a,b} ~ %s #1",
    "@{-1}",
    "a\u2028b\u202ec",
    "a\n\nworktree b\n",
]


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_folder(tmp_path: Path, name: str) -> None:
    world = World(tmp_path, name=name)
    world.write_graph(GRAPH)
    world.commit("The graph")
    alpha = world.worktree("alpha")
    assert alpha.ralph("trust", "--yes").code == OK
    for command, found in lived(alpha):
        assert found.code == OK, (command, found)
    beta = world.worktree("beta", at="alpha")
    assert world.merge("alpha").code == OK
    beta.claim("T-2")
    (told,) = [task for task in world.ralph("list", "--json").data["tasks"] if task["id"] == "T-2"]
    assert told["holder"]["worker"] == "beta"
    found = world.ralph("reset", "T-2", "--reason", "gone")
    assert found.code == OK, found
    assert world.ralph("-C", str(alpha.path), "list").code == OK
    assert world.ralph("doctor").code == OK


OLD_GIT = """\
#!/bin/sh
case "$*" in *"worktree list --porcelain -z")
  echo "error: unknown switch \\`z'" >&2; echo 'usage: git worktree list' >&2; exit 129;;
esac
exec {git} "$@"
"""


@pytest.mark.slow
@pytest.mark.parametrize("old", slow.but(1, [False, True]), ids=["git", "git before 2.36"])
def test_odd_branches_and_worktrees(world: World, old: bool) -> None:
    """git ends a line at a line feed and at nothing else."""
    for number, odd in enumerate(("\u2028", "\x85", "\u2029")):
        world.git("branch", f"x{odd}y")
        world.git("branch", f"{odd}{number}{odd}")
    names = ["c\rd", "a\u2028b"] if old else ["c\rd", "a\u2028b", "e\n\nbare\nf"]
    for number, name in enumerate(names):
        world.git("worktree", "add", "--quiet", "-b", f"w{number}", f"../{name}")
    if old:
        real = world.run("sh", "-c", "command -v git").out.strip()
        program = world.write("../old/git", OLD_GIT.format(git=real))
        program.chmod(0o755)
        world.environ["PATH"] = f"{program.parent}{os.pathsep}{world.environ['PATH']}"
        world.environ["GIT_CEILING_DIRECTORIES"] = "/nowhere"  # have git asked
    for place in (world, *(Place(world.folder / name, world.environ) for name in names)):
        for command in LOOKS:
            found = place.ralph(command, *LINES[command])
            no_claim = command == "preflight" and "\r" in str(place.path)
            assert found.code == (GUARD if no_claim else OK), (place.path, command, found)
    told = world.ralph("worktree", "list", "--json").data["worktrees"]
    assert [worktree["path"] for worktree in told][1:] == [
        str(world.folder / name) for name in sorted(names)
    ]
    alpha = Place(world.folder / names[-1], world.environ)
    alpha.claim("T-1")
    (first, _) = world.ralph("list", "--json").data["tasks"]
    assert first["state"] == "claimed"


@pytest.mark.parametrize("name", [b"pr\xf6j", b"a\x0bd\re"], ids=["latin", "controls"])
def test_a_folder_that_no_record_can_name(tmp_path: Path, name: bytes) -> None:
    """What names the worktree in a record is refused; all else works."""
    world = World(tmp_path, name=os.fsdecode(name))
    world.write_graph(GRAPH)
    world.write("other.yaml", OTHER)
    world.commit("The graph")
    for command in ("status", "list", "next", "check", "doctor", "trust", "add", "init"):
        found = world.ralph(command, *LINES[command], "--json")
        assert (found.code, found.err) == (OK, ""), command
    assert world.ralph("trust", "--list").code == OK
    world.git("checkout", "--quiet", "task-graph.yaml")
    refused = ("claim", "complete", "block", "release")
    before = world.snapshot()
    for command in refused:
        found = world.ralph(command, *LINES[command])
        assert found.code == GUARD, (command, found)
        one_message(found)
    assert world.ralph("claim", "--json").error == "odd_path"
    assert world.snapshot() == before


# -- disks -------------------------------------------------------------------------------


class Mounting(NamedTuple):
    """How a process gets mounts of its own."""

    words: tuple[str, ...]


@cache
def mounting() -> Mounting | None:
    """A way to mount, in a namespace that nobody else sees; None if there is none."""
    for words in (("unshare", "--mount"), ("unshare", "--user", "--map-root-user", "--mount")):
        try:
            found = subprocess.run(
                [*words, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
            )
        except FileNotFoundError:
            return None
        if found.returncode == 0:
            return Mounting(words)
    return None


def inside(function: Callable[[Path], object], folder: Path) -> None:
    """Run `function(folder)` in a process of its own, which may mount."""
    how = mounting()
    if how is None:
        pytest.skip("mounting is not possible here")
    code = f"import sys, test_bad_input as t; from pathlib import Path; t.{function.__name__}"
    path = os.pathsep.join([os.path.dirname(__file__), os.path.dirname(os.path.dirname(__file__))])
    done = subprocess.run(
        [*how.words, sys.executable, "-c", f"{code}(Path(sys.argv[1]))", str(folder)],
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


WRITERS: tuple[str, ...] = ("claim", "complete", "block", "release", "reset")
WRITERS += ("add", "edit", "init", "import", "trust")


def prepared(folder: Path, command: str) -> tuple[World, Place]:
    """A world in which `command` would succeed, and where it is run."""
    world = World(folder)
    world.write_graph(GRAPH)
    world.write("other.yaml", OTHER)
    world.commit("The graph")
    alpha = world.worktree("alpha")
    if command != "trust":
        assert world.ralph("trust", "--yes").code == OK
    if command in ("complete", "block", "release", "reset"):
        alpha.claim("T-1")
        alpha.write("a.txt", "work\n")
    return world, world if command == "reset" else alpha


def seen(world: World) -> dict[str, bytes]:
    """All but git's objects, which nobody sees before a ref does."""
    return {
        name: data for name, data in world.snapshot().items()
        if "/.git/objects/" not in name and "/filler" not in name
    }  # fmt: skip


def read_only(folder: Path) -> None:
    """Everything is tried on a tmpfs that has become read-only."""
    mount("-t", "tmpfs", "tmpfs", str(folder))
    world, alpha = prepared(folder, "complete")
    beta = world.worktree("beta")
    mount("-o", "remount,ro", str(folder))
    before = world.snapshot()
    for command in LOOKS:
        found = alpha.ralph(command, *LINES[command])
        if command == "preflight":
            assert (found.code, found.err.partition(" in ")[0]) == (NO, "error: cannot write")
        else:
            assert found.code in (OK, 3), (command, found)
        assert "Read-only" not in found.err
    places = {"reset": world, "claim": beta, "trust": world, "init": beta}
    lines = {"claim": ("T-2", "--force", "x"), "trust": ("--revoke",)}
    for command in WRITERS:
        line = lines.get(command, LINES[command])
        found = places.get(command, alpha).ralph(command, *line)
        assert found.code == NO, (command, found)
        one_message(found)
        assert found.err.startswith("error: cannot "), found
    assert world.snapshot() == before


@pytest.mark.slow
def test_a_read_only_file_system(tmp_path: Path) -> None:
    inside(read_only, tmp_path)


@cache
def unprivileged() -> tuple[str, ...] | None:
    """The words before a command that make permissions hold for it; None if there are none."""
    if os.geteuid() != 0:
        return ()
    words = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    try:
        found = subprocess.run([*words, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return words if found.returncode == 0 else None


@pytest.fixture
def barred(world: World) -> Iterator[Callable[..., Result]]:
    """Run a command while paths have other permissions."""
    how = unprivileged()
    if how is None:
        pytest.skip("root may write everywhere, and setpriv cannot take that away here")
    changed: list[tuple[Path, int]] = []

    def restore() -> None:
        while changed:
            path, mode = changed.pop()
            path.chmod(mode)

    def run(place: Place, paths: Sequence[Path], mode: int, *words: str) -> Result:
        for path in paths:
            changed.append((path, path.stat().st_mode))
            path.chmod(mode)
        found = place.run(*how, sys.executable, "-m", "ralphgit", *words)
        restore()
        return found

    yield run
    restore()


@pytest.mark.slow
def test_folders_without_write_permission(world: World, barred: Callable[..., Result]) -> None:
    alpha = world.worktree("alpha")
    before = world.snapshot()
    for folder, command in (
        (alpha.path, "claim"),
        (alpha.path, "add"),
        (alpha.path, "init"),
        (world.path / ".git/objects", "claim"),
        (world.path / ".git/worktrees/proj-alpha", "claim"),
        (world.folder / "home", "trust"),
    ):
        found = barred(alpha, [folder], 0o555, command, *LINES[command])
        assert found.code == NO, (folder, command, found)
        one_message(found)
        after = seen(world)
        left = {n for n in {*before, *after} if before.get(n) != after.get(n)}
        left -= {n for n in left if "/.git/info/" in n or "/.ralph/" in n or n.endswith("/")}
        assert left <= {n for n in before if "/objects/" in n}, (folder, command)
    folders = (world.path / ".git", alpha.path, world.folder / "home")
    for command in LOOKS:
        found = barred(alpha, folders, 0o555, command, *LINES[command])
        # A look writes nothing; one of them is asked whether that could be.
        assert found.code == (NO if command == "preflight" else OK), (command, found)


@pytest.mark.slow
def test_files_without_read_permission(world: World, barred: Callable[..., Result]) -> None:
    before = world.snapshot()
    for name in ("task-graph.yaml", ".git/HEAD", ".git/config", ".git/index", ".git/objects"):
        for command in ("list", "claim", "check"):
            found = barred(world, [world.path / name], 0o000, command, *LINES[command])
            if found.code or name != ".git/index":
                one_message(found)
    assert world.snapshot() == before


STEPS_KIB = (0, 4, 8, 16, 24, 32, 48, 64, 96, 160, 256, 512, 4096)


def full_disk(folder: Path) -> None:
    """Each command is tried with more and more space left, until it succeeds.

    Whatever it had done when the disk was full is undone, for which there is no space.
    """
    for command in WRITERS:
        kept = folder / f"kept-{command}"
        live = folder / f"live-{command}"
        live.mkdir()
        mount("-t", "tmpfs", "-o", "size=12m", "tmpfs", str(live))
        world, place = prepared(live, command)
        shutil.copytree(live, kept, symlinks=True)
        refused = 0
        for left in STEPS_KIB:
            for entry in live.iterdir():
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            shutil.copytree(kept, live, symlinks=True, dirs_exist_ok=True)
            fill(live, left * 1024)
            before = seen(world)
            found = place.ralph(command, *LINES[command])
            if found.code == OK:
                break
            refused += 1
            where = f"{command} with {left} KiB left: {found}"
            assert found.code == NO, where
            one_message(found)
            assert found.err.startswith("error: cannot write "), where
            after = seen(world)
            changed = {n for n in {*before, *after} if before.get(n) != after.get(n)}
            # Empty folders for a ref or for trust, what any command prepares, and work that was
            # kept before anything else are left; git's own note of a message it could not use.
            made = {n for n in changed if n.endswith("/")}
            left_behind = {n for n in made if "/.git/" in n or "/.local/" in n}
            left_behind |= {n for n in changed if "/.git/info/" in n or "/.ralph/" in n}
            left_behind |= {n for n in changed if "/rescue/" in n}
            left_behind |= {n for n in changed if n.endswith(("/ORIG_HEAD", "/COMMIT_EDITMSG"))}
            assert changed <= left_behind, f"{where}\nchanged: {sorted(changed)}"
            world.git("fsck", "--no-dangling", "--no-progress")
        else:
            raise AssertionError(f"{command} never succeeds: {found}")
        assert refused, f"{command} needs no space?"
        (live / "filler").unlink()
        again = place.ralph("doctor", "--fix")
        assert again.code == OK, again
        subprocess.run(["umount", str(live)], check=True)


def fill(folder: Path, left: int) -> None:
    """Write a file until just `left` bytes are free."""
    block = b"x" * 4096
    with (folder / "filler").open("wb", buffering=0) as file:
        while True:
            info = os.statvfs(folder)
            if info.f_bavail * info.f_bsize <= left:
                return
            try:
                file.write(block)
            except OSError:
                return


@pytest.mark.slow
def test_a_full_disk(tmp_path: Path) -> None:
    inside(full_disk, tmp_path)


@pytest.mark.slow
def test_a_full_disk_for_temporary_files(tmp_path: Path) -> None:
    inside(full_temporary, tmp_path)


def full_temporary(folder: Path) -> None:
    (folder / "w").mkdir()
    world, alpha = prepared(folder / "w", "complete")
    world.worktree("beta")
    (folder / "tmp").mkdir()
    mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder / "tmp"))
    fill(folder / "tmp", 4096)
    env = {"TMPDIR": str(folder / "tmp")}
    before = world.snapshot()
    for place, line in (
        (alpha, ("complete", "T-1")),
        (alpha, ("block", "T-1", "--reason", "other")),
        (world, ("reset", "T-1", "--reason", "gone")),
    ):
        found = place.ralph(*line, env=env)
        if found.code:
            one_message(found)
            assert found.code == NO, (line, found)
            assert seen(world) == {n: d for n, d in before.items() if n in seen(world)}


def limits(place: Place, script: str, *words: str) -> Result:
    return shell(place, f'{script}; exec "$@"', *words)


def test_few_open_files_are_enough(world: World) -> None:
    alpha = world.worktree("alpha")
    assert limits(alpha, "ulimit -n 32", "claim", "T-1").code == OK
    found = limits(alpha, "ulimit -n 8", "status")
    if found.code:
        one_message(found)


def test_json_of_a_refusal_is_always_one_object(world: World) -> None:
    """Also where text from outside is odd."""
    odd = (("show", "\udcff"), ("show", "\x1b[31m"), ("-C", "/\udcff\n", "list"), ("\udcff",))
    for line in odd:
        found = world.ralph("--json", *line)
        assert (found.code, found.err) == (USAGE, "")
        assert json.loads(found.out)["ok"] is False
        plain = world.ralph(*line)
        one_message(plain)
        assert all(part.isprintable() for part in plain.err.splitlines())
