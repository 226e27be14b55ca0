"""Import a story of BMAD: one file, whose tasks and subtasks are steps of one piece of work."""

from __future__ import annotations

import re
from collections.abc import Collection

from ralphgit.model.ids import is_id
from ralphgit.model.task_status import Mode, Status
from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import document_sections, document_task, tick_in_place
from ralphgit.records.importers.parts.document_sections import Lines
from ralphgit.records.importers.parts.field_mapping import status_of
from ralphgit.records.importers.parts.source_values import MISSING
from ralphgit.records.importers.source_file import Form, SourceFile

_ID = r"(?P<epic>(?:[A-Z]{1,6}-)?[A-Z]{0,6}[0-9]+)(?P<number>(?:[.-][A-Z]?[0-9]+[a-z]?)*)"
#: `Story 1.2: Log in`, `Story EH-1.1 Errors`; without a number, `Story: Log in`.
_TITLE = re.compile(
    rf"(?:(?:User\s+)?Story\s+{_ID}(?!\w|\.\w)\s*[:.\u2013\u2014-]?|Story\s*:)\s*(?P<title>.*)",
    re.IGNORECASE,
)
#: What its head says besides, in an item, a line or a row of a table.
_SAID = r"^[-*+ \t]{0,8}\|?[ \t]?[*_]{0,3}(?:%s)[*_]*[ \t]*[:|][*_ \t]*(?P<word>[^\r\n|]*)"
_NAME, _EPIC, _DEPENDS = (
    re.compile(_SAID % name, re.IGNORECASE | re.MULTILINE)
    for name in ("Story ID", "Epic", "Dependencies|Depends on|Prerequisites|Blocked by")
)
_EPIC_NUMBER = re.compile(r"(?:Epic\s+)?([A-Z]{0,6}-?[0-9]+)\b", re.IGNORECASE)
#: Words that stand beside the ids of stories, where it waits for these and no more is said.
_BESIDE_IDS = (
    "and story stories requires required depends on after completion complete completed of the"
    " must be is are done first"
)
_SECTIONS = frozenset({"acceptance criteria", "tasks / subtasks", "tasks/subtasks", "tasks"})
#: Others that a story has; with these, one of the above is enough.
_OTHERS = frozenset({
    "status", "story", "story overview", "dev notes", "dev agent record", "qa results",
    "user story", "story context", "story statement", "technical notes",
    "technical implementation details", "definition of done", "change log",
})  # fmt: skip
#: `Status: Done`, a row of a table, or a heading with the word below it.
_STATUS = re.compile(
    r"^(?:#{1,6}[ \t]+Status[ \t]*\r?\n\s*(?:(?![\s#])[\W_](?:(?![\r\n#])[\W_])*)?"
    r"|(?:(?:#{1,6}[ \t]+|[-*+][ \t]+)?[*_]*Status[*_]*[ \t]*:|\|[ \t]*[*_]*Status[*_]*[ \t]*\|)"
    r"(?:(?![\r\n#])[\W_])*)"
    r"(?P<word>[A-Za-z]+(?:[ _-][A-Za-z]+){0,3})(?P<more>[^\r\n]*)\r?$\n?",
    re.IGNORECASE | re.MULTILINE,
)
_SECTION = re.compile(r"^##+[ \t]+(?P<words>[^\r\n]*)", re.MULTILINE)
#: Sections that say of the story what it is.
_OF_STORY = re.compile(
    r"\W*(?:status\b.*|(?:story )?(?:overview|info(?:rmation)?|metadata|details))\W*", re.IGNORECASE
)
_STATUSES = {
    **dict.fromkeys(
        ("draft", "drafted", "approved", "backlog", "ready-for-dev", "ready"), Status.PENDING
    ),
    **dict.fromkeys(("review", "ready-for-review", "in-review", "inreview"), Status.IN_PROGRESS),
}
#: What is written already, so that somebody has to look at it.
_IN_REVIEW = re.compile(r"[\W_]*(?:ready[ _-]for[ _-]|in[ _-]?)?review\b", re.IGNORECASE)
#: What front matter says of a story that its heading says as well.
_TWICE = frozenset({"id", "story", "story_id", "epic", "title", "status"})


def _sniff(file: SourceFile) -> int:
    if file.form is not Form.TEXT or "Story" not in file.text or "id" in file.front_matter:
        return NO
    body = file.behind_front_matter
    found = _title(document_sections.lines_of(body))
    # What has no number is a story where it says how far that is.
    return SURE if found and (found["epic"] or _said(body)) else NO


def _title(lines: Lines) -> re.Match[str] | None:
    """The story that the document is about: its first heading, above the sections of a story."""
    headings = [(level, words) for level, words in lines if level > 0]
    found = _TITLE.fullmatch(headings[0][1]) if headings else None
    below = {document_sections.plain(words) for level, words in headings[1:]}
    known = below & (_SECTIONS | _OTHERS)
    return found if below & _SECTIONS and len(known) > 1 else None


def _said(text: str, what: re.Pattern[str] = _STATUS) -> re.Match[str] | None:
    """Where a story says its status: above its sections, or in one about the story itself."""
    sections = list(_SECTION.finditer(text))
    for found in what.finditer(text):
        above = [one for one in sections if one.start() <= found.start()]
        if not above or _OF_STORY.fullmatch(above[-1]["words"]):
            return found
    return None


def _read(file: SourceFile) -> Imported:
    """One task. Stories of an epic build on each other: none runs beside another one of it."""
    body, log = file.behind_front_matter, Log()
    lines = document_sections.lines_of(body)
    title = _title(lines)
    if title is None:
        raise file.refused("there is no story of BMAD in this file")
    source, epic = _called(file, title)
    said = _said(body)
    front = file.front_matter
    written = front.get("status") or (
        said and f"{said['word']}{said['more']}".partition("|")[0].strip()
    )
    status = status_of(written, _STATUSES)
    fields: dict[str, object] = {
        "title": title["title"] or title[0],
        "status": status.value if status else written or Status.PENDING.value,
        **({"story": f"epic-{epic}"} if epic else {}),
        "mode": Mode.SEQUENTIAL.value,
        **{key: value for key, value in front.items() if key not in _TWICE},
    }
    if status is Status.IN_PROGRESS and _IN_REVIEW.match(str(written)):
        # Nobody is to write it a second time.
        fields |= {"status": Status.PENDING.value, "mode": Mode.VERIFY.value}
        log.note(f"{source} waits for its review: all that is left here is to verify it.")
    if not written:
        log.note(f"{source} says no status: it is pending.")
    if refs := file.front_matter_words("depends_on"):
        fields["depends_on"] = refs
    elif stories := _stories(body, source):
        # Other files: where they are not read as well, nobody knows them.
        fields[MISSING] = stories
    # It changes as the story is worked on, and is no part of what is to be done.
    plain = body[: said.start()] + body[said.end() :] if said else body
    task = document_task.task(source, fields, plain, log)
    return log.imported([task], {}, local=True)


def _called(file: SourceFile, title: re.Match[str]) -> tuple[str, str]:
    """A story's id and its epic; one without a number is called by its `Story ID`, or its file."""
    body = file.behind_front_matter
    if title["epic"]:
        number = re.sub("-(?=[0-9])", ".", title["number"])
        above = None if number else _EPIC_NUMBER.match(_word(body, _EPIC))
        return title["epic"] + number, title["epic"] if number else above[1] if above else ""
    stem = file.name.replace("\\", "/").rpartition("/")[2].removesuffix(".md")
    name = _word(body, _NAME)
    return name if is_id(name) else stem.removesuffix(".story"), ""


def _word(body: str, what: re.Pattern[str]) -> str:
    """What the head says behind a label; "" where it has none."""
    said = _said(body, what)
    return said["word"].strip(" \t*_`") if said else ""


def _stories(body: str, own: str) -> list[str]:
    """The stories that it says to wait for, where it says of its dependencies no more."""
    words = re.split(r"[\s,;&]+", re.sub(r"\([^()]*\)", " ", _word(body, _DEPENDS)))
    bare = (word.strip(".:*_`") for word in words)
    ids = [word for word in bare if word and word.casefold() not in _BESIDE_IDS.split()]
    if not all(re.fullmatch(_ID, one, re.IGNORECASE) for one in ids):
        return []
    return [one for one in dict.fromkeys(ids) if one != own]


def _tick(file: SourceFile, raw: str, ids: Collection[str]) -> str:
    """Set the status to Done, or done, as its words are written; one without cannot say it."""
    if not ids:
        return raw
    if "status" in file.front_matter:
        return tick_in_place.status(raw, _done(str(file.front_matter["status"])))
    found = _said(raw)
    if found is None:
        return raw
    return f"{raw[: found.start('word')]}{_done(found['word'])}{raw[found.end('word') :]}"


def _done(word: str) -> str:
    return "done" if word.islower() else "Done"


IMPORTER = Importer(
    name="bmad",
    help="A story of BMAD (1.2.story.md), whose tasks are steps of one piece of work.",
    sniff=_sniff,
    read=_read,
    tick=_tick,
)
