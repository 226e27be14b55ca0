"""Render a Jinja2 template in bounded time and memory, whoever wrote it.

What Python works out in one step (a huge number, a comparison of what is nested) nothing within
its process can interrupt: it is done in a child, which the system ends.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

#: Of the processor, so that a loaded machine refuses nothing that another one does not.
_SECONDS = 1
#: By the clock, for a child that waits for what no thread of it will free.
_PATIENCE_S = 60
_BYTES = 256 * 1024 * 1024


class Unrenderable(Exception):
    """Why a template cannot be rendered, and in which of its lines."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.line = line


def render(
    text: str, values: Mapping[str, object], filters: Mapping[str, Callable[..., str]]
) -> str:
    """Render `text` with `values`; what is undefined is an error.

    Raises: Unrenderable, also where it takes too long or needs too much memory.
    """
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of other threads, which it has not
        child = os.fork()
    if not child:
        try:
            os.close(ours)
            _limit()
            with open(theirs, "w", encoding="ascii") as file:
                json.dump(_rendered(text, values, filters), file)
        finally:
            os._exit(0)
    os.close(theirs)
    try:
        with open(ours, encoding="ascii") as file:
            told = file.read()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    try:
        made, why, line = json.loads(told)
    except ValueError:
        made, why, line = "", f"it takes longer than {_SECONDS} s", 1
    if why:
        raise Unrenderable(why, line)
    return str(made)


def _rendered(
    text: str, values: Mapping[str, object], filters: Mapping[str, Callable[..., str]]
) -> tuple[str, str, int]:
    """What comes of a template, or why nothing does, and in which line."""
    try:
        # Plain text, no HTML; what is to be fenced says so.
        environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
        environment.filters.update(filters)
        return environment.from_string(text).render(values), "", 1
    except MemoryError:
        return "", "it needs too much memory", 1
    except Exception as error:  # noqa: BLE001 - operators and methods raise what they will
        return "", str(error) or type(error).__name__, getattr(error, "lineno", None) or 1


def _limit() -> None:
    """Let this process work for so long, and grow by no more than some of memory; where the system
    has such limits.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_PATIENCE_S)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    with suppress(OSError, ValueError), open("/proc/self/statm", "rb") as file:  # Linux alone
        wanted = int(file.read().split()[0]) * resource.getpagesize() + _BYTES
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = wanted if soft == resource.RLIM_INFINITY else min(wanted, soft)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
