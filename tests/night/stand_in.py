"""`python -S stand_in.py NAME FOLDER`: the agent of the night, in the words of claude or codex.

It works for some minutes by the night's clock, writes the task's file, and prints the events that
the tool prints (`tests/cases/agents`). By the plan in FOLDER it meets what a night has: a limit, an
expired login, silence, and work that is wrong. Each call is noted in `calls.jsonl`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from night.clock import Clock

WORKS, WRONG, LIMIT, LOGIN, SILENT = "works", "wrong", "limit", "login", "silent"
PLAN, CALLS, CLOCK, RENEWED = "plan.json", "calls.jsonl", "clock", "renewed"
#: So often an agent's work may be wrong: a task has three attempts.
_MOST_WRONG = 2
_MODEL = {"claude": "claude-opus-4-8", "codex": "gpt-5"}


def main(tool: str, folder: Path) -> int:
    """Do one call; the exit code."""
    sys.stdin.read()
    plan: dict[str, Any] = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    clock = Clock(folder / CLOCK)
    worker, task = os.environ["RALPH_WORKER"], os.environ["RALPH_TASK"]
    number, attempt = int(worker[1:]), int(os.environ["RALPH_ATTEMPT"])
    chance = _chance(plan["seed"], task, worker, attempt)
    with open(folder / CALLS, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        earlier = [json.loads(line) for line in file]
        call: dict[str, Any] = {
            "at": clock.now(), "tool": tool, "worker": worker, "task": task
        }  # fmt: skip
        call |= _meets(plan, call, earlier, folder, attempt, chance)
        file.write(json.dumps(call) + "\n")
    if call["meets"] == LIMIT:
        return _limited(call["until"])
    if call["meets"] == LOGIN:
        return _not_logged_in()
    if call["meets"] == SILENT:
        print(json.dumps(_begin(tool)), flush=True)
        clock.wait(number, clock.now() + plan["silence"])
        while True:
            signal.pause()  # until the loop ends it
    clock.wait(number, clock.now() + 60 * (plan["least"] + plan["spread"] * chance))
    path = Path("work", f"{task}.txt")
    path.parent.mkdir(exist_ok=True)
    path.write_text("half done\n" if call["meets"] == WRONG else f"{task}\n", encoding="utf-8")
    _work(tool, str(path), given=20_000 + int(60_000 * chance), made=800 + int(4_000 * chance))
    return 0


def _chance(*about: object) -> float:
    """A number from 0 to 1 that is always the same for the same."""
    digest = hashlib.sha256(repr(about).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _meets(
    plan: dict[str, Any], call: dict[str, Any], earlier: list[dict[str, Any]], folder: Path,
    attempt: int, chance: float,
) -> dict[str, Any]:  # fmt: skip
    """What a call meets, by the plan and by the calls before it."""
    worked = [one for one in earlier if one["meets"] in (WORKS, WRONG)]
    if call["tool"] == "claude":
        reset = next((one["until"] for one in earlier if one["meets"] == LIMIT), None)
        if reset is None and sum(one["tool"] == "claude" for one in worked) >= plan["limit_after"]:
            reset = 60.0 * (1 + (call["at"] + plan["limit_s"]) // 60)
        if reset is not None and call["at"] < reset:
            return {"meets": LIMIT, "until": reset}
    elif (
        sum(one["tool"] == "codex" for one in worked) >= plan["login_after"]
        and not (folder / RENEWED).exists()
    ):
        return {"meets": LOGIN}
    silent = [one for one in earlier if one["meets"] == SILENT]
    if call["worker"] == plan["silent"] and len(silent) < plan["silences"]:
        return {"meets": SILENT}
    if call["worker"] == plan["flaky"] and attempt <= _MOST_WRONG and chance < plan["wrong"]:
        return {"meets": WRONG}
    return {"meets": WORKS}


def _begin(tool: str) -> dict[str, object]:
    if tool == "codex":
        return {"type": "thread.started"}
    return {"type": "system", "subtype": "init", "model": _MODEL[tool]}


def _result(tool: str, said: str, *, failed: bool, given: int, made: int) -> dict[str, object]:
    cost = round(given * 5e-6 + made * 25e-6, 4)
    return {
        "type": "result", "subtype": "success", "is_error": failed, "result": said,
        "api_error_status": 429 if failed else None, "total_cost_usd": cost,
        "usage": {"input_tokens": given, "output_tokens": made},
        "modelUsage": {_MODEL[tool]: {"outputTokens": made}} if made else {},
    }  # fmt: skip


def _work(tool: str, path: str, *, given: int, made: int) -> None:
    said = f"{path} is written, as the task asks."
    if tool == "codex":
        item = {"type": "file_change", "changes": [{"path": path, "kind": "add"}]}
        usage = {"input_tokens": given, "output_tokens": made}
        events: list[dict[str, object]] = [
            {"type": "item.completed", "item": item},
            {"type": "item.completed", "item": {"type": "agent_message", "text": said}},
            {"type": "turn.completed", "usage": usage},
        ]
    else:
        call = {"type": "tool_use", "name": "Write", "input": {"file_path": path}}
        message = {"id": "msg_1", "content": [call, {"type": "text", "text": said}]}
        events = [
            {"type": "assistant", "message": message},
            _result(tool, said, failed=False, given=given, made=made),
        ]
    for event in (_begin(tool), *events):
        print(json.dumps(event))


def _limited(until: float) -> int:
    clock = time.strftime("%I:%M%p", time.gmtime(until)).lstrip("0").lower()
    said = f"You've hit your session limit · resets {clock} (UTC)"
    print(json.dumps(_begin("claude")))
    print(json.dumps(_result("claude", said, failed=True, given=0, made=0)))
    return 1


def _not_logged_in() -> int:
    said = "unexpected status 401 Unauthorized: token_expired"
    print(json.dumps(_begin("codex")))
    print(json.dumps({"type": "error", "message": said}))
    print(json.dumps({"type": "turn.failed", "error": {"message": said}}))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
