"""What the compiled page calls: escaping, its filters and its values.

They do what Jinja2's own do, for this page: a test renders it with both. Importing Jinja2 and
compiling the page takes 45 ms, half of the time of `ralphgit report`.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from markupsafe import Markup, escape

from ralphgit.model.printable import is_seen, safe

__all__ = [
    "Context", "Environment", "TemplateRuntimeError", "Undefined", "environment", "escape",
    "internalcode", "missing",
]  # fmt: skip

#: The value of a name that is not defined.
missing = object()
#: How JSON is written into the page.
JSON: Mapping[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}
_NOT_IN_HTML = "<>&'"


class TemplateRuntimeError(Exception):
    """The template uses a filter that is not below."""


def internalcode(function: Callable[..., object]) -> Callable[..., object]:
    """Return the function; Jinja2 leaves it out of tracebacks."""
    return function


def Undefined(*_: object) -> str:
    """Return the value of an `if` without `else`."""
    return ""


def undefined(name: str) -> NoReturn:
    """Refuse a name that is not defined."""
    raise TemplateRuntimeError(f"{name!r} is undefined")


def shown(value: object) -> object:
    """Return what is put into the page: text as a person may see it; it is escaped after that."""
    if not isinstance(value, str) or is_seen(value) or hasattr(value, "__html__"):
        return value
    return safe(value)


def age(seconds: float) -> str:
    """Format a wait in the two largest units that matter."""
    minutes = int(seconds // 60)
    for unit, size in (("d", 24 * 60), ("h", 60)):
        if minutes >= size:
            rest = minutes % size // (60 if unit == "d" else 1)
            smaller = "h" if unit == "d" else "min"
            return f"{minutes // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{minutes} min"


def _join(_: object, values: Iterable[object], between: str) -> str:
    return between.join(map(str, values))


def _replace(_: object, text: object, old: str, new: str) -> str:
    return str(text).replace(old, new)


def _json(_: object, value: object) -> Markup:
    text = json.dumps(value, **JSON)
    for char in _NOT_IN_HTML:
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def _count(values: Sequence[object]) -> int:
    return len(values)


def _is_none(value: object) -> bool:
    return value is None


class Environment:
    """What Jinja2's compiled code asks its environment for."""

    filters: Mapping[str, Callable[..., object]] = {
        "age": age, "join": _join, "length": _count, "replace": _replace, "safe": Markup,
        "tojson": _json,
    }  # fmt: skip
    tests: Mapping[str, Callable[..., object]] = {"none": _is_none}
    concat = staticmethod("".join)
    finalize = staticmethod(shown)
    getattr = staticmethod(getattr)
    undefined = staticmethod(undefined)


environment = Environment()


class Context(NamedTuple):
    """The values that a page is rendered with."""

    values: Mapping[str, object]
    eval_ctx: None = None

    def resolve_or_missing(self, name: str) -> object:
        return self.values.get(name, missing)

    def call(self, function: Callable[..., object], *arguments: object) -> object:
        return function(*arguments)
