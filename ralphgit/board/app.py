"""Run the board: follow the repository, write what a person asks for, until it is closed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.worker import Worker as Job
from textual.worker import WorkerState

from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.board import board_actions, task_text, themes
from ralphgit.board.detail_pane import Context, Describe
from ralphgit.board.dialogs import Help, Reset
from ralphgit.board.follow_repository import Follower, Pace, Update, system
from ralphgit.board.main_screen import SELECT, View
from ralphgit.board.snapshot import Snapshot, gather
from ralphgit.errors import RalphError
from ralphgit.model.printable import safe

_KEYS = (
    ("arrows, j k", "move; left and right change the column"),
    ("tab", "columns, inbox, workers, details"),
    ("enter", "of a question: answer it; else: see all of it"),
    ("a", "answer what the task asks; Enter sends, Esc keeps the words"),
    ("1 to 9", "in the inbox: begin the answer with that option"),
    ("r", "reset the task; asks for a reason first"),
    ("l", "the log of the task's holder"),
    ("z", "the lower right part alone, and back"),
    ("/", "search in ids, titles, stories and workers; Esc clears it"),
    ("s", "the tasks of one story"),
    ("c", "what is cancelled, too"),
    ("t", "light or dark"),
    ("f5", "ask git now"),
    ("q, ctrl+c", "quit"),
)
#: The states in which no worker holds a task.
_FREE = ("waiting", "ready")
_USUAL = Pace()


class Board(App[None]):
    """The live view, drawn by its `View`."""

    CSS = themes.CSS
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "answer", "Answer"),
        Binding("r", "reset", "Reset"),
        Binding("t", "theme", "Light, dark", show=False),
        Binding("f5", "ask", "Ask git", show=False),
        Binding("question_mark", "help", "Help"),
        Binding("q", "leave", "Quit"),
        Binding("ctrl+c,ctrl+q", "leave", "Quit", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, priority=True),
    ]

    def __init__(
        self,
        around: Surroundings,
        describe: Describe,
        *,
        first: Snapshot | None = None,
        pace: Pace = _USUAL,
        light: bool = False,
    ) -> None:
        """`first` is what is shown at once."""
        super().__init__()
        self.register_theme(themes.DARK)
        self.register_theme(themes.LIGHT)
        self.theme = (themes.LIGHT if light else themes.DARK).name
        self._around, self._pace, self._first = around, pace, first
        self._follower = Follower(around, pace, first)
        self.view = View(describe, now=around.now, follow=self._follower.follow)
        self.failure: BaseException | None = None
        """What ended the board, if nobody quit it."""
        self._writing = ""
        """What is being written just now."""
        self._ending = False

    def get_default_screen(self) -> View:
        return self.view

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.DARK.variables

    def on_mount(self) -> None:
        if self._first is not None:
            self.view.call_after_refresh(self.view.show, self._first, self._first.workers)
            self._first = None
        self.run_worker(self._follow(), exit_on_error=False)

    async def _follow(self) -> None:
        """Look in a thread, and draw what was found, until the board ends."""
        while self._drawing:
            update = await asyncio.to_thread(self._follower.look)
            if self._drawing:
                self._show(update)
            await asyncio.sleep(self._pace.look)

    @property
    def _drawing(self) -> bool:
        """Whether the screen is there, and is not being removed."""
        return self.is_running and self.view.is_attached

    def _show(self, update: Update) -> None:
        self.view.trouble(update.error)
        if update.snapshot is not None or update.workers != self.view.shown_workers:
            self.view.show(update.snapshot, update.workers)
        if update.log is not None:
            self.view.context.write(update.log)

    def on_worker_state_changed(self, event: Job.StateChanged) -> None:
        if event.state == WorkerState.ERROR and event.worker.error is not None:
            self._fail(event.worker.error)

    def _handle_exception(self, error: Exception) -> None:
        # Textual would print it with all that was in the variables.
        self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self.failure = self.failure or error
        self.exit()

    # -- answers and resets --------------------------------------------------------

    def action_answer(self) -> None:
        if self.view.context.question is not None:
            self.view.context.begin()
        elif self.view.subject is None:
            self._say(SELECT)
        else:
            self._say(f"{self.view.named()} has no question to answer.")

    def on_context_answered(self, event: Context.Answered) -> None:
        question = event.question

        def sent(error: RalphError | None) -> None:
            if error is not None:
                self.view.context.say(task_text.refusal(error))
                return
            self.view.context.sent(question)
            if self.view.seen is not None:
                self.view.context.leave(self.view.seen)
            self.view.go_back()

        task, claim = question.task, question.claim
        write = partial(board_actions.answer, self._around, task, claim, event.text)
        self._write(f"answering {task} ...", write, sent)

    def action_reset(self) -> None:
        found, card = self.view.seen, self.view.card()
        if found is None or card is None:
            self._say(SELECT)
        elif card.state in _FREE:
            self._say(f"No worker holds {card.id}: it is {card.state}.")
        else:
            worker = next((one for one in self.view.shown_workers if one.task == card.id), None)
            self.push_screen(Reset(found, card, worker, self._around.now()))

    def on_reset_wanted(self, event: Reset.Wanted) -> None:
        dialog, asked = event.dialog, event.asked

        def done(error: RalphError | None) -> None:
            here = self.screen is dialog
            if error is None and here:
                dialog.dismiss(None)
            elif error is not None and here:
                dialog.refused(error)
            elif error is not None:
                self.notify(task_text.refusal(error), severity="error", markup=False)

        if self.view.seen is not None:
            write = partial(board_actions.reset_task, self._around, self.view.seen.home, asked)
            self._write(f"resetting {asked.task} ...", write, done)

    def _write(
        self, what: str, write: Callable[[], list[str]], done: Callable[[RalphError | None], None]
    ) -> None:
        """Write in a thread, one thing at a time; `done` gets the refusal, if there is one."""
        if self._writing:
            self._say(f"Still {self._writing} Try again then.")
            return
        self._writing = what
        self.view.doing(what)
        self.run_worker(self._written(write, done), exit_on_error=False)

    async def _written(
        self, write: Callable[[], list[str]], done: Callable[[RalphError | None], None]
    ) -> None:
        said: list[str] = []
        refusal: RalphError | None = None
        try:
            said = await asyncio.to_thread(write)
        except (RalphError, OSError) as error:
            refusal = error if isinstance(error, RalphError) else system(error)
        self._writing = ""
        self._follower.hurry()
        if not self._drawing:
            return
        self.view.doing("")
        done(refusal)
        if said:
            self._say(*said)
        if self._ending:
            self.exit()

    # -- the rest ------------------------------------------------------------------

    def _say(self, *lines: str) -> None:
        self.notify("\n".join(map(safe, lines)), markup=False)

    def action_theme(self) -> None:
        dark = self.theme == themes.DARK.name
        self.theme = (themes.LIGHT if dark else themes.DARK).name

    def action_ask(self) -> None:
        self._follower.hurry()

    def action_help(self) -> None:
        self.push_screen(Help(_KEYS))

    def action_leave(self) -> None:
        """Quit; what is being written is finished first."""
        if self._writing and not self._ending:
            self._ending = True
            self._say(f"Still {self._writing} The board closes then.")
        else:
            self.exit()


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(around: Surroundings, describe: Describe, *, light: bool) -> None:
    """Show the board. A signal ends it in good order, and is then raised as it came.

    Raises: as `gather` does, before anything is shown; whatever broke.
    """
    board = Board(around, describe, first=gather(around), light=light)
    before = {number: signal.getsignal(number) for number in _ENDING}
    came: list[int] = []

    def end(number: int) -> None:
        came.append(number)
        board.exit()

    async def show() -> None:
        loop = asyncio.get_running_loop()
        # A handler that raises would do so anywhere in Textual's loop: nothing would be cleaned up.
        wanted = [one for one in _ENDING if before[one] is not signal.SIG_IGN]
        for number in wanted:
            loop.add_signal_handler(number, end, number)
        try:
            await board.run_async()
        finally:
            for number in wanted:
                loop.remove_signal_handler(number)  # from here on one more ends us at once

    try:
        asyncio.run(show())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if board.failure is not None:
        raise board.failure
    if came:
        signal.raise_signal(came[0])
