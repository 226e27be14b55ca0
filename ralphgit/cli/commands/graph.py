"""`graph`: the dependency graph as a tree, or as text for Mermaid or Graphviz.

Titles are untrusted. In Mermaid and Graphviz everything but letters, digits and spaces is
written as a character code, so that no title can end its label, begin a tag or a link, or
be read as Markdown. Ids are safe by their grammar.
"""

from __future__ import annotations

from collections.abc import Iterator

from ralphgit.app import graph, look
from ralphgit.app.graph import Picture
from ralphgit.app.project import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    picture = graph.picture(
        look.project(around, warnings),
        story=str(options.get("story", "")),
        finished=bool(options.get("all")),
        at=str(options.get("at", "")),
    )
    draw = _DRAWINGS[str(options.get("format", "tree"))]
    lines = tuple(draw(picture))
    data = {
        "nodes": [{"id": n.id, "title": n.title, "state": n.state} for n in picture.nodes],
        "edges": [{"from": edge.dependency, "to": edge.task} for edge in picture.edges],
        "cycles": [list(cycle) for cycle in picture.cycles],
        "text": "".join(f"{line}\n" for line in lines),
    }
    return Outcome(data, before=lines)


def _cycles(picture: Picture) -> Iterator[str]:
    for cycle in picture.cycles:
        yield f"cycle: {' needs '.join((*cycle, cycle[0]))}"


# -- a tree for people -------------------------------------------------------------------

#: Deeper levels are not indented further: their number stands there.
_DEEPEST = 40


def _tree(picture: Picture) -> Iterator[str]:
    for node, depth, again in graph.tree(picture):
        indent = "  " * min(depth, _DEEPEST) + (f"({depth}) " if depth > _DEEPEST else "")
        if again:
            yield f"{indent}{node.id} (see above)"
            continue
        waits = f"  (waits for {', '.join(node.waits_for)})" if node.waits_for else ""
        yield f"{indent}{node.id} [{node.state}] {safe(node.title)}{safe(waits)}"
    yield from _cycles(picture)


# -- Mermaid -----------------------------------------------------------------------------

#: Fill, border and text of each state; readable on a light and on a dark page.
_COLOURS = {
    "waiting": ("#eaeef2", "#6e7781", "#24292f"),
    "ready": ("#dafbe1", "#1a7f37", "#0f3d1c"),
    "claimed": ("#fff8c5", "#9a6700", "#4d2d00"),
    "in-progress": ("#fff1a8", "#9a6700", "#4d2d00"),
    "in-review": ("#ddf4ff", "#0969da", "#0a3069"),
    "blocked": ("#ffebe9", "#cf222e", "#660018"),
    "complete": ("#f6f8fa", "#8c959f", "#57606a"),
    "cancelled": ("#f6f8fa", "#8c959f", "#8c959f"),
}


def _mermaid(picture: Picture) -> Iterator[str]:
    yield "graph TD"
    for node in picture.nodes:
        label = f"{node.id}: {_coded(node.title, '#{};')}"
        yield f'  {_name(node.id)}["{label}"]:::{_class(node.state)}'
    for edge in picture.edges:
        yield f"  {_name(edge.dependency)} --> {_name(edge.task)}"
    for state in dict.fromkeys(node.state for node in picture.nodes):
        fill, border, text = _COLOURS[state]
        yield f"  classDef {_class(state)} fill:{fill},stroke:{border},color:{text}"
    yield from (f"  %% {line}" for line in _cycles(picture))


def _name(task: str) -> str:
    """A name that no word of Mermaid's can be, different for every id."""
    return "t_" + "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in task)


def _class(state: str) -> str:
    return state.replace("-", "_")


def _coded(text: str, form: str) -> str:
    """`text` with all but letters, digits and spaces as character codes."""
    return "".join(c if c.isalnum() or c == " " else form.format(ord(c)) for c in safe(text))


# -- Graphviz ----------------------------------------------------------------------------


def _dot(picture: Picture) -> Iterator[str]:
    yield "digraph tasks {"
    yield "  node [shape=box, style=filled];"
    for node in picture.nodes:
        fill, border, text = _COLOURS[node.state]
        label = f"{node.id}: {_coded(node.title, '&#{};')}"
        yield (
            f'  "{node.id}" [label="{label}", class="{_class(node.state)}", '
            f'fillcolor="{fill}", color="{border}", fontcolor="{text}"];'
        )
    for edge in picture.edges:
        yield f'  "{edge.dependency}" -> "{edge.task}";'
    yield from (f"  // {line}" for line in _cycles(picture))
    yield "}"


_DRAWINGS = {"tree": _tree, "mermaid": _mermaid, "dot": _dot}
