"""`board`: the live view in a terminal."""

import gc
import importlib.util
import os
import sys
from typing import NamedTuple

from ralphgit.cli.command_call import Call
from ralphgit.cli.commands import show
from ralphgit.cli.render import Outcome
from ralphgit.errors import GuardRefused, UsageError
from ralphgit.model.extras import install


class Options(NamedTuple):
    """The board takes none."""


def run(call: Call, options: Options) -> Outcome:
    if call.screen.json:
        raise UsageError("the board is drawn on a terminal", hint="ralphgit status --json")
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if os.environ.get("TERM") == "dumb" or not all(stream.isatty() for stream in streams):
        raise UsageError("there is no terminal to draw the board on", code="no_terminal",
                         hint="ralphgit status")  # fmt: skip
    if importlib.util.find_spec("textual") is None:
        raise GuardRefused("textual is not installed, which draws the board", code="no_textual",
                           hint=install("board"))  # fmt: skip
    # Textual reads it when it is imported.
    if call.screen.colour:
        os.environ.pop("NO_COLOR", None)
    else:
        os.environ["NO_COLOR"] = "1"

    gc.enable()  # `main` has switched it off for what ends soon
    from ralphgit.board import app

    app.run(call.around, show.lines, light=_is_light(os.environ.get("COLORFGBG", "")))
    return Outcome(None)


def _is_light(colours: str) -> bool:
    """Whether a terminal says that its background is light: `0;15`, the last is the background."""
    last = colours.rpartition(";")[2]
    return last in ("7", "15")
