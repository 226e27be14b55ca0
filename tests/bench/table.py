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


def show(how: str, lines: Iterable[Line]) -> None:
    """Print a table; above it machine, versions, and how the figures were taken."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True)
    print(
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {git.stdout.strip()}; {how}"
    )
    words = {True: "ok", False: "over", None: ""}
    for line in lines:
        print(
            f"{line.name:44} {line.figure:>10}  {line.relation:14} {line.target:9} "
            f"{words[line.kept]}".rstrip(),
            flush=True,
        )
