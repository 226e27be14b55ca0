"""Sum up what attempts have used, and say it in words."""

from collections.abc import Iterable
from typing import Any

from ralphgit.model.task import Usage


def total(parts: Iterable[Usage]) -> Usage:
    """Return the sum of several; agent and model are those of the last that says them."""
    found = Usage()
    for one in parts:
        costs = [cost for cost in (found.cost_usd, one.cost_usd) if cost is not None]
        found = Usage(
            one.agent or found.agent,
            one.model or found.model,
            found.input_tokens + one.input_tokens,
            found.output_tokens + one.output_tokens,
            round(sum(costs), 6) if costs else None,
            round(found.seconds + one.seconds, 3),
        )
    return found


def parsed(value: object) -> Usage | None:
    """Read what a record or a note says was used; None where it says nothing."""
    if not isinstance(value, dict):
        return None
    usual = Usage()._asdict() | {"cost_usd": 0.0}
    known: dict[str, Any] = {
        name: value[name]
        for name, kind in usual.items()
        if type(value.get(name)) in ((int, float) if isinstance(kind, float) else (type(kind),))
    }
    return Usage(**{name: said for name, said in known.items() if not _is_beyond(said)})


#: Of tokens, seconds and dollars: more than any attempt has used.
_MOST_USED = 1e12


def _is_beyond(said: object) -> bool:
    """Whether it is a number that nobody has used: not finite, or out of all bounds."""
    return isinstance(said, (int, float)) and not 0 <= said <= _MOST_USED


def in_words(usage: Usage) -> str:
    """`3.6k tokens in, 102 out, 0.02 USD`; "" where nothing was said."""
    parts = []
    if usage.input_tokens or usage.output_tokens:
        parts.append(f"{_short(usage.input_tokens)} tokens in, {_short(usage.output_tokens)} out")
    if usage.cost_usd:
        parts.append(dollars(usage.cost_usd))
    return ", ".join(parts)


def dollars(cost: float) -> str:
    """`0.02 USD`, `12.30 USD`; of less than a cent two digits."""
    return f"{cost:.2f} USD" if cost >= 0.01 or not cost else f"{cost:.2g} USD"


def _short(count: int) -> str:
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)
