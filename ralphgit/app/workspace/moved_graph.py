"""Tell where commits and worktrees have a graph that is not where the base has it.

A branch from before the graph moved, or one that moves it, has claims all the same: where its own
settings say that the graph is.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ralphgit.app.workspace.graph_files import places
from ralphgit.errors import InvalidRecord, UsageError
from ralphgit.model.config import SETTINGS_FILE, Config
from ralphgit.model.setting_values import parse_setting
from ralphgit.records import settings_file

if TYPE_CHECKING:
    from ralphgit.git.objects import Objects


def by_patterns(
    objects: "Objects", commits: Sequence[str], usual: tuple[str, ...]
) -> dict[tuple[str, ...], list[str]]:
    """The commits, by the patterns that their settings have; without those that have `usual`."""
    names = {commit: f"{commit}:{SETTINGS_FILE}" for commit in commits}
    contents = objects.read(names.values()) if names else {}
    found: dict[tuple[str, ...], list[str]] = {}
    for commit, name in names.items():
        if (own := patterns(contents.get(name))) != usual:
            found.setdefault(own, []).append(commit)
    return found


def patterns(settings: bytes | None) -> tuple[str, ...]:
    """What a `ralph.toml` says where the graph is; without one, or a valid one, the default."""
    usual: tuple[str, ...] = Config._field_defaults["graph"]
    try:
        told = settings_file.parse(settings).get("graph") if settings is not None else None
        found = usual if told is None else parse_setting("graph", told, SETTINGS_FILE)
    except (InvalidRecord, UsageError):
        return usual
    return found if isinstance(found, tuple) else usual


def files(objects: "Objects", commit: str) -> frozenset[str]:
    """The graph's files in a commit, where its own settings say that they are."""
    name = f"{commit}:{SETTINGS_FILE}"
    found = places(patterns(objects.read([name]).get(name)))
    return frozenset(path for path, _ in objects.files([commit], *found)[commit])
