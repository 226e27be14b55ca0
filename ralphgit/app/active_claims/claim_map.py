"""Map who holds which task: on every branch, in every worktree and in every lease.

Where nobody holds any, what tells of claims (`sightings`, `removed_tasks`, `taken_back`) is not
even imported: that would be a tenth of `ralphgit next`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from ralphgit.app.active_claims import other_bases
from ralphgit.app.active_claims.other_bases import elsewhere, lease_places
from ralphgit.app.workspace.file_ids import FileIds
from ralphgit.app.workspace.graph_view import GraphView, Shard
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, RalphError
from ralphgit.git.listings import Worktree
from ralphgit.model.active_claim import ActiveClaim, Lease, TakenBack
from ralphgit.model.task_row import Row
from ralphgit.rules.indexed_states import IndexedStates
from ralphgit.rules.readiness import TaskState, TaskStates

if TYPE_CHECKING:
    from ralphgit.app.active_claims.remote_beats import Seen
    from ralphgit.app.active_claims.removed_tasks import RemovedTask

#: The name of what the cache has of tasks that another file than the base's has otherwise.
_CHANGED = "changed tasks"
_TEXTS = Row._fields.index("texts")
#: In the names of branches that change records alone, here and on a remote.
RECORDS = "/ralph/records/"


class ClaimMap:
    """The base's graph, and all that is in flight beside it. Read once, on demand."""

    def __init__(self, project: Project) -> None:
        self.project = project

    @cached_property
    def base(self) -> GraphView:
        return self.project.base_view

    @cached_property
    def leases(self) -> dict[str, Lease]:
        """Every lease that can be read, by task."""
        return read_leases(self.project)

    @cached_property
    def beats(self) -> dict[str, Seen]:
        """The loops of other machines, as last fetched, by worker."""
        if not other_bases.has_remote_leases(self.project):
            return {}
        from ralphgit.app.active_claims import remote_beats

        return remote_beats.every(self.project)

    @cached_property
    def active_claims(self) -> dict[str, list[ActiveClaim]]:
        """Where a task has another state than on the base, by task; by its new id, too, where the
        base has renamed it.
        """
        return self._sighted[0]

    @cached_property
    def taken_back(self) -> dict[str, list[ActiveClaim]]:
        """Where a task has a claim still that the base took back: none of them holds it (L12)."""
        return self._sighted[1]

    @cached_property
    def _sighted(self) -> tuple[dict[str, list[ActiveClaim]], dict[str, list[ActiveClaim]]]:
        found: dict[str, list[ActiveClaim]] = {}
        withdrawn: dict[str, list[ActiveClaim]] = {}
        branches = {one.path: one.branch for one in self.project.repository.worktrees}
        recorded = other_bases.without_bases(
            self.project, (*self._on_branches(), *self._in_worktrees()), branches
        )
        for active in (*recorded, *self._leased()):
            is_over = self.how_taken_back(active) is not None
            known = (withdrawn if is_over else found).setdefault(active.task, [])
            # What a branch says, its own worktree need not say again.
            if not any(same.claim == active.claim and same.status == active.status
                       and same.kind == "branch" and active.kind == "worktree"
                       and not active.path for same in known):  # fmt: skip
                known.append(active)
        if not found:
            return found, withdrawn
        from ralphgit.app.active_claims import removed_tasks, sightings
        from ralphgit.app.workspace import tracked_pull_requests

        noted = tracked_pull_requests.everywhere(self.project.repository.worktrees)
        pulls = {one.claim: one for one in noted}
        for task, claims in found.items():
            if pulls:
                claims = [one._replace(pull=pulls.get(one.claim)) for one in claims]
            found[task] = sightings.holder_first(self.project, self.leases, claims)
        for old, one in removed_tasks.found(self.project, self.base, found).items():
            now = [
                active._replace(task=one.now, where=f"{active.where} as {active.task}")
                for active in (one.claims if one.now else ())
            ]
            # The task had landed, was renamed, and was taken back: under the new id (law L12).
            if over := [active for active in now if self.how_taken_back(active) is not None]:
                withdrawn.setdefault(one.now, []).extend(over)
                gone = {active.claim for active in over}
                found[old] = [active for active in found[old] if active.claim not in gone]
                if not found[old]:
                    del found[old]
            elif one.now and not one.is_complete:
                found.setdefault(one.now, []).extend(now)
        return found, withdrawn

    def how_taken_back(self, one: ActiveClaim | Lease) -> TakenBack | None:
        """How the base took back a claim; None for one that it has, or never had."""
        row = self.base.by_id.get(one.task)
        if row is None or row.claim == one.claim or row.epoch > one.epoch:
            return None
        from ralphgit.app.workspace import taken_back

        return taken_back.of(self.project, one.task, one.claim, one.base)

    @cached_property
    def removed(self) -> dict[str, RemovedTask]:
        """The tasks that the base has lost since their claims were made."""
        from ralphgit.app.active_claims import removed_tasks

        return removed_tasks.found(self.project, self.base, self.active_claims)

    @cached_property
    def task_states(self) -> IndexedStates:
        """Every task's derived state."""
        return IndexedStates(self.base, self.active_claims)

    def claimed(self, lease: Lease, row: Row) -> TaskState:
        """The standing of a task after this worktree took it: `row` is how it has it now."""
        base = self.base.by_id.get(row.id)
        if base is None:
            return TaskStates([row], {})[row.id]
        others = [active for active in self.active_claims.get(row.id, ()) if active.kind != "lease"]
        worktree = self.project.repository.worktree
        own = self._active_claim(row, "worktree", "this worktree", worktree)
        held = [self._lease_claim(lease)] if lease.oid else []
        return TaskStates([base], {row.id: [*others, own, *held]})[row.id]

    # -- sightings -----------------------------------------------------------------

    def _on_branches(self) -> Iterable[tuple[ActiveClaim, Row]]:
        base = self.project.base
        tips: dict[str, list[str]] = {}
        for name, ref in self.project.repository.refs.items():
            branch = name.startswith(("refs/heads/", "refs/remotes/")) and not ref.symref
            if branch and ref.oid != base.commit:
                tips.setdefault(ref.oid, []).append(name)
        if not tips:
            return
        shards = self.project.shards_anywhere([*tips])
        usual = {shard[1] for shard in self.base.shards}
        differing = {tip: [s for s in shards[tip] if s[1] not in usual] for tip in tips}
        wanted = {shard for own in differing.values() for shard in own}
        deltas = self._deltas(sorted(wanted), self._read_blobs)
        for tip, own in differing.items():
            records = all(RECORDS in f"/{name}" for name in tips[tip])
            theirs = self._changed_since_fork(tip) if records else None
            for name in tips[tip]:
                worktree = self.project.worktree_of(name)
                short = name.removeprefix("refs/heads/").removeprefix("refs/remotes/")
                for shard in own:
                    for row in deltas.get(shard, ()):
                        if theirs is not None and row.id not in theirs:
                            continue
                        if self._is_inherited(tip, row):
                            continue
                        where = f"branch {short}"
                        yield self._active_claim(row, "branch", where, worktree, name), row

    def _is_inherited(self, commit: str, row: Row) -> bool:
        """Whether the base had a task in just this state, and has lost or renamed it since."""
        if self.base.known(row.id) is not None:
            return False
        from ralphgit.app.active_claims import removed_tasks

        return removed_tasks.is_inherited(self.project, commit, row)

    def _changed_since_fork(self, tip: str) -> frozenset[str]:
        """The tasks that a branch of records changes: of all others it has what its base had."""
        from ralphgit.git import worktrees

        git, project = self.project.repository.git, self.project
        fork = worktrees.fork(git, project.base.commit, tip)
        try:
            view = project.view(tip, tip[:12])
            begun = project.view(fork, fork[:12]) if fork else None
            before = begun.by_id if begun else {}
            rows = view.unlike(begun) if begun else view.rows
        except InvalidRecord:
            return frozenset()
        return frozenset(
            row.id for row in rows if row.id not in before or before[row.id].json != row.json
        )

    def _in_worktrees(self) -> Iterable[tuple[ActiveClaim, Row]]:
        usual = {shard[1] for shard in self.base.shards}
        for worktree in self.project.repository.worktrees:
            if worktree.bare or not worktree.exists:
                continue
            shards = self._differing(worktree, usual)
            if not shards:
                continue
            from ralphgit.app.workspace import worktree_names

            where = worktree_names.shown(self.project, worktree.path)
            deltas = self._deltas(shards, partial(self._contents, worktree))
            for shard in shards:
                for row in deltas.get(shard, ()):
                    if not self._is_inherited(worktree.head, row):
                        yield self._active_claim(row, "worktree", where, worktree), row

    def _differing(self, worktree: Worktree, usual: set[str]) -> list[Shard]:
        """The graph files in a worktree whose content is not one of `usual`."""
        here = self.project.known_here
        if here is not None and worktree.path == self.project.repository.top:
            return [shard for shard in here.shards if shard[1] not in usual]
        found, known = [], FileIds(self.project, worktree.path)
        for path in self.project.paths_elsewhere(worktree.path):
            try:
                oid = known.of(path)
            except OSError as error:
                self._warn_of(os.path.join(worktree.path, path), error)
                continue
            if oid not in usual:
                found.append((path, oid))
        known.keep()
        return found

    def _contents(self, worktree: Worktree, shards: Sequence[Shard]) -> dict[Shard, bytes]:
        """What is in these files of a worktree now."""
        found = {}
        for shard in shards:
            full = os.path.join(worktree.path, shard[0])
            try:
                with open(full, "rb") as file:
                    found[shard] = file.read()
            except OSError as error:
                self._warn_of(full, error)
        return found

    def _warn_of(self, full: str, error: OSError) -> None:
        self.project.warn(f"{full} cannot be read: {error.strerror}")

    def _leased(self) -> Iterable[ActiveClaim]:
        for lease in self.leases.values():
            row = self.base.known(lease.task)
            if row is None:  # the base may have renamed it since
                row = next((one for one in self.base.rows if one.claim == lease.claim), None)
            if row is not None and row.claim == lease.claim and row.status != "in-progress":
                continue
            yield self._lease_claim(lease)

    def _active_claim(
        self, row: Row, kind: str, where: str, worktree: Worktree | None, ref: str = ""
    ) -> ActiveClaim:
        from ralphgit.app.active_claims.sightings import of_row

        return of_row(self.project, row, kind, where, worktree, ref)

    def _lease_claim(self, lease: Lease) -> ActiveClaim:
        from ralphgit.app.active_claims.sightings import of_lease

        return of_lease(self.project, lease, lambda: self.beats)

    # -- differences ---------------------------------------------------------------

    def _read_blobs(self, shards: Sequence[Shard]) -> dict[Shard, bytes]:
        blobs = self.project.repository.objects.read(oid for _, oid in shards)
        return {shard: blobs[shard[1]] for shard in shards}

    def _deltas(
        self, shards: Sequence[Shard], read: Callable[[Sequence[Shard]], Mapping[Shard, bytes]]
    ) -> dict[Shard, list[Row]]:
        """For each graph file that is not the base's: its tasks that have another state there.

        Only blocks whose bytes the base's file of that name does not have are parsed, once for
        each pair of files. A file that cannot be read (a merge under way, say) is passed over with
        a warning: its lease counts.
        """
        if not shards:
            return {}
        cache, usual = self.project.cache, dict(self.base.shards)
        kept = cache.kept(_CHANGED) or {}
        pairs = {shard: (*shard, usual.get(shard[0], "")) for shard in shards}
        known = {pair: kept[pair] for pair in pairs.values() if pair in kept}
        fresh = [shard for shard in shards if pairs[shard] not in known]
        if fresh:
            blob_id, lasting = self.project.repository.objects.blob_id, True
            for shard, data in read(fresh).items():
                try:
                    rows = self._changed_rows(data, shard[0])
                except InvalidRecord as error:
                    self.project.warn(f"{error} (skipped while looking for claims)")
                    continue
                known[pairs[shard]] = [(*row[:_TEXTS], row.json) for row in rows]
                if read != self._read_blobs and blob_id(data) != shard[1]:
                    lasting = False  # a file of a worktree that was changed just now
            if lasting:
                cache.keep(_CHANGED, known)
        found = {}
        for shard in shards:
            rows = [
                Row._make((*values, text.encode("ascii"), 0, len(text)))
                for *values, text in known.get(pairs[shard], ())
            ]
            found[shard] = [row for row in rows if _stands_otherwise(row, self.base.known(row.id))]
        return found

    def _changed_rows(self, data: bytes, path: str) -> list[Row]:
        """The tasks of a graph file that the base's does not have so. Raises: InvalidRecord."""
        from ralphgit.records import changed_blocks, graph_file, task_blocks
        from ralphgit.records import input_limits as texts

        text = texts.decode(data, limit=max(len(data), 1))
        usual = self._base_text(path)
        found = changed_blocks.unlike(usual, self.base.rows_of(path), text) if usual else None
        if found is not None:
            return [row for row in found if not _is_same(row, self.base.known(row.id))]
        layout = task_blocks.find(text)
        if layout is None:
            return graph_file.rows(graph_file.parse(data, path=path, limit=max(len(data), 1)))
        there = task_blocks.find(usual)
        known = {usual[span.start : span.end] for span in there.blocks} if there else set()
        rows = []
        for span in layout.blocks:
            block = text[span.start : span.end]
            if block not in known:
                piece = f"version: 1\ntasks:\n{block}".encode()
                rows.extend(graph_file.rows(graph_file.parse(piece, path=path, limit=len(piece))))
        return rows

    def _base_text(self, path: str) -> str:
        """The base's file of this name; "" without one."""
        return self.base.content(path) if any(path == name for name, _ in self.base.shards) else ""

    @property
    def base_is_committed(self) -> bool:
        """Whether `base` is a commit's graph, and not this worktree's files in its place."""
        return self.base is not self.project.__dict__.get("here")


def _is_same(row: Row, base: Row | None) -> bool:
    return base is not None and (base.file, base.json) == (row.file, row.json)


def _stands_otherwise(row: Row, base: Row | None) -> bool:
    if base is not None and not base.file and row.claim == base.claim:
        return False  # it is archived: the branch is from before that
    if base is None:
        return bool(row.claim) or row.status != "pending"
    if row.status == "pending":
        return False
    same = (row.status, row.claim, row.epoch) == (base.status, base.claim, base.epoch)
    return not same


def marked(project: Project, lease: Lease) -> Lease:
    """The lease, which says now whether the base took its claim back."""
    try:
        row = project.base_view.by_id.get(lease.task)
    except RalphError:
        return lease  # what the base has is not known: nothing is free then
    if row is None or row.claim == lease.claim or row.epoch > lease.epoch:
        return lease
    from ralphgit.app.workspace import taken_back

    taken = taken_back.of(project, lease.task, lease.claim, lease.base)
    return lease._replace(is_taken_back=taken is not None)


def read_leases(project: Project) -> dict[str, Lease]:
    """Every lease, by task: the repository's own, and those of other machines as they were
    last fetched. One that cannot be read is warned of.
    """
    places = [place for place in (elsewhere(project), *lease_places(project)) if place]
    own = other_bases.OwnBase(project) if project.other_base else None
    refs = [
        (ref, place) for place in places
        for name, ref in project.repository.refs.items() if name.startswith(place)
    ]  # fmt: skip
    if not refs:
        return {}
    from ralphgit.records import lease_object

    blobs = project.repository.objects.read(ref.oid for ref, _ in refs)
    found = {}
    for ref, place in refs:
        try:
            one = marked(project, lease_object.parse(blobs[ref.oid], ref.oid))
        except (InvalidRecord, KeyError):
            project.warn(f"{ref.name} is not a lease; for details: ralphgit doctor")
            continue
        if own is None or place != places[-2] or own.has(one.base_branch, one.base):
            found[ref.name.removeprefix(place)] = one
    return found
