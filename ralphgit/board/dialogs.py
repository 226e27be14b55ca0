"""Ask before the board does something, and show its keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ralphgit.app.lifecycle.reset import ResetOptions
from ralphgit.board import task_text
from ralphgit.board.long_list import Entry, Rows
from ralphgit.board.snapshot import Card, Snapshot, Worker
from ralphgit.board.task_text import BAD, MUTED, STRONG
from ralphgit.errors import RalphError
from ralphgit.model.printable import duration, safe

#: What a reset is refused for unless it is forced.
_FORCED = ("holder_alive", "in_review")
_WORD = "force"


class Dialog(ModalScreen[str | None]):
    """A box over the board; Esc leaves it."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 94%;
        background: $panel; padding: 1 2; border-left: outer $primary;
    }
    Dialog VerticalScroll { height: auto; max-height: 20; }
    Dialog Static { height: auto; }
    Dialog Rows { height: auto; max-height: 16; background: $panel; margin-top: 1; }
    Dialog Input { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave")]

    def action_leave(self) -> None:
        self.dismiss(None)


class Reset(Dialog):
    """Resets a task once a reason is given; if its holder is alive, once that is
    confirmed by a word.
    """

    class Wanted(Message):
        """The person has confirmed."""

        def __init__(self, dialog: Reset, asked: ResetOptions) -> None:
            super().__init__()
            self.dialog, self.asked = dialog, asked

    def __init__(self, found: Snapshot, card: Card, worker: Worker | None, now: float) -> None:
        super().__init__()
        self._found, self._card, self._worker, self._now = found, card, worker, now
        self._reopen = card.state in ("complete", "cancelled")

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._told(), markup=False)
            yield Input(placeholder="Why? Enter resets, Esc leaves", id="reason", compact=True)
            force = Input(placeholder=f"Type {_WORD}, then Enter", id="force", compact=True)
            force.display = False
            yield force
            yield Static("", id="said", markup=False)

    def _told(self) -> Content:
        card = self._card
        verb = "Reopen" if self._reopen else "Reset"
        parts = [Content.assemble((f"{verb} {card.id}", STRONG), f"  {safe(card.title)}\n")]
        if self._reopen:
            parts.append(Content(f"It is {card.state}, and would be pending again."))
        else:
            parts.append(Content.assemble("It is taken from ", *self._holder(), "."))
            kept = f"refs/ralph/rescue/{card.id}/{safe(card.claim)}"
            parts.append(Content(f"What has not landed is kept under {kept}."))
        pushed = f", and pushed to {safe(self._found.remote)}" if self._found.remote else ""
        parts.append(Content(f"The reset is a commit on {safe(self._found.base)}{pushed}."))
        return Content("\n").join(parts)

    def _holder(self) -> Sequence[str | tuple[str, str]]:
        name = safe(self._card.worker) or "an unknown worker"
        worker = self._worker
        if worker is None:
            return [(name, STRONG)]
        character, colour = task_text.sign(worker, self._now)
        beat = "no loop has shown itself there"
        if worker.beat is not None:
            beat = f"heartbeat {duration(max(0.0, self._now - worker.beat))} ago"
        if worker.state == "gone":
            beat += ", and its process is gone"
        return [(name, STRONG), f" ({safe(worker.where)}, ", (f"{character} {beat}", colour), ")"]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        reason, force = self.query_one("#reason", Input), self.query_one("#force", Input)
        forced = force.display and force.value.strip() == _WORD
        if force.display and not forced and event.input is force:
            return
        card = self._card
        asked = ResetOptions(card.id, reason.value, card.claim, self._reopen, forced)
        self.post_message(self.Wanted(self, asked))

    def refused(self, error: RalphError) -> None:
        """Show why nothing was done."""
        self.query_one("#said", Static).update(Content(task_text.refusal(error)).stylize(BAD))
        force = self.query_one("#force", Input)
        if error.code in _FORCED:
            force.display = True
            force.focus()


class Choice(Dialog):
    """One of some texts; None for leaving it."""

    def __init__(self, title: str, options: Sequence[tuple[str, str]], chosen: str) -> None:
        """`options`: each with what is said of it."""
        super().__init__()
        self._title, self._options, self._chosen = title, options, chosen

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Content(self._title).stylize(STRONG))
            yield Rows(_option, id="options")

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.fill([Entry(f"={value}", (value, said)) for value, said in self._options])
        rows.styles.height = min(20, len(self._options))
        rows.go_to(f"={self._chosen}")
        rows.focus()

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        entry = event.rows.entry
        self.dismiss(entry.key[1:] if entry is not None else None)

    def on_rows_moved(self, event: Rows.Moved) -> None:
        event.stop()


def _option(item: tuple[str, str], width: int, tall: int) -> list[Content]:
    value, said = item
    return [Content.assemble(safe(value) or "all", (f"  {said}", MUTED))]


class Help(Dialog):
    """Every key."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,q", "leave", "Leave")]

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        parts = [Content("Keys").stylize(STRONG), Content("")]
        parts += [Content.assemble((f"{key:<12}", STRONG), said) for key, said in self._keys]
        parts += [
            Content(""),
            Content.assemble(
                ("●", task_text.GOOD), " alive  ", ("◐", task_text.CARE), " silent or starting  ",
                ("✕", BAD), " gone  ", ("○", MUTED), " no loop",
            ),
        ]  # fmt: skip
        with Vertical(), VerticalScroll():
            yield Static(Content("\n").join(parts))
