"""Other projects' task files, read as ours.

Two formats, told apart by what is in them and never by the file's name:

    graph    YAML or JSON with `nodes` and, beside them, `edges`
    ticket   Markdown behind YAML front matter: one task in one file

A file that is ours already (`version: 1` and `tasks`) passes unchanged. For the others:

- What can be computed again is left out and named in `dropped`.
- What else is changed, moved or left out is said in `notes`.
- A field of ours never gets a value it cannot hold: that value moves to `x-<field>`.
- Fields that are not ours stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.model.ids import is_id
from ralphgit.model.status import PRIORITIES, STATUS_OF, Mode, Status


class Imported(NamedTuple):
    """One foreign file in our terms."""

    tasks: tuple[dict[str, object], ...]
    """In file order; keys in canonical order, then the fields that are not ours."""
    root: dict[str, object]
    """The root keys to keep beside `tasks`: stories, milestones and what is not ours."""
    dropped: tuple[str, ...]
    """Derived fields left out, such as `meta` or `nodes[].ready`."""
    notes: tuple[str, ...]
    """What was changed, kept aside or left out, one sentence each."""


_ORDER: tuple[str, ...] = ("id", "title", "status", "story", "milestone", "priority")
_ORDER += (
    "complexity",
    "depends_on",
    "description",
    "acceptance",
    "verify",
    "outputs",
    "scope",
    "mode",
)

#: Fields that our commands write. A foreign value under such a name would be read as a claim.
_LIFECYCLE = frozenset({"claim", "result", "blocked", "reset", "cancelled", "epoch"})

_STATUSES = STATUS_OF | {
    "todo": Status.PENDING,
    "to-do": Status.PENDING,
    "doing": Status.IN_PROGRESS,
    "started": Status.IN_PROGRESS,
    "completed": Status.COMPLETE,
    "finished": Status.COMPLETE,
    "canceled": Status.CANCELLED,
}

_PRIORITIES = {
    "critical": 0,
    "urgent": 0,
    "highest": 0,
    "high": 1,
    "medium": 2,
    "normal": 2,
    "low": 3,
    "lowest": 4,
} | {f"p{number}": number for number in PRIORITIES}

_STAMPS = frozenset({"last_updated", "last_modified", "updated_at", "generated_at"})
_FLAGS = frozenset({"ready", "is_ready", "blocked", "is_blocked", "waiting", "is_waiting"})
_TALLIES = frozenset({"counts", "counters", "totals", "stats", "statistics"})
_COUNTED = frozenset({"tasks", "stories", "milestones", "nodes", "edges", "dependencies"})
_COUNTED |= {"task", "story", "milestone", "node", "edge", "dependency", "dependents", "blockers"}

#: Fields that say a Markdown file with front matter is a ticket.
_TICKET = frozenset({"id", "title", "status", "depends_on"})

#: What an edge says when it has a type: which end comes first. See `_edges` for those without.
_FROM_FIRST = frozenset({"blocks", "precedes", "before", "enables", "unblocks"})
_TO_FIRST = frozenset({"depends_on", "requires", "needs", "blocked_by", "after"})
_ENDS = (("from", "to"), ("source", "target"))

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")

#: What tells `App.svelte` and `justfile` from `SunCalc.getPosition` and `getSunTimes`.
_LONGEST_SUFFIX = len("svelte")
_BARE_FILES = frozenset({"makefile", "justfile", "dockerfile", "license", "readme"})

_KNOWN = (
    "known are a YAML graph with `nodes` and `edges`, a Markdown ticket whose front matter "
    "has an `id`, and our own format: `version: 1` and `tasks`"
)


class _Log:
    """What happened on the way, each thing once, in order."""

    __slots__ = ("_dropped", "_empty", "_notes")

    def __init__(self) -> None:
        self._dropped: dict[str, None] = {}
        self._empty: dict[str, None] = {}
        self._notes: dict[str, None] = {}

    def drop(self, field: str) -> None:
        self._dropped[field] = None

    def empty(self, field: str) -> None:
        self._empty[field] = None

    def note(self, sentence: str) -> None:
        self._notes[sentence] = None

    def imported(self, tasks: Iterable[dict[str, object]], root: dict[str, object]) -> Imported:
        if self._empty:
            self.note(f"Fields without a value were left out: {', '.join(self._empty)}.")
        return Imported(tuple(tasks), root, tuple(self._dropped), tuple(self._notes))


def convert(name: str, data: bytes, parse: Callable[[str], object]) -> Imported:
    """The tasks in `data`, a file called `name`; `parse` turns YAML text into values.

    Raises: InvalidRecord when the format is not known, a task has no usable id, two ids are
    the same but for case, or an edge does not have two ends.
    """
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidRecord("the file is not UTF-8 text", file=name, line=line) from error
    front = _FRONT_MATTER.match(text)
    if front is not None:
        # The empty line stands for the opening fence: the parser's line numbers are the file's.
        fields = _mapping(_parsed(name, "\n" + front[1], parse))
        if fields and fields.keys() & _TICKET and not fields.keys() & {"nodes", "tasks"}:
            return _from_ticket(name, fields, text[front.end() :])
    if _may_be_yaml(text):
        document = _mapping(_parsed(name, text, parse)) or {}
        if "nodes" in document:
            return _from_graph(name, document, text)
        version = document.get("version")
        if "tasks" in document and version == 1 and type(version) is int:
            return _ours(name, document, text)
    raise InvalidRecord("the format of this file is not known", file=name, hint=_KNOWN)


def _may_be_yaml(text: str) -> bool:
    """Whether a line begins with a root key that we know, or the text is one JSON object."""
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and lines[0].startswith("{"):
        return not any(line.startswith("{") for line in lines[1:])  # else JSON lines
    return any(line.startswith(("nodes:", "tasks:")) for line in lines)


def _parsed(name: str, text: str, parse: Callable[[str], object]) -> object:
    try:
        return parse(text)
    except InvalidRecord as error:
        raise error.at(name) from error
    except (ValueError, RecursionError) as error:
        raise InvalidRecord(f"this is not valid YAML: {error}", file=name) from error


def _ours(name: str, document: Mapping[str, object], text: str) -> Imported:
    tasks = tuple(task for _, task in _entries(name, document, "tasks", text))
    root = {key: value for key, value in document.items() if key not in ("version", "tasks")}
    return Imported(tasks, root, (), ())


# A graph of nodes and edges


def _from_graph(name: str, document: Mapping[str, object], text: str) -> Imported:
    log = _Log()
    nodes = _entries(name, document, "nodes", text)
    sources = _source_ids(name, nodes)
    names = _names(sources, log)

    pairs: list[tuple[str, str]] = []
    for source, (_, node) in zip(sources, nodes, strict=True):
        pairs += [(source, ref) for ref in _own_refs(node, names[source.casefold()], log)]
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
        stands[new] = _status(node.get("status"))
        node["depends_on"] = list(depends[new])
        if missing[new]:
            node["x-missing-dependencies"] = list(missing[new])
        tasks.append(_task(new, node, log, "nodes[]."))
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
        source = _source_id(name, node, f"node {index} of {len(nodes)}", line)
        first = found.get(source.casefold())
        if first is not None:
            also = "" if first == source else f" (once written {first})"
            raise InvalidRecord(
                f"two nodes have the id {source}{also}",
                file=name,
                line=line,
                task=source,
                hint="ids must differ by more than case: rename one, and what refers to it",
            )
        found[source.casefold()] = source
    return list(found.values())


def _edges(
    name: str,
    document: Mapping[str, object],
    text: str,
    own: frozenset[tuple[str, str]],
    names: Mapping[str, str],
    log: _Log,
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
    for line, edge in _entries(name, document, "edges", text):
        ends = next((pair for pair in _ENDS if edge.keys() >= set(pair)), _ENDS[0])
        first, second = _scalar(edge.pop(ends[0], None)), _scalar(edge.pop(ends[1], None))
        if first is None or second is None:
            message = "an edge does not say from which task to which"
            raise InvalidRecord(message, file=name, line=line, hint="give it `from` and `to`")
        kind = (_scalar(edge.pop("type", None)) or "").casefold()
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
    log: _Log,
) -> dict[str, object]:
    """The root keys that are neither tasks nor edges nor derived."""
    root: dict[str, object] = {}
    for key, value in document.items():
        if key in ("nodes", "edges"):
            continue
        if key == "version":
            log.note(f"The source's format version {_short(value)} was left out.")
        elif _derived(key, value):
            log.drop(key)
        elif key == "tasks":
            root["x-tasks"] = value
            log.note("The source has `tasks` beside its nodes: kept as x-tasks.")
        elif isinstance(value, list):
            root[key] = [_group(key, entry, names, tasks, stands, log) for entry in value]
        elif (fields := _mapping(value)) is not None:
            derived = [name for name, inner in fields.items() if _derived(name, inner)]
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
    log: _Log,
) -> object:
    """A story or milestone without what its tasks say already.

    Its status goes when its tasks give the same; one that differs is somebody's word, and stays.
    """
    fields = _mapping(entry)
    if fields is None:
        return entry
    for field in [field for field, value in fields.items() if _derived(field, value)]:
        log.drop(f"{key}[].{field}")
        del fields[field]
    word = {"stories": "story", "milestones": "milestone"}.get(key)
    own = _scalar(fields.get("id"))
    if key == "stories" and own is not None and not is_id(own):
        fields["id"] = own = _safe_id(own)  # as the tasks' `story` is
    listed = fields.get("tasks")
    if isinstance(listed, list):
        members: list[object] = [names.get((_scalar(ref) or "").casefold(), ref) for ref in listed]
        fields["tasks"] = members
    else:
        members = [task["id"] for task in tasks if word and task.get(word) == own]
    if word and fields.get("status") is not None:
        told = _rolled_up([stands.get(str(member)) for member in members])
        if told is not None and told is _status(fields["status"]):
            log.drop(f"{key}[].status")
            del fields["status"]
        else:
            log.note(
                f"The {word} {own} keeps its status {_short(fields['status'])}: "
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


# A Markdown ticket


def _from_ticket(name: str, front: dict[str, object], body: str) -> Imported:
    """One task. What it depends on is in other files, so all of it stays in `depends_on`."""
    log = _Log()
    source = _source_id(name, front, "the front matter", 1)
    new = _names([source], log)[source.casefold()]
    depends: dict[str, None] = {}
    for ref in _own_refs(front, new, log):
        depends[_safe_id(ref)] = None
        if not is_id(ref):
            log.note(f"{new} depends on {ref!r}, written {_safe_id(ref)} here.")
    front["depends_on"] = list(depends)

    lines = _marked(body)
    if not front.get("title"):
        heading = next((words for level, words in lines if level > 0 and words), "")
        if heading.casefold().startswith(source.casefold()):
            heading = heading[len(source) :].lstrip(" :.-\u2013\u2014") or heading
        _fill(front, "title", heading)
    if front.get("description") and body.strip():
        front["x-description"] = front["description"]
        log.note(f"{new} has a description and a body: the former is kept as x-description.")
    if body.strip():
        front["description"] = body.strip()
    if not front.get("acceptance"):
        section = _section(lines, ("acceptance criteria", "acceptance"))
        _fill(front, "acceptance", _listed(section, new, log))
    if not front.get("outputs"):
        paths, others = _paths(_section(lines, ("output", "outputs", "output(s)")))
        _fill(front, "outputs", paths)
        if others:
            shown = ", ".join(others)
            log.note(f"{new}: not read as paths in its output section: {_short(shown)}.")
    return log.imported([_task(new, front, log, "")], {})


def _fill(fields: dict[str, object], key: str, value: str | list[str]) -> None:
    """Put `value` under `key` when there is one."""
    if value:
        fields[key] = value


def _marked(body: str) -> list[tuple[int, str]]:
    """The lines of `body`, each with its heading level: 0 for text, -1 inside a code fence."""
    marked: list[tuple[int, str]] = []
    fence = ""
    for line in body.split("\n"):
        mark = line.strip()[:3]
        if fence:
            marked.append((-1, line))
            fence = "" if mark == fence else fence
        elif mark in ("```", "~~~"):
            marked.append((-1, line))
            fence = mark
        elif found := _HEADING.fullmatch(line):
            marked.append((len(found[1]), found[2]))
        else:
            marked.append((0, line))
    return marked


def _section(lines: list[tuple[int, str]], titles: tuple[str, ...]) -> list[tuple[int, str]]:
    """The lines under the first heading in `titles`, up to the next of its level or above."""
    depth = 0
    found: list[tuple[int, str]] = []
    for level, words in lines:
        if depth and 0 < level <= depth:
            break
        if depth:
            found.append((level, words))
        elif level > 0 and words.strip(" :*_").casefold() in titles:
            depth = level
    return found


def _listed(lines: list[tuple[int, str]], task: str, log: _Log) -> list[str]:
    """The items of the lists in `lines`, inner lists with their item; without one, paragraphs."""
    items: list[str] = []
    paragraphs: list[str] = []
    into: list[str] | None = None  # What the next line may go on with.
    inner = 0  # In an item: a line that stands this deep belongs to it.
    after_blank = True
    for level, line in lines:
        words = line.strip()
        depth = len(line) - len(line.lstrip(" "))
        if level > 0 or not words or words in ("---", "***", "___"):
            after_blank = True
            if words and level >= 0:
                into = None
            continue
        item = _item(words) if level == 0 else None
        inside = into is items and depth >= inner
        glue = "\n" if level < 0 or item is not None else " "
        if item is not None and not inside:
            items.append(item)
            into, inner = items, depth + 2
        elif into is not None and (inside or not after_blank):
            into[-1] += glue + words
        else:
            paragraphs.append(words)
            into = paragraphs
        after_blank = False
    if items and paragraphs:
        log.note(f"{task} has text beside its acceptance list: it is in the description only.")
    return [item.strip() for item in items if item.strip()] or paragraphs


def _item(words: str) -> str | None:
    """The text of a list item without its mark and its box; None when it is not one."""
    mark, _, rest = words.partition(" ")
    if mark not in ("-", "*", "+") and not (mark[:-1].isdecimal() and mark[-1] in ".)"):
        return None
    rest = rest.strip()
    return rest[3:].strip() if rest[:4].casefold() in ("[ ] ", "[x] ") else rest


def _paths(lines: list[tuple[int, str]]) -> tuple[list[str], list[str]]:
    """What stands in backticks: what can be the path of one file or folder, and the rest."""
    spans: dict[str, None] = {}
    text = "\n".join(line.strip() for level, line in lines if level >= 0)
    for paragraph in text.split("\n\n"):
        parts = paragraph.split("`")
        for span in parts[1 : len(parts) - 1 : 2]:
            if span.strip():
                spans[span.strip()] = None
    paths = [span for span in spans if _is_path(span)]
    return paths, [span for span in spans if span not in paths]


def _is_path(text: str) -> bool:
    if any(letter.isspace() or letter in "()*?<>{}[]|;=\\:\"'," for letter in text):
        return False
    *folders, last = text.split("/")
    if not (text[0].isalnum() or text[0] in "._") or {"", "..", "."} & {*folders, last or "-"}:
        return False
    stem, _, suffix = last.rpartition(".")
    named = bool(stem) and len(suffix) <= _LONGEST_SUFFIX and suffix.isalnum() and suffix.islower()
    return bool(folders) or named or text.casefold() in _BARE_FILES


# One task, from either


def _task(new: str, fields: Mapping[str, object], log: _Log, where: str) -> dict[str, object]:
    """`fields` as a task called `new`; `where` goes before the names of what is dropped."""
    ours: dict[str, object] = {"id": new}
    rest: dict[str, object] = {}
    for key, value in fields.items():
        if key == "id" or (key == "depends_on" and not value):
            continue
        if value is None or (value == "" and key in _ORDER):
            log.empty(key)
        elif _derived(key, value):
            log.drop(where + key)
        elif key in _LIFECYCLE:
            rest[f"x-{key}"] = value
            log.note(f"{new}: {key} means something else here and is kept as x-{key}.")
        elif key not in _READERS:
            rest[key] = value
        elif (read := _READERS[key](value)) is not None:
            (ours if key in _ORDER else rest)[key] = read
        else:
            rest[f"x-{key}"] = value
            log.note(f"{new}: the {key} {_short(value)} is not known here: kept as x-{key}.")

    for key in ("story", "priority"):
        if key in ours and str(ours[key]) != _scalar(fields[key]):
            log.note(f"{new}: the {key} {_short(fields[key])} is {ours[key]} here.")
    if "title" not in ours:
        ours["title"] = new
        log.note(f"{new} has no title: its id stands in.")
    if "status" not in ours:
        ours["status"] = Status.PENDING.value
        log.note(f"{new} has no status that is known here: it is pending.")
    elif ours["status"] == Status.IN_PROGRESS:
        ours["status"] = Status.PENDING.value
        log.note(f"{new} was in progress; nobody has a claim on it here, so it is pending.")
    elif ours["status"] == Status.BLOCKED:
        log.note(f"{new} is blocked, but the source does not say why in our terms.")
    return {key: ours[key] for key in _ORDER if key in ours} | rest


def _own_refs(fields: dict[str, object], new: str, log: _Log) -> list[str]:
    """What `depends_on` names, a list or one text with commas; else it moves to `x-depends_on`."""
    value = fields.get("depends_on")
    parts = value.split(",") if isinstance(value, str) else [] if value is None else value
    if isinstance(parts, list):
        refs = [_scalar(part) for part in parts]
        if None not in refs:
            return [ref for ref in refs if ref is not None]
    fields["x-depends_on"] = value
    log.note(f"{new}: the depends_on {_short(value)} is not known here: kept as x-depends_on.")
    return []


def _status(value: object) -> Status | None:
    words = (_scalar(value) or "").casefold().replace("_", " ").split()
    return _STATUSES.get("-".join(words))


def _status_word(value: object) -> str | None:
    status = _status(value)
    return None if status is None else status.value


def _priority(value: object) -> int | None:
    word = (_scalar(value) or "").casefold()
    if word.removeprefix("-").isdecimal():
        return min(max(int(word), PRIORITIES[0]), PRIORITIES[-1])
    return _PRIORITIES.get(word)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> list[str] | None:
    """A list of texts that are not empty; one text alone is a list of one."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list):
        return None
    texts = [item for item in items if isinstance(item, str) and item.strip()]
    return texts if len(texts) == len(items) else None


def _criteria(value: object) -> list[dict[str, object]] | None:
    """Criteria with ids: those given, else ACC-1, ACC-2 and so on."""
    if isinstance(value, list) and value:
        given: list[dict[str, object]] = []
        for fields in map(_mapping, value):
            name, text = (_scalar(fields.get(key)) if fields else None for key in ("id", "text"))
            if fields and name and text and is_id(name):
                given.append(fields | {"id": name, "text": text})
        if len(given) == len(value):
            return given
    texts = _texts(value)
    if texts is None:
        return None
    return [{"id": f"ACC-{number}", "text": text} for number, text in enumerate(texts, start=1)]


def _scope(value: object) -> dict[str, object] | None:
    fields = _mapping(value)
    if fields is None or not fields.keys() <= {"write", "read", "resources"}:
        return None
    read = {key: _texts(paths) for key, paths in fields.items()}
    return None if None in read.values() else dict(read)


def _one_of(value: object, words: tuple[str, ...]) -> str | None:
    return value if isinstance(value, str) and value in words else None


def _story(value: object) -> str | None:
    word = _scalar(value)
    return None if word is None else _safe_id(word)


def _scalar(value: object) -> str | None:
    """A text that is not empty, or a whole number as text. Not 1.10, which is 1.1 by now."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


#: How each field of ours is read; None says that the value cannot be one.
_READERS: Mapping[str, Callable[[object], object]] = {
    "title": _scalar,
    "status": _status_word,
    "story": _story,
    "milestone": _scalar,
    "priority": _priority,
    "complexity": _scalar,
    "depends_on": _texts,
    "description": _text,
    "acceptance": _criteria,
    "verify": _texts,
    "outputs": _texts,
    "scope": _scope,
    "mode": lambda value: _one_of(value, tuple(Mode)),
    "risk": lambda value: _one_of(value, ("low", "medium", "high")),
    "tags": _texts,
}


def _derived(key: str, value: object) -> bool:
    """Whether the field can be computed again, from the tasks or from git's history.

    A number is a counter only when it counts something in the graph: how often a task was
    tried, say, stands nowhere else.
    """
    if key in _STAMPS:
        return True
    if isinstance(value, bool):
        return key in _FLAGS
    if isinstance(value, int | float):
        noun = key.removeprefix("total_").removeprefix("num_")
        noun = noun.removesuffix("_count").removesuffix("_total")
        return noun != key and noun in _COUNTED
    return isinstance(value, Mapping) and (key in _TALLIES or key.startswith("by_"))


# Ids, entries, values


def _source_id(name: str, fields: Mapping[str, object], what: str, line: int) -> str:
    value = fields.get("id")
    source = _scalar(value)
    if source is not None:
        return source
    if isinstance(value, float):
        message = f"{what} has the id {value}, a number that may have lost digits"
        hint = 'put ids such as "1.10" in quotes, and what refers to them'
    else:
        message, hint = f"{what} has no id", "give it an `id`"
    raise InvalidRecord(message, file=name, line=line, hint=hint)


def _names(sources: list[str], log: _Log) -> dict[str, str]:
    """Our id for each source id, by the source id case-folded. Good ids stay as they are."""
    taken = {source.casefold() for source in sources if is_id(source)}
    names: dict[str, str] = {}
    for source in sources:
        new = source
        if not is_id(source):
            new = base = _safe_id(source)
            number = 1
            while new.casefold() in taken:
                number += 1
                new = f"{base[: 63 - len(str(number))]}-{number}"
            taken.add(new.casefold())
            log.note(f"The id {_short(source)} is {new} here.")
        names[source.casefold()] = new
    return names


def _safe_id(text: str) -> str:
    """`text` with what the id grammar does not allow replaced or left out; never empty."""
    if is_id(text):
        return text
    made = "-".join(re.split(r"[^A-Za-z0-9._-]+", text))
    while ".." in made:
        made = made.replace("..", ".")
    made = made.lstrip("._-")[:64].rstrip("._-")
    while made.endswith(".lock"):
        made = made.removesuffix(".lock").rstrip("._-")
    return made or "task"


def _entries(
    name: str, document: Mapping[str, object], key: str, text: str
) -> list[tuple[int, dict[str, object]]]:
    """The mappings in the list under root key `key`, each with its line in `text`.

    Raises: InvalidRecord when it is not a list, or has something else in it.
    """
    value = document.get(key)
    lines = _lines(text, key)
    found: list[tuple[int, dict[str, object]]] = []
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        line = lines[index] if index < len(lines) else 1
        fields = _mapping(entry)
        if fields is None:
            message = f"entry {index + 1} of `{key}` is not a mapping"
            raise InvalidRecord(
                message, file=name, line=line, hint="write it as `key: value` lines"
            )
        found.append((line, fields))
    if value is not None and not isinstance(value, list):
        raise InvalidRecord(f"`{key}` is not a list", file=name, hint=_KNOWN)
    return found


def _lines(text: str, key: str) -> list[int]:
    """The line of each entry in the block list under root key `key`; none in flow style."""
    found: list[int] = []
    inside, indent = False, -1
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.lstrip(" ")
        depth = len(line) - len(words)
        if not inside:
            inside = line.startswith(f"{key}:")
        elif words.startswith("- ") or words == "-":
            indent = depth if indent < 0 else indent
            if depth == indent:
                found.append(number)
        elif words and depth == 0 and not words.startswith("#"):
            break
    return found


def _mapping(value: object) -> dict[str, object] | None:
    """A copy of `value` with text for keys; None when it is not a mapping."""
    if not isinstance(value, Mapping):
        return None
    return {str(key): inner for key, inner in value.items()}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
