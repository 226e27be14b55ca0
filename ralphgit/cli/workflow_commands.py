"""Write problems as workflow commands, which GitHub shows beside a pull request's lines.

What a repository holds is data of such a command and never a command of its own: `%` and line
ends are escaped, in properties also what ends one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ralphgit.app.gate.problem import Problem
from ralphgit.cli.render import safe

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def lines(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield one command for each problem."""
    for problem in problems:
        fields = {"title": problem.code}
        if problem.path:
            place = {"line": str(problem.line), "col": str(problem.column)}
            fields = {"file": problem.path, **place, **fields}
        yield command(problem.severity, problem.said, fields)


def command(level: str, message: str, fields: dict[str, str] | None = None) -> str:
    """Format `::LEVEL NAME=VALUE,...::MESSAGE`; levels are error, warning and notice."""
    told = "\n".join(safe(line) for line in message.split("\n"))
    listed = ",".join(f"{name}={_escaped(safe(value), _PROPERTY)}"
                      for name, value in (fields or {}).items())  # fmt: skip
    return f"::{level}{' ' * bool(listed)}{listed}::{_escaped(told, _DATA)}"


def _escaped(text: str, signs: dict[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in text)
