"""Read front matter as the tools mean it that write it without a YAML library."""

from __future__ import annotations

import re

_KEY = r"[A-Za-z_][\w -]*:"
_LINE = re.compile(
    rf"^(?P<key>{_KEY}|[ \t]*-)(?P<space>[ \t]+)(?P<value>\S.*?)[ \t]*$", re.MULTILINE
)
_FLOW = re.compile(r"\[(?P<inside>[^\[\]\"']*)\]")
_WORD = re.compile(r"[\w.#@/-]+")
#: Text that begins so, or has this in it, is no plain scalar of YAML.
_NEEDS_QUOTES = re.compile(r"[@`%*&!]|.*?:(?:\s|$)|.*?\s#")
#: Text in double quotes on one line, and a sign behind a backslash that YAML gives no meaning.
_IN_QUOTES = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_UNKNOWN_ESCAPE = re.compile(r"""\\[^0abt\tnvfre "/\\N_LPxuU]""")
#: Words with the number of an issue in them, which is no comment: `title: Fix PR #33`.
_NUMBERED = re.compile(
    r"^(?P<key>(?:title|name|description):[ \t]+)"
    r"(?P<value>[^\s\"'\[{|>#].*?[ \t]#[0-9].*?)[ \t\r]*$",
    re.MULTILINE,
)


def numbered(text: str) -> str:
    """`text` with quotes around a title that names an issue by its number, which YAML cuts."""
    return _NUMBERED.sub(lambda line: line["key"] + _quoted(line["value"]), text)


def quoted(text: str) -> str:
    """`text` with quotes around the plain values that YAML does not take: `@me`, `Fix: it`.

    In double quotes with a backslash that means nothing, as in a pattern, each stands for itself.
    """
    return _LINE.sub(_quoted_line, _IN_QUOTES.sub(_escaped, text))


def _escaped(found: re.Match[str]) -> str:
    if not _UNKNOWN_ESCAPE.search(re.sub(r"\\\\", "", found[0])):
        return found[0]
    return re.sub(r'\\\\|\\(?!")', lambda _: r"\\", found[0])


def _quoted_line(line: re.Match[str]) -> str:
    value = line["value"]
    if flow := _FLOW.fullmatch(value):
        parts = [part.strip() for part in flow["inside"].split(",")]
        value = f"[{', '.join(map(_quoted, filter(None, parts)))}]"
    elif line["key"].strip() == "-" and re.match(rf"{_KEY}[ \t]", value):
        return line[0]  # a mapping in a list
    elif value[0] not in "\"'[{|>#":
        value = _quoted(value)
    return f"{line['key']}{line['space']}{value}"


def _quoted(value: str) -> str:
    if value[:1] in "\"'" or not _NEEDS_QUOTES.match(value):
        return value
    return "'" + value.replace("'", "''") + "'"


def words(text: str, key: str) -> list[str]:
    """The words under root key `key` of YAML text, one or a list, with all their digits.

    Empty where anything else stands there: the parser knows.
    """
    found = re.search(rf"^{key}:[ \t]*(.*)\n?((?:[ \t]*-[ \t].*(?:\n|\Z))*)", text, re.MULTILINE)
    if found is None:
        return []
    value, below = re.sub(r"(?:^|\s+)#.*", "", found[1]).strip(), found[2]
    if flow := re.fullmatch(r"\[(.*)\]", value):
        parts = flow[1].split(",")
    elif value:
        parts = [value]
    else:
        parts = [re.sub(r"\s+#.*", "", line.strip()[1:]) for line in below.splitlines()]
    bare = [part.strip().strip("\"'") for part in parts if part.strip()]
    return bare if all(map(_WORD.fullmatch, bare)) else []
