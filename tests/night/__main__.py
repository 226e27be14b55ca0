"""`python -m night [--seed N]`: a night of loops in fast motion.

Four loops and two profiles of agents; one account has a limit of 5 h, the login of the other
expires and is renewed in the morning, one loop's agent is silent at times, another's is flaky.
Prints the seed, the figures and what is wrong; the exit code is 1 where anything is.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import sys
import tempfile
import time
from pathlib import Path

from night.field import Night, NightField
from night.told import Told

_BEGINS = "2026-11-28T22:00:00+0000"
_PAGE = """\
# A night

{tasks} tasks, {loops} loops, two profiles of agents, in fast motion: the loops, their worktrees, their agents and
git are processes as ever; only the clock that the loops go by leaps whenever all of them wait. `just night --seed {seed}
--write` has made this page. The agents of this night print what Claude Code (profile `builder`) and Codex (`writer`) print,
and by a plan they meet what a night has:

- the builders' account reaches its limit, which lasts 5 hours;
- the writers' login expires, and a person renews it in the morning;
- the agent of `w3` falls silent at times; that of `w2` does wrong work at times.

What each loop does then is told in [The loop](loop.md).

| | |
|---|---|
{figures}

Its log, all times in UTC:

```text
{log}
```
"""  # noqa: E501


def large(seed: int) -> Night:
    """The night of `docs/night.md`."""
    return Night(seed=seed, tasks=60, begins=_begins(), limit_after=14, login_after=18,
                 sleep_s=4.75 * 3600)  # fmt: skip


def small(seed: int) -> Night:
    """One for the tests."""
    return Night(seed=seed, tasks=14, begins=_begins(), limit_after=3, login_after=3,
                 sleep_s=3 * 3600, silences=1, wrong=1.0)  # fmt: skip


def _begins() -> float:
    return time.mktime(time.strptime(_BEGINS, "%Y-%m-%dT%H:%M:%S%z")) - time.timezone


def main() -> int:
    """Run it; the exit code."""
    reader = argparse.ArgumentParser(prog="night", description=__doc__)
    reader.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**8))
    reader.add_argument("--small", action="store_true", help="14 tasks")
    reader.add_argument("--minutes", type=float, default=60.0, help="give up after so many")
    reader.add_argument("--write", action="store_true", help="write docs/night.md")
    words = reader.parse_args()
    night = (small if words.small else large)(words.seed)
    print(
        f"seed {night.seed}, {night.loops} loops, {night.tasks} tasks; {os.cpu_count()} cores, "
        f"{platform.system()}, Python {platform.python_version()}", flush=True,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="ralphgit-night-") as folder:
        wrong, page = spend(Path(folder), night, limit=words.minutes * 60)
    if words.write and not wrong:
        path = Path(__file__).resolve().parent.parent.parent / "docs" / "night.md"
        path.write_text(page, encoding="utf-8")
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    return 1 if wrong else 0


def spend(folder: Path, night: Night, *, limit: float) -> tuple[list[str], str]:
    """Let a night pass; what is wrong in the end, and the page that tells it."""
    begin = time.monotonic()
    with NightField(folder, night) as field:
        for name in field.places:
            field.start(name)
        while field.pass_on() and time.monotonic() - begin < limit:
            pass
        wrong = [f"{name} has not ended" for name in field.running()]
        wrong += [
            f"{name} ended with exit code {process.returncode}"
            for name, process in field.loops.items()
            if process.returncode not in (0, 3, None)
        ]
        told = Told(field)
        wrong += told.wrong()
        if wrong:
            wrong += [f"{name} said at last: {field.said(name)}" for name in field.places]
            wrong.append(field.world.ralph("status", apart=True).out)
    figures = told.figures()
    print(f"{time.monotonic() - begin:.0f} s; " + "; ".join(f"{k} {v}" for k, v in figures[2:]))
    rows = "\n".join(f"| {name} | {value} |" for name, value in figures)
    page = _PAGE.format(
        tasks=night.tasks, loops=night.loops, seed=night.seed, figures=rows,
        log="\n".join(told.log()),
    )  # fmt: skip
    return wrong, page


if __name__ == "__main__":
    sys.exit(main())
