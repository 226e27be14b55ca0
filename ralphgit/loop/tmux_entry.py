"""Become the loop that a file describes: the first program in a worker's tmux window.

tmux gives a window the environment of its server, which may be another login's. What the loop
is to see comes in a file that only its owner can read, and that goes away before the loop
begins; its arrival says that the window is ready. Standard library alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import NoReturn

_PATIENCE_S = 30.0
#: What the window itself knows better.
_OWN = ("TERM", "TMUX", "TMUX_PANE", "COLORTERM")


def main() -> NoReturn:
    """Become the loop; exit if the file does not come."""
    path = sys.argv[1]
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with open(path, encoding="ascii") as file:
                told = json.load(file)
            os.unlink(path)
            break
        except FileNotFoundError:
            if time.monotonic() > deadline:
                sys.exit(f"error: {path} did not come")
            time.sleep(0.02)
    own = {name: os.environ[name] for name in _OWN if name in os.environ}
    words = told["words"]
    os.execve(words[0], words, {**told["environ"], **own})


if __name__ == "__main__":
    main()
