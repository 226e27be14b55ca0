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
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from ralphgit.model.task_status import Mode, Status
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.importer import NO, SURE, Importer
from ralphgit.records.importers.parts import (
    headings,
    paths_in_prose,
    proofs,
    tick_in_place,
)
from ralphgit.records.importers.parts.field_mapping import in_order, task_of
from ralphgit.records.importers.parts.item_details import spelled_out
from ralphgit.records.importers.parts.markdown_items import Node, code_spans
from ralphgit.records.importers.parts.proofs import Proof
from ralphgit.records.importers.parts.source_values import MISSING, short
from ralphgit.records.importers.parts.suggested_scope import SUGGESTED, suggestion
from ralphgit.records.importers.source_file import Form, SourceFile

_TASK = re.compile(
    r"Task\s+([A-Z]?[0-9]+(?:\.[0-9]+)*[a-z]?)(?:\s*[:.)\u2013\u2014-]\s*(.*))?", re.IGNORECASE
)
_STEP = re.compile(r"[*_]*Step\s+[0-9]+", re.IGNORECASE)
_LABEL = re.compile(r"(?:[*_]{2})(Files|Depends on|Dependencies)(?::[*_]{2}|[*_]{2}:)\s*(.*)", re.I)
_MADE = re.compile(r"(?:Create|Add|New|Test)\b", re.IGNORECASE)
_RUN = re.compile(r"[*_]*Run(?: it| the tests?| tests?)?:[*_]*\s*(.*)", re.IGNORECASE)
_EXPECTED = re.compile(r"[*_]*Expect(?:ed)?(?: output| result)?:[*_]*\s*(.*)", re.IGNORECASE)
#: What a step does that proves something: `: Run the tests`, `: Verify it passes`.
_CHECKS = re.compile(r"\W*(?:run|verify|validate|check|test)\b", re.IGNORECASE)
_FAILS = re.compile(r"(?:.{0,20}\b)?(?:fail|error|red\b)", re.IGNORECASE)
#: What a plan's title says of itself, and a section that holds for every task of it.
_OF_PLAN = re.compile(
    r"\A(?:implementation )?plan\s*[:\u2013\u2014-]\s*"
    r"|\s*[:\u2013\u2014-]?\s*\b(?:implementation )?plan\Z",
    re.IGNORECASE,
)
_RULES = re.compile(r"constraint|convention|guardrail|invariant|\brules?\b", re.IGNORECASE)
_WORD = re.compile(r"\w")
_ELSEWHERE = re.compile(r"\bcd\s+[\"']?(?:/|~|\$HOME|[A-Za-z]:[\\/])")
_SHELLS = frozenset({"", "bash", "sh", "shell", "console", "zsh"})


class _Section(NamedTuple):
    """What stands below a task's heading."""

    number: str
    title: str
    story: headings.Heading | None
    line: int
    """Of its heading."""
    end: int
    """The line behind its last one."""
    nodes: tuple[Node, ...]


def _sections(file: SourceFile) -> list[_Section]:
    """The tasks, each up to the next or to the heading of another part of the plan.

    A code block that has code blocks in it ends too early in such plans, and what follows of it
    looks like headings: behind those come steps, and behind a part's heading comes a task.
    """
    nodes = file.blocks
    starts = [
        (place, task)
        for place, node in enumerate(nodes)
        if node.kind == "heading" and (task := _TASK.fullmatch(_bare(node.text)))
    ]
    last = file.body.count("\n") + 2
    found: list[_Section] = []
    plan = _plan(nodes)
    story = _first_part(nodes, [place for place, _ in starts])
    for number, (place, task) in enumerate(starts):
        following = starts[number + 1][0] if number + 1 < len(starts) else len(nodes)
        part = _part(nodes, place, following)
        stop = following if part is None else nodes.index(part)
        end = nodes[stop].line if stop < len(nodes) else last
        words = _TASK.fullmatch(nodes[place].text)
        title = (words[2] if words else task[2]) or nodes[place].text
        inside = nodes[place + 1 : stop]
        heading = headings.read(story.text) if story is not None else None
        if heading is None or headings.is_plain(heading.story):
            heading = plan
        found.append(_Section(task[1], title, heading, nodes[place].line, end, inside))
        story = part or story
    return found


def _plan(nodes: Sequence[Node]) -> headings.Heading | None:
    """The plan as a story, by the document's title; None where it has none."""
    title = next((node.text for node in nodes if node.kind == "heading" and node.level == 1), "")
    words = _OF_PLAN.sub("", _bare(title)).strip()
    return headings.read(words) if words and not _TASK.fullmatch(words) else None


def _first_part(nodes: Sequence[Node], tasks: Sequence[int]) -> Node | None:
    """The heading of the part that the first task is in: not one of what holds for the plan.

    It stands right above the task, is a numbered phase, or parts of its level follow.
    """
    part = _part(nodes, -1, tasks[0]) if tasks else None
    if part is None or _RULES.search(part.text):
        return None
    later = [_part(nodes, *pair) for pair in pairwise(tasks)]
    alike = any(one is not None and one.level == part.level for one in later)
    above = nodes[tasks[0] - 1] is part
    return part if above or alike or headings.read(part.text).phase else None


def _stories(file: SourceFile, sections: Sequence[_Section]) -> dict[str, object]:
    """The parts of the plan, each with what holds for all tasks: its goal, its constraints."""
    root = headings.stories(one.story for one in sections)
    said = _for_all(file.blocks, sections[0].line)
    ids = dict.fromkeys(one.story for one in sections if one.story)
    if not said:
        return root
    stories = [{"id": one.story, "title": one.title, "description": said} for one in ids]
    return {**root, "stories": stories} if stories else root


def _for_all(nodes: Sequence[Node], first: int) -> str:
    """What the plan says before its first task, below its title or of rules for every task."""
    found: list[str] = []
    inside = True
    for node in nodes:
        if node.line >= first:
            break
        if node.kind == "heading":
            inside = node.level == 1 or _RULES.search(node.text) is not None
            if inside and node.level > 1:
                found.append(f"{node.text}:")
        elif inside and node.kind in ("text", "item", "fence") and _WORD.search(node.raw):
            mark = "- " if node.kind == "item" else ""
            words = node.raw.replace("\n", "\n  ") if mark else node.raw
            close = bool(mark and found and found[-1].startswith("- "))
            found.append(("\n" if close else "") + mark + words)
    return re.sub(r"\n\n\n(?=- )", "\n", "\n\n".join(found))


def _bare(text: str) -> str:
    return re.sub(r"[*_`]", "", text).strip()


def _part(nodes: Sequence[Node], place: int, following: int) -> Node | None:
    """The heading of a part that begins between two tasks, or behind the last one."""
    between = nodes[place + 1 : following]
    level = nodes[following if following < len(nodes) else place].level
    behind_steps = max(
        (number for number, node in enumerate(between) if _steps([node])), default=-1
    )
    above = [node for node in between[behind_steps + 1 :]
             if node.kind == "heading" and 1 < node.level < level]  # fmt: skip
    return above[-1 if following < len(nodes) else 0] if above else None


def _flat(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _flat(node.nodes)


def _steps(nodes: Sequence[Node]) -> list[Node]:
    return [each for each in _flat(nodes)
            if each.kind in ("item", "text") and _STEP.match(each.text)]  # fmt: skip


def _sniff(file: SourceFile) -> int:
    if file.form is not Form.TEXT or not re.search(r"Step\s+[0-9]", file.text):
        return NO
    sections = _sections(file)
    steps = sum(len(_steps(section.nodes)) for section in sections)
    others = len(_outside(file, sections))
    return SURE if steps and steps >= others else NO


def _outside(file: SourceFile, sections: Sequence[_Section]) -> list[int]:
    """The lines of boxes that stand in no task."""
    inside = {node.line for one in sections for node in _flat(one.nodes)}
    return [node.line for node in _flat(file.blocks)
            if node.ticked is not None and node.line not in inside]  # fmt: skip


def _read(file: SourceFile) -> Imported:
    """A task for each heading `Task N`; each after the one before, if it does not say otherwise."""
    sections = _sections(file)
    if not sections:
        raise file.refused("there is no task of a plan in this file")
    log = Log()
    log.ignore("it stands in none of the plan's tasks", _outside(file, sections))
    ids, numbers = _ids(sections), [section.number.casefold() for section in sections]
    tasks = []
    for place, (new, section) in enumerate(zip(ids, sections, strict=True)):
        # Which steps are ticked is said apart, so that a tick changes no description.
        raw = tick_in_place.boxes(file.body, (box.line for box in _boxes(section)), sign=" ")
        lines = raw.split("\n")[section.line : section.end - 1]
        fields = _fields(section, "\n".join(lines).strip("\n"))
        _tell_left(new, section, log)
        refs = _references(section, numbers)
        if refs is None:
            fields["depends_on"] = [ids[place - 1]] if place else []
        else:
            named = {one.number.casefold(): id for one, id in zip(sections, ids, strict=True)}
            fields["depends_on"] = [named[ref] for ref in refs if ref in named]
            if missing := [ref for ref in refs if ref not in named]:
                fields[MISSING] = missing
        tasks.append(in_order(task_of(new, fields, log, "")))
    _tell_elsewhere(tasks, log)
    return log.imported(tasks, _stories(file, sections), local=True)


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


def _tell_left(task: str, section: _Section, log: Log) -> None:
    """Name what a step runs and is no verify command."""
    left = dict.fromkeys(_checks(section.nodes)[1])
    shown = ", ".join(f"{short(code.strip().partition(chr(10))[0])} ({why})" for code, why in left)
    if shown:
        log.note(f"{task}: left out of its verify commands: {shown}.")


def _ids(sections: Sequence[_Section]) -> list[str]:
    """`task-3`; behind its story where several stories count from one."""
    numbers = [section.number.casefold() for section in sections]
    made: list[str] = []
    for section, number in zip(sections, numbers, strict=True):
        story = f"{section.story.story}-" if section.story else ""
        new = f"task-{number}" if numbers.count(number) == 1 else f"{story}task-{number}"
        while new in made:
            new = f"{new}-{headings.digest(section.title)}"
        made.append(new)
    return made


def _boxes(section: _Section) -> list[Node]:
    return [node for node in _steps(section.nodes) if node.ticked is not None]


def _tick(file: SourceFile, raw: str, ids: Collection[str]) -> str:
    """Tick the steps of some tasks."""
    sections = _sections(file)
    named = zip(_ids(sections), sections, strict=True)
    return tick_in_place.boxes(
        raw, (node.line for id, section in named if id in ids for node in _boxes(section))
    )


def _fields(section: _Section, raw: str) -> dict[str, object]:
    boxes = _boxes(section)
    ticked = [str(number) for number, node in enumerate(boxes, 1) if node.ticked]
    status = Status.COMPLETE if boxes and len(ticked) == len(boxes) else Status.PENDING
    fields: dict[str, object] = {"title": section.title, "status": status.value}
    if ticked and status is Status.PENDING:
        fields["x-box"] = f"ticked: step {', '.join(ticked)} of {len(boxes)}"
    if section.story is not None:
        fields["story"] = section.story.story
    if raw.strip():
        fields["description"] = raw
    verify, _ = _checks(section.nodes)
    if verify:
        fields["verify"] = verify
    made, touched = _files(section.nodes)
    if verify and not touched and not _commits(section.nodes):
        fields["mode"] = Mode.VERIFY.value
    if made:
        fields["outputs"] = made
    if touched:
        fields[SUGGESTED] = suggestion(touched)
    return fields


def _labelled(nodes: Sequence[Node], *labels: str) -> Iterator[str]:
    """What stands behind a label, and the items of the list below it."""
    inside = False
    for node in nodes:
        if inside and node.kind == "item" and node.ticked is None:
            yield node.text
            continue
        inside = False
        for line in node.text.splitlines() if node.kind == "text" else ():
            if found := _LABEL.match(line):
                inside = found[1].casefold() in labels
                if inside and found[2]:
                    yield found[2]


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
            if _MADE.match(text) and paths_in_prose.is_file(path):
                made[path] = None
    return list(made), list(touched)


def _references(section: _Section, numbers: Sequence[str]) -> list[str] | None:
    """The numbers of the tasks that it depends on; None where it does not say."""
    said = list(_labelled(section.nodes, "depends on", "dependencies"))
    if not said:
        return None
    known = {number: number for number in numbers}
    listed = spelled_out(" ".join(said), known, numbers)
    words = re.findall(r"\b(?:Tasks?\s+)?([A-Z]?[0-9]+(?:\.[0-9]+)*[a-z]?)\b", listed)
    return [word.casefold() for word in words]


def _checks(nodes: Sequence[Node]) -> tuple[list[str], list[tuple[str, str]]]:
    """The commands that are to succeed, and what proves nothing in them, with the reason.

    Those that fail at first are among them only where there are no others.
    """
    good: dict[str, None] = {}
    bad: dict[str, None] = {}
    left: list[tuple[str, str]] = []
    run: list[Proof] = []
    code: list[Proof] = []
    awaits = fails = False

    def end() -> None:
        (bad if fails else good).update({one.command: None for one in run if one.command})
        left.extend(pair for one in run for pair in one.left)

    for node in _flat(nodes):
        if node.kind == "fence":
            code = [proofs.of(node.text.strip())] if node.language in _SHELLS else []
            if awaits:
                run, code, awaits = code, [], False
        for line in node.text.splitlines() if node.kind in ("text", "item") else ():
            if step := _STEP.match(line):
                # The block of a step that only checks is a command, without a word before it.
                end()
                words = line[step.end() :]
                run, awaits = [], _CHECKS.match(words) is not None
                fails = _FAILS.search(words) is not None
            elif said := _RUN.match(line.strip()):
                end()
                run, fails = [*map(proofs.of, code_spans(said[1]))], False
                awaits = not said[1].strip()
            elif said := _EXPECTED.match(line.strip()):
                if code:  # What is expected of a block without a word before it.
                    end()
                    run, code = code, []
                fails = _FAILS.match(said[1].lstrip("*_`")) is not None
    end()
    return list(good or bad), left


def _commits(nodes: Sequence[Node]) -> bool:
    """Whether a task makes a commit, as one does that changes files."""
    return any("git commit" in node.raw or "git add" in node.raw for node in nodes)


IMPORTER = Importer(
    name="superpowers",
    help="An implementation plan of superpowers: headings `Task N` with steps below them.",
    sniff=_sniff,
    read=_read,
    tick=_tick,
)
