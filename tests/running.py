"""Which processes there are, on any system."""

from __future__ import annotations

import psutil


def below(parent: int) -> list[psutil.Process]:
    """A process's children, and theirs."""
    try:
        return psutil.Process(parent).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def lines_below(parent: int) -> list[str]:
    """Their command lines; of one that has ended meanwhile none."""
    found = []
    for process in below(parent):
        try:
            found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def with_variable(name: str, value: str) -> list[int]:
    """The processes with this in their environment. Zombies have ended."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(name) == value:
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def runs(pid: int) -> bool:
    """Whether the process has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
