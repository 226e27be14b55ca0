"""Read the files that `import` is given, as tasks without claims."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ralphgit.app.exchange import (
    document_folders,
    extension_formats,
    gsd_folder,
    imported_task_ids,
    root_keys,
    source_folder,
    source_order,
    sprint_status,
)
from ralphgit.app.exchange.extension_formats import Formats
from ralphgit.app.exchange.imported_task_ids import Told
from ralphgit.app.exchange.three_way_import import Given
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, Refused, UsageError
from ralphgit.model.printable import counted
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Status
from ralphgit.records import graph_file, importers, yaml_reader, yaml_writer
from ralphgit.records import input_limits as texts
from ralphgit.records.importers.parts.markdown_items import MEANINGS, USUAL, Boxes
from ralphgit.records.importers.parts.merge_files import GROUPS
from ralphgit.records.task_mapping import LIFECYCLE_KEYS
from ralphgit.records.task_origin import SOURCE, Origin

#: A file may be so many times larger than a graph of ours: what is derived is left out.
LARGER = 4
#: With more lines than this, the others are only counted.
_FEW = 20


class IgnoredLines(NamedTuple):
    """Lines of one file that look like items, and are none for the same reason."""

    file: str
    """As it was named."""
    lines: tuple[int, ...]
    reason: str

    @property
    def sentence(self) -> str:
        shown = ", ".join(map(str, self.lines[:_FEW])) + (", ..." if self.lines[_FEW:] else "")
        return f"{self.file}, line {shown}: {self.reason}"


class Source(NamedTuple):
    """The files given, as one."""

    tasks: tuple[dict[str, Any], ...]
    """As they will be read from the graph; of the lifecycle, just the status."""
    root: dict[str, object]
    owners: dict[str, str]
    """By root key, but for lists, the file that says it."""
    dropped: tuple[str, ...]
    notes: tuple[str, ...]
    mapped: tuple[str, ...]
    """Notes on what became of values in the files, and on what a tool keeps beside its tasks."""
    origins: dict[str, tuple[str, ...]]
    """By task, which of the files it is in."""
    groups: dict[tuple[str, str], tuple[str, ...]]
    """The same, by root key and id, of stories and milestones."""
    given: Given
    """The files, relative to the top; of one elsewhere just its name, which is the same on any
    machine."""
    ignored: tuple[IgnoredLines, ...]
    """Lines that look like items and were read as nothing."""
    settled: frozenset[str]
    """Tasks that are complete or cancelled here, and stay as they are."""
    can_tick: frozenset[str]
    """The files and folders, as they were named, in which `export --tick` can mark what is done."""
    leads: Mapping[str, tuple[str, ...]]
    """By task with others inside, those that have to be done, too, before it is ticked."""
    orders: tuple[tuple[str, ...], ...]
    """Tasks in the order in which a source says that they are to be done."""

    def to_tick(self, done: Sequence[str], here: Iterable[Row]) -> list[str]:
        """A note on the tasks `done` here and open in the files, where these can be told."""
        ended = {row.id for row in here if row.status == Status.COMPLETE}
        ended |= {task["id"] for task in self.tasks if task["status"] == Status.COMPLETE}
        done = [id for id in done if {*self.leads.get(id, ())}.issubset(ended)]
        if not (done and self.can_tick):
            return []
        words = " ".join(f"--tick {shlex.quote(name)}" for name in sorted(self.can_tick))
        are = "is" if len(done) == 1 else "are"
        said = f"{counted(len(done), 'task')} {are} complete here and open in the source"
        return [f"{said}: ralphgit export {words}"]


def read(
    project: Project,
    names: Sequence[str],
    here: GraphView,
    *,
    told: Told,
    form: str = "",
    bullets: bool = False,
) -> Source:
    """Read the tasks in the files called `names`, in their order, with the ids they have `here`.

    A folder stands for the Markdown files in it. A prefix in `told` stands before the ids of all
    tasks in the files; with a `form`, all files are read as that format, whatever they look like;
    with `bullets`, items of a Markdown list are tasks without a box, too.

    Raises: UsageError for what is no file that can be read, a format that there is not, or where
    a prefix makes no id; as `imported_task_ids.resolve`; InvalidRecord for a file whose format
    is not known, that is too large, or that has one id twice; Refused (no_tasks; broken_extension).
    """
    folder = project.around.directory
    formats = extension_formats.to_try(form, folder=folder, warn=project.warn)
    how = Reading(formats, boxes(project.config.import_marks), bullets)
    listed = source_folder.expand(folder, names)
    reads = [
        _converted(project, name, how, beside=beside)
        for name, beside in project.around.progress.through("reading", listed)
    ]
    each, passed = source_folder.chosen(reads)
    files = [label(project.top, os.path.join(folder, name)) for name, _ in each]
    beside = _beside(project, each, files, here, how)
    identified = imported_task_ids.resolve(project, here, each, files, told, beside)
    each = identified.each
    found = importers.joined(each, here.by_id, whole=any(beside for _, beside in listed))
    if not found.tasks:
        message = f"there is no task in {', '.join(names)}; nothing was written"
        raise Refused(message, code="no_tasks", hint="docs/import.md shows what import reads")
    fresh, notes = _fresh(found.tasks)
    made = _as_read(fresh, found.root, names[0])
    again = _as_read(made.tasks, made.root, names[0])
    for task, same in zip((*made.tasks, made.root), (*again.tasks, again.root), strict=True):
        if task != same:
            whose = task.get("id", "the file")
            raise InvalidRecord(
                f"{whose} has a value that does not read back as it was written, such as .nan",
                file=names[0], hint="write it as text, in quotes",
            )  # fmt: skip
    root = {key: value for key, value in made.root.items() if key != "version"}
    owners = root_keys.owners(
        [(file, one.root) for file, (_, one) in zip(files, each, strict=True)]
    )
    origins: dict[str, tuple[str, ...]] = {}
    for file, (_, one) in zip(files, each, strict=True):
        for task in one.tasks:
            origins[str(task["id"])] = (*origins.get(str(task["id"]), ()), file)
    groups: dict[tuple[str, str], tuple[str, ...]] = {}
    for file, (_, one) in zip(files, each, strict=True):
        for key in GROUPS:
            value = one.root.get(key)
            for entry in value if isinstance(value, list) else ():
                place = (key, str(entry.get("id") if isinstance(entry, Mapping) else ""))
                groups[place] = (*groups.get(place, ()), file)
    # A folder with a file that cannot be ticked is refused as a whole.
    can_tick = frozenset(_named(name, names) for name, one in each if one.can_tick)
    can_tick -= {_named(name, names) for name, one in each if not one.can_tick}
    ignored = tuple(
        IgnoredLines(name, one.lines, one.reason) for name, found in each for one in found.ignored
    )
    passed += sprint_status.notes(folder, reads, project.config.max_graph_bytes)
    mapped = (*source_folder.passed_over(folder, names), *found.notes, *notes)
    deleted = _deleted(project, names, here, {*files, *identified.moved})
    passed += source_folder.archived(project.top, deleted)
    files += deleted
    given = Given(tuple(files), identified.names, identified.moved)
    return Source(
        made.tasks,
        root,
        owners,
        found.dropped,
        (*passed, *identified.notes),
        mapped,
        origins,
        groups,
        given,
        ignored,
        identified.settled,
        can_tick,
        _leads(each, identified.names),
        source_order.told(each, identified.names),
    )


def _beside(
    project: Project,
    each: Sequence[tuple[str, importers.Imported]],
    files: Sequence[str],
    here: GraphView,
    how: Reading,
) -> list[tuple[str, str, importers.Imported]]:
    """The documents beside those that are imported, in folders that tasks here came from.

    One that cannot be read is none.
    """
    origins = (Origin.of(here.stored(row)) for row in here.rows if SOURCE in row.json)
    known = {source_folder.place(file) for origin in origins if origin for file in origin.files}
    folder, given = project.around.directory, {*files}
    one_of_each = {
        os.path.dirname(name): name
        for (name, one), file in zip(each, files, strict=True)
        if document_folders.is_one(file, one) and source_folder.place(file) in known
    }
    found = {}
    for beside in one_of_each.values():
        for name in source_folder.beside(folder, beside):
            file = label(project.top, os.path.join(folder, name))
            if file in given or file in found:
                continue
            try:
                read = _converted(project, name, how, beside=True)
            except (InvalidRecord, Refused, UsageError):
                continue
            if read.found is not None and document_folders.is_one(file, read.found):
                found[file] = (name, file, read.found)
    return [*found.values()]


def _named(file: str, names: Sequence[str]) -> str:
    """What was named, of which a file is a part, or the file itself."""
    folders = (name for name in names if file.startswith(f"{name.rstrip('/')}/"))
    return file if file in names else next(folders, file)


def _deleted(project: Project, names: Sequence[str], here: GraphView, known: set[str]) -> list[str]:
    """The files that tasks here came from, and that were in a folder given and are not any more."""
    full = [os.path.join(project.around.directory, name) for name in names]
    folders = [f"{label(project.top, one)}/" for one in full if os.path.isdir(one)]
    if not folders:
        return []
    origins = (Origin.of(here.stored(row)) for row in here.rows if SOURCE in row.json)
    listed = dict.fromkeys(file for origin in origins if origin for file in origin.files)
    return [
        file
        for file in listed
        if file not in known
        and any(f"./{file}".startswith(one) or file.startswith(one) for one in folders)
        and not os.path.exists(os.path.join(project.top, file))
    ]


def _leads(
    each: Iterable[tuple[str, importers.Imported]], names: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """What leads others in its file, by the ids that they have here."""
    made: dict[str, tuple[str, ...]] = {}
    for _, found in each:
        here = {
            names.get(str(task["id"]), str(task["id"])): str(task["id"]) for task in found.tasks
        }
        made |= {
            here[lead]: tuple(here[one] for one in inside) for lead, inside in found.leads.items()
        }
    return made


def not_strict(ignored: Sequence[IgnoredLines]) -> Refused:
    """The refusal of files with lines that would be read as nothing."""
    number = counted(sum(len(one.lines) for one in ignored), "line")
    which = "; ".join(one.sentence for one in ignored)
    return Refused(
        f"{number} would be read as nothing; nothing was written: {which}",
        code="ignored_lines", hint="write them otherwise, or import without --strict",
        details={"ignored": [one._asdict() for one in ignored]},
    )  # fmt: skip


def boxes(marks: Sequence[str]) -> Boxes:
    """The boxes of the setting `import.marks`. Raises: UsageError (bad_setting)."""
    more = []
    for mark in marks:
        word, _, signs = mark.partition(":")
        meaning = word.replace("-", " ")
        if (
            meaning not in MEANINGS
            or not signs
            or any(one.isspace() or one in "[]" for one in signs)
        ):
            words = ", ".join(one.replace(" ", "-") for one in MEANINGS)
            raise UsageError(
                f"import.marks has {mark!r}, which is no MEANING:SIGNS", code="bad_setting",
                hint=f'import.marks = ["done:d", "deferred:!"]; the meanings are {words}',
            )  # fmt: skip
        more += [(sign, meaning) for sign in signs]
    return Boxes(more) if more else USUAL


def label(top: str, path: str) -> str:
    """How a file is remembered: relative to the top, or just its name where it is not below it."""
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(top))
    return os.path.basename(path) if inside.split(os.sep)[0] == ".." else inside


def _content(folder: str, name: str, limit: int) -> bytes:
    path = os.path.join(folder, name)
    try:
        if stat.S_ISFIFO(os.stat(path).st_mode) and not path.startswith("/dev/fd/"):  # `<(...)`
            raise ValueError("it is a pipe, which may never end")
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise UsageError(
            f"there is no file {name}", code="no_file", hint="check the path; it is read from here"
        ) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"{name} cannot be read: {why}",
            code="no_file",
            hint="name a file that you may read",
        ) from None
    if len(data) > limit:
        message = f"the file has more than {limit} bytes, the most that import reads"
        hint = f"split it, or raise max_graph_bytes in ralph.toml ({LARGER} times that is read)"
        raise InvalidRecord(message, file=name, code="too_large", hint=hint)
    return data


class Reading(NamedTuple):
    """How files are read."""

    formats: Formats
    boxes: Boxes
    bullets: bool = False
    """Items without a box are tasks, too."""


class Reader(NamedTuple):
    """A file that was recognised, and what reads it."""

    data: bytes
    importer: importers.Importer
    opened: Callable[[bytes], importers.SourceFile]
    """The file with this content."""

    @property
    def file(self) -> importers.SourceFile:
        return self.opened(self.data)


def reader(project: Project, name: str, how: Reading, *, beside: bool = False) -> Reader | None:
    """Recognise a file; None for one `beside` others in a folder that no format knows.

    Raises: UsageError (no_file); InvalidRecord.
    """
    limit = project.config.max_graph_bytes * LARGER
    data = _content(project.around.directory, name, limit)

    def load(text: str) -> object:
        return yaml_reader.load(texts.decode(text.encode("utf-8"), limit=limit))

    def opened(data: bytes) -> importers.SourceFile:
        file = importers.source_file(name, data, load, how.formats.known, how.boxes)
        file.bullets = how.bullets
        return file

    file = opened(data)
    importer = how.formats.wanted or importers.surest(file, how.formats.known)
    if importer is None and not beside:
        error = file.refused("the format of this file is not known")
        if file.has_bullets():
            error.hint = (
                f"ralphgit import --bullets {shlex.quote(name)} reads items without a box, too"
            )
        raise error
    return Reader(data, importer, opened) if importer else None


def _converted(project: Project, name: str, how: Reading, *, beside: bool) -> source_folder.Read:
    """What is in a file; of one `beside` others in a folder it may be nothing."""
    known = reader(project, name, how, beside=beside)
    if known is None:
        return source_folder.Read(name, "", None, beside)
    found = known.importer.read(known.file)
    if found.stored:
        # A graph of ours: its own reader says line and column, and takes text as it is written.
        limit = project.config.max_graph_bytes * LARGER
        found = found._replace(tasks=graph_file.parse(known.data, path=name, limit=limit).tasks)
    if known.importer.name == "gsd":
        found = gsd_folder.placed(project.around.directory, name, found, beside=beside)
    can = known.importer.tick is not None and not (how.bullets and not known.file.may_hold_boxes())
    return source_folder.Read(name, known.importer.name, found._replace(can_tick=can), beside)


def _fresh(found: Iterable[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Strip the tasks of claims and results; return them, and notes on what that changed.

    A claim, a result, an epoch are about the repository where they were made, and mean
    nothing in another. What is complete or cancelled stays so.
    """
    made, notes = [], []
    for task in found:
        past = [key for key in LIFECYCLE_KEYS[1:] if task.get(key) is not None]
        gone = (*LIFECYCLE_KEYS[1:], SOURCE)
        kept = {key: value for key, value in task.items() if key not in gone}
        if past:
            notes.append(f"{task['id']}: left out what happened elsewhere ({', '.join(past)}).")
        if kept.get("status") in (Status.IN_PROGRESS, Status.BLOCKED):
            notes.append(f"{task['id']} is {kept['status']} in the source, and pending here.")
            kept["status"] = Status.PENDING.value
        made.append(kept)
    return made, notes


def _as_read(
    made: Sequence[Mapping[str, Any]], root: Mapping[str, object], name: str
) -> graph_file.GraphFile:
    """The tasks and root keys as our reader has them, once they are written."""
    text = yaml_writer.mapping({**root, "version": 1, "tasks": made})
    try:
        return graph_file.parse(text.encode("utf-8"), path=name, limit=max(4 * len(text), 1))
    except InvalidRecord as error:
        # Line and column are those of a text that nobody has seen.
        whose = f"{error.task}: " if error.task else ""
        raise InvalidRecord(
            whose + error.message, file=name, code=error.code, hint=error.hint, task=error.task
        ) from None
