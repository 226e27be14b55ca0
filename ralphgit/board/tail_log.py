"""Read the newest log of a worktree as it grows."""

from __future__ import annotations

import os
from typing import NamedTuple

from ralphgit.errors import GuardRefused
from ralphgit.loop import agent_logs
from ralphgit.model.printable import safe_lines

#: How much of a log is read when it is first shown, and then at most at once.
_FIRST, _MOST = 64 * 1024, 256 * 1024


class Piece(NamedTuple):
    """New lines of a log."""

    worktree: str
    path: str
    """"" where there is no log."""
    lines: tuple[str, ...]
    """Complete ones, safe to show."""
    anew: bool
    """What was read before belongs to another log."""


class Tail:
    """Reads what there is whenever it is asked."""

    def __init__(self, worktree: str) -> None:
        self._worktree = worktree
        self._path: str | None = None
        self._position = 0
        self._rest = b""
        """A line whose end has not been written yet."""

    def read(self) -> Piece | None:
        """Return what was added since the last call; None for nothing."""
        try:
            path = agent_logs.newest(self._worktree)
            size = os.path.getsize(path)
        except (GuardRefused, OSError):
            path, size = "", 0
        anew = path != self._path or size < self._position
        if anew:
            self._path, self._rest = path, b""
            self._position = max(0, size - _FIRST)
        if not path or size == self._position:
            return Piece(self._worktree, path, (), True) if anew else None
        return Piece(self._worktree, path, self._lines(path, cut=anew), anew)

    def _lines(self, path: str, *, cut: bool) -> tuple[str, ...]:
        """`cut`: the first line may lack its beginning."""
        try:
            with open(path, "rb") as file:
                file.seek(self._position)
                data = file.read(_MOST)
        except OSError:
            return ()
        begun = cut and self._position > 0
        self._position += len(data)
        if begun:
            data = data.partition(b"\n")[2]
        whole, _, self._rest = (self._rest + data).rpartition(b"\n")
        if len(self._rest) > _FIRST:
            whole, self._rest = self._rest, b""
        return tuple(safe_lines(whole.decode("utf-8", "replace")))
