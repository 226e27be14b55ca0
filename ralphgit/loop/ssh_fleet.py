"""Start, watch and end workers on other machines, by the user's own ssh.

Each host is asked once: `ralphgit fleet ... --url URL --json` runs there. The names of the hosts
and of their workers are noted in the git folder; what they do is known to them and the remote.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from ralphgit.app.workspace import worktree_names
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError, RemoteUnavailable, UsageError
from ralphgit.git.listings import Worktree
from ralphgit.loop import worker_clone
from ralphgit.loop.fleet import Wanted
from ralphgit.records import runtime_notes

#: Seconds for a connection, and for all that is to be done by it.
_CONNECT_S, _PATIENCE_S = 10, 120.0
#: As many at once: a server takes ten that have not logged in yet.
_AT_ONCE = 8
#: Where programs of a user lie that only a login shell finds.
_PATH = 'PATH="$HOME/.local/bin:$PATH"'
_NO_CONNECTION = 255


class Answer(NamedTuple):
    """What a host has answered."""

    host: str
    rows: tuple[Mapping[str, Any], ...] = ()
    """Of each worker, as `fleet --json` gives it there."""
    error: RalphError | None = None


class Host(NamedTuple):
    """A host that workers were started on."""

    name: str
    url: str
    workers: tuple[str, ...]


# -- what is noted -------------------------------------------------------------------------


def noted(project: Project) -> list[Host]:
    """The hosts that workers were started on, and have not all ended as far as is known here."""
    found = []
    for name, value in runtime_notes.read(_path(project)).items():
        if isinstance(value, dict) and isinstance(value.get("workers"), list):
            workers = tuple(map(str, value["workers"]))
            found.append(Host(name, str(value.get("url") or ""), workers))
    return found


def worktrees(project: Project, names: Sequence[str], *, hint: str) -> list[Worktree]:
    """`worktree_names.chosen`; `hint` is for the name of a worker that works elsewhere.

    Raises: UsageError (unknown_worktree), which says where.
    """
    try:
        return worktree_names.chosen(project, names)
    except UsageError as error:
        host = next((one.name for one in noted(project) if {*names} & {*one.workers}), "")
        if host:
            error.message, error.hint = f"{', '.join(names)} works on {host}, not here", hint
        raise


def _note(project: Project, changed: Sequence[Host]) -> None:
    """Replace what is noted of some hosts; one without workers is forgotten."""
    hosts = {one.name: one for one in [*noted(project), *changed]}
    value: dict[str, object] = {
        one.name: {"url": one.url, "workers": list(one.workers)}
        for one in hosts.values()
        if one.workers
    }
    if value or os.path.lexists(_path(project)):
        runtime_notes.write(_path(project), value)


def _path(project: Project) -> str:
    return os.path.join(project.repository.common_dir, "ralphgit", "fleet-hosts.yaml")


# -- up, status, down ----------------------------------------------------------------------


def up(
    project: Project, hosts: Sequence[str], url: str, workers: Sequence[Wanted],
    options: Sequence[str],
) -> list[Answer]:  # fmt: skip
    """Start the workers on the hosts in turn; `options` are those of `fleet up` there.

    A host that cannot be reached, or lacks something, answers with its error; the others work.
    Raises: NotWritable.
    """
    shares = {host: workers[n :: len(hosts)] for n, host in enumerate(hosts)}
    lines = {}
    for host, share in shares.items():
        if share:
            stories = [word for one in share if one.story for word in ("--story", one.story)]
            name = worker_clone.host_name(host.rpartition("@")[2])
            more = ("-n", str(len(share)), *stories)
            lines[host] = ["fleet", "up", name, "--url", url, *more, *options]
    answers = _ask(project, lines)
    known = {one.name: one.workers for one in noted(project)}
    changed = []
    for one in answers:
        new = [str(row["name"]) for row in one.rows if row["state"] in ("started", "running")]
        names = dict.fromkeys([*known.get(one.host, ()), *new])
        changed.append(Host(one.host, url, tuple(names)))
    _note(project, changed)
    return answers


def status(project: Project, hosts: Sequence[str], url: str) -> list[Answer]:
    """Ask hosts what their workers do."""
    urls = {one.name: one.url for one in noted(project)}
    lines = {one: ["fleet", "status", "--url", urls.get(one, url)] for one in hosts}
    return _ask(project, lines)


def down(project: Project, hosts: Sequence[str], url: str, name: str, *, now: bool) -> list[Answer]:
    """Ask the workers of hosts to end, as `fleet down` does there. Raises: NotWritable."""
    known = {one.name: one for one in noted(project)}
    more = [*((name,) if name else ()), *(("--now",) if now else ())]
    lines = {}
    for host in hosts:
        where = known[host].url if host in known else url
        lines[host] = ["fleet", "down", *more, "--url", where]
    answers = _ask(project, lines)
    left = []
    for one in answers:
        if one.error is None and one.host in known:
            ended = {name} if name else {*known[one.host].workers}
            ended -= {str(row["name"]) for row in one.rows if not row["ended"]}
            workers = tuple(w for w in known[one.host].workers if w not in ended)
            left.append(known[one.host]._replace(workers=workers))
    _note(project, left)
    return answers


# -- ssh -----------------------------------------------------------------------------------


def _ask(project: Project, lines: Mapping[str, Sequence[str]]) -> list[Answer]:
    environ = project.around.environ

    def one(host: str) -> Answer:
        try:
            return Answer(host, _rows(host, run(host, [*lines[host], "--json"], environ)))
        except RalphError as error:
            return Answer(host, error=error)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(one, lines))


def run(host: str, words: Sequence[str], environ: Mapping[str, str]) -> dict[str, Any]:
    """Run `ralphgit WORDS` on a host, and return the object that it prints.

    ssh asks nothing: what is not set up fails. Raises: RemoteUnavailable.
    """
    # By stdin, so that the user's shell there, whichever it is, reads none of it.
    script = f"{_PATH}; export PATH; exec ralphgit {shlex.join(words)} </dev/null\n"
    line = ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={_CONNECT_S}"]
    try:
        done = subprocess.run(
            [*line, "--", host, "exec sh -s"], env=environ, input=script.encode(),
            capture_output=True, timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise RemoteUnavailable(
            "ssh is not installed here", hint="install OpenSSH's client"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise RemoteUnavailable(
            f"{host} has not answered within {_PATIENCE_S:.0f} s", hint=_try(host)
        ) from error
    said = done.stderr.decode("utf-8", "replace").strip().split("\n")
    for printed in reversed(done.stdout.decode("utf-8", "replace").split("\n")):
        if printed.startswith("{"):  # what a shell prints at its start comes before
            return _object(host, printed)
    if done.returncode == _NO_CONNECTION:
        raise RemoteUnavailable(f"{host} cannot be reached: {said[-1]}", hint=_try(host))
    raise RemoteUnavailable(
        f"ralphgit does not run on {host}: {said[-1] or f'exit {done.returncode}'}",
        hint="install it there, in ~/.local/bin or where any shell finds it",
    )


def _object(host: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or "data" not in value:
        raise RemoteUnavailable(
            f"{host} answers something else than ralphgit", hint=_try(host)
        )  # fmt: skip
    return value


def _rows(host: str, found: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The workers in an answer. Raises: RemoteUnavailable where it is a refusal instead."""
    data, error = found["data"] or {}, found.get("error")
    rows = data.get("workers", data.get("stopped"))
    if rows is None:
        message = str((error or {}).get("message") or "it does not say why")
        if (error or {}).get("code") == "no_loop":
            return ()
        raise RemoteUnavailable(f"{host} refuses: {message}", hint=_try(host))
    return tuple(rows)


def _try(host: str) -> str:
    return f"ssh {shlex.quote(host)}"
