"""`python -m ralphgit.loop.scripted_agent`: an agent that does what the task's `x-script` says.

It stands in for a coding agent in demos and tests. The loop hands it the field as JSON in
`RALPH_SCRIPT`: a mapping, or a list of mappings of which attempt N takes the Nth (the last
one for all that follow). Done in this order, as far as they are there:

    print: TEXT          say it on stdout
    sleep: SECONDS
    write: {PATH: TEXT}  write files of the task's write scope, if it has one, in the worktree
    commit: MESSAGE      commit what was written
    run: CMD             run it with sh (tests only, that is: where RALPH_SCRIPT_RUN is set)
    report: {...}        write this report
    exit: CODE

Where one path of `write` may not be written, nothing is done at all (exit 2). Without the field it
writes each of the task's outputs, or where it has none, a file that its scope allows, so that an
ordinary graph can be worked off. An empty mapping does nothing at all: an agent that only says that
it is done.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

from ralphgit.errors import RalphError, UsageError
from ralphgit.records import worktree_files
from ralphgit.rules import pattern_overlap


def main() -> int:
    """Do one attempt; the exit code."""
    sys.stdin.read()
    steps = _steps(os.environ.get("RALPH_SCRIPT", ""), int(os.environ.get("RALPH_ATTEMPT", "1")))
    try:
        contents = {_place(path): text for path, text in steps.get("write", {}).items()}
    except RalphError as error:
        sys.stderr.write(f"scripted agent: {error.message}; nothing was done\n")
        return 2
    said = steps.get("print", f"scripted agent: {os.environ.get('RALPH_TASK', '')}")
    sys.stdout.write(f"{said}\n")
    sys.stdout.flush()
    time.sleep(float(steps.get("sleep", 0)))
    for full, text in contents.items():
        _write(full, text)
    if message := steps.get("commit"):
        subprocess.run(["git", "add", "-A"], check=True)
        subprocess.run(["git", "commit", "--quiet", "-m", message], check=True)
    if "run" in steps and os.environ.get("RALPH_SCRIPT_RUN"):
        subprocess.run(["/bin/sh", "-c", steps["run"]], check=False)
    if report := steps.get("report"):
        _write(os.environ["RALPH_REPORT"], json.dumps(report) + "\n")
    return int(steps.get("exit", 0))


def _steps(script: str, attempt: int) -> dict[str, Any]:
    found = json.loads(script) if script else None
    if isinstance(found, list):
        found = found[min(attempt, len(found)) - 1] if found else None
    if isinstance(found, dict):
        return found
    task = os.environ.get("RALPH_TASK", "")
    paths = json.loads(os.environ.get("RALPH_OUTPUTS", "[]")) or _of_scope(task)
    return {"write": {path.removeprefix("./"): f"{task}\n" for path in paths}}


def _of_scope(task: str) -> list[str]:
    """Name a file that the write scope allows, after the task where it may have any name.

    None where there is no scope, or the task changes no file (`mode: verify`).
    """
    scope = json.loads(os.environ.get("RALPH_SCOPE", "[]"))
    if not scope or json.loads(os.environ.get("RALPH_MODE", '""')) == "verify":
        return []
    first = scope[0].removeprefix("./")
    shortest = pattern_overlap.overlap(first, "**")
    if shortest == first and not os.path.isdir(first):
        return [first]  # a name without wildcards, which may be a file's
    named = (pattern_overlap.overlap(first, f"**/{name}") for name in (f"{task}.txt", f"*{task}*"))
    return [next(filter(None, named), shortest or first)]


def _place(path: str) -> str:
    """Where to write `path`. Raises: RalphError where the worktree or the scope ends before it."""
    full = worktree_files.place(os.getcwd(), path)
    scope = json.loads(os.environ.get("RALPH_SCOPE", "[]"))
    if scope and not pattern_overlap.covers_any(scope, path):
        said = f"{path} is outside scope.write ({', '.join(scope)})"
        raise UsageError(said, hint="name a file in the scope, or widen the scope")
    return full


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main())
