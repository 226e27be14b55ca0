"""Running the board until it is left, with the terminal as it was before."""

from __future__ import annotations

import asyncio
import signal

from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.board.app import Board
from ralphgit.board.detail_pane import Describe
from ralphgit.board.snapshot import gather

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
        # A handler that raises would do so anywhere in Textual's loop: nobody would tidy up.
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
