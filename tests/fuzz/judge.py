"""What every answer is, whatever was put in."""

from __future__ import annotations

import json
import re
from typing import Any

from fuzz.arena import Seen
from fuzz.inputs import READING, Case

#: SPEC 6. None is killed here, so the codes of signals are none of them.
EXITS = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 8})
#: What a command may write that is refused, or only shows: what it looks up again.
_OWN = (".git/ralphgit", "tmp", "home/.local/share/ralphgit")
_KEPT = (".git/ORIG_HEAD", ".git/refs/ralph/rescue")
_CODE = re.compile(r"[a-z][a-z0-9_]*")


def of_command(case: Case, seen: Seen) -> tuple[str, list[str]]:
    """How it ended, and what is wrong about that."""
    wrong = [f"forbidden: {one}" for one in seen.forbidden]
    if wrong:
        return "forbidden", wrong
    out, err = (text.decode("utf-8", "surrogateescape") for text in (seen.out, seen.err))
    if seen.code not in EXITS:
        said = (err or out).strip()
        wrong.append(f"exit {seen.code}: {said[-300:]}")
    if "Traceback (most recent call last)" in out + err:
        wrong.append("a traceback")
    verb = next((word for word in case.argv if not word.startswith("-")), "")
    fixed = {"--fix", "--rerun", "add"} & {*case.argv}
    shows = verb in READING and not fixed and not _into_file(case)
    # Where git itself fails half-way, the same command again does the rest (law L6).
    half = verb == "run" or "git_failed" in out or "error: git " in err
    # What can be fixed is, also where something is left over that cannot.
    half = half or (verb == "doctor" and "--fix" in case.argv)
    # What is complete stays so where it cannot land.
    lands = any(word == "--land" or word.startswith("--land=") for word in case.argv)
    half = half or (verb == "complete" and lands and '"status": "complete"' in out)
    # A claim's lost record is put back, and said to be, before the claim is judged.
    half = half or "it has been put back" in out + err
    if shows or (seen.code != 0 and not half):
        wrote = [name for name in seen.wrote if not _owned(name, kept=verb in ("reset", "reply"))]
        if wrote:
            wrong.append(f"exit {seen.code}, and wrote {', '.join(wrote[:6])}")
    if "--json" in case.argv and "--" not in case.argv and "--help" not in case.argv:
        wrong += _object(seen.code, out, err)
    elif (
        "--json" not in case.argv
        and seen.code not in (0, 1)
        # That there is nothing to claim is no error (SPEC 4); the hint says what to do.
        and not re.search(r"(?m)^(error|Error|Usage|hint)", err + out)
    ):
        wrong.append(f"exit {seen.code} without a word: {err[-200:]!r}")
    return f"exit {seen.code}", wrong


def _owned(name: str, *, kept: bool) -> bool:
    """`kept`: what a `reset` or `reply` has rescued stays, whatever comes then."""
    own = (*_OWN, *_KEPT) if kept else _OWN
    short = name.partition("/")[2]
    return short.startswith(own) or name.startswith(own)


def _into_file(case: Case) -> bool:
    """Whether a reading command was told of a file to write."""
    return any(word.startswith(("-o", "--out", "--sarif", "--html")) for word in case.argv) or (
        case.surface == "command line" and not {"report", "export"}.isdisjoint(case.argv)
    )


def _object(code: int, out: str, err: str) -> list[str]:
    """With --json there is one object, which says how the command ended."""
    try:
        found: Any = json.loads(out, parse_constant=_no_constant)
    except ValueError as error:
        return [f"--json, and stdout is no JSON ({error}): {out[:80]!r} {err[-200:]!r}"]
    if not isinstance(found, dict) or not {"schema_version", "kind", "ok", "data", "error"} <= {
        *found
    }:
        return [f"--json, and not our object: {out[:200]}"]
    why = found["error"]
    wrong = []
    if found["ok"] is not (code == 0) or (why is None) is not (code == 0):
        wrong.append(f"exit {code}, and the object says ok={found['ok']}, error={why}")
    elif why is not None:
        if why["exit"] != code or not _CODE.fullmatch(why["code"]) or not why["message"]:
            wrong.append(f"exit {code}, and the object says {why}")
        if code != 1 and not why.get("hint"):
            wrong.append(f"no hint: {why}")
    return wrong


_KEYS = frozenset({"schema_version", "kind", "ok", "data", "warnings", "error"})


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
