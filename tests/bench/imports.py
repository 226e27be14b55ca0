"""Which of the costly modules a command imports, by `python -X importtime`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bench.timing import Failed

#: Packages that take 20 ms and more to import, by the name of the module.
HEAVY = (
    "pygit2", "ruamel", "jsonschema", "rich", "markdown_it", "jinja2", "psutil", "tomlkit",
)  # fmt: skip


def usual(task: str) -> dict[str, tuple[str, ...]]:
    """The commands that must start fast, by name; `claim` stands last, since it changes."""
    return {
        "--help": ("--help",),
        "next": ("next", "--json"),
        "show": ("show", task),
        "list": ("list",),
        "claim": ("claim", task, "--no-fetch"),
    }


def imported(words: Sequence[str], *, at: Path, env: Mapping[str, str]) -> frozenset[str]:
    """The modules that `ralphgit WORDS` imports, by full name.

    Raises: Failed with what the command said.
    """
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ralphgit", *words],
        cwd=at, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = done.stderr.splitlines()
    lines = [line for line in told if line.startswith("import time:")]
    if done.returncode:
        said = "\n".join(line for line in told if line not in lines)
        raise Failed(f"ralphgit {' '.join(words)}: exit {done.returncode}\n{said}")
    return frozenset(line.rpartition("|")[2].strip() for line in lines)


def of(packages: Iterable[str], modules: Iterable[str]) -> tuple[str, ...]:
    """Which of `packages` are among `modules`."""
    roots = {module.partition(".")[0] for module in modules}
    return tuple(package for package in packages if package in roots)
