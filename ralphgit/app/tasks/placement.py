"""Choose a new task's file, place and id."""

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.workspace.archive_view import Archive
from ralphgit.app.workspace.graph_files import file_named
from ralphgit.app.workspace.graph_view import HERE
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, UsageError
from ralphgit.model.task_row import Row
from ralphgit.records import schemas

#: In the layout of one file per story: the file of the tasks without a story.
STORYLESS = "tasks"


class Placement(NamedTuple):
    """Where a task is written."""

    path: str
    """The graph file, relative to the top; it may not exist yet."""
    text: str
    """What the file holds; of a new one, its first lines."""
    after: int | None
    """The number of the file's task that it comes after; None in a file without tasks."""


def place(project: Project, task: str, *, story: str, file: str, after: str) -> Placement:
    """Place a new task behind the task `after`, else behind the last of its story, else last.

    The file is `file`, else the one that `after` is in. Where neither is given and the
    graph setting has a glob: a file of its own where every file holds one task, else the
    story's file, which may be a new one. Else the file for tasks without a story, if there
    is one, else the last file.

    Raises: UsageError (not_a_graph_file, unknown_task, no_place); InvalidRecord (no_graph).
    """
    here = project.here
    path = _file(project, task, story, file, after)
    if all(path != known for known, _ in here.shards):
        return Placement(path, schemas.modeline("task-graph") + "version: 1\ntasks:\n", None)
    rows = [row for row in here.rows if row.file == path]
    own = [n for n, row in enumerate(rows) if row.id == after] or [
        n for n, row in enumerate(rows) if story and row.story == story
    ]
    number = own[-1] if own else len(rows) - 1 if rows else None
    return Placement(path, here.content(path), number)


def _file(project: Project, task: str, story: str, file: str, after: str) -> str:
    here = project.here
    exact, folders, matches = project.places_here
    if file:
        absolute = os.path.realpath(os.path.join(project.around.directory, file))
        path = os.path.relpath(absolute, os.path.realpath(project.top)).replace(os.sep, "/")
        if path not in exact and not matches(path):
            message = (
                f"{path} is not a file of the graph ({', '.join(project.settings.graph_here)})"
            )
            raise UsageError(message, code="not_a_graph_file", hint="see graph in ralph.toml")
        if after and here.row(after).file != path:
            hint = "leave out --file or --after"
            raise UsageError(
                f"{after} is in {here.row(after).file}, not in {path}", code="no_place", hint=hint
            )
        return path
    if after:
        return here.row(after).file
    if folders and _one_task_a_file(here.rows, [path for path, _ in here.shards]):
        return new_file(project, task)
    files = [row.file for row in here.rows if story and row.story == story]
    if files:
        return files[-1]
    if folders and story:
        return new_file(project, story)
    if not here.shards:
        raise project.no_graph(HERE)
    known = [path for path, _ in here.shards]
    return next((path for path in known if not story and _name(path) == STORYLESS), known[-1])


def _name(path: str) -> str:
    """A file's name without its ending."""
    return path.rpartition("/")[2].rpartition(".")[0]


def _one_task_a_file(rows: Sequence[Row], files: Sequence[str]) -> bool:
    """Whether this is the layout of one file per task; also true of a graph without files.

    Files named after the story of their only task, or for tasks without one, are not that.
    """
    return sorted(row.file for row in rows) == sorted(files) and all(
        _name(row.file) not in (row.story, STORYLESS) for row in rows
    )


def new_file(project: Project, name: str) -> str:
    """A file called `name` that the graph setting takes in. Raises: UsageError (no_place)."""
    if path := file_named(project.places_here, name):
        return path
    message = (
        f"no file named after {name} is in the graph ({', '.join(project.settings.graph_here)})"
    )
    raise UsageError(message, code="no_place", hint="say which: --file PATH")


# -- ids -----------------------------------------------------------------------------------

_NUMBERED = re.compile(r"(.*?)([0-9]+)")


def free_id(project: Project, rows: Sequence[Row], story: str) -> str:
    """Choose the id for a new task: the next free number, written as the ids of `rows` are.

    Of its story's ids, if it has some, else of the last id. `T-1` where none has a number. A
    number that a graph file on some branch or in some worktree has is not free.
    """
    prefix, width, number = _pattern(rows, story)
    taken = {row.id.casefold() for row in rows}
    taken.update(_elsewhere(project, prefix))
    taken.update(entry.id.casefold() for one in archives(project) for entry in one.entries)
    while f"{prefix}{number:0{width}}".casefold() in taken:
        number += 1
    return f"{prefix}{number:0{width}}"


def _pattern(rows: Sequence[Row], story: str) -> tuple[str, int, int]:
    """What stands before the number, how wide it is, and the first number to try."""
    numbered = [(row, found[1], found[2]) for row in rows if (found := _NUMBERED.fullmatch(row.id))]
    own = [entry for entry in numbered if story and entry[0].story == story]
    if story and not own and (first := _first_of_story(numbered, story)):
        found = _NUMBERED.fullmatch(first)
        assert found is not None  # it ends in 1
        return found[1], len(found[2]), int(found[2])
    if not numbered:
        return "T-", 1, 1
    _, prefix, digits = _model(own or numbered)
    highest = max(int(other) for _, same, other in own or numbered if same == prefix)
    return prefix, len(digits), highest + 1


def _model(numbered: Sequence[tuple[Row, str, str]]) -> tuple[Row, str, str]:
    """The last task whose id has the form that most have: `log4j2` has not beside T-1, T-2."""
    forms = [re.sub("[0-9]+", "0", prefix) for _, prefix, _ in numbered]
    most = max(map(forms.count, set(forms)))
    return next(one for one, form in zip(reversed(numbered), reversed(forms), strict=True)
                if forms.count(form) == most)  # fmt: skip


def _first_of_story(numbered: Sequence[tuple[Row, str, str]], story: str) -> str:
    """The first id of a new story, where ids have their story's number in them: for S-025
    beside T-024-02 of S-024 it is T-025-01, for S-4 beside ST-305 of S-3 it is ST-401."""
    new = _NUMBERED.fullmatch(story)
    model = next((row.story for row, _, _ in reversed(numbered) if row.story), "")
    old = _NUMBERED.fullmatch(model)
    if new is None or old is None or new[1] != old[1]:
        return ""
    form = re.compile(rf"(.*[^0-9]|){old[2]}([._-][0-9]+|[0-9]{{2,}})")
    found = [form.fullmatch(row.id) for row, _, _ in numbered if row.story == model]
    last = found[-1]
    if last is None or not all(found):
        return ""
    rest = re.sub("[0-9]+", lambda digits: "1".zfill(len(digits[0])), last[2])
    return f"{last[1]}{new[2]}{rest}"


def _elsewhere(project: Project, prefix: str) -> Iterator[str]:
    """The ids with `prefix` in graph files of other branches and worktrees."""
    here = {oid for _, oid in project.here.shards}
    tips = dict.fromkeys(
        ref.oid
        for name, ref in project.repository.refs.items()
        if name.startswith(("refs/heads/", "refs/remotes/")) and not ref.symref
    )
    found = project.shards_anywhere([*tips])
    shards = {shard for own in found.values() for shard in own}
    texts = list(project.repository.objects.read({oid for _, oid in shards} - here).values())
    for worktree in project.repository.worktrees:
        if not worktree.bare and worktree.exists and worktree.path != project.top:
            for path in project.paths_elsewhere(worktree.path):
                texts.append(_content(project, os.path.join(worktree.path, path)))
    number = rb"(" + re.escape(prefix.encode()) + rb"[0-9]+)(?![\w.-])"
    form = re.compile(rb"(?<![\w.-])[\"']?id[\"']?[ ]*:[ ]*[\"']?" + number, re.IGNORECASE)
    for text in texts:
        for id in form.findall(text):
            yield id.decode().casefold()


def _content(project: Project, path: str) -> bytes:
    """A file of another worktree; empty, with a warning, if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        project.warn(f"{path} cannot be read: {error.strerror}")
        return b""


def archives(project: Project) -> list[Archive]:
    """The archive here, and that on the base."""
    found = [project.here.archive]
    if project.base.commit:
        found.append(project.base_archive)
    return found


def base_rows(project: Project) -> Sequence[Row]:
    """The tasks on the base; none, with a warning, where its graph cannot be read."""
    base = project.base
    if not base.commit:
        return []
    try:
        return project.view(base.commit, base.label).rows
    except InvalidRecord as error:
        project.warn(f"{error} (skipped while looking for ids)")
        return []
