"""Read ids, list entries and values as a source file has them, before they mean anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ralphgit.errors import InvalidRecord
from ralphgit.model.ids import is_id
from ralphgit.model.printable import cut
from ralphgit.records.importers.imported import Log
from ralphgit.records.importers.parts import headings

#: The field that keeps what a task depends on and the file does not have.
MISSING = "x-missing-dependencies"
#: What stands in a description before a heading below its story's.
PART_OF = "Part of: "
_LONGEST_ID = 64
#: What a prefix has to leave of an id for a name that is cut.
_LEAST_ROOM = 8


def as_word(value: object) -> str | None:
    """A text that is not empty, or a whole number as text. Not 1.10, which is 1.1 by now."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def source_id(name: str, fields: Mapping[str, object], what: str, line: int) -> str:
    value = fields.get("id")
    source = as_word(value)
    if source is not None:
        return source
    if isinstance(value, float):
        message = f"{what} has the id {value}, a number that may have lost digits"
        hint = 'put ids such as "1.10" in quotes, and what refers to them'
    else:
        message, hint = f"{what} has no id", "give it an `id`"
    raise InvalidRecord(message, file=name, line=line, hint=hint)


def unique_ids(name: str, entries: Sequence[tuple[int, Mapping[str, object]]]) -> list[str]:
    """The entries' own ids, in order. Raises: InvalidRecord where two are the same but for case."""
    lines: dict[str, int] = {}
    found = []
    for line, entry in entries:
        source = source_id(name, dict(entry), "the object", line)
        first = lines.setdefault(source.casefold(), line)
        if first != line:
            raise InvalidRecord(
                f"two tasks have the id {source}; the first is in line {first}",
                file=name, line=line, task=source, code="duplicate_id",
                hint="ids must differ by more than case: rename one, and what refers to it",
            )  # fmt: skip
        found.append(source)
    return found


def safe_names(sources: list[str], log: Log) -> dict[str, str]:
    """Our id for each source id, by the source id case-folded. Good ids stay as they are."""
    taken = {source.casefold() for source in sources if is_id(source)}
    names: dict[str, str] = {}
    for source in sources:
        new = source
        if not is_id(source):
            new = base = safe_id(source)
            number = 1
            while new.casefold() in taken:
                number += 1
                new = f"{base[: 63 - len(str(number))]}-{number}"
            taken.add(new.casefold())
            log.note(f"The id {short(source)} is {new} here.")
        names[source.casefold()] = new
    return names


def safe_id(text: str) -> str:
    """`text` with what the id grammar does not allow replaced or left out; never empty."""
    if is_id(text):
        return text
    made = "-".join(re.split(r"[^A-Za-z0-9._-]+", text))
    while ".." in made:
        made = made.replace("..", ".")
    made = made.lstrip("._-")[:64].rstrip("._-")
    while made.endswith(".lock"):
        made = made.removesuffix(".lock").rstrip("._-")
    return made or "task"


def prefixed(prefix: str, names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """By name, an id that begins with `prefix`; a name that makes it too long is cut at a word.

    Of those that are the same then, or `taken`, the later ones get a number. A prefix that leaves
    no room for a word is not cut for.
    """
    listed = list(dict.fromkeys(names))
    room = _LONGEST_ID - len(prefix)
    found = {name: f"{prefix}{name}" for name in listed}
    too_long = [name for name in listed if len(name) > room >= _LEAST_ROOM]
    used = {one.casefold() for one in taken}
    used |= {found[name].casefold() for name in listed if name not in too_long}
    for name in too_long:
        new, number = prefix + headings.at_word(name, room).rstrip("._-"), 1
        while new.casefold() in used:
            number += 1
            words = headings.at_word(name, room - len(f"-{number}")).rstrip("._-")
            new = f"{prefix}{words}-{number}"
        used.add(new.casefold())
        found[name] = new
    return found


def entries(
    name: str, document: Mapping[str, object], key: str, text: str
) -> list[tuple[int, dict[str, object]]]:
    """The mappings in the list under root key `key`, each with its line in `text`.

    Raises: InvalidRecord when it is not a list, or has something else in it.
    """
    value = document.get(key)
    lines = _lines(text, key)
    found: list[tuple[int, dict[str, object]]] = []
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        line = lines[index] if index < len(lines) else 1
        fields = as_mapping(entry)
        if fields is None:
            message = f"entry {index + 1} of `{key}` is not a mapping"
            raise InvalidRecord(
                message, file=name, line=line, hint="write it as `key: value` lines"
            )
        found.append((line, fields))
    if value is not None and not isinstance(value, list):
        raise InvalidRecord(
            f"`{key}` is not a list", file=name, hint="make it one, an entry for each task"
        )
    return found


def _lines(text: str, key: str) -> list[int]:
    """The line of each entry in the block list under root key `key`; none in flow style."""
    found: list[int] = []
    inside, indent = False, -1
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.lstrip(" ")
        depth = len(line) - len(words)
        if not inside:
            inside = line.startswith(f"{key}:")
        elif words.startswith("- ") or words == "-":
            indent = depth if indent < 0 else indent
            if depth == indent:
                found.append(number)
        elif words and depth == 0 and not words.startswith("#"):
            break
    return found


def as_mapping(value: object) -> dict[str, object] | None:
    """A copy of `value` with text for keys; None when it is not a mapping."""
    if not isinstance(value, Mapping):
        return None
    return {str(key): inner for key, inner in value.items()}


def short(value: object) -> str:
    return cut(repr(value), 60)
