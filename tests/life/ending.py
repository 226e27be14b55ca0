"""At the end everybody goes, and one who comes new can do all that is left."""

from __future__ import annotations

from collections.abc import Callable

from life.field import Base, Field
from life.model import May

#: Enough for every task to be reset, claimed and landed.
_ROUNDS = 40


def held(field: Field, partly: set[str], saw: Callable[[str, May], None]) -> list[str]:
    """What is still not done when somebody new has done what he could; each step is told `saw`.

    `partly` are keys whose work somebody took away: they are reopened.
    """
    for worker in list(field.workers):
        field.workers.remove(worker)
        field.left.append(worker)
    last = field.arrive("omega")
    for key in sorted(partly):
        task = field.look().tasks[key]
        if task.archived:
            field.expect(field.sync(), "archive", "--restore", task.id)
            field.push()
        field.expect(field.sync(), "reset", task.id, "--reopen", "--reason", "no work")
        saw(f"reopen {key}", May.REOPEN)
    for _ in range(_ROUNDS):
        base = field.look()
        open_ = [key for key, task in base.tasks.items() if task.status == "blocked"]
        for key in open_:
            task_id, place = base.tasks[key].id, field.sync()
            shown = field.expect(place, "show", task_id)["task"]
            if shown["state"] == "in-review":
                continue  # somebody whose claim is older has answered it by doing it
            field.expect(place, "reply", task_id, "This one")
            saw(f"reply {key}", May.NOTHING)
        done = field.ralph(last.place, "claim")
        if done.code == 0:
            task = done.data["task"]
            last.place.write(f"work/{task['x-key']}.txt", f"{task['claim']['id']}\n")
            done = field.ralph(last.place, "complete", "--land", "merge")
            saw(f"omega does {task['id']}", May.NOTHING)
            if done.code:
                return [f"omega cannot complete {task['id']}: {done.out[-600:]}"]
            continue
        left = _open(field.look())
        if not left:
            return []
        if not _freed(field, saw):
            said = done.out[-600:]
            return [f"{', '.join(left)} can be claimed by nobody, also not after reset: {said}"]
    return ["it does not end"]


def _freed(field: Field, saw: Callable[[str, May], None]) -> bool:
    """Land what is in review, else reset what is held; whether one of them did something."""
    before = field.look()
    field.ralph(field.sync(), "land", "--all", "--land", "merge")
    saw("land --all", May.NOTHING)
    if field.look().commit != before.commit:
        return True
    for words in ((), ("--force",)):
        for id in _open(field.look()):
            field.ralph(field.sync(), "reset", id, "--reason", "gone", *words)
        saw("reset", May.REOPEN)
        if field.look().commit != before.commit:
            return True
    return False


def _open(base: Base) -> list[str]:
    return [task.id for task in base.tasks.values() if task.status not in ("complete", "cancelled")]
