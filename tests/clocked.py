"""`python tests/clocked.py SECONDS WORDS...`: `ralphgit WORDS` while the clock stands still.

For scenes that take a working day and are made within seconds. Ids come from the clock and the
words, so a scene that is made again differs only in how long its commands took.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time

from ralphgit.cli.main import main


def stand_still(seconds: float, words: list[str]) -> None:
    """Have `time.time` and `os.urandom` say the same for the same command."""
    count = 0

    def random(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.sha256(f"{seconds} {words} {count}".encode()).digest()[:size]

    time.time = lambda: seconds
    os.urandom = random


if __name__ == "__main__":
    at = float(sys.argv.pop(1))
    stand_still(at, sys.argv[1:])
    main()
