"""The case of an index: a kind of input, made bad, and what is to read it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from fuzz import hostile, layers, seeds
from fuzz.arena import GRAPH
from ralphgit.cli.command_spec import Param
from ralphgit.cli.command_table import COMMANDS, GLOBAL
from ralphgit.records import yaml_reader


@dataclass(frozen=True, slots=True)
class Case:
    surface: str
    data: bytes = b""
    """What `layer` reads."""
    layer: Callable[[bytes], None] | None = None
    """Instead of a command."""
    argv: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Below the world's folder: `proj/` is the main worktree, `proj-alpha/` the one that works."""
    refs: Mapping[str, bytes] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    based: bool = False
    """The files are committed on the base as well."""
    where: str = "proj"
    stdin: bytes = b""


#: Of 100 cases, how many run a whole command.
COMMANDS_OF_100 = 20


def of_index(seed: int, index: int) -> Case:
    rng = random.Random(f"{seed}/{index}")
    if rng.randrange(100) < COMMANDS_OF_100:
        return rng.choice(_WHOLE)(rng)
    name = rng.choice(_DIRECT)
    return Case(f"{name} (direct)", _DATA[name](rng), _LAYERS[name])


# -- what is bad -------------------------------------------------------------------------


@cache
def _graphs() -> list[bytes]:
    return [*seeds.graphs(), *[GRAPH.encode()] * 40]


@cache
def _graph_value() -> object:
    return yaml_reader.load(GRAPH)


def _graph(rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return _odd_but_valid(rng)
    if rng.random() < 0.4:
        data = hostile.written(rng, hostile.twisted(rng, _graph_value()))
        return data if rng.random() < 0.7 else hostile.changed(rng, data)
    return hostile.changed(rng, rng.choice(_graphs()))


def _odd_but_valid(rng: random.Random) -> bytes:
    """A graph that keeps its form, with odd values where any will do, or nearly any."""
    root = yaml_reader.load(GRAPH)
    assert isinstance(root, dict)
    for task in root["tasks"]:
        task["title"] = rng.choice(hostile.TEXTS) or "x"
        task["x-own"] = hostile.value(rng)
        task["scope"] = {"write": rng.sample(hostile.TEXTS, 2)}
        task["depends_on"] = rng.sample(("T-1", "T-2", "T-3", "T-4", "T-5"), rng.choice((0, 1, 2)))
        task[rng.choice(("description", "acceptance", "verify", "tags", "priority", "epoch"))] = (
            hostile.value(rng) if rng.random() < 0.3 else [rng.choice(hostile.TEXTS)]
        )
    return hostile.written(rng, root)


def _made(rng: random.Random, found: object) -> bytes:
    if rng.random() < 0.6:
        found = hostile.twisted(rng, found)
    data = hostile.written(rng, found)
    return hostile.changed(rng, data) if rng.random() < 0.5 else data


def _record(*kinds: str) -> Callable[[random.Random], bytes]:
    return lambda rng: _made(rng, seeds.RECORDS[rng.choice(kinds)])


def _note(rng: random.Random) -> bytes:
    return _made(rng, rng.choice([*seeds.NOTES.values()]))


def _settings(rng: random.Random) -> bytes:
    return hostile.changed(rng, seeds.SETTINGS)


def _source(rng: random.Random) -> bytes:
    name = rng.choice([*seeds.SOURCES])
    return hostile.changed(rng, seeds.SOURCES[name])


_PATTERN = ("*", "**", "?", "[a-z]", "[!a]", "[", "]", "{a,b}", "{", "}", ",", "/", "\\", "!", ".",
"..",
            "src", "a", "ä", " ", "[]]", "[z-a]", "***", "{a,{b,c}}", "//", "x" * 50)  # fmt: skip


def _patterns(rng: random.Random) -> bytes:
    made = ["".join(rng.choices(_PATTERN, k=rng.randint(1, 12))) for _ in range(2)]
    return "\n".join(made).encode()


_DATA: dict[str, Callable[[random.Random], bytes]] = {
    "graph": _graph,
    "sections": _graph,
    "evidence": _record("evidence", "observation"),
    "audit": _record("audit", "review"),
    "guidance": _record("guidance"),
    "report": lambda rng: _made(rng, seeds.REPORT),
    "lease": lambda rng: _made(rng, seeds.LEASE),
    "notes": _note,
    "settings": _settings,
    "source": _source,
    "pattern": _patterns,
}
_LAYERS: dict[str, Callable[[bytes], None]] = {name: getattr(layers, name) for name in _DATA}
_DIRECT = (*_DATA, "graph", "graph", "source", "source")

# -- what reads it -----------------------------------------------------------------------

_READS = (
    ("list",), ("list", "--all"), ("show", "T-1"), ("next",), ("status",), ("check",), ("diff",),
    ("graph",),
    ("log",), ("log", "T-1"), ("inbox",), ("packet", "T-1"), ("prompt", "T-1"), ("report", "-"),
    ("wait", "--timeout", "0"),
    ("evidence", "list"), ("audit", "list"), ("independence",), ("batch", "plan"), ("export",),
    ("preflight",), ("worktree", "list"), ("check", "HEAD~1..HEAD"), ("diff", "HEAD~1..HEAD"),
    ("list", "--at", "HEAD"), ("doctor",), ("export", "--format", "markdown"), ("reconcile",
    "HEAD"),
    ("land", "HEAD", "--dry-run"), ("integrate", "HEAD", "--dry-run"), ("graph", "--format",
    "mermaid"),
    ("diff", "--format", "markdown"), ("resolve",), ("logs",),
)  # fmt: skip
_WRITES = (
    ("claim", "T-2"), ("claim",), ("complete",), ("complete", "T-1", "--force", "x"),
    ("release", "T-1"), ("block", "T-1", "--reason", "other", "--question", "Why?"),
    ("reset", "T-1", "--reason", "gone", "--force"), ("reset", "T-3", "--reason", "again",
    "--reopen"),
    ("reply", "T-5", "Because."), ("add", "--title", "New"), ("edit", "T-2", "--title", "New"),
    ("init",), ("shard", "--layout", "task"), ("doctor", "--fix"), ("run", "--once"), ("stop",),
    ("evidence", "add", "T-1", "--shows", "x", "--kind", "observation"), ("evidence", "verify"),
    ("audit", "add", "T-3", "--verdict", "clear", "--by", "zeta"), ("land", "--all"), ("integrate",
    "HEAD"),
)  # fmt: skip
READING = frozenset({words[0] for words in _READS} - {"batch", "worktree", "resolve"})


def _words(rng: random.Random) -> tuple[str, ...]:
    words = rng.choice(_READS if rng.random() < 0.8 else _WRITES)
    return words if rng.random() < 0.3 else (*words, "--json")


def _case(rng: random.Random, surface: str, files: dict[str, bytes], *words: str) -> Case:
    """A command over files of the main worktree, or of the one that works."""
    where = rng.choice(("proj", "proj", "proj-alpha"))
    return Case(
        surface,
        argv=words or _words(rng),
        files={f"{where}/{name}": data for name, data in files.items()},
        based=rng.random() < 0.5,
        where=where,
    )


def _whole_graph(rng: random.Random) -> Case:
    name = "task-graph.yaml"
    return _case(rng, "graph", {name: _graph(rng)})


def _whole_records(rng: random.Random) -> Case:
    """Several at once: a reader of many files meets the worst of them."""
    files = {}
    for number in range(rng.choice((1, 1, 2, 8))):
        kind = rng.choice([*seeds.RECORDS])
        folder = seeds.FOLDERS.get(kind, kind)
        task = rng.choice(("T-1", "T-1", "T-3", "T-5", "T-404", "x y", "-x"))
        name = f"records/{folder}/{task}/e{number + 1}.yaml"
        files[name] = _made(rng, {**seeds.RECORDS[kind], "task": task, "id": f"e{number + 1}"})
    return _case(rng, "records", files)


def _whole_report(rng: random.Random) -> Case:
    files = {"proj-alpha/.ralph/report.yaml": _made(rng, seeds.REPORT)}
    words = rng.choice(
        (("complete", "--json"), ("complete", "T-1"), ("status",), ("run", "--once"))
    )
    return Case("report", argv=words, files=files, where="proj-alpha")


def _whole_notes(rng: random.Random) -> Case:
    names = rng.sample([*seeds.NOTES], k=rng.choice((1, 2, 4)))
    files = {}
    for name in names:
        top = "proj" if name.startswith(".git/") else rng.choice(("proj", "proj-alpha"))
        files[f"{top}/{name}"] = _made(rng, seeds.NOTES[name])
    where = rng.choice(("proj", "proj-alpha"))
    return Case("notes", argv=_words(rng), files=files, where=where)


def _whole_settings(rng: random.Random) -> Case:
    kind = rng.random()
    if kind < 0.7:
        return _case(rng, "settings", {"ralph.toml": _settings(rng)})
    setting = rng.choice(_SETTING_NAMES)
    found = rng.choice(hostile.TEXTS).replace("\0", "")
    if kind < 0.85:
        # An environment holds bytes; a lone surrogate stands for one that is no UTF-8.
        value = os.fsdecode(found.encode("utf-8", "surrogatepass"))
        env = {f"RALPH_{setting.upper().replace('.', '_')}": value}
        return Case("settings", argv=_words(rng), env=env)
    quoted = found.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    key = setting.replace(".", "-").replace("_", "-")
    core = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
    config = f'{core}[ralph]\n\t{key} = "{quoted}"\n'
    data = config.encode("utf-8", "surrogatepass")
    return Case("settings", argv=_words(rng), files={"proj/.git/config": data})


_SETTING_NAMES = (
    *(
        "graph",
        "records",
        "generated",
        "base",
        "remote",
        "lease",
        "worker",
        "story",
        "require_remote",
    ),
    *("max_graph_bytes", "max_record_bytes", "verify.timeout", "fetch.timeout", "agent.command"),
    *("agent.timeout", "loop.idle", "land.mode", "land.via", "batch.at_once", "log_bytes"),
)

_NAMES = (
    "T-1", "T-2", "T-3", "T-404", "t-1", "T-1/k1", "T-2/k2/x", "a", "ä", "x" * 200, "T-1.", "-x",
    "T-1.lock", "a..b", "a@{1}", "@", "a b", "a\tb", "HEAD", "a~1", "a^", "a:b", "a?", "a*", "[a",
    "a\\b", "main", "ralph/T-1", "ralph/T-2/k", "$(id)", "a;b", "\U0001f680", "a\x7f", "CON",
    "main/x",
)  # fmt: skip


def _whole_refs(rng: random.Random) -> Case:
    """Names and contents of refs: leases, what was rescued, branches; and files where refs are."""
    refs: dict[str, bytes] = {}
    files: dict[str, bytes] = {}
    for _ in range(rng.choice((1, 1, 2, 5))):
        folder = rng.choice(
            ("ralph/leases", "ralph/leases", "ralph/rescue", "heads", "ralph", "tags")
        )
        name = f"refs/{folder}/{rng.choice(_NAMES)}"
        lease = {**seeds.LEASE, "task": rng.choice(("T-1", "T-2", "T-3", "T-5", "T-404"))}
        if rng.random() < 0.75:
            refs[name] = _made(rng, lease)
        else:
            content = rng.choice((
                b"", b"garbage\n", b"0" * 40 + b"\n", b"a" * 40 + b"\n", b"ref: refs/heads/none\n",
                b"ref: " + name.encode() + b"\n", b"a" * 39, b"\0" * 41, b"ref: ../../x\n",
            ))  # fmt: skip
            files[f"proj/.git/{name}"] = content
    if rng.random() < 0.15:
        name, data = rng.choice((
            ("packed-refs", b"# pack-refs with: peeled\ngarbage\n"),
            ("packed-refs", b"a" * 40 + b" refs/ralph/leases/T-2\n"),
            ("HEAD", b"ref: refs/heads/none\n"), ("HEAD", b"garbage\n"), ("HEAD", b""),
            ("MERGE_HEAD", b"garbage\n"), ("index", b"garbage"), ("shallow", b"a" * 40 + b"\n"),
            ("info/exclude", b"\xff\0\n"), ("worktrees/proj-alpha/HEAD", b"x"),
            ("worktrees/proj-alpha/gitdir", b"/nowhere/at/all/.git\n"), ("worktrees/x/gitdir",
            b"\xff"),
        ))  # fmt: skip
        files[f"proj/.git/{name}"] = data
    return Case(
        "refs", argv=_words(rng), files=files, refs=refs, where=rng.choice(("proj", "proj-alpha"))
    )


def _whole_source(rng: random.Random) -> Case:
    name = rng.choice([*seeds.SOURCES])
    data = hostile.changed(rng, seeds.SOURCES[name])
    words = ["import", name] + (["--dry-run"] if rng.random() < 0.7 else [])
    if rng.random() < 0.7:
        words.append("--json")
    if rng.random() < 0.2:
        words += ["--prefix", rng.choice(hostile.TEXTS).replace("\0", "")]
    case = _case(rng, "source", {name: data}, *words)
    return case if case.where == "proj" else _case(rng, "source", {name: data}, *words)


#: Commands that start programs because the command line says so, wait, or need a terminal.
_LEFT_OUT = frozenset({"run", "worker", "fleet", "batch", "board", "mcp", "logs", "init", "wait"})
_VERBS = tuple(name for name in COMMANDS if name not in _LEFT_OUT)


def _whole_line(rng: random.Random) -> Case:
    """A command line of real options with odd values, sometimes with words that are none."""
    verb = rng.choice(_VERBS)
    words: list[str] = []
    for param in COMMANDS[verb].params:
        chance = 0.8 if param.required or not param.flags else 0.2
        if rng.random() < chance and param.name not in ("follow", "wait", "open", "serve"):
            words += _param(rng, param)
    for param in GLOBAL:
        if rng.random() < 0.15 and param.name != "directory":
            words += _param(rng, param)
    if rng.random() < 0.2:
        words.insert(rng.randrange(len(words) + 1), _word(rng))
    line = [verb, *words] if rng.random() < 0.95 else [_word(rng), *words]
    if rng.random() < 0.05:
        line = ["-C", _word(rng), *line]
    if rng.random() < 0.5 and "--json" not in line:
        line.append("--json")
    where = rng.choice(("proj", "proj-alpha"))
    stdin = hostile.changed(rng, GRAPH.encode()) if rng.random() < 0.1 else b""
    return Case("command line", argv=tuple(line), where=where, stdin=stdin)


def _param(rng: random.Random, param: Param) -> list[str]:
    given = rng.choice(param.choices) if param.choices and rng.random() < 0.7 else _word(rng)
    if param.kind == "int" and rng.random() < 0.6:
        given = str(rng.choice((0, 1, -1, 3, 10**6, 10**30)))
    if param.parse is not None and rng.random() < 0.6:
        given = rng.choice(("T-1", "T-2", "T-3", "T-5"))
    if not param.flags:
        return [given] * rng.choice((1, 1, 2)) if param.kind in ("rest", "any") else [given]
    flag = rng.choice(param.flags)
    return [flag] if param.kind == "flag" else rng.choice(([flag, given], [f"{flag}={given}"]))


def _word(rng: random.Random) -> str:
    """What the system can hand over as a word; no path of this machine."""
    found = rng.choice(hostile.TEXTS).replace("\0", "")
    if found.startswith("/"):
        found = f"/proc/none{found}"
    return found.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


_WHOLE: tuple[Callable[[random.Random], Case], ...] = (
    _whole_graph, _whole_graph, _whole_records, _whole_records, _whole_report, _whole_notes,
    _whole_settings, _whole_refs, _whole_refs, _whole_source, _whole_line, _whole_line,
)  # fmt: skip
