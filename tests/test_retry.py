"""Backoff, the circuit breaker, and rate limits in what an agent prints."""

from __future__ import annotations

import pytest

from ralphgit.rules import retry_policy
from ralphgit.rules.retry_policy import CLOSED, Breaker, backoff


@pytest.mark.parametrize(
    "failures, chance, seconds",
    [(0, 1.0, 0), (1, 1.0, 5), (1, 0.0, 2.5), (2, 1.0, 10), (4, 1.0, 40), (9, 1.0, 300),
     (10_000, 0.5, 225)],
)  # fmt: skip
def test_backoff_doubles_up_to_its_cap(failures: int, chance: float, seconds: float) -> None:
    assert backoff(failures, base=5.0, cap=300.0, chance=chance) == seconds


def test_the_breaker_opens_tries_once_and_opens_again_or_closes() -> None:
    state = CLOSED
    for now in (1.0, 2.0):
        state = state.failed(now, limit=3)
        assert state.state(now, cooldown=60) == "closed"
    state = state.failed(3.0, limit=3)
    assert state == Breaker(3, 3.0)
    assert [state.state(now, cooldown=60) for now in (3.0, 62.9, 63.0)] == [
        "open", "open", "half-open",
    ]  # fmt: skip
    assert [state.wait(now, cooldown=60) for now in (3.0, 33.0, 90.0)] == [60.0, 30.0, 0.0]
    again = state.failed(63.0, limit=3)
    assert again.state(64.0, cooldown=60) == "open"
    assert CLOSED.state(64.0, cooldown=60) == "closed"


@pytest.mark.parametrize(
    "tail, seconds",
    [
        ("all fine", None),
        ("HTTP 429 Too Many Requests", 300.0),
        ("Error: rate_limit_error. Retry-After: 12", 12.0),
        ("usage limit reached, try again in 5 minutes", 300.0),
        ("overloaded_error: please wait 1500 ms", 1.5),
        ("quota exceeded; try again in 2h", 7200.0),
        ("429: retry after 999999 s", 21600.0),
        ("rate limit\n" + "work\n" * 30, None),
        ("line 429 of the file; 4290 lines", None),
        ("Error: reqwest::Error: 429 Too Many Requests", 300.0),
        ("RateLimitError: rate_limit_exceeded", 300.0),
        ("test_rate_limit FAILED: retry after 0 s", None),
        ("tests/test_api.py::test_limits FAILED - rate limit reached", None),
        ("\u2717 waits at a rate limit", None),
        ("the unrate_limited path", None),
    ],
)
def test_rate_limits_in_the_end_of_the_output(tail: str, seconds: float | None) -> None:
    assert retry_policy.rate_limit(tail, usual=300.0) == seconds


def test_a_limit_waits_as_told_and_longer_each_time() -> None:
    waits = [retry_policy.rate_limit_pause(0.0, row=row, least=5.0) for row in (1, 2, 3, 30)]
    assert waits == [5.0, 10.0, 20.0, 3600.0]
    assert retry_policy.rate_limit_pause(7200.0, row=4, least=5.0) == 7200.0
