"""Lay out the board's screen: columns, inbox, workers, and the details beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, HorizontalScroll, Vertical
from textual.content import Content
from textual.events import DescendantFocus, Key, Resize
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from ralphgit.app.handoff.questions import Question
from ralphgit.app.status.overview import Attention
from ralphgit.board import task_text
from ralphgit.board.detail_pane import Context, Describe, Subject
from ralphgit.board.dialogs import Choice
from ralphgit.board.long_list import Entry, Rows
from ralphgit.board.snapshot import COLUMNS, Card, Snapshot, Worker
from ralphgit.errors import RalphError
from ralphgit.model.printable import safe

#: What is said where a key needs a task.
SELECT = "Select a task or a worker first."
#: The height from which on each task gets two lines.
_TALL = 34
#: The least width of a column, and the width of one without tasks.
_LEAST, _BARE = 21, 14


class Columns(HorizontalScroll, can_focus=False, inherit_bindings=False):
    """Side by side; those that have no room are scrolled to."""


class View(Screen[None]):
    """Shows snapshots. What is selected, searched and begun stays from one to the next."""

    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search"),
        Binding("s", "story", "Story"),
        Binding("l", "log", "Log"),
        Binding("z", "zoom", "Zoom"),
        Binding("c", "cancelled", "Cancelled", show=False),
        Binding("left", "column(-1)", "Column", show=False),
        Binding("right", "column(1)", "Column", show=False),
        Binding("tab", "region(1)", "Next", show=False),
        Binding("shift+tab", "region(-1)", "Previous", show=False),
        Binding("escape", "return", "Back", show=False),
    ]

    def __init__(
        self, describe: Describe, *, now: Callable[[], float], follow: Callable[[str], None]
    ) -> None:
        """`follow` has the log of a worktree read, or none."""
        super().__init__()
        self._now, self._follow = now, follow
        self.context = Context(describe)
        self.seen: Snapshot | None = None
        self.shown_workers: Sequence[Worker] = ()
        self._story = self._words = ""
        self._cancelled = False
        self._doing = ""
        self._column = self._list = "ready"
        """The column, and the list of whatever kind, that had the focus last."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="head"):
            yield Static("", id="project", markup=False)
            yield Static("", id="doing", markup=False)
        yield Static("", id="trouble", markup=False)
        yield Input(placeholder="Search; Enter keeps it, Esc clears it", id="search")
        with Columns(id="columns"):
            for name in COLUMNS:
                yield Rows(task_text.card, id=_column(name))
        with Horizontal(id="below"):
            with Vertical(id="left"):
                yield Rows(_waiting, id="inbox", empty="Nothing waits for a person.")
                yield Rows(self._draw_worker, id="workers", empty="No loop runs.")
            yield self.context
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one("#project", Static).update("Looking at the repository ...")
        # Back from ctrl+z the terminal is empty, and Textual would draw what has changed.
        self.app.app_resume_signal.subscribe(self, lambda _: self.app.refresh())
        self.set_interval(1.0, self._rows("workers").refresh)  # for how long ago a sign of life is

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self._fill)

    def show(self, found: Snapshot | None, workers: Sequence[Worker]) -> None:
        """Show this from now on; without a snapshot, the last one."""
        first = self.seen is None
        self.seen, self.shown_workers = found or self.seen, workers
        self._fill()
        if first and self.seen is not None:
            self._begin()

    def trouble(self, error: RalphError | None) -> None:
        """Show why nothing new appears."""
        banner = self.query_one("#trouble", Static)
        if error is not None:
            banner.update(task_text.trouble(error, self.seen))
        banner.set_class(error is not None, "shown")

    def doing(self, what: str) -> None:
        """Show what is being written just now."""
        self._doing = what
        self._tell_doing()

    def _begin(self) -> None:
        """The first look is done: go where something is."""
        order = ("inbox", "at-work", "ready", *map(_column, COLUMNS))
        full = [name for name in order if self._rows(name).entry is not None]
        self.set_focus(self._rows(full[0] if full else "ready"))

    def _rows(self, name: str) -> Rows:
        return self.query_one(f"#{name}", Rows)

    # -- filling -------------------------------------------------------------------

    def _fill(self) -> None:
        found = self.seen
        if found is None:
            return
        self.query_one("#project", Static).update(task_text.head(found))
        tall = 2 if self.size.height >= _TALL else 1
        selected = self._rows(self._list).entry
        for name, cards in found.columns.items():
            rows = self._rows(_column(name))
            kept = [card for card in cards if self._wanted(card)]
            rows.fill([Entry(card.id, card) for card in kept], tall=tall)
            count = f"{len(kept)} of {len(cards)}" if len(kept) != len(cards) else f"{len(cards)}"
            rows.head(Content.assemble((name, task_text.COLOURS[name]), f" {count}"))
            rows.set_class(name == "cancelled" and not self._cancelled, "folded")
        if selected is not None and isinstance(selected.item, Card):
            self._follow_card(selected.key)
        self._part()
        inbox, workers = self._rows("inbox"), self._rows("workers")
        entries = [Entry(f"{one.task} {one.claim}", one) for one in found.questions]
        entries += [Entry(f"{one.code} {one.message}", one) for one in found.notes]
        inbox.fill(entries)
        inbox.head(Content(f"inbox {len(entries)}"))
        workers.fill([Entry(one.path, one) for one in self.shown_workers])
        workers.head(Content(f"workers {len(self.shown_workers)}"))
        self._tell_doing()
        self.context.draw(found)

    def _follow_card(self, key: str) -> None:
        """Go after the selected task, where it is in another column now."""
        before = self._rows(self._list)
        for name in self._shown():
            rows = self._rows(name)
            if rows is before or not rows.go_to(key):
                continue
            if self.focused is before:
                self.set_focus(rows)
            else:
                self._list = self._column = name
            return

    def _part(self) -> None:
        """Set the columns' widths: an empty one needs only its heading."""
        shown = [self._rows(name) for name in self._shown()]
        full = [rows for rows in shown if rows.entry is not None]
        room = self.query_one("#columns").size.width - _BARE * (len(shown) - len(full))
        width = max(_LEAST, room // len(full)) if full else _LEAST
        for rows in shown:
            rows.styles.width = (_BARE if rows.entry is None else width) - 1

    def _shown(self) -> list[str]:
        """The ids of the columns that are not folded away."""
        return [name for name in map(_column, COLUMNS) if not self._rows(name).has_class("folded")]

    def _wanted(self, card: Card) -> bool:
        if self._story and card.story != self._story:
            return False
        text = f"{card.id} {card.title} {card.story} {card.worker}".casefold()
        return all(word in text for word in self._words.casefold().split())

    def _tell_doing(self) -> None:
        parts = (
            f"story {safe(self._story)}" if self._story else "",
            f"/{safe(self._words)}" if self._words else "",
            self._doing,
        )
        self.query_one("#doing", Static).update(Content("  ".join(filter(None, parts))))

    def _draw_worker(self, item: Worker, width: int, tall: int) -> list[Content]:
        return [task_text.worker(item, self._now())]

    # -- moving --------------------------------------------------------------------

    @property
    def subject(self) -> Subject:
        """What is under the cursor, or was when the list was left."""
        here = self.focused
        if not isinstance(here, Rows):
            return self.context.subject
        item = here.entry.item if here.entry is not None else None
        assert item is None or isinstance(item, Card | Question | Attention | Worker)
        return item

    def on_rows_moved(self, event: Rows.Moved) -> None:
        if self.seen is None or not event.rows.has_focus:
            return
        subject, before = self.subject, self.context.subject
        if subject == before:
            return
        self.context.take(self.seen, subject)
        path, was = (one.path if isinstance(one, Worker) else "" for one in (subject, before))
        if path != was or not path:
            self._follow(path)

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        if self.context.question is not None and event.rows.id == "inbox":
            self.context.begin()
        else:
            self.action_zoom()

    def on_context_widened(self) -> None:
        subject = self.context.subject
        if isinstance(subject, Worker):
            self._follow(subject.path)

    def action_column(self, by: int) -> None:
        shown = self._shown()
        here = self.focused.id if self.focused is not None else None
        if here in shown:
            place = max(0, min(shown.index(here) + by, len(shown) - 1))
            self.set_focus(self._rows(shown[place]))

    def action_region(self, by: int) -> None:
        """Go to the next region: the last used column, inbox, workers, details."""
        places = [self._column, "inbox", "workers", self.context.place]
        if self.context.question is not None:
            places.append("answer")
        now = self.focused.id if self.focused is not None else ""
        index = places.index(now) if now in places else -1 if by > 0 else 0
        self.set_focus(self.query_one(f"#{places[(index + by) % len(places)]}"))

    def action_zoom(self) -> None:
        self.toggle_class("zoomed")
        if self.has_class("zoomed"):
            self.set_focus(self.query_one(f"#{self.context.place}"))
        else:
            self.go_back()

    def action_return(self) -> None:
        """Leave writing, the zoomed part or the search."""
        found, here = self.seen, self.focused.id if self.focused is not None else ""
        if here == "answer" and found is not None:
            self.context.leave(found)
            self.go_back()
        elif here == "search":
            self._search("")
            self.go_back()
        elif self.has_class("zoomed"):
            self.action_zoom()
        elif self._words:
            self._search("")
        else:
            self.go_back()

    def go_back(self) -> None:
        """Go back to the list that was left last."""
        self.set_focus(self._rows(self._list))

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        if isinstance(event.widget, Rows) and event.widget.id in self._lists():
            self._list = event.widget.id
            for name in self._lists():
                self._rows(name).set_class(name == self._list, "last")
            if self._list in map(_column, COLUMNS):
                self._column = self._list
                event.widget.scroll_visible(animate=False)

    def _lists(self) -> list[str]:
        return [*map(_column, COLUMNS), "inbox", "workers"]

    # -- search and stories --------------------------------------------------------

    def action_search(self) -> None:
        box = self.query_one("#search", Input)
        box.add_class("shown")
        self.set_focus(box)

    def _search(self, words: str) -> None:
        box = self.query_one("#search", Input)
        box.set_class(bool(words), "shown")
        box.value = self._words = words
        self._fill()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "search":
            self._words = event.value
            self._fill()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id != "search":
            return
        event.input.set_class(bool(event.value), "shown")
        found = [name for name in map(_column, COLUMNS) if self._rows(name).entry is not None]
        self.set_focus(self._rows(self._column if self._column in found or not found else found[0]))

    def action_story(self) -> None:
        if self.seen is None:
            return
        counts = Counter(card.story for cards in self.seen.columns.values() for card in cards)
        options = [("", ""), *((one, str(counts[one])) for one in self.seen.stories)]
        choice = Choice("The tasks of one story", options, self._story)
        self.app.push_screen(choice, self._tell_story)

    def _tell_story(self, story: str | None) -> None:
        if story is not None:
            self._story = story
            self._fill()

    def action_cancelled(self) -> None:
        self._cancelled = not self._cancelled
        self._fill()
        if not self._cancelled and self.focused is self._rows("cancelled"):
            self.set_focus(self._rows("complete"))

    # -- keys of the inbox and the log ---------------------------------------------

    def on_key(self, event: Key) -> None:
        """Begin an answer with an option, for a digit in the inbox."""
        question = self.context.question
        if self.focused is self._rows("inbox") and question is not None and event.key.isdigit():
            number = int(event.key)
            if 0 < number <= len(question.options):
                self.context.begin(question.options[number - 1])
                event.stop()

    def card(self) -> Card | None:
        """Return the task under the cursor, or that of the worker or question under it."""
        subject = self.subject
        task = "" if subject is None else subject.id if isinstance(subject, Card) else subject.task
        return self.seen.card(task) if self.seen is not None else None

    def named(self) -> str:
        card = self.card()
        return card.id if card is not None else "This"

    def action_log(self) -> None:
        card = self.card()
        if card is not None and card.path and self._rows("workers").go_to(card.path):
            self.set_focus(self._rows("workers"))
        elif self.subject is None:
            self.notify(SELECT)
        else:
            self.notify(f"{self.named()} has no holder with a log here.", markup=False)


def _column(name: str) -> str:
    """The id of a column."""
    return name.replace(" ", "-")


def _waiting(item: Question | Attention, width: int, tall: int) -> list[Content]:
    """A row of the inbox."""
    if isinstance(item, Question):
        return task_text.question(item, tall)
    return task_text.note(item, tall)
