"""Resolve every setting and say where it is from (SPEC 6): nothing that a worker writes decides.

| settings | of `ralph.toml` there counts |
|---|---|
| `base`, `remote` | the commit of the remote's default branch; without one, the main worktree's |
| `graph`, `records`, what weakens a guard or runs something | the commit of the base |
| the others | this worktree's file, then the commit of the base |

Where there is no such commit yet, and for `graph` and `records` while the base has no graph, this
worktree's file serves, as its graph does.
"""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.workspace.base_branch import Base, locate
from ralphgit.app.workspace.graph_files import has_file, places
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.git.repository import Repository
from ralphgit.model.config import (
    COMMITTED,
    ENVIRONMENT,
    GIT_CONFIG,
    LAYOUT,
    PLACE,
    SAFETY,
    SETTINGS_FILE,
    Config,
    family,
    flat,
    key_of,
    setting_name,
)
from ralphgit.model.setting_values import (
    Layer,
    Setting,
    from_settings,
    parse_setting,
    resolve,
    settle,
)
from ralphgit.records import atomic_files
from ralphgit.records.row_cache import Cache

#: Below a worktree's git folder: the story that its worker keeps to.
STORY = os.path.join("ralphgit", "story")


#: What a worktree's own file decides.
_FREE = frozenset(Config._fields) - COMMITTED


class Configuration(NamedTuple):
    """The settings that count."""

    config: Config
    settings: Mapping[str, Setting]
    """Those that somebody has made, and where."""
    graph_here: tuple[str, ...]
    """Patterns of this worktree's own graph files: those of `graph`, unless it has none of these.
    Then its own ralph.toml says where they are, but not what a record is."""
    records_here: str
    """Its own records folder, likewise."""
    without_effect: tuple[tuple[tuple[str, ...], str], ...] = ()
    """Settings of this worktree's file that do not count, and the branch whose settings do."""


def of_layers(layers: Iterable[Layer]) -> Configuration:
    """Resolve settings, the strongest first. Raises: UsageError."""
    made = settle(layers)
    config = from_settings(made)
    return Configuration(config, made, config.graph, config.records)


class SettingsFiles:
    """The `ralph.toml` of this worktree and of commits."""

    def __init__(self, repository: Repository, cache: Cache) -> None:
        self.repository = repository
        self._cache = cache
        self._known: dict[str, dict[str, object]] = {}

    def here(self) -> dict[str, object]:
        """Raises: InvalidRecord."""
        data = self.content
        return self._cache.settings(data, _parse) if data is not None else {}

    @property
    def content(self) -> bytes | None:
        """This worktree's file; None without one."""
        top = self.repository.top
        return None if top is None else atomic_files.read(os.path.join(top, SETTINGS_FILE))

    def at(self, commit: str, label: str) -> dict[str, object]:
        """The settings that a commit makes; `label` is what people call it.

        Raises: InvalidRecord.
        """
        if commit not in self._known:
            objects = self.repository.objects
            oid = objects.resolve([f"{commit}:{SETTINGS_FILE}"])[0]
            self._known[commit] = {} if oid is None else self._parsed(oid, label)
        return self._known[commit]

    def at_fork(self, base: Base) -> dict[str, object]:
        """The settings where HEAD left the base; none where it has never been there."""
        from ralphgit.git import worktrees  # seldom needed

        head = self.repository.known_head
        begun = worktrees.fork(self.repository.git, base.commit, head) if head else ""
        return self.at(begun, begun[:12]) if begun else {}

    def _parsed(self, oid: str, label: str) -> dict[str, object]:
        objects, data = self.repository.objects, self.content
        if data is None or objects.blob_id(data) != oid:
            data = objects.read([oid])[oid]
        path = f"{label}:{SETTINGS_FILE}"
        return self._cache.settings(data, lambda data: _parse(data, path))


def _parse(data: bytes, path: str = SETTINGS_FILE) -> dict[str, object]:
    from ralphgit.records import settings_file  # the cache knows what most files say

    return settings_file.parse(data, path=path)


def own_layers(repository: Repository, around: Surroundings) -> tuple[Layer, ...]:
    """The settings that are not the repository's files': flags, environment, git's."""
    environ: dict[str, object] = {}
    for key, value in around.environ.items():
        if key.startswith("RALPH_") and (name := setting_name(key[6:])):
            environ[name] = value
    configured: dict[str, object] = {}
    for key, value in repository.config.items():
        if key.startswith("ralph.") and (name := setting_name(key[6:])):
            configured[name] = value
    # `worktree new --story`, kept beside git's own state of this worktree.
    own: dict[str, object] = {}
    if story := atomic_files.read(os.path.join(repository.git_dir, STORY)):
        own["story"] = story.decode("utf-8", "replace").strip()
    return (
        ("the command line", around.flags),
        (ENVIRONMENT, environ),
        (STORY, own),
        (GIT_CONFIG, configured),
    )


class Decided(NamedTuple):
    """The base, and who says so."""

    base: Base
    layer: Layer
    """`base` and `remote` as committed."""
    label: str
    """The branch that they are committed on; "" where none is."""
    usual: Base
    """The base of who sets nothing: by flag, environment and git's configuration."""


def decided(files: SettingsFiles, own: Sequence[Layer]) -> Decided:
    """Find the base branch: what this worktree's file has no say in.

    Raises: InvalidRecord.
    """
    repository = files.repository
    branch, remote = _first(own, "base"), _first(own, "remote")
    default = locate(repository, "", remote)
    commit, label = default.commit, default.label
    if not default.remote and (main := repository.worktrees[0]).head:
        commit, label = main.head, main.branch.removeprefix("refs/heads/") or main.head[:12]
    found = files.at(commit, label) if commit else files.here()
    layer = (_on(label) if commit else SETTINGS_FILE, _only(found, PLACE))
    layers = [*own, layer]
    remote = _first(layers, "remote")
    usual = locate(repository, _first([layer], "base"), remote)
    base = locate(repository, branch, remote) if branch else usual
    return Decided(base, layer, label if commit else "", usual)


def _first(layers: Iterable[Layer], name: str) -> str:
    return next((str(layer[name]) for _, layer in layers if layer.get(name)), "")


def read(files: SettingsFiles, own: Sequence[Layer], decided: Decided) -> Configuration:
    """Resolve all settings. Raises: UsageError, InvalidRecord."""
    base = decided.base
    if not base.commit:
        return of_layers([*own, decided.layer, (SETTINGS_FILE, files.here())])
    there = files.at(base.commit, base.label)
    committed = (_on(base.label), _only(there, SAFETY | LAYOUT))
    here: Mapping[str, object] = {}
    # While a loop runs its agent may write anything there, or break the file: it is not read.
    if not {name for _, layer in own for name in layer} >= _FREE or not _has_graph(
        files.repository, base.commit, of_layers([*own, committed]).config.graph
    ):
        here = files.here()
    rest = [(SETTINGS_FILE, _but(here, COMMITTED)), (_on(base.label), _but(there, COMMITTED))]
    found = of_layers([*own, decided.layer, committed, *rest])
    ignored = _ignored(here, own, found, base)
    if LAYOUT & ignored and not _has_graph(files.repository, base.commit, found.config.graph):
        layout = (SETTINGS_FILE, _only(here, LAYOUT))
        found = of_layers([*own, decided.layer, layout, committed, *rest])
        ignored -= LAYOUT
    found = _with_own_layout(files, found, here, own, base)
    ignored -= {"graph"} if found.graph_here != found.config.graph else set()
    ignored -= {"records"} if found.records_here != found.config.records else set()
    told = ((ignored & PLACE, decided.label), (ignored - PLACE, base.label))
    return found._replace(
        without_effect=tuple((tuple(sorted(names)), label) for names, label in told if names)
    )


def _ignored(
    here: Mapping[str, object], own: Sequence[Layer], found: Configuration, base: Base
) -> frozenset[str]:
    """Which settings of this worktree's file would be others if it had a say."""
    stronger = {name for _, layer in own for name in layer}
    names = [name for name in here if family(name) in COMMITTED and name not in stronger]
    counts = flat(found.config)
    actual = {**counts, "base": base.branch, "remote": base.remote}
    wanted = _parsed(here, names)
    if "base" in wanted:
        short = str(wanted["base"]).removeprefix("refs/heads/")
        wanted["base"] = short.removeprefix(f"{base.remote}/") if base.remote else short
    return frozenset(
        name for name, value in wanted.items() if value not in (counts.get(name), actual.get(name))
    )


def _with_own_layout(
    files: SettingsFiles,
    found: Configuration,
    here: Mapping[str, object],
    stronger: Sequence[Layer],
    base: Base,
) -> Configuration:
    """Look for this worktree's files where it has them itself, if none is where the base's are.

    So it is where a branch moves them, and where it has not got yet that the base moved them. A
    loop does not read what its agent may write: there it is where the branch left the base.
    """
    top, config = files.repository.top, found.config
    if top is None:
        return found
    no_graph = not has_file(top, places(config.graph))
    no_records = not os.path.isdir(os.path.join(top, config.records))
    if not here and no_graph:
        here = files.at_fork(base)
    own = resolve([*stronger, (SETTINGS_FILE, _only(here, LAYOUT))])
    if own.graph != config.graph and no_graph:
        found = found._replace(graph_here=own.graph)
    if own.records != config.records and no_records:
        found = found._replace(records_here=own.records)
    return found


def _has_graph(repository: Repository, commit: str, patterns: Sequence[str]) -> bool:
    return bool(repository.objects.files([commit], *places(patterns))[commit])


def _parsed(found: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    return {name: parse_setting(name, found[name], SETTINGS_FILE) for name in names}


def _on(label: str) -> str:
    return f"{SETTINGS_FILE} on {label}"


def _only(found: Mapping[str, object], names: Collection[str]) -> dict[str, object]:
    return {name: value for name, value in found.items() if family(name) in names}


def _but(found: Mapping[str, object], names: Collection[str]) -> dict[str, object]:
    return {name: value for name, value in found.items() if family(name) not in names}


def warning(names: Sequence[str], label: str) -> str:
    """Say that this worktree's file has no say in these settings."""
    *most, last = sorted(map(key_of, names))
    listed = f"{', '.join(most)} and {last}" if most else last
    file = f"{SETTINGS_FILE} of this worktree"
    return f"{file} has no effect on {listed}: what is committed on {label} counts"


def sources(found: Configuration) -> dict[str, str]:
    """Say of each setting that is not a default, as ralph.toml spells it, where it is from."""
    return dict(sorted((key_of(name), one.where) for name, one in found.settings.items()))
