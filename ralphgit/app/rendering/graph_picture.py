"""Turn the dependency graph into a picture: its nodes, its arrows, and their order."""

from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.workspace import revisions
from ralphgit.app.workspace.project import Project
from ralphgit.rules.cycles import as_text, find_cycles

FINISHED = ("complete", "cancelled")


class Node(NamedTuple):
    id: str
    title: str
    state: str
    waits_for: tuple[str, ...] = ()
    """What it waits for that no arrow of the picture shows."""


class Edge(NamedTuple):
    dependency: str
    task: str


class Picture(NamedTuple):
    nodes: tuple[Node, ...]
    """In file order."""
    edges: tuple[Edge, ...]
    """In the order of their tasks; both ends are among the nodes."""
    cycles: tuple[tuple[str, ...], ...]
    """Each names the next, which it depends on; the last names the first."""


def picture(project: Project, *, story: str = "", finished: bool = False, at: str = "") -> Picture:
    """Draw the tasks of this worktree (or of the revision `at`) and their dependencies.

    Only tasks of `story`, if it is given; finished ones only with `finished`. An arrow is
    drawn where both its tasks are.

    Raises: InvalidRecord; UsageError (bad_revision); GuardRefused (bare).
    """
    view = revisions.at_revision(project, at) if at else project.require_here()
    chosen = [
        (row, task_state)
        for row, task_state in next_tasks.pairs(project, view, alone=bool(at))
        if (not story or row.story == story) and (finished or task_state.state not in FINISHED)
    ]
    drawn = {row.id for row, _ in chosen}
    needs = {
        row.id: tuple(other for other in dict.fromkeys(row.depends_on) if other in drawn)
        for row, _ in chosen
    }
    nodes = tuple(
        Node(
            row.id,
            row.title,
            task_state.state,
            tuple(other for other in task_state.blocked_on if other not in needs[row.id]),
        )
        for row, task_state in chosen
    )
    edges = tuple(Edge(other, task) for task, others in needs.items() for other in others)
    return Picture(nodes, edges, find_cycles(needs))


class Mention(NamedTuple):
    """One line of the tree."""

    node: Node
    depth: int
    """0 for a root."""
    again: bool
    """Its task, and what follows from it, stands further up."""


def tree(picture: Picture) -> list[Mention]:
    """List each task below what it depends on.

    Those that depend on nothing drawn come first, of these the ones that wait for nothing else.

    What hangs in a cycle has no root above it, so its first task in file order becomes one.
    Every task is unfolded once, every arrow is one line, and chains may be of any length.
    """
    nodes = {node.id: node for node in picture.nodes}
    followers: dict[str, list[str]] = {name: [] for name in nodes}
    for edge in picture.edges:
        followers[edge.dependency].append(edge.task)
    below = {edge.task for edge in picture.edges}
    roots = [name for name in nodes if name not in below]
    roots.sort(key=lambda name: bool(nodes[name].waits_for))
    mentions: list[Mention] = []
    seen: set[str] = set()
    for root in [*roots, *(name for name in nodes if name in below)]:
        # A follower that is seen already is mentioned where it comes up, but not as a root.
        waiting = [] if root in seen else [(root, 0)]
        while waiting:
            name, depth = waiting.pop()
            mentions.append(Mention(nodes[name], depth, name in seen))
            if name not in seen:
                seen.add(name)
                waiting.extend((other, depth + 1) for other in reversed(followers[name]))
    return mentions


def cycles(picture: Picture) -> Iterator[str]:
    """Each cycle as a line of text."""
    for cycle in picture.cycles:
        yield f"cycle: {as_text(cycle)}"
