"""Other projects' task files, read as ours.

The formats, told apart by what is in them and never by the file's name:

    graph      YAML or JSON with `nodes` and, beside them, `edges`
    ticket     Markdown behind YAML front matter: one task in one file
    checklist  Markdown with a task list: smart-ralph's, spec-kit's, any forge's, our own export
    beads      JSON lines, one issue each
    issues     the JSON list that `gh issue list --json` prints

What is ours already (`version: 1` and `tasks`, or JSON lines of tasks) passes unchanged. For the
others:

- What can be computed again is left out and named in `dropped`.
- What else is changed, moved or left out is said in `notes`.
- A field of ours never gets a value it cannot hold: that value moves to `x-<field>`.
- Fields that are not ours stay as they are.

Several files, a graph and its tickets for one, are made one by `joined`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ralphgit.errors import InvalidRecord
from ralphgit.records.importers.checklist import from_list
from ralphgit.records.importers.json_lines import from_json
from ralphgit.records.importers.node_graph import from_graph
from ralphgit.records.importers.parts import markdown_items, strict_json
from ralphgit.records.importers.parts.import_notes import Imported
from ralphgit.records.importers.parts.imported_values import KNOWN, as_mapping, entries
from ralphgit.records.importers.parts.join_files import joined, prefixed
from ralphgit.records.importers.ticket import from_ticket

__all__ = ["Imported", "convert", "joined", "prefixed"]

#: Fields that say a Markdown file with front matter is a ticket.
_TICKET = frozenset({"id", "title", "status", "depends_on"})

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


def convert(name: str, data: bytes, parse: Callable[[str], object]) -> Imported:
    """The tasks in `data`, a file called `name`; `parse` turns YAML text into values.

    Raises: InvalidRecord when the format is not known, a task has no usable id, two ids are
    the same but for case, or an edge does not have two ends.
    """
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidRecord(
            "the file is not UTF-8 text", file=name, line=line, hint="save the file as UTF-8"
        ) from error
    front = _FRONT_MATTER.match(text)
    if front is not None:
        # The empty line stands for the opening fence: the parser's line numbers are the file's.
        fields = as_mapping(_parsed(name, "\n" + front[1], parse))
        if fields and fields.keys() & _TICKET and not fields.keys() & {"nodes", "tasks"}:
            if "id" in fields or not markdown_items.may_hold_tasks(text):
                return from_ticket(name, fields, text[front.end() :])
            # Empty lines for the front matter of a document: line numbers are the file's.
            text = "\n" * text[: front.end()].count("\n") + text[front.end() :]
    sign = text.lstrip()[:1]
    if sign == "[" or (sign == "{" and (not _may_be_yaml(text) or _is_one_task(name, text))):
        return from_json(name, text, whole=sign == "[")
    if _may_be_yaml(text):
        document = as_mapping(_parsed(name, text, parse)) or {}
        if "nodes" in document:
            return from_graph(name, document, text)
        version = document.get("version")
        if "tasks" in document and version == 1 and type(version) is int:
            return _ours(name, document, text)
    elif markdown_items.may_hold_tasks(text) and (found := from_list(name, text)) is not None:
        return found
    raise InvalidRecord("the format of this file is not known", file=name, hint=KNOWN)


def _may_be_yaml(text: str) -> bool:
    """Whether a line begins with a root key that we know, or the text is one JSON object."""
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and lines[0].startswith("{"):
        return not any(line.startswith("{") for line in lines[1:])  # else JSON lines
    return any(line.startswith(("nodes:", "tasks:")) for line in lines)


def _is_one_task(name: str, text: str) -> bool:
    """Whether `text` is one line of JSON lines, and no graph."""
    if "\n" in text.strip():
        return False
    try:
        fields = as_mapping(strict_json.load(name, text)) or {}
    except InvalidRecord:
        return False
    return not fields.keys() & {"nodes", "tasks"}


def _parsed(name: str, text: str, parse: Callable[[str], object]) -> object:
    try:
        return parse(text)
    except InvalidRecord as error:
        raise error.at(name) from error
    except (ValueError, RecursionError) as error:
        raise InvalidRecord(f"this is not valid YAML: {error}", file=name) from error


def _ours(name: str, document: Mapping[str, object], text: str) -> Imported:
    tasks = tuple(task for _, task in entries(name, document, "tasks", text))
    root = {key: value for key, value in document.items() if key not in ("version", "tasks")}
    return Imported(tasks, root, (), ())
