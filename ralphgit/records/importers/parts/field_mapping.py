"""Map a source's fields to the fields of a task, and leave out what is derived."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from ralphgit.model import paths
from ralphgit.model.ids import is_id
from ralphgit.model.task_status import PRIORITIES, STATUS_OF, Mode, Status
from ralphgit.records.importers.imported import Log
from ralphgit.records.importers.parts.source_values import as_mapping, as_word, safe_id, short

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

_DONE = "completed finished shipped merged released delivered deployed implemented resolved"
#: Those that say no more.
_SAY_DONE = frozenset({"done", "complete", "completed", "finished", "closed", "passing", "passed"})
_GIVEN_UP = "canceled skipped wontfix won't-fix wont-do won't-do abandoned obsolete"
_STATUSES = STATUS_OF | {
    "todo": Status.PENDING,
    "to-do": Status.PENDING,
    "doing": Status.IN_PROGRESS,
    "started": Status.IN_PROGRESS,
    **dict.fromkeys(_DONE.split(), Status.COMPLETE),
    **dict.fromkeys(_GIVEN_UP.split(), Status.CANCELLED),
}
#: The words of a status, in front of what is said besides: `**DONE** (2025-01-02) all merged`.
_STATUS_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_MOST_WORDS = 4
#: A status without a word.
_DONE_SIGNS = frozenset("\u2705\u2714\u2713\u2611")

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


def task_of(new: str, fields: Mapping[str, object], log: Log, where: str) -> dict[str, object]:
    """`fields` as a task called `new`; `where` goes before the names of what is dropped."""
    ours: dict[str, object] = {"id": new}
    rest: dict[str, object] = {}
    for key, value in fields.items():
        if key == "id" or (key == "depends_on" and not value):
            continue
        if value is None or (value == "" and key in _ORDER):
            log.empty(key)
        elif is_derived(key, value):
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
            none = "is none from 0 to 5" if key == "priority" else "is not known here"
            log.note(f"{new}: the {key} {short(value)} {none}: kept as x-{key}.")

    for key in ("story", "priority"):
        if key in ours and str(ours[key]) != as_word(fields[key]):
            word = (as_word(fields[key]) or "").casefold()
            whose = "" if key == "priority" and word in _PRIORITIES else f"{new}: "
            log.note(f"{whose}the {key} {short(fields[key])} is {ours[key]} here.")
    if "title" not in ours:
        ours["title"] = new
        log.note(f"{new} has no title: its id is used instead.")
    if "status" not in ours:
        ours["status"] = Status.PENDING.value
        log.note(f"{new} has no status that is known here: it is pending.")
    elif ours["status"] == Status.IN_PROGRESS:
        ours["status"] = Status.PENDING.value
        log.note(f"{new} is in progress in the source, which makes no claim here.")
    elif ours["status"] == Status.BLOCKED:
        log.note(f"{new} is blocked, but the source does not say why in our terms.")
    return in_order(ours | rest)


def in_order(fields: Mapping[str, object]) -> dict[str, object]:
    """`fields` of a task in canonical order, then those that are not ours as they came."""
    ours = {key: fields[key] for key in _ORDER if key in fields}
    return ours | {key: value for key, value in fields.items() if key not in _ORDER}


def own_refs(fields: dict[str, object], new: str, log: Log) -> list[str]:
    """What `depends_on` names, a list or one text with commas; else it moves to `x-depends_on`."""
    value = fields.get("depends_on")
    parts = value.split(",") if isinstance(value, str) else [] if value is None else value
    if isinstance(parts, list):
        refs = [as_word(part) for part in parts]
        if None not in refs:
            return [ref for ref in refs if ref is not None]
    fields["x-depends_on"] = value
    log.note(f"{new}: the depends_on {short(value)} is not known here: kept as x-depends_on.")
    return []


def status_of(value: object, more: Mapping[str, Status] = _STATUSES) -> Status | None:
    """What a status means, by the words it begins with; None where it is none that is known.

    `more` are words of one format, in lower case with hyphens, which come first.
    """
    all_words = {**_STATUSES, **more}
    said = (as_word(value) or "").casefold().replace("_", " ").replace("\u2019", "'")
    words = _STATUS_WORD.findall(said.partition("\n")[0])
    known = ("-".join(words[:count]) for count in range(min(len(words), _MOST_WORDS), 0, -1))
    found = next((all_words[word] for word in known if word in all_words), None)
    return Status.COMPLETE if not words and _DONE_SIGNS & set(said) else found


def word_for_done(words: Iterable[object], usual: str) -> str:
    """The word that most of these statuses say done with, and no more than that; else `usual`."""
    done = Counter(word for word in words if isinstance(word, str) and word.casefold() in _SAY_DONE)
    return done.most_common(1)[0][0] if done else usual


def _status_word(value: object) -> str | None:
    status = status_of(value)
    return None if status is None else status.value


def priority_of(value: object) -> int | None:
    word = (as_word(value) or "").casefold()
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


def _outputs(value: object) -> list[str] | None:
    texts = _texts(value)
    return None if texts is None or any(map(paths.pattern_fault, texts)) else texts


def _criteria(value: object) -> list[dict[str, object]] | None:
    """Criteria with ids: those given, else ACC-1, ACC-2 and so on."""
    if isinstance(value, list) and value:
        given: list[dict[str, object]] = []
        for fields in map(as_mapping, value):
            name, text = (as_word(fields.get(key)) if fields else None for key in ("id", "text"))
            if fields and name and text and is_id(name):
                given.append(fields | {"id": name, "text": text})
        if len(given) == len(value):
            return given
    texts = _texts(value)
    if texts is None:
        return None
    return [{"id": f"ACC-{number}", "text": text} for number, text in enumerate(texts, start=1)]


def _scope(value: object) -> dict[str, object] | None:
    fields = as_mapping(value)
    if fields is None or not fields.keys() <= {"write", "read", "resources"}:
        return None
    read = {key: _texts(listed) for key, listed in fields.items()}
    return None if None in read.values() else dict(read)


def _one_of(value: object, words: tuple[str, ...]) -> str | None:
    return value if isinstance(value, str) and value in words else None


def _story(value: object) -> str | None:
    word = as_word(value)
    return None if word is None else safe_id(word)


def _profile(value: object) -> str | None:
    word = as_word(value)
    return word if word and is_id(word) else None


def _names(value: object) -> list[str] | None:
    texts = _texts(value)
    return texts if texts is not None and all(map(is_id, texts)) else None


def _commands(value: object) -> list[object] | None:
    """Texts, or commands with the criteria that they prove."""
    if not isinstance(value, list) or not any(isinstance(item, dict) for item in value):
        found = _texts(value)
        return None if found is None else [*found]
    good = all(
        isinstance(item, str) or (isinstance(item, dict) and isinstance(item.get("run"), str))
        for item in value
    )
    return value if good else None


#: How each field of ours is read; None says that the value cannot be one.
_READERS: Mapping[str, Callable[[object], object]] = {
    "title": as_word,
    "status": _status_word,
    "story": _story,
    "milestone": as_word,
    "priority": priority_of,
    "complexity": as_word,
    "depends_on": _texts,
    "description": _text,
    "acceptance": _criteria,
    "verify": _commands,
    "outputs": _outputs,
    "scope": _scope,
    "mode": lambda value: _one_of(value, tuple(Mode)),
    "risk": lambda value: _one_of(value, ("low", "medium", "high")),
    "needs": _names,
    "agent": _profile,
    "review": _profile,
    "tags": _texts,
}


def is_derived(key: str, value: object) -> bool:
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
