"""Failing tests as a plan: a task for each file of tests that has some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import ryaml
from world import World

from ralphgit.errors import InvalidRecord
from ralphgit.records.importers import Imported, convert

Task = dict[str, Any]

PYTEST = """\
<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="2" failures="2" tests="5">
<testcase classname="tests.unit.test_a.TestX" name="test_one"><failure message="assert 1 == 2"/>
</testcase>
<testcase classname="tests.unit.test_a" name="test_two[a-b]"><error>a
  trace</error></testcase>
<testcase classname="tests.test_b" name="test_good"/>
<testcase classname="tests.test_c" name="test_left"><skipped/></testcase>
<testcase classname="" name="tests.test_d"><error message="collection failure"/></testcase>
</testsuite></testsuites>
"""


def read(text: str) -> Imported:
    return convert("report.xml", text.encode(), ryaml.loads)


def only(case: str, *, suites: str = "", suite: str = "", name: str = "t") -> Task:
    text = (
        f"<testsuites {suites}><testsuite {suite}>"
        f'<testcase {case} name="{name}"><failure/></testcase></testsuite></testsuites>'
    )
    (task,) = read(text).tasks
    return task


def test_a_file_with_failing_tests_is_a_task() -> None:
    found = read(PYTEST)
    assert found.tasks == (
        {
            "id": "tests-unit-test-a-py", "title": "The tests in tests/unit/test_a.py pass",
            "status": "pending",
            "description": "These tests fail:\n\n- test_one: assert 1 == 2\n"
                           "- test_two[a-b]: a trace",
            "verify": ["python -m pytest -q tests/unit/test_a.py"],
        },
        {
            "id": "tests-test-d-py", "title": "The tests in tests/test_d.py pass",
            "status": "pending",
            "description": "These tests fail:\n\n- tests.test_d: collection failure",
            "verify": ["python -m pytest -q tests/test_d.py"],
        },
    )  # fmt: skip
    assert found.notes == ("3 of 5 tests failed: a task for each file that they are in.",)


@pytest.mark.parametrize(("fields", "verify"), [
    ({"case": 'file="spec/a_spec.rb"'}, "bundle exec rspec spec/a_spec.rb"),
    ({"case": 'file="./tests/test_a.py" classname="x"'}, "python -m pytest -q tests/test_a.py"),
    ({"case": 'classname="A b"', "suites": 'name="jest tests"', "suite": 'file="src/a.test.ts"'},
     "npx jest src/a.test.ts"),
    ({"case": 'classname="src/a.test.ts"', "suites": 'name="vitest tests"'},
     "npx vitest run src/a.test.ts"),
    ({"case": 'classname="A b"', "suite": 'name="src/[id]/a.test.ts"'},
     "npm test -- 'src/[id]/a.test.ts'"),
    ({"case": 'file="src\\a.test.js"'}, "npm test -- src/a.test.js"),
])  # fmt: skip
def test_how_a_file_of_tests_is_run(fields: dict[str, str], verify: str) -> None:
    assert only(**fields)["verify"] == [verify]


@pytest.mark.parametrize("case", [
    'classname="com.example.FooTest"', 'file="../a/test_x.py" classname="x"',
    'file="/tmp/test_x.py" classname="x"', 'file="; rm -rf x.py" classname="x"',
])  # fmt: skip
def test_what_cannot_be_run_is_said(case: str) -> None:
    task = only(case)
    assert "verify" not in task
    assert task["acceptance"][0]["text"].startswith("all tests in ")


def test_ids_of_names_that_are_alike_or_long_differ() -> None:
    names = ["a/b.py", "a_b.py", f"{'long/' * 9}a.py", f"{'long/' * 9}b.py"]
    cases = "".join(f'<testcase file="{name}" name="t"><failure/></testcase>' for name in names)
    ids = [str(task["id"]) for task in read(f"<testsuite>{cases}</testsuite>").tasks]
    assert len(set(ids)) == 4
    assert all(len(id) <= 40 for id in ids)


@pytest.mark.parametrize(("text", "says"), [
    ("<testsuite><testcase name='t'/></testsuite>", "none of the 1 tests in this file has failed"),
    ("<testsuite><testcase></testsuite>", "this is not XML: mismatched tag"),
    ('<?xml version="1.0"?><testsuite>\n<!DOCTYPE a [<!ENTITY b "c">]></testsuite>',
     "an XML file with a document type is not read"),
])  # fmt: skip
def test_other_files_are_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read(text)
    assert caught.value.message == says


def test_failing_tests_become_a_plan(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("report.xml", PYTEST)
    done = world.ralph("import", "--junit", "report.xml", "--json")
    assert done.data["added"] == ["tests-unit-test-a-py", "tests-test-d-py"]
    again = world.ralph("import", "report.xml", "--json").data
    assert (again["added"], again["updated"]) == ([], [])

    mended = PYTEST.replace('<error message="collection failure"/>', "")
    world.write("report.xml", mended)
    assert world.ralph("import", "--junit", "report.xml", "--json").data["removed"] == [
        "tests-test-d-py"
    ]
    world.write("tasks.md", "- [ ] a\n")
    refused = world.ralph("import", "--junit", "tasks.md", "--json")
    assert (refused.code, refused.json["error"]["message"]) == (6, "this is no JUnit report")
    both = world.ralph("import", "--junit", "--format", "beads", "report.xml")
    assert both.code == 2


CART = """\
<testsuite name="pytest" timestamp="{at}"><testcase classname="tests.test_cart" name="t">
<failure message="{why}"/></testcase></testsuite>
"""
ID = "tests-test-cart-py"


def finished(world: World, at: str) -> None:
    result = (
        "status: complete\n    claim: {id: c1, by: alpha, at: t, base: b}\n"
        f'    result: {{id: r1, claim: c1, outcome: done, at: "{at}"}}\n'
    )
    world.write_graph(world.read().replace("status: pending\n", result, 1))


@pytest.mark.parametrize(
    ("at", "why", "fails_again"),
    [
        ("2026-01-02T10:00:00+00:00", "one", True),
        ("2026-01-02T10:00:00.5+02:00", "two", False),
        ("2026-01-01T10:00:00Z", "one", False),
        # Without a zone, or a time, what is said tells a new run from the same report.
        ("2026-01-02T10:00:00", "one", False),
        ("", "two", True),
    ],
)
def test_a_test_that_fails_again_is_new_work(
    tmp_path: Path, at: str, why: str, fails_again: bool
) -> None:
    """What is complete never changes: who has red tests wants a task that somebody can take."""
    world = World(tmp_path)
    world.write("report.xml", CART.format(at="2026-01-01T10:00:00Z", why="one"))
    assert world.ralph("import", "report.xml").code == 0
    finished(world, "2026-01-02T09:00:00Z")
    before = world.task(ID)
    world.write("ci.xml", CART.format(at=at, why=why))
    data = world.ralph("import", "ci.xml", "--json").data
    assert data["added"] == ([f"{ID}-2"] if fails_again else [])
    assert (data["updated"], data["removed"]) == ([], [])
    assert world.task(ID) == before
    said = f"{ID} is complete here, " + (
        f"and fails again: {ID}-2 is new." if fails_again
        else "since this was found: it stays as it is."
    )  # fmt: skip
    assert said in " ".join(data["notes"]).replace("complete here since", "complete here, since")
    again = world.ralph("import", "ci.xml", "--json").data
    assert (again["added"], again["updated"], again["removed"]) == ([], [], [])


def test_what_was_cancelled_stays_so_and_says_how_to_reopen(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("report.xml", CART.format(at="", why="one"))
    assert world.ralph("import", "report.xml").code == 0
    assert world.ralph("edit", ID, "--cancel", "not now").code == 0
    before = world.task(ID)
    world.write("report.xml", CART.format(at="", why="two"))
    data = world.ralph("import", "report.xml", "--json").data
    assert (data["added"], data["updated"], world.task(ID)) == ([], [], before)
    assert (
        f"{ID} is cancelled here, and fails: ralphgit reset {ID} --reopen --reason TEXT"
        in (data["notes"])
    )
