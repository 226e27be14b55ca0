"""`import`: bring tasks of another tool into the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ralphgit.app.exchange import import_tasks
from ralphgit.app.exchange.import_tasks import ImportOptions
from ralphgit.app.exchange.root_lists import GroupChange
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, safe_lines
from ralphgit.model.printable import counted, cut

#: With more tasks than this, only their number is shown.
_FEW = 20
#: The lists of a graph beside its tasks, and what an entry of each is called.
_ONE = {"stories": "story", "milestones": "milestone"}


Options = ImportOptions


def run(call: Call, options: ImportOptions) -> Outcome:
    project = call.project()
    with WorktreeLock(project):
        done = import_tasks.bring(project, options)
    data = {
        "added": [change.task for change in done.added],
        "updated": [change.task for change in done.updated],
        "unchanged": list(done.unchanged),
        **{key: _by_id(done, key) for key in _ONE},
        "removed": list(done.removed),
        "dropped": list(done.dropped),
        "notes": list(done.notes),
        "read": len(done.added) + len(done.updated) + len(done.unchanged),
        "kept": list(done.kept),
        "ignored": [{**one._asdict(), "lines": list(one.lines)} for one in done.ignored],
        "file": done.file,
        "dry_run": options.dry_run,
        "text": done.text if options.dry_run else None,
    }
    if not options.dry_run:
        some = done.added or done.updated or done.groups
        advice = ("Nothing is staged; look at: git status",) if some else ()
        return Outcome(data, before=_told(done, options.dry_run), advice=advice)
    # The summary as comments: what is printed is YAML, and can be kept as such.
    lines = [f"# {line}" for line in _told(done, options.dry_run)]
    for change in (*done.added, *done.updated):
        lines += safe_lines(change.block)
    return Outcome(data, before=lines)


def _told(done: import_tasks.Import, dry_run: bool) -> list[str]:
    lines = [
        *_changes("would add" if dry_run else "added", done.added),
        *_changes("would update" if dry_run else "updated", done.updated),
        *_groups(done, dry_run),
    ]
    if done.unchanged:
        lines.append(f"unchanged: {counted(len(done.unchanged), 'task')}")
    if done.removed:
        names = _some([f"{id} ({cut(title, 60)})" for id, title in done.removed.items()])
        lines.append(f"no longer in the source, and kept here: {safe(names)}")
    if done.dropped:
        lines.append(f"left out, because it is computed: {safe(', '.join(done.dropped))}")
    lines += [f"note: {safe(sentence)}" for sentence in done.notes]
    lines += [f"ignored {safe(one.sentence)}" for one in done.ignored]
    lines.append(_summary(done))
    if dry_run:
        lines.append("Nothing was written.")
    return lines


def _by_id(done: import_tasks.Import, key: str) -> dict[str, list[str]]:
    some = [one for one in done.groups if one.key == key]
    return {
        "added": [one.id for one in some if not one.fields],
        "updated": [one.id for one in some if one.fields],
    }


def _groups(done: import_tasks.Import, dry_run: bool) -> list[str]:
    lines = []
    if new := _counts(one for one in done.groups if not one.fields):
        lines.append(f"{'would add' if dry_run else 'added'}: {new}")
    changed = [one for one in done.groups if one.fields]
    what = "would update" if dry_run else "updated"
    if len(changed) > _FEW:
        return [*lines, f"{what}: {_counts(changed)}"]
    for one in changed:
        fields = safe(", ".join(one.fields))
        lines.append(f"{what} {_ONE[one.key]} {safe(one.id)}: {fields}")
    return lines


def _counts(some: Iterable[GroupChange]) -> str:
    each = Counter(one.key for one in some)
    named = ((each[key], one if each[key] == 1 else key) for key, one in _ONE.items())
    return ", ".join(f"{number} {noun}" for number, noun in named if number)


def _summary(done: import_tasks.Import) -> str:
    added, updated, same = len(done.added), len(done.updated), len(done.unchanged)
    parts = [f"{added} new", f"{updated} changed", f"{same} unchanged"]
    if done.kept:
        parts.append(f"of {len(done.kept)} something is kept as it is here")
    groups = _counts(one for one in done.groups if one.fields)
    apart = f"; {groups} changed" if groups else ""
    ignored = counted(sum(len(one.lines) for one in done.ignored), "line")
    read = f"{counted(added + updated + same, 'task')} read: {', '.join(parts)}"
    return f"{read}{apart}; {ignored} ignored"


def _changes(what: str, changes: Sequence[import_tasks.ImportChange]) -> list[str]:
    lines: list[str] = []
    if len(changes) > _FEW:
        # Where one is put between others, what follows waits for something else, and no more.
        order = [change for change in changes if change.fields == ("depends_on",)]
        changes = [change for change in changes if change not in order]
        lines += [f"{what}: {counted(len(order), 'task')} (depends_on)"] if order else []
        if len(changes) > _FEW:
            return [f"{what}: {counted(len(changes), 'task')}", *lines]
    for change in changes:
        fields = f" ({', '.join(change.fields)})" if change.fields else ""
        lines.append(f"{what} {change.task}: {safe(change.title)}{safe(fields)}")
    return lines


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_FEW])
    return shown if len(names) <= _FEW else f"{shown} and {len(names) - _FEW} more"
