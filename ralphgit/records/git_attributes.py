"""Tell plain git how to treat and how to show graph files and records.

`ATTRIBUTES` lines go into `.gitattributes`, which is committed; `DIFF_CONFIG` is git
configuration, which each clone has for itself. Neither changes what is stored or merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DRIVER = "ralphgit"
"""The name of the diff driver that the attributes ask for and the configuration describes."""

#: A task begins with its id, in block or in flow style, indented by two columns at most: deeper
#: ids are those of criteria. The parentheses are what git shows: the id alone.
TASK_LINE = r"""^ {0,2}- +[{]? *["']?id["']? *: *["']?([A-Za-z0-9][A-Za-z0-9._-]*)"""

#: Key and value of each setting for `git config`.
DIFF_CONFIG: Mapping[str, str] = {f"diff.{DRIVER}.xfuncname": TASK_LINE}

_SPECIAL = frozenset(' \t"\\')


def attributes(graph: Sequence[str], records: str) -> tuple[str, ...]:
    """The lines for a `.gitattributes` at the top.

    `graph` and `records` are the settings of these names. One form of line ends keeps two
    claims from conflicting over nothing else.
    """
    patterns = [one for pattern in graph for one in _yaml(_anchored(pattern))]
    lines = [f"{_quoted(pattern)} text eol=lf diff={DRIVER}" for pattern in patterns]
    lines.append(f"{_quoted(_anchored(records.rstrip('/') + '/**'))} text eol=lf")
    return tuple(dict.fromkeys(lines))


def _anchored(pattern: str) -> str:
    """`pattern` from the top. Git knows no braces: the folder that they stand in, then."""
    path = pattern.removeprefix("./").lstrip("/")
    if "{" in path:
        before, _, rest = path.partition("{")
        folder, slash, _ = before.rpartition("/")
        path = folder + slash + ("**/*.yaml" if "/" in rest else "*.yaml")
    return f"/{path}"


def _yaml(pattern: str) -> tuple[str, ...]:
    """`pattern` for YAML files alone: `plan/**` covers pictures, too, which have no line ends."""
    if not pattern.endswith("*"):
        return (pattern,)
    stem = f"{pattern}/*" if pattern.endswith("/**") else pattern
    return f"{stem}.yaml", f"{stem}.yml"


def _quoted(pattern: str) -> str:
    if not _SPECIAL & set(pattern):
        return pattern
    inner = pattern.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'
