"""Offer completions for a parameter: what this repository has now.

Everything comes from the repository, and a shell puts it on a command line: only what is one
plain word to every shell is offered, and descriptions are printable and short.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ralphgit.app.active_claims import next_tasks, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace import worktree_names
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.command_spec import Param
from ralphgit.errors import RalphError
from ralphgit.model.active_claim import RESCUE
from ralphgit.model.printable import counted, cut, safe
from ralphgit.model.task_row import Row

_WORD = re.compile(r"[A-Za-z0-9_./@%+,][A-Za-z0-9_./@%+,=-]*\Z", re.A)
_LONGEST = 60
#: What a metavar without its brackets and dots means.
_FILES = ("FILE", "PATH", "DIR")
_BRANCHES = ("BRANCH", "BRANCH|OLD..NEW", "REV", "REF", "RANGE")


class Word(NamedTuple):
    value: str
    help: str = ""


def is_file(param: Param) -> str:
    """Return `file` or `dir` if the parameter is a path, which the shell completes; else ""."""
    kind = _kind(param)
    return "" if kind not in _FILES else "dir" if kind == "DIR" else "file"


def words(
    around: Surroundings, command: str, param: Param, given: Mapping[str, object]
) -> list[Word]:
    """Offer words for `param` of `command`, beside the parameters that are `given` already;
    none if there is no repository, or its graph cannot be read."""
    found = _source(command, param, given)
    if found is None:
        return []
    try:
        return [word for word in found(Project.open(around)) if _WORD.match(word.value)]
    except (RalphError, OSError):
        return []


def _kind(param: Param) -> str:
    return param.metavar.strip("[].")


def _source(
    command: str, param: Param, given: Mapping[str, object]
) -> Callable[[Project], Iterable[Word]] | None:
    if param.listed is not None:
        listed = param.listed
        return lambda project: [
            Word(one.name, _short(one.help)) for one in listed(project.around.directory)
        ]
    kind = _kind(param)
    if kind == "ID":
        if param.name == "id":
            return None  # a new one
        if param.name == "task" and command == "reset" and given.get("reopen"):
            return _finished
        if command == "archive":
            return _archived if given.get("restore") else _finished
        return _TASKS.get(command, _all) if param.name == "task" else _all
    if kind == "S":
        return _stories
    if kind in _BRANCHES:
        return _others if kind in _BRANCHES[:2] else _branches
    if kind == "NAME" and param.name == "name" and given.get("action") not in ("new", "up"):
        return _linked if command == "worktree" else _worktrees
    return _OTHERS.get(kind)


def _tasks(rows: Iterable[Row]) -> list[Word]:
    return [Word(row.id, _short(row.title)) for row in rows]


def _short(text: str) -> str:
    return cut(" ".join(safe(text).split()), _LONGEST)


def _all(project: Project) -> list[Word]:
    return _tasks(project.here.rows)


def _ready(project: Project) -> list[Word]:
    return _tasks(row for row, _ in next_tasks.takeable(project).tasks)


def _own(project: Project) -> list[Word]:
    """What this worktree has claimed."""
    own = {lease.task for lease in own_claims.open_claims(project, ClaimMap(project))}
    return _tasks(row for row in project.here.rows if row.id in own)


def _in_states(*states: str) -> Callable[[Project], list[Word]]:
    def found(project: Project) -> list[Word]:
        claim_map = ClaimMap(project)
        task_states = claim_map.task_states
        return _tasks(row for row in claim_map.base.rows if task_states[row.id].state in states)

    return found


_finished = _in_states("complete", "cancelled")
#: Which tasks a command is for; the others take any.
_TASKS: Mapping[str, Callable[[Project], list[Word]]] = {
    **dict.fromkeys(("claim", "preflight", "run"), _ready),
    **dict.fromkeys(("complete", "block", "release"), _own),
    "reply": _in_states("blocked"),
    "revert": _in_states("complete"),
    "reset": _in_states("claimed", "in-progress", "in-review", "blocked"),
}


def _archived(project: Project) -> list[Word]:
    return [Word(one.id, _short(one.title)) for one in project.here.archive.entries]


def _kept(project: Project) -> list[Word]:
    """What has work in a rescue ref: tasks, then the refs."""
    refs = sorted(ref for ref in project.repository.refs if ref.startswith(RESCUE))
    tasks = dict.fromkeys(ref.removeprefix(RESCUE).partition("/")[0] for ref in refs)
    return [Word(word) for word in (*tasks, *refs)]


def _awaited(project: Project) -> list[Word]:
    there = [row for row in project.here.rows if row.status not in ("complete", "cancelled")]
    return [*map(Word, ("attention", "ready", "done")), *_tasks(there)]


def _profiles(project: Project) -> list[Word]:
    return [Word(one.name) for one in project.config.agents]


#: By what a metavar means.
_OTHERS = {"TASK|REF": _kept, "WHAT": _awaited, "PROFILE": _profiles}


def _stories(project: Project) -> list[Word]:
    number = Counter(row.story for row in project.here.rows if row.story)
    return [Word(name, counted(n, "task")) for name, n in number.items()]


def _branches(project: Project) -> list[Word]:
    prefixes = ("refs/heads/", "refs/remotes/", "refs/tags/")
    refs = project.repository.refs.items()
    names = [name for name, ref in refs if name.startswith(prefixes) and not ref.symref]
    return [Word(name.split("/", 2)[2]) for name in names]


def _others(project: Project) -> list[Word]:
    """Branches that can be merged into the base: not the base itself."""
    base = {project.base.branch, project.base.label}
    return [word for word in _branches(project) if word.value not in base]


def _worktrees(project: Project) -> list[Word]:
    return [
        Word(worktree_names.name_of(project, one), one.branch.removeprefix("refs/heads/"))
        for one in project.repository.worktrees
        if not one.bare
    ]


def _linked(project: Project) -> list[Word]:
    main = {
        worktree_names.name_of(project, one) for one in project.repository.worktrees if one.main
    }
    return [word for word in _worktrees(project) if word.value not in main]
