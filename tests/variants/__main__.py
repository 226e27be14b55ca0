"""`python -m variants [NAME...] [--write]`: do the same in repositories of every kind.

A line for each: right, refused before anything was made, not tried and why, or what went wrong;
then the exit code is 1. NAME is a part of a kind's name. `--write` makes the table of
docs/reliability.md anew, from all kinds. Another git is tried by putting it first on PATH.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from world import ROOT, Place

from variants.journey import Journey, Wrong, plain, refusal
from variants.kinds import KINDS, Kind

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- variants: begin -->\n", "<!-- variants: end -->\n"


def verdict(kind: Kind, folder: Path) -> str:
    """How it went in a repository of a kind. Raises: Wrong; pytest's Skipped."""
    main = kind.make(folder)
    told = refusal(main)
    if told is None:
        listed = plain(main).git("worktree", "list", "--porcelain").splitlines()
        found = [line[9:] for line in listed if line.startswith("worktree ")]
        path = next(path for path in found if path.endswith("-alpha"))
        alpha = Place(Path(path), main.environ, main.world)
        if kind.refused:
            told = _refused_claim(alpha)
        else:
            Journey(main, "origin/main").run(alpha)
            return "right"
    code, message = told
    if code != kind.refused:
        raise Wrong(f"refused: {code}: {message}")
    return f"refused (`{code}`)"


def _refused_claim(alpha: Place) -> tuple[str, str]:
    before = alpha.world.state("/.git/ralphgit", "/.ralph")
    done = alpha.ralph("claim", "T-1", "--json")
    if done.code == 0 or alpha.world.state("/.git/ralphgit", "/.ralph") != before:
        raise Wrong(f"the claim was not refused, or has changed something: {done}")
    return done.error, done.json["error"]["message"]


def main() -> int:
    """Run them; the exit code."""
    reader = argparse.ArgumentParser(prog="variants", description=__doc__)
    reader.add_argument("names", nargs="*", help="parts of names; default: all")
    reader.add_argument("--write", action="store_true", help="the table of docs/reliability.md")
    words = reader.parse_args()
    rows, wrong = [], 0
    for kind in KINDS:
        if words.names and not any(name in kind.name for name in words.names):
            continue
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        with tempfile.TemporaryDirectory(prefix="variants-", dir=memory) as folder:
            try:
                said = verdict(kind, Path(folder))
            except pytest.skip.Exception as skipped:
                said = f"not tried: {skipped.msg}"
            except (Wrong, AssertionError) as error:
                said, wrong = f"WRONG: {error}", wrong + 1
        print(f"{kind.name}: {said}", flush=True)
        rows.append((kind.name, said))
    if words.write and not wrong and not words.names:
        PAGE.write_text(written(PAGE.read_text(), rows))
    return 1 if wrong else 0


def written(page: str, rows: list[tuple[str, str]]) -> str:
    """The page with the table made anew."""
    version = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True)
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    table = "".join(f"| {name} | {said} |\n" for name, said in rows)
    heading = f"| with {version.stdout.strip()} | |\n|---|---|\n"
    return f"{head}{BEGIN}{heading}{table}{END}{tail}"


if __name__ == "__main__":
    sys.exit(main())
