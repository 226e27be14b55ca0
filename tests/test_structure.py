"""The house keeps its shape: who may import whom, what is pure, what a command may cost."""

from __future__ import annotations

import ast
import gc
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from bench import graphs, imports
from world import ROOT, Place, World

from ralphgit import errors
from ralphgit.app.workspace import heartbeat

PACKAGE = ROOT / "ralphgit"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

# --- imports ------------------------------------------------------------------------------

#: What each part of the package may import of the others.
PARTS = {
    "errors": set(),
    "digests": set(),
    "model": {"errors"},
    "rules": {"errors", "model", "digests"},
    "records": {"errors", "model"},
    "git": {"errors", "digests"},
    "app": {"errors", "digests", "model", "rules", "records", "git", ""},
    "api": {"errors", "model", "rules", "app"},
    "loop": {"errors", "model", "rules", "records", "git", "app"},
    "board": {"errors", "model", "rules", "app", "loop"},
    "mcp": {"errors", ""},
    "cli": {"errors", "model", "rules", "app", "loop", "board", "mcp", ""},
    "ci": {"errors", "model", "rules", "app", "git", "cli", ""},
    "__main__": {"cli"},
    "": {"api", "errors"},
}
#: Which part alone, or which two, may import a package that is not of Python's own library.
HOMES = {
    "click": ("cli",),
    "rich": ("cli",),
    "ruamel": ("records",),
    "ryaml": ("records",),
    "jsonschema": ("records",),
    "jsonschema_rs": ("records",),
    "tomlkit": ("records",),
    "referencing": ("records",),
    "markdown_it": ("records",),
    "jinja2": ("app",),
    "markupsafe": ("app",),
    "psutil": ("app", "loop"),
    "libtmux": ("loop",),
    "mcp": ("mcp",),
    "mcp_types": ("mcp",),
    "anyio": ("mcp",),
    "textual": ("board",),
}


@cache
def nodes(module: str) -> tuple[ast.AST, ...]:
    """All that a module is made of.

    They stay: the collector, which would look through all of them again and again, never does.
    """
    gc.disable()
    try:
        return tuple(ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))))
    finally:
        gc.freeze()
        gc.enable()


def part(module: str) -> str:
    """`git` of `ralphgit.git.refs`; "" is the package itself."""
    return module.partition(".")[2].partition(".")[0]


@cache
def imported(module: str) -> tuple[tuple[int, str], ...]:
    """Line and full name of everything that a module imports, anywhere in it."""
    return tuple(_imported(module))


def _imported(module: str) -> Iterator[tuple[int, str]]:
    for node in nodes(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}:{node.lineno} imports by a relative name"
            source = node.module or ""
            for name in node.names:
                full = f"{source}.{name.name}"
                yield node.lineno, full if full in MODULES or source == "ralphgit" else source


#: The folders of `app/`, each above those that it may import. All of them stand on `workspace`.
ROOMS = (
    "workspace", "active_claims", "processes", "evidence", "base", "gate", "rendering", "diff",
    "forge", "lifecycle", "worktrees", "conflicts", "tasks", "landing", "handoff", "setup",
    "integration", "doctor", "status", "report", "exchange",
)  # fmt: skip


def test_imports_follow_the_house() -> None:
    offenders = []
    for module in MODULES:
        allowed = PARTS[part(module)] | {part(module)}
        for line, name in imported(module):
            if name.partition(".")[0] == "ralphgit":
                wanted = part(name) if name in MODULES else ""
                if wanted not in allowed:
                    offenders.append(f"{module}:{line} imports {name}")
    assert offenders == []


def room(module: str) -> str:
    """`gate` of `ralphgit.app.gate.check`; "" outside `app/` and for its `__init__`."""
    words = module.split(".")
    return words[2] if words[1:2] == ["app"] and len(words) > 2 else ""


def test_the_rooms_of_app_are_layers() -> None:
    assert {room(module) for module in MODULES} - {""} == set(ROOMS)
    offenders = [
        f"{module}:{line} imports {name}"
        for module in MODULES
        if room(module)
        for line, name in imported(module)
        if room(name) and ROOMS.index(room(name)) > ROOMS.index(room(module))
    ]
    assert offenders == []


def test_no_module_lies_flat_in_app() -> None:
    assert [path.name for path in (PACKAGE / "app").glob("*.py")] == ["__init__.py"]


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside functions count: who is asked late is asked all the same."""
    left = {m: {n for _, n in imported(m) if n in MODULES} for m in MODULES}
    while free := {module for module, needs in left.items() if not needs & left.keys()}:
        left = {module: needs for module, needs in left.items() if module not in free}
    assert sorted(left) == []


def test_each_foreign_package_has_one_home() -> None:
    offenders = []
    for module in MODULES:
        for line, name in imported(module):
            root = name.partition(".")[0]
            if root == "ralphgit" or root in sys.stdlib_module_names:
                continue
            if part(module) not in HOMES.get(root, ()):
                offenders.append(f"{module}:{line} imports {name}")
    assert offenders == []


# --- purity -------------------------------------------------------------------------------

#: Parts that talk to the terminal, and know the environment and the clock.
OUTER = {"cli", "loop", "mcp", "ci", "__main__"}
#: What others may use besides: the Python door has no caller who brings clock and chance.
FREE = {"api": ("time.time", "os.urandom")}
#: What the others take as arguments instead. time.monotonic, which measures a wait, is free.
IMPURE = (
    "print", "input", "sys.stdout", "sys.stderr", "sys.stdin", "sys.argv",
    "os.environ", "os.environb", "os.getenv", "os.putenv", "os.getcwd",
    "time.time", "time.time_ns", "datetime.datetime.now", "datetime.datetime.utcnow",
    "datetime.datetime.today", "datetime.date.today",
    "os.path.expanduser", "os.path.expandvars",
    "random", "secrets", "uuid", "os.urandom", "os.getrandom",
)  # fmt: skip


def names(module: str) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything that a module imports or mentions."""
    known: dict[str, str] = {}
    for node in nodes(module):
        if isinstance(node, ast.Import):
            for name in node.names:
                known[name.asname or name.name.partition(".")[0]] = (
                    name.name if name.asname else name.name.partition(".")[0]
                )
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                known[name.asname or name.name] = f"{node.module}.{name.name}"
                yield node.lineno, f"{node.module}.{name.name}"
    for node in nodes(module):
        if isinstance(node, ast.Attribute | ast.Name) and (full := dotted(node, known)):
            yield node.lineno, full


def dotted(node: ast.expr, known: dict[str, str]) -> str:
    """The full name that an expression like `a.b.c` stands for; "" for any other."""
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id if node.id in ("print", "input") else "")
    if isinstance(node, ast.Attribute) and (before := dotted(node.value, known)):
        return f"{before}.{node.attr}"
    return ""


def test_nothing_below_the_command_line_touches_the_outside() -> None:
    offenders = [
        f"{module}:{line} uses {name}"
        for module in MODULES
        if part(module) not in OUTER
        for line, name in names(module)
        if name not in FREE.get(part(module), ())
        if any(name == impure or name.startswith(f"{impure}.") for impure in IMPURE)
    ]
    assert offenders == []


def test_a_python_of_ours_imports_nothing_from_where_it_starts() -> None:
    """A worktree holds what others wrote: its `json.py` is not the one that we mean."""
    offenders = []
    for module in MODULES:
        safe = {
            id(node.elts[0])
            for node in nodes(module)
            if isinstance(node, ast.List | ast.Tuple) and len(node.elts) > 1
            if isinstance(node.elts[1], ast.Constant) and node.elts[1].value in ("-I", "-P")
        }
        offenders += [
            f"{module}:{node.lineno} starts Python without -I or -P"
            for node in nodes(module)
            if isinstance(node, ast.Attribute) and dotted(node, {"sys": "sys"}) == "sys.executable"
            if id(node) not in safe
        ]
    assert offenders == []


# --- size ---------------------------------------------------------------------------------


#: A limit that all modules must keep is met by cutting crumbs off; so none may be a giant, and of
#: those that are long (what a head holds) and those that are crumbs there may be few.
GIANT, LONG, CRUMB = 600, 400, 40
MOST_LONG, MOST_CRUMBS = 1 / 20, 1 / 12


def test_there_are_neither_giants_nor_crumbs() -> None:
    sizes = {
        module: len(path.read_text(encoding="utf-8").splitlines())
        for module, path in MODULES.items()
        # A command is a module, however short; a package's own says what it is about.
        if path.name != "__init__.py" and not module.startswith("ralphgit.cli.commands.")
    }
    giants = [module for module, size in sizes.items() if size > GIANT]
    long = [module for module, size in sizes.items() if size > LONG]
    crumbs = [module for module, size in sizes.items() if size < CRUMB]
    assert giants == []
    assert len(long) <= MOST_LONG * len(sizes), "\n".join(long)
    assert len(crumbs) <= MOST_CRUMBS * len(sizes), "\n".join(crumbs)


# --- what a command costs -----------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A small graph, and beside the main worktree one whose worker has a task, and is alive."""
    made = World(tmp_path_factory.mktemp("structure"))
    made.write_graph(graphs.files(48)["task-graph.yaml"])
    made.commit()
    beta = made.worktree("beta")
    assert beta.ralph("claim", READY[-1], "--no-fetch").code == 0
    claim = str(beta.task(READY[-1])["claim"]["id"])
    process = heartbeat.noted(os.getpid())._asdict()
    heartbeat.write(
        str(beta.path),
        heartbeat.Heartbeat(
            **process, worker="beta", task=READY[-1], claim=claim, phase="agent", time=time.time()
        ),
    )
    return made


READY = [graphs.name(number) for number in graphs.ready(48)]
COMMANDS = imports.usual(READY[0])
COMMANDS_AGAIN = imports.usual(READY[1])


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def alpha(world: World, command: str) -> Place:
    """A worktree of its own for each test."""
    number = len(world.git("worktree", "list").splitlines())
    return world.worktree(f"w{number}-{command.strip('-')}")


def test_a_command_imports_no_heavy_package(alpha: Place, command: str) -> None:
    found = imports.imported(COMMANDS[command], at=alpha.path, env=alpha.environ)
    assert imports.of(imports.HEAVY, found) == ()
    if command in ("next", "claim"):
        # click takes as long as all else that `next` does, subprocess 10 ms.
        assert imports.of(("click", "subprocess"), found) == ()
    # `-X importtime` does not tell of what import_module imports.
    own = {f"ralphgit.cli.commands.{command}"} if command != "--help" else set()
    assert [*types_as_strings(sorted((found | own) & MODULES.keys()))] == []


def test_no_command_makes_its_options_from_strings() -> None:
    commands = [module for module in MODULES if module.startswith("ralphgit.cli.commands.")]
    assert [*types_as_strings(commands)] == []


def types_as_strings(modules: Iterable[str]) -> Iterator[str]:
    """The NamedTuples in them whose annotations are strings, in quotes or by __future__.

    typing compiles such a string, and the first one takes 1.4 ms.
    """
    for module in modules:
        later = any(name == "__future__" for _, name in imported(module))
        for made in nodes(module):
            if isinstance(made, ast.ClassDef) and any(
                isinstance(base, ast.Name) and base.id == "NamedTuple" for base in made.bases
            ):
                fields = [node for node in made.body if isinstance(node, ast.AnnAssign)]
                if later or any(isinstance(field.annotation, ast.Constant) for field in fields):
                    yield f"{module}: {made.name}"


#: How many modules of this package a command may import where one worker has a task: what it
#: takes now, and a few more. Each is 0.3 ms, and they come in dozens.
MOST_MODULES = {
    "next": 83, "show": 83, "list": 83, "log": 63, "graph": 82, "export": 59, "diff": 123,
    "status": 110, "packet": 94, "independence": 94, "doctor": 124,
}  # fmt: skip
#: Of the standard library, what takes 3 ms and more with all that it imports.
RARE = ("dataclasses", "inspect", "subprocess", "tempfile")


@pytest.mark.parametrize("command", MOST_MODULES)
def test_a_command_imports_few_modules(world: World, command: str) -> None:
    words = (command, READY[0]) if command in ("show", "packet") else (command,)
    found = imports.imported(words, at=world.path, env=world.environ)
    own = sorted(module for module in found if module.startswith("ralphgit."))
    assert len(own) <= MOST_MODULES[command], "\n".join(own)
    # A packet says whether files are as committed, and git looks at them in a scratch folder.
    assert {*imports.of(RARE, found)} <= ({"tempfile"} if command == "packet" else set())


@pytest.mark.slow
def test_a_command_that_writes_imports_few_modules(tmp_path: Path) -> None:
    """The gate and the forges are imported where the base is changed, not by `block`."""
    world = World(tmp_path)
    task = "  - id: T-{0}\n    title: Thing {0}\n    status: pending\n\n"
    world.write_graph("version: 1\ntasks:\n" + task.format(1) + task.format(2))
    world.commit()
    for name, id, words in (("a", "T-1", ("release",)), ("b", "T-2", ("block", "--question", "?"))):
        worker = world.worktree(name)
        for command in (("claim", id), words):
            found = imports.imported(command, at=worker.path, env=worker.environ)
            own = sorted(module for module in found if module.startswith("ralphgit."))
            assert len(own) <= 137, "\n".join(own)
            assert {*imports.of(RARE, found)} <= {"tempfile"}


#: How many git processes a command may start: what it takes now, and one more.
MOST_PROCESSES = {"--help": 0, "next": 4, "show": 4, "list": 4, "claim": 10}


def test_a_command_starts_few_processes(alpha: Place, command: str) -> None:
    started = git_processes(alpha, *COMMANDS_AGAIN[command])
    assert len(started) <= MOST_PROCESSES[command], "\n".join(started)
    assert bool(started) == bool(MOST_PROCESSES[command])


def git_processes(place: Place, *words: str) -> list[str]:
    """The git processes that `ralphgit WORDS` starts, without those that git itself starts."""
    log = place.path.parent / "git.trace"
    log.unlink(missing_ok=True)
    done = place.ralph(*words, env={"GIT_TRACE2_EVENT": str(log)})
    assert done.code == 0, (words, done.err, done.out)
    events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    # Those that git starts have its session's id before their own.
    return [
        " ".join(event["argv"])
        for event in events
        if event["event"] == "start" and "/" not in event["sid"]
    ]


#: How many a command that writes may start, and how many where there is a remote: what it takes
#: now, and one more. Verify commands are no git.
MOST_TO_WRITE = {
    "init": (5, 5), "trust": (3, 3), "claim": (7, 8), "evidence add": (7, 7),
    "complete": (10, 10), "land": (6, 9), "block": (9, 9), "reply": (11, 13),
    "release": (9, 9), "reset": (11, 13), "add": (3, 3), "edit": (3, 3), "audit add": (7, 7),
    "shard": (4, 4), "worktree new": (5, 6), "worktree remove": (9, 9), "resolve": (10, 11),
    "integrate": (27, 28),
}  # fmt: skip


def writing(world: World, *, remote: bool) -> Iterator[tuple[str, Place, tuple[str, ...]]]:
    """Each command that writes, by name: where it is run and with what, when it is its turn."""
    task = (
        "  - id: {0}\n    title: Thing {0}\n    status: pending\n    outputs: [src/{0}.py]\n"
        "    scope:\n      write: ['src/{0}*']\n    verify: ['true']\n"
    )
    names = [f"T-{number}" for number in range(1, 10)]
    world.write_graph("version: 1\ntasks:\n" + "".join(map(task.format, names)))
    world.commit()
    yield "init", world, ("init",)
    world.commit()
    if remote:
        assert world.origin.path.exists()
    yield "trust", world, ("trust", "--yes")
    alpha, beta, gamma, delta, other = map(world.worktree, ("alpha", "beta", "gamma", "delta", "e"))
    yield "claim", alpha, ("claim", "T-1")
    alpha.write("src/T-1.py", "done\n")
    yield (
        "evidence add",
        alpha,
        ("evidence", "add", "T-1", "--kind", "observation", "--shows", "it"),
    )
    yield "complete", alpha, ("complete",)
    yield "land", alpha, ("land",)
    assert beta.ralph("claim", "T-2", "--no-fetch").code == 0
    yield "block", beta, ("block", "--question", "Which one?")
    yield "reply", world, ("reply", "T-2", "The first.")
    assert gamma.ralph("claim", "T-3", "--no-fetch").code == 0
    yield "release", gamma, ("release", "--reason", "no time")
    assert delta.ralph("claim", "T-4", "--no-fetch").code == 0
    delta.write("src/T-4.py", "half\n")
    yield "reset", world, ("reset", "T-4", "--reason", "it crashed")
    yield "add", other, ("add", "--title", "One more")
    yield "edit", other, ("edit", "T-5", "--title", "Another title")
    yield "audit add", other, ("audit", "add", "T-5", "--verdict", "clear", "--by", "reviewer")
    yield "shard", other, ("shard", "--layout", "story")
    yield "worktree new", world, ("worktree", "new", "zeta")
    yield "worktree remove", world, ("worktree", "remove", "zeta")
    behind = world.worktree("behind")
    behind.replace("title: Thing T-6", "title: Another")
    behind.commit()
    world.replace("Thing T-6\n", "Thing T-6\n    priority: 1\n")
    world.commit()
    assert behind.merge("main").code != 0
    yield "resolve", behind, ("resolve",)
    if remote:
        world.git("push", "--quiet", "origin", "main")
    for task in ("T-7", "T-8"):
        worker = world.worktree(task)
        assert worker.ralph("claim", task).code == 0
        worker.write(f"src/{task}.py", "done\n")
        assert worker.ralph("complete").code == 0
    yield "integrate", world, ("integrate", "T-7", "T-8")


@pytest.mark.slow
@pytest.mark.parametrize("remote", [False, True], ids=["alone", "with a remote"])
def test_a_command_that_writes_asks_git_once(tmp_path: Path, remote: bool) -> None:
    """What it has asked is kept until it has changed it itself."""
    world = World(tmp_path)
    over = {}
    for name, place, words in writing(world, remote=remote):
        started = git_processes(place, *words)
        if len(started) > MOST_TO_WRITE[name][remote]:
            over[name] = "\n".join(started)
    assert over == {}


def test_what_a_command_costs_is_seen(tmp_path: Path) -> None:
    """The means of the tests above find what they look for."""
    seen = imports.imported(["--help"], at=tmp_path, env=World(tmp_path).environ)
    assert imports.of(("click", "argparse", "ralphgit"), seen) == ("click", "ralphgit")


# --- what the tests need ------------------------------------------------------------------


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="a user's machine may do without")
def test_no_test_is_skipped_in_ci_for_want_of_a_program() -> None:
    (line,) = re.findall(r"(?ms)^needs=\((.*?)\)$", (ROOT / ".ci" / "run").read_text())
    programs = [need.partition("=")[0] for need in line.split()]
    assert {"tmux", "chromium", "zsh", "fish", "sshd", "sbatch"} <= set(programs)
    assert [name for name in ("bash", *programs) if shutil.which(name) is None] == []


# --- errors -------------------------------------------------------------------------------

#: Their problems, printed above them, have a hint each.
ANSWERED_ABOVE = {"problems_found", "not_ready"}


@pytest.mark.slow
def test_every_error_says_what_to_do_next() -> None:
    """A hint of its own, or the usual one of its class."""
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    silent = []
    for module in MODULES:
        for node in nodes(module):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            kind = kinds.get(node.func.id)
            if kind is None or not issubclass(kind, errors.RalphError) or kind.usual_hint:
                continue
            given = {word.arg: word.value for word in node.keywords}
            code = given.get("code")
            above = isinstance(code, ast.Constant) and code.value in ANSWERED_ABOVE
            if node.args and "hint" not in given and None not in given and not above:
                silent.append(f"{module}:{node.lineno} {kind.__name__}")
    assert silent == []
