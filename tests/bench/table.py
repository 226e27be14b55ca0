"""Figures as they are printed, each with its target."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from typing import NamedTuple


class Line(NamedTuple):
    """One figure as it is printed."""

    name: str
    figure: str
    relation: str = ""
    target: str = ""
    kept: bool | None = None
    """None where there is no target."""
    more: float = 0.0
    """By what part it is over its target, where that can be said."""

    @property
    def missed(self) -> str:
        """By how much the target is missed, in words."""
        by = f", {self.more:.0%} more" if self.more else ""
        return f"{self.name.strip()}: {self.relation or self.figure}, {self.target} wanted{by}"


def against(name: str, figure: str, what: str, ratio: float, limit: float) -> Line:
    """A figure that is `ratio` times `what`, at most `limit` of it wanted."""
    kept = ratio <= limit
    more = 0.0 if kept else ratio / limit - 1
    return Line(name, figure, f"{ratio:.2f} x {what}", f"<= {limit:g} x", kept, more)


def below(name: str, figure: str, value: float, limit: float, unit: str) -> Line:
    """A figure of which at most `limit` is wanted."""
    kept = value <= limit
    return Line(name, figure, "", f"<= {limit:g} {unit}", kept, 0.0 if kept else value / limit - 1)


def show(how: str, lines: Iterable[Line]) -> list[Line]:
    """Print a table; above it machine, versions, and how the figures were taken.

    Returns what is over its target.
    """
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True)
    print(
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {git.stdout.strip()}; {how}"
    )
    words = {True: "ok", False: "over", None: ""}
    over = []
    for line in lines:
        over += [line] if line.kept is False else []
        print(
            f"{line.name:44} {line.figure:>10}  {line.relation:14} {line.target:9} "
            f"{words[line.kept]}".rstrip(),
            flush=True,
        )
    return over
