"""Render a diff as Markdown: a comment on a pull request, or a part of its text.

What people and agents wrote is escaped one sentence at a time (`app.rendering.safe_markdown`).
What does not fit is cut, with a sentence that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ralphgit.app.diff import text as sentences
from ralphgit.app.diff.record_diff import UNCHANGED, Diff
from ralphgit.app.diff.task_change import TaskChange
from ralphgit.app.rendering.graph_picture import Edge, Node, Picture
from ralphgit.app.rendering.mermaid import mermaid
from ralphgit.app.rendering.safe_markdown import escape, fenced
from ralphgit.app.workspace.project import Project
from ralphgit.model.printable import counted, cut
from ralphgit.records.redact_secrets import redact, secrets_in
from ralphgit.rules.cycles import find_cycles

#: Begins the comment, so that a later run finds the one to write over.
MARKER = "<!-- ralphgit-diff -->"
#: GitHub takes 65,536 characters.
LONGEST = 60_000
MOST_NODES = 30
_NOTES, _TABLE, _PICTURE, _READY = 12_000, 14_000, 12_000, 4_000
_LONGEST_SENTENCE, _LONGEST_TITLE = 400, 60
_MOST_DETAILS = 40
_WORDS = (
    "A criterion is *proved* if evidence that names it confirms it, *assumed* if only commands "
    "passed that name none, else *open*. Work is *unverified* if no command passed and nobody "
    "observed a criterion. Evidence is *fresh* while the files it is about are unchanged, and "
    "*stale* once they change."
)
_COLOURS = {
    "waiting": "grey waiting", "ready": "green ready", "in-progress": "yellow in progress",
    "blocked": "red blocked", "complete": "pale complete", "cancelled": "pale cancelled",
}  # fmt: skip


def comment(project: Project, diff: Diff) -> str:
    """Render the whole diff, beginning with MARKER."""
    page = _Page(secrets_in(project.around.environ))
    head = f"{MARKER}\n{page.verdict(diff)}"
    parts = [head, page.text(sentences.compared(diff), most=1000) + "."]
    return "\n\n".join([*parts, *page.parts(diff, LONGEST - sum(map(len, parts)))]) + "\n"


def section(project: Project, diff: Diff, room: int) -> str:
    """Render a part of a longer text, in at most `room` characters; one task with its details."""
    page = _Page(secrets_in(project.around.environ), unfolded=True)
    head = page.verdict(diff)
    return "\n\n".join([head, *page.parts(diff, room - len(head))])


class _Page:
    """The pieces of a comment. `unfolded`: the details of a single change are shown open."""

    def __init__(self, secrets: tuple[str, ...], *, unfolded: bool = False) -> None:
        self._secrets = secrets
        self._unfolded = unfolded

    def text(self, sentence: str, *, most: int = _LONGEST_SENTENCE) -> str:
        """A sentence as Markdown that shows just it."""
        told = redact(" ".join(sentence.split()), self._secrets)
        # Before a space a colon makes no link, and reads better.
        return escape(told if len(told) <= most else told[: most - 4] + " ...").replace(
            "&#58; ", ": "
        )

    def verdict(self, diff: Diff) -> str:
        told = self.text(sentences.verdict(diff))
        return f"**{_sentence(told)}**"

    def parts(self, diff: Diff, room: int) -> Iterator[str]:
        """The paragraphs, in at most `room` characters with what parts them."""
        told = [f"- {self.text(one)}" for one in sentences.settings(diff)]
        if told:
            yield "\n".join(_fitting(told, _READY, "- and {} more."))
        if diff.verdict == UNCHANGED:
            yield _sentence(self.text(sentences.files(diff)))
            return
        made = list(self._first(diff))
        made.append(f"{_sentence(self.text(sentences.files(diff)))} {_WORDS}")
        left = room - sum(len(part) + 2 for part in made)
        last = made.pop()
        details = [self._details(one) for one in diff.changes]
        if self._unfolded and len(details) == 1:
            details = ["\n".join(self._lines(diff.changes[0]))]
        made += _fitting(details, left, "details of {} are left out: too long for a comment.")
        yield from made
        yield last

    def _first(self, diff: Diff) -> Iterator[str]:
        notes = [f"- **{note.severity}**: {self.text(note.message)}" for note in diff.notes]
        if notes:
            yield "\n".join(_fitting(notes, _NOTES, "- and {} more, which are not shown here."))
        if diff.changes:
            judged = any(map(sentences.proof_summary, diff.changes))
            head = ["| Task | What happens |", "|---|---|"]
            if judged:
                head = ["| Task | What happens | Criteria | Evidence |", "|---|---|---|---|"]
            rows = [self._row(one, judged=judged) for one in diff.changes]
            shown, more = _fitted(rows, _TABLE)
            yield "\n".join([*head, *shown])
            if more:
                yield f"{counted(more, 'task')} more changed, and are not shown here."
        if ready := diff.ready:
            rows = [f"- **{escape(row.id)}** {self.text(row.title)}" for row in ready]
            shown = _fitting(rows, _READY, "- and {} more.")
            yield "\n".join(["Ready to be claimed once this is merged:", "", *shown])
        yield from _picture(diff, self._secrets)

    def _row(self, one: TaskChange, *, judged: bool) -> str:
        cells = [
            f"**{escape(one.task)}** {self.text(one.title, most=120)}",
            self.text(sentences.sentence(one)),
        ]
        if judged:
            worth = bool(sentences.proof_summary(one))
            cells += [self.text(sentences.judged(one)), one.evidence] if worth else ["", ""]
        return f"| {' | '.join(cells)} |"

    def _lines(self, one: TaskChange) -> list[str]:
        lines = [f"- {self.text(line)}" for line in sentences.details(one)]
        if len(lines) > _MOST_DETAILS:
            more = len(lines) - _MOST_DETAILS
            lines = [*lines[:_MOST_DETAILS], f"- and {more} more lines, which are not shown here."]
        return lines

    def _details(self, one: TaskChange) -> str:
        lines = self._lines(one)
        if not lines:
            return ""
        # An id is safe in HTML by its grammar, and in <code> no forge takes it for a reference.
        summary = f"<summary><code>{one.task}</code> in detail</summary>"
        return "\n".join([f"<details>{summary}", "", *lines, "", "</details>"])


def _fitted(pieces: Sequence[str], room: int) -> tuple[list[str], int]:
    """Take as many of `pieces`, from the first, as fit; and count those that are left."""
    used = 0
    for number, piece in enumerate(pieces):
        used += len(piece) + 2
        if used > room:
            return list(pieces[:number]), len(pieces) - number
    return list(pieces), 0


def _fitting(pieces: Sequence[str], room: int, rest: str) -> list[str]:
    """Do the same with those that are not empty, and add one that counts the others."""
    shown, more = _fitted([piece for piece in pieces if piece], room - len(rest) - 30)
    if not more:
        return shown
    return [*shown, rest.format(more if rest.startswith("-") else counted(more, "task"))]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


# -- the picture -----------------------------------------------------------------------------


def _picture(diff: Diff, secrets: tuple[str, ...]) -> Iterator[str]:
    """Draw the changed tasks with what they need and what needs them; nothing without an arrow."""
    most = MOST_NODES
    while most > 1:
        picture, more = _neighbourhood(diff, most, secrets)
        if not picture.edges:
            return
        changed = {one.task for one in diff.changes}
        drawn = fenced("\n".join(mermaid(picture, marked=changed)), "mermaid")
        if len(drawn) <= _PICTURE:
            states = dict.fromkeys(node.state for node in picture.nodes)
            colours = ", ".join(_COLOURS[state] for state in states)
            rest = (
                f" {counted(more, 'task')} around it are left out of the picture." if more else ""
            )
            yield drawn
            yield (
                "An arrow leads to a task that needs the one before it. A thick border: changed "
                f"here. Colours: {colours}.{rest}"
            )
            return
        most //= 2


def _neighbourhood(diff: Diff, most: int, secrets: tuple[str, ...]) -> tuple[Picture, int]:
    """Choose at most so many tasks, the changed ones first, and count the others."""
    rows = diff.new.rows
    changed = [one.task for one in diff.changes if one.task in rows]
    own = set(changed)
    beside = [other for task in changed for other in rows[task].depends_on if other in rows]
    beside += [row.id for row in rows.values() if not own.isdisjoint(row.depends_on)]
    wanted = list(dict.fromkeys([*changed, *beside]))
    drawn = set(wanted[:most])
    chosen = [row for row in rows.values() if row.id in drawn]
    needs = {
        row.id: tuple(other for other in dict.fromkeys(row.depends_on) if other in drawn)
        for row in chosen
    }
    task_states = diff.task_states
    nodes = tuple(
        Node(row.id, cut(redact(row.title, secrets), _LONGEST_TITLE), task_states[row.id].state)
        for row in chosen
    )
    edges = tuple(Edge(other, task) for task, others in needs.items() for other in others)
    return Picture(nodes, edges, find_cycles(needs)), len(wanted) - len(drawn)
