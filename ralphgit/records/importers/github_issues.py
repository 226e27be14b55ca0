"""Import what `gh issue list --json number,title,body,state,labels,...` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ralphgit.errors import InvalidRecord
from ralphgit.model.task_status import Status
from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import markdown_items
from ralphgit.records.importers.parts.field_mapping import in_order, task_of
from ralphgit.records.importers.parts.headings import slug
from ralphgit.records.importers.parts.markdown_items import Node
from ralphgit.records.importers.parts.source_values import MISSING, as_mapping, as_word, safe_id
from ralphgit.records.importers.source_file import SourceFile

#: Other issues in a body's task list: `#12`, or an address that ends in `/issues/12`.
_REFERENCE = re.compile(r"(?:https://\S+/issues/|#)([0-9]+)\b")
_PRIORITY = re.compile(
    r"(p[0-5])|prio(?:rity)?\s*[:/ -]\s*(p?[0-5]|critical|urgent|high|medium|normal|low)", re.I
)
_STORY = re.compile(r"(?:story|epic)\s*[:/]\s*(\S.*)", re.I)
#: Changes with every remark, or is about the reader.
_COMPUTED = frozenset({"updatedAt", "reactionGroups", "comments", "isPinned"})
_READ = frozenset({"number", "title", "body", "state", "stateReason", "milestone", "id"})


def _sniff(file: SourceFile) -> int:
    return NO if _line_of_another(file) else SURE


def _line_of_another(file: SourceFile) -> int:
    """The line of the first object that is not an issue; 0 where there are issues only."""
    others = (line for line, entry in file.objects if not {"number", "title"} <= entry.keys())
    return next(others, 0 if file.objects else 1)


def _task_id(number: str) -> str:
    return f"GH-{number}"


def _read(file: SourceFile) -> Imported:
    """A task for each issue. An issue comes after those that its body lists with a box.

    Raises: InvalidRecord (duplicate_id, invalid_record).
    """
    name, issues = file.name, file.objects
    if line := _line_of_another(file):
        raise file.refused("this is not an issue with `number` and `title`", line=line)
    log = Log()
    numbers: dict[str, int] = {}
    for line, issue in issues:
        number = as_word(issue["number"])
        if number is None or not number.isdecimal():
            message = "an issue's number is not a whole number"
            hint = "gh issue list --json number,title,body,state,labels"
            raise InvalidRecord(message, file=name, line=line, hint=hint)
        if number in numbers:
            raise InvalidRecord(
                f"two issues have the number {number}", file=name, line=line, code="duplicate_id",
                hint="are they of two repositories? Import them one by one, with --prefix",
            )  # fmt: skip
        numbers[number] = line
    tasks = []
    for line, issue in issues:
        number = str(issue["number"])
        new = _task_id(number)
        fields: dict[str, object] = {
            "title": issue["title"],
            "status": _status(issue).value,
            "description": (as_word(issue.get("body")) or "").replace("\r\n", "\n"),
        }
        _labels(issue, fields)
        milestone = (as_mapping(issue.get("milestone")) or {}).get("title")
        if milestone:
            fields["milestone"] = milestone
        refs = dict.fromkeys(_references(name, line, str(fields["description"])))
        refs.pop(number, None)
        depends = [_task_id(ref) for ref in refs if ref in numbers]
        missing = [_task_id(ref) for ref in refs if ref not in numbers]
        if depends:
            fields["depends_on"] = depends
            listed = ", ".join(depends)
            log.note(f"{new} depends on {listed}: they are in the task list of its body.")
        if missing:
            fields[MISSING] = missing
            log.note(f"{new} lists {', '.join(missing)}, not in the file: kept aside.")
        fields["x-github"] = _rest(issue)
        fields = {key: value for key, value in fields.items() if value not in (None, "", [], {})}
        tasks.append(in_order(task_of(new, fields, log, "")))
    for field in sorted(_COMPUTED & {key for _, issue in issues for key in issue}):
        log.drop(field)
    return log.imported(tasks, {}, local=True)


def _status(issue: Mapping[str, object]) -> Status:
    if (as_word(issue.get("state")) or "").casefold() != "closed":
        return Status.PENDING
    reason = (as_word(issue.get("stateReason")) or "").casefold()
    return Status.COMPLETE if reason in ("", "completed") else Status.CANCELLED


def _labels(issue: Mapping[str, object], fields: dict[str, object]) -> None:
    """Priority and story where a label says one plainly."""
    labels = _names(issue.get("labels"))
    for label in labels:
        if found := _PRIORITY.fullmatch(label):
            fields.setdefault("priority", found[1] or found[2])
        elif story := _STORY.fullmatch(label):
            fields.setdefault("story", safe_id(slug(story[1])))


def _names(value: object) -> list[str]:
    entries = value if isinstance(value, list) else []
    fields = [as_mapping(entry) or {"name": entry} for entry in entries]
    return [word for each in fields if (word := as_word(each.get("name") or each.get("login")))]


def _references(name: str, line: int, body: str) -> Iterator[str]:
    if not markdown_items.may_hold_tasks(body):
        return
    try:
        waiting = list(markdown_items.read(name, body))
    except InvalidRecord as error:
        raise InvalidRecord(error.message, file=name, line=line, hint=error.hint) from None
    while waiting:
        node: Node = waiting.pop(0)
        if node.ticked is not None and (found := _REFERENCE.match(node.text)):
            yield found[1]
        waiting[:0] = node.nodes


def _rest(issue: Mapping[str, object]) -> dict[str, object]:
    rest: dict[str, object] = {"number": issue["number"]}
    for key, value in issue.items():
        if key not in _READ and key not in _COMPUTED and value not in (None, "", [], {}):
            rest[key] = _names(value) if key in ("labels", "assignees") else value
    return rest


IMPORTER = Importer(
    name="github",
    help="What gh issue list --json number,title,body,state,labels prints.",
    sniff=_sniff,
    read=_read,
)
