"""Read our own Markdown export: a task list for people that has all fields of each task.

    <!-- ralphgit: tasks -->
    # Tasks

    <!-- ralphgit: {"milestones": [{"id": "M-1", "title": "Home"}]} -->

    ## S-1: The house

    What stands here is the story's description.

    - [ ] `T-2` Build it
      <!-- ralphgit: {"priority": 1} -->
      - **Depends on**: `T-1`
      - **Done when**: it stands

      All that follows an empty line is the description, boxes in it too.

What the visible lines say, they say as in any list; order and markers mean nothing. The comment
holds the fields that they cannot say, or would say otherwise; null there takes a field out. So
nothing in a title or a description is ever taken for Markdown of the list itself. The comment
above all tasks holds the milestones, and what headings cannot say of stories.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ralphgit.errors import InvalidRecord
from ralphgit.model.ids import is_id
from ralphgit.model.task_status import Status
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import headings, strict_json
from ralphgit.records.importers.parts.field_mapping import in_order, task_of
from ralphgit.records.importers.parts.headings import Heading
from ralphgit.records.importers.parts.item_details import details, references
from ralphgit.records.importers.parts.markdown_items import Node
from ralphgit.records.importers.parts.merge_files import GROUPS
from ralphgit.records.importers.parts.source_values import MISSING, as_mapping, safe_names

FIRST = "<!-- ralphgit: tasks -->"
#: The language of a block that is a story's whole description, and not a part of it.
VERBATIM = "text"
#: In the comment: the line ends behind the description, which Markdown does not keep.
ENDS = "description/end"
_DATA = re.compile(r"<!-- ralphgit: (\{.*\}) -->\s*", re.DOTALL)
_NAMED = re.compile(r"`([^`]+)`\s+(.*)", re.DOTALL)
_HEADING = re.compile(r"(\S+?)(?:: (.*))?", re.DOTALL)


def is_export(node: Node) -> bool:
    """Whether a document that begins with `node` is one of ours."""
    return node.kind == "comment" and node.text.strip() == FIRST


def heading(text: str) -> Heading:
    """A heading as `export` writes it: the story's id, and its title behind a colon."""
    found = _HEADING.fullmatch(text)
    if found is None or not is_id(found[1]):
        return headings.read(text)._replace(phase="")
    return Heading(found[1], found[2] or found[1], "")


def said(nodes: Iterable[Node]) -> str:
    """What stands below a story's heading, beside tasks."""
    nodes = list(nodes)
    only = nodes[0] if len(nodes) == 1 else None
    if only is not None and (only.kind, only.language) == ("fence", VERBATIM):
        return only.text.rstrip("\n")
    return headings.said(nodes, most=0)


def tasks(
    name: str, items: Sequence[tuple[Node, Heading | None]], log: Log, nodes: Sequence[Node]
) -> Imported:
    """The tasks of an export that may have been edited since; `nodes` is the whole document.

    Raises: InvalidRecord (duplicate_id; invalid_record for a comment that is no JSON).
    """
    sources: dict[str, int] = {}
    for node, _ in items:
        source = named(node)[0]
        line = sources.setdefault(source.casefold(), node.line)
        if line != node.line:
            raise InvalidRecord(
                f"two items have the id {source}; the first is in line {line}",
                file=name, line=node.line, column=node.column + len("[ ] "), task=source,
                code="duplicate_id", hint="ids must differ by more than case: rename one",
            )  # fmt: skip
    names = safe_names([named(node)[0] for node, _ in items], log)
    called = {**names, **{name.casefold(): name for name in names.values()}}
    made = []
    for node, story in items:
        new = names[named(node)[0].casefold()]
        fields, words = visible(node, new, log)
        depends, missing = references(words, called)
        if story is not None:
            fields["story"] = story.story
        fields["depends_on"] = [ref for ref in depends if ref != new]
        if not fields["depends_on"]:
            del fields["depends_on"]
        data = _data(name, node.nodes)
        if missing and "depends_on" not in data:
            fields[MISSING] = missing
            log.note(f"{new} depends on {', '.join(missing)}, not in the list: kept aside.")
        made.append(in_order(_with(fields, data)))
    found = log.imported(made, _root(name, [story for _, story in items], nodes))
    return found._replace(lines={names[named(node)[0].casefold()]: node.line for node, _ in items})


def named(node: Node) -> tuple[str, str]:
    """An item's id and title; one that somebody put in without an id gets it from its words."""
    found = _NAMED.fullmatch(node.text)
    return (found[1].strip(), found[2]) if found else (headings.slug(node.text), node.text)


def visible(node: Node, new: str, log: Log) -> tuple[dict[str, object], str]:
    """What an item says without its comment: its fields, and what it depends on, in its words."""
    _, title = named(node)
    head, _, description = node.raw.partition("\n\n")
    behind = node.line + head.count("\n")
    found = details(title, "", [inner for inner in node.nodes if inner.line <= behind])
    fields: dict[str, object] = {
        "title": title,
        "status": (Status.COMPLETE if node.ticked else Status.PENDING).value,
        **found.fields,
    }
    if description.strip():
        fields["description"] = description.strip("\n")
    if found.commit:
        fields["x-commit"] = found.commit
    return task_of(new, fields, log, ""), found.depends_on or ""


def _root(name: str, stories: Sequence[Heading | None], nodes: Sequence[Node]) -> dict[str, object]:
    """What headings and the comment above all tasks say of stories and milestones."""
    first: dict[str, Heading] = {}
    for each in stories:
        if each is not None:
            first.setdefault(each.story, each)
    root = headings.stories(first.values())
    data = _data(name, nodes)
    for key in GROUPS:
        found = {str(one["id"]): one for one in entries(root.get(key))}
        for one in entries(data.get(key)):
            id = str(one["id"])
            found[id] = _with(found.get(id, {}), one)
        if found:
            root[key] = list(found.values())
    return root


def entries(value: object) -> list[dict[str, object]]:
    entries = map(as_mapping, value if isinstance(value, list) else [])
    return [dict(one) for one in entries if one and "id" in one]


def _with(fields: dict[str, object], data: dict[str, object]) -> dict[str, object]:
    """`fields` with those of a comment, in which null takes one out."""
    ends = data.pop(ENDS, "")
    if isinstance(ends, str) and isinstance(fields.get("description"), str):
        fields["description"] = f"{fields['description']}{ends}"
    return {key: value for key, value in {**fields, **data}.items() if value is not None}


def _data(name: str, nodes: Iterable[Node]) -> dict[str, object]:
    for inner in nodes:
        found = _DATA.fullmatch(inner.text) if inner.kind == "comment" else None
        if found:
            value = as_mapping(strict_json.load(name, found[1], line=inner.line)) or {}
            return {key: field for key, field in value.items() if key != "id"}
    return {}
