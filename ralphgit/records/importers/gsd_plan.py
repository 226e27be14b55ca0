"""Import a plan of GSD (`01-02-PLAN.md`): elements `<task>` behind front matter.

    <task type="auto">
      <name>Task 1: Read the file</name>
      <files>src/read.py</files>
      <action>...</action>
      <verify>pytest tests/test_read.py</verify>
      <done>It reads a file</done>
    </task>

A task comes after the one before it. Behind them stands what verifies the plan as a whole: by its
number other plans name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.model.offered_scope import SUGGESTED
from ralphgit.model.task_status import Mode, Status
from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import commands_in_prose, paths_in_prose, plan_checks, proofs
from ralphgit.records.importers.parts.field_mapping import in_order, task_of
from ralphgit.records.importers.parts.source_values import MISSING, as_word, safe_id, short
from ralphgit.records.importers.parts.suggested_scope import suggestion
from ralphgit.records.importers.source_file import Form, SourceFile

_TASK = re.compile(r"^[ \t]*<task\b(?P<attributes>[^>]*)>(?P<inside>.*?)^[ \t]*</task>",
                   re.DOTALL | re.MULTILINE)  # fmt: skip
_PART = re.compile(r"<(?P<name>[a-z][a-z_-]*)\b[^>]*>(?P<said>.*?)</(?P=name)>", re.DOTALL)
_TYPE = re.compile(r"\btype=[\"']([^\"']*)")
_NUMBERED = re.compile(r"\s*Task\s+[0-9.]+\s*[:.\u2013\u2014-]\s*", re.IGNORECASE)
_FENCE = re.compile(r"```(?P<language>\w*)[^\n]*\n(?P<code>.*?)```", re.DOTALL)
_SHELLS = frozenset({"", "bash", "sh", "shell", "console", "zsh"})
_MARK = re.compile(r"\A\s*(?:[-*+]|[0-9]+[.)])\s+(?:\[[ xX]\]\s+)?")
#: What of the plan holds for all of its tasks.
_FOR_ALL = ("objective", "context", "interfaces")
_CRITERIA = ("done", "acceptance_criteria", "how-to-verify")
_CHECKS = ("verify",)
_ENDS = ("verification", "success_criteria")


class _Plan(NamedTuple):
    number: str
    """By which others name it: `01-02`."""
    depends_on: list[str]


def _sniff(file: SourceFile) -> int:
    if file.form is not Form.TEXT or "<task" not in file.text:
        return NO
    return SURE if any("name" in _parts(found["inside"]) for found in _tasks(file)) else NO


def _tasks(file: SourceFile) -> Iterator[re.Match[str]]:
    return _TASK.finditer(file.text)


def _parts(inside: str) -> dict[str, str]:
    """What stands in the elements of a text, by their names."""
    return {found["name"]: found["said"].strip("\n") for found in _PART.finditer(inside)}


def _plan(file: SourceFile) -> _Plan:
    phase = re.match(r"[0-9.]+", " ".join(file.front_matter_words("phase")))
    plan = file.front_matter_words("plan")
    stem = file.name.replace("\\", "/").rpartition("/")[2].removesuffix(".md")
    number = f"{phase[0]}-{plan[0]}" if phase and plan else stem.removesuffix("-PLAN")
    return _Plan(safe_id(number), file.front_matter_words("depends_on"))


def _read(file: SourceFile) -> Imported:
    """A task for each, and one that verifies the plan."""
    found = list(_tasks(file))
    if not found:
        raise file.refused("there is no task of a GSD plan in this file")
    log, plan = Log(), _plan(file)
    phase = as_word(file.front_matter.get("phase")) or ""
    tasks: list[dict[str, object]] = []
    lines: dict[str, int] = {}
    for number, task in enumerate(found, 1):
        new = f"{plan.number}.{number}"
        lines[new] = file.text.count("\n", 0, task.start()) + 1
        fields, left = _fields(_parts(task["inside"]), _TYPE.search(task["attributes"]))
        _tell(new, left, log)
        tasks.append({"id": new, **fields})
    outside = _parts(_TASK.sub("", file.text))
    fields, left = _whole(plan.number, outside)
    _tell(plan.number, left, log)
    tasks.append({"id": plan.number, **fields})
    lines[plan.number] = file.text.count("\n") + 1
    before: list[str] = []
    for fields in tasks:
        fields |= {"story": plan.number, "depends_on": before}
        if phase:
            fields["milestone"] = safe_id(phase)
        before = [str(fields["id"])]
    if plan.depends_on:
        # A plan of another file: its own task, once that is there.
        tasks[0][MISSING] = plan.depends_on
    made = [in_order(task_of(str(one["id"]), one, log, "")) for one in tasks]
    said = "\n\n".join(outside[name].strip() for name in _FOR_ALL if name in outside)
    story: dict[str, object] = {"id": plan.number, "title": _first_sentence(said) or plan.number}
    root: dict[str, object] = {"stories": [{**story, "description": said} if said else story]}
    return log.imported(made, root, local=True)._replace(lines=lines)


def _first_sentence(said: str) -> str:
    """The first sentence of what a plan is for."""
    return re.split(r"(?<=[.!?])\s|\n", said.strip(), maxsplit=1)[0].rstrip(".")


def _tell(task: str, left: Sequence[tuple[str, str]], log: Log) -> None:
    for code, why in left:
        log.note(f"{task}: left out of its verify commands: {short(code)} ({why}).")


def _fields(
    parts: dict[str, str], kind: re.Match[str] | None
) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """What the elements of a task say of it, and what they run that is no verify command."""
    name = " ".join(parts.pop("name", "").split())
    asked = kind is not None and kind[1].startswith("checkpoint")
    words = _NUMBERED.sub("", name) or name or " ".join(parts.get("what-built", "").split())
    fields: dict[str, object] = {"title": words or "Checkpoint", "status": Status.PENDING.value}
    listed = re.split(r"[,\n]", parts.pop("files", ""))
    touched = [
        path for one in listed if (path := paths_in_prose.listed(one.replace("`", "").strip(" -")))
    ]
    how = parts.get("verify", "").strip()
    verify, criteria, left = _checks(parts, _CHECKS)
    for key in _CRITERIA:
        criteria += _items(parts.pop(key, ""))
    said = [parts.pop("action", "").strip(), f"verify:\n{how}" if "\n" in how else ""]
    said += [f"{key}:\n{text.strip()}" for key, text in parts.items() if text.strip()]
    fields["description"] = "\n\n".join(filter(None, said))
    if asked:
        fields["mode"] = Mode.VERIFY.value
        criteria = criteria or [words]
    elif touched:
        fields[SUGGESTED] = suggestion(touched)
    fields |= {"verify": verify, "acceptance": criteria}
    return {key: value for key, value in fields.items() if value not in ("", [])}, left


def _whole(number: str, outside: dict[str, str]) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """What verifies the plan as a whole, and what is left out of it."""
    verify, criteria, left = _checks(outside, _ENDS)
    fields: dict[str, object] = {
        "title": f"Verify plan {number}",
        "status": Status.PENDING.value,
        "mode": Mode.VERIFY.value,
        "verify": verify,
        "acceptance": criteria or ([] if verify else ["all of its tasks are done"]),
    }
    return {key: value for key, value in fields.items() if value != []}, left


def _checks(
    parts: dict[str, str], names: Sequence[str]
) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """The commands and the criteria in elements that say how something is verified.

    Also the commands that prove nothing, with the reason.
    """
    verify: list[str] = []
    criteria: list[str] = []
    left: list[tuple[str, str]] = []
    for name in names:
        text = parts.pop(name, "")
        inner = _parts(text)
        for said in inner.values() if inner else (text,):
            for fence in _FENCE.finditer(said):
                proof = proofs.of(fence["code"].strip()) if fence["language"] in _SHELLS else None
                verify += [proof.command] if proof and proof.command else []
                left += proof.left if proof else ()
            for item in _items(_FENCE.sub("", said)):
                if plan_checks.is_run(item):
                    command, holds, others = plan_checks.of_box(item)
                    verify += [command] if command else []
                    criteria += [item] if holds and item[-1] != ":" else []
                    left += others
                    continue
                commands = commands_in_prose.of_text(item)
                found = [proofs.of(one) for one in commands]
                verify += [one.command for one in found if one.command]
                left += [each for one in found for each in one.left]
                criteria += [] if commands else [item]
    return list(dict.fromkeys(verify)), criteria, left


def _items(text: str) -> list[str]:
    """The items of a list, or each line; a line that goes on deeper belongs to the one before."""
    found: list[str] = []
    for line in text.strip("\n").split("\n"):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        if found and line[:1] in " \t" and not _MARK.match(line):
            found[-1] += f" {words}"
        else:
            found.append(_MARK.sub("", words, count=1))
    return found


IMPORTER = Importer(
    name="gsd",
    help="A plan of GSD (01-02-PLAN.md): elements `<task>` with files, action, verify and done.",
    sniff=_sniff,
    read=_read,
)
