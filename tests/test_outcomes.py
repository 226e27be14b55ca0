"""How an attempt ends, by what the agent left: with the words of the real tools."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ralphgit.loop import agent_time_zone
from ralphgit.model.task_status import Reason
from ralphgit.rules import agent_outcome
from ralphgit.rules.agent_outcome import (
    End,
    Left,
    Limited,
    Lost,
    Outcome,
    Over,
    Silent,
    Stuck,
    Unavailable,
    Worked,
)
from ralphgit.rules.agent_signs import SIGNS, Meaning, Sign
from ralphgit.rules.reset_time import LONGEST_S, reset_time

#: A Sunday, two in the afternoon in the agent's zone.
NOW = datetime(2026, 11, 29, 13, 0, tzinfo=UTC).timestamp()
BERLIN = ZoneInfo("Europe/Berlin")
H = 3600.0


def reset(text: str) -> float | None:
    return reset_time(text, now=NOW, zone=BERLIN, zones=agent_time_zone.zone_named)


def ended(
    tail: str, *, agent: str = "", code: int = 1, changed: bool = False, end: End = End.EXITED,
    question: Stuck | None = None,
) -> Outcome:  # fmt: skip
    left = Left(end, code, tail, changed, 60.0, question)
    return agent_outcome.outcome(left, agent=agent, reset=reset)


# -- the table -----------------------------------------------------------------------------


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: f"{sign.agent}{sign.code}-{sign.words}")
def test_every_sign_is_read_in_the_tool_s_own_words(sign: Sign) -> None:
    found = ended(f"work\nmore work\n{sign.example}\n", agent=sign.agent, code=sign.code or 1)
    kind = Limited if sign.meaning is Meaning.LIMITED else Unavailable
    assert isinstance(found, kind)
    assert sign.source
    if sign.words:
        assert found.said == sign.example
    if not sign.failed and not sign.code:
        assert isinstance(ended(sign.example, agent=sign.agent, code=0), kind), "exit code 0"


LIMITS = {
    "You've hit your session limit · resets 2:39am (UTC)": 13.65 * H,
    "You've hit your weekly limit · resets Dec 3 at 4am (Europe/Vienna)": (3 * 24 + 14) * H,
    "You've hit your Opus limit · resets Thursday at 3pm": (4 * 24 + 1) * H,
    "You've hit your monthly spend limit.": None,
    "5-hour limit reached ∙ resets 3pm": 1 * H,
    "Weekly limit reached": None,
    "Opus weekly limit reached ∙ resets Dec 1, 6pm": (2 * 24 + 4) * H,
    "Opus limit": None,
    "monthly spend limit": None,
    "out of usage": None,
    "Your org is out of usage · add funds to continue": None,
    "Claude AI usage limit reached|1796000000": 1796000000 - NOW,
    "Error: You exceeded your current quota, please check your plan and billing details.": None,
    "[API Error: You have exhausted your capacity on this model. Your quota will reset after "
    "2h3m4s.]": 7384.0,
    "ERROR: You've hit your usage limit. Visit https://chatgpt.com/settings/usage to purchase more "
    "credits or try again in 2 days 3 hours": 51 * H,
    "ERROR: You've hit your usage limit. Try again at 2:40 AM.": 12 * H + 2400,
    "ERROR: You\u2019ve hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), "
    "visit https://chatgpt.com/settings/usage or try again at 5:51 PM.": 3 * H + 51 * 60,
    "ERROR: You've hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), visit "
    "https://chatgpt.com/settings/usage to purchase more credits or try again at "
    "Dec 1st, 2026 2:53 AM.": 37 * H - 420,
    "ERROR: Your workspace is out of credits. Add credits to continue.": None,
}


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize("words, seconds", LIMITS.items())
def test_limits_in_the_words_of_real_tools(words: str, seconds: float | None, code: int) -> None:
    """Their words count whatever the exit code, when nothing was done."""
    agent = "gemini" if "quota will" in words else ""
    found = ended(f"Let me look.\n{words}\n", agent=agent, code=code)
    assert isinstance(found, Limited)
    assert found.until == (None if seconds is None else pytest.approx(NOW + seconds))


#: The end of what the programs printed against local servers that refuse.
GEMINI = """\
Error when talking to Gemini API Full report available at: /tmp/gemini-client-error.json {}
    at throwErrorIfNotOK (file:///gemini-cli/bundle/chunk.js:267833:24)
    at async Turn.run (file:///gemini-cli/bundle/chunk.js:333001:24) {{
  status: {}
}}
An unexpected critical error occurred:[object Object]
"""
OPENCODE = "\x1b[0m\n> build · m\n\x1b[0m\n\x1b[91m\x1b[1mError: \x1b[0m{}\n"
CODEX = "ERROR: Reconnecting... 1/1\nERROR: {0}\nERROR: {0}\n"
CANNOT = {
    "claude 401": ("claude", 1, "Invalid API key · Fix external API key\n"),
    "claude 403": ("claude", 1, "Failed to authenticate. API Error: 403 Your account ...\n"),
    "claude 404": ("claude", 1, "There's an issue with the selected model (x[1m]). It may not\n"),
    "claude 500": ("claude", 1, "API Error: 500 Internal server error. This is a server-side\n"),
    "claude away": ("claude", 1, "API Error: Unable to connect to API (ConnectionRefused)\n"),
    "claude login": ("claude", 1, "Not logged in · Please run /login\n"),
    "claude expired": ("claude", 1, "OAuth token has expired · Please run /login\n"),
    "claude credit": ("claude", 1, "Credit balance is too low\n"),
    "codex 401": ("codex", 1, CODEX.format("unexpected status 401 Unauthorized: invalid key")),
    "codex 403": ("codex", 1, CODEX.format("unexpected status 403 Forbidden: no permission")),
    "codex 404": ("codex", 1, CODEX.format("model: nope")),
    "codex 500": ("codex", 1, CODEX.format("We\u2019re currently experiencing high demand")),
    "gemini login": ("gemini", 41, "YOLO mode is enabled.\nInvalid auth method selected.\n"),
    "gemini trust": ("gemini", 55, "Gemini CLI is not running in a trusted directory.\n"),
    "gemini 401": ("gemini", 1, GEMINI.format('_ApiError: {"error":{"code":401}}', 401)),
    "qwen login": ("qwen", 41, "Invalid auth method selected.\n"),
    "opencode 401": ("opencode", 1, OPENCODE.format("invalid x-api-key")),
    "opencode 404": ("opencode", 1, OPENCODE.format("model: nope")),
    "aider 401": ("file", 0, "key\nThe API provider is not able to authenticate you. Check\n"),
    "aider of your own": ("aider", 0, "The API provider is not able to authenticate you.\n\n"),
    "not there": ("sh", 127, "sh: 1: claude: not found\n"),
}  # fmt: skip


@pytest.mark.parametrize("agent, code, tail", CANNOT.values(), ids=CANNOT.keys())
def test_what_says_that_the_agent_cannot_work(agent: str, code: int, tail: str) -> None:
    assert isinstance(ended(tail, agent=agent, code=code), Unavailable)


def test_words_that_a_worker_may_say_too_count_of_one_that_failed() -> None:
    said = "\x1b[91m\x1b[1mError: \x1b[0mRate limit reached for gpt-5. Please try again in 1.5s."
    assert isinstance(found := ended(said), Limited)
    assert found.until == NOW + 1.5
    assert ended(said, code=0) == Worked(0)


def test_gemini_s_quota_stands_before_its_trace() -> None:
    said = "TerminalQuotaError: You have exhausted your daily quota on this model."
    assert isinstance(ended(GEMINI.format(said, 429), agent="gemini"), Limited)


def test_codex_without_network_waits_for_ever() -> None:
    tail = "ERROR: Reconnecting... waiting for network\n" * 4
    assert isinstance(ended(tail, agent="codex", code=143, end=End.OVER), Unavailable)
    assert isinstance(ended(tail, agent="codex", code=143, end=End.SILENT), Unavailable)


# -- typed results -------------------------------------------------------------------------

TYPED = {
    "claude limit": (
        {"type": "result", "subtype": "success", "is_error": True,
         "result": "You've hit your session limit · resets 2:39am (UTC)"},
        Limited(NOW + 13.65 * H, "You've hit your session limit · resets 2:39am (UTC)"),
    ),
    "claude refused": (
        {"type": "result", "is_error": True, "api_error_status": 401, "result": "No way in"},
        Unavailable("No way in"),
    ),
    "codex": (
        {"type": "turn.failed", "error": {"message": "You've hit your usage limit."}},
        Limited(None, "You've hit your usage limit."),
    ),
    "opencode": (
        {"type": "error", "error": {"name": "APIError",
                                    "data": {"message": "no such key", "statusCode": 401}}},
        Unavailable("no such key"),
    ),
    "busy": (
        {"type": "error", "error": {"data": {"message": "slow down", "statusCode": 429}}},
        Limited(None, "slow down"),
    ),
    "gemini": (
        {"error": {"type": "Error", "message": "gone wrong", "code": 503}},
        Unavailable("gone wrong"),
    ),
    "a good result that speaks of limits": (
        {"type": "result", "is_error": False, "result": "Weekly limit reached is shown now"},
        Worked(1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("event, outcome", TYPED.values(), ids=TYPED.keys())
def test_a_typed_result_counts_alone(event: dict[str, object], outcome: Outcome) -> None:
    before = json.dumps({"type": "user", "text": "Weekly limit reached"})
    assert ended(f"{before}\n{json.dumps(event)}\n") == outcome
    assert ended(f"Warning: old\n{json.dumps(event, indent=2)}\n") == outcome


# -- what does not count -------------------------------------------------------------------

MENTIONED = {
    "a test's log": "FAILED tests/test_api.py::test_limits - limit reached\n1 failed in 0.1s\n",
    "lines of a test": "E   RuntimeError: Usage limit reached\nE   429 Too Many Requests\n1 failed",
    "long before": "You've hit your session limit · resets 3pm\n" + "work\n" * 5,
    "in a sentence": "I could not finish: the page says `Weekly limit reached` for everybody.\n",
    "what was done": "The message limit reached is now shown in red.\nlimit reached\n",
    "another number": "line 429 of the file; 4290 lines\n404 files were read\n",
    "a name": "the unrate_limited path\n",
    "a mark": "\u2717 waits at a rate limit\n",
    "a test's name": "test_rate_limit FAILED: retry after 0 s\n",
    "connections": "Connection limit reached\n",
    "an ordinary error": "Error: cannot find module './x'\n",
    "nothing": "",
}


@pytest.mark.parametrize("tail", MENTIONED.values(), ids=MENTIONED.keys())
def test_what_is_only_mentioned_does_not_count(tail: str) -> None:
    assert ended(tail) == Worked(1)
    assert ended(tail, code=0) == Worked(0)
    assert ended(tail, agent="claude") == Worked(1)


def test_who_did_something_and_ended_well_has_worked() -> None:
    said = "You've hit your session limit · resets 2:39am (UTC)"
    assert ended(said, code=0, changed=True) == Worked(0)
    assert isinstance(ended(said, code=1, changed=True), Limited)
    # In the middle of the work its service went away: that says nothing of the task.
    assert isinstance(ended("API Error: 500 x", agent="claude", changed=True), Unavailable)
    # But what any program may say does.
    assert ended("Error: 401 Unauthorized", changed=True) == Worked(1)
    assert ended("sh: 1: eslint: not found", code=127, changed=True) == Worked(127)


def test_the_other_ends() -> None:
    asks = Stuck(Reason.NEEDS_CONTEXT, "Which?", ())
    limit = "Weekly limit reached"
    assert ended(limit, end=End.LOST) == Lost()
    assert ended(limit, question=asks) == asks
    assert ended("at work", end=End.OVER, code=143) == Over(60.0)
    assert ended("at work", end=End.SILENT, code=143) == Silent(60.0)
    assert isinstance(ended(limit, end=End.OVER, code=143), Limited)


# -- times ---------------------------------------------------------------------------------

TIMES = {
    # a clock, in the agent's zone or the one beside it
    "resets 3pm": 1 * H,
    "resets 3:30 p.m.": 1.5 * H,
    "resets 12am": 10 * H,
    "resets 12pm": 22 * H,
    "resets at 17:30": 3.5 * H,
    "resets 2:39am (UTC)": 13.65 * H,
    "resets 3pm (Asia/Tokyo)": 17 * H,
    "resets 3pm UTC+2": 0.0,
    "resets 10:29am (Asia/Kathmandu)": 15.7333 * H,
    "resets 3pm (Nowhere/Atall)": 1 * H,
    "resets 1:45pm": -0.25 * H,  # it has just passed
    "resets 1:15pm": 23.25 * H,
    # dates and days
    "try again at Dec 1st, 2026 2:53 AM.": 37 * H - 420,
    "resets Dec 3, 5:59am (America/Los_Angeles)": (3 * 24 + 24.98333 - 0) * H,
    "(resets 16:21 on 1 Dec)": 2 * 24 * H + 8460,
    "resets tomorrow at 9am": 19 * H,
    "resets Mon 9am": 19 * H,
    "resets Sunday at 1pm": (7 * 24 - 1) * H,
    "resets on Jan 2": (33 * 24 + 10) * H,
    "resets Jul 26, 5:59am (UTC)": datetime(2026, 7, 26, 5, 59, tzinfo=UTC).timestamp() - NOW,
    "Your limit resets Feb 31": None,
    # spans
    "try again in 2 days 3 hours": 51 * H,
    "try again in 2 days, 3 hours and 5 minutes": 51 * H + 300,
    "quota will reset after 2h3m4s": 7384.0,
    "resets in 4hr 29min": 4 * H + 1740,
    "Please try again in 1h24m23.5s.": 5063.5,
    "please wait 1500 ms": 1.5,
    "try again in about 5 minutes": 300.0,
    "try again in a few minutes": None,
    "try again later": None,
    # machines
    "Retry-After: 12": 12.0,
    "retry-after-ms: 1500": 1.5,
    "Retry-After: Wed, 02 Dec 2026 07:28:00 GMT": 66 * H + 1680,
    '"retryDelay":"34.5s"': 34.5,
    '"resets_in_seconds":602639': 602639.0,
    '"resets_at":1796000000,': 1796000000 - NOW,
    '"resets_at": "2026-11-29T15:00:00Z"': 2 * H,
    "available again at 2026-11-30 08:00": 18 * H,
    "retry after 99999999 s": LONGEST_S,
    "line 12 was written at 3pm": None,
}


@pytest.mark.parametrize("text, seconds", TIMES.items())
def test_times_as_people_and_machines_write_them(text: str, seconds: float | None) -> None:
    found = reset(text)
    assert found == (None if seconds is None else pytest.approx(NOW + seconds, abs=1))


def test_a_clock_time_follows_the_change_to_summer_time() -> None:
    evening = datetime(2027, 3, 27, 22, 0, tzinfo=BERLIN)
    told = reset_time("resets 6am", now=evening.timestamp(), zone=BERLIN, zones=lambda _: None)
    assert told == evening.timestamp() + 7 * H


def test_the_agent_s_zone_is_that_of_its_environment() -> None:
    assert agent_time_zone.zone_of({"TZ": ":Asia/Tokyo"}) == ZoneInfo("Asia/Tokyo")
    assert agent_time_zone.zone_of({"TZ": "no/where"}) is not None
    assert agent_time_zone.zone_named("../../etc/passwd") is None
