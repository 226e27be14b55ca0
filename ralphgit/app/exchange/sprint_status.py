"""Compare stories of BMAD with the `sprint-status.yaml` beside them, which BMAD keeps as well."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from ralphgit.app.exchange.source_folder import Read
from ralphgit.errors import InvalidRecord
from ralphgit.model.task_status import Status
from ralphgit.records import input_limits as texts
from ralphgit.records import yaml_reader
from ralphgit.records.importers.parts.field_mapping import status_of

_FILE = "sprint-status.yaml"
_STORY = re.compile(r"([0-9]+)-([0-9]+[a-z]?)(?:-.*)?")
_ENDED = (Status.COMPLETE, Status.CANCELLED)
_FEW = 10


def notes(folder: str, files: Sequence[Read], limit: int) -> list[str]:
    """A note for each folder of stories in which that file says otherwise what is done."""
    stories: dict[str, dict[str, object]] = {}
    for one in files:
        if one.format == "bmad" and one.found is not None:
            place = stories.setdefault(os.path.dirname(one.name), {})
            place |= {str(task["id"]): task["status"] for task in one.found.tasks}
    return [note for name, own in stories.items() if (note := _note(folder, name, own, limit))]


def _note(folder: str, name: str, own: Mapping[str, object], limit: int) -> str:
    path = os.path.join(name, _FILE)
    if not os.path.isfile(os.path.join(folder, path)):
        return ""
    try:
        with open(os.path.join(folder, path), "rb") as file:
            data = file.read(limit + 1)
    except OSError:
        return ""
    try:
        root = yaml_reader.load(texts.decode(data, limit=limit))
    except InvalidRecord as error:
        return f"{path} cannot be read, so the stories' status was not compared: {error.message}."
    listed = root.get("development_status") if isinstance(root, Mapping) else None
    others = []
    for key, word in listed.items() if isinstance(listed, Mapping) else ():
        found = _STORY.fullmatch(str(key))
        story = f"{found[1]}.{found[2]}" if found else ""
        there, here = status_of(word), own.get(story)
        if story in own and (there in _ENDED or here in _ENDED) and there != here:
            others.append(f"{story} ({word})")
    if not others:
        return ""
    shown = ", ".join(others[:_FEW]) + (", ..." if others[_FEW:] else "")
    return f"{path} says otherwise what is done; the stories' own files are taken: {shown}."
