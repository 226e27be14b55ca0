"""`python -m agents_real [TOOL...]`: the real agents in a loop, against local servers.

Each does a task by calls of its tools, runs into a limit, is refused (401), meets a server that
fails (500), is away or says nothing, and is interrupted. Prints a line for each; the exit code is
1 where one was not as it should be. Programs that are not installed are said, and skipped.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from test_loop import QUICK, agents_of, events, made, on_base, task
from world import Place

from agents_real.api_server import CRASH, LIMIT, LOGIN, OUTPUT_TOKENS, SILENT, WORK, ApiServer
from agents_real.tools import TOOLS, Tool, on_path, version
from ralphgit.app.workspace import agent_pause
from ralphgit.records import yaml_reader

AWAY, INTERRUPT = "away", "interrupt"
CASES = (WORK, LIMIT, LOGIN, CRASH, AWAY, SILENT, INTERRUPT)
#: In how many seconds the server's limits end.
RESETS_S = 7384
#: A loop that did not end by then hangs; the machine may be slow.
_PATIENCE_S = 600.0


class Seen(NamedTuple):
    """What a case came to."""

    outcome: str
    wrong: tuple[str, ...]
    used: str = ""


def main() -> int:
    """Run it; the exit code."""
    reader = argparse.ArgumentParser(prog="agents_real", description=__doc__)
    reader.add_argument("tools", nargs="*", help="default: all")
    reader.add_argument("--case", action="append", choices=CASES, help="default: all")
    reader.add_argument("--bin", default="", help="a folder with the programs")
    words = reader.parse_args()
    failed = 0
    print(f"{'tool':9} {'version':9} {'case':10} {'s':>5}  {'outcome':24} {'used':30}")
    for tool in TOOLS:
        if words.tools and tool.name not in words.tools:
            continue
        with tempfile.TemporaryDirectory() as folder:
            told = version(tool.name, {**on_path(words.bin, os.environ), "HOME": folder})
        if not told:
            print(f"{tool.name:9} is not installed, and skipped")
            continue
        for case in words.case or CASES:
            began = time.monotonic()
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                seen = _tried(tool, case, Path(folder), words.bin)
            row = f"{tool.name:9} {told:9} {case:10} {time.monotonic() - began:5.0f}"
            print(f"{row}  {seen.outcome:24} {seen.used:30}", flush=True)
            for one in seen.wrong:
                print(f"    wrong: {one}", flush=True)
            failed += bool(seen.wrong)
    return 1 if failed else 0


def _tried(tool: Tool, case: str, folder: Path, programs: str) -> Seen:
    one = task("T-1", "scope: {write: [f.txt]}", "verify: [grep -q good f.txt]")
    alpha = made(folder, one)
    does = {AWAY: WORK, INTERRUPT: SILENT}.get(case, case)
    file = str(alpha.path / "f.txt")
    with ApiServer(does=does, command="ls -a", file=file, content="good\n", resets=RESETS_S) as api:
        url = "http://127.0.0.1:9" if case == AWAY else api.url
        home = Path(alpha.environ["HOME"])
        # One that tries again for ever is ended early; one that works may take its time to begin.
        waits = tool.retries and case not in (WORK, INTERRUPT)
        silence = "8" if case == SILENT else "45" if waits else "120"
        env = {
            **QUICK, "RALPH_AGENT_SILENCE": silence, "RALPH_AGENT_TIMEOUT": "150",
            **on_path(programs, alpha.environ), **tool.point(home, url),
        }  # fmt: skip
        running = _start(alpha, tool.name, env)
        try:
            code = _end(alpha, api, case, running, env)
        finally:
            running.kill()
            _, said = running.communicate()
    found = [str(entry["outcome"]) for entry in events(alpha, "attempted")]
    wrong = tuple(_wrong(alpha, tool, case, code, found))
    if wrong:
        wrong = (*wrong, f"exit {code}, {said.strip()}", alpha.ralph("logs").out[-1500:])
    return Seen(", ".join(found) or "stopped", wrong, _used(alpha) if case == WORK else "")


def _start(place: Place, agent: str, env: dict[str, str]) -> subprocess.Popen[str]:
    words = ("run", "--agent", agent, "--land", "merge")
    return subprocess.Popen(
        [sys.executable, "-m", "ralphgit", *words], cwd=place.path,
        env={**place.environ, **env}, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def _end(
    place: Place, api: ApiServer, case: str, running: subprocess.Popen[str], env: dict[str, str]
) -> int:
    """Wait until the loop has ended, or until it waits for a limit; its exit code, -1 for that,
    -2 where it hangs.
    """
    deadline = time.monotonic() + _PATIENCE_S
    interrupts = case == INTERRUPT
    while running.poll() is None and time.monotonic() < deadline:
        if interrupts and api.asked.is_set():
            running.send_signal(signal.SIGINT)
            interrupts = False
        pauses = agent_pause.every({**place.environ, **env}) if case == LIMIT else ()
        if any(one.kind == agent_pause.LIMITED for one in pauses):
            return -1
        time.sleep(0.2)
    return -2 if running.poll() is None else running.returncode


def _wrong(place: Place, tool: Tool, case: str, code: int, found: list[str]) -> Iterator[str]:
    """What is not as it should be."""
    status = on_base(place, "T-1")["status"]
    if case == WORK:
        log = place.ralph("logs").out
        if (code, found, status) != (0, ["done"], "complete"):
            yield f"it is {status}"
        if "\n$ ls -a\n" not in f"\n{log}" or "f.txt" not in log or log.startswith("{"):
            yield "the log does not show its command and its file"
        if _usage(place).get("output_tokens", 0) < OUTPUT_TOKENS:
            yield "its tokens are not in the audit"
        if ("cost_usd" in _usage(place)) != tool.says_cost:
            yield "its cost is not as it says it"
        return
    if status != "pending":
        yield f"the task is {status} on the base, though nobody worked on it"
    if case == INTERRUPT:
        claim = place.task("T-1").get("claim")
        if code != 130 or claim is None or agents_of(claim["id"]):
            yield "the agent was not stopped"
        return
    kind = "limited" if case == LIMIT and tool.says_limit else "unavailable"
    kinds = {"silent"} if case == SILENT else {kind, "silent"} if tool.retries else {kind}
    if not found or not set(found) <= kinds:
        yield f"it should be {' or '.join(sorted(kinds))}"
    if code != (-1 if kind == "limited" and "limited" in found else 7):
        yield f"the loop ended with {code}"


def _usage(place: Place) -> dict[str, Any]:
    """What the audit on the base says that the one attempt has used."""
    names = place.git("ls-tree", "--name-only", "origin/main", "records/audit/T-1/").split()
    for name in names:
        known: Any = yaml_reader.load(place.git("show", f"origin/main:{name}"))
        for event in known["events"]:
            if "usage" in event:
                return dict(event["usage"])
    return {}


def _used(place: Place) -> str:
    used = _usage(place)
    return f"{used.get('input_tokens')} in, {used.get('output_tokens')} out" + (
        f", {used['cost_usd']} USD" if "cost_usd" in used else ""
    )


if __name__ == "__main__":
    sys.exit(main())
