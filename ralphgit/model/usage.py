"""Define what an attempt has used: tokens, cost and time, as the agent said them."""

from collections.abc import Iterable
from typing import NamedTuple


class Usage(NamedTuple):
    """What was used. A zero, None or "" is what the agent did not say."""

    agent: str = ""
    model: str = ""
    input_tokens: int = 0
    """All that the model was given, with what came from a cache."""
    output_tokens: int = 0
    cost_usd: float | None = None
    seconds: float = 0.0

    @property
    def is_told(self) -> bool:
        """Whether the agent said anything of it."""
        return bool(self.input_tokens or self.output_tokens or self.cost_usd)


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
