"""Define the page's colours, for a light and for a dark theme.

Every text has at least 4.5 times the contrast of what it stands on, every border 3 times that of
the page.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ralphgit.app.rendering.mermaid import COLOURS


class Tone(NamedTuple):
    """How a state is shown."""

    fill: str
    edge: str
    ink: str


class Theme(NamedTuple):
    page: str
    raised: str
    """Header, panel and cards."""
    ink: str
    quiet: str
    """Text that matters less; also the arrows."""
    line: str
    """Parts one thing from another; nothing to be read by it."""
    accent: str
    """Links, and what has the focus."""
    states: Mapping[str, Tone]


LIGHT = Theme(
    page="#ffffff",
    raised="#f6f8fa",
    ink="#1f2328",
    quiet="#59636e",
    line="#d1d9e0",
    accent="#0550ae",
    states={
        **{state: Tone(*colours) for state, colours in COLOURS.items()},
        "complete": Tone("#f6f8fa", "#818b98", "#57606a"),
        "cancelled": Tone("#f6f8fa", "#818b98", "#656d76"),
    },
)
DARK = Theme(
    page="#0d1117",
    raised="#151b23",
    ink="#e6edf3",
    quiet="#9198a1",
    line="#30363d",
    accent="#58a6ff",
    states={
        "waiting": Tone("#21262d", "#8b949e", "#c9d1d9"),
        "ready": Tone("#0f2e1a", "#3fb950", "#aff5b4"),
        "claimed": Tone("#2e2407", "#d29922", "#f2e1a5"),
        "in-progress": Tone("#40320a", "#e3b341", "#f8e3a1"),
        "in-review": Tone("#0c2d4d", "#58a6ff", "#cae8ff"),
        "blocked": Tone("#3f1418", "#f85149", "#ffdcd7"),
        "complete": Tone("#161b22", "#6e7681", "#9da7b1"),
        "cancelled": Tone("#161b22", "#6e7681", "#8b949e"),
    },
)


def style() -> str:
    """Both themes as custom properties; the page's switch decides, then the reader's setting."""
    light, dark = "".join(_properties(LIGHT)), "".join(_properties(DARK))
    states = "".join(
        f".{state}{{--fill:var(--{state}-fill);--edge:var(--{state}-edge);"
        f"--ink-on:var(--{state}-ink)}}\n"
        for state in LIGHT.states
    )
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark)"
        f"{{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n"
        f"{states}"
    )


def _properties(theme: Theme) -> Iterator[str]:
    for name, colour in theme._asdict().items():
        if name != "states":
            yield f"--{name}:{colour};"
    for state, tone in theme.states.items():
        for name, colour in tone._asdict().items():
            yield f"--{state}-{name}:{colour};"
