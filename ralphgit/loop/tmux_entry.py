"""Become the loop that a file describes: the first program in a worker's tmux window.

tmux gives a window the environment of its server, which may be another login's. What the loop
is to see comes in a file that only its owner can read, and that goes away before the loop
begins; its arrival says that the window is ready. It lies in a worktree, where an agent may put
another: what it has to be is told by a digest. Standard library alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from contextlib import suppress
from typing import NoReturn

_PATIENCE_S = 30.0
#: What the window itself knows better.
_OWN = ("TERM", "TMUX", "TMUX_PANE", "COLORTERM")


def main() -> NoReturn:
    """Become the loop; exit if the file does not come."""
    path, digest, folder = sys.argv[1:]
    deadline, data = time.monotonic() + _PATIENCE_S, b""
    while hashlib.sha256(data).hexdigest() != digest:
        if time.monotonic() > deadline:
            sys.exit(f"error: {path} did not come")
        time.sleep(0.02)
        with suppress(OSError), open(path, "rb") as file:
            data = file.read()
    os.unlink(path)
    os.chdir(folder)
    told = json.loads(data)
    own = {name: os.environ[name] for name in _OWN if name in os.environ}
    words = told["words"]
    os.execve(words[0], words, {**told["environ"], **own})


if __name__ == "__main__":
    main()
