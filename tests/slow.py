"""What `just test` leaves to `just test-all`: dear tests of what others prove as well.

Of each such thing some tests stay in both, and so do all laws. Of a property `just test` tries a
quarter of the examples.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet
from hypothesis import settings

#: What a property takes that says nothing else, in `just test-all`.
EXAMPLES = 100


def but(kept: int, values: Iterable[object]) -> list[object | ParameterSet]:
    """Values of a parameter, all slow but the first `kept`."""
    return [value if number < kept else _slow(value) for number, value in enumerate(values)]


def _slow(value: object) -> ParameterSet:
    if isinstance(value, ParameterSet):
        return value._replace(marks=(*value.marks, pytest.mark.slow))
    several = value if isinstance(value, tuple) else (value,)
    return pytest.param(*several, marks=pytest.mark.slow)


def examples(most: int) -> settings:
    """As many examples of a property, or the part of them that the profile wants."""
    return settings(max_examples=most * settings().max_examples // EXAMPLES)
