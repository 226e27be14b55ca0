"""Backoff, the circuit breaker, and how long a limit is waited for."""

from __future__ import annotations

import pytest

from ralphgit.rules import backoff_and_breaker
from ralphgit.rules.backoff_and_breaker import CLOSED, Breaker, backoff


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
    "told, row, seconds",
    [(0.0, 1, 5), (0.0, 2, 10), (0.0, 8, 640), (0.0, 30, 3600), (7200.0, 4, 7200),
     (172_800.0, 1, 172_800), (-60.0, 1, 5), (None, 1, 300), (None, 9, 1280), (None, 10_000, 3600)],
)  # fmt: skip
def test_a_limit_waits_as_told_and_longer_each_time(
    told: float | None, row: int, seconds: float
) -> None:
    assert backoff_and_breaker.limit_pause(told, row=row, least=5.0, usual=300.0) == seconds


def test_an_agent_that_is_away_is_tried_less_and_less() -> None:
    waits = [backoff_and_breaker.away_pause(row, usual=300.0) for row in (1, 2, 3, 5, 10_000)]
    assert waits == [300, 600, 1200, 3600, 3600]
