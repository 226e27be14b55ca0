"""Every rule of the gate has a good and a bad case, a page, and nothing else can be reported."""

from __future__ import annotations

import ast
import json

import pytest
import rulecases
from rules_page import page
from world import ROOT, World

from ralphgit.rules.gate_rules import RULES

CASES = rulecases.all_cases()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("rules"))
    rulecases.repository(made, CASES)
    return made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_judged_as_it_says(world: World, case: rulecases.Case) -> None:
    found = world.ralph("check", *case.words, "--json").json
    told = [
        f"{p['severity']} {p['code']} "
        f"{p['file'].removeprefix(f'{case.name}/branch:')}:{p['line']}:{p['column']} "
        f"{p['task'] or '-'}"
        for p in found["data"]["problems"]
    ]
    assert told == case.expected
    codes = {problem["code"] for problem in found["data"]["problems"]}
    assert (case.rule in codes) == (case.kind == "bad")
    assert found["ok"] == (not any(line.startswith("error") for line in told))
    for problem in found["data"]["problems"]:
        if problem["code"] == case.rule:
            rule = RULES[case.rule]
            assert problem["severity"] == rule.level


def test_the_gate_of_a_merge_stops_what_it_is_there_for() -> None:
    """Identical claims, edited evidence, a completion without evidence, a file outside the scope,
    a cycle, a stale contract, a lost claim, a moved one: each alone, with `--base`.
    """
    stops = ["inconsistent", "edited_evidence", "missing_evidence", "outside_scope", "cycle"]
    stops += ["stale_contract", "claim_lost", "moved_claim"]
    seeded = {case.rule: case for case in CASES if case.kind == "bad"}
    for stop in stops:
        assert seeded[stop].words[0] == "--base"
        assert any(line.startswith(f"error {stop} ") for line in seeded[stop].expected)


def test_every_rule_has_a_good_and_a_bad_case() -> None:
    assert [case.name for case in CASES] == [
        f"{code}-{kind}" for code in sorted(RULES) for kind in ("bad", "good")
    ]


def test_a_rule_is_whole_sentences() -> None:
    for rule in RULES.values():
        for text in (rule.summary, rule.why, rule.fix):
            assert text.endswith(".") and text == text.strip() and "  " not in text, rule
        assert rule.level in ("error", "warning")


@pytest.mark.slow
def test_nothing_is_reported_that_is_no_rule() -> None:
    """Each code that stands in what the gate is made of; the schema holds each answer to it."""
    schema = json.loads((ROOT / "schemas" / "output.schema.json").read_text())
    assert schema["$defs"]["problem"]["properties"]["code"]["enum"] == sorted(RULES)
    sources = [ROOT / "ralphgit/rules/branch_changes.py", *(ROOT / "ralphgit/app").rglob("*.py")]
    made = {"Problem", "in_file", "Fault"}
    codes = set()
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in made:
                first = [*(k.value for k in node.keywords if k.arg == "code"), *node.args][0]
                if isinstance(first, ast.Constant):
                    codes.add(first.value)
    assert len(codes) > 25
    assert codes <= set(RULES)


def test_the_rule_reference_is_as_the_table() -> None:
    """`just rules` rewrites it."""
    assert (ROOT / "docs" / "rules.md").read_text() == page()
