"""`python -m race.racer READY DELAY WORDS...`: ralphgit, held back at its start.

Everything is imported; then a byte goes to the file descriptor READY, and only when stdin
closes does the command line WORDS run, DELAY seconds later, by the program's own entry
point. So sixteen of them start within a millisecond, whatever importing takes.
"""

from __future__ import annotations

import os
import sys
import time

from ralphgit.cli import main
from ralphgit.cli.commands import claim


def race() -> None:
    """Say that all is ready, wait for the start, and run."""
    assert callable(claim.run)
    _, ready, delay, *words = sys.argv
    os.write(int(ready), b".")
    os.read(0, 1)
    time.sleep(float(delay))  # the racers' starts are spread on purpose
    sys.argv = ["ralphgit", *words]
    main.main()


if __name__ == "__main__":
    race()
