"""Whatever a file holds, a format reads valid tasks from it or refuses it."""

from __future__ import annotations

import time

import pytest
import ryaml
from hypothesis import given
from hypothesis import strategies as st

from ralphgit.app.exchange import source_order
from ralphgit.errors import InvalidRecord
from ralphgit.model.ids import is_id
from ralphgit.records import graph_file
from ralphgit.records.importers import BUILT_IN, Imported, Importer, convert
from ralphgit.records.importers.parts import document_sections
from ralphgit.records.task_fields import normalise

#: What the formats look at, and what breaks their forms, one line each.
FRONT = """\
id: T-1
id: 1.10
title: Fix: `it`
status: open
name: @me
depends_on: [001, 1.10, x]
dependencies:
  - T-2
parent_task_id: T-1
parent_task_id: [a]
ordinal: 1000
ordinal: .nan
parallel: no
progress: 0%
prd: x
created_date: 2025-01-01
acceptance: 3
""".splitlines()

BODY = """\
# Story 1.2: Log in
Status: Done
## Status
## Acceptance Criteria
## Tasks / Subtasks
1. A form
- [x] #1 It opens
- [ ] #1 Again
<!-- AC:BEGIN -->
### Task 1: Form
#### Task 1.1
### Task 1: Again
## Phase 1: Begin
**Files:**
- Create: `src/a.ts`, others
**Depends on:** Task 1, 9
- [ ] **Step 1: Write it**
**Step 2: Verify**
Run: `npm test`
Expected: FAIL
```bash
```
npm test
[PARALLEL]
[/PARALLEL]
## [PARALLEL] Parts
- [ ] T1 [P] Cart in src/cart.ts
- [ ] T2 (P) Pay in `src/cart.ts`
  - [ ] T3 inside
  - **Files**: a.py, more of it
  - **Files**: `..`, `/etc/passwd`, `~/x`
  - **Depends on**: T1-T3 and Pay
  - **Verify**: `all green`
- bullet
> quoted

---
<testsuite>
<testcase name='a' classname='tests.test_a'>
<failure/>
</testcase>
</testsuite>
{"id": "A", "title": "b"}
{"id": "US-1", "title": "x", "passes": true}
{"id": "B", "title": "b", "issue_type": "gate", "dependencies": [{"depends_on_id": "A"}]}
tasks:
nodes: []
""".splitlines()


@pytest.mark.parametrize(
    "wanted", [None, *BUILT_IN], ids=lambda one: one.name if one else "sniffed"
)
@given(
    front=st.lists(st.sampled_from(FRONT), max_size=6, unique_by=lambda line: line.split(":")[0]),
    body=st.lists(st.sampled_from(BODY), max_size=12),
)
def test_whatever_a_file_holds(wanted: Importer | None, front: list[str], body: list[str]) -> None:
    lines = ["---", *front, "---", *body] if front else body
    try:
        found = convert("a/plan.md", "\n".join(lines).encode(), ryaml.loads, wanted=wanted)
    except InvalidRecord as error:
        assert error.message
        return
    if found.stored:
        return  # its own reader has the last word
    for task in found.tasks:
        assert is_id(str(task["id"]))
        assert normalise(dict(task), dict) == [], task
    ids = [str(task["id"]).casefold() for task in found.tasks]
    assert len(set(ids)) == len(ids)


@given(
    files=st.lists(
        st.tuples(st.sampled_from("abcde"), st.sampled_from(["tasks", "completed"]), st.integers()),
        max_size=8,
    ),
    here=st.permutations("abcde"),
    movers=st.sets(st.sampled_from("abcde")),
)
def test_tasks_stand_where_files_have_them_whatever_these_are_called(
    files: list[tuple[str, str, int]], here: list[str], movers: set[str]
) -> None:
    each = [
        (f"{folder}/{number}.md", Imported(({"id": id, "ordinal": rank},), {}, (), ()))
        for number, (id, folder, rank) in enumerate(sorted(files, key=lambda one: one[2]))
    ]
    tasks = "".join(f"  - id: {id}\n    title: {id}\n    status: pending\n" for id in here)
    graph = graph_file.parse(f"version: 1\ntasks:\n{tasks}".encode(), path="g.yaml", limit=10_000)
    orders = source_order.told(each, {})
    text = source_order.text(graph, orders, movers)
    made = graph_file.parse(text.encode(), path="g.yaml", limit=10_000)
    ids = [str(task["id"]) for task in made.tasks]
    assert sorted(ids) == sorted(here)
    assert [id for id in ids if id not in movers] == [id for id in here if id not in movers]
    if len(orders) == 1 and movers.issuperset(orders[0]):
        assert [id for id in ids if id in orders[0]] == list(orders[0])


def test_headings_of_many_blanks_are_read_in_time() -> None:
    began = time.process_time()
    for many in (" " * 100_000, "-" * 100_000, "#" * 100_000, "\t#" * 50_000):
        lines = document_sections.lines_of(f"## Acceptance{many}criteria\n- one\n")
        assert document_sections.section(lines, "acceptance") == []
    assert time.process_time() - began < 1
