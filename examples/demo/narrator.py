"""Telling the story: headings, sentences, commands with what they said."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import TextIO

WIDTH = 100
#: Bold, dim, and neither.
_STYLES = ("\x1b[1m", "\x1b[2m", "\x1b[0m")


class Narrator:
    """Writes lines of at most 100 columns, each as soon as it is known."""

    def __init__(self, out: TextIO, *, environ: Mapping[str, str]) -> None:
        self._out = out
        plain = environ.get("NO_COLOR") or environ.get("TERM") == "dumb" or not out.isatty()
        self._bold, self._dim, self._end = ("", "", "") if plain else _STYLES

    def heading(self, text: str) -> None:
        self._line(f"{self._bold}{text}{self._end}")

    def sentence(self, text: str) -> None:
        for line in textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  "):
            self._line(line)

    def command(self, where: str, line: str, *, output: Iterable[str], ended: str = "") -> None:
        """A command as it was typed, and what is worth seeing of what it said."""
        how = f"  [{ended}]" if ended else ""
        self._line(f"  {self._bold}{where}$ {line}{self._end}{how}")
        self.output(output)

    def output(self, lines: Iterable[str]) -> None:
        for line in lines:
            # Whitespace is kept: a diff is shown as it is.
            for piece in _wrapped(line.rstrip(), WIDTH - 4):
                self._line(f"    {self._dim}{piece}{self._end}")

    def gap(self) -> None:
        self._line("")

    def _line(self, text: str) -> None:
        print(text, file=self._out, flush=True)


def _wrapped(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    return textwrap.wrap(
        line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
