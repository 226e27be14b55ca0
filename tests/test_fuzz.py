"""Any input at all gets a typed answer: hostile files and ids, and a short `just fuzz`."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from fuzz.__main__ import run
from world import World

from ralphgit.errors import InvalidRecord
from ralphgit.model.ids import is_id
from ralphgit.records import lease_object, yaml_reader, yaml_writer

CASES = Path(__file__).resolve().parent / "cases" / "hostile"
RECORDS = sorted(CASES.glob("*/*.yaml"))
IDS = json.loads((CASES / "ids.json").read_text(encoding="utf-8"))
TASK = "version: 1\ntasks:\n  - id: T-1\n    title: One\n    status: pending\n"


#: What is wrong with a file by itself; other rules are about what the rest of the graph says.
FORM = frozenset(
    {
        *("alias", "anchor", "bad_pattern", "bad_version", "conflict_marker", "control_character"),
        *("cycle", "directive", "duplicate_id", "duplicate_key", "inconsistent", "invalid_record"),
        *("merge_key", "not_utf8", "schema", "several_documents", "syntax", "tag", "too_deep"),
        *("too_large", "unsafe_path"),
    }
)


@pytest.mark.slow
def test_some_cases_hold(tmp_path: Path) -> None:
    found = run(20261121, range(150), tmp_path)
    assert [f"{one.number}: {one.what}" for one in found.faults] == []
    assert sum(found.ended.values()) == 150


def placed(case: Path) -> str:
    """Where a case is put, as a record of its folder's kind."""
    kind = case.parent.name
    return f"graph/{case.name}" if kind == "graph" else f"records/{kind}/T-1/{case.name}"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What one `check` says of all of them, each problem as `code line:column`."""
    world = World(tmp_path_factory.mktemp("hostile"))
    world.write("ralph.toml", 'graph = ["task-graph.yaml", "graph/*.yaml"]\n')
    world.write_graph(TASK)
    for case in RECORDS:
        path = world.path / placed(case)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(case.read_bytes())
    before = world.snapshot()
    found = world.ralph("check", "--json")
    assert (found.code, found.error, found.err) == (1, "problems_found", "")
    assert world.snapshot() == before
    told: dict[str, list[str]] = {placed(case): [] for case in RECORDS}
    for one in found.data["problems"]:
        assert one["hint"], one
        if one["code"] in FORM:
            told[one["file"]].append(f"{one['code']} {one['line']}:{one['column']}")
    return told


def expected() -> dict[str, str]:
    lines = (CASES / "expected.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines)


def test_each_hostile_record_gets_its_answer(answers: dict[str, list[str]]) -> None:
    """`expected.txt` says which: its problems, or `accepted`; after ` or ` a code that will do."""
    wanted = expected()
    assert len(RECORDS) >= 150
    told = {
        f"{case.parent.name}/{case.name}": ", ".join(answers[placed(case)]) or "accepted"
        for case in RECORDS
    }
    assert told.keys() == wanted.keys()
    wrong = {
        name: said
        for name, said in told.items()
        if not {said, said.split(" ")[0]} & {*wanted[name].split(" or ")}
    }
    assert wrong == {}


def test_hostile_ids_are_ids_or_not() -> None:
    assert len(IDS["ids"]) + len(IDS["no ids"]) >= 60
    assert [word for word in IDS["ids"] if not is_id(word)] == []
    assert [word for word in IDS["no ids"] if is_id(word)] == []


def test_a_graph_has_only_ids(tmp_path: Path) -> None:
    """Each in a file of its own, one for its line; what a file system takes for one is two."""
    world = World(tmp_path)
    world.write("ralph.toml", 'graph = ["graph/*.yaml"]\n')
    words = [*IDS["ids"], *IDS["no ids"]]
    for number, word in enumerate(words):
        written = json.dumps(word)
        text = f"version: 1\ntasks:\n  - id: {written}\n    title: One\n    status: pending\n"
        world.write(f"graph/{number:03}.yaml", text)
    found = world.ralph("check", "--json")
    refused = {one["file"] for one in found.data["problems"]}
    wanted = {f"graph/{n:03}.yaml" for n, word in enumerate(words) if word in IDS["no ids"]}
    assert {file for file in refused if file >= f"graph/{len(IDS['ids']):03}"} == wanted
    assert {one["code"] for one in found.data["problems"] if one["file"] not in wanted} <= {
        "duplicate_id"
    }


def test_a_command_takes_only_ids(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(TASK)
    world.commit()
    before = world.snapshot()
    for word in IDS["no ids"]:
        found = world.ralph("show", "--json", "--", word)
        assert (found.code, found.err) == (2, ""), (word, found)
        assert json.loads(found.out)["error"]["exit"] == 2
    assert world.snapshot() == before


# -- what was found so -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"max_graph_bytes = {'9' * 5000}",
        f"max_graph_bytes = 0x{'f' * 5000}",
        f"[verify]\ntimeout = 0x{'f' * 400}",
        "max_graph_bytes = inf",
        f"records = 0x{'f' * 5000}",
        f"graph = {'[' * 2000}",
        f"graph = {'[' * 600}{']' * 600}",
        f"{'a.' * 6000}a = 1",
        f"{'a.' * 40}a = 1",
        f"# {'x' * 70_000}",
    ],
    ids=["digits", "hex", "float", "inf", "text", "open", "deep", "long-key", "key", "large"],
)
def test_settings_that_are_too_much(text: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(TASK)
    world.write("ralph.toml", text + "\n")
    found = world.ralph("list", "--json")
    assert found.code in (2, 6), found.out[-300:]
    said = found.json["error"]["message"]
    assert said.startswith(("ralph.toml", "not TOML", "it is", "the file"))
    assert len(found.out) < 1000


def test_a_graph_is_always_json(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(TASK + "    x-own:\n      - a\n      - -.inf\n")
    error = world.refused("show", "T-1", code="invalid_record", exit=6)
    assert (error["line"], error["column"], error["task"]) == (8, 9, "T-1")
    world.write_graph(TASK + "    x-own: '-.inf and .nan'\n")
    assert world.task("T-1")["x-own"] == "-.inf and .nan"


def test_evidence_is_always_json(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(TASK)
    path = "records/evidence/T-1/e1.yaml"
    world.write(path, "id: e1\ntask: T-1\nclaim: k1\nkind: command\nduration_s: .inf\n")
    world.commit()
    found = world.ralph("evidence", "list", "--json")
    assert "Infinity" not in found.out
    (told,) = [p for p in world.ralph("check", "--json").data["problems"] if p["line"] == 5]
    assert (told["code"], told["file"], told["column"]) == ("schema", path, 13)


def test_json_tasks_without_a_status_are_to_be_done(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(TASK)
    world.write("tasks.json", '[{"id": "A", "title": "First"}]\n')
    world.commit()
    assert world.ralph("import", "tasks.json").code == 0
    assert world.task("A")["status"] == "pending"


@pytest.mark.parametrize("number", ["1" + "0" * 30, "-1", "true"])
def test_a_note_with_an_odd_number_is_none(number: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(TASK)
    world.commit()
    host = json.dumps(os.uname().nodename)
    world.write(".ralph/heartbeat", f"pid: {number}\ntime: {number}\nhost: {host}\n")
    world.write(".ralph/breaker.yaml", f"failures: {number}\nopened: {number}\n")
    steps = '"steps": {}, "kind": "base", "worktree": "x", "started": "", "boot": ""'
    for value in (number, "[" * 5000):
        note = f'{{"pid": {value}, "time": {value}, "host": {host}, {steps}}}'
        world.write(".git/ralphgit/moving-base-1", note)
        for verb in ("status", "release"):
            found = world.ralph(verb, "--json")
            assert found.code in (0, 1, 8), (verb, found.out[-300:])


def test_a_long_run_of_digits_or_blanks_is_written_quickly(tmp_path: Path) -> None:
    for text in ("9" * 20_000 + "x", "_" * 20_000, " " * 20_000 + "x", "1:" * 10_000):
        began = time.process_time()
        assert yaml_reader.load(yaml_writer.mapping({"x": text})) == {"x": text}
        assert time.process_time() - began < 1


def test_a_large_record_with_many_faults_is_judged_quickly(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(TASK)
    lines = "".join("  - y\n" for _ in range(20_000))
    path = "records/evidence/T-1/e1.yaml"
    world.write(path, f"id: 7\ntask: 7\nkind: 7\nshows: 7\nclaim: 7\nx:\n{lines}")
    began = time.process_time()
    found = world.ralph("check", "--json").data["problems"]
    assert time.process_time() - began < 2
    assert {(one["line"], one["column"]) for one in found} >= {(1, 1), (2, 1), (3, 1)}


def test_a_lease_with_half_a_character_is_refused() -> None:
    with pytest.raises(InvalidRecord):
        lease_object.parse(b'task: T-1\nclaim: k1\nworktree: "\\ud800"\n', "0" * 40)
