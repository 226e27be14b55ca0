"""Every file under `cases/` is read, or refused at the right place, by each of our readers.

A bug report becomes a file. `cases/valid/NAME.yaml` has beside it `NAME.json`: what it is
read as. `cases/invalid/NAME.yaml` begins with one line for each problem, in file order,

    # expect: CODE LINE:COLUMN [MESSAGE]

or, where no comment can stand, has these lines without `# expect:` in `NAME.expect`.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import slow
from hypothesis import event, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry
from world import ROOT, World

from ralphgit.errors import InvalidRecord
from ralphgit.model import characters
from ralphgit.model.task import Claim, Lifecycle
from ralphgit.records import graph_file, splice_task, yaml_nodes, yaml_reader, yaml_writer
from ralphgit.records import input_limits as texts
from ralphgit.records.input_limits import NOT_FINITE
from ralphgit.rules import lifecycle

CASES = ROOT / "tests" / "cases"
VALID = sorted((CASES / "valid").glob("*.yaml"))
INVALID = sorted((CASES / "invalid").glob("*.yaml"))
HEAD = "version: 1\ntasks:\n"
TASK = "  - id: T-1\n    title: One\n    status: pending\n"


def by_name(path: Path) -> str:
    return path.stem


def expected(case: Path) -> list[list[str]]:
    """The problems of an invalid case as [code, line:column, message or nothing]."""
    beside = case.with_suffix(".expect")
    if beside.exists():
        lines = beside.read_text(encoding="utf-8").splitlines()
    else:
        lines = []
        for line in case.read_bytes().split(b"\n"):
            if not line.startswith(b"# expect: "):
                break
            lines.append(line.removeprefix(b"# expect: ").decode())
    assert lines, f"{case.name} does not say what to expect"
    return [line.split(" ", 2) for line in lines]


def as_json(value: object) -> Any:
    """`value` as a program that reads our JSON has it."""
    return json.loads(json.dumps(value))


# -- valid -------------------------------------------------------------------------------


@pytest.mark.parametrize("case", VALID, ids=by_name)
def test_a_valid_case_is_read_as_its_json_says(case: Path) -> None:
    found = graph_file.parse(case.read_bytes(), path=case.name)
    root = {key: value for key, value in found.root.items() if key != "version"}
    wanted = json.loads(case.with_suffix(".json").read_text(encoding="utf-8"))
    assert as_json({"tasks": found.tasks, **root}) == wanted
    rows = graph_file.rows(found)
    assert [json.loads(row.json) for row in rows] == wanted["tasks"]
    for row in rows:
        stands = found.text.count("\n", 0, row.start) + 1
        assert row.line == stands
        assert 0 <= row.start < row.end <= len(found.text)


@pytest.mark.parametrize("case", VALID, ids=by_name)
def test_the_fast_and_the_exact_reader_agree(case: Path) -> None:
    text = texts.decode(case.read_bytes(), limit=texts.MAX_GRAPH_BYTES)
    assert as_json(yaml_reader.load(text)) == as_json(yaml_nodes.value(yaml_nodes.compose(text)))


@pytest.mark.parametrize("case", VALID, ids=by_name)
def test_what_we_write_is_read_as_the_same(case: Path) -> None:
    found = graph_file.parse(case.read_bytes(), path=case.name)
    text = yaml_writer.mapping({"version": 1, "tasks": as_json(found.tasks)})
    again = graph_file.parse(text.encode(), path=case.name)
    assert as_json(again.tasks) == as_json(found.tasks)


@pytest.mark.parametrize("case", VALID, ids=by_name)
def test_a_claim_changes_its_task_and_nothing_else(case: Path) -> None:
    """Or is refused as a layout that cannot be edited; then nothing is written."""
    file = graph_file.parse(case.read_bytes(), path=case.name)
    made = Claim(id="k9", by="gamma", at="t", base="b", contract="c")
    for number, task in enumerate(file.tasks[:12]):
        try:
            life = lifecycle.claimed(task["id"], Lifecycle(), made)
            text = splice_task.set_lifecycle(file, number, life)
        except InvalidRecord as error:
            assert (error.code, error.file) == ("unclear_layout", case.name)
            continue
        start, end = file.spans[number]
        assert text.startswith(file.text[:start])
        assert text.endswith(file.text[end:])
        again = graph_file.parse(text.encode(), path=case.name)
        assert again.tasks[number]["claim"]["id"] == "k9"
        others = [other for n, other in enumerate(file.tasks) if n != number]
        assert [other for n, other in enumerate(again.tasks) if n != number] == others


# -- invalid -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What one `check` of all cases says, by the name of the file."""
    world = World(tmp_path_factory.mktemp("cases"))
    world.write("ralph.toml", 'graph = ["cases/*.yaml"]\n')
    for case in (*VALID, *INVALID):
        folder = world.path / "cases"
        folder.mkdir(exist_ok=True)
        (folder / f"{case.parent.name}-{case.name}").write_bytes(case.read_bytes())
    found = world.ralph("check", "--json")
    assert (found.code, found.error, found.err) == (1, "problems_found", "")
    by_file: dict[str, list[dict[str, Any]]] = {}
    for problem in found.data["problems"]:
        by_file.setdefault(problem["file"], []).append(problem)
    return by_file


@pytest.mark.parametrize("case", INVALID, ids=by_name)
def test_an_invalid_case_is_refused_where_it_is_wrong(
    case: Path, verdicts: dict[str, list[dict[str, Any]]]
) -> None:
    found = verdicts.get(f"cases/invalid-{case.name}", [])
    told = [
        [problem["code"], f"{problem['line']}:{problem['column']}", problem["message"]]
        for problem in found
    ]
    wanted = expected(case)
    short = [full[: len(want)] for full, want in zip(told, wanted, strict=False)]
    assert (short, len(told)) == (wanted, len(wanted)), told
    assert all(problem["severity"] == "error" and problem["hint"] for problem in found)


def test_no_valid_case_has_a_problem_of_form(verdicts: dict[str, list[dict[str, Any]]]) -> None:
    """Each is a graph of its own: as one graph they have ids twice, and the like."""
    harmless = {"duplicate_id", "unknown_dependency", "duplicate_claim", "inconsistent"}
    harmless |= {"flow_style", "stale_contract", "nothing_to_verify"}
    for name, found in verdicts.items():
        if name.startswith("cases/valid-"):
            assert {problem["code"] for problem in found} <= harmless, found


@pytest.mark.parametrize("case", INVALID, ids=by_name)
def test_a_refusal_is_an_error_with_a_place(case: Path) -> None:
    data = case.read_bytes()
    try:
        found, problems = graph_file.parse_all(data, path="g.yaml")
    except InvalidRecord as one:
        problems = [one]
    else:
        if not problems:
            assert "duplicate_id" in expected(case)[0]  # of a whole graph, not of a file
            assert len({task["id"].casefold() for task in found.tasks}) < len(found.tasks)
    for error in problems:
        assert str(error) == f"g.yaml:{error.line}:{error.column}: {error.message}"
        assert 1 <= error.line <= data.count(b"\n") + 1
        assert error.hint


def test_all_cases_are_named_for_what_they_are() -> None:
    assert len(VALID) > 50
    assert len(INVALID) > 150
    files = [*CASES.glob("valid/*"), *CASES.glob("invalid/*")]
    strays = {path.suffix for path in files} - {".yaml", ".json", ".expect"}
    assert strays == set()


# -- size --------------------------------------------------------------------------------


def graph_of(size: int) -> bytes:
    """A valid graph of so many bytes."""
    head = f"{HEAD}{TASK}    description: "
    return (head + "x" * (size - len(head) - 1) + "\n").encode()


def test_a_graph_has_at_most_8_mib() -> None:
    limit = 8 * 1024 * 1024
    assert len(graph_file.parse(graph_of(limit), path="g").tasks) == 1
    with pytest.raises(InvalidRecord) as refused:
        graph_file.parse(graph_of(limit + 1), path="g")
    assert refused.value.code == "too_large"
    assert refused.value.message == "the file has 8388609 bytes, and the limit is 8388608"


def test_the_limit_of_a_graph_is_a_setting(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("task-graph.yaml", graph_of(5000).decode())
    world.write("ralph.toml", "max_graph_bytes = 4999\n")
    for command in ("list", "next", "status", "claim"):
        world.commit()
        found = world.ralph(command, "--json")
        assert (found.code, found.error) == (6, "too_large"), command
    (problem,) = world.ralph("check", "--json").data["problems"]
    assert problem["code"] == "too_large"
    # A branch cannot raise it for itself: what stands on the base counts.
    world.write("ralph.toml", "max_graph_bytes = 5000\n")
    assert world.ralph("list").code == 6
    assert world.ralph("list", env={"RALPH_MAX_GRAPH_BYTES": "5000"}).code == 0
    world.commit()
    assert world.ralph("list").code == 0


def test_a_record_has_at_most_256_kib(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(HEAD + TASK)
    path = "records/evidence/T-1/e1.yaml"
    record = "id: e1\ntask: T-1\nclaim: k1\nkind: observation\nshows: "
    record += "x" * (256 * 1024 - len(record) - 1) + "\n"
    world.write(path, record)
    assert world.ralph("check", "--json").data["problems"] == []
    world.write(path, record + "\n")
    (problem,) = world.ralph("check", "--json").data["problems"]
    assert (problem["code"], problem["file"]) == ("too_large", path)
    env = {"RALPH_MAX_RECORD_BYTES": str(256 * 1024 + 1)}
    assert world.ralph("check", env=env).code == 0


# -- bombs -------------------------------------------------------------------------------


def laughs(levels: int) -> str:
    """A billion laughs, and more: each level names the one before ten times."""
    lines = ["a0: &a0 lol\n"]
    for n in range(1, levels):
        lines.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n")
    return "".join(lines)


BOMBS = {
    "aliases": (laughs(20) + HEAD + TASK, "anchor"),
    "aliases-in-a-task": (
        f"{HEAD}{TASK}    x:\n" + laughs(20).replace("a", "      a", 1).replace("\na", "\n      a"),
        "anchor",
    ),
    "aliases-in-flow": (
        f"{HEAD}{TASK}    x: [&a [x], {', '.join(['&b [*a, *a]'] * 9)}, *b]\n",
        "anchor",
    ),
    "merge-keys": (
        "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 20)),
        "anchor",
    ),
    "alias-to-itself": (f"{HEAD}{TASK}    x: &x [*x, *x]\n", "anchor"),
    "brackets": (f"{HEAD}{TASK}    x: {'[' * 1_000_000}", "too_deep"),
    "closed-brackets": (f"{HEAD}{TASK}    x: {'[' * 500_000}{']' * 500_000}\n", "too_deep"),
    "brackets-in-pairs": (f"{HEAD}{TASK}    x: {'[[], ' * 200_000}", "too_deep"),
    "braces": (f"{HEAD}{TASK}    x: {'{a: ' * 200_000}", "too_deep"),
    "dashes": (f"{HEAD}{TASK}    x:\n      {'- ' * 500_000}", "too_deep"),
    "question-marks": (f"{HEAD}{TASK}    x:\n      {'? ' * 100_000}", "too_deep"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_quickly_and_in_little_memory(tmp_path: Path, name: str) -> None:
    text, code = BOMBS[name]
    world = World(tmp_path)
    world.write_graph(text)
    limits = 'ulimit -v 400000; ulimit -t 5; exec "$@"'
    found = world.run("sh", "-c", limits, "sh", sys.executable, "-m", "ralphgit", "list", "--json")
    assert (found.code, found.err) == (6, "")
    assert found.error == code


# -- one set of rules --------------------------------------------------------------------


@cache
def validator() -> Draft202012Validator:
    schema = json.loads((ROOT / "schemas" / "task-graph.schema.json").read_text(encoding="utf-8"))
    empty: Registry[Any] = Registry()
    return Draft202012Validator(schema, registry=empty)


#: Mappings in which a null stands for an absent field.
_INNER = ("claim", "result", "blocked", "reset", "cancelled", "scope")


def without_nulls(task: Any) -> Any:
    if not isinstance(task, dict):
        return task
    kept = {key: value for key, value in task.items() if value is not None}
    for name in _INNER:
        if isinstance(kept.get(name), dict):
            kept[name] = {key: value for key, value in kept[name].items() if value is not None}
    return kept


def assert_one_mind(file: graph_file.GraphFile, problems: list[InvalidRecord]) -> None:
    """`records.task_fields`, which read the file, and the schema accept or refuse the same."""
    document = {**file.root, "tasks": [without_nulls(task) for task in file.tasks]}
    errors = [error.message for error in validator().iter_errors(document)]
    told = [problem.message for problem in problems if problem.message != NOT_FINITE]
    assert bool(errors) == bool(told), f"schema: {errors}\nshape: {told}\n{file.text}"


@pytest.mark.parametrize("case", [*VALID, *INVALID], ids=by_name)
def test_the_schema_agrees_about_a_case(case: Path) -> None:
    try:
        file, problems = graph_file.parse_all(case.read_bytes(), path="g")
    except InvalidRecord:
        return  # not plain YAML, or not a graph: what a schema never sees
    assert_one_mind(file, problems)


FULL: list[dict[str, Any]] = [
    {
        "id": "T-1",
        "title": "One",
        "status": "complete",
        "claim": {
            "id": "k1", "by": "alpha", "at": "t", "base": "b", "contract": "c",
            "unsynchronised": True,
        },
        "result": {"id": "r1", "claim": "k1", "outcome": "done", "at": "t", "concerns": ["slow"]},
        "epoch": 1,
        "story": "S-1",
        "milestone": "first",
        "priority": 1,
        "complexity": "S",
        "risk": "low",
        "tags": ["api"],
        "depends_on": ["T-2"],
        "description": "more",
        "acceptance": ["plain", {"id": "ACC-1", "text": "with id"}],
        "verify": ["make"],
        "outputs": ["out"],
        "scope": {"write": ["src/**"], "read": ["lib"], "resources": ["db"]},
        "mode": "verify",
    },
    {
        "id": "T-2",
        "title": "Two",
        "status": "blocked",
        "claim": {"id": "k2", "by": "beta"},
        "blocked": {
            "id": "b2", "claim": "k2", "reason": "needs_context", "question": "why",
            "options": ["a"], "at": "t",
        },
    },
    {
        "id": "T-3",
        "title": "Three",
        "status": "pending",
        "reset": {"id": "s3", "claim": "k3", "by": "Ann B.", "at": "t", "reason": "gone"},
        "epoch": 1,
    },
    {
        "id": "T-4",
        "title": "Four",
        "status": "cancelled",
        "cancelled": {"id": "c4", "by": "Ann B.", "at": "t", "reason": "not needed"},
    },
]  # fmt: skip

_WORDS: tuple[str, ...] = (
    "",
    " ",
    "a",
    "a b",
    "../x",
    "a..b",
    "x.lock",
    "x" * 64,
    "x" * 65,
    "ä",
    "t\n",
    "1.10",
)
_WORDS += ("pending", "in-progress", "ready", "done", "verify", "other", "low", "true", "null")
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 7),
    st.sampled_from((0.0, 1.0, 1.5, -1.0, 1e300, float("inf"), float("nan"), 10**18, 10**30)),
    st.sampled_from(_WORDS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4).map(characters.without),
)
_KEYS = st.sampled_from(("id", "by", "text", "write", "reason", "a", "x-own"))
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=4,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) inside `value`."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in pairs:
        yield value, key
        if isinstance(child, (dict, list)):
            yield from places(child)


@given(
    start=st.sampled_from(FULL),
    seed=st.randoms(use_true_random=False),
    values=st.lists(_VALUES, min_size=1, max_size=3),
)
@slow.examples(300)
@pytest.mark.slow
def test_the_schema_agrees_about_changed_tasks(
    start: dict[str, Any], seed: random.Random, values: list[Any]
) -> None:
    task = copy.deepcopy(start)
    for value in values:
        container, key = seed.choice(list(places(task)) or [(task, "id")])
        how = seed.choice(("set", "set", "set", "remove", "add"))
        if how == "remove":
            del container[key]
        elif how == "add" and isinstance(container, list):
            container.append(value)
        else:
            container[key] = value
    data = yaml_writer.mapping({"version": 1, "tasks": [task]}).encode()
    file, problems = graph_file.parse_all(data, path="g")
    event("refused" if problems else "accepted")
    assert_one_mind(file, problems)


# -- anything at all ---------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        *(HEAD, TASK, "  - ", "    ", "\n", "id: T-1", "title: ", "status: pending", "- ", ": "),
        *("? ", "#", "[", "]", "{", "}", ",", "&a ", "*a", "!t ", "|\n", ">-\n", "'", '"', "\\"),
        *("---\n", "...\n", "<<: ", "%YAML", "\t", "\r\n", "\ufeff", "\ue000", "\ue002"),
        *("=======\n", "1e9", "~", "\x85"),
    ]
)
_TEXTS = st.lists(_PIECES | st.text(max_size=3), max_size=30).map("".join)


@pytest.mark.slow
@given(
    st.one_of(
        _TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
        _TEXTS.map(lambda text: (HEAD + TASK + text).encode("utf-8", "surrogatepass")),
        _TEXTS.map(lambda text: (HEAD + "  - " + text).encode("utf-8", "surrogatepass")),
        st.binary(max_size=40),
    )
)
@slow.examples(300)
def test_whatever_is_in_a_file_it_is_read_or_refused(data: bytes) -> None:
    try:
        file, problems = graph_file.parse_all(data, path="g")
    except InvalidRecord as error:
        event("refused")
        assert error.message
        return
    event("problems" if problems else "accepted")
    assert_one_mind(file, problems)
    if not problems:
        for row in graph_file.rows(file):
            json.loads(row.json)


@pytest.mark.parametrize("sign", ["**bold**", "*a", "! so", "!x y", "&a", "& b"])
def test_text_that_begins_like_an_indicator_needs_no_slow_look(
    sign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sign != "&a":  # where an anchor could be, an alias could expand
        monkeypatch.setattr(yaml_reader, "_explain", None)
    literal = f"a: |\n  {sign}\n  more\nb: 'x {sign}'\n"
    assert yaml_reader.load(literal) == {"a": f"{sign}\nmore\n", "b": f"x {sign}"}
    monkeypatch.undo()
    for text in (f"a: {sign}\n", f"- {sign}: b\n", f"a: [1, {sign}]\n"):
        if sign[1:2] != " ":
            with pytest.raises(InvalidRecord):
                yaml_reader.load(f"{text}b: |\n  **more\n")
