"""Render the dependency graph as text for Mermaid.

Titles are untrusted: everything but letters, digits and spaces is written as a character code, so
that no title can end its label, begin a tag or a link, or be read as Markdown. Ids are safe by
their grammar.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ralphgit.app.rendering.graph_picture import Picture, cycles
from ralphgit.model.printable import safe

#: Fill, border and text of each state; readable on a light and on a dark page.
COLOURS = {
    "waiting": ("#eaeef2", "#6e7781", "#24292f"),
    "ready": ("#dafbe1", "#1a7f37", "#0f3d1c"),
    "claimed": ("#fff8c5", "#9a6700", "#4d2d00"),
    "in-progress": ("#fff1a8", "#9a6700", "#4d2d00"),
    "in-review": ("#ddf4ff", "#0969da", "#0a3069"),
    "blocked": ("#ffebe9", "#cf222e", "#660018"),
    "complete": ("#f6f8fa", "#8c959f", "#57606a"),
    "cancelled": ("#f6f8fa", "#8c959f", "#8c959f"),
}


def mermaid(picture: Picture, *, marked: Collection[str] = ()) -> Iterator[str]:
    """The picture as the lines of a Mermaid graph; `marked` tasks have a thick border."""
    yield "graph TD"
    for node in picture.nodes:
        label = f"{node.id}: {coded(node.title, '#{};')}"
        yield f'  {_name(node.id)}["{label}"]:::{class_of(node.state)}'
    for edge in picture.edges:
        yield f"  {_name(edge.dependency)} --> {_name(edge.task)}"
    for state in dict.fromkeys(node.state for node in picture.nodes):
        fill, border, text = COLOURS[state]
        yield f"  classDef {class_of(state)} fill:{fill},stroke:{border},color:{text}"
    if thick := [_name(node.id) for node in picture.nodes if node.id in marked]:
        yield "  classDef changed stroke-width:4px"
        yield f"  class {','.join(thick)} changed"
    yield from (f"  %% {line}" for line in cycles(picture))


def _name(task: str) -> str:
    """A name that no word of Mermaid's can be, different for every id."""
    return "t_" + "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in task)


def class_of(state: str) -> str:
    return state.replace("-", "_")


def coded(text: str, form: str) -> str:
    """`text` with all but letters, digits and spaces as character codes."""
    return "".join(c if c.isalnum() or c == " " else form.format(ord(c)) for c in safe(text))
