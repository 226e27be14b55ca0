"""`graph`: the dependency graph as a tree, or as text for Mermaid or Graphviz.

Titles are untrusted, and harmless in Graphviz by what makes them so in Mermaid
(`app.rendering.mermaid`).
"""

from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.rendering import graph_picture
from ralphgit.app.rendering.graph_picture import Picture, cycles
from ralphgit.app.rendering.mermaid import COLOURS, class_of, coded, mermaid
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe


class Options(NamedTuple):
    format: str = "tree"
    story: str = ""
    all: bool = False
    at: str = ""


def run(call: Call, options: Options) -> Outcome:
    form, story, finished, at = options
    picture = graph_picture.picture(call.project(), story=story, finished=finished, at=at)
    lines = tuple(_DRAWINGS[form](picture))
    data = {
        "nodes": [{"id": n.id, "title": n.title, "state": n.state} for n in picture.nodes],
        "edges": [{"from": edge.dependency, "to": edge.task} for edge in picture.edges],
        "cycles": picture.cycles,
        "text": "".join(f"{line}\n" for line in lines),
    }
    return Outcome(data, before=lines)


# -- a tree for people -------------------------------------------------------------------

#: Deeper levels are not indented further: their depth is a number.
_DEEPEST = 40


def _tree(picture: Picture) -> Iterator[str]:
    for node, depth, again in graph_picture.tree(picture):
        indent = "  " * min(depth, _DEEPEST) + (f"({depth}) " if depth > _DEEPEST else "")
        if again:
            yield f"{indent}{node.id} (see above)"
            continue
        waits = f"  (waits for {', '.join(node.waits_for)})" if node.waits_for else ""
        yield f"{indent}{node.id} [{node.state}] {safe(node.title)}{safe(waits)}"
    yield from cycles(picture)


# -- Graphviz ----------------------------------------------------------------------------


def _dot(picture: Picture) -> Iterator[str]:
    yield "digraph tasks {"
    yield "  node [shape=box, style=filled];"
    for node in picture.nodes:
        fill, border, text = COLOURS[node.state]
        label = f"{node.id}: {coded(node.title, '&#{};')}"
        yield (
            f'  "{node.id}" [label="{label}", class="{class_of(node.state)}", '
            f'fillcolor="{fill}", color="{border}", fontcolor="{text}"];'
        )
    for edge in picture.edges:
        yield f'  "{edge.dependency}" -> "{edge.task}";'
    yield from (f"  // {line}" for line in cycles(picture))
    yield "}"


_DRAWINGS = {"tree": _tree, "mermaid": mermaid, "dot": _dot}
