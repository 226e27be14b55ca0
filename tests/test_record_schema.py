"""Records are judged quickly where they are valid, and in words where not: both say the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import ryaml
import slow
from hypothesis import given
from hypothesis import strategies as some
from jsonschema import Draft202012Validator

from ralphgit.records import input_limits, schema_validation, schemas

_CASES = Path(__file__).resolve().parent / "cases"
_AT = "2026-11-21T10:00:00Z"
_RECORDS: dict[str, list[dict[str, Any]]] = {
    "evidence": [
        {
            "id": "e1", "task": "T-1", "claim": "9k2vq07x3m", "kind": "command", "supports": [],
            "shows": "the command exits 0", "command": "true", "command_digest": "0" * 64,
            "exit_code": 0, "duration_s": 0.5, "started_at": _AT,
            "output": {"sha256": "0" * 64, "bytes": 0, "tail": ""},
            "subject": {"commit": "0" * 40, "tree": "0" * 40, "scope_digest": "0" * 64},
        },
        {
            "id": "e2", "task": "T-1", "claim": "9k2vq07x3m", "kind": "observation", "by": "alpha",
            "at": _AT, "supports": [{"criterion": "AC-1", "verdict": "supports"}],
            "shows": "it works", "does_not_show": "the rest",
            "subject": {"commit": "0" * 40, "tree": "0" * 40, "scope_digest": "0" * 64},
        },
    ],
    "audit": [
        {"id": "9k2vq07x3m", "kind": "event", "task": "T-1", "claim": "9k2vq07x3m",
         "events": [{"event": "claimed", "at": _AT, "by": "a", "from": "pending",
                     "to": "in-progress"}]},
    ],
    "guidance": [
        {"id": "g1", "task": "T-1", "claim": "9k2vq07x3m", "question": "Which?", "options": ["A"],
         "at": _AT, "by": "alpha", "answer": {"text": "A", "by": "ann", "at": _AT}},
    ],
}  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.0, 1.5, 10**30, -(10**30), 1e308, "", " ", "a", "A.lock",
    "a\n", "a..b", "x" * 65, "é", "../x", "a/b", "2026-11-21", "2026-11-21T10:00:00Z", "\ud800",
    [], ["a"], ["a", "a"], [1], {}, {"a": 1}, {1: 2}, [[]], "T-1", "command", "passed",
)  # fmt: skip


def _places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    pairs = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else pairs
    for key, inner in items:
        yield from _places(inner, (*path, key))


@some.composite
def records(draw: some.DrawFn) -> tuple[str, object]:
    """A record like those above, with some of its values put out, put in or replaced."""
    kind = draw(some.sampled_from(sorted(_RECORDS)))
    record: Any = copy.deepcopy(draw(some.sampled_from(_RECORDS[kind])))
    fields = [*json.loads(schemas.read(kind)).get("properties", {}), "more"]
    for _ in range(draw(some.integers(0, 3))):
        value = copy.deepcopy(draw(some.sampled_from(_VALUES)))
        if draw(some.booleans()):
            record[draw(some.sampled_from(fields))] = value
            continue
        path = draw(some.sampled_from([*_places(record)][1:] or [("more",)]))
        place = record
        for key in path[:-1]:
            place = place[key]
        if draw(some.booleans()) and isinstance(place, dict):
            place.pop(path[-1], None)
        else:
            place[path[-1]] = value
    return kind, record


def exact(kind: str, value: object) -> list[str]:
    """What jsonschema alone says is wrong."""
    return [error.message for error in _validator(kind).iter_errors(value)]


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schemas.read(kind)))


@slow.examples(200)
@given(records())
def test_what_is_taken_for_valid_is_valid(drawn: tuple[str, object]) -> None:
    kind, value = drawn
    wrong = exact(kind, value)
    assert schema_validation._is_valid(kind, value) <= (wrong == []), wrong
    assert bool([*schema_validation.problems(kind, value)]) == bool(wrong)


@pytest.mark.parametrize("kind", sorted(_RECORDS))
def test_every_file_of_the_cases_is_judged_as_jsonschema_judges_it(kind: str) -> None:
    seen = 0
    for path in sorted(_CASES.rglob("*.yaml")):
        try:
            value = ryaml.loads(path.read_text("utf-8"))
        except (ValueError, ryaml.InvalidYamlError):
            continue
        seen += 1
        wrong = exact(kind, value)
        assert schema_validation._is_valid(kind, value) <= (wrong == []), path
        if not [*input_limits.not_finite(value)]:
            assert bool([*schema_validation.problems(kind, value)]) == bool(wrong), path
    assert seen > 100


def test_words_name_the_place() -> None:
    record = {**_RECORDS["guidance"][0], "question": 5}
    found = dict(schema_validation.problems("guidance", record))
    assert list(found) == [("question",)]
    assert found["question",].startswith("question: 5 ")


def test_the_samples_are_valid() -> None:
    for kind, samples in _RECORDS.items():
        for sample in samples:
            assert exact(kind, sample) == []
            assert schema_validation._is_valid(kind, sample)
