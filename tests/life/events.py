"""What may happen in a repository's life. An event says what it did, "" where it cannot be."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, NamedTuple

from life.field import Field, Worker, block
from life.model import May

Event = Callable[[Field], str]


class Kind(NamedTuple):
    """An event, how often it is drawn, and what it may do to the base."""

    run: Event
    weight: int
    may: May = May.NOTHING


# -- workers ---------------------------------------------------------------------------------


def claim(field: Field) -> str:
    """A worker takes a task: any that is ready, or one that he was told."""
    idle = field.some(lambda: [one for one in field.workers if not one.key])
    if idle is None:
        return ""
    known = field.look().tasks
    wanted = field.some(lambda: [task.id for task in known.values() if not task.archived])
    words = [wanted] if wanted and field.chance.random() < 0.4 else []
    done = field.ralph(idle.place, "claim", *words)
    if done.code == 8 and field.chance.random() < 0.3:
        field.leave(idle)
        return f"{idle.name} goes, as nothing can be claimed"
    if done.code:
        return f"{idle.name} claims {' '.join(words)}: {done.error}"
    task = done.data["task"]
    idle.key, idle.claim = str(task["x-key"]), task["claim"]["id"]
    if known[idle.key].status == "complete":
        return f"WRONG: {idle.name} claims {task['id']}, which is complete"
    return f"{idle.name} claims {task['id']} as {idle.claim}"


def work(field: Field) -> str:
    """A worker does what is asked and completes it, at times landing it at once."""
    worker = _busy(field)
    if worker is None:
        return ""
    worker.place.write(f"work/{worker.key}.txt", f"{worker.claim}\n")
    if field.chance.random() < 0.2:
        worker.place.commit(f"Begin {worker.key}")
    land = ["--land", "merge"] if field.chance.random() < 0.4 else []
    done = field.ralph(worker.place, "complete", *land)
    told = f"{worker.name} completes {worker.key} under {worker.claim} {' '.join(land)}"
    if done.code in (0, 5):
        worker.key = ""
        if done.code == 0 and worker.claim in field.taken:
            return f"WRONG: {told}, which the base has taken back"
    elif field.chance.random() < 0.5:
        field.leave(worker)
    return f"{told}: {done.error or 'done'}"


def release(field: Field) -> str:
    worker = _busy(field)
    if worker is None:
        return ""
    done = field.ralph(worker.place, "release", "--reason", "no time")
    if done.code in (0, 5):  # released, or somebody else's meanwhile
        worker.key = ""
    return f"{worker.name} releases {worker.claim}: {done.error or 'done'}"


def ask(field: Field) -> str:
    """A worker is stuck, and lands the question."""
    worker = _busy(field)
    if worker is None:
        return ""
    words = ("--reason", "needs_context", "--question", "Which one?")
    done = field.ralph(worker.place, "block", *words)
    if done.code in (0, 5):
        worker.key = ""
    if done.code == 0:
        landed = field.ralph(worker.place, "land", "--land", "merge")
        return f"{worker.name} asks under {worker.claim}, lands: {landed.error or 'done'}"
    return f"{worker.name} asks under {worker.claim}: {done.error}"


def go(field: Field) -> str:
    """A worker goes, in the middle of something or not; all of his is left standing."""
    if len(field.left) > 6:
        return ""
    worker = field.some(lambda: field.workers)
    new = field.leave(worker)
    return f"{worker.name} goes, {new.name} comes"


def loop(field: Field) -> str:
    """A loop does one task from claim to landing."""
    worker = field.some(lambda: [*field.workers, *field.left])
    script = field.folder / "agent.py"
    script.write_text(_AGENT)
    agent = shlex.join(["python3", str(script)])
    done = field.ralph(worker.place, "run", "--once", "--agent", agent, "--land", "merge")
    worker.key = ""
    return f"a loop in {worker.name}: exit {done.code}, {done.error or 'done'}"


_AGENT = """\
import os, re, sys
sys.stdin.read()
key = re.search(r"work/(\\d+)[.]txt", open(os.environ["RALPH_PACKET"]).read())[1]
os.makedirs("work", exist_ok=True)
open(f"work/{key}.txt", "w").write(os.environ["RALPH_CLAIM"] + "\\n")
"""


def land(field: Field) -> str:
    """ralphgit lands what a worker has, who may be gone: in his worktree, by name, or all."""
    worker = field.some(lambda: [*field.workers, *field.left])
    how = field.chance.choice(("own", "name", "all"))
    if how == "own":
        done = field.ralph(worker.place, "land", "--land", "merge")
    else:
        words = [worker.place.path.name.removeprefix("proj-")] if how == "name" else ["--all"]
        done = field.ralph(field.sync(), "land", *words, "--land", "merge")
    return f"land {how} {worker.name}: {done.error or 'done'}"


# -- the forge, whose gate lets a branch pass -----------------------------------------------------


def merge(field: Field) -> str:
    """A branch that the gate passes is merged by one of the forge's three buttons.

    Where it stands on history that was taken off the base, reverts and reopenings in that
    history happen again: a change like others, that `diff` says, and that a person merges.
    """
    worker = field.some(lambda: [*field.workers, *field.left])
    branch = worker.name
    world = field.sync()
    if not world.git("rev-list", "-1", f"main..{branch}"):
        return ""
    gate = field.ralph(world, "check", branch, "--base", "main")
    if gate.code:
        return f"the gate refuses {branch}: {_codes(gate.json)}"
    commits = world.git("rev-list", f"main..{branch}").split()
    field.old_ways = not field.purged.isdisjoint(commits)
    method = field.chance.choice(("merge", "squash", "rebase"))
    match method:
        case "merge":
            done = field.git(world, "merge", "-q", "--no-ff", "--no-edit", branch)
        case "squash":
            done = field.git(world, "merge", "-q", "--squash", branch)
            if done:
                world.git("commit", "-q", "--allow-empty", "-m", f"Squash {branch}")
        case _:
            done = field.git(world, "cherry-pick", "--empty=drop", f"main..{branch}")
            done = done or field.git(
                world, "cherry-pick", "--keep-redundant-commits", f"main..{branch}"
            )
    world.git("reset", "-q", "--hard")
    field.push()
    return f"{branch} is landed by {method}: {'done' if done else 'conflict'}"


# -- taken back, and brought back ----------------------------------------------------------------


def revert(field: Field) -> str:
    """The Revert button on one of the last commits, which may be a revert itself."""
    world = field.sync()
    commit = _recent(field)
    if not commit:
        return ""
    before = world.head
    done = field.git(world, "revert", "--no-edit", *_mainline(field, commit), commit)
    if not done or field.ralph(world, "check", f"{before}..HEAD").code:
        world.git("reset", "-q", "--hard", before)
        return f"{commit[:8]} cannot be reverted, or the gate refuses it"
    field.push()
    return f"{commit[:8]} is reverted: {world.git('log', '-1', '--format=%s', commit)}"


def revert_task(field: Field) -> str:
    """`ralphgit revert` of a task that has landed."""
    known = field.look().tasks
    task = field.some(lambda: [one for one in known.values() if one.status == "complete"])
    if task is None:
        return ""
    done = field.ralph(field.sync(), "revert", task.id, "--reason", "wrong")
    return f"ralphgit revert {task.id} ({task.claim}): {done.error or 'done'}"


def rewrite(field: Field) -> str:
    """The last commits are taken out of the history, and something else is there."""
    world = field.sync()
    depth = field.chance.randint(1, 3)
    old = world.git("rev-list", "--first-parent", "main").split()
    if len(old) <= depth + 1:
        return ""
    world.git("reset", "-q", "--hard", old[depth])
    field.purged |= set(world.git("rev-list", f"HEAD..{old[0]}").split())
    world.write("other.txt", f"{field.number()}\n")
    world.commit("Something else")
    field.push("--force")
    return f"main is rewritten from {old[0][:8]} to follow {old[depth][:8]}"


def pick(field: Field) -> str:
    """A person cherry-picks what a branch or a rescue ref has, knowing what it is."""
    world = field.sync()
    worker = field.some(lambda: [*field.workers, *field.left])
    commits = world.git("rev-list", "--no-merges", f"main..{worker.name}").split()
    commit = field.some(lambda: commits)
    if commit is None:
        return ""
    before = world.head
    done = field.git(world, "cherry-pick", commit)
    if not done or field.ralph(world, "check", f"{before}..HEAD").code:
        world.git("reset", "-q", "--hard", before)
        return f"{commit[:8]} of {worker.name} cannot be picked, or the gate refuses it"
    field.push()
    return f"{commit[:8]} of {worker.name} is picked"


# -- a person ------------------------------------------------------------------------------------


def reset(field: Field) -> str:
    world = field.sync()
    task = field.some(lambda: [one for one in field.look().tasks.values() if not one.archived])
    if task is None:
        return ""
    words = ["--reopen"] if field.chance.random() < 0.4 else []
    words += ["--force"] if field.chance.random() < 0.3 else []
    done = field.ralph(world, "reset", task.id, "--reason", "stuck", *words)
    return f"reset {task.id} {' '.join(words)}: {done.error or 'done'}"


def reply(field: Field) -> str:
    world = field.sync()
    known = field.look().tasks.values()
    blocked = field.some(lambda: [one for one in known if one.status == "blocked"])
    if blocked is None:
        return ""
    done = field.ralph(world, "reply", blocked.id, "This one")
    return f"reply {blocked.id}: {done.error or 'done'}"


def rename(field: Field) -> str:
    world = field.sync()
    task = field.some(lambda: [one for one in field.look().tasks.values() if not one.archived])
    if task is None:
        return ""
    new = f"R-{field.number()}"
    done = field.ralph(world, "edit", task.id, "--rename", new)
    if done.code == 0:
        field.commit(f"Rename {task.id}")
    return f"rename {task.id} to {new}: {done.error or 'done'}"


def shard(field: Field) -> str:
    """The graph moves into one file, or one for each story or task."""
    world = field.sync()
    layout = field.chance.choice(("single", "story", "task"))
    done = field.ralph(world, "shard", "--layout", layout)
    if done.code == 0 and world.git("status", "--porcelain"):
        field.commit(f"Graph: {layout}")
    return f"shard {layout}: {done.error or 'done'}"


def move(field: Field) -> str:
    """A person moves the records folder, whoever is at work."""
    world = field.sync()
    text = world.read("ralph.toml")
    old, new = ("notes", "records") if 'records = "notes"' in text else ("records", "notes")
    if not (world.path / old).exists() or (world.path / new).exists():
        return ""
    world.git("mv", old, new)
    text = "".join(line for line in text.splitlines(True) if not line.startswith("records ="))
    world.write("ralph.toml", f'records = "{new}"\n{text}')
    field.commit(f"Records: {new}")
    return f"the records are moved to {new}"


def archive(field: Field) -> str:
    world = field.sync()
    done = field.ralph(world, "archive", "--older-than", "0")
    if done.code == 0:
        field.push()
    return f"archive: {done.error or done.data['tasks']}"


def restore(field: Field) -> str:
    world = field.sync()
    task = field.some(lambda: [one for one in field.look().tasks.values() if one.archived])
    if task is None:
        return ""
    done = field.ralph(world, "archive", "--restore", task.id)
    if done.code == 0:
        field.push()
    return f"restore {task.id}: {done.error or 'done'}"


def spoil(field: Field) -> str:
    """A person takes away the work of a complete task, and not its records."""
    world = field.sync()
    base = field.look()
    keys = [key for key, task in base.tasks.items() if task.status == "complete"]
    key = field.some(lambda: [key for key in keys if key in base.work])
    if key is None:
        return ""
    (world.path / "work" / f"{key}.txt").unlink()
    field.commit(f"Without the work of {key}")
    return f"the work of {key} is removed by hand"


def edit(field: Field) -> str:
    """By hand: another title, or a comment, somewhere in the graph."""
    world = field.sync()
    task = field.some(lambda: [one for one in field.look().tasks.values() if not one.archived])
    if task is None:
        return ""
    paths = [world.path / "task-graph.yaml", *sorted((world.path / "graph").glob("**/*.yaml"))]
    for path in filter(lambda path: path.exists(), paths):
        lines = path.read_text().splitlines(keepends=True)
        for number, line in enumerate(lines):
            if line.strip() in (f"- id: {task.id}", f"id: {task.id}"):
                title = next(n for n in range(number, len(lines)) if "title:" in lines[n])
                lines[title] = lines[title].split("title:")[0] + f"title: Title {field.number()}\n"
                path.write_text("".join(lines))
                field.commit(f"Title of {task.id}")
                return f"the title of {task.id} is edited"
    raise AssertionError(f"{task.id} is in no graph file")


def more(field: Field) -> str:
    """A person adds a task."""
    if field.keys > 14:
        return ""
    world = field.sync()
    if (world.path / "graph").exists():
        return ""
    field.keys += 1
    path = "task-graph.yaml"
    world.write(path, world.read(path) + block(str(field.keys)))
    field.commit(f"Add T-{field.keys}")
    return f"T-{field.keys} is added"


def _busy(field: Field) -> Worker | None:
    found: Worker | None = field.some(lambda: [one for one in field.workers if one.key])
    return found


def _codes(answer: dict[str, Any]) -> list[str]:
    data = answer["data"] or (answer["error"] or {}).get("data") or {}
    return sorted({one["code"] for one in data.get("problems", ())}) or [str(answer["error"])]


def _recent(field: Field) -> str:
    """One of the last commits of the first-parent line, "" where the plan alone is there."""
    commits = field.world.git("rev-list", "--first-parent", "-6", "main").split()
    first = field.world.git("rev-list", "--max-parents=0", "main").split()
    return field.some(lambda: [one for one in commits if one not in first]) or ""


def _mainline(field: Field, commit: str) -> list[str]:
    parents = field.world.git("rev-list", "--parents", "-1", commit).split()
    return ["-m", "1"] if len(parents) > 2 else []


BACK = May.TAKE | May.RETURN
KINDS: dict[str, Kind] = {
    "claim": Kind(claim, 16),
    "work": Kind(work, 16),
    "land": Kind(land, 6),
    "merge": Kind(merge, 9),
    "loop": Kind(loop, 2),
    "release": Kind(release, 2),
    "ask": Kind(ask, 2),
    "go": Kind(go, 2),
    "revert": Kind(revert, 5, BACK),
    "revert_task": Kind(revert_task, 3, BACK | May.REOPEN),
    "spoil": Kind(spoil, 1, May.PART),
    "rewrite": Kind(rewrite, 3, BACK | May.PART),
    "pick": Kind(pick, 2, May.RETURN),
    "reset": Kind(reset, 4, May.REOPEN),
    "reply": Kind(reply, 4),
    "rename": Kind(rename, 3),
    "shard": Kind(shard, 2),
    "move": Kind(move, 2),
    "archive": Kind(archive, 2),
    "restore": Kind(restore, 2),
    "edit": Kind(edit, 3),
    "more": Kind(more, 2),
}
