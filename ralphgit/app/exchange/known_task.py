"""Hold what import knows of a task that is here, and of an item of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ralphgit.app.active_claims import other_bases
from ralphgit.app.exchange import three_way_import
from ralphgit.app.workspace.project import Project
from ralphgit.model.task_status import Status
from ralphgit.records.importers import Imported
from ralphgit.records.importers.parts.source_values import PART_OF
from ralphgit.records.task_origin import Origin
from ralphgit.rules.renamed_sections import Section


class Known(NamedTuple):
    """A task that is here."""

    id: str
    name: str
    """The id that its source gives it."""
    files: tuple[str, ...]
    words: str
    title: str
    address: str
    status: str
    held: bool
    edited: bool
    place: tuple[str, int]
    ended: str = ""
    """When it was completed; "" where that is not known."""
    description: str = ""
    """A digest of what its source said of it."""
    story: str = ""
    """The same of its story."""
    section: Section = ()
    gone: bool = False
    """It was in its source no more at the last import."""


class Item(NamedTuple):
    """What a file has."""

    name: str
    title: str
    words: str
    address: str
    line: int
    description: str
    section: Section


def section(task: Mapping[str, Any]) -> Section:
    """The story of a task, and the headings below that which it stands below."""
    lines = str(task.get("description") or "").split("\n")
    below = (line.removeprefix(PART_OF) for line in lines if line.startswith(PART_OF))
    return (str(task.get("story") or ""), *below)


def known(stored: dict[str, Any], leased: frozenset[str], place: tuple[str, int]) -> Known:
    origin = Origin.of(stored)
    id, status = str(stored["id"]), str(stored["status"])
    return Known(
        id,
        (origin.id if origin else "") or id,
        origin.files if origin else (),
        (origin.digests.get("title") if origin else None) or three_way_import.words(stored),
        str(stored["title"]),
        three_way_import.address(stored),
        status,
        status != Status.PENDING or id in leased,
        origin is not None and three_way_import.is_edited(stored, origin),
        place,
        str((stored.get("result") or {}).get("at") or ""),
        (origin.digests.get("description") if origin else None) or "",
        (origin.digests.get("story") if origin else None) or "",
        section(stored),
        origin is not None and origin.gone,
    )


def leased(project: Project) -> frozenset[str]:
    places = other_bases.lease_places(project)
    refs = project.repository.refs
    return frozenset(ref.removeprefix(one) for ref in refs for one in places if ref.startswith(one))


def items_of(found: Imported) -> list[Item]:
    """The items of a file, as they are compared with tasks."""
    return [
        Item(
            str(task["id"]),
            str(task["title"]),
            three_way_import.words(task),
            three_way_import.address(task),
            found.lines.get(str(task["id"]), 1),
            three_way_import.said(task, "description"),
            section(task),
        )
        for task in found.tasks
    ]
