"""Make what `init` puts around the graph: attributes, recipes, instructions, skill, jobs, schemas.

For each a step that makes or renews it, and one that takes it back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from functools import partial

from ralphgit import __version__
from ralphgit.app.setup import agent_instructions, file_actions
from ralphgit.app.setup.file_actions import Step
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.errors import UsageError
from ralphgit.model.config import Config
from ralphgit.records import (
    atomic_files,
    git_attributes,
    init_marks,
    justfile_import,
    package_files,
    schemas,
)

# -- .gitattributes and git's configuration ------------------------------------------------


def set_attributes(project: Project, config: Config) -> Step:
    """Keep the line ends of records, and have `git diff` name the tasks in them.

    Where a file is checked in with CRLF the attributes would show it as changed as a whole, so
    there they are left out.
    """
    for path in project.paths_in(project.top):
        if b"\r\n" in (atomic_files.read(os.path.join(project.top, path)) or b""):
            why = f"{path} has CRLF line ends; convert it first, while nothing is claimed"
            return file_actions.keep(ATTRIBUTES, why)
    if not all(map(str.isprintable, (*config.graph, config.records))):
        return file_actions.keep(ATTRIBUTES, "graph or records has characters that it cannot have")
    return file_actions.set_block(project, ATTRIBUTES, attributes_block(config), init_marks.HASH)


ATTRIBUTES = ".gitattributes"


def attributes_block(config: Config) -> bytes:
    """The lines between the marks."""
    lines = [f"# {init_marks.SEAL}, which renews it."]
    lines += git_attributes.attributes(config.graph, config.records)
    return init_marks.sealed("\n".join(lines) + "\n")


def unset_attributes(project: Project) -> Step | None:
    return file_actions.unset_block(project, ATTRIBUTES, init_marks.HASH)


def local_setting(project: Project, key: str) -> str | None:
    """What this repository's own configuration of git has for `key`."""
    found = project.repository.git.try_run("config", "--local", "--get", key)
    return found.out.decode("utf-8", "replace").removesuffix("\n") if not found.status else None


def set_diff(project: Project) -> Iterator[Step]:
    """The diff driver that the attributes name, in this repository's configuration of git."""
    for key, value in git_attributes.DIFF_CONFIG.items():
        known = local_setting(project, key)
        if known is None:
            yield Step("create", f"git config {key}", partial(_set, project, key, value))
        else:
            yield file_actions.keep(
                f"git config {key}", "" if known == value else file_actions.EDITED
            )


def unset_diff(project: Project) -> Iterator[Step]:
    for key, value in git_attributes.DIFF_CONFIG.items():
        known = local_setting(project, key)
        if known == value and (other := _user_of_driver(project)):
            yield file_actions.keep(f"git config {key}", f"{other} needs it")
        elif known == value:
            yield Step("remove", f"git config {key}", partial(_unset, project, key))
        elif known is not None:
            yield file_actions.keep(f"git config {key}", file_actions.EDITED)


def _user_of_driver(project: Project) -> str:
    """Another worktree whose attributes name the driver: the configuration is theirs, too."""
    for worktree in project.repository.worktrees:
        path = os.path.join(worktree.path, ATTRIBUTES)
        mine = os.path.realpath(worktree.path) == os.path.realpath(project.top)
        if not mine and f"diff={git_attributes.DRIVER}".encode() in (
            atomic_files.read(path) or b""
        ):
            return project.show_path(path)
    return ""


def _set(project: Project, key: str, value: str, undo: atomic_files.Undo) -> None:
    undo.watch(_config(project))
    project.repository.git.run("config", "--local", key, value)


def _unset(project: Project, key: str, undo: atomic_files.Undo) -> None:
    undo.watch(_config(project))
    git, section = project.repository.git, key.rpartition(".")[0]
    git.run("config", "--local", "--unset-all", key)
    if git.try_run("config", "--local", "--get-regexp", rf"^{re.escape(section)}\.").status:
        # Newer versions of git take an empty section away by themselves.
        git.try_run("config", "--local", "--remove-section", section)


def _config(project: Project) -> str:
    return os.path.join(project.repository.common_dir, "config")


# -- recipes for just ----------------------------------------------------------------------


def recipes(but: Collection[str] = ()) -> bytes:
    """Return `ralph.just`, sealed, without the recipes named in `but`."""
    text = justfile_import.without(package_files.package_file(justfile_import.RECIPES), but)
    return init_marks.sealed(f"# {init_marks.SEAL}, which renews it.\n{text.decode()}")


def set_recipes(project: Project) -> Iterator[Step]:
    """The recipes but for those whose names the justfile has already, and the line that imports
    them."""
    own = _justfiles(project)
    taken: dict[str, str] = {}
    for name in own:
        data = atomic_files.read(os.path.join(project.top, name)) or b""
        taken |= dict.fromkeys(justfile_import.clashes(data, recipes()), name)
    step = file_actions.set_whole(project, justfile_import.RECIPES, recipes(taken))
    if taken and not step.why:
        where = " and ".join(dict.fromkeys(taken.values()))
        step = step._replace(why=f"without {', '.join(taken)}, which {where} has already")
    yield step
    if not own:
        yield file_actions.write(
            project, "create", "justfile", f"{justfile_import.IMPORT}\n".encode()
        )
    for name in own:
        yield _set_import(project, name, alone=len(own) == 1)


def _set_import(project: Project, name: str, *, alone: bool) -> Step:
    unclear = f"for the recipes add to it: {justfile_import.IMPORT}"
    if file_actions.is_elsewhere(project, name):
        return file_actions.keep(name, f"{file_actions.LINKED}; {unclear}")
    data = atomic_files.read(os.path.join(project.top, name)) or b""
    if justfile_import.imports(data):
        return file_actions.keep(name)
    made = justfile_import.with_import(data) if alone else None
    if made is None:
        return file_actions.keep(name, unclear)
    return file_actions.write(project, "change", name, made)


def unset_recipes(project: Project) -> Iterator[Step]:
    """The recipes and their import go together, since `just` fails where one is without the
    other."""
    own = _justfiles(project)
    removal = file_actions.unset_whole(project, justfile_import.RECIPES)
    changes, clear = [], True
    for name in own:
        data = atomic_files.read(os.path.join(project.top, name)) or b""
        if not justfile_import.imports(data):
            continue
        rest = justfile_import.without_import(data)
        if file_actions.is_elsewhere(project, name) or justfile_import.imports(rest):
            clear = False
            yield file_actions.keep(
                name, f"it imports {justfile_import.RECIPES} in words that init does not use"
            )
        elif not rest:
            changes.append(file_actions.remove(project, name))
        else:
            changes.append(file_actions.write(project, "change", name, rest))
    if removal is not None and removal.verb == "remove" and not clear:
        yield file_actions.keep(justfile_import.RECIPES, "a justfile imports it")
    elif removal is not None and removal.verb == "keep":
        yield removal
    else:
        yield from changes
        if removal is not None:
            yield removal


def _justfiles(project: Project) -> list[str]:
    return [
        name for name in sorted(os.listdir(project.top)) if name.lower() in justfile_import.NAMES
    ]


# -- what agents read ----------------------------------------------------------------------

AGENTS, CLAUDE = "AGENTS.md", "CLAUDE.md"


def set_instructions(project: Project, config: Config) -> Iterator[Step]:
    """The block in AGENTS.md, and in CLAUDE.md where that is a file that does not include it."""
    text = agent_instructions.block(config)
    here = {name: os.path.join(project.top, name) for name in (AGENTS, CLAUDE)}
    for name, full in here.items():
        if name == CLAUDE and not os.path.lexists(full):
            continue
        other = AGENTS if name == CLAUDE else CLAUDE
        if os.path.islink(full) and os.path.realpath(full) == os.path.realpath(here[other]):
            yield file_actions.keep(name, f"it is a link to {other}")
        elif name == CLAUDE and _includes(atomic_files.read(full)):
            yield file_actions.keep(name, f"it includes {AGENTS}")
        else:
            yield file_actions.set_block(project, name, text, init_marks.HTML)


def _includes(data: bytes | None) -> bool:
    """Whether CLAUDE.md has AGENTS.md read with it."""
    lines = (line.strip() for line in (data or b"").splitlines())
    return any(line in (b"@AGENTS.md", b"@./AGENTS.md") for line in lines)


def unset_instructions(project: Project) -> Iterator[Step]:
    for name in (AGENTS, CLAUDE):
        if (step := file_actions.unset_block(project, name, init_marks.HTML)) is not None:
            yield step


SKILL = os.path.join("ralphgit", "SKILL.md")
#: Where agents look for skills in a repository.
SKILL_FOLDERS = (".claude/skills", ".agents/skills", ".codex/skills")


def skill() -> bytes:
    """The skill file, sealed behind its front matter."""
    head, mark, body = package_files.read("skills", SKILL).decode().partition("\n---\n")
    return init_marks.sealed(f"{head}{mark}<!-- {init_marks.SEAL}, which renews it. -->\n{body}")


def known_skills(project: Project) -> list[str]:
    """The folders of skills that have the skill file."""
    return [f for f in SKILL_FOLDERS if os.path.isfile(os.path.join(project.top, f, SKILL))]


def skill_path(project: Project, folder: str) -> str:
    """Where the skill file goes, relative to the top. Raises: UsageError."""
    path = os.path.normpath(os.path.join(folder, SKILL))
    if os.path.isabs(path):
        path = os.path.relpath(path, project.top)
    if path.split(os.sep)[0] in ("..", ".git"):
        message = f"--skill {folder} is not a folder in this worktree"
        hint = f"ralphgit init --skill {SKILL_FOLDERS[0]}"
        raise UsageError(message, code="bad_skill_folder", hint=hint)
    return path


# -- what a forge runs ---------------------------------------------------------------------

#: Where the job of each forge goes.
JOBS = {"github": ".github/workflows/ralphgit.yml", "gitlab": ".gitlab/ralphgit.yml"}
#: What makes GitLab run it.
INCLUDE = f"include: {{local: {JOBS['gitlab']}}}"


def job(forge: str) -> str:
    """The job as `docs/ci.md` shows it, with this version of ralphgit."""
    text = package_files.package_file(os.path.join("ci", f"{forge}.yml")).decode()
    return text.replace("VERSION", __version__)


def set_jobs(project: Project, wanted: str) -> Iterator[Step]:
    """The job for the forge `wanted`, and those that are there."""
    for forge, path in JOBS.items():
        if forge == wanted or os.path.isfile(os.path.join(project.top, path)):
            data = init_marks.sealed(f"# {init_marks.SEAL}, which renews it.\n{job(forge)}")
            yield file_actions.set_whole(project, path, data)


#: What may be outside the top, the records and `.ralph/`.
OUTSIDE = (*(f"{folder}/{SKILL}" for folder in SKILL_FOLDERS), *JOBS.values())


# -- what editors look up ------------------------------------------------------------------


def set_schemas(project: Project) -> Iterator[Step]:
    for name, data in schemas.schema_files().items():
        path = f"{schemas.HOME}/{name}"
        known = atomic_files.read(os.path.join(project.top, path))
        if file_actions.is_elsewhere(project, path):
            yield file_actions.keep(path, file_actions.LINKED)
        elif known is None:
            yield file_actions.write(project, "create", path, data)
        else:
            old = (
                "" if known == data else "it is of another version; ralphgit doctor --fix renews it"
            )
            yield file_actions.keep(path, old)


def unset_schemas(project: Project) -> Iterator[Step]:
    """The schemas are never edited, so they go whatever version they are of."""
    for name in schemas.schema_files():
        path = f"{schemas.HOME}/{name}"
        if file_actions.is_elsewhere(project, path):
            continue
        if os.path.isfile(os.path.join(project.top, path)):
            yield file_actions.remove(project, path)


def set_exclude(project: Project) -> Step:
    path = runtime_files.exclude_file(project)
    name = project.show_path(path)
    if runtime_files.is_excluded(project):
        return file_actions.keep(name)

    def act(undo: atomic_files.Undo) -> None:
        undo.watch(path)
        runtime_files.exclude(project)

    return Step("change" if os.path.exists(path) else "create", name, act)


def unset_exclude(project: Project, going: set[str]) -> Step | None:
    """Take the lines out, unless there is a `.ralph/` with more in it than what is `going`."""
    path = runtime_files.exclude_file(project)
    name = project.show_path(path)
    rest = runtime_files.without_exclusion(project)
    if rest is None:
        return None
    for worktree in project.repository.worktrees:
        folder = os.path.join(worktree.path, runtime_files.FOLDER)
        for parent, _, leaves in os.walk(folder):
            if any(os.path.join(parent, leaf) not in going for leaf in leaves):
                return file_actions.keep(name, f"{project.show_path(folder)} has more in it")

    return Step("change", name, lambda undo: undo.write(path, rest))
