"""Add to the text of a graph file: root keys, entries of their lists, several tasks at once.

What is about to be written is for the caller to read again and compare.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ralphgit.errors import InvalidRecord
from ralphgit.records import graph_file, splice_task, task_blocks, yaml_writer

_VERSION = re.compile(r"""^\ufeff?(?:version|"version"|'version')[ \t]*:[^\n]*(?:\n|\Z)""", re.M)


def with_root(file: graph_file.GraphFile, more: Mapping[str, object]) -> str:
    """The file's text with root keys put behind `version`."""
    text = file.text
    at = _version_line(file).end()
    eol = "\r\n" if "\r\n" in text else "\n"
    before = text[:at] if text[:at].endswith("\n") else text[:at] + eol
    return before + yaml_writer.mapping(more, eol=eol) + text[at:]


def with_changed_root(
    file: graph_file.GraphFile, changed: Mapping[str, object]
) -> tuple[str, tuple[str, ...]]:
    """The file's text with other values of root keys, None for one to be taken out; and the keys
    that have a comment or another form of their own, and stay."""
    text, left = file.text, []
    eol = "\r\n" if "\r\n" in text else "\n"
    for key, value in changed.items():
        old = yaml_writer.mapping({key: file.root[key]}, eol=eol)
        new = "" if value is None else yaml_writer.mapping({key: value}, eol=eol)
        if f"{eol}{text}".count(f"{eol}{old}") == 1:
            text = f"{eol}{text}".replace(f"{eol}{old}", f"{eol}{new}").removeprefix(eol)
        else:
            left.append(key)
    return text, tuple(left)


def with_tasks(text: str, new: Sequence[Mapping[str, Any]], file: graph_file.GraphFile) -> str:
    """`text` of `file` with new tasks behind its last one.

    `append_task` finds out whether the layout can take one, and reads the file twice for
    it; the others go behind that one together.
    """
    _version_line(file)
    last = len(file.tasks) - 1 if file.tasks else None
    text = splice_task.append_task(text, new[0], after=last, path=file.path)
    layout = task_blocks.find(text)
    if layout is None or len(new) == 1:
        return text
    at = task_blocks.content_end(text, layout.blocks[-1], layout.dash)
    eol = "\r\n" if "\r\n" in text else "\n"
    made = yaml_writer.sequence(new[1:], indent=layout.dash, eol=eol)
    if not text[:at].endswith("\n"):
        return text[:at] + eol + made.removesuffix(eol) + text[at:]
    return text[:at] + made + text[at:]


def _version_line(file: graph_file.GraphFile) -> re.Match[str]:
    found = _VERSION.search(file.text)
    if found is None:
        message = "the file is in flow style, which cannot be extended"
        hint = "write version: 1 and tasks: at the beginning of lines of their own"
        raise InvalidRecord(message, file=file.path, code="unclear_layout", hint=hint)
    return found


def with_entries(
    file: graph_file.GraphFile, key: str, changed: Mapping[str, Mapping[str, Any]],
    new: Sequence[Mapping[str, Any]],
) -> str | None:  # fmt: skip
    """The file's text with entries of the root list `key` `changed`, by id, and `new` ones behind.

    None where the list is not in block style, or an entry that changes has a comment or another
    form of its own.
    """
    text, entries = file.text, file.root[key]
    layout = task_blocks.find(text, key)
    if layout is None or len(layout.blocks) != len(entries):
        return None
    eol = "\r\n" if "\r\n" in text else "\n"

    def written(entry: Mapping[str, Any]) -> str:
        return yaml_writer.sequence([entry], indent=layout.dash, eol=eol)

    at = task_blocks.content_end(text, layout.blocks[-1], layout.dash)
    if not text[:at].endswith("\n"):
        return None
    text = text[:at] + "".join(map(written, new)) + text[at:]
    for entry, block in reversed([*zip(entries, layout.blocks, strict=True)]):
        if (wanted := changed.get(str(entry.get("id")))) is None:
            continue
        end = task_blocks.content_end(file.text, block, layout.dash)
        if text[block.start : end] != written(entry):
            return None
        text = text[: block.start] + written(wanted) + text[end:]
    return text
