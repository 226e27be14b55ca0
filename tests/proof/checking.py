"""Have spin look at every state of `claims.pml`, with something taken out of it or not."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

MODEL = Path(__file__).with_name("claims.pml")
#: Memory for one search, in MB.
_MEMORY = 10_000
_NONE = ("CRASHES=0", "RESETS=0", "REVERTS=0", "AGAIN=0")


class Search(NamedTuple):
    """What is asked of spin."""

    what: str
    defines: tuple[str, ...]
    law: str = ""
    """What has to be found, as the model has it in an assertion; "" for nothing."""
    cycles: bool = False
    """Look for what goes on for ever, in place of the assertions."""


class Found(NamedTuple):
    """What spin said."""

    violated: str
    """The assertion that does not hold; "" for none."""
    complete: bool
    """Every state was looked at."""
    states: int
    depth: int
    seconds: float


def _but(*defines: str) -> tuple[str, ...]:
    """Nothing goes wrong but what is said."""
    said = {one.partition("=")[0] for one in defines}
    return (*defines, *(one for one in _NONE if one.partition("=")[0] not in said))


#: What is quick: the tests run these.
QUICK = (
    Search("a worker dies", _but("CRASHES=1")),
    Search("a worker dies; nothing goes on for ever", _but("CRASHES=1"), cycles=True),
    Search("leases are off", _but("NO_LEASE")),
    Search("without the epoch", _but("NO_EPOCH", "RESETS=1"), "l3_late_change_landed"),
    Search("without the unique id", _but("NO_ID"), "l1_two_work_on_one_task"),
    Search(
        "without the unique id, leases off",
        _but("NO_ID", "NO_LEASE"),
        "l1_done_by_two",
    ),
    Search(
        "without the compare-and-swap of the lease",
        _but("NO_LEASE_SWAP"),
        "l1_two_work_on_one_task",
    ),
    Search("without the compare-and-swap of the push", _but("NO_PUSH_SWAP"), "l6_work_was_lost"),
    Search(
        "without asking what was taken back",
        _but("NO_TAKEN_BACK", "REVERTS=1", "AGAIN=1"),
        "l12_landed_again",
    ),
    Search(
        "without a reset of the dead", _but("NO_RESET", "CRASHES=1"), "(complete[0]&&complete[1])"
    ),
)
#: Minutes each, and some GB.
DEEP = (
    Search("a worker dies, another one is reset alive", _but("CRASHES=1", "RESETS=1")),
    Search(
        "of two workers one is reset alive, and a branch is landed again",
        _but("RESETS=1", "AGAIN=1", "WORKERS=2"),
    ),
    Search("work is reverted, and a branch is landed again", _but("REVERTS=1", "AGAIN=1")),
)


def run(search: Search, folder: Path) -> Found:
    """Make the checker of a search in `folder`, which is empty, and run it.

    Raises: RuntimeError where spin or the compiler fails, or the search ran out of memory.
    """
    begun = time.monotonic()
    _do(folder, "spin", "-a", *(f"-D{one}" for one in search.defines), str(MODEL))
    kind = "-DNP" if search.cycles else "-DSAFETY"
    limits = (kind, "-DCOLLAPSE", f"-DMEMLIM={_MEMORY}", "-DVECTORSZ=2048")
    speed = "-O2" if search in DEEP else "-O0"  # the compiler takes longer than a short search
    _do(folder, "gcc", "-w", speed, *limits, "-o", "pan", "pan.c")
    said = _do(folder, "./pan", "-m1000000", *(["-l"] if search.cycles else []))
    errors = int(_number(r"errors: (\d+)", said))
    violated = re.search(r"pan:1: (?:assertion violated )?(.+) \(at depth", said)
    if bool(errors) != bool(violated) or "max search depth too small" in said:
        raise RuntimeError(said)
    return Found(
        re.sub(r"^ *!\((\w+)\)$", r"\1", violated[1]) if violated else "",
        "Search not completed" not in said,
        int(float(_number(r"([\d.e+]+) states, stored", said))),
        int(_number(r"depth reached (\d+)", said)),
        time.monotonic() - begun,
    )


def _number(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(text)
    return found[1]


def _do(folder: Path, *words: str) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode or "error:" in done.stdout.lower().replace("errors:", ""):
        raise RuntimeError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def lines(searches: Sequence[tuple[Search, Found]]) -> list[str]:
    """What was found, a line each."""
    return [
        f"{search.what}: {found.states:,} states, depth {found.depth}, "
        f"{found.violated or 'no violation'}{'' if found.complete or search.law else ', NOT ALL'}, "
        f"{found.seconds:.1f} s"
        for search, found in searches
    ]


def holds(search: Search, found: Found) -> bool:
    """Whether spin found what it has to find, or looked at all and found nothing."""
    return found.violated == search.law and (bool(search.law) or found.complete)
