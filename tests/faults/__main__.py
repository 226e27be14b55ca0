"""`python -m faults [COMMAND...]`: every moment of every command that writes, with figures.

The exit code is 1 where something was lost, was done twice, or needed more than the command again
and `doctor --fix`.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from faults import CASES
from faults.stage import Stage
from faults.verdict import tried

ERRORS = ("ENOSPC", "EIO", "EACCES")


def main() -> int:
    """Run it; the exit code."""
    reader = argparse.ArgumentParser(prog="faults", description=__doc__)
    reader.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(CASES))
    reader.add_argument("--kinds", default="kill,ENOSPC", help=f"of kill, {', '.join(ERRORS)}")
    reader.add_argument("--begin", type=int, default=0, help="at this moment of each command")
    words = reader.parse_args()
    kinds = words.kinds.split(",")
    print(
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        flush=True,
    )
    wrong = total = 0
    for command in words.commands or CASES:
        for kind in kinds:
            begun = time.monotonic()
            count, found = _whole(command, kind, words.begin)
            total += count
            wrong += len(found)
            print(
                f"{command}, {kind}: {count} moments, {len(found)} do not hold, "
                f"{time.monotonic() - begun:.0f} s",
                flush=True,
            )
            for sentence in found:
                print(f"WRONG: {sentence}", flush=True)
    print(f"{total} moments, {wrong} do not hold")
    return 1 if wrong else 0


def _whole(command: str, kind: str, begin: int) -> tuple[int, list[str]]:
    """How many moments a command has, and which of them do not hold."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="ralphgit-faults-", dir=memory) as folder:
        stage = Stage(Path(folder), CASES[command].made)
        moments = stage.kills() if kind == "kill" else stage.failures(kind)
        found = []
        for number, moment in enumerate(moments[begin:], begin):
            try:
                tried(stage, CASES[command], moment)
            except AssertionError as error:
                found.append(f"{number}: {error}")
        return len(moments), found


if __name__ == "__main__":
    sys.exit(main())
