"""Show the task, question or log under the cursor at the lower right, and take answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.widgets import Input, RichLog, Static

from ralphgit.app.handoff.questions import Question
from ralphgit.app.status.overview import Attention
from ralphgit.app.status.task_list import Shown
from ralphgit.board import task_text
from ralphgit.board.snapshot import Card, Snapshot, Worker
from ralphgit.board.tail_log import Piece
from ralphgit.model.printable import safe

#: Draws a task as `show` does.
Describe = Callable[[Shown], Iterable[str]]
#: What can be under the cursor.
Subject = Card | Question | Attention | Worker | None
#: Lines of a log that are kept.
_MOST_LINES = 2000


class Context(Vertical):
    """Shows one subject. An answer that was begun stays until it is sent."""

    class Answered(Message):
        """A person has written an answer to what they saw."""

        def __init__(self, question: Question, text: str) -> None:
            super().__init__()
            self.question, self.text = question, text

    class Widened(Message):
        """A log has to be read again: its lines break elsewhere now."""

    def __init__(self, describe: Describe) -> None:
        super().__init__(id="context", classes="panel")
        self._describe = describe
        self.subject: Subject = None
        self.question: Question | None = None
        """What can be answered here and now."""
        self._drafts: dict[tuple[str, str], str] = {}
        self._drawn = Content("")
        self._width = 0

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="details"):
            yield Static("", id="text", markup=False)
        yield RichLog(id="log", max_lines=_MOST_LINES, wrap=True, min_width=10)
        yield Static("", id="said", markup=False)
        yield Input(placeholder="Your answer; Enter sends it, Esc leaves it", id="answer")

    # -- the subject ---------------------------------------------------------------

    def take(self, found: Snapshot, subject: Subject) -> None:
        """Show this from now on."""
        same = _key(subject) == _key(self.subject)
        self.subject = subject
        self.draw(found)
        if not same:
            self.say("")
            self.query_one("#details").scroll_home(animate=False)

    @property
    def place(self) -> str:
        """The id of what is scrolled here."""
        return "log" if self.has_class("log") else "details"

    def draw(self, found: Snapshot) -> None:
        """Show the same subject as it is now."""
        subject = self.subject
        self.set_class(isinstance(subject, Worker), "log")
        question, title, content = None, "", Content("")
        if isinstance(subject, Card | Question):
            task = subject.id if isinstance(subject, Card) else subject.task
            question = found.question(task)
            title, content = f"task {task}", self._of_task(found, subject, task, question)
        elif isinstance(subject, Attention):
            title, content = "what needs a person", task_text.noted(subject)
        elif isinstance(subject, Worker):
            title = f"log of {safe(subject.name)}"
        self.border_title = Content(title)
        if not content.is_same(self._drawn):
            self._drawn = content
            self.query_one("#text", Static).update(content)
        self._offer(question if question and task_text.answerable(found, question) else None)

    def _of_task(
        self, found: Snapshot, subject: Card | Question, task: str, question: Question | None
    ) -> Content:
        about = None
        if question is not None:
            about = task_text.asked(question, here=task_text.answerable(found, question))
        elif isinstance(subject, Question):
            about = Content("This question is no longer open.").stylize(task_text.CARE)
        if task in found.claim_map.task_states:
            return task_text.task(self._describe(found.shown(task)), about)
        title = subject.title
        return task_text.task([f"{task}  {safe(title)}"], about)

    # -- the answer ----------------------------------------------------------------

    def _offer(self, question: Question | None) -> None:
        """Take answers to this question, with what was written to it before.

        Who is writing goes on with the question that was there when it was begun.
        """
        box = self.query_one("#answer", Input)
        if box.has_focus and box.value:
            return
        if question != self.question:
            self._keep()
            self.question = question
            box.value = self._drafts.get((question.task, question.claim), "") if question else ""
        box.set_class(question is not None, "shown")
        if question is None and box.has_focus:
            self.screen.set_focus(None)

    def _keep(self) -> None:
        if self.question is not None:
            key = self.question.task, self.question.claim
            self._drafts[key] = self.query_one("#answer", Input).value

    def begin(self, text: str = "") -> None:
        """Let a person write an answer that begins with `text`."""
        box = self.query_one("#answer", Input)
        box.value = text or box.value
        self.screen.set_focus(box)

    def leave(self, found: Snapshot) -> None:
        """End writing, and keep the words."""
        self._keep()
        self.query_one("#answer", Input).value = ""
        question, self.question = self.question, None
        self.draw(found)
        if self.question is None and question is not None:
            self.query_one("#answer").remove_class("shown")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.question is not None:
            self.post_message(self.Answered(self.question, event.value))

    def sent(self, question: Question) -> None:
        """Forget the words of an answer that was sent."""
        self._drafts.pop((question.task, question.claim), None)
        if self.question == question:
            self.question = None
            self.query_one("#answer", Input).value = ""

    def say(self, text: str) -> None:
        """Show why nothing was done; "" removes it."""
        said = self.query_one("#said", Static)
        said.update(Content(text).stylize(task_text.BAD))
        said.set_class(bool(text), "shown")

    # -- the log -------------------------------------------------------------------

    def write(self, piece: Piece) -> None:
        """Add to the log, if it is the one that is shown."""
        if not isinstance(self.subject, Worker) or self.subject.path != piece.worktree:
            return
        log = self.query_one("#log", RichLog)
        if piece.anew:
            log.clear()
        if not piece.path:
            log.write("There is no log yet.")
        for line in piece.lines:
            log.write(line)

    def on_resize(self, event: Resize) -> None:
        if event.size.width != self._width:
            self._width = event.size.width
            self.post_message(self.Widened())


def _key(subject: Subject) -> tuple[object, ...]:
    """Return what identifies the task, question or worker."""
    if isinstance(subject, Card):
        return ("task", subject.id)
    if isinstance(subject, Question):
        return ("question", subject.task, subject.claim)
    return ("worker", subject.path) if isinstance(subject, Worker) else (subject,)
