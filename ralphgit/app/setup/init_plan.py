"""Plan a new task graph: make what is missing, leave what is there as it is."""

import os
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from ralphgit.app.setup import file_actions, managed_files
from ralphgit.app.setup.file_actions import Step
from ralphgit.app.tasks import placement
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, NotWritable
from ralphgit.records import atomic_files, init_marks, schemas, settings_file, settings_template

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


class Wishes(NamedTuple):
    """What `init` is asked for."""

    layout: str = ""
    agents: bool = True
    """The instructions for coding agents."""
    skill: str = ""
    """The folder of skills that gets the skill file, relative to the top; "" is none."""
    ci: str = ""
    """The forge that gets a job; "" is none."""


def plan(project: Project, wishes: Wishes) -> list[Step]:
    """Plan what `init` would do here, without writing anything.

    Works before the first commit. What exists is kept, but for a line in a justfile, a block
    between marks, and what an earlier `init` wrote and nobody has changed, which is renewed.
    Hooks, .gitignore and the user's own configuration of git are never touched.

    Raises: GuardRefused (bare, base_has_graph, other_layout); InvalidRecord and UsageError for
    settings that cannot be read, and for a folder outside the repository.
    """
    found = [*_graph(project, wishes.layout), managed_files.set_exclude(project)]
    config = project.config
    if wishes.layout in ("story", "task") and not project.places_here.folders:
        config = config._replace(graph=(_GLOB,))  # as the new settings have it
    found.append(managed_files.set_attributes(project, config))
    found += managed_files.set_diff(project)
    found += managed_files.set_recipes(project)
    if wishes.agents:
        found += managed_files.set_instructions(project, config)
    skills = [*managed_files.known_skills(project), *filter(None, [wishes.skill])]
    paths = dict.fromkeys(managed_files.skill_path(project, folder) for folder in skills)
    found += [file_actions.set_whole(project, path, managed_files.skill()) for path in paths]
    found += managed_files.set_jobs(project, wishes.ci)
    found += managed_files.set_schemas(project)
    return found


def apply(project: Project, planned: list[Step]) -> None:
    """Take every step of a plan; after a failure what was made is gone again.

    Killed on the way it leaves what was made until then, and repeating it makes the rest.

    Raises: NotWritable, GitError.
    """
    file_actions.do(project, planned)
    project.refresh(config=True)


def _graph(project: Project, layout: str) -> Iterator[Step]:
    for path, data in _graph_files(project, layout).items():
        full = os.path.join(project.top, path)
        if path == settings_file.FILE and os.path.isfile(full) and not os.path.islink(full):
            yield _renewed_settings(project)
        elif os.path.lexists(full):
            yield file_actions.keep(path)
        elif path.endswith("/"):
            yield Step("create", path, partial(_make_folder, full))
        else:
            yield file_actions.write(project, "create", path, data)


def _renewed_settings(project: Project) -> Step:
    """The settings as this version writes them, the graph where it is; what somebody has
    changed stays."""
    known = atomic_files.read(os.path.join(project.top, settings_file.FILE)) or b""
    if not init_marks.is_unchanged(known):
        return file_actions.keep(settings_file.FILE)
    graph = project.settings.graph_here if "graph" in settings_file.parse(known) else ()
    return file_actions.set_whole(project, settings_file.FILE, settings_template.text(graph))


def _graph_files(project: Project, layout: str) -> dict[str, bytes]:
    """The files of the graph and its settings, with the content they are made with.

    Raises: GuardRefused; UsageError (no_place).
    """
    known = project.paths_in(project.top)
    has_settings = os.path.lexists(os.path.join(project.top, settings_file.FILE))
    exact, folders, _ = project.places_here
    wanted = {settings_file.FILE: settings_template.text()}
    if not known:
        _refuse_second_graph(project)
    if layout in ("story", "task") and not folders:
        if known or has_settings:
            raise _other_layout(project, layout, known)
        wanted |= {settings_file.FILE: settings_template.text((_GLOB,)), "graph/": b""}
        # That this file is there is what tells the layout from one file per task.
        storyless = f"graph/{placement.STORYLESS}.yaml"
    elif layout == "single" and not exact:
        raise _other_layout(project, layout, known)
    elif known:
        return dict.fromkeys(known, b"") | wanted
    elif layout == "single" or not folders:
        return {exact[0]: template()} | wanted
    else:
        wanted |= {f"{folder}/": b"" for folder in folders if folder}
        storyless = ""
        if layout == "story":
            storyless = placement.new_file(project, placement.STORYLESS)
    return wanted | ({storyless: template()} if layout == "story" else {})


def template() -> bytes:
    """A graph file as it is made."""
    return (schemas.modeline("task-graph") + _EXAMPLE).encode()


def _refuse_second_graph(project: Project) -> None:
    """A worktree that has not got the base's graph must not begin one of its own."""
    base = project.base
    if base.commit and project.shards_at([base.commit])[base.commit]:
        raise GuardRefused(
            f"{base.label} has a task graph, and this worktree does not",
            code="base_has_graph",
            hint=project.restore_graph() or base.merge_command,
        )


def _other_layout(project: Project, layout: str, known: list[str]) -> GuardRefused:
    graph = "task-graph.yaml" if layout == "single" else _GLOB
    return GuardRefused(
        f"the graph is set to be in {', '.join(project.settings.graph_here)}; nothing was changed",
        code="other_layout",
        hint=f"ralphgit shard --layout {layout}"
        if known
        else f'graph = ["{graph}"] in {settings_file.FILE}, then repeat',
    )


def _make_folder(path: str, undo: atomic_files.Undo) -> None:
    try:
        os.makedirs(path)
    except OSError as error:
        raise NotWritable(
            f"cannot make {path}: {error.strerror}", hint="fix the permissions, then repeat"
        ) from error
    undo.on_failure(partial(os.rmdir, path))
