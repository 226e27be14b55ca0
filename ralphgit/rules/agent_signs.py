"""Say by which words and exit codes a coding agent tells that it cannot work now.

A row is a sign: whose it is, what it means, where it is from, and the tool's real words. Only the
agent's own last words are looked at (`own_words`): a test's output in the middle tells nothing. The
table is read from above, the first row that fits counts.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any, NamedTuple

#: So many lines at the end are the tool's own last words, indented ones left out.
_LAST_LINES = 4
#: What a terminal takes as colours, with the escape character or without it.
_COLOURS = re.compile(r"\x1b?\[[0-9;]*m(?!\])")


class Meaning(StrEnum):
    LIMITED = "limited"
    """It may go on after a while: a usage or rate limit, too much load."""
    UNAVAILABLE = "unavailable"
    """It cannot work before somebody has done something: login, credit, network, model, trust."""


class Sign(NamedTuple):
    """One way in which an agent says that it cannot work."""

    agent: str
    """The preset; "" for every agent."""
    meaning: Meaning
    words: str
    """How a line of its last words begins, as a regular expression; "" for what its code says."""
    example: str
    """What the tool really said, for a code what it means."""
    source: str
    code: int = 0
    """Its exit code; 0 for any."""
    failed: bool = False
    """Whether it counts only where the agent failed: words that a worker may say, too."""


class Words(NamedTuple):
    """The last words of an agent."""

    lines: tuple[str, ...] = ()
    status: int = 0
    """The HTTP status that its typed result names; 0 for none."""


_LIMITED, _UNAVAILABLE = Meaning.LIMITED, Meaning.UNAVAILABLE
_CLAUDE_DOCS = "code.claude.com/docs/en/errors"
_CLAUDE = "claude 2.1.197"
_CODEX = "codex 0.171.0"
_CODEX_CODE = "openai/codex, codex-rs/protocol/src/error.rs"
_GEMINI = "gemini 0.61.0"
_AIDER = "aider 0.86.2"
_OPENCODE = "opencode 1.18.33"

SIGNS: tuple[Sign, ...] = (
    # -- limits, with the words of subscriptions
    Sign("", _LIMITED, r"(?:You've|You have|Your org has) (?:hit|reached) your\b.*\blimit\b",
         "You've hit your session limit · resets 2:39am (UTC)", _CLAUDE_DOCS),
    Sign("", _LIMITED, r"(?:(?:\d+-(?:hour|day)|Session|Daily|Weekly|Monthly|Usage|Opus|Sonnet"
         r"|Haiku|Fable) ){1,2}limit reached(?! \w)",
         "5-hour limit reached ∙ resets 3pm", "claude 2.0"),
    Sign("", _LIMITED, r"Claude (?:AI )?usage limit reached\b",
         "Claude AI usage limit reached|1796000000", "claude 1.0"),
    Sign("", _LIMITED, r"(?:(?:You're|You are|Your \w+ is) )?out of (?:extra )?(?:usage|credits)\b",
         "You're out of extra usage · resets 3pm", _CLAUDE),
    Sign("", _LIMITED, r"(?:Opus|Sonnet|Haiku|Session|Weekly) (?:weekly )?limit *(?:[∙·|.]|$)",
         "Opus limit · resets Thursday at 3pm", "claude 2.0"),
    Sign("", _LIMITED, r"(?:You hit your|Your|Your org(?:anization)? (?:hit|reached) its)?"
         r" *(?:monthly spend limit|spend cap)\b",
         "You hit your spend cap set by the owner of your workspace. Ask an owner to increase your "
         "spend cap to continue.", _CODEX_CODE),
    Sign("", _LIMITED, r"You exceeded your current quota",
         "You exceeded your current quota, please check your plan and billing details.",
         "api.openai.com and generativelanguage.googleapis.com, status 429"),
    Sign("claude", _LIMITED,
         r"API Error: (?:Request rejected \(429\)|(?:Repeated )?(?:429|529)\b|Overloaded)",
         "API Error: Request rejected (429) · This request would exceed your account rate limit. "
         "Please try again later.", _CLAUDE),
    Sign("claude", _LIMITED, r"Server is temporarily limiting requests",
         "API Error: Server is temporarily limiting requests (not your usage limit)", _CLAUDE),
    Sign("codex", _LIMITED, r"exceeded retry limit, last status: 429",
         "ERROR: exceeded retry limit, last status: 429 Too Many Requests", _CODEX),
    Sign("codex", _LIMITED, r"(?:Selected model is at capacity|Quota exceeded\. Check your plan)",
         "ERROR: Selected model is at capacity. Please try a different model.", _CODEX_CODE),
    Sign("gemini", _LIMITED,
         r".*\b(?:(?:Terminal|Retryable)QuotaError|quota will reset after|RESOURCE_EXHAUSTED)",
         "Error when talking to Gemini API Full report available at: /tmp/gemini-client-error.json "
         "TerminalQuotaError: You have exhausted your capacity on this model. Your quota will "
         "reset after 2h3m4s.", _GEMINI),
    Sign("gemini", _LIMITED, r"You have exhausted your (?:daily quota|capacity)",
         "[API Error: You have exhausted your daily quota on this model.]", _GEMINI),
    Sign("gemini", _LIMITED, r"Attempt \d+ failed with status 429\. Retrying",
         "Attempt 3 failed with status 429. Retrying with backoff... _ApiError: {", _GEMINI,
         failed=True),
    Sign("file", _LIMITED, r"The API provider has rate limited you",
         "The API provider has rate limited you. Try again later or check your quotas.", _AIDER),
    Sign("opencode", _LIMITED, r"error: .*(?:rate limit|quota|overloaded|too many requests)",
         "error: This request would exceed your account's rate limit.", _OPENCODE, failed=True),
    # -- limits, in the words of any service; a worker may write of them, too
    Sign("", _LIMITED, r"(?:\w+::)*(?:http\W+)?(?:429|529)\b",
         "Error 429: retry after 0.3 s", "RFC 6585, 4", failed=True),
    Sign("", _LIMITED, r"(?:\w+Error\W+)?(?:rate[ _-]?limit(?:ed)?"
         r"(?:[ _-]?(?:error|exceeded|reached|hit))?(?!\w| (?!for\b)\w)|too many requests"
         r"|overloaded(?:_error)?\b|quota exceeded|resource[ _]exhausted)",
         "RateLimitError: rate_limit_exceeded", "api.openai.com, docs: error codes", failed=True),
    # -- logins, credit, models, the network
    Sign("claude", _UNAVAILABLE, r"(?:Not logged in|Invalid API key|Failed to authenticate"
         r"|OAuth token|Session expired)\b|.*\bPlease run /login",
         "Not logged in · Please run /login", _CLAUDE_DOCS),
    Sign("claude", _UNAVAILABLE, r"Credit balance (?:is )?too low",
         "Credit balance is too low", _CLAUDE_DOCS),
    Sign("claude", _UNAVAILABLE, r"(?:This|Your) organization has (?:been )?disabled",
         "Your organization has disabled Claude subscription access for Claude Code", _CLAUDE_DOCS),
    Sign("claude", _UNAVAILABLE, r"There's an issue with the selected model",
         "There's an issue with the selected model (claude-nope). It may not exist or you may not "
         "have access to it. Run --model to pick a different model.", _CLAUDE),
    Sign("claude", _UNAVAILABLE, r"Unable to connect to API|Request timed out|Connection error",
         "API Error: Unable to connect to API (ConnectionRefused)", _CLAUDE),
    Sign("claude", _UNAVAILABLE, r"API Error: (?:401|403|404|5\d\d)\b",
         "API Error: 500 Internal server error. This is a server-side issue, usually temporary — "
         "try again in a moment.", _CLAUDE),
    Sign("gemini", _UNAVAILABLE, "", "no login: Invalid auth method selected.", _GEMINI, code=41),
    Sign("gemini", _UNAVAILABLE, "", "its sandbox cannot start", _GEMINI, code=44),
    Sign("gemini", _UNAVAILABLE, "", "its settings cannot be read", _GEMINI, code=52),
    Sign("gemini", _UNAVAILABLE, "", "the folder is not trusted", _GEMINI, code=55),
    Sign("gemini", _UNAVAILABLE, r"Error when talking to Gemini API",
         'Error when talking to Gemini API Full report available at: /tmp/gemini-client-error.json '
         '_ApiError: {"error":{"code":401,"message":"API key not valid"}}', _GEMINI),
    Sign("gemini", _UNAVAILABLE, r"Attempt \d+ failed.*\. Retrying with backoff",
         "Attempt 2 failed. Retrying with backoff... Error: exception TypeError: fetch failed "
         "sending request", _GEMINI, failed=True),
    Sign("codex", _UNAVAILABLE, r"ERROR: (?!.*context window)",
         "ERROR: unexpected status 401 Unauthorized: invalid x-api-key, url: "
         "http://127.0.0.1:18711/v1/responses", _CODEX, failed=True),
    Sign("opencode", _UNAVAILABLE, r"Error: (?!.*context)",
         "Error: invalid x-api-key", _OPENCODE, failed=True),
    Sign("file", _UNAVAILABLE, r"The API provider is not able to authenticate you",
         "The API provider is not able to authenticate you. Check your API key.", _AIDER),
    Sign("", _UNAVAILABLE, r"(?:unexpected status|http|status)?\W*(?:401|403|5\d\d)\b",
         "Error: 401 Unauthorized", "RFC 9110, 15", failed=True),
    Sign("", _UNAVAILABLE, "", "the command cannot be run", "POSIX, sh: exit status", code=126),
    Sign("", _UNAVAILABLE, "", "the command was not found", "POSIX, sh: exit status", code=127),
)  # fmt: skip

#: Tools that say and do as another one, of which they were made.
_LIKE = {"qwen": "gemini"}
#: What stands before the words: marks, and the word error.
_BEFORE = re.compile(r"(?i)(?:[^\w\"]|(?:api |fatal |stream )?error\b(?: \w+::)?|\w+::)*")
#: Lines in which a test's name or its result stands: what they are about is the work.
_TESTS = re.compile(r"\b(?:FAIL(?:ED|S)?|PASS(?:ED)?)\b|\btest_|\.py::|[\u2713\u2717\u2714\u2718]")
_BUSY, _REFUSED = (429, 529), (401, 402, 403, 404)


def own_words(tail: str) -> Words:
    """Return the last words of an agent from the end of its output.

    Of one that prints JSON the last result counts, and only where it says that it failed. Else
    the last lines: not indented ones, which are a trace, and none that tells of a test.
    """
    lines = [_COLOURS.sub("", line).rstrip() for line in tail.splitlines()]
    lines = [line for line in lines if line.strip()]
    typed = _typed(lines)
    if typed is not None:
        return typed
    plain = [line for line in lines if not line[0].isspace() and line not in "{}[]"]
    return Words(tuple(line for line in plain[-_LAST_LINES:] if not _TESTS.search(line)))


def sign_of(words: Words, *, agent: str, code: int, failed: bool) -> tuple[Sign, str] | None:
    """Return the sign by which the agent said that it cannot work, and its words; None for none.

    `agent` is a preset, or the program's name. Of one that is not known the words of all count,
    but for those that any program may say.
    """
    known = {sign.agent for sign in SIGNS}
    agent = _LIKE.get(agent, agent)
    for sign in SIGNS:
        anybody = agent not in known and bool(sign.words) and not sign.failed
        if not (sign.agent in ("", agent) or anybody) or sign.code not in (0, code):
            continue
        if sign.failed and not failed:
            continue
        if not sign.words:
            return sign, next(reversed(words.lines), sign.example)
        for line in reversed(words.lines):
            if _begins(sign.words, line):
                return sign, line
    return _by_status(words)


def _begins(words: str, line: str) -> bool:
    line = line.replace("’", "'")  # noqa: RUF001, as codex has it
    before = _BEFORE.match(line)
    places = (0, before.end() if before else 0)
    return any(re.compile(f"(?i:{words})").match(line, place) for place in places)


def _by_status(words: Words) -> tuple[Sign, str] | None:
    """What the HTTP status of a typed result says."""
    if words.status not in (*_BUSY, *_REFUSED) and words.status < 500:
        return None
    meaning = _LIMITED if words.status in _BUSY else _UNAVAILABLE
    said = next(iter(words.lines), f"status {words.status}")
    return Sign("", meaning, "", said, "RFC 9110, 15", code=words.status), said


def _typed(lines: list[str]) -> Words | None:
    """The last words of an agent that prints JSON, a line each or one value; None for another."""
    if not lines or lines[-1][-1] != "}":
        return None
    found = _mapping(lines[-1])
    if found is None:  # one value over many lines
        start = max((n for n, line in enumerate(lines) if line == "{"), default=-1)
        found = _mapping("\n".join(lines[start:])) if start >= 0 else None
    if found is None:
        return None
    error = found.get("error")
    inner = error if isinstance(error, dict) else {}
    within = inner.get("data")
    data = within if isinstance(within, dict) else {}
    failed = bool(error) or found.get("is_error") is True or found.get("type") == "error"
    if not failed:
        return Words()
    texts = (data.get("message"), inner.get("message"), error, found.get("message"),
             found.get("result"))  # fmt: skip
    said = next((text for text in texts if isinstance(text, str) and text), "")
    codes = (data.get("statusCode"), inner.get("status"), inner.get("code"),
             found.get("api_error_status"))  # fmt: skip
    status = next((code for code in codes if type(code) is int and 400 <= code < 600), 0)
    return Words(tuple(said.splitlines()), status)


def _mapping(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
