"""Show what takes long: one line that goes again on a terminal, at most a line a step off it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from ralphgit.app.workspace.surroundings import Item, Progress
from ralphgit.model.printable import safe, short_duration

if TYPE_CHECKING:
    import threading

    from rich.text import Text

#: What is over sooner than this shows nothing: on a terminal, and in a log.
TERMINAL_S, LOG_S = 2.0, 30.0
_KEPT = 4096
#: How often many small things look at the clock, for a log.
_TOLD_EVERY = 100
_COLOURS = r"\x1b\[[0-9;?]*[ -/]*[@-~]"


class Step:
    """Something that is under way."""

    __slots__ = ("begun", "number", "of", "output", "told", "what")

    def __init__(self, what: str, number: int, of: int, begun: float) -> None:
        self.what, self.number, self.of, self.begun = what, number, of, begun
        self.output, self.told = b"", False

    def words(self) -> str:
        count = f" ({self.number} of {self.of})" if self.of else ""
        return f"{safe(self.what)}{count}"


def line(steps: Sequence[Step], now: float) -> str:
    """Say what is under way, how many of how many, how long, and what it printed last."""
    age = short_duration(now - steps[0].begun)
    said = last_line(steps[-1].output)
    return f"{': '.join(step.words() for step in steps)}, {age}" + (f"  {said}" if said else "")


def last_line(output: bytes) -> str:
    """The last line that is not empty, as it may be shown."""
    import re

    text = re.sub(_COLOURS, "", output.decode("utf-8", "replace"))
    lines = [one.strip() for one in re.split(r"[\r\n]+", text)]
    return safe(next((one for one in reversed(lines) if one), ""))


class ProgressLine(Progress):
    """The progress of one command, on the stream that stderr is."""

    __slots__ = ("_begun", "_live", "_lock", "_timer", "now", "quiet", "steps", "stream")

    def __init__(
        self, stream: TextIO, *, quiet: bool = False, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.stream, self.quiet, self.now = stream, quiet, now
        self.steps: list[Step] = []
        self._begun = now()
        self._timer: threading.Timer | None = None
        self._live: Any = None
        self._lock: Any = None

    @contextmanager
    def step(self, what: str, number: int = 0, of: int = 0) -> Iterator[None]:
        """Show `what` while the block runs, inside of what is shown already."""
        at = len(self.steps)
        self.steps.append(Step(what, number, of, self.now()))
        if not self.quiet and self.stream.isatty():
            self._begin()
        else:
            self._tell(self.now() - self._begun)
        try:
            yield
        finally:
            del self.steps[at:]  # also what an error left begun, inside of it
            if not self.steps:
                self._end()

    def through(self, what: str, items: Sequence[Item]) -> Iterator[Item]:
        """Yield `items`, and show at which of them the work is."""
        with self.step(what, 0, len(items)):
            step = self.steps[-1]
            for item in items:
                step.number += 1
                if not step.number % _TOLD_EVERY:
                    self._tell(self.now() - self._begun)
                yield item

    def heard(self, output: bytes) -> None:
        """Take in what the program printed that the innermost step runs."""
        if self.steps:
            now = self.steps[-1]
            now.output = (now.output + output)[-_KEPT:]
            self._tell(self.now() - now.begun)

    # -- a log ---------------------------------------------------------------------------

    def _tell(self, seconds: float) -> None:
        """Print the innermost step once, in a command that takes long."""
        step = self.steps[-1]
        if seconds < LOG_S or step.told or self.quiet or self.stream.isatty():
            return
        step.told = True
        print(": ".join(one.words() for one in self.steps), file=self.stream, flush=True)

    # -- a terminal ----------------------------------------------------------------------

    def _begin(self) -> None:
        if self._timer is None:
            import threading

            self._lock = threading.Lock()
            self._timer = threading.Timer(TERMINAL_S, self._show)
            self._timer.daemon = True
            self._timer.start()

    def _show(self) -> None:
        # Here and not above: what is over in 2 s need not wait for it.
        from rich.console import Console
        from rich.live import Live

        with self._lock:
            if self._timer is None:
                return
            console = Console(file=self.stream, highlight=False, markup=False)
            self._live = Live(
                get_renderable=self._drawn, console=console, transient=True, refresh_per_second=4,
                redirect_stdout=False, redirect_stderr=True,
            )  # fmt: skip
            self._live.start()

    def _drawn(self) -> Text:
        from rich.text import Text

        steps = self.steps[:]
        return Text(line(steps, self.now()) if steps else "", no_wrap=True, overflow="ellipsis")

    def _end(self) -> None:
        if self._timer is None:
            return
        with self._lock:
            self._timer.cancel()
            if self._live is not None:
                self._live.stop()
            self._timer = self._live = None
