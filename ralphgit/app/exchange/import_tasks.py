"""Write other tools' tasks into this worktree's graph; nothing is staged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ralphgit.app.exchange import (
    gone_tasks,
    import_scopes,
    import_sources,
    import_target,
    open_wholes,
    root_keys,
    root_lists,
    source_order,
    three_way_import,
)
from ralphgit.app.exchange.imported_task_ids import Told
from ralphgit.app.workspace import graph_view, inside_loop
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import Bug, GuardRefused, InvalidRecord, UsageError
from ralphgit.model.printable import cut
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Status
from ralphgit.records import (
    atomic_files,
    graph_additions,
    graph_file,
    schemas,
    splice_task,
    task_blocks,
    yaml_writer,
)
from ralphgit.records.importers.parts.merge_files import GROUPS
from ralphgit.records.task_origin import SOURCE
from ralphgit.rules import branch_changes, contract_digest, cycles, pattern_overlap

#: The task that a note is on.
_WHOSE = re.compile(r"(?:[^:\n]*\.\w+: )?(?P<id>[^\s:]+)(?=: | (?:is|has|depends|waits|says)\b)")
_PROMISED = frozenset(contract_digest.PROMISED)


class ImportOptions(NamedTuple):
    """The options of `import`."""

    files: tuple[str, ...]
    dry_run: bool = False
    prefix: str = ""
    """Stands before the ids of the tasks in the files."""
    form: str = ""
    """The format of the files; "" to tell it by what is in each."""
    scopes: str = import_scopes.SUGGEST
    """What becomes of the files that an item names (`import_scopes`)."""
    junit: bool = False
    """The same as the format junit."""
    bullets: bool = False
    """Read items without a box as tasks."""
    strict: bool = False
    """Refuse files with lines that look like items and are read as nothing."""
    renumbered: bool = False
    """Where words changed under what was done: they stand for other work, under other ids."""
    reworded: bool = False
    """Where words changed under what was done: they stand for the same work."""


class ImportChange(NamedTuple):
    """A task that was written."""

    task: str
    title: str
    fields: tuple[str, ...]
    """Those that changed; none for a new task."""
    block: str
    """Its lines in the graph."""


class Import(NamedTuple):
    """What was written, or with `dry_run` would have been."""

    file: str
    """Where new tasks go, relative to the top of the worktree."""
    added: tuple[ImportChange, ...]
    updated: tuple[ImportChange, ...]
    unchanged: tuple[str, ...]
    groups: tuple[root_lists.GroupChange, ...]
    """Stories and milestones that were written."""
    removed: Mapping[str, str]
    """Tasks of this graph that came from `files` and are no longer in there, with their titles."""
    dropped: tuple[str, ...]
    """Derived fields that were left out."""
    notes: tuple[str, ...]
    kept: tuple[str, ...]
    """Those of the tasks read of which something stays as it is here, against the source."""
    ignored: tuple[import_sources.IgnoredLines, ...]
    text: str
    """The whole of `file`."""


def bring(project: Project, options: ImportOptions) -> Import:
    """Write the tasks of `files` into this worktree's graph; stage and commit nothing.

    New tasks go behind the last one, or where `source_order` is told. Of tasks that are there,
    the fields change that have changed in the source (`three_way_import`); what happened to them
    here, their lifecycle, stays. Every other byte stays too. The result is read and judged before
    any of it is written, and on a failure all files are as before.

    Raises: UsageError, InvalidRecord, Refused as `import_sources.read`; InvalidRecord also where
    the result would not be a valid graph, or a list of tasks has an id that another list gave
    (other_source); GuardRefused (in_loop, bare, no_exact_graph, outside, moved_meanwhile);
    NotWritable.
    """
    here = import_target.graph(project)
    told = Told.by(options.prefix, renumbered=options.renumbered, reworded=options.reworded)
    source = import_sources.read(
        project, options.files, here, told=told, form=_form(options), bullets=options.bullets
    )
    gone = gone_tasks.find(source, here)
    tasks = open_wholes.kept(gone_tasks.awaited(source.tasks, here, gone), here)
    source = source._replace(tasks=import_scopes.offered(tasks, options.scopes))
    if options.strict and source.ignored:
        raise import_sources.not_strict(source.ignored)
    plan = _Plan(here, project.config.max_graph_bytes)
    for task in project.around.progress.through("tasks", source.tasks):
        plan.take(task, source)
    plan.leave(gone.begun, source.given)
    if options.scopes == import_scopes.TAKE:
        for name in import_scopes.take(here, plan.new, plan.changed, source.origins):
            plan.same.pop(name, None)
    file = import_target.file(project, needed=bool(plan.new))
    left_out = plan.make(file, source)
    movers = source_order.moving(plan.new, plan.changed)
    for path in list(plan.texts) if source.orders else ():
        plan.texts[path] = source_order.text(plan.file(path), source.orders, movers)
    notes = (
        *source.notes,
        *plan.told(source.mapped),
        *plan.notes,
        *gone.notes,
        *left_out,
        *source_order.not_followed(source.orders, plan.rows()),
        *source.to_tick(plan.done_here, plan.rows()),
    )
    _judge(project, plan, source.tasks, options.files[0])
    for path in plan.texts:
        project.file(path)
    if not options.dry_run:
        inside_loop.refuse(project, "import", {"done": plan.says_done()})
        _save(project, here, plan.texts)
    changes = plan.changes()
    return Import(
        file,
        tuple(changes[task["id"]] for task in plan.new),
        tuple(changes[name] for name in plan.updated),
        tuple(plan.same),
        tuple(plan.groups),
        {id: here.by_id[id].title for id in gone.removed},
        plan.told(source.dropped),
        notes,
        tuple(dict.fromkeys(plan.kept)),
        source.ignored,
        plan.text(file),
    )


def _form(options: ImportOptions) -> str:
    if not options.junit:
        return options.form
    if options.form not in ("", "junit"):
        raise UsageError(
            "--junit is a format of its own", hint=f"leave out --junit, or --format {options.form}"
        )
    return "junit"


class _Plan:
    """The graph files as they will be; nothing is written here."""

    def __init__(self, here: GraphView, limit: int) -> None:
        self.here = here
        self.new: list[dict[str, Any]] = []
        self.changed: dict[str, dict[str, Any]] = {}
        """By task, the fields that change; None takes a field out."""
        self.same: dict[str, None] = {}
        """Tasks that stay as they are, but for what they remember of their source."""
        self.groups: list[root_lists.GroupChange] = []
        """The stories and milestones that are new or change."""
        self.notes: list[str] = []
        self.kept: list[str] = []
        self.done_here: list[str] = []
        """Those that are complete here and open in the source."""
        self.back: dict[str, tuple[str, ...]] = {}
        """By task, the fields that are again what the source said before."""
        self.texts: dict[str, str] = {}
        """By path, every file that changes."""
        self._limit = limit
        self._known = {row.id.casefold(): row for row in here.rows}
        self._paths = {path for path, _ in here.shards}
        self._parsed: dict[str, graph_file.GraphFile] = {}

    def text(self, path: str) -> str:
        """The file as it will be; "" where there is none."""
        if path in self.texts:
            return self.texts[path]
        return self.here.content(path) if path in self._paths else ""

    def file(self, path: str) -> graph_file.GraphFile:
        """The file as it will be, read. Raises: InvalidRecord."""
        text, known = self.text(path), self._parsed.get(path)
        if known is None or known.text != text:
            known = graph_file.parse(text.encode("utf-8"), path=path, limit=self._limit)
            self._parsed[path] = known
        return known

    def rows(self) -> list[Row]:
        """Every task of the graph as it will be."""
        kept = [row for row in self.here.rows if row.file not in self.texts]
        return kept + [row for path in self.texts for row in graph_file.rows(self.file(path))]

    def changes(self) -> dict[str, ImportChange]:
        """By id, each task of the files that change, as it will stand."""
        found = {}
        for path in self.texts:
            file = self.file(path)
            layout = task_blocks.find(file.text)
            for task, span in zip(file.tasks, file.spans, strict=True):
                end = task_blocks.content_end(file.text, span, layout.dash) if layout else span.end
                fields = tuple(key for key in self.changed.get(task["id"], ()) if key != SOURCE)
                block = file.text[span.start : end]
                found[task["id"]] = ImportChange(task["id"], task["title"], fields, block)
        return found

    def take(self, task: dict[str, Any], source: import_sources.Source) -> None:
        """Decide what is to be done for one task of the source.

        Raises: InvalidRecord (duplicate_id).
        """
        name, files, given = task["id"], source.origins[task["id"]], source.given
        row = self._known.get(name.casefold())
        if row is None and (kept := self.here.archive.entry(name)) is not None:
            self.same[kept.id] = None
            self.kept.append(kept.id)
            self.notes.append(f"{kept.id} is in the archive, and stays as it is there")
            return
        if row is None:
            self.new.append({**task, SOURCE: three_way_import.first(task, files, given).stored()})
            return
        if row.id != name:
            raise InvalidRecord(
                f"{name} is in the graph as {row.id}: ids must differ by more than case",
                file=row.file, line=row.line, task=name, code="duplicate_id",
                hint="rename one of the two tasks",
            )  # fmt: skip
        if name in source.settled:
            self.same[name] = None
            self.kept.append(name)
            return
        stored = self.here.stored(row)
        decision = three_way_import.decide(stored, task, files, given)
        if decision.back:
            self.back[name] = decision.back
        self.notes += decision.notes
        if decision.notes:
            self.kept.append(name)
        elif stored["status"] == Status.COMPLETE and task["status"] == Status.PENDING:
            self.done_here.append(name)
        origin = {SOURCE: decision.origin.stored()} if decision.origin else {}
        if decision.fields or origin:
            self.changed[name] = {**decision.fields, **origin}
        if not decision.fields:
            self.same[name] = None

    @property
    def updated(self) -> list[str]:
        """The tasks of which more changes than what they remember of their source."""
        return [name for name, fields in self.changed.items() if fields.keys() - {SOURCE}]

    def leave(self, gone: Sequence[str], given: three_way_import.Given) -> None:
        """Have tasks remember that their source has them no more."""
        for name in gone:
            origin = given.origin(self.here.stored(self.here.by_id[name]))
            if origin is not None and not origin.gone:
                self.changed[name] = {SOURCE: origin._replace(gone=True).stored()}

    def told(self, notes: Sequence[str]) -> tuple[str, ...]:
        """What the import before this one has not said: notes on what is new here, or changed.

        A note is on a task where it begins with its id, behind the name of a file or not.
        """
        if not (self.new or self.updated):
            return ()
        on = [found["id"] if (found := _WHOSE.match(note)) else "" for note in notes]
        return tuple(note for note, id in zip(notes, on, strict=True) if id not in self.same)

    def says_done(self) -> bool:
        """Whether it makes a task complete, by the word of the source."""
        every = (*self.new, *self.changed.values())
        return any(fields.get("status") == Status.COMPLETE for fields in every)

    def make(self, file: str, source: import_sources.Source) -> list[str]:
        """Make the texts, new tasks and root keys in `file`; notes on root keys left out.

        Raises: InvalidRecord for a layout that cannot take the change.
        """
        lists = root_lists.with_origins(source.root, source.groups, source.given)
        lists = {key: value for key, value in lists.items() if key in GROUPS}
        for path in dict.fromkeys(self.here.by_id[name].file for name in self.changed):
            self._update(path)
        if not file:
            return []
        if file not in self._paths:
            if self.new:
                keys = root_keys.decide({}, source.root, source.owners, source.given)
                root = {**lists, **keys.fields}
                self._add_lists(root)
                whole = {"version": 1, **root, "tasks": self.new}
                self.texts[file] = schemas.modeline("task-graph") + yaml_writer.mapping(whole)
                self._compare(file, self.new, {"version": 1, **root})
            return []
        left = [*self._lists(file, source), *self._keys(file, source)]
        old = self.file(file)
        more = {key: value for key, value in lists.items() if key not in old.root}
        self._add_lists(more)
        if more or self.new:
            text = graph_additions.with_root(old, more) if more else old.text
            if self.new:
                text = graph_additions.with_tasks(text, self.new, old)
            self.texts[file] = text
            self._compare(file, [*old.tasks, *self.new], {**old.root, **more})
        return [f"{file} has {key} of its own: what the source has was left out." for key in left]

    def _keys(self, file: str, source: import_sources.Source) -> list[str]:
        """Bring the other root keys into `file`; those that stay as they are against the source."""
        old = self.file(file)
        found = root_keys.decide(old.root, source.root, source.owners, source.given)
        more = {key: value for key, value in found.fields.items() if key not in old.root}
        changed = {key: value for key, value in found.fields.items() if key in old.root}
        text, odd = graph_additions.with_changed_root(old, changed)
        if more:
            text = graph_additions.with_root(old._replace(text=text), more)
        if text != old.text:
            made = {**old.root, **more, **{key: changed[key] for key in changed if key not in odd}}
            self.texts[file] = text
            self._compare(
                file, old.tasks, {key: value for key, value in made.items() if value is not None}
            )
        self.notes += found.notes
        return [*found.left, *(key for key in odd if key != SOURCE)]

    def _add_lists(self, root: Mapping[str, object]) -> None:
        for key in GROUPS:
            self.groups += root_lists.added(key, root.get(key))

    def _lists(self, file: str, source: import_sources.Source) -> list[str]:
        """Bring stories and milestones into the lists that `file` has; those that cannot be."""
        left = []
        elsewhere = {
            (key, str(entry.get("id")))
            for path in self._paths - {file}
            for key in GROUPS
            for entry in root_lists.entries(self.file(path).root.get(key))
        }
        for key in GROUPS:
            old = self.file(file)
            if key not in source.root or key not in old.root:
                continue
            found = root_lists.decide(key, old.root[key], source, elsewhere)
            self.notes += found.notes
            if not (found.changed or found.new):
                continue
            text = graph_additions.with_entries(old, key, found.changed, found.new)
            if text is None:
                left.append(key)
                continue
            self.groups += found.changes
            self.texts[file] = text
            whole = [found.changed.get(str(one.get("id")), one) for one in old.root[key]]
            self._compare(file, old.tasks, {**old.root, key: [*whole, *found.new]})
        return left

    def _update(self, path: str) -> None:
        """Set the fields that change in one file, from its last task to its first.

        So the places of those still to come stay true, and the file is read just once.
        """
        file = self.file(path)
        expected = [dict(task) for task in file.tasks]
        for number in reversed(range(len(expected))):
            fields = self.changed.get(expected[number]["id"], {})
            if fields:
                kept = {key: value for key, value in fields.items() if value is not None}
                drop = tuple(key for key in fields if key not in kept)
                file = file._replace(text=splice_task.set_fields(file, number, kept, drop=drop))
                expected[number].update(kept)
                for key in drop:
                    del expected[number][key]
        self.texts[path] = file.text
        self._compare(path, expected, file.root)

    def _compare(
        self, path: str, expected: Sequence[Mapping[str, Any]], root: Mapping[str, Any]
    ) -> None:
        found = self.file(path)
        if list(found.tasks) != list(expected) or found.root != root:
            raise Bug(f"the import would have changed more of {path} than was meant")


def _judge(project: Project, plan: _Plan, tasks: Iterable[Mapping[str, Any]], name: str) -> None:
    """Warn of what is odd in the result; refuse what makes it no graph.

    Raises: InvalidRecord (cycle).
    """
    rows = {row.id: row for row in plan.rows()}
    if plan.back:
        some = "; ".join(f"{task}: {', '.join(fields)}" for task, fields in plan.back.items())
        project.warn(
            f"{name} says again what it said before its last change, as an older copy of it would "
            f"({cut(some, 200)})"
        )
    for cycle in cycles.find_cycles({row.id: row.depends_on for row in rows.values()}):
        message = f"dependency cycle: {' -> '.join((*cycle, cycle[0]))}; nothing was written"
        hint = "take one of these dependencies out"
        raise InvalidRecord(message, file=name, task=cycle[0], code="cycle", hint=hint)
    for task in tasks:
        if task["id"] not in rows:
            continue  # it is in the archive
        row = rows[task["id"]]
        for other in row.depends_on:
            if other not in rows and plan.here.known(other) is None:
                project.warn(f"{row.id} depends on {other}, which does not exist")
        for pattern in (*row.write, *row.read):
            if wrong := pattern_overlap.check_pattern(pattern):
                project.warn(f"{row.id}: the pattern {pattern} in its scope is wrong: {wrong}")
        if lacks := branch_changes.nothing_to_verify(row.id, graph_view.stored(row)):
            project.warn(f"{lacks.message} ({lacks.hint})")
        if row.status == Status.IN_PROGRESS and _PROMISED & set(plan.changed.get(row.id, ())):
            project.warn(
                f"{row.id} is in progress, and what it promises has changed: "
                f"ralphgit complete {row.id} needs --accept-contract"
            )


def _save(project: Project, here: GraphView, made: Mapping[str, str]) -> None:
    """Write all files or none. Raises: GuardRefused (moved_meanwhile), NotWritable."""
    known = {path for path, _ in here.shards}
    with atomic_files.Undo() as undo:
        for path, text in made.items():
            full = project.file(path)
            old = here.content(path).encode("utf-8") if path in known else None
            if atomic_files.read(full) != old:
                message = f"{path} has changed while the import was made; nothing was written"
                raise GuardRefused(message, code="moved_meanwhile", hint="repeat the command")
            undo.write(full, text.encode("utf-8"))
    project.written()
