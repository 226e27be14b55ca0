"""Every text of the page can be read on what it stands on, in both themes."""

from __future__ import annotations

import pytest

from ralphgit.app.report.palette import DARK, LIGHT, Theme
from ralphgit.model.task_status import State


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_what_the_standard_says() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read(theme: Theme) -> None:
    assert set(theme.states) == {state.value for state in State}
    pairs = {
        (name, ground): contrast(getattr(theme, name), getattr(theme, ground))
        for name in ("ink", "quiet", "accent")
        for ground in ("page", "raised")
    }
    pairs |= {(state, "fill"): contrast(one.ink, one.fill) for state, one in theme.states.items()}
    assert {pair: ratio for pair, ratio in pairs.items() if ratio < 4.5} == {}
    borders = {state: contrast(one.edge, theme.page) for state, one in theme.states.items()}
    assert {state: ratio for state, ratio in borders.items() if ratio < 3} == {}
