"""Render a Jinja2 template in bounded time and memory, whoever wrote it."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from jinja2 import StrictUndefined, TemplateRuntimeError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

#: Of the processor, so that a loaded machine refuses nothing that another one does not.
_SECONDS = 1.0
_BYTES = 256 * 1024 * 1024
_BITS = 256


class _Environment(SandboxedEnvironment):
    """A sandbox that works nothing out with huge numbers: nothing could interrupt that."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = [one for one in (left, right) if isinstance(one, int)]
        if operator == "**" or any(one.bit_length() > _BITS for one in numbers):
            raise TemplateRuntimeError(f"{operator} makes a number that is too large")
        return super().call_binop(context, operator, left, right)


def render(
    text: str, values: Mapping[str, object], filters: Mapping[str, Callable[..., str]]
) -> str:
    """Render `text` with `values`; what is undefined is an error.

    Raises: jinja2.TemplateError, also where it takes too long; MemoryError, and what Python
    raises where its operators and methods are given what they cannot take.
    """
    # Plain text, no HTML; what is to be fenced says so.
    environment = _Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters.update(filters)
    with _in_time(), _in_memory():  # what is constant is worked out as it is compiled
        return environment.from_string(text).render(values)


@contextmanager
def _in_time() -> Iterator[None]:
    """Interrupt what this thread does, line by line of Python, once it has taken too long."""
    end, before = time.thread_time() + _SECONDS, sys.gettrace()

    def look(frame: FrameType, event: str, argument: object) -> Any:
        if time.thread_time() > end:
            raise TemplateRuntimeError(f"it takes longer than {_SECONDS:g} s")
        return look

    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def _in_memory() -> Iterator[None]:
    """Let this process grow by no more than some of memory; where the system has such a limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        with open("/proc/self/statm", "rb") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # no Linux
        yield
        return
    wanted = used + _BYTES
    if soft != resource.RLIM_INFINITY:
        wanted = min(wanted, soft)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    try:
        yield
    finally:
        with suppress(ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
