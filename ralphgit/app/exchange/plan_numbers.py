"""Tell which plan a file is whose tasks are called by its number, as GSD's `02-01-PLAN.md`.

A phase or a plan put between others renumbers all that follow: the files, and the ids in them.
What a plan has to do tells it then.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from ralphgit.app.exchange import three_way_import
from ralphgit.app.exchange.known_task import Item, Known
from ralphgit.rules import import_identity


def number(names: Sequence[str]) -> str:
    """The id that all others of a plan begin with: 02-01, of 02-01.1 and 02-01; "" for none."""
    shortest = min(names, key=len, default="")
    others = [name for name in names if name != shortest]
    whole = bool(others) and all(name.startswith(f"{shortest}.") for name in others)
    return shortest if whole else ""


def renumbered(
    plans: Mapping[str, Sequence[Item]], tasks: Sequence[Known], exists: Callable[[str], bool]
) -> dict[str, str]:
    """By plan, the file that it was; just of those that are in another one now.

    A file is no other plan's as long as more than half of what it had to do stands in it.
    """
    before = defaultdict[str, list[Known]](list)
    for task in tasks:
        for file in task.files:
            before[file].append(task)
    old = {file: _work(own) for file, own in before.items() if number([task.name for task in own])}
    new = {file: _work(items) for file, items in plans.items()}

    def same(file: str, other: str) -> int:
        return (new[file] & old[other]).total()

    def is_in(file: str, other: str) -> bool:
        tasks = old[other].total()
        return import_identity.is_moved(gone=True, tasks=tasks, same=same(file, other))

    stay = {file for file in new if file in old and is_in(file, file)}
    free = [file for file in old if file not in stay and (file in new or not exists(file))]
    found: dict[str, str] = {}
    for file in new:
        fits = [one for one in free if file not in stay and one != file and is_in(file, one)]
        if fits:
            found[file] = max(fits, key=lambda one: same(file, one))
            free.remove(found[file])
    return found


def _work(tasks: Sequence[Item] | Sequence[Known]) -> Counter[str]:
    """What there is to do, but for what says no more than a number."""
    return Counter(task.words for task in tasks if task.name not in task.title)


def translated(tasks: Sequence[Known], items: Sequence[Item]) -> list[Known]:
    """The tasks of a plan as they are called under its new number."""
    old, new = number([task.name for task in tasks]), number([item.name for item in items])
    found = []
    for task in tasks:
        title = task.title.replace(old, new) if task.name in task.title else task.title
        words = three_way_import.words({"title": title}) if title != task.title else task.words
        found.append(task._replace(name=new + task.name[len(old) :], title=title, words=words))
    return found
