"""Merge several imported files into one: a graph and its tickets, or two graphs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ralphgit.errors import InvalidRecord
from ralphgit.model.task_status import Mode
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import waiting
from ralphgit.records.importers.parts.field_mapping import in_order
from ralphgit.records.importers.parts.source_values import MISSING, as_mapping, prefixed, safe_id

#: The root keys whose entries have ids that tasks name.
GROUPS = ("stories", "milestones")


def joined(
    sources: Sequence[tuple[str, Imported]], known: Iterable[str] = (), *, whole: bool = False
) -> Imported:
    """Join the tasks of `sources`, pairs of a file's name and what is in it, each task once.

    Tasks stand in the order in which they are first met. What the first file says of a task,
    or under a root key, stands; the others add what it does not say. A dependency that one
    file keeps aside is put back when another file has the task, or `known` has its id. Where the
    sources are the `whole` of a folder, one that is nowhere is kept aside.

    Raises: InvalidRecord when two ids are the same but for case, or one file has one twice.
    """
    log = Log()
    tasks: dict[str, dict[str, object]] = {}
    root: dict[str, object] = {}
    names: dict[str, str] = {}  # each id by itself case-folded
    labels = _labels([file for file, _ in sources])
    for (file, found), label in zip(sources, labels, strict=True):
        for field in found.dropped:
            log.drop(field)
        for sentence in found.notes:
            log.note(f"{label}: {sentence}" if len(sources) > 1 else sentence)
        own: set[str] = set()
        for task in found.tasks:
            name = str(task["id"])
            first = names.setdefault(name.casefold(), name)
            if first != name or name in own:
                also = "" if first == name else f" (once written {first})"
                message = f"two tasks have the id {name}{also}"
                hint = "ids must differ by more than case: rename one"
                raise InvalidRecord(message, file=file, task=name, code="duplicate_id", hint=hint)
            if found.local and name in tasks and tasks[name]["title"] != task["title"]:
                raise InvalidRecord(
                    f"{name} is another task than the {name} of the file before it",
                    file=file, task=name, code="other_source",
                    hint="import them one after the other, each with --prefix WORD-",
                )  # fmt: skip
            own.add(name)
            if name in tasks:
                _fill(tasks[name], task, f"{name}: ", label, log)
            else:
                tasks[name] = dict(task)
        _fill(root, _without_lists(root, found.root), "", label, log)
    for name in known:
        names.setdefault(name.casefold(), name)
    for task in tasks.values():
        _put_back(task, names)
        depends = task.get("depends_on")
        if isinstance(depends, list):
            task["depends_on"] = [names.get(str(ref).casefold(), ref) for ref in depends]
        if whole:
            _put_aside(task, names, log)
    _wait_for_parts(sources, tasks, names)
    return log.imported(map(in_order, tasks.values()), root)


def _wait_for_parts(
    sources: Sequence[tuple[str, Imported]],
    tasks: Mapping[str, dict[str, object]],
    names: Mapping[str, str],
) -> None:
    """Have a task depend on those of other files that are parts of it, but not in a circle.

    The work is in these: the task itself verifies it, unless it says which files it changes.
    """
    edges = {
        id: list(map(str, depends)) if isinstance(depends := task.get("depends_on"), list) else []
        for id, task in tasks.items()
    }
    parts: dict[str, list[str]] = {}
    for _, found in sources:
        whole = tasks.get(names.get(found.part_of.casefold(), ""))
        if whole is not None:
            parts.setdefault(str(whole["id"]), []).extend(str(part["id"]) for part in found.tasks)
    for id, inside in parts.items():
        whole = tasks[id]
        waits = waiting.without_circles(id, dict.fromkeys(inside), edges)
        edges[id] += [part for part in waits if part not in edges[id]]
        if edges[id]:
            whole["depends_on"] = list(edges[id])
        if set(edges[id]).issuperset(inside) and not {"mode", "scope", "outputs"} & whole.keys():
            whole["mode"] = Mode.VERIFY.value
            done = [{"id": "ACC-1", "text": "all of its parts are done"}]
            whole["acceptance"] = whole.get("acceptance") or done


def renamed(found: Imported, ids: Mapping[str, str], prefix: str) -> Imported:
    """Give the tasks of a file the `ids` that they have here, also where these are named.

    With a `prefix`, it stands before the ids of its stories and milestones (cut where they become
    too long), and of the task of another file that it is a part of.
    """

    def new(ref: object) -> object:
        return ids.get(ref, ref) if isinstance(ref, str) else ref

    listed = {
        key: [as_mapping(entry) for entry in value]
        for key in GROUPS
        if prefix and isinstance(value := found.root.get(key), list)
    }
    groups = {entry.get("id") for entries in listed.values() for entry in entries if entry}
    named = [
        *(entry.get("id") for entries in listed.values() for entry in entries if entry),
        *(task[key] for task in found.tasks for key in ("story", "milestone") if key in task),
    ]
    above = prefixed(prefix, map(str, named))
    # An epic that is called as the prefix is told apart by its own name.
    above |= {name: name for name in above if name.casefold() == prefix.rstrip("-.").casefold()}
    tasks = []
    for task in found.tasks:
        more: dict[str, object] = {}
        for key in ("depends_on", MISSING, "conflicts_with"):
            if isinstance(refs := task.get(key), list):
                more[key] = list(map(new, refs))
        for key in ("story", "milestone"):
            if prefix and key in task and (key == "story" or task[key] in groups):
                more[key] = above[str(task[key])]
        if found.part_of and not prefix and task.get("story") == found.part_of:
            more["story"] = new(found.part_of)
        tasks.append({**task, "id": new(task["id"]), **more})
    root = {
        **found.root,
        **{
            key: [entry and {**entry, "id": above[str(entry.get("id"))]} for entry in entries]
            for key, entries in listed.items()
        },
    }
    part_of = found.part_of and ids.get(found.part_of, f"{prefix}{found.part_of}")
    return found._replace(tasks=tuple(tasks), root=root, part_of=part_of)


def _without_lists(into: dict[str, object], more: Mapping[str, object]) -> Mapping[str, object]:
    """Put the entries of `more`'s lists that are new into those of `into`; what else `more` has."""
    rest = dict(more)
    for key in GROUPS:
        known, added = into.get(key), more.get(key)
        if isinstance(known, list) and isinstance(added, list):
            ids = {entry.get("id") for entry in known if isinstance(entry, Mapping)}
            fresh = [one for one in added if isinstance(one, Mapping) and one.get("id") not in ids]
            if all(isinstance(one, Mapping) for one in added):
                into[key] = [*known, *fresh]
                del rest[key]
    return rest


def _labels(files: Sequence[str]) -> list[str]:
    """The files' names without their folders, where that tells them apart."""
    short = [file.rpartition("/")[2] for file in files]
    return short if len(set(short)) == len(short) else list(files)


def _fill(
    into: dict[str, object], more: Mapping[str, object], whose: str, file: str, log: Log
) -> None:
    """Add to `into` what only `more` has; say so, and where the two differ."""
    if into.get("title") == into.get("id"):
        into.pop("title", None)  # The id stood in for a title that the file did not have.
    added = [key for key in more if key not in into]
    differing = [key for key in more if key in into and more[key] != into[key]]
    if added and into:
        log.note(f"{whose}taken from {file}: {', '.join(added)}.")
    if differing:
        what = ", ".join(differing)
        log.note(f"{whose}{file} differs in {what}; the earlier file wins.")
    into.update((key, more[key]) for key in added)


def _put_aside(task: dict[str, object], names: Mapping[str, str], log: Log) -> None:
    """Keep dependencies on tasks that are nowhere aside: archived ones, for instance."""
    depends = task.get("depends_on")
    gone = [ref for ref in depends if str(ref).casefold() not in names] if isinstance(
        depends, list) else []  # fmt: skip
    if gone and isinstance(depends, list):
        aside = task.get(MISSING)
        task[MISSING] = [*(aside if isinstance(aside, list) else ()), *gone]
        task["depends_on"] = [ref for ref in depends if ref not in gone]
        if not task["depends_on"]:
            del task["depends_on"]
        log.note(f"{task['id']} depends on {', '.join(map(str, gone))}, not there: kept aside.")


def _put_back(task: dict[str, object], names: Mapping[str, str]) -> None:
    """Make a dependency again of each task kept aside that is there after all."""
    aside, depends = task.get(MISSING), task.get("depends_on") or []
    if not isinstance(aside, list) or not isinstance(depends, list):
        return
    rest: list[object] = []
    for ref in aside:
        found = names.get(safe_id(ref).casefold()) if isinstance(ref, str) else None
        if found is None or found == task["id"]:
            rest.append(ref)
        elif found not in depends:
            depends = [*depends, found]
    task["depends_on"], task[MISSING] = depends, rest
    for key in ("depends_on", MISSING):
        if not task[key]:
            del task[key]
