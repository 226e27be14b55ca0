"""`python -m proof [--deep]`: check the formal model, and that it finds what is taken out of it.

A line for each search: how many states there are, how deep, and the law that does not hold. The
exit code is 1 where that is another one than expected. `--deep` takes minutes and some GB.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from proof import checking


def main() -> int:
    """Run the searches; the exit code."""
    reader = argparse.ArgumentParser(prog="proof", description=__doc__)
    reader.add_argument("--deep", action="store_true", help="the large ones, too")
    words = reader.parse_args()
    wrong = 0
    for search in (*checking.QUICK, *(checking.DEEP if words.deep else ())):
        with tempfile.TemporaryDirectory(prefix="proof-") as folder:
            found = checking.run(search, Path(folder))
        (line,) = checking.lines([(search, found)])
        good = checking.holds(search, found)
        wanted = f"; WRONG, expected: {search.law or 'no violation'}"
        print(line + ("" if good else wanted), flush=True)
        wrong += not good
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
