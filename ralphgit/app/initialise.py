"""Beginning a task graph: what is missing is made, what is there stays as it is."""

from __future__ import annotations

import os
from functools import partial
from typing import NamedTuple

from ralphgit.app import absent, placement, runtime
from ralphgit.app.project import Project
from ralphgit.errors import GuardRefused, NotWritable
from ralphgit.records import files, schema, settings

_GLOB = "graph/*.yaml"

_EXAMPLE = """\
#
# A task looks like this; ralphgit add writes one.
#
#   - id: T-1
#     title: Say hello
#     status: pending
#     acceptance:
#       - id: ACC-1
#         text: hello.txt greets the world
#     verify:
#       - grep -q 'hello, world' hello.txt
#     outputs:
#       - hello.txt
#     scope:
#       write:
#         - hello.txt
version: 1
tasks: []
"""

_SETTINGS = f"""\
#:schema .ralph/schemas/config.schema.json

# {{}}
graph = ["{_GLOB}"]
"""
_SAYS = {
    "story": "The task graph: one file for each story.",
    "task": "The task graph: one file for each task.",
}


class Begun(NamedTuple):
    """Paths relative to the top; a folder's ends in `/`."""

    created: tuple[str, ...]
    kept: tuple[str, ...]


def initialise(project: Project, layout: str = "") -> Begun:
    """Make the graph, `.ralph/` with the schemas in it, and the line that excludes it.

    Works before the first commit. What exists is never changed, hooks and .gitignore are
    not touched, and after a failure what was made is gone again.

    Raises: GuardRefused (bare, base_has_graph, other_layout); NotWritable; InvalidRecord and
    UsageError for settings that cannot be read.
    """
    wanted = _graph_files(project, layout)
    created, kept = [], []
    with files.Undo() as undo:
        for path, text in wanted.items():
            full = os.path.join(project.top, path)
            if os.path.lexists(full):
                kept.append(path)
                continue
            created.append(path)
            if path.endswith("/"):
                _make_folder(full)
                undo.on_failure(partial(os.rmdir, full))
            else:
                undo.write(full, text.encode("utf-8"))
        exclude = project.show_path(os.path.join(project.repository.common_dir, "info", "exclude"))
        (kept if runtime.is_excluded(project) else created).append(exclude)
        _recipes(project, undo, created, kept)
        _schemas(project, undo, created, kept)
        runtime.prepare(project)
    project.refresh()
    return Begun(tuple(created), tuple(kept))


def _graph_files(project: Project, layout: str) -> dict[str, str]:
    """The files of the graph and its settings, with the content they are made with.

    Raises: GuardRefused; UsageError (no_place).
    """
    known = project.paths_in(project.top)
    has_settings = os.path.lexists(os.path.join(project.top, settings.FILE))
    exact, folders, _ = project.places
    wanted = {settings.FILE: ""} if has_settings else {}
    if not known:
        _refuse_second_graph(project)
    if layout in ("story", "task") and not folders:
        if known or has_settings:
            raise _other_layout(project, layout, known)
        wanted |= {settings.FILE: _SETTINGS.format(_SAYS[layout]), "graph/": ""}
        # That this file is there is what tells the layout from one file per task.
        storyless = f"graph/{placement.STORYLESS}.yaml"
    elif layout == "single" and not exact:
        raise _other_layout(project, layout, known)
    elif known:
        return wanted | dict.fromkeys(known, "")
    elif layout == "single" or not folders:
        return wanted | {exact[0]: _graph(exact[0])}
    else:
        wanted |= {f"{folder}/": "" for folder in folders if folder}
        storyless = ""
        if layout == "story":
            storyless = placement.new_file(project, placement.STORYLESS)
    return wanted | ({storyless: _graph(storyless)} if layout == "story" else {})


def _graph(path: str) -> str:
    return placement.modeline(path) + _EXAMPLE


def _refuse_second_graph(project: Project) -> None:
    """A worktree that has not got the base's graph must not begin one of its own."""
    base = project.base
    if base.commit and project.shards_at([base.commit])[base.commit]:
        raise GuardRefused(
            f"{base.label} has a task graph, and this worktree has not",
            code="base_has_graph",
            hint=absent.restoring(project) or f"git merge {base.label}",
        )


def _other_layout(project: Project, layout: str, known: list[str]) -> GuardRefused:
    graph = "task-graph.yaml" if layout == "single" else _GLOB
    return GuardRefused(
        f"the graph is set to be in {', '.join(project.config.graph)}; nothing was changed",
        code="other_layout",
        hint=f"ralphgit shard --layout {layout}"
        if known
        else f'graph = ["{graph}"] in {settings.FILE}, then repeat',
    )


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path)
    except OSError as error:
        raise NotWritable(
            f"cannot make {path}: {error.strerror}", hint="fix the permissions, then repeat"
        ) from error


RECIPES = "ralph.just"
_IMPORT = f"import '{RECIPES}'\n"
#: The names under which `just` looks for its recipes, in any case.
_JUSTFILES = ("justfile", ".justfile")


def _recipes(project: Project, undo: files.Undo, created: list[str], kept: list[str]) -> None:
    """The recipes for `just`, and a justfile that imports them where there is none."""
    with open(os.path.join(os.path.dirname(os.path.dirname(__file__)), RECIPES), "rb") as file:
        wanted = {RECIPES: file.read()}
    own = [name for name in sorted(os.listdir(project.top)) if name.lower() in _JUSTFILES]
    if not own:
        wanted["justfile"] = _IMPORT.encode()
    for path, data in wanted.items():
        full = os.path.join(project.top, path)
        if os.path.lexists(full):
            kept.append(path)
        else:
            undo.write(full, data)
            created.append(path)
    for name in own:
        kept.append(name)
        if _IMPORT.strip() not in (files.read(os.path.join(project.top, name)) or b"").decode(
            "utf-8", "replace"
        ):
            project.warn(f"{name} stays as it is; for the recipes add to it: {_IMPORT.strip()}")


def _schemas(project: Project, undo: files.Undo, created: list[str], kept: list[str]) -> None:
    for name, data in schema.schema_files().items():
        path = f"{schema.HOME}/{name}"
        full = os.path.join(project.top, path)
        known = files.read(full)
        if known is None:
            undo.write(full, data)
            created.append(path)
            continue
        kept.append(path)
        if known != data:
            project.warn(f"{path} is of another version; delete it and repeat to renew it")
