"""Merge branches in a good order, prove the result, and land it (SPEC 6).

The merges are made in the object store, so that no worktree is touched; commands run in a
worktree of their own (`app.worktrees.proving_worktree`). The base moves once, at the end, by
compare-and-swap, and only to what was proved: killed before that, nothing has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.base import update_base
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.base.records_in_review import Change, InReview
from ralphgit.app.evidence.proofs import Proof
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.forge import change_base
from ralphgit.app.gate import landing_gate
from ralphgit.app.integration import landing_records
from ralphgit.app.integration import plan as integrating
from ralphgit.app.integration.plan import BASE, Plan
from ralphgit.app.integration.reconcile import NOT_READY
from ralphgit.app.landing import auto_merge
from ralphgit.app.lifecycle import rescued_work
from ralphgit.app.processes import verified_here, watched_settings
from ralphgit.app.processes.verify_command import Run
from ralphgit.app.workspace.project import Project
from ralphgit.app.worktrees.proving_worktree import Ground
from ralphgit.errors import GuardRefused
from ralphgit.git import worktrees
from ralphgit.git.merge_chain import Chain, chain
from ralphgit.rules import integration_order
from ralphgit.rules.integration_order import Branch, Foreseen

_ATTEMPTS = 5


class IntegrateOptions(NamedTuple):
    branches: tuple[str, ...]
    dry_run: bool = False
    push: bool = True
    fetch: bool = True
    accept_concerns: bool = False
    """Land also what was completed with concerns: a person has looked at it."""


class Stop(NamedTuple):
    """Why a branch was not integrated."""

    kind: str
    """not-ready, concerns, conflict, coupling, verification, invalid, or not-tried."""
    branch: str
    other: str
    """The branch, or the base, that it conflicts with; "" where there is none."""
    paths: tuple[str, ...]
    """The files by which the two meet."""
    foreseen: Foreseen | None
    """What the packets say of the two; None for a coupling that they do not know."""
    message: str
    command: str = ""
    """The command that no longer passes."""
    output: tuple[str, ...] = ()
    """The end of what it printed."""


class Integrated(NamedTuple):
    """The result of `integrate`."""

    plan: Plan
    merged: tuple[str, ...]
    """The branches that are in the result, in their order."""
    stops: tuple[Stop, ...]
    stale: tuple[Proof, ...]
    """What the merges made stale: rerun, or in a dry run, still to be run."""
    commit: str = ""
    """The base as it is now; "" where nothing has landed."""
    pushed: bool = False
    records: tuple[str, ...] = ()
    """Paths of the evidence written."""
    pull: InReview | None = None
    """By which it comes to the base, where that is not pushed to: nothing has landed yet."""


def integrate(project: Project, options: IntegrateOptions, *, rest: bool = False) -> Integrated:
    """Merge the branches into the base, prove the result, and land what was proved.

    A branch that its own packet refutes stops everything before anything is done; with `rest` it
    is left out, and the others go on. A conflict or coupling that the packets foresaw leaves its
    branch out, and the others go on. The first one that they did not foresee ends it, but with
    `rest`: what was merged before that is proved and lands.

    Raises: UsageError, NeedsPerson (untrusted, settings_changed), Refused (setup_failed),
    GuardRefused (unsettled, base_diverged, dirty_base), RemoteUnavailable
    (require_remote), GitError.
    """
    if not options.dry_run:
        watched_settings.require_seen(project)
        update_base.refuse_unfit(project)
    for _ in range(_ATTEMPTS):
        if options.fetch and not options.dry_run:
            synchronise(project)
        made = _once(project, options, rest=rest)
        if made is not None:
            return made
        project.refresh()
    message = f"{project.base.label} was moved by others each time; nothing was integrated"
    raise GuardRefused(message, code="unsettled", hint="repeat the command")


def _once(project: Project, options: IntegrateOptions, *, rest: bool) -> Integrated | None:
    """Integrate once; None where the base has moved meanwhile."""
    plan = integrating.plan(project, options.branches)
    refused = [not_ready(plan, branch) for branch in plan.branches]
    stops = [stop for stop in refused if stop is not None]
    if stops and not (options.dry_run or rest):
        return Integrated(plan, (), tuple(stops), ())
    with chain(project.repository, project.base.commit, keep=not options.dry_run) as merges:
        work = _Work(
            project, plan, merges, dry_run=options.dry_run, rest=rest,
            accept_concerns=options.accept_concerns,
        )  # fmt: skip
        with Ground(project) as ground:
            work.merge_all(ground)
            if options.dry_run:
                merged = tuple(branch.name for branch in work.merged)
                told = (*stops, *work.stops, *work.not_tried())
                return Integrated(plan, merged, told, tuple(work.stale()))
            work.prove_all(ground)
        work.stops += work.not_tried()
        work.stops[:0] = stops
        return _land(project, plan, work, push=options.push)


def not_ready(plan: Plan, branch: Branch) -> Stop | None:
    found = plan.reconciled[branch.name]
    if found.verdict != NOT_READY:
        return None
    errors = [issue for issue in found.issues if issue.severity == "error"]
    paths = tuple(dict.fromkeys(path for issue in errors for path in issue.paths))
    message = f"{branch.name} is not ready: {errors[0].message}"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Stop("not-ready", branch.name, "", paths, None, message + more)


def _land(project: Project, plan: Plan, work: _Work, *, push: bool) -> Integrated | None:
    if work.merged and (wrong := _wrong(project, work)):
        work.stops.append(wrong)
        work.merged.clear()
    if not work.merged:
        return Integrated(plan, (), tuple(work.stops), tuple(work.was_stale))
    tip, paths = landing_records.commit(
        project, work.steps, work.runs, list(work.was_stale), work.whole
    )
    names = tuple(branch.name for branch in work.merged)
    tasks = tuple(row.id for branch in work.merged for row in branch.rows)
    alone, why = auto_merge.decided(project, tasks, tip)
    told = Change(f"Land {', '.join(tasks)}", tasks, merges_itself=alone)
    base = project.base.commit
    moved = change_base.advance(project, base, tip, told, push=push, lands=True)
    if moved is None:
        return None
    if moved.pull is not None:
        for sentence in why:
            project.warn(sentence)
        return Integrated(
            plan, names, tuple(work.stops), tuple(work.was_stale), moved.pull.commit,
            records=tuple(paths), pull=moved.pull,
        )  # fmt: skip
    rescued_work.clear_landed(project, tasks)
    return Integrated(
        plan, names, tuple(work.stops), tuple(work.was_stale), tip, moved.pushed, tuple(paths)
    )


def _wrong(project: Project, work: _Work) -> Stop | None:
    """Find a problem that only the result has: a cycle, for example."""
    for one in landing_gate.problems(project, work.tip):
        name = work.merged[-1].name
        return Stop("invalid", name, "", (one.file,), None, f"{one.message} [{one.code}]")
    return None


class _Passed(NamedTuple):
    run: Run
    tip: str
    digest: str
    """Of the files in the task's scope, then."""


class _Work:
    """The merges so far, and what was proved of them."""

    def __init__(
        self, project: Project, plan: Plan, merges: Chain, *, dry_run: bool, rest: bool,
        accept_concerns: bool,
    ) -> None:  # fmt: skip
        self._project, self._plan, self._chain = project, plan, merges
        self._dry_run, self._accept_concerns, self._rest = dry_run, accept_concerns, rest
        self.merged: list[Branch] = []
        self.stops: list[Stop] = []
        self._tips = [merges.tip]
        """The base, and then the commit after each of `merged`."""
        self._passed: dict[tuple[str, str], _Passed] = {}
        """What was run and passed, by task and command."""
        self.was_stale: list[Proof] = []
        self.whole: Run | None = None
        """The run of `integrate.verify` at `tip`."""

    @property
    def tip(self) -> str:
        return self._tips[-1]

    @property
    def steps(self) -> list[tuple[Branch, str]]:
        """The merged branches, each with the commit that has all up to it."""
        return list(zip(self.merged, self._tips[1:], strict=True))

    @property
    def runs(self) -> dict[tuple[str, str], Run]:
        """What passed at the tip, by task and command."""
        return {key: one.run for key, one in self._passed.items() if one.tip == self.tip}

    def merge_all(self, ground: Ground) -> None:
        """Merge branch by branch what is not merged or left out; after each, rerun what it made
        stale."""
        progress, branches = self._project.around.progress, self._plan.branches
        while left := self._left():
            with progress.step(left[0].name, branches.index(left[0]) + 1, len(branches)):
                if not self._merge(ground, left[0]):
                    return

    def _left(self) -> list[Branch]:
        """The branches that are neither merged nor left out."""
        gone = {one.name for one in self.merged} | {stop.branch for stop in self.stops}
        ready = self._plan.reconciled
        return [
            one for one in self._plan.branches
            if one.name not in gone and ready[one.name].verdict != NOT_READY
        ]  # fmt: skip

    def not_tried(self) -> list[Stop]:
        """Name the branches behind the one that ended it."""
        because = next((stop.branch for stop in self.stops if not self._goes_on(stop)), "")
        return [
            Stop("not-tried", one.name, because, (), None,
                 f"{one.name} was not tried, since {because} ended it")
            for one in self._left()
        ]  # fmt: skip

    def _goes_on(self, stop: Stop) -> bool:
        """Whether others go on where a branch is left out."""
        return self._rest or stop.kind == "concerns" or stop.foreseen is not None

    def _merge(self, ground: Ground, branch: Branch) -> bool:
        """Merge one branch, and rerun what it made stale; whether to go on to the next."""
        if (waits := self._concerns(branch)) is not None:
            self.stops.append(waits)
            return True
        conflicts = self._chain.merge(branch.commit, f"Merge {branch.name}")
        if conflicts:
            stop = self._conflict(branch, conflicts)
            self.stops.append(stop)
            return self._goes_on(stop)
        self.merged.append(branch)
        self._tips.append(self._chain.tip)
        done = self._dry_run or self._run(ground, self.stale(), anew=False)
        return done or self._goes_on(self.stops[-1])

    def _concerns(self, branch: Branch) -> Stop | None:
        """The reason to leave a branch to a person, whatever becomes of the others."""
        view = self._project.view(branch.commit, branch.name)
        tasks = [view.task(row.id) for row in branch.rows]
        if self._accept_concerns:
            return None
        found = landing_gate.concerns(self._project, tasks, branch.commit)
        if not found:
            return None
        message = f"{branch.name} was completed with concerns, and a person decides: {found[0]}"
        return Stop("concerns", branch.name, "", (), None, message, output=tuple(found))

    def _conflict(self, branch: Branch, paths: tuple[str, ...]) -> Stop:
        meets = self._plan.meetings
        pair = integration_order.pair
        others = [one for one in self.merged if pair(one.name, branch.name) in meets]
        other = others[-1] if others else None
        name = other.name if other else self._project.base.label
        foreseen = self._plan.foreseen(branch, other or self._landed(branch))
        known = ", and the packets did not foresee it"
        if foreseen is not None:
            known = f"; foreseen: {foreseen.sentence}"
        message = f"{branch.name} conflicts with {name} in {', '.join(paths)}{known}"
        return Stop("conflict", branch.name, name, paths, foreseen, message)

    def _landed(self, branch: Branch) -> Branch:
        """What the base has that came after the branch left it."""
        project, base = self._project, self._tips[0]
        fork = worktrees.fork(project.repository.git, base, branch.commit)
        before = project.view(fork, fork[:12]).by_id if fork else {}
        rows = tuple(
            row for row in project.base_view.rows
            if row.status == "complete"
            and (row.id not in before or before[row.id].status != "complete")
        )  # fmt: skip
        return Branch(project.base.label, base, rows, ())

    # -- proofs --------------------------------------------------------------------------

    def proofs(self) -> list[Proof]:
        """List the proofs of what is merged, and of what was on the base before."""
        names = {BASE, *(branch.name for branch in self.merged)}
        return [proof for proof in self._plan.proofs if proof.owner in names]

    def stale(self) -> list[Proof]:
        """List the proofs that do not hold for the merged content."""
        files = Content(self._project, self.tip, objects=self._chain.objects)
        return [proof for proof in self.proofs() if not proof.holds(files)]

    def prove_all(self, ground: Ground) -> None:
        """Run every command of the merged branches on the result, until all pass.

        At one that fails, undo the merge that broke it and those after it.

        A single branch that the base has not moved away from, and that a command of this user has
        verified, is not verified again; of others the evidence may be their workers' own.
        """
        while self.merged:
            self.was_stale = self.stale()
            proofs = self.was_stale
            known = verified_here.is_noted(self._project, self.tip)
            if self.tip != self.merged[-1].commit or not known:
                own = [proof for proof in self.proofs() if proof.owner != BASE]
                proofs = list(dict.fromkeys([*own, *proofs]))
            if self._run(ground, proofs, anew=True) and self._run_whole(ground):
                return
            if self._goes_on(self.stops[-1]):
                self.merge_all(ground)  # what was merged after the one that was left out

    def _run(self, ground: Ground, proofs: Sequence[Proof], *, anew: bool) -> bool:
        """Run proofs at the tip; at the first that fails, undo the merge that broke it.

        `anew`: also what has passed on the same files of its scope, but with others changed.
        """
        files = Content(self._project, self.tip, objects=self._chain.objects)
        wanted = []
        for proof in proofs:
            known = self._passed.get((proof.task.id, proof.command))
            digest = files.digest(proof.task.scope)
            if known is None or (known.tip != self.tip if anew else known.digest != digest):
                wanted.append((proof, digest))
        runs = ground.run(self.tip, [proof.wanted for proof, _ in wanted]) if wanted else {}
        for proof, digest in wanted:
            run = runs[proof.task.id, proof.command]
            if not run.passed:
                self._coupled(ground, proof, run)
                return False
            self._passed[proof.task.id, proof.command] = _Passed(run, self.tip, digest)
        return True

    def _run_whole(self, ground: Ground) -> bool:
        command = self._project.config.integrate_verify
        if not command:
            return True
        rows = self.merged[-1].rows
        (run,) = ground.run(self.tip, [(rows[-1].id, "", command)]).values()
        if run.passed:
            self.whole = run
            return True
        together = ", ".join(branch.name for branch in self.merged)
        message = f"{together}: integrate.verify fails (exit {run.exit_code}): {command}"
        self.stops.append(
            Stop("verification", self.merged[-1].name, "", (), None, message, command, _tail(run))
        )
        self._back_to(len(self.merged) - 1)
        return False

    def _back_to(self, count: int) -> None:
        del self.merged[count:]
        del self._tips[count + 1 :]
        self._chain.tip = self.tip

    def _coupled(self, ground: Ground, proof: Proof, run: Run) -> None:
        """Find the two that do not work together, and undo the later one and those after it."""
        owners = [branch.name for branch in self.merged]
        first = owners.index(proof.owner) + 1 if proof.owner != BASE else 1
        at = next(
            (
                number
                for number in range(first, len(self.merged))
                if not self._run_alone(ground, self._tips[number], proof).passed
            ),
            len(self.merged),
        )
        branch = self.merged[at - 1]
        if proof.owner == branch.name:
            others = self._partners(ground, proof, at)
        else:
            others = tuple(one for one in self.merged if one.name == proof.owner)
        self.stops.append(self._coupling(proof, run, branch, others))
        self._back_to(at - 1)

    def _partners(self, ground: Ground, proof: Proof, at: int) -> tuple[Branch, ...]:
        """Find the branch before the one at `at` that keeps its proof from passing.

        None if the base does; all of them if no single one does.
        """
        branch, before = self.merged[at - 1], self.merged[: at - 1]
        if not self._passes(ground, proof, (branch,)):
            return ()
        for other in reversed(before):
            if not self._passes(ground, proof, (other, branch)):
                return (other,)
        return tuple(before)

    def _passes(self, ground: Ground, proof: Proof, branches: Sequence[Branch]) -> bool:
        """Whether a proof passes on the base with only these; True where they do not merge."""
        with chain(self._project.repository, self._tips[0], keep=True) as alone:
            for branch in branches:
                if alone.merge(branch.commit, f"Merge {branch.name}"):
                    return True
            return self._run_alone(ground, alone.tip, proof).passed

    @staticmethod
    def _run_alone(ground: Ground, commit: str, proof: Proof) -> Run:
        (run,) = ground.run(commit, [proof.wanted]).values()
        return run

    def _coupling(self, proof: Proof, run: Run, branch: Branch, others: tuple[Branch, ...]) -> Stop:
        name = " and ".join(one.name for one in others) or self._project.base.label
        met_by = others or (self._landed(branch),)
        foreseen = next(filter(None, (self._plan.foreseen(branch, one) for one in met_by)), None)
        paths: tuple[str, ...] = branch.files
        if others:
            met = [
                integration_order.meeting(
                    *((branch, one) if proof.owner == one.name else (one, branch))
                )
                for one in others
            ]
            paths = tuple(dict.fromkeys(path for some in met for path in some))
        known = f"foreseen: {foreseen.sentence}" if foreseen else "the packets did not foresee it"
        message = (
            f"{branch.name} and {name} do not work together: {proof.task.id} passed before, now "
            f"fails (exit {run.exit_code}): {proof.command}; {known}"
        )
        return Stop(
            "coupling", branch.name, name, paths, foreseen, message, proof.command, _tail(run)
        )


def _tail(run: Run) -> tuple[str, ...]:
    return tuple(run.tail.splitlines()[-20:])
