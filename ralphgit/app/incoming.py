"""What a branch brings, judged as merged into its base (SPEC 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ralphgit.app import change, evidence, look, review, view
from ralphgit.app.content import Content
from ralphgit.app.judging import (
    KINDS,
    NOWHERE,
    Problem,
    from_error,
    place,
    state,
)
from ralphgit.app.project import Project
from ralphgit.app.trees import Tree, commit_tree
from ralphgit.errors import InvalidRecord
from ralphgit.git import index, merge
from ralphgit.model.row import Row
from ralphgit.records import audit, graph, plain, tasks
from ralphgit.records import text as texts
from ralphgit.rules import gate, guards
from ralphgit.rules.contract import contract
from ralphgit.rules.overlap import covers_any


def incoming(project: Project, base: str, head: str, *, whole: bool = True) -> list[Problem]:
    """What stops `head` from being merged into `base`, and what is worth a warning.

    Not `whole`: only what the branch brings, and not whether all records are valid.

    Raises: UsageError (bad_revision), InvalidRecord (no_graph).
    """
    ours, theirs = look.commit_of(project, base), look.commit_of(project, head)
    repository = project.repository
    fork = repository.git.try_run("merge-base", ours, theirs)
    if fork.status:
        return [
            Problem(
                code="unrelated",
                message=f"{head} and {base} share no history",
                hint="a shallow clone? git fetch --unshallow",
            )
        ]
    start = fork.out.decode().strip()
    try:
        before = {row.id: row for row in project.view(ours, base).rows}
    except InvalidRecord as error:
        # Whoever mends the base must pass: what the branch does to its tasks cannot be told.
        found = from_error(NOWHERE, error)._replace(severity="warning")
        return [found, *state(project, commit_tree(project, theirs, "", repository.objects))]
    with merge.merged(repository, ours, theirs) as merged:
        if merged.conflicts:
            return _conflicts(project, merged.conflicts, base, start, before, theirs)
        tree = commit_tree(project, merged.tree, "", merged.objects)
        if not tree.shards:
            raise project.no_graph(f"{head} merged into {base}")
        problems = state(project, tree) if whole else []
        rows = _rows(project, tree)
        if rows is None:
            return problems
        after = {row.id: row for row in rows}
        problems += _moves(project, tree, before, after)
        problems += _kept_records(project, start, theirs)
        problems += _completions(project, tree, merged, before, after)
        problems += _reviews(project, tree, theirs, before, after)
        problems += _scope(project, start, theirs, before, after)
    return problems


def _rows(project: Project, tree: Tree) -> list[Row] | None:
    """The merged graph; None where it cannot be read, which is a problem of its own."""
    try:
        return [
            row
            for path, _ in tree.shards
            for row in graph.rows(
                graph.parse(
                    tree.content(path) or b"", path=path, limit=project.config.max_graph_bytes
                )
            )
        ]
    except InvalidRecord:
        return None


def _conflicts(
    project: Project,
    paths: Sequence[str],
    base: str,
    start: str,
    before: Mapping[str, Row],
    head: str,
) -> list[Problem]:
    """A merge that conflicts; where the records do, which claim lost to which."""
    found = [
        Problem(
            code="merge_conflict",
            file=path,
            message=f"the branch conflicts with {base} in {path}",
            hint=f"git merge {base}"
            + (", then ralphgit resolve" if change.is_record(project, path) else ""),
        )
        for path in paths
    ]
    graphs = {path for path in paths if change.is_record(project, path)}
    if not graphs:
        return found
    try:
        fork = {row.id: row for row in project.view(start, "the merge base").rows}
        mine = {row.id: row for row in project.view(head, "the branch").rows}
    except InvalidRecord as error:
        return [*found, from_error(NOWHERE, error)]
    for task, row in mine.items():
        known, theirs = fork.get(task), before.get(task)
        if theirs is None or theirs.file not in graphs or known == theirs:
            continue
        changed = known is None or _stage(row) != _stage(known)
        if (
            changed
            and known is not None
            and _stage(theirs) != _stage(known)
            and _stage(theirs) != _stage(row)
        ):
            holder = (
                f"{theirs.by} has it by claim {theirs.claim}"
                if theirs.claim
                else f"it is {theirs.status}"
            )
            if theirs.epoch > row.epoch:
                holder = f"it was reset (epoch {theirs.epoch})"
            found.append(
                Problem(
                    code="claim_lost",
                    file=row.file,
                    line=row.line,
                    task=task,
                    message=f"claim {row.claim or '-'} of {row.by or 'this branch'} on {task} "
                    f"no longer stands: on {base} {holder}",
                    hint=f"keep the work on a branch of its own, then: git reset --hard {base}",
                )
            )
    return found


def _stage(row: Row) -> tuple[object, ...]:
    return (row.status, row.claim, row.epoch, row.mark)


def _moves(
    project: Project, tree: Tree, before: Mapping[str, Row], after: Mapping[str, Row]
) -> list[Problem]:
    found = []
    for task, row in after.items():
        old = before.get(task)
        fault = gate.change(old, row)
        if (
            old is not None
            and old.claim
            and row.epoch > old.epoch
            and not _events(project, tree, old) & {"reset", "released", "answered"}
        ):
            fault = gate.raised(old, row)
        if fault:
            found.append(place(tree, fault, after))
    for task, row in before.items():
        if task not in after:
            found.append(place(tree, gate.removed(row), before))
    return found


def _kept_records(project: Project, start: str, head: str) -> list[Problem]:
    """Evidence and guidance are never edited, audit only grows."""
    git, folder = project.repository.git, project.config.records
    found = []
    changed = index.differing(git, start, head, filter="MDT")
    old = project.repository.objects.read(
        f"{start}:{p}" for p in changed if p.startswith(f"{folder}/")
    )
    new = project.repository.objects.read(
        f"{head}:{p}" for p in changed if p.startswith(f"{folder}/")
    )
    for path in changed:
        kind, _, rest = path.removeprefix(f"{folder}/").partition("/")
        if not path.startswith(f"{folder}/") or kind not in KINDS:
            continue
        before, after = old.get(f"{start}:{path}", b""), new.get(f"{head}:{path}")
        if after is not None and kind == "audit" and _grew(before, after):
            continue
        if after is not None and kind == "guidance" and _answered(before, after):
            continue
        what = "removed" if after is None else "edited"
        found.append(
            Problem(
                code=f"{what}_{kind}",
                file=path,
                task=rest.partition("/")[0],
                message=f"{kind} is never {what}",
                hint=f"git checkout {start[:12]} -- {path}",
            )
        )
    return found


def _mapping(data: bytes) -> dict[str, object]:
    try:
        value = plain.load(texts.decode(data, limit=max(len(data), 1)))
    except InvalidRecord:
        return {}
    return value if isinstance(value, dict) else {}


def _grew(before: bytes, after: bytes) -> bool:
    old, new = _mapping(before), _mapping(after)
    was, now = old.pop("events", None), new.pop("events", None)
    return isinstance(was, list) and isinstance(now, list) and old == new and now[: len(was)] == was


def _answered(before: bytes, after: bytes) -> bool:
    """An answer may be added to a question; nothing else of it may change."""
    old, new = _mapping(before), _mapping(after)
    return "answer" not in old and {k: v for k, v in new.items() if k != "answer"} == old


def _completed(before: Mapping[str, Row], after: Mapping[str, Row]) -> list[tuple[Row, Row | None]]:
    """The tasks that the change completes, each with how it was before."""
    return [
        (row, before.get(task))
        for task, row in after.items()
        if row.status == "complete" and (task not in before or before[task].status != "complete")
    ]


def _completions(
    project: Project,
    tree: Tree,
    merged: merge.Merged,
    before: Mapping[str, Row],
    after: Mapping[str, Row],
) -> list[Problem]:
    """Each task that the change completes has passing, fresh evidence for each command."""
    found = []
    completed = _completed(before, after)
    known = evidence.recorded(project, tree, [row.id for row, _ in completed]) if completed else {}
    files = Content(project, merged.tree, git=merged.objects.git)
    for row, old in completed:
        task = row.id
        stored = tasks.task(view.stored(row))
        if not row.claim or stored.lifecycle.result is None:
            fault = gate.Fault(
                code="not_claimed",
                task=task,
                message=f"{task} is complete, and nobody claimed it or no result says so",
                hint=f"ralphgit claim {task}, then: ralphgit complete {task}",
            )
            found.append(place(tree, fault, after))
            continue
        if row.contract and contract(stored) != row.contract:
            fault = gate.Fault(
                code="stale_contract",
                task=task,
                message=f"{task} is completed under another contract than it has now",
                hint=f"ralphgit complete {task} --accept-contract",
            )
            found.append(place(tree, fault, after))
        if "force-completed" in _events(project, tree, row):
            fault = gate.Fault("forced", task, f"{task} was completed by force", "", "warning")
            found.append(place(tree, fault, after))
            continue
        wanted = tasks.task(view.stored(old)).verify if old is not None else stored.verify
        for command in wanted:
            digest = evidence.digest_of(command)
            mine = [e for e in known.get(task, {}).values()
                    if e.command_digest == digest and e.claim == row.claim]  # fmt: skip
            if not any(e.exit_code == 0 for e in mine):
                fault = gate.Fault(
                    code="missing_evidence",
                    task=task,
                    message=f"{task} is complete without evidence for: {command}",
                    hint=f"ralphgit complete {task}",
                )
                found.append(place(tree, fault, after))
            elif not any(e.exit_code == 0 and evidence.is_fresh(e, stored, files) for e in mine):
                fault = gate.Fault(
                    code="stale_evidence",
                    task=task,
                    message=f"what {task} was judged by has changed since: {command}",
                    hint="run the command again on the merged result",
                    severity="warning",
                )
                found.append(place(tree, fault, after))
    return found


def _reviews(
    project: Project,
    tree: Tree,
    head: str,
    before: Mapping[str, Row],
    after: Mapping[str, Row],
) -> list[Problem]:
    """Work of high risk has been reviewed by somebody else, as it is on the branch."""
    found = []
    for row, old in _completed(before, after):
        task = row.id
        promised = tasks.task(view.stored(old)) if old is not None else None
        if why := review.missing(project, head, tasks.task(view.stored(row)), promised):
            fault = gate.Fault(
                code="review_missing",
                task=task,
                message=f"{task} has risk: high, and {why}",
                hint=f"as somebody else: {review.command(task, head[:12])}",
            )
            found.append(place(tree, fault, after))
    return found


def _events(project: Project, tree: Tree, row: Row) -> set[str]:
    """What happened to the row's claim, as its audit says."""
    path = f"{project.config.records}/audit/{row.id}/{row.claim}.yaml"
    try:
        known = audit.events(tree.content(path) or b"")
    except InvalidRecord:
        return set()
    return {event.event for event in known[2]} if known else set()


def _scope(
    project: Project, start: str, head: str, before: Mapping[str, Row], after: Mapping[str, Row]
) -> list[Problem]:
    """The real diff lies inside the write scope of the tasks that the branch worked on."""
    worked = [
        row
        for task, row in after.items()
        if row.claim and (before.get(task) is None or _stage(before[task]) != _stage(row))
    ]
    # As the base has it: a branch cannot widen its own scope.
    promised = [before.get(row.id) or row for row in worked]
    if not worked or any(not row.write or guards.contract(row) for row in promised):
        return []
    allowed = [pattern for row in promised for pattern in row.write]
    names = ", ".join(row.id for row in worked)
    return [
        Problem(
            code="outside_scope",
            file=path,
            task=worked[0].id if len(worked) == 1 else "",
            message=f"{path} is outside the write scope of {names}",
            hint="take it out, or widen the scope on the base",
        )
        for path in index.differing(project.repository.git, start, head)
        if not change.is_record(project, path) and not covers_any(allowed, path)
    ]
