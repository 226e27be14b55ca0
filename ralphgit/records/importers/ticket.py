"""Import a Markdown ticket: one task behind YAML front matter."""

from __future__ import annotations

import re

from ralphgit.model.ids import is_id
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.importer import LIKELY, NO, SURE, Importer
from ralphgit.records.importers.parts.field_mapping import own_refs, task_of
from ralphgit.records.importers.parts.paths_in_prose import is_path
from ralphgit.records.importers.parts.source_values import safe_id, safe_names, short, source_id
from ralphgit.records.importers.source_file import SourceFile

#: Fields that say of front matter that it is a ticket's.
_FIELDS = frozenset({"id", "title", "status", "depends_on"})
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")


def _sniff(file: SourceFile) -> int:
    front = file.front_matter.keys()
    if not front & _FIELDS or front & {"nodes", "tasks"}:
        return NO
    if "id" in front:
        return SURE
    # A document with a task list says in its front matter what the document is.
    return NO if file.may_hold_list() else LIKELY


def _read(file: SourceFile) -> Imported:
    """One task. What it depends on is in other files, so all of it stays in `depends_on`."""
    front, body = dict(file.front_matter), file.behind_front_matter
    log = Log()
    source = source_id(file.name, front, "the front matter", 1)
    new = safe_names([source], log)[source.casefold()]
    if new != source:
        front["x-id"] = source
    depends: dict[str, None] = {}
    for ref in own_refs(front, new, log):
        depends[safe_id(ref)] = None
        if not is_id(ref):
            log.note(f"{new} depends on {ref!r}, written {safe_id(ref)} here.")
    front["depends_on"] = list(depends)

    lines = _marked(body)
    if not front.get("title"):
        heading = next((words for level, words in lines if level > 0 and words), "")
        if heading.casefold().startswith(source.casefold()):
            heading = heading[len(source) :].lstrip(" :.-\u2013\u2014") or heading
        _fill(front, "title", heading)
    if front.get("description") and body.strip():
        front["x-description"] = front["description"]
        log.note(f"{new} has a description and a body: the former is kept as x-description.")
    if body.strip():
        front["description"] = body.strip()
    if not front.get("acceptance"):
        section = _section(lines, ("acceptance criteria", "acceptance"))
        _fill(front, "acceptance", _listed(section, new, log))
    if not front.get("outputs"):
        paths, others = _paths(_section(lines, ("output", "outputs", "output(s)")))
        _fill(front, "outputs", paths)
        if others:
            shown = ", ".join(others)
            log.note(f"{new}: not read as paths in its output section: {short(shown)}.")
    return log.imported([task_of(new, front, log, "")], {})


def _fill(fields: dict[str, object], key: str, value: str | list[str]) -> None:
    """Put `value` under `key` when there is one."""
    if value:
        fields[key] = value


def _marked(body: str) -> list[tuple[int, str]]:
    """The lines of `body`, each with its heading level: 0 for text, -1 inside a code fence."""
    marked: list[tuple[int, str]] = []
    fence = ""
    for line in body.split("\n"):
        mark = line.strip()[:3]
        if fence:
            marked.append((-1, line))
            fence = "" if mark == fence else fence
        elif mark in ("```", "~~~"):
            marked.append((-1, line))
            fence = mark
        elif found := _HEADING.fullmatch(line):
            marked.append((len(found[1]), found[2]))
        else:
            marked.append((0, line))
    return marked


def _section(lines: list[tuple[int, str]], titles: tuple[str, ...]) -> list[tuple[int, str]]:
    """The lines under the first heading in `titles`, up to the next of its level or above."""
    depth = 0
    found: list[tuple[int, str]] = []
    for level, words in lines:
        if depth and 0 < level <= depth:
            break
        if depth:
            found.append((level, words))
        elif level > 0 and words.strip(" :*_").casefold() in titles:
            depth = level
    return found


def _listed(lines: list[tuple[int, str]], task: str, log: Log) -> list[str]:
    """The items of the lists in `lines`, inner lists with their item; without one, paragraphs."""
    items: list[str] = []
    paragraphs: list[str] = []
    into: list[str] | None = None  # What the next line may go on with.
    inner = 0  # In an item: a line that stands this deep belongs to it.
    after_blank = True
    for level, line in lines:
        words = line.strip()
        depth = len(line) - len(line.lstrip(" "))
        if level > 0 or not words or words in ("---", "***", "___"):
            after_blank = True
            if words and level >= 0:
                into = None
            continue
        item = _item(words) if level == 0 else None
        inside = into is items and depth >= inner
        glue = "\n" if level < 0 or item is not None else " "
        if item is not None and not inside:
            items.append(item)
            into, inner = items, depth + 2
        elif into is not None and (inside or not after_blank):
            into[-1] += glue + words
        else:
            paragraphs.append(words)
            into = paragraphs
        after_blank = False
    if items and paragraphs:
        log.note(f"{task} has text beside its acceptance list: it is in the description only.")
    return [item.strip() for item in items if item.strip()] or paragraphs


def _item(words: str) -> str | None:
    """The text of a list item without its mark and its box; None when it is not one."""
    mark, _, rest = words.partition(" ")
    if mark not in ("-", "*", "+") and not (mark[:-1].isdecimal() and mark[-1] in ".)"):
        return None
    rest = rest.strip()
    return rest[3:].strip() if rest[:4].casefold() in ("[ ] ", "[x] ") else rest


def _paths(lines: list[tuple[int, str]]) -> tuple[list[str], list[str]]:
    """What stands in backticks: what can be the path of one file or folder, and the rest."""
    spans: dict[str, None] = {}
    text = "\n".join(line.strip() for level, line in lines if level >= 0)
    for paragraph in text.split("\n\n"):
        parts = paragraph.split("`")
        for span in parts[1 : len(parts) - 1 : 2]:
            if span.strip():
                spans[span.strip()] = None
    paths = [span for span in spans if is_path(span)]
    return paths, [span for span in spans if span not in paths]


IMPORTER = Importer(
    name="ticket",
    help="Markdown behind YAML front matter with an id: one task a file.",
    sniff=_sniff,
    read=_read,
)
