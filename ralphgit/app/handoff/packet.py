"""Compile the packet: everything a worker needs for one task, bounded (SPEC 3.4)."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.handoff import dependencies, earlier_attempts
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.model import agent_profile
from ralphgit.model.handoff import Packet
from ralphgit.model.task import Task
from ralphgit.model.task_row import Row
from ralphgit.records import audit_file
from ralphgit.records import packet_file as codec
from ralphgit.records.task_mapping import LIFECYCLE_KEYS
from ralphgit.rules.claim_options import ClaimOptions, Priorities
from ralphgit.rules.contract_digest import contract

#: Where a worktree has the packet of its task.
PATH = ".ralph/packet.yaml"


def compile(
    project: Project, task: Task, *, claim: str = "", worker: str = "", clean: bool
) -> Packet:
    """Compile the packet of `task`, with earlier questions, answers and rescued work."""
    return Packet(
        task=task.id,
        contract=contract(task),
        title=task.title,
        description=task.description,
        story=task.story,
        acceptance=task.acceptance,
        scope=task.scope,
        verify=task.verify,
        outputs=task.outputs,
        base=project.base.commit[:12],
        clean=clean,
        claim=claim,
        worker=worker,
        answers=tuple(earlier_attempts.recorded(project, task.id)),
        kept=_earlier_work(project, task.id),
        dependencies=dependencies.left(project, task),
        mode=task.mode,
        agent=agent_profile.wanted(task.agent, task.story, project.config.agents),
        background=_background(project, task),
    )


def _earlier_work(project: Project, task: str) -> tuple[str, ...]:
    if not (kept := earlier_attempts.kept(project, task)):
        return ()
    from ralphgit.app.lifecycle import rescued_work  # most tasks have none

    return tuple(ref for ref in kept if rescued_work.has_work(project, ref))


def _background(project: Project, task: Task) -> str:
    """What is said of a task's story and milestone, on the base or, if it is not there, here."""
    on_base = bool(project.base.commit) and task.id in project.base_view.by_id
    here = project.here if project.repository.top is not None and not on_base else None
    view = project.base_view if on_base else here
    if view is None:
        return ""
    row = view.by_id.get(task.id)
    milestone = str(view.stored(row).get("milestone") or "") if row else ""
    return view.words_around(task.story, milestone)


def packet(project: Project, task: str = "") -> Packet:
    """Compile the packet of a task, claimed or not, from this worktree's graph, or from the base's
    if the task is not in it. Without `task`, of the one that this worktree has claimed, else of
    the first that is ready. Nothing is written.

    Raises: NothingReady, UnknownTask, InvalidRecord.
    """
    task = task or _own(project) or first_ready(project)
    found = view_with(project, task).task(task)
    held = found.claim if found.status == "in-progress" else None
    claim = held.id if held else ""
    clean = is_clean(project, task, claim)
    return compile(project, found, clean=clean, claim=claim, worker=held.by if held else "")


def first_ready(project: Project, *, story: str = "", priority: Priorities | None = None) -> str:
    """Find the task that `next` would list first. Raises: NothingReady, NeedsPerson."""
    claim_map = ClaimMap(project)
    found = next_tasks.takeable(project, story=story, priority=priority, claim_map=claim_map)
    if not found.tasks:
        asked = ClaimOptions(story=story, priority=priority)
        from ralphgit.app.lifecycle import idle_errors

        raise idle_errors.nothing(claim_map, asked, found)
    return found.tasks[0][0].id


def _own(project: Project) -> str:
    """The task that this worktree works on; "" for none."""
    if project.repository.top is None:
        return ""
    own = own_claims.open_claims(project, ClaimMap(project))
    return own[0].task if own else ""


def view_with(project: Project, task: str) -> GraphView:
    """Return this worktree's graph if it has the task, else the base's. Raises: UnknownTask."""
    here = project.here if project.repository.top is not None else None
    if here is not None and (task in here.by_id or not project.base.commit):
        project.require_here().row(task)
        return here
    base = project.base_view
    base.row(task)
    return base


def is_clean(project: Project, task: str, claim: str) -> bool:
    """Whether all in the worktree is committed, but for the record of `claim` on `task`."""
    from ralphgit.app.evidence import tree_digest  # a packet that people read does without

    worktree = project.repository.worktree
    if worktree is None or not worktree.head:
        return False
    with tree_digest.here(project) as files:
        changed = set(files.changed_since(worktree.head))
    row = project.here.by_id.get(task) if changed and claim else None
    if row is not None:
        changed.discard(audit_file.path(project.config.records, task, claim))
        if row.file in changed and _only_claimed(project, row):
            changed.discard(row.file)
    return not changed


def _only_claimed(project: Project, row: Row) -> bool:
    """Whether a graph file is as HEAD has it, but for the state of one task."""
    here, head = project.here, project.view("HEAD", "HEAD")
    known = head.by_id.get(row.id)
    if known is None or known.file != row.file:
        return False
    now, before = here.content(row.file), head.content(row.file)
    around = now[: row.start] + now[row.end :] == before[: known.start] + before[known.end :]
    return around and _promise(here, row) == _promise(head, known)


def _promise(view: GraphView, row: Row) -> dict[str, object]:
    return {key: value for key, value in view.stored(row).items() if key not in LIFECYCLE_KEYS}


#: What is of use in a loop alone, which reads the worker's report; and of programs.
_OF_A_LOOP = ("contract", "worker", "posture", "source", "output_contract")


def encoded(project: Project, made: Packet, *, by_hand: bool = False) -> bytes:
    """Encode the packet as YAML. `by_hand`: for a worker that no loop has started.

    Raises: GuardRefused (packet_too_large).
    """
    data = codec.encode(made, PATH, _OF_A_LOOP if by_hand else ())
    limit = project.config.max_record_bytes
    if len(data) > limit:
        raise GuardRefused(
            f"the packet of {made.task} has {len(data)} bytes; a worker gets at most {limit}",
            code="packet_too_large",
            hint=f"shorten the description of {made.task}, or split the task",
            details={"task": made.task},
        )
    return data


def stored(made: Packet) -> dict[str, object]:
    """Return the packet in the form of `packet.schema.json`."""
    return codec.stored(made)
