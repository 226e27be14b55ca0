"""The schemas: valid, self-contained, in step with the model, and strict where they should be."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import ryaml
from jsonschema import Draft202012Validator
from referencing import Registry

from ralphgit import errors
from ralphgit.model import ids, task_row, task_status

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "task-graph.yaml"
SCHEMAS: dict[str, dict[str, Any]] = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "schemas").glob("*.schema.json"))
}

#: The example task of SPEC 3.1, to the letter.
SPEC_GRAPH = """\
version: 1
tasks:
  - id: T-024-02
    title: Create SvelteKit API client module
    status: in-progress
    claim:
      id: 9k2vq07x3m
      by: alpha
      at: "2026-11-21T10:00:00Z"
      base: 3f2a9c1d5e60
      contract: 6b1f0c3a9d27
    epoch: 1
    story: S-024
    priority: 1
    complexity: S
    depends_on:
      - T-024-01
    description: >-
      One place that knows the API URL, errors and retries.
    acceptance:
      - id: ACC-1
        text: every call goes through the client
    verify:
      - npm test -- api-client
    outputs:
      - src/lib/api/client.ts
    scope:
      write: [src/lib/api/**]
      read: [src/lib/types.ts]
      resources: [package-lock.json]
    mode: parallel
"""

AT = "2026-11-21T10:00:00Z"
SHOWN = {
    "id": "T-1",
    "title": "One",
    "status": "pending",
    "state": "waiting",
    "holder": None,
    "stale": False,
    "blocked_on": ["T-0"],
    "file": "task-graph.yaml",
    "line": 3,
}
HOLDER = {"worker": "beta", "where": "worktree ../proj-beta", "since": AT}


def answer(kind: str, data: object) -> dict[str, Any]:
    """A yes of the command `kind`."""
    return {
        "schema_version": 1,
        "kind": kind,
        "ok": True,
        "data": data,
        "warnings": [],
        "error": None,
    }


#: One full document of every shape; the bad ones below are these with one thing changed.
GOOD: dict[str, Any] = {
    "task-graph": {
        "version": 1,
        "project": {"name": "other root keys are allowed"},
        "tasks": [
            {
                "id": "T-1",
                "title": "One",
                "status": "complete",
                "claim": {"id": "k1", "by": "alpha", "unsynchronised": True},
                "result": {"id": "r1", "outcome": "done", "at": AT, "concerns": "none"},
                "acceptance": ["a plain text", {"id": "ACC-1", "text": "with an id"}],
                "risk": "low",
                "tags": ["api"],
                "milestone": "first",
                "x-own": {"unknown": "fields are allowed"},
            },
            {
                "id": "T-2",
                "title": "Two",
                "status": "blocked",
                "claim": {"id": "k2", "by": "beta"},
                "blocked": {
                    "id": "b2",
                    "reason": "needs_context",
                    "question": "Which?",
                    "options": ["this", "that"],
                    "at": AT,
                },
            },
            {
                "id": "T-3",
                "title": "Three",
                "status": "pending",
                "reset": {"id": "s3", "claim": "k3", "by": "Ann B.", "at": AT, "reason": "dead"},
                "epoch": 1,
            },
            {
                "id": "T-4",
                "title": "Four",
                "status": "cancelled",
                "cancelled": {"id": "c4", "by": "Ann B.", "at": AT, "reason": "not needed"},
            },
        ],
    },
    "evidence": {
        "id": "e1",
        "task": "T-1",
        "claim": "k1",
        "kind": "command",
        "supports": [{"criterion": "ACC-1", "verdict": "partially-supports"}],
        "shows": "the tests pass",
        "does_not_show": "that they test the right thing",
        "command": "make test",
        "command_digest": "0123456789ab",
        "exit_code": 0,
        "started_at": AT,
        "duration_s": 1.5,
        "output": {"sha256": "0" * 64, "bytes": 3, "tail": "ok\n"},
        "subject": {"commit": "3f2a9c1d5e60", "tree": "6b1f0c3a9d27", "scope_digest": "9d27"},
    },
    "audit": {
        "id": "k1",
        "kind": "event",
        "task": "T-1",
        "events": [
            {
                "at": AT,
                "event": "claimed",
                "by": "alpha",
                "from": "ready",
                "to": "in-progress",
                "note": "again",
            },
            {"at": AT, "event": "noted", "by": "beta", "note": "the port is 8080"},
        ],
    },
    "review": {
        "id": "v1",
        "kind": "review",
        "task": "T-1",
        "target": "main..alpha",
        "by": "gamma",
        "lenses": ["security"],
        "context_reviewed": ["SPEC.md"],
        "findings": [{"id": "FIND-1", "severity": "high", "text": "a hole", "disposition": "open"}],
        "verdict": "changes-needed",
        "residual_risk": "unknown callers",
    },
    "guidance": {
        "id": "g1",
        "task": "T-1",
        "claim": "k1",
        "question": "Which port?",
        "options": ["80", "8080"],
        "at": AT,
        "by": "alpha",
        "answer": {"text": "8080", "by": "Ann B.", "at": AT},
    },
    "packet": {
        "task": "T-1",
        "claim": "k1",
        "worker": "alpha",
        "mission": "Do one thing.",
        "governing_ids": ["S-1", "ACC-1"],
        "acceptance": [{"id": "ACC-1", "text": "it is done"}],
        "scope": {"write": ["src/**"], "read": [], "resources": []},
        "may_change": ["src/**"],
        "verify": ["make test"],
        "outputs": ["src/one"],
        "posture": "test-first",
        "source": {"base": "3f2a9c1d5e60", "clean": True},
        "guidance": [{"question": "Which port?", "answer": "8080"}],
        "stop_conditions": ["a file outside the write scope has to change"],
        "output_contract": {"report": ".ralph/report.yaml", "statuses": ["done", "blocked"]},
    },
    "report": {
        "status": "done_with_concerns",
        "summary": "Did one thing.",
        "concerns": ["the clock"],
        "question": "",
        "options": [],
    },
    "config": {
        "graph": ["task-graph.yaml", "graph/*.yaml"],
        "records": "records",
        "base": "main",
        "remote": "origin",
        "lease": "remote",
        "worker": "alpha",
        "story": "S-1",
        "require_remote": True,
        "max_graph_bytes": 1000,
        "max_record_bytes": 1000,
        "verify": {"timeout": 0.5, "env": ["PATH", "HOME"]},
        "fetch": {"timeout": 30},
        "agent": {"command": "claude", "timeout": 3600},
        "land": {
            "mode": "pr",
            "via": "gh",
            "auto_merge": True,
            "method": "squash",
            "poll": 30,
        },
        "batch": {"at_once": 2},
        "notify": {"command": "notify-send ralphgit"},
        "worktree": {"setup": "npm ci"},
    },
    "next": answer("next", {"tasks": [SHOWN]}),
    "list": answer("list", {"tasks": []}),
    "status": answer(
        "status",
        {
            "base": "origin/main",
            "counts": {"ready": 1, "in-review": 2},
            "tasks": [SHOWN],
            "workers": [{"worker": "alpha", "task": "T-1", "state": "working"}],
            "attention": ["T-2 is blocked"],
        },
    ),
    "check": answer("check", {"problems": []}),
    "problems": {
        **answer("check", None),
        "ok": False,
        "data": {
            "problems": [
                {
                    "code": "cycle",
                    "severity": "error",
                    "file": "task-graph.yaml",
                    "line": 3,
                    "column": 5,
                    "task": None,
                    "message": "T-1 waits for itself",
                }
            ]
        },
        "error": {"code": "refused", "exit": 1, "message": "1 problem"},
    },
    "diff": answer(
        "diff",
        {
            "changes": [
                {
                    "task": "T-1",
                    "change": "claim",
                    "from": None,
                    "to": "in-progress",
                    "by": "alpha",
                    "evidence": "fresh",
                }
            ]
        },
    ),
    "independence": answer(
        "independence",
        {
            "conflicts": [{"a": "T-1", "b": "T-2", "reason": "scope", "paths": ["src/**"]}],
            "groups": [["T-1", "T-3"], ["T-2"]],
        },
    ),
    "batch-plan": answer(
        "batch",
        {
            "groups": [["T-1", "T-2"]],
            "notes": [""],
            "left": [{"task": "T-3", "state": "blocked", "waits_for": [], "needs": []}],
        },
    ),
    "batch-run": {
        **answer("batch", None),
        "ok": False,
        "data": {
            "tasks": [
                {
                    "task": "T-1",
                    "outcome": "blocked",
                    "why": "Which?",
                    "worker": "b1",
                    "claim": None,
                    "command": None,
                },
            ],
            "complete": "BATCH_COMPLETE T-1=blocked",
        },
        "error": {"code": "blocked", "exit": 7, "message": "...", "hint": ""},
    },
    "other-kind": answer("completion", {"any": "shape"}),
    # The example of SPEC 6.
    "refused": {
        "schema_version": 1,
        "kind": "claim",
        "ok": False,
        "data": None,
        "warnings": [],
        "error": {
            "code": "claim_held",
            "exit": 5,
            "message": "...",
            "task": "T-1",
            "holder": HOLDER,
            "hint": "git ralph next",
        },
    },
    "import": answer(
        "import",
        {
            "added": ["T-1"],
            "updated": [],
            "unchanged": [],
            "stories": {"added": ["S-1"], "updated": []},
            "milestones": {"added": [], "updated": ["M-1"]},
            "removed": ["T-0"],
            "dropped": ["meta"],
            "notes": ["T-1 has no title."],
            "read": 1,
            "kept": [],
            "ignored": [{"file": "p.md", "lines": [3], "reason": "a box without words"}],
            "file": "g.yaml",
            "dry_run": False,
            "text": None,
        },
    ),
    "export": answer("export", {"format": "jsonl", "tasks": 1, "file": None, "text": "{}"}),
    "page": answer("report", {"file": "r.html", "tasks": 1, "bytes": 9, "text": None}),
    # A refusal may show what is missing in place of the task.
    "refused-with-data": {
        **answer("complete", {"missing": ["src/one"]}),
        "ok": False,
        "error": {"code": "refused", "exit": 1, "message": "an output is missing"},
    },
    **{
        kind: answer(kind, {"task": {**SHOWN, "state": "in-progress", "holder": HOLDER}})
        for kind in ("show", "claim", "complete", "reset", "block", "release")
    },
}


def schema_of(name: str) -> dict[str, Any]:
    """The schema that the good document `name` is written for."""
    return SCHEMAS["audit" if name == "review" else name if name in SCHEMAS else "output"]


def problems(schema: dict[str, Any], document: object) -> list[tuple[str, str]]:
    """Path and message of every error; the empty registry lets no reference leave the file."""
    found = Draft202012Validator(schema, registry=Registry()).iter_errors(document)
    return sorted((error.json_path, error.message) for error in found)


def nodes(node: object, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in a schema, with its JSON pointer."""
    if isinstance(node, dict):
        yield path, node
        for key, child in node.items():
            yield from nodes(child, f"{path}/{key}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from nodes(child, f"{path}/{index}")


GONE = object()


def changed(document: object, path: str, value: object) -> Any:
    """`document` with the value at the dotted `path` replaced, added or (GONE) removed."""
    whole = copy.deepcopy(document)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = whole
    for step in parents:
        place = place[step]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return whole


# The schemas themselves


def test_there_is_a_schema_for_every_kind_of_file() -> None:
    assert list(SCHEMAS) == [
        "archive",
        "audit",
        "config",
        "evidence",
        "guidance",
        "output",
        "packet",
        "report",
        "task-graph",
    ]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_and_named_after_its_file(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:ralphgit:schema:{name}:1"


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_reference_stays_in_the_file_and_every_definition_is_used(name: str) -> None:
    schema = SCHEMAS[name]
    here = {path for path, _ in nodes(schema)}
    used = {node["$ref"] for _, node in nodes(schema) if "$ref" in node}
    assert used <= here
    assert used == {f"#/$defs/{name}" for name in schema.get("$defs", {})}
    assert not any("$dynamicRef" in node for _, node in nodes(schema))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_property_is_described_in_one_sentence(name: str) -> None:
    conditions = re.compile(r"/(if|then|else|not)(/|$)")
    undescribed = [
        f"{path}/{key}"
        for path, node in nodes(SCHEMAS[name])
        if path.endswith("/properties") and not conditions.search(path)
        for key, child in node.items()
        if not re.fullmatch(r"[A-Z0-9][^\n]*[^.]\.", child.get("description", ""))
    ]
    assert undescribed == []


def test_a_definition_is_the_same_in_every_schema() -> None:
    first: dict[str, tuple[str, object]] = {}
    for name, schema in SCHEMAS.items():
        for key, definition in schema.get("$defs", {}).items():
            owner, expected = first.setdefault(key, (name, definition))
            assert definition == expected, f"{key} differs between {owner} and {name}"


def test_only_the_configuration_and_the_archive_refuse_unknown_keys() -> None:
    closed = {
        name
        for name, schema in SCHEMAS.items()
        for _, node in nodes(schema)
        if node.get("additionalProperties") is False or "unevaluatedProperties" in node
    }
    assert closed == {"archive", "config"}


# In step with the model


def test_the_words_are_those_of_the_model() -> None:
    defs = SCHEMAS["output"]["$defs"]
    task, blocked, result = (defs[name]["properties"] for name in ("task", "blocked", "result"))
    assert set(defs["status"]["enum"]) == set(task_status.STATUS_OF)
    assert set(defs["state"]["enum"]) == set(task_status.State)
    assert set(task["mode"]["enum"]) == set(task_status.Mode)
    assert set(blocked["reason"]["enum"]) == set(task_status.Reason)
    assert set(result["outcome"]["enum"]) == set(task_status.Outcome)
    assert task["priority"]["default"] == task_row.DEFAULT_PRIORITY
    assert (
        range(task["priority"]["minimum"], task["priority"]["maximum"] + 1)
        == task_status.PRIORITIES
    )


def test_every_exit_code_of_an_error_is_known() -> None:
    def tree(kind: type[errors.RalphError]) -> Iterator[type[errors.RalphError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from tree(child)

    error = SCHEMAS["output"]["$defs"]["error"]
    shown = [
        {"code": kind.code, "exit": kind.exit_code, "message": "no"}
        for kind in tree(errors.RalphError)
    ]
    assert [problems(error, document) for document in shown] == [[]] * len(shown)


IDS = (
    "a",
    "0",
    "T-024-02",
    "a.b_c-d",
    "x" * 64,
    "T-1.locks",
    "a.lock.b",
    "lock",
    "",
    "x" * 65,
    "-a",
    ".a",
    "_a",
    "a..b",
    "a.",
    "a.lock",
    "a b",
    "a/b",
    "a\n",
    "a\nb",
    "ä",
    "a\u0661",
)


@pytest.mark.parametrize("text", IDS)
def test_the_id_grammar_is_that_of_the_model(text: str) -> None:
    accepted = problems(SCHEMAS["task-graph"]["$defs"]["id"], text) == []
    assert accepted == ids.is_id(text)


# Good and bad documents


@pytest.mark.parametrize("name", GOOD)
def test_a_good_document_is_valid(name: str) -> None:
    assert problems(schema_of(name), GOOD[name]) == []


def test_the_task_of_the_specification_is_valid() -> None:
    assert problems(SCHEMAS["task-graph"], ryaml.loads(SPEC_GRAPH)) == []


@pytest.mark.parametrize("word", task_status.STATUS_OF)
def test_a_status_of_another_tool_is_read(word: str) -> None:
    document = changed(GOOD["task-graph"], "tasks.0.status", word)
    assert problems(SCHEMAS["task-graph"], document) == []


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("config", "graph", "task-graph.yaml"),
        ("config", "verify.env", "inherit"),
        ("config", "verify.env", []),
        ("report", "concerns", "one text"),
        ("guidance", "answer", GONE),
        ("evidence", "kind", "observation"),
        ("status", "data.base", {"branch": "main", "commit": "3f2a9c1d5e60"}),
    ],
)
def test_another_good_form_is_valid(name: str, path: str, value: object) -> None:
    assert problems(schema_of(name), changed(GOOD[name], path, value)) == []


#: Good document, what to change in it, the new value, where the only error is then reported.
BAD: list[tuple[str, str, object, str]] = [
    ("task-graph", "version", GONE, "$"),
    ("task-graph", "version", "1", "$.version"),
    ("task-graph", "version", "1.0", "$.version"),
    ("task-graph", "version", 2, "$.version"),
    ("task-graph", "version", True, "$.version"),
    ("task-graph", "tasks", GONE, "$"),
    ("task-graph", "tasks", {}, "$.tasks"),
    ("task-graph", "tasks", None, "$.tasks"),
    ("task-graph", "tasks.1", "T-2", "$.tasks[1]"),
    ("task-graph", "tasks.0.id", GONE, "$.tasks[0]"),
    ("task-graph", "tasks.0.id", 1, "$.tasks[0].id"),
    ("task-graph", "tasks.0.id", "T..1", "$.tasks[0].id"),
    ("task-graph", "tasks.0.id", "T-1.", "$.tasks[0].id"),
    ("task-graph", "tasks.0.id", "T-1.lock", "$.tasks[0].id"),
    ("task-graph", "tasks.0.id", "x" * 65, "$.tasks[0].id"),
    ("task-graph", "tasks.0.title", GONE, "$.tasks[0]"),
    ("task-graph", "tasks.0.title", "", "$.tasks[0].title"),
    ("task-graph", "tasks.0.title", ["One"], "$.tasks[0].title"),
    ("task-graph", "tasks.0.status", GONE, "$.tasks[0]"),
    ("task-graph", "tasks.0.status", "doing", "$.tasks[0].status"),
    ("task-graph", "tasks.0.status", "in_progress", "$.tasks[0].status"),
    ("task-graph", "tasks.0.priority", 6, "$.tasks[0].priority"),
    ("task-graph", "tasks.0.priority", -1, "$.tasks[0].priority"),
    ("task-graph", "tasks.0.priority", "1", "$.tasks[0].priority"),
    ("task-graph", "tasks.0.priority", True, "$.tasks[0].priority"),
    ("task-graph", "tasks.0.complexity", 3, "$.tasks[0].complexity"),
    ("task-graph", "tasks.0.depends_on", "T-2", "$.tasks[0].depends_on"),
    ("task-graph", "tasks.0.depends_on", ["T-2", "T 3"], "$.tasks[0].depends_on[1]"),
    ("task-graph", "tasks.0.story", "a/b", "$.tasks[0].story"),
    ("task-graph", "tasks.0.epoch", -1, "$.tasks[0].epoch"),
    ("task-graph", "tasks.0.epoch", 1.5, "$.tasks[0].epoch"),
    ("task-graph", "tasks.0.claim", None, "$.tasks[0].claim"),
    ("task-graph", "tasks.0.claim", "alpha", "$.tasks[0].claim"),
    ("task-graph", "tasks.0.claim.id", GONE, "$.tasks[0].claim"),
    ("task-graph", "tasks.0.claim.id", 100000.0, "$.tasks[0].claim.id"),
    ("task-graph", "tasks.0.claim.by", GONE, "$.tasks[0].claim"),
    ("task-graph", "tasks.0.claim.by", "a b", "$.tasks[0].claim.by"),
    ("task-graph", "tasks.0.claim.at", 20261121, "$.tasks[0].claim.at"),
    ("task-graph", "tasks.0.claim.base", 3, "$.tasks[0].claim.base"),
    ("task-graph", "tasks.0.claim.contract", 6, "$.tasks[0].claim.contract"),
    ("task-graph", "tasks.0.claim.unsynchronised", "yes", "$.tasks[0].claim.unsynchronised"),
    ("task-graph", "tasks.0.result.id", GONE, "$.tasks[0].result"),
    ("task-graph", "tasks.0.result.outcome", GONE, "$.tasks[0].result"),
    ("task-graph", "tasks.0.result.outcome", "failed", "$.tasks[0].result.outcome"),
    ("task-graph", "tasks.0.result.at", GONE, "$.tasks[0].result"),
    ("task-graph", "tasks.0.result.concerns", {}, "$.tasks[0].result.concerns"),
    ("task-graph", "tasks.0.result.concerns", [1], "$.tasks[0].result.concerns[0]"),
    ("task-graph", "tasks.0.result.claim", "k 1", "$.tasks[0].result.claim"),
    ("task-graph", "tasks.0.acceptance", "it works", "$.tasks[0].acceptance"),
    ("task-graph", "tasks.0.acceptance.0", "", "$.tasks[0].acceptance[0]"),
    ("task-graph", "tasks.0.acceptance.0", 1, "$.tasks[0].acceptance[0]"),
    ("task-graph", "tasks.0.acceptance.1.id", GONE, "$.tasks[0].acceptance[1]"),
    ("task-graph", "tasks.0.acceptance.1.text", GONE, "$.tasks[0].acceptance[1]"),
    ("task-graph", "tasks.0.verify", "make test", "$.tasks[0].verify"),
    ("task-graph", "tasks.0.verify", [""], "$.tasks[0].verify[0]"),
    ("task-graph", "tasks.0.outputs", [None], "$.tasks[0].outputs[0]"),
    ("task-graph", "tasks.0.scope", ["src"], "$.tasks[0].scope"),
    ("task-graph", "tasks.0.scope", {"write": "src"}, "$.tasks[0].scope.write"),
    ("task-graph", "tasks.0.scope", {"read": [1]}, "$.tasks[0].scope.read[0]"),
    ("task-graph", "tasks.0.scope", {"resources": {}}, "$.tasks[0].scope.resources"),
    ("task-graph", "tasks.0.mode", "alone", "$.tasks[0].mode"),
    ("task-graph", "tasks.0.risk", "some", "$.tasks[0].risk"),
    ("task-graph", "tasks.0.description", ["a"], "$.tasks[0].description"),
    ("task-graph", "tasks.0.tags", "api", "$.tasks[0].tags"),
    ("task-graph", "tasks.0.milestone", 1, "$.tasks[0].milestone"),
    ("task-graph", "tasks.1.blocked.id", GONE, "$.tasks[1].blocked"),
    ("task-graph", "tasks.1.blocked.reason", "tired", "$.tasks[1].blocked.reason"),
    ("task-graph", "tasks.1.blocked.question", None, "$.tasks[1].blocked.question"),
    ("task-graph", "tasks.1.blocked.options", "this", "$.tasks[1].blocked.options"),
    ("task-graph", "tasks.2.reset.id", GONE, "$.tasks[2].reset"),
    ("task-graph", "tasks.2.reset.claim", 3, "$.tasks[2].reset.claim"),
    ("task-graph", "tasks.2.reset.by", GONE, "$.tasks[2].reset"),
    ("task-graph", "tasks.3.cancelled", True, "$.tasks[3].cancelled"),
    ("task-graph", "tasks.3.cancelled.id", GONE, "$.tasks[3].cancelled"),
    ("task-graph", "tasks.3.cancelled.reason", 4, "$.tasks[3].cancelled.reason"),
    ("evidence", "id", GONE, "$"),
    ("evidence", "task", "T 1", "$.task"),
    ("evidence", "kind", "guess", "$.kind"),
    ("evidence", "command", GONE, "$"),
    ("evidence", "exit_code", GONE, "$"),
    ("evidence", "exit_code", "0", "$.exit_code"),
    ("evidence", "subject", GONE, "$"),
    ("evidence", "subject.scope_digest", GONE, "$.subject"),
    ("evidence", "supports.0.verdict", "proves", "$.supports[0].verdict"),
    ("evidence", "supports.0.criterion", GONE, "$.supports[0]"),
    ("evidence", "duration_s", -1, "$.duration_s"),
    ("evidence", "output.sha256", "0" * 63, "$.output.sha256"),
    ("evidence", "output.bytes", -1, "$.output.bytes"),
    ("audit", "kind", GONE, "$"),
    ("audit", "kind", "note", "$.kind"),
    ("audit", "events", GONE, "$"),
    ("audit", "events", [], "$.events"),
    ("audit", "events.0.at", GONE, "$.events[0]"),
    ("audit", "events.0.event", "began", "$.events[0].event"),
    ("audit", "events.0.to", "waiting", "$.events[0].to"),
    ("review", "target", GONE, "$"),
    ("review", "by", GONE, "$"),
    ("review", "verdict", GONE, "$"),
    ("review", "verdict", "fine", "$.verdict"),
    ("review", "lenses", "security", "$.lenses"),
    ("review", "findings.0.id", "F-1", "$.findings[0].id"),
    ("review", "findings.0.text", GONE, "$.findings[0]"),
    ("review", "findings.0.disposition", "later", "$.findings[0].disposition"),
    ("guidance", "question", GONE, "$"),
    ("guidance", "question", "", "$.question"),
    ("guidance", "options.0", 80, "$.options[0]"),
    ("guidance", "answer", "8080", "$.answer"),
    ("guidance", "answer.by", GONE, "$.answer"),
    ("packet", "mission", GONE, "$"),
    ("packet", "posture", "hope", "$.posture"),
    ("packet", "source.clean", "yes", "$.source.clean"),
    ("packet", "acceptance.0.text", GONE, "$.acceptance[0]"),
    ("packet", "scope.write", "src", "$.scope.write"),
    ("packet", "output_contract.report", GONE, "$.output_contract"),
    ("packet", "output_contract.statuses.1", "bored", "$.output_contract.statuses[1]"),
    ("report", "status", GONE, "$"),
    ("report", "status", "complete", "$.status"),
    ("report", "summary", ["a"], "$.summary"),
    ("report", "concerns", 1, "$.concerns"),
    ("report", "options", "a", "$.options"),
    ("config", "gragh", "task-graph.yaml", "$"),
    ("config", "graph", [], "$.graph"),
    ("config", "graph", "", "$.graph"),
    ("config", "graph.1", 1, "$.graph[1]"),
    ("config", "lease", "global", "$.lease"),
    ("config", "worker", "a b", "$.worker"),
    ("config", "require_remote", "true", "$.require_remote"),
    ("config", "max_graph_bytes", 0, "$.max_graph_bytes"),
    ("config", "max_record_bytes", 1.5, "$.max_record_bytes"),
    ("config", "verify.timeout", 0, "$.verify.timeout"),
    ("config", "verify.timout", 5, "$.verify"),
    ("config", "verify.env", "none", "$.verify.env"),
    ("config", "verify.env.1", "A=B", "$.verify.env[1]"),
    ("config", "fetch.timeout", "30s", "$.fetch.timeout"),
    ("config", "agent.command", ["claude"], "$.agent.command"),
    ("config", "batch.at_once", 0, "$.batch.at_once"),
    ("config", "batch.at_onec", 2, "$.batch"),
    ("config", "land", "pr", "$.land"),
    ("config", "land.mode", "push", "$.land.mode"),
    ("config", "land.via", "", "$.land.via"),
    ("config", "land.auto_merge", "yes", "$.land.auto_merge"),
    ("config", "land.method", "fast", "$.land.method"),
    ("config", "land.poll", 0, "$.land.poll"),
    ("config", "notify.command", "", "$.notify.command"),
    ("config", "worktree.setup", 1, "$.worktree.setup"),
    ("next", "schema_version", 2, "$.schema_version"),
    ("next", "kind", GONE, "$"),
    ("next", "warnings", GONE, "$"),
    ("next", "warnings", [{"code": "x"}], "$.warnings[0]"),
    ("next", "error", {"code": "a", "exit": 1, "message": "no"}, "$.error"),
    ("next", "data.tasks", GONE, "$.data"),
    ("next", "data.tasks.0.state", "pending", "$.data.tasks[0].state"),
    ("next", "data.tasks.0.title", GONE, "$.data.tasks[0]"),
    ("next", "data.tasks.0.holder", GONE, "$.data.tasks[0]"),
    ("next", "data.tasks.0.line", 0, "$.data.tasks[0].line"),
    ("claim", "data", None, "$.data"),
    ("claim", "data.task.holder", {}, "$.data.task.holder"),
    ("status", "data.counts.pending", 1, "$.data.counts"),
    ("status", "data.counts.ready", -1, "$.data.counts.ready"),
    ("status", "data.workers", GONE, "$.data"),
    ("problems", "data", {}, "$.data"),
    ("problems", "data", [], "$.data"),
    ("problems", "data.problems.0.line", 0, "$.data.problems[0].line"),
    ("diff", "data.changes.0.task", GONE, "$.data.changes[0]"),
    ("independence", "data.groups.0", "T-1", "$.data.groups[0]"),
    ("independence", "data.conflicts.0.paths", "src", "$.data.conflicts[0].paths"),
    ("batch-plan", "data.groups.0", [], "$.data.groups[0]"),
    ("batch-plan", "data.left.0.waits_for", GONE, "$.data.left[0]"),
    ("batch-run", "data.tasks.0.outcome", "lost", "$.data.tasks[0].outcome"),
    ("batch-run", "data.complete", "T-1=blocked", "$.data.complete"),
    ("refused", "error", None, "$.error"),
    ("refused", "error.exit", 0, "$.error.exit"),
    ("refused", "error.code", "Claim Held", "$.error.code"),
    ("refused", "error.holder.worker", GONE, "$.error.holder"),
]


@pytest.mark.parametrize(("name", "path", "value", "where"), BAD)
def test_a_bad_document_is_refused_where_it_is_bad(
    name: str, path: str, value: object, where: str
) -> None:
    found = problems(schema_of(name), changed(GOOD[name], path, value))
    assert {place for place, _ in found} == {where}, found


# The example


@pytest.fixture(scope="module")
def example() -> list[dict[str, Any]]:
    """The tasks of the example graph, which is valid."""
    graph = ryaml.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert problems(SCHEMAS["task-graph"], graph) == []
    tasks: list[dict[str, Any]] = graph["tasks"]
    return tasks


def test_the_example_names_its_schema_first_and_is_in_block_style() -> None:
    first, *lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    prefix = "# yaml-language-server: $schema="
    assert first.startswith(prefix)
    target = (EXAMPLE.parent / first.removeprefix(prefix)).resolve()
    assert json.loads(target.read_text(encoding="utf-8")) == SCHEMAS["task-graph"]
    assert [line for line in lines if re.match(r" {2,6}(- )?([\w-]+: )?[\[{&*!]", line)] == []


def test_the_example_has_fifteen_pending_tasks_in_three_stories(
    example: list[dict[str, Any]],
) -> None:
    assert len({task["id"].casefold() for task in example}) == len(example) == 15
    assert {task["status"] for task in example} == {"pending"}
    assert {task["story"] for task in example} == {"S-1", "S-2", "S-3"}
    assert {task.get("mode", "parallel") for task in example} == set(task_status.Mode)


def test_the_example_can_be_done_in_file_order_and_three_can_start(
    example: list[dict[str, Any]],
) -> None:
    earlier: set[str] = set()
    for task in example:
        assert set(task.get("depends_on", [])) <= earlier
        earlier.add(task["id"])
    ready = [task["id"] for task in example if not task.get("depends_on")]
    assert ready == ["ST-101", "ST-102", "ST-201", "ST-301"]


def test_no_two_tasks_of_the_example_write_the_same_file(example: list[dict[str, Any]]) -> None:
    for task in example:
        assert set(task["outputs"]) == set(task["x-script"]["write"])
        for path in task["outputs"]:
            writers = [
                other["id"]
                for other in example
                if any(fnmatchcase(path, pattern) for pattern in other["scope"]["write"])
            ]
            assert writers == [task["id"]], path
    shared = [
        (a["id"], b["id"])
        for a, b in combinations(example, 2)
        if set(a["scope"].get("resources", [])) & set(b["scope"].get("resources", []))
    ]
    assert shared == [("ST-204", "ST-303")]


def test_the_checks_of_the_example_fail_before_the_work_and_pass_after(
    example: list[dict[str, Any]], tmp_path: Path
) -> None:
    def passes(task: dict[str, Any]) -> list[bool]:
        return [
            subprocess.run(
                ["sh", "-c", command], cwd=tmp_path, capture_output=True, check=False
            ).returncode
            == 0
            for command in task["verify"]
        ]

    for task in example:
        assert task["verify"], task["id"]
        assert not any(passes(task)), task["id"]
        for path, text in task["x-script"]["write"].items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8", newline="\n")
        assert all(passes(task)), task["id"]
    # What a later task writes spoils no earlier one.
    assert all(all(passes(task)) for task in example)
