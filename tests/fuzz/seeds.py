"""Good files of every kind, which a case makes bad."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CASES = Path(__file__).resolve().parent.parent / "cases"

_AT = "2026-11-21T10:00:00Z"
_HEX = "6b1f0c3a9d27"

#: A record of each kind that is filed, with every field.
RECORDS: dict[str, dict[str, Any]] = {
    "evidence": {
        "id": "e1", "task": "T-1", "claim": "k1", "kind": "command", "by": "alpha",
        "supports": [{"criterion": "ACC-1", "verdict": "supports"}], "shows": "it works",
        "does_not_show": "that it is fast", "command": "test -s a.txt", "command_digest": _HEX,
        "exit_code": 0, "started_at": _AT, "duration_s": 0.25,
        "output": {"sha256": "0" * 64, "bytes": 3, "tail": "ok\n"},
        "subject": {"commit": _HEX, "tree": _HEX, "scope_digest": _HEX},
    },
    "observation": {
        "id": "e1", "task": "T-1", "claim": "k1", "kind": "artifact", "by": "alpha", "at": _AT,
        "supports": [], "shows": "a picture", "artifact": {"path": "a.txt", "sha256": "0" * 64},
    },
    "audit": {
        "id": "e1", "kind": "event", "task": "T-1", "claim": "e1",
        "events": [
            {"at": _AT, "event": "claimed", "by": "alpha", "from": "pending", "to": "in-progress"},
            {"at": _AT, "event": "completed", "by": "alpha", "from": "in-progress",
             "to": "complete", "note": "done"},
        ],
    },
    "review": {
        "id": "e1", "kind": "review", "task": "T-1", "claim": "k1", "at": _AT, "target": "T-1",
        "by": "beta", "lenses": ["security"], "context_reviewed": ["a.txt"],
        "findings": [{"id": "FIND-1", "severity": "low", "text": "x", "disposition": "open"}],
        "disposes": [{"finding": "FIND-1", "disposition": "fixed", "note": "done"}],
        "verdict": "concerns", "residual_risk": "none",
        "subject": {"commit": _HEX, "tree": _HEX, "scope_digest": _HEX},
    },
    "guidance": {
        "id": "e1", "task": "T-1", "claim": "k1", "question": "Which?", "options": ["a", "b"],
        "at": _AT, "by": "alpha", "answer": {"text": "a", "by": "Ann", "at": _AT},
    },
}  # fmt: skip
FOLDERS = {"observation": "evidence", "review": "audit"}

REPORT: dict[str, Any] = {
    "status": "done_with_concerns", "summary": "It works.", "concerns": ["slow"],
    "question": "Which?", "options": ["a", "b"],
}  # fmt: skip
LEASE: dict[str, Any] = {
    "task": "T-2", "claim": "k123456789", "by": "beta", "at": _AT, "base": _HEX, "contract": _HEX,
    "epoch": 0, "start": _HEX, "branch": "alpha", "worktree": "/nowhere", "host": "h",
    "unsynchronised": False,
}  # fmt: skip
#: What a worktree remembers, by its name in it.
NOTES: dict[str, dict[str, Any]] = {
    ".ralph/heartbeat": {
        "pid": 1, "started": "1", "boot": "b", "host": "h", "worker": "alpha", "task": "T-1",
        "claim": "k1", "phase": "agent", "time": 1795255200.5,
    },
    ".ralph/current.yaml": LEASE,
    ".ralph/attempts.yaml": {
        "claim": "k1", "failed": 2, "feedback": "no", "reason": "verify-failed", "told": "",
        "limited": 0,
    },
    ".ralph/breaker.yaml": {"failures": 2, "opened": 1795255200.5},
    ".ralph/pulls.yaml": {"pulls": [{
        "task": "T-3", "claim": "k1", "epoch": 0, "branch": "ralph/T-3", "commit": _HEX,
        "via": "gh", "url": "https://example.invalid/1", "state": "open", "conflicts": False,
    }]},
    ".ralph/fleet.yaml": {"how": "tmux", "pid": 1, "started": "1", "boot": "b", "host": "h"},
    ".ralph/left": {"task": "T-1", "claim": "k1"},
    ".ralph/packet.yaml": {"task": "T-1", "title": "Grüße"},
    ".ralph/logs/loop.jsonl": {"at": _AT, "event": "claimed", "task": "T-1", "worker": "alpha"},
    ".git/ralphgit/moving-reset-1": {
        "kind": "reset", "worktree": "/nowhere", "pid": 1, "started": "1", "boot": "b",
        "host": "h", "time": 1.5, "steps": {"refs/heads/main": ["a", "b"]},
    },
}  # fmt: skip

SETTINGS = b"""\
graph = ["task-graph.yaml"]
records = "records"
generated = ["package-lock.json"]
base = "main"
remote = "origin"
lease = "local"
worker = "alpha"
story = "S-1"
require_remote = false
max_graph_bytes = 8388608
max_record_bytes = 262144
[verify]
timeout = 900.0
env = ["inherit"]
[fetch]
timeout = 30
[agent]
command = "true"
timeout = 3600
attempts = 3
prompt = "prompt.md"
[loop]
check = 60
idle = 15.5
backoff = 5
failures = 5
cooldown = 300
[land]
mode = "none"
via = "auto"
auto_merge = false
method = "merge"
poll = 60
[integrate]
verify = "true"
[batch]
at_once = 3
[notify]
command = "true"
[worktree]
setup = "true"
"""

#: Other projects' files, by a name that says their format.
SOURCES: dict[str, bytes] = {
    "nodes.yaml": b"""\
nodes:
  - id: T-1
    title: Draw the plan
    status: done
  - {id: T-2, title: Build it, status: open, priority: high, depends_on: [T-1]}
edges:
  - {from: T-1, to: T-2}
stories:
  - id: S-1
    title: The house
    nodes: [T-1, T-2]
""",
    "ticket.md": b"""\
---
id: T-20
title: Build the house
status: closed
priority: high
depends_on: [T-1]
---

# Build the house

## Acceptance criteria

- it stands
- [ ] `src/house.ts` is there

## Files

- `src/a.ts`
""",
    "plan.md": b"""\
# Plan

## Phase 1: Begin

- [ ] 1.1 First
  - **Verify**: `npm test`
  - _Requirements: 1.1_
- [x] 1.2 [P] Beside
1. [ ] T007 [P] [US1] Create src/a.ts
2. [ ] Pour
   - [ ] Mix
### More of it

- [ ] 1.6 [P] [VERIFY] Look
""",
    "issues.jsonl": b"""\
{"id":"bd-1","title":"First","status":"open","priority":1,"issue_type":"task",\
"created_at":"2026-11-21T10:00:00Z","description":"d","acceptance_criteria":"- a\\n- b",\
"dependencies":[{"issue_id":"bd-1","depends_on_id":"bd-2","type":"blocks"}]}
{"id":"bd-2","title":"Second","status":"closed","priority":2,"issue_type":"epic","labels":["x"]}
""",
    "github.json": b"""\
[{"number":12,"title":"First","state":"OPEN","body":"- [ ] #13\\n\\nDepends on #13",
"labels":[{"name":"bug"}],"assignees":[{"login":"ann"}],"milestone":{"title":"one"},
"url":"https://x/issues/12"},
{"number":13,"title":"Second","state":"CLOSED","body":"","labels":[]}]
""",
    "tasks.json": b"""\
[{"id":"A-1","title":"First","status":"pending","state":"ready","file":"x","line":1},
{"id":"A-2","title":"Second","status":"complete","depends_on":["A-1"]}]
""",
    "own.yaml": b"""\
version: 1
tasks:
  - id: A-1
    title: Begin
    status: in-progress
    claim: {id: g123456789, by: beta}
    epoch: 2
  - id: A-2
    title: Go on
    status: pending
    depends_on: [A-1]
""",
}


def graphs() -> list[bytes]:
    """Graph files, good ones and bad ones."""
    files = sorted(CASES.glob("valid/*.yaml"))
    return [data for path in files if len(data := path.read_bytes()) < 20_000]
