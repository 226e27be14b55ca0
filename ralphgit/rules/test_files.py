"""Tell tests from other files, by their names and their lines; and what a command names."""

from __future__ import annotations

import re
import shlex

_NAME = (
    r"test_[^/]*\.\w+|[^/]*[_.-](?:test|tests|spec)\.\w+|[^/]*(?:Test|Tests|Spec)\.\w+|conftest\.py"
)
_FOLDERS = frozenset(("test", "tests", "__tests__", "spec", "specs"))
#: A line that begins a test, in the languages whose tests are told by one.
_BEGINS = (
    rb"(?m)^[ \t]*(?:(?:async\s+)?def\s+test|(?:it|test|describe|context|scenario)\b\s*[(.'\"]"
    rb"|@(?:Test|ParameterizedTest)\b|#\[(?:\w+::)?test|func\s+(?:\([^)\n]*\)\s*)?Test|\[(?:Fact|Theory|Test)"
    rb"|TEST(?:_F|_P)?\(|public\s+function\s+test|@test\s)"
)


def is_test(path: str) -> bool:
    """Whether a file is one of tests, by its path."""
    *folders, name = path.split("/")
    return re.fullmatch(_NAME, name) is not None or not _FOLDERS.isdisjoint(folders)


def is_emptied(old: bytes, new: bytes) -> bool:
    """Whether a file of tests has none any more: no text, or no line that begins one."""
    if not new.strip():
        return bool(old.strip())
    return re.search(_BEGINS, old) is not None and re.search(_BEGINS, new) is None


def named_in(command: str) -> frozenset[str]:
    """The words of a command that may be paths, from the top of the repository."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError:
        words = command.split()
    parts = (part for word in words for part in re.split(r"[=;&|()<>]|::", word))
    return frozenset(part.removeprefix("./").rstrip("/") for part in parts if part)
