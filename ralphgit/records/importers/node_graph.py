"""Import a graph of nodes and edges."""

from __future__ import annotations

from collections.abc import Mapping

from ralphgit.errors import InvalidRecord
from ralphgit.model.ids import is_id
from ralphgit.model.task_status import Status
from ralphgit.records.importers.import_format import LIKELY, NO, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts.field_mapping import is_derived, own_refs, status_of, task_of
from ralphgit.records.importers.parts.source_values import (
    MISSING,
    as_mapping,
    as_word,
    entries,
    safe_id,
    safe_names,
    short,
    source_id,
)
from ralphgit.records.importers.source_file import SourceFile

#: What an edge says when it has a type: which end comes first. See `_edges` for those without.
_FROM_FIRST = frozenset({"blocks", "precedes", "before", "enables", "unblocks"})
_TO_FIRST = frozenset({"depends_on", "requires", "needs", "blocked_by", "after"})
_ENDS = (("from", "to"), ("source", "target"))


def _sniff(file: SourceFile) -> int:
    return LIKELY if "nodes" in file.root else NO


def _read(file: SourceFile) -> Imported:
    name, document, text = file.name, file.root, file.body
    if "nodes" not in document:
        raise file.refused("this is not a mapping with `nodes`")
    log = Log()
    nodes = entries(name, document, "nodes", text)
    sources = _source_ids(name, nodes)
    names = safe_names(sources, log)

    pairs: list[tuple[str, str]] = []
    for source, (_, node) in zip(sources, nodes, strict=True):
        pairs += [(source, ref) for ref in own_refs(node, names[source.casefold()], log)]
    edges, kept = _edges(name, document, text, frozenset(pairs), names, log)

    # Dictionaries for their keys: each once, in the order of the file.
    depends: dict[str, dict[str, None]] = {new: {} for new in names.values()}
    missing: dict[str, dict[str, None]] = {new: {} for new in names.values()}
    for source, ref in pairs + edges:
        task, other = names[source.casefold()], names.get(ref.casefold())
        if other is None:
            missing[task][ref] = None
            log.note(f"{task} depends on {ref}, which is not in the file: kept aside.")
        elif other == task:
            log.note(f"{task} depends on itself in the source: that was left out.")
        else:
            depends[task][other] = None

    tasks: list[dict[str, object]] = []
    stands: dict[str, Status | None] = {}
    for source, (_, node) in zip(sources, nodes, strict=True):
        new = names[source.casefold()]
        stands[new] = status_of(node.get("status"))
        node["depends_on"] = list(depends[new])
        if missing[new]:
            node[MISSING] = list(missing[new])
        if new != source:
            node["x-id"] = source
        tasks.append(task_of(new, node, log, "nodes[]."))
    root = _root(document, names, tasks, stands, log)
    if kept:
        root["x-edges"] = kept
    return log.imported(tasks, root)


def _source_ids(name: str, nodes: list[tuple[int, dict[str, object]]]) -> list[str]:
    """The nodes' own ids, in order.

    Raises: InvalidRecord when one is missing, or two are the same but for case.
    """
    found: dict[str, str] = {}
    for index, (line, node) in enumerate(nodes, start=1):
        source = source_id(name, node, f"node {index} of {len(nodes)}", line)
        first = found.get(source.casefold())
        if first is not None:
            also = "" if first == source else f" (once written {first})"
            message = f"two nodes have the id {source}{also}"
            hint = "ids must differ by more than case: rename one, and what refers to it"
            raise InvalidRecord(message, file=name, line=line, task=source, hint=hint)
        found[source.casefold()] = source
    return list(found.values())


def _edges(
    name: str,
    document: Mapping[str, object],
    text: str,
    own: frozenset[tuple[str, str]],
    names: Mapping[str, str],
    log: Log,
) -> tuple[list[tuple[str, str]], list[object]]:
    """The edges as (task, what it depends on), and those that say more than that, as they are.

    `from` comes first and `to` depends on it. In solar-sim, whose edges have no type, they go
    from research to plan to implementation; the edge from T-005-01 to T-005-02 stands in the
    ticket of T-005-02 as `depends_on: [T-005-01]`; and read this way no complete task depends
    on an unfinished one, while the other way round two do. A type can say the opposite
    (`type: depends_on`). So can the nodes' own `depends_on`, given in `own`: where they repeat
    edges the other way round and none this way, all edges without a type are turned.
    """
    read: list[tuple[str, str, str, dict[str, object]]] = []
    for line, edge in entries(name, document, "edges", text):
        ends = next((pair for pair in _ENDS if edge.keys() >= set(pair)), _ENDS[0])
        first, second = as_word(edge.pop(ends[0], None)), as_word(edge.pop(ends[1], None))
        if first is None or second is None:
            message = "an edge does not say which tasks it connects"
            raise InvalidRecord(message, file=name, line=line, hint="give it `from` and `to`")
        kind = (as_word(edge.pop("type", None)) or "").casefold()
        read.append((first, second, kind.replace("-", "_").replace(" ", "_"), edge))

    plain = [(first, second) for first, second, kind, _ in read if kind in ("", "dependency")]
    turned = any(pair in own for pair in plain) and not any(pair[::-1] in own for pair in plain)
    if turned:
        log.note("Edges go from a task to what it depends on, as the nodes' own depends_on say.")
    to_first = _TO_FIRST | ({"", "dependency"} if turned else set())
    known = _FROM_FIRST | _TO_FIRST | {"", "dependency"}

    found: list[tuple[str, str]] = []
    kept: list[object] = []
    for first, second, kind, more in read:
        task, other = (first, second) if kind in to_first else (second, first)
        if kind not in known:
            why = f"has the type {kind}"
        elif task.casefold() not in names:
            why = f"is about {task}, which is not in the file"
        else:
            found.append((task, other))
            why = "has fields of its own" if more else ""
        if why:
            kept.append({"from": first, "to": second} | ({"type": kind} if kind else {}) | more)
            log.note(f"The edge from {first} to {second} {why}: kept in x-edges.")
    return found, kept


def _root(
    document: Mapping[str, object],
    names: Mapping[str, str],
    tasks: list[dict[str, object]],
    stands: Mapping[str, Status | None],
    log: Log,
) -> dict[str, object]:
    """The root keys that are neither tasks nor edges nor derived."""
    root: dict[str, object] = {}
    for key, value in document.items():
        if key in ("nodes", "edges"):
            continue
        if key == "version":
            log.note(f"The source's format version {short(value)} was left out.")
        elif is_derived(key, value):
            log.drop(key)
        elif key == "tasks":
            root["x-tasks"] = value
            log.note("The source has `tasks` beside its nodes: kept as x-tasks.")
        elif isinstance(value, list):
            root[key] = [_group(key, entry, names, tasks, stands, log) for entry in value]
        elif (fields := as_mapping(value)) is not None:
            derived = [name for name, inner in fields.items() if is_derived(name, inner)]
            if derived and len(derived) == len(fields):
                log.drop(key)
                continue
            for name in derived:
                log.drop(f"{key}.{name}")
                del fields[name]
            root[key] = fields
        else:
            root[key] = value
    return root


def _group(
    key: str,
    entry: object,
    names: Mapping[str, str],
    tasks: list[dict[str, object]],
    stands: Mapping[str, Status | None],
    log: Log,
) -> object:
    """A story or milestone without what its tasks say already.

    Its status goes when its tasks give the same; one that differs is somebody's word, and stays.
    """
    fields = as_mapping(entry)
    if fields is None:
        return entry
    for field in [field for field, value in fields.items() if is_derived(field, value)]:
        log.drop(f"{key}[].{field}")
        del fields[field]
    word = {"stories": "story", "milestones": "milestone"}.get(key)
    own = as_word(fields.get("id"))
    if key == "stories" and own is not None and not is_id(own):
        fields["id"] = own = safe_id(own)  # as the tasks' `story` is
    listed = fields.get("tasks")
    if isinstance(listed, list):
        members: list[object] = [names.get((as_word(ref) or "").casefold(), ref) for ref in listed]
        fields["tasks"] = members
    else:
        members = [task["id"] for task in tasks if word and task.get(word) == own]
    if word and fields.get("status") is not None:
        told = _rolled_up([stands.get(str(member)) for member in members])
        if told is not None and told is status_of(fields["status"]):
            log.drop(f"{key}[].status")
            del fields["status"]
        else:
            log.note(
                f"The {word} {own} keeps its status {short(fields['status'])}: "
                f"its tasks say {told.value if told else 'nothing'}."
            )
    return fields


def _rolled_up(statuses: list[Status | None]) -> Status | None:
    """Where a group stands by its tasks; None without tasks, or when one is not known."""
    if not statuses or None in statuses:
        return None
    if all(status in (Status.COMPLETE, Status.CANCELLED) for status in statuses):
        return Status.COMPLETE
    begun = (Status.COMPLETE, Status.IN_PROGRESS)
    return Status.IN_PROGRESS if any(status in begun for status in statuses) else Status.PENDING


IMPORTER = Importer(
    name="graph",
    help="YAML or JSON with `nodes` and, beside them, `edges`.",
    sniff=_sniff,
    read=_read,
)
