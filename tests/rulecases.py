"""The cases of the gate's rules: each is one file, `cases/rules/CODE/good` or `.../bad`.

    $ check --base base --at branch
    error claim_lost task-graph.yaml:3:1 T-1
    -- base/task-graph.yaml --
    ...
    -- branch/records/audit/T-1/k1.yaml (removed) --
    -- branch/link.yaml -> elsewhere --

The first line says what is asked; the next lines are all that is found: severity, code, place and
task. Then come files, each under its commit: `base`; `branch` on top of it; `base2`, also on top
of `base`, is what the base has become meanwhile, `base3` what it has become after that, and
`branch3` is on top of it; `alone` has no history. A commit has the files of
the one before it, but for what the case says; `base` has those of the file `cases/rules/base`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from world import ROOT, World

CASES = ROOT / "tests" / "cases" / "rules"
_HEAD = re.compile(rb"(?m)^-- (\w+)/(\S+)(?: -> (\S+)| (\(removed\)))? --\n")
_WHEN = b"Ann Author <ann@example.com> 1795255200 +0000"


class Case(NamedTuple):
    rule: str
    kind: str
    """good or bad."""
    words: list[str]
    """What `check` is told, its revisions named as in the repository of all cases."""
    expected: list[str]
    files: dict[str, dict[str, tuple[bytes, bytes] | None]]
    """By commit, then by path: mode and content; None where it was removed."""

    @property
    def name(self) -> str:
        return f"{self.rule}-{self.kind}"


def all_cases() -> list[Case]:
    """Every case that there is, by rule."""
    return [_read(path) for path in sorted(CASES.glob("*/*"))]


def _read(path: Path) -> Case:
    rule, kind = path.parent.name, path.name
    head, *rest = _HEAD.split(path.read_bytes())
    first, *expected = head.decode().splitlines()
    files: dict[str, dict[str, tuple[bytes, bytes] | None]] = {"base": {}}
    for commit, name, target, removed, content in zip(*(iter(rest),) * 5, strict=True):
        entry = None if removed else (b"120000", target) if target else (b"100644", content)
        files.setdefault(commit.decode(), {})[name.decode()] = entry
    assert first.startswith("$ check"), f"{path} does not say what is asked"
    words = re.sub(
        r"\b(base[23]?|branch3?|alone)\b(?=$| |\.\.)", rf"{rule}-{kind}/\1", first[8:]
    ).split()
    words = [word.replace(f"--{rule}-{kind}/", "--") for word in words]
    return Case(rule, kind, words, expected, files)


def repository(world: World, cases: list[Case]) -> None:
    """Put the commits of all cases into a world, each on a branch `CASE/COMMIT`."""
    shared = _HEAD.split((CASES / "base").read_bytes())[1:]
    common: dict[str, tuple[bytes, bytes] | None] = {
        name.decode(): (b"100644", content)
        for _, name, _, _, content in zip(*(iter(shared),) * 5, strict=True)
    }
    stream = [_commit("main", "", common)]
    for case in cases:
        for commit, files in case.files.items():
            on = {"base3": "base2", "branch3": "base3"}.get(commit, "base")
            parent = {"base": "main", "alone": ""}.get(commit, f"{case.name}/{on}")
            stream.append(_commit(f"{case.name}/{commit}", parent, files))
    done = world.run("git", "fast-import", "--quiet", stdin=b"".join(stream))
    assert done.code == 0, done.err
    world.git("reset", "--quiet", "--hard", "main")


def _commit(branch: str, parent: str, files: dict[str, tuple[bytes, bytes] | None]) -> bytes:
    made = f"commit refs/heads/{branch}\n".encode() + b"committer " + _WHEN + b"\ndata 4\ncase\n"
    if parent:
        made += f"from refs/heads/{parent}\n".encode()
    for path, entry in files.items():
        if entry is None:
            made += f"D {path}\n".encode()
        else:
            mode, content = entry
            made += b"M %b inline %b\ndata %d\n%b\n" % (mode, path.encode(), len(content), content)
    return made
