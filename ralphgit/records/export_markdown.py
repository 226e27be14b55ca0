"""Write tasks as a Markdown checklist that reads as what it was: each task is read back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ralphgit.model.ids import is_id
from ralphgit.model.task_status import Status
from ralphgit.records.importers.imported import Log
from ralphgit.records.importers.parts import exported_checklist, headings, listed_items
from ralphgit.records.importers.parts import markdown_items as parser
from ralphgit.records.importers.parts.merge_files import GROUPS
from ralphgit.records.task_mapping import commands, same

#: A title is cut where nobody would read on; the comment has all of it.
_LONGEST_TITLE = 500
#: Said by the place, the box, or a line that is always read back: ids are safe.
_PLACED = frozenset({"id", "status", "story", "depends_on"})
#: What stands behind each task while it is read back: nothing may reach into it.
_NEXT = "- [ ] `next` Next\n"


def document(tasks: Sequence[Mapping[str, Any]], root: Mapping[str, Any]) -> str:
    """The document; `tasks` have no lifecycle but their status."""
    listed = {key: exported_checklist.entries(root.get(key)) for key in GROUPS}
    stories = {str(entry["id"]): entry for entry in listed["stories"]}
    sections: dict[str, _Section] = {}
    known = {task["id"] for task in tasks}
    lines = list[str]()
    story = ""
    for task in tasks:
        own_story = task.get("story") or ""
        if own_story != story and is_id(own_story):
            story = own_story
            lines += [""] if lines and lines[-1] else []
            if story in sections:
                lines += [sections[story].lines[0], ""]
            else:
                sections[story] = _section(story, stories.get(story, {}))
                lines += sections[story].lines
        lines += _task(task, story, known)
    left = [sections[id].left if id in sections else entry for id, entry in stories.items()]
    listed["stories"] = [entry for entry in left if entry]
    more = {key: entries for key, entries in listed.items() if entries}
    first = [exported_checklist.FIRST, "", "# Tasks", "", *([_comment(more), ""] if more else [])]
    return "\n".join([*first, *lines]) + "\n"


class _Section(NamedTuple):
    """Where the tasks of a story begin."""

    lines: tuple[str, ...]
    """The heading, and what the story says."""
    left: dict[str, Any]
    """Its entry, as far as these lines do not say it."""


def _section(story: str, entry: Mapping[str, Any]) -> _Section:
    """Make a story's heading and description: as they are, or else as a block of text."""
    heading = _heading(story, entry.get("title"))
    text = entry.get("description") or ""
    body = text.rstrip("\n") if isinstance(text, str) and _printable(text) else ""
    fence = "`" * max(3, *(len(run) + 1 for run in ["", *re.findall("`+", body)]))
    block = f"{fence}{exported_checklist.VERBATIM}\n{body}\n{fence}"
    plain = block if parser.lines_like_items(body) else body
    for says in (plain, block, "") if body else ("",):
        lines = (f"## {heading}", "", *((says, "") if says else ()))
        found = _read_section(lines) or headings.Heading(story, story, "")
        if found.says == (body if says else ""):
            break
    (fields,) = exported_checklist.entries(headings.stories([found]).get("stories")) or [{}]
    more: dict[str, Any] = {}
    if found.says and found.says != text:
        fields["description"] = text
        more[exported_checklist.ENDS] = text[len(found.says) :]
    for key in [*entry, *fields]:
        if key != "id" and (key not in fields or entry.get(key) != fields[key]):
            more[key] = entry.get(key)
    return _Section(lines, {"id": story, **more} if more or (entry and not fields) else {})


def _read_section(lines: Sequence[str]) -> headings.Heading | None:
    """What a task below the lines would have for a heading."""
    text = "\n".join((exported_checklist.FIRST, "", "# Tasks", "", *lines, _NEXT))
    items = listed_items.items(parser.read("", text), exported=True)
    return next((item.heading for item in items), None)


def _comment(data: Mapping[str, Any]) -> str:
    # A comment ends at the first --> in it.
    text = json.dumps(data).replace(">", "\\u003e")
    return f"<!-- ralphgit: {text} -->"


def _heading(story: str, title: object) -> str:
    """A story's heading, with its title where that is one that a heading can hold."""
    if not isinstance(title, str) or title == story:
        return story
    words = f"{story}: {title}"
    nodes = parser.read("", f"## {words}\n\n{_NEXT}")
    fits = len(nodes) == 2 and nodes[0].kind == "heading" and nodes[0].text == words
    return words if fits and title.isprintable() else story


def _task(task: Mapping[str, Any], story: str, known: set[str]) -> list[str]:
    depends = task.get("depends_on") or []
    more: dict[str, Any] = {}
    if (task.get("story") or "") != story:
        more["story"] = task.get("story")
    if not set(depends) <= known:
        more["depends_on"] = depends
    if task["status"] == Status.CANCELLED:
        more["status"] = task["status"]
    text = task.get("description") or ""
    body = text.rstrip("\n") if _printable(text) and exported_checklist.ENDS not in task else ""
    for description in (body, ""):
        lines = list(_lines(task, description))
        fields = _read_back(lines, task["id"])
        if fields is not None and fields.get("description", "") == description:
            break
    else:
        lines, fields = [_first(task)], {}
    if description and description != text:
        fields["description"] = text
        more[exported_checklist.ENDS] = text[len(description) :]
    for key in [*task, *fields]:
        if key not in _PLACED and not same(key, task.get(key), fields.get(key)):
            more[key] = task.get(key)
    if more:
        lines.insert(1, f"  {_comment(more)}")
    return lines


def _first(task: Mapping[str, Any]) -> str:
    ticked = "x" if task["status"] == Status.COMPLETE else " "
    # A title that nothing can show is in the comment; an item needs words.
    words = _line(task["title"])[:_LONGEST_TITLE] or task["id"]
    return f"- [{ticked}] `{task['id']}` {words}".rstrip()


def _lines(task: Mapping[str, Any], description: str) -> Iterator[str]:
    yield _first(task)
    if depends := [ref for ref in task.get("depends_on") or () if is_id(ref)]:
        yield f"  - **Depends on**: {', '.join(f'`{ref}`' for ref in depends)}"
    scope = task.get("scope")
    written = scope.get("write") or () if isinstance(scope, dict) else ()
    files = [_code(path) for path in dict.fromkeys((*(task.get("outputs") or ()), *written))]
    if files:
        yield f"  - **Files**: {', '.join(files)}"
    for item in task.get("acceptance") or ():
        yield f"  - **Done when**: {_line(item['text'] if isinstance(item, dict) else item)}"
    for command, proves in commands(task.get("verify")):
        proved = f" (proves {', '.join(map(_line, proves))})" if proves else ""
        yield f"  - **Verify**: {_code(command)}{proved}"
    if isinstance(commit := task.get("x-commit"), str):
        yield f"  - **Commit**: {_code(commit)}"
    if description:
        yield ""
        yield from (f"  {line}" if line else "" for line in description.split("\n"))
        yield ""


def _line(text: str) -> str:
    """`text` on one line, without what a terminal or a page would act on."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _printable(text: str) -> bool:
    return all(letter.isprintable() or letter == "\n" for letter in text)


def _code(text: str) -> str:
    """`text` as a code span."""
    text, fence = _line(text), "`"
    while fence in text:
        fence += "`"
    gap = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{gap}{text}{gap}{fence}"


def _read_back(lines: Sequence[str], id: str) -> dict[str, Any] | None:
    """What the lines of a task say; None where they say something about other tasks too."""
    nodes = [
        node for node in parser.read("", "\n".join(lines) + "\n" + _NEXT) if node.kind == "item"
    ]
    if len(nodes) != 2 or nodes[1].text != "`next` Next" or nodes[0].ticked is None:
        return None
    if exported_checklist.named(nodes[0])[0] != id:
        return None
    return exported_checklist.visible(nodes[0], id, Log())[0]
