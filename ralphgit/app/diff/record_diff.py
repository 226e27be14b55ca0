"""Compare the records of two commits, by task (SPEC 8). Reads only."""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.diff import own_time, revisions_compared, task_change, weakened_checks
from ralphgit.app.diff.revisions_compared import Range, Side
from ralphgit.app.diff.task_change import CONCERN, PROBLEM, ChangeNote, TaskChange, Written
from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence import reviews as review
from ralphgit.app.evidence.judged_evidence import JudgedState
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.gate import (
    branch_scopes,
    changed,
    reverts,
    settings_changes,
    tampering,
    unpacked,
    work_and_records,
)
from ralphgit.app.gate.changed import BranchChange, Span
from ralphgit.app.gate.settings_changes import SettingChange
from ralphgit.app.workspace import graph_view, record_tree
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import trees
from ralphgit.model.evidence import Evidence
from ralphgit.model.printable import counted
from ralphgit.model.review import Review
from ralphgit.model.task import Event
from ralphgit.model.task_row import Row
from ralphgit.records import audit_file, task_mapping
from ralphgit.records import question_file as questions
from ralphgit.records.record_task import with_task
from ralphgit.records.schemas import FILED
from ralphgit.rules import branch_changes, diff_steps, renames
from ralphgit.rules.readiness import TaskState, TaskStates

#: What is said of a status that goes back, where it does not go back with all that belongs to it.
_OF_MOVES = ("illegal_move", "claim_replaced")
PROBLEMS, CONCERNS, CLEAR, UNCHANGED = "problems", "concerns", "clear", "unchanged"


class Diff(NamedTuple):
    """What a range changes, and what there is to say against it."""

    range: Range
    old: Side
    new: Side
    changes: tuple[TaskChange, ...]
    files: tuple[str, ...]
    """The changed files that are not records."""
    outside: tuple[str, ...]
    """Those of them that no task which was worked on may write."""
    notes: tuple[ChangeNote, ...]
    """What a reviewer should look at, problems first."""
    moved: int
    """How many tasks are in another file than before."""
    archived: tuple[str, ...] = ()
    """The tasks that went into the archive."""
    restored: tuple[str, ...] = ()
    """Those that came back from there."""
    settings: tuple[SettingChange, ...] = ()
    """What `ralph.toml` sets otherwise, what keeps workers in check first."""

    @property
    def verdict(self) -> str:
        """PROBLEMS, CONCERNS, CLEAR, or UNCHANGED where no record says anything new."""
        severities = {note.severity for note in self.notes}
        if PROBLEM in severities:
            return PROBLEMS
        if CONCERN in severities:
            return CONCERNS
        said = self.changes or self.moved or self.archived or self.restored
        return CLEAR if said else UNCHANGED

    @property
    def task_states(self) -> Mapping[str, TaskState]:
        """Of every task afterwards, by the graph alone."""
        return TaskStates(self.new.view.rows, {})

    @property
    def ready(self) -> tuple[Row, ...]:
        """What can be taken afterwards and could not before; none where a graph file is lost."""
        if self.old.lost or self.new.lost:
            return ()
        before = {row.id for row in TaskStates(self.old.view.rows, {}).ready()}
        after = TaskStates(self.new.view.rows, {}).ready()
        return tuple(row for row in after if row.id not in before)


def diff(project: Project, text: str = "") -> Diff:
    """Compare the two commits of the range `text` (see `revisions_compared.resolve`).

    Records that cannot be read are among the notes, and the rest is compared without them.

    Raises: UsageError (bad_revision, unrelated); InvalidRecord where neither side has a graph;
    GuardRefused (no_commit).
    """
    return between(project, revisions_compared.resolve(project, text))


def between(project: Project, range: Range) -> Diff:
    """Compare the two commits of a range. Raises: InvalidRecord (no_graph)."""
    old = revisions_compared.side(project, range.old, range.old[:12])
    new = revisions_compared.side(project, range.new, range.head)
    if not old.view.shards and not new.view.shards:
        raise project.no_graph(range.head)
    return _Gathering(project, range, old, new).gathered()


def is_uncommitted(project: Project, found: Diff) -> bool:
    """Whether the graph in this worktree differs from the newer side of a diff."""
    if project.repository.top is None:
        return False
    usual = dict(found.new.view.shards)
    blob = project.repository.objects.file_id
    here = {path: os.path.join(project.top, path) for path in project.paths_in(project.top)}
    return here.keys() != usual.keys() or any(blob(f) != usual[p] for p, f in here.items())


class _Gathering:
    """The work of one `between`."""

    def __init__(self, project: Project, range: Range, old: Side, new: Side) -> None:
        self.project, self.range, self.old, self.new = project, range, old, new
        self.notes: list[ChangeNote] = []
        known = {_fault(error, new) for error in new.unreadable}
        before = [error for error in old.unreadable if _fault(error, old) not in known]
        self.unreadable = [*before, *new.unreadable]
        # A task in a file that one side cannot read is neither added nor removed.
        lost = old.lost | new.lost
        self.before = {task: row for task, row in old.rows.items() if row.file not in lost}
        self.after = {task: row for task, row in new.rows.items() if row.file not in lost}
        records = project.config.records
        # What went into the archive, or came back, is judged where it was.
        self.packed = unpacked.between(old.tree.archive, new.tree.archive, records, records)
        was, now = self.packed.old, self.packed.new
        stays = was.rows.keys() & now.rows.keys()  # no graph has these
        self.before = {**{task: was.rows[task] for task in was.rows.keys() - stays}, **self.before}
        self.after = {**{task: now.rows[task] for task in now.rows.keys() - stays}, **self.after}
        for one in self.packed.problems:
            self.notes.append(ChangeNote(PROBLEM, one.code, one.task, one.message))
        grown = self._grown() if stays else set()
        for task in stays:
            if (
                task in self.packed.rewritten
                or task in grown
                or was.blocks[task] != now.blocks[task]
            ):
                severity = PROBLEM if task in self.packed.rewritten else CONCERN
                said = f"{task} is in the archive otherwise than it was"
                self.notes.append(ChangeNote(severity, "archived_otherwise", task, said))
        self.renames = renames.renamed(self.before, self.after)
        self.before = renames.applied(self.before, self.renames)
        objects = project.repository.objects
        tree = unpacked.with_records(new.tree, self.packed.new.records)
        self.made = BranchChange(self.before, self.after, tree, self.renames)
        self.span = Span(range.old, range.new, range.new, objects)
        self.reverted = reverts.found(project, self.span, self.made)

    def _grown(self) -> set[str]:
        """The tasks of which the newer archive has records that are nowhere in the older state."""
        paths = {f"{self.range.old}:{path}": path for path in self.packed.new.records}
        read = self.project.repository.objects.read(paths)
        known = {paths[name]: data for name, data in read.items()}
        return {path.split("/")[-2] for path in unpacked.fresh(self.packed, known)}

    @property
    def _leaves(self) -> bool:
        """Whether the graph and all records are taken out together: the repository leaves."""
        return not self.new.view.shards and not self.new.tree.records

    def gathered(self) -> Diff:
        paths = trees.changes(self.project.repository.objects, self.range.old, self.range.new)
        graph = {path for side in (self.old, self.new) for path, _ in side.view.shards}
        records = [one for one in paths if record_tree.is_record(self.project, one.path)]
        own = {one.path for one in records} | graph
        files = tuple(one.path for one in paths if one.path not in own)
        changes = self._changes(self._written([one for one in records if one.path not in graph]))
        outside = self._outside(changes, files)
        others = [one for one in paths if one.path not in own]
        objects = self.project.repository.objects
        self.notes += weakened_checks.notes(objects, others, changes)
        settings = settings_changes.between(objects, self.range.old, self.range.new)
        if any(one.worked_on for one in changes):
            for one in settings:
                self.notes.append(ChangeNote(CONCERN, "settings_changed", "", one.sentence))
        self._note_work([one.task for one in changes if one.worked_on])
        self._note_reverts()
        self._note_tampering()
        self._note_imports()
        self._note_lost_claims()
        if self._leaves:
            self.notes = [one for one in self.notes if one.code != "task_removed"]
            said = f"the task graph is taken out, with {counted(len(self.before), 'task')}"
            self.notes.append(ChangeNote(CONCERN, "graph_removed", "", f"{said} and all records"))
        for error in dict.fromkeys(map(str, self.unreadable)):
            self.notes.append(ChangeNote(PROBLEM, "unreadable", "", f"cannot be read: {error}"))
        if (
            self.new.view.shards
            and paths
            and not any(note.severity == PROBLEM for note in self.notes)
        ):
            self._note_errors()
        both = self.before.keys() & self.after.keys()
        packed = {*self.packed.archived, *self.packed.restored}
        moved = sum(
            self.before[task].file != self.after[task].file for task in both if task not in packed
        )
        notes = tuple(sorted(dict.fromkeys(self.notes), key=lambda note: note.severity != PROBLEM))
        return Diff(
            self.range, self.old, self.new, changes, files, outside, notes, moved,
            tuple(self.packed.archived), tuple(self.packed.restored), tuple(settings),
        )  # fmt: skip

    def _note_errors(self) -> None:
        """Note what else the gate refuses: what it has an error of is never clear."""
        from ralphgit.app.gate import landing_gate  # where there is nothing worse to say

        for one in landing_gate.errors_across(self.project, self.range.old, self.range.new):
            self.notes.append(ChangeNote(PROBLEM, one.code, one.task, one.message))

    def _note_reverts(self) -> None:
        """Note what is taken back in part, and what comes back that was taken back before."""
        found = [*reverts.problems(self.project, self.span, self.made, self.reverted)]
        base = self.span._replace(old=self.range.tip or self.range.old)
        found += reverts.returned(self.project, base, self.made)
        files = Content(self.project, self.range.new)
        found += work_and_records.problems(self.project, self.span, self.made, files)
        for one in found:
            severity = PROBLEM if one.severity == "error" else CONCERN
            self.notes.append(ChangeNote(severity, one.code, one.task, one.message))

    def _note_tampering(self) -> None:
        made, span = self.made, self.span
        files = Content(self.project, self.range.new)
        illegal = {
            row.id
            for row in made.moved
            if branch_changes.change(made.before.get(row.id), row)
            or branch_changes.consistency(row.id, row.status, graph_view.stored(row))
        }
        for one in tampering.problems(self.project, span, made, files, illegal):
            self.notes.append(ChangeNote(PROBLEM, one.code, one.task, one.message))
        known = {one.task for one in self.notes if one.code == "carried_claim"}
        for row in made.moved:
            others = {one.by for one in made.completed if one.claim and row.claim} - {row.by}
            if row.status == "in-progress" and others and row.id not in known:
                said = f"{row.id} is claimed by {row.by}, and comes with the work of "
                said += f"{', '.join(sorted(others))}: it stands on that, or was not to come along"
                self.notes.append(ChangeNote(CONCERN, "unfinished_claim", row.id, said))

    def _note_work(self, tasks: Sequence[str]) -> None:
        """Note what work brings in the name of others, and links that may lead to what judges."""
        made = [
            task_mapping.task(graph_view.stored(self.after[task]))
            for task in tasks
            if task in self.after
        ]
        if not made:
            return
        from ralphgit.app.gate import changed_links, words_of_others  # of work alone

        old, new = self.range.old, self.range.new
        for said in changed_links.of_work(self.project, made, new, since=old):
            self.notes.append(ChangeNote(CONCERN, "changed_link", "", said))
        for said in words_of_others.of_work(self.project, made, new):
            self.notes.append(ChangeNote(CONCERN, "word_of_others", "", said))

    def _note_imports(self) -> None:
        """Note each new task that is complete because its source says so."""
        required = self.project.config.verify_required
        for row in self.made.completed:
            files = task_change.done_at_birth(row)
            if files and row.id not in self.made.before:
                one = branch_changes.imported(row.id, files, self.made.touched, required=required)
                severity = PROBLEM if one.severity == "error" else CONCERN
                self.notes.append(ChangeNote(severity, one.code, one.task, one.message))

    def _note_lost_claims(self) -> None:
        """Note each task that the base has given to another claim since the two parted."""
        if not self.range.tip:
            return
        base = revisions_compared.side(self.project, self.range.tip, self.range.base).rows
        for lost in changed.lost_claims(self.before, base, self.after, self.range.base):
            self.notes.append(ChangeNote(PROBLEM, lost.code, lost.task, lost.message))

    def _outside(self, changes: Sequence[TaskChange], files: Sequence[str]) -> tuple[str, ...]:
        worked = [self.after[one.task] for one in changes if one.worked_on]
        scopes = branch_scopes.scopes_of(worked, self.before)
        # Where a scope means nothing, or one is without bounds, no file is outside.
        if not scopes.bounded or scopes.open:
            return ()
        outside = tuple(scopes.outside(files, self.project))
        task = scopes.bounded[0].id if len(scopes.bounded) == 1 else ""
        for path in outside:
            said = branch_scopes.sentence(path, scopes.bounded)
            self.notes.append(ChangeNote(PROBLEM, "outside_scope", task, said))
        return outside

    # -- records -------------------------------------------------------------------------

    def _written(self, paths: Sequence[trees.PathChange]) -> dict[str, Written]:
        """Collect what was written about each task, by what the records folder gained."""
        read = self.project.repository.objects.read
        contents = read(oid for one in paths for oid in (one.old, one.new) if oid)
        found: dict[str, Written] = {}
        moved = self._moved_records(paths, contents)
        taken = reverts.removed_with(self.project, self.span, self.reverted)
        for one in paths:
            kind, _, rest = one.path.removeprefix(f"{self.project.config.records}/").partition("/")
            task, slash, _ = rest.partition("/")
            if kind not in FILED or not slash or not one.path.endswith(".yaml"):
                continue
            old, new = moved.get(one.path, contents.get(one.old)), contents.get(one.new)
            old = self.packed.old.records.get(one.path) if old is None else old
            new = self.packed.new.records.get(one.path) if new is None else new
            if old == new or (new is None and task in self.renames):
                continue  # the gate finds records that a renamed task has lost
            known = found.setdefault(task, Written([], [], []))
            removed = new is None and not self._leaves and one.path not in taken
            if removed or (kind == "evidence" and new is not None and old is not None):
                what = "removed" if new is None else "edited"
                said = f"{one.path} is {what}; {kind} is never {what}"
                self.notes.append(ChangeNote(PROBLEM, f"{what}_{kind}", task, said))
            if new is None:
                continue
            known.paths.append(one.path)
            try:
                if kind == "audit":
                    known.events.extend(_gained(old, new))
                elif kind == "guidance":
                    known.guidance.append(questions.parse(new))
            except InvalidRecord as error:
                self.unreadable.append(error.at(f"{self.range.head}:{one.path}"))
        for known in found.values():
            known.events.sort(key=lambda event: event.at)
        return found

    def _moved_records(
        self, paths: Sequence[trees.PathChange], contents: Mapping[str, bytes]
    ) -> dict[str, bytes]:
        """What the records of renamed tasks were, by where they are now."""
        found = {}
        for one in paths:
            folder, _, name = one.path.rpartition("/")
            above, _, task = folder.rpartition("/")
            if task in self.renames and one.old in contents:
                new = self.renames[task]
                found[f"{above}/{new}/{name}"] = with_task(contents[one.old], task, new)
        return found

    def _of_base(self, tasks: Sequence[str], known: Collection[str]) -> list[Review]:
        """The reviews that the base has by now and the change has not."""
        base = self.range.tip or self.range.old
        if not base:
            return []
        tree = record_tree.commit_tree(self.project, base, f"{base[:12]}:")
        found = review.listed(self.project, tree, tasks, unreadable=[])
        return [one for one in found if one.id not in known]

    def _brought(self, paths: Sequence[str]) -> frozenset[str]:
        """The ids of the records that the change adds, and the base has not by now."""
        base, resolve = self.project.base.commit, self.project.repository.objects.resolve
        known = resolve([f"{base}:{path}" for path in paths]) if base else [None] * len(paths)
        new = (path for path, oid in zip(paths, known, strict=True) if oid is None)
        return frozenset(path.rpartition("/")[2].removesuffix(".yaml") for path in new)

    # -- tasks ---------------------------------------------------------------------------

    def _changes(self, written: Mapping[str, Written]) -> tuple[TaskChange, ...]:
        """The tasks that changed, in the order of the graph; those that are gone come last."""
        ids = [
            task
            for task in dict.fromkeys([*self.after, *self.before])
            if task in written or _json(self.before.get(task)) != _json(self.after.get(task))
        ]
        there = [task for task in ids if task in self.after]
        known: dict[str, dict[str, Evidence]] = {}
        reviews: list[Review] = []
        if there:
            tree, lost = self.new.tree, self.unreadable
            known = judged_evidence.recorded(self.project, tree, there, unreadable=lost)
            reviews = review.listed(self.project, tree, there, unreadable=lost)
            reviews += self._of_base(there, {one.id for one in reviews})
        place = JudgedState(self.new.view, self.new.tree, Content(self.project, self.range.new))
        return tuple(
            self._change(
                task, place, known.get(task, {}), [one for one in reviews if one.task == task],
                written.get(task, Written([], [], [])),
            )
            for task in ids
        )  # fmt: skip

    def _change(
        self,
        task: str,
        place: JudgedState,
        records: Mapping[str, Evidence],
        reviews: Sequence[Review],
        written: Written,
    ) -> TaskChange:
        old, new = self.before.get(task), self.after.get(task)
        was, now = graph_view.stored(old) if old else {}, graph_view.stored(new) if new else {}
        promised = task_mapping.task(was) if old else None
        assessed = (
            judged_evidence.assessed(self.project, place, new, records, promised) if new else None
        )
        then = None
        if assessed is not None and new is not None and new.status == "complete":
            then = own_time.found(self.project, self.range, assessed, records, promised)
        added = {path.rpartition("/")[2].removesuffix(".yaml") for path in written.paths}
        made = task_change.change(
            promised,
            task_mapping.task(now) if new else None,
            new or self.before[task],
            fields=diff_steps.fields(was, now, lifecycle=task_mapping.LIFECYCLE_KEYS)
            if old and new
            else (),
            written=written,
            assessed=assessed,
            known_reviews=reviews,
            is_new=added,
            then=then,
        )
        task_now = task_mapping.task(now) if new else None
        not_by = review.model_of(self.project, self.range.new, task_now) if task_now else ""
        told = task_change.notes(
            made, old, new, now, place.content, reviews, not_by=not_by,
            brought=self._brought(written.paths),
        )  # fmt: skip
        legal = task in self.reverted  # though no command does so
        self.notes += [one for one in told if not (legal and one.code in _OF_MOVES)]
        return made


def _fault(error: InvalidRecord, side: Side) -> tuple[str, int, str]:
    """Return what identifies a fault on either side."""
    return error.file.removeprefix(side.tree.label), error.line, error.message


def _json(row: Row | None) -> str:
    return row.json if row is not None else ""


def _gained(old: bytes | None, new: bytes) -> list[Event]:
    """List the events that an audit file has gained; none of a review. Raises: InvalidRecord."""
    after = audit_file.events(new)
    if after is None:
        return []
    try:
        before = audit_file.events(old) if old is not None else None
    except InvalidRecord:
        before = None
    return list(after[2][len(before[2]) if before else 0 :])
