"""Import an implementation plan of superpowers: tasks under headings, each with steps.

    ### Task 1: The form

    **Files:**
    - Create: `src/form.ts`

    - [ ] **Step 1: Write the failing test**

    Run: `npm test -- form`
    Expected: FAIL

A task is what one agent does at a time; its steps are no use without each other. So the section as
it is written is the description, in which the steps keep their order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

from ralphgit.model import done_marks
from ralphgit.model.offered_scope import SUGGESTED
from ralphgit.model.task_status import Mode, Status
from ralphgit.records.importers.import_format import LIKELY, NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import (
    headings,
    paths_in_prose,
    plan_checks,
    plan_references,
    plan_sections,
    plan_words,
    self_search,
    tick_in_place,
    waiting,
)
from ralphgit.records.importers.parts.field_mapping import in_order, status_of, task_of
from ralphgit.records.importers.parts.item_order import Chain
from ralphgit.records.importers.parts.markdown_items import Node, code_spans
from ralphgit.records.importers.parts.plan_sections import Section
from ralphgit.records.importers.parts.source_values import MISSING, short
from ralphgit.records.importers.parts.suggested_scope import suggestion
from ralphgit.records.importers.source_file import Form, SourceFile

_KINDS = {
    "files": plan_words.FILES, "depends": plan_words.DEPENDS, "status": plan_words.STATUS,
}  # fmt: skip
_ANY = "|".join(f"(?P<{kind}>{words})" for kind, words in _KINDS.items())
_LABEL = re.compile(
    rf"[*_]{{2}}(?:{_ANY})(?:{plan_words.COLON}[*_]{{2}}|[*_]{{2}}{plan_words.COLON})\s*(?P<said>.*)",
    re.IGNORECASE,
)
_MADE = re.compile(rf"(?:{plan_words.CREATE})(?!\w)", re.IGNORECASE)
_MAY_BE_TASK = re.compile(
    rf"^ {{0,3}}#{{1,6}}[ \t][^\n]{{0,20}}?{plan_words.TASK}\s*[A-Z0-9]",
    re.IGNORECASE | re.MULTILINE,
)
_ELSEWHERE = re.compile(r"\bcd\s+[\"']?(?:/|~|\$HOME|[A-Za-z]:[\\/])")
_OPTIONAL = re.compile(plan_words.OPTIONAL, re.IGNORECASE)
_ACCEPTANCE = re.compile(r"[*_\s]*acceptance(?:\s+criteria)?[*_:\s]*", re.IGNORECASE)
_LAST_PRIORITY = 4
_OUTSIDE = "it stands in none of the plan's tasks"
_LIKE_A_TASK = "a heading like a task's, with no sign between its number and its title"


def _sniff(file: SourceFile) -> int:
    """Sure of tasks with steps or with files; where there is no box at all, two tasks will do."""
    if file.form is not Form.TEXT or not _MAY_BE_TASK.search(file.text):
        return NO
    found = [one for one in plan_sections.sections(file) if one.number]
    steps = sum(len(plan_sections.steps(section.nodes)) for section in found)
    boxes = sum(len(plan_sections.boxes(section)) for section in found)
    filed = sum(any(_labelled(section.nodes, "files")) for section in found)
    others = len(_outside(file, plan_sections.sections(file)))
    if (steps and steps >= others) or (2 * filed > len(found) and boxes >= others):
        return SURE
    return LIKELY if len(found) > 1 and not (file.bullets or file.may_hold_boxes()) else NO


def _outside(file: SourceFile, sections: Sequence[Section]) -> list[int]:
    """The lines of boxes that stand in no task."""
    inside = {node.line for one in sections for node in plan_sections.flat(one.nodes)}
    return [node.line for node in plan_sections.flat(file.blocks)
            if node.ticked is not None and node.line not in inside]  # fmt: skip


def _read(file: SourceFile) -> Imported:
    """A task for each heading `Task N`; each after the one before, if it does not say otherwise.

    What is verified at the end comes after all that nothing else waits for.
    """
    sections = plan_sections.sections(file)
    if not sections:
        raise file.refused("there is no task of a plan in this file")
    log = Log()
    log.ignore(_OUTSIDE, _outside(file, sections))
    log.ignore(_LIKE_A_TASK, plan_sections.unread(file, sections))
    ids, numbers = _ids(sections), [section.number.casefold() for section in sections]
    named = {one.aside.casefold(): id for one, id in zip(sections, ids, strict=True)}
    named |= {one.number.casefold(): id for one, id in zip(sections, ids, strict=True)}
    refs_of = [
        plan_references.of(list(_labelled(one.nodes, "depends")), numbers, named)
        for one in sections
    ]
    order = {id: place for place, id in enumerate(ids)}
    said = {
        id: [named[ref] for ref in refs if ref in named]
        for id, refs in zip(ids, refs_of, strict=True)
        if refs is not None
    }
    ahead, waits = plan_references.leads_ahead(said, order), dict[str, list[str]]()
    waits |= plan_references.without_circles(said, order, log)
    tasks: list[dict[str, object]] = []
    chain = Chain()
    is_found = partial(self_search.finds, name=file.name, text=file.body)
    for new, section, refs in zip(ids, sections, refs_of, strict=True):
        # Which steps are ticked is said apart, so that a tick changes no description.
        ticks = (box.line for box in plan_sections.boxes(section))
        raw = tick_in_place.boxes(file.body, ticks, sign=" ")
        lines = raw.split("\n")[section.line : section.end - 1]
        fields, left = _fields(section, "\n".join(lines).strip("\n"), is_found)
        _tell_left(new, left, log)
        done = fields["status"] == Status.COMPLETE.value
        if refs is not None:
            fields["depends_on"] = waits[new]
            if missing := [ref for ref in refs if ref not in named]:
                fields[MISSING] = missing
        elif section.number:
            before = chain.waits(done=done)
            waits[new] = waiting.without_circles(new, before, waits) if ahead else before
            fields["depends_on"] = waits[new]
        else:
            fields["depends_on"] = _last(tasks)
        if "x-optional" not in fields and fields["status"] != Status.CANCELLED.value:
            chain.add(new, done=done)
        tasks.append(in_order(task_of(new, fields, log, "")))
    _tell_elsewhere(tasks, log)
    return log.imported(tasks, _stories(file, sections), local=True)


def _last(tasks: Sequence[Mapping[str, object]]) -> list[str]:
    """The tasks that no other waits for, but for those that are optional or cancelled."""
    waited: set[object] = set()
    for task in tasks:
        depends = task.get("depends_on")
        waited.update(depends if isinstance(depends, list) else ())
    return [
        str(task["id"])
        for task in tasks
        if task["id"] not in waited
        and "x-optional" not in task
        and task["status"] != Status.CANCELLED.value
    ]


def _stories(file: SourceFile, sections: Sequence[Section]) -> dict[str, object]:
    """The parts of the plan, each with what holds for all tasks: its goal, its constraints."""
    root = headings.stories(one.story for one in sections)
    said = plan_sections.for_all(file.blocks, sections[0].line)
    ids = dict.fromkeys(one.story for one in sections if one.story)
    if not said:
        return root
    stories = [{"id": one.story, "title": one.title, "description": said} for one in ids]
    return {**root, "stories": stories} if stories else root


def _tell_elsewhere(tasks: Sequence[Mapping[str, object]], log: Log) -> None:
    """Name the tasks whose commands go to a folder of the machine on which the plan was made."""
    named = [
        str(task["id"])
        for task in tasks
        if isinstance(verify := task.get("verify"), list)
        and any(_ELSEWHERE.search(str(command)) for command in verify)
    ]
    if named:
        log.note(
            f"The verify commands of {', '.join(named)} name a folder of one machine (cd /...): "
            "in another worktree they prove nothing; ralphgit edit ID --verify COMMAND."
        )


def _tell_left(task: str, left: Sequence[tuple[str, str]], log: Log) -> None:
    """Name what a step runs and is no verify command."""
    shown = ", ".join(
        f"{short(code.strip().partition(chr(10))[0])} ({why})" for code, why in dict.fromkeys(left)
    )
    if shown:
        log.note(f"{task}: left out of its verify commands: {shown}.")


def _ids(sections: Sequence[Section]) -> list[str]:
    """`task-3`; behind its story where several stories count from one."""
    numbers = [section.number.casefold() for section in sections]
    made: list[str] = []
    for section, number in zip(sections, numbers, strict=True):
        story = f"{section.story.story}-" if section.story else ""
        new = f"task-{number}" if numbers.count(number) == 1 else f"{story}task-{number}"
        new = new if number else headings.slug(section.title)
        while new in made:
            new = f"{new}-{headings.digest(section.title)}"
        made.append(new)
    return made


def _tick(file: SourceFile, raw: str, ids: Collection[str]) -> str:
    """Tick the steps of some tasks; the heading of one without boxes gets a sign."""
    sections = plan_sections.sections(file)
    done = [one for id, one in zip(_ids(sections), sections, strict=True) if id in ids]
    ticked = tick_in_place.boxes(
        raw, (box.line for one in done for box in plan_sections.boxes(one))
    )
    lines = ticked.split("\n")
    for one in done:
        if not plan_sections.boxes(one):
            line = lines[one.line - 1]
            words = line.rstrip()
            lines[one.line - 1] = f"{words} \u2705{line[len(words) :]}"
    return "\n".join(lines)


def _fields(
    section: Section, raw: str, is_found: Callable[[str], bool]
) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """What a section says of its task, and what it runs that is no verify command."""
    boxes = plan_sections.boxes(section)
    ticked = [str(number) for number, node in enumerate(boxes, 1) if node.ticked]
    status = Status.COMPLETE if boxes and len(ticked) == len(boxes) else Status.PENDING
    title, done = done_marks.split(section.title)
    done_aside = done_marks.says_done(section.aside)
    done = done or done_aside or section.done
    said = _labelled(section.nodes, "status")
    if done or any(status_of(words) is Status.COMPLETE for words in said):
        status = Status.COMPLETE
    elif section.struck or section.title.startswith("~~"):
        status = Status.CANCELLED
    title = title or section.title
    if section.aside.casefold() not in ("", title.casefold()) and not done_aside:
        title = f"{title} ({section.aside})"
    fields: dict[str, object] = {"title": title, "status": status.value}
    if ticked and status is Status.PENDING:
        fields["x-box"] = f"ticked: step {', '.join(ticked)} of {len(boxes)}"
    if _OPTIONAL.search(section.aside):
        fields |= {"priority": _LAST_PRIORITY, "x-optional": True}
    if section.story is not None:
        fields["story"] = section.story.story
    if raw.strip():
        fields["description"] = raw
    verify, left = plan_checks.of_steps(section.nodes, is_found)
    if not section.number:
        more, criteria, others = plan_checks.of_boxes(boxes)
        verify, left = list(dict.fromkeys((*verify, *more))), [*left, *others]
        if criteria:
            fields["acceptance"] = criteria
    elif criteria := list(_criteria(section.nodes)):
        fields["acceptance"] = criteria
    if verify:
        fields["verify"] = verify
    made, touched = _files(section.nodes)
    checks = verify and not touched and plan_checks.only_checks(section.nodes)
    if not section.number or (checks and not plan_checks.commits(section.nodes)):
        fields["mode"] = Mode.VERIFY.value
    if made:
        fields["outputs"] = made
    if touched:
        fields[SUGGESTED] = suggestion(touched)
    return fields, left


def _criteria(nodes: Sequence[Node]) -> Iterator[str]:
    """The items below a label or a heading "Acceptance criteria"."""
    inside = False
    for node in nodes:
        if node.kind == "item":
            if inside and node.text:
                yield node.text
        else:
            words = node.text.rpartition("\n")[2]
            inside = node.kind in ("text", "heading") and _ACCEPTANCE.fullmatch(words) is not None


def _labelled(nodes: Sequence[Node], kind: str) -> Iterator[str]:
    """What stands behind a label, and the items of the list below it."""
    inside = False
    for node in nodes:
        if inside and node.kind == "item" and node.ticked is None:
            yield node.text
            continue
        inside = False
        for line in node.text.splitlines() if node.kind == "text" else ():
            if found := _LABEL.match(line):
                inside = found[kind] is not None
                if inside and found["said"]:
                    yield found["said"]


def _files(nodes: Sequence[Node]) -> tuple[list[str], list[str]]:
    """The files that the task makes, and all that it touches, each once."""
    made: dict[str, None] = {}
    touched: dict[str, None] = {}
    for text in _labelled(nodes, "files"):
        for span in code_spans(text):
            path = paths_in_prose.listed(span)
            if path is None:
                continue
            touched[path] = None
            # A program has no ending: what is to be made and has none is a file or a folder.
            named = paths_in_prose.is_file(path) or (
                "/" in path.rstrip("/") and not paths_in_prose.is_pattern(path)
            )
            if _MADE.match(text) and named and not path.endswith("/"):
                made[path] = None
    return list(made), list(touched)


IMPORTER = Importer(
    name="superpowers",
    help="An implementation plan of superpowers: headings `Task N` with steps below them.",
    sniff=_sniff,
    read=_read,
    tick=_tick,
)
