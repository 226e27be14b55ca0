"""The dependency graph that Kiro writes below a list, in waves."""

from __future__ import annotations

import json
from typing import cast

import ryaml
from hypothesis import given
from hypothesis import strategies as st

from ralphgit.records.importers import convert
from ralphgit.rules.cycles import find_cycles

WAVES = """\
# Implementation Plan

- [ ] 1. Set up
  - [ ] 1.1 Project
  - [ ] 1.2 Lint
- [ ] 2. Core
  - Write the core
  - [ ] 2.1 Parser
  - [ ]* 2.2 Parser tests
  - [ ] 2.3 Printer
- [ ] 3. Checkpoint - All tests pass
- [ ] 4. Docs
  - [ ] 4.1 Manual
  - [ ] 4.2 Site
- [ ] 5. Final checkpoint

## Task Dependency Graph

```json
GRAPH
```
"""


def waits(text: str, graph: str) -> tuple[dict[str, list[str]], list[str]]:
    found = convert("p.md", text.replace("GRAPH", graph).encode(), ryaml.loads)
    edges = {str(one["id"]): cast(list[str], one.get("depends_on", [])) for one in found.tasks}
    return edges, [note for note in found.notes if "ependenc" in note]


def test_the_waves_of_a_dependency_graph_are_the_order() -> None:
    graph = (
        '{"waves": [{"id": 0, "tasks": ["1.1", "2.1"]}, ["1.2", "2.2", "2.3"],'
        ' {"wave": 2, "tasks": [4, "9"]}]}'
    )
    edges, notes = waits(WAVES, graph)
    assert edges == {
        "1.1": [], "2": [], "2.1": ["2"], "1.2": ["1.1", "2.1"], "2.2": ["1.1", "2.1"],
        "2.3": ["1.1", "2.1"], "3": ["1.2", "2.3"], "4.1": ["1.2", "2.3"],
        "4.2": ["4.1"], "5": ["3", "4.2"],
    }  # fmt: skip
    assert notes == [
        "The dependency graph in line 19 has no items for: '9'.",
        "Dependencies were made from the waves of its dependency graph.",
    ]
    in_order = waits(WAVES, "")[0]
    for other in ('{"waves": [["7", "8", "1.1"]]}', '{"waves": 1}', '{"waves": [', '["waves"]'):
        assert waits(WAVES, other)[0] == in_order


IDS = ["1", "1.1", "1.2", "2", "2.1", "2.2", "2.3", "3", "4", "4.1", "4.2", "5"]


@given(st.lists(st.lists(st.sampled_from(IDS), max_size=4), max_size=6))
def test_no_waves_make_a_circle(waves: list[list[str]]) -> None:
    edges, _ = waits(WAVES, json.dumps({"waves": waves}))
    assert find_cycles({id: tuple(each) for id, each in edges.items()}) == ()
    assert edges.keys() == waits(WAVES, "")[0].keys()
