"""Show `fleet` for stateless workers: of this machine (`--url`), and of others (`--on`)."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from ralphgit.app.active_claims import remote_beats
from ralphgit.app.active_claims.remote_beats import Seen
from ralphgit.app.active_claims.stale_holders import is_silent
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Table, safe
from ralphgit.errors import RalphError, Refused, RemoteUnavailable
from ralphgit.loop import clone_fleet, ssh_fleet, worker_clone
from ralphgit.loop.fleet import Wanted
from ralphgit.loop.ssh_fleet import Answer
from ralphgit.model.printable import shown_address

NOT_ASKED = "not asked"
HEADERS = ("NAME", "WORKTREE", "LOOP", "PHASE", "TASK", "BEAT", "DONE", "BLOCKED", "WHERE")


# -- on this machine -----------------------------------------------------------------------


def up_here(
    around: Surroundings, url: str, name: str, workers: Sequence[Wanted], words: Sequence[str]
) -> Outcome:
    """Start workers NAME-1 to NAME-N in clones of this machine."""
    prefix = name or worker_clone.host_name()
    named = {f"{prefix}-{n}": one.story for n, one in enumerate(workers, 1)}
    started = clone_fleet.up(around.environ, url, named, words)
    lines = [_started(one.name, one._asdict(), "here") for one in started]
    error = _failed([one.name for one in started if one.state == "failed"], len(started))
    if error is not None:
        log = next(one.worktree for one in started if one.state == "failed")
        error.hint = f"what it said: {log}.log"
    data = {"workers": [one._asdict() for one in started], "session": None}
    there = shlex.quote(shown_address(url))
    advice = () if error else (f"Next: ralphgit fleet status --url {there}",)
    return Outcome(data, before=lines, error=error, advice=advice)


def status_here(around: Surroundings, url: str) -> Outcome:
    found = clone_fleet.status(around.environ, url, around.now())
    data = {"workers": [{**one._asdict(), "task": one.task or None} for one in found], "left": None}
    rows = [row(one._asdict(), one.how) for one in found]
    before = () if found else (f"No worker of {shown_address(url)} has run here.",)
    return Outcome(data, before=before, table=Table(HEADERS, rows) if rows else None)


def down_here(around: Surroundings, url: str, name: str, *, now: bool) -> Outcome:
    asked = clone_fleet.down(around.environ, url, name, now=now)
    rows = [one._asdict() for one in asked]
    data = {"stopped": rows, "session_closed": False}
    none = f"No worker of {shown_address(url)} runs here."
    lines = [_ending(row, "here") for row in rows] or [none]
    return Outcome(data, before=lines, error=_late(rows, now=now))


# -- on others -----------------------------------------------------------------------------


def up_there(
    project: Project, hosts: Sequence[str], url: str, workers: Sequence[Wanted],
    options: Sequence[str],
) -> Outcome:  # fmt: skip
    """Start workers on hosts; one that cannot is told after the others have begun."""
    answers = ssh_fleet.up(project, hosts, url, workers, options)
    rows = _rows(answers)
    lines = [_started(str(row["name"]), row, str(row["host"])) for row in rows]
    error = _unanswered(answers)
    failed = [str(row["name"]) for row in rows if row["state"] == "failed"]
    if error is None and (error := _failed(failed, len(rows))):
        bad = next(row for row in rows if row["state"] == "failed")
        error.hint = f"what it said: {bad['worktree']}.log on {bad['host']}"
    data = {"workers": rows, "session": None}
    advice = () if error else ("Next: ralphgit fleet status --fetch",)
    return Outcome(data, before=lines, error=error, advice=advice)


def status_there(project: Project, hosts: Sequence[str], url: str) -> Outcome:
    answers = ssh_fleet.status(project, hosts, url)
    rows = _rows(answers)
    table = Table(HEADERS, [row(one, str(one["host"])) for one in rows]) if rows else None
    before = () if rows else (f"No worker has run on {', '.join(hosts)}.",)
    error = _unanswered(answers)
    data = {"workers": rows, "left": None}
    return Outcome(data, before=before if error is None else (), table=table, error=error)


def down_there(
    project: Project, hosts: Sequence[str], url: str, name: str, *, now: bool
) -> Outcome:
    answers = ssh_fleet.down(project, hosts, url, name, now=now)
    rows = _rows(answers)
    error = _unanswered(answers)
    lines = [_ending(row, str(row["host"])) for row in rows]
    if not lines and error is None:
        lines = [f"No worker runs on {', '.join(hosts)}."]
    data = {"stopped": rows, "session_closed": False}
    return Outcome(data, before=lines, error=error or _late(rows, now=now))


# -- what is said --------------------------------------------------------------------------


def elsewhere(project: Project, *, ask: bool) -> tuple[list[dict[str, object]], RalphError | None]:
    """The workers of other machines: by ssh, if `ask`, where this fleet has started them; else,
    and those of any engine, by the heartbeats that the last fetch has brought.
    """
    hosts = ssh_fleet.noted(project)
    answers = ssh_fleet.status(project, [one.name for one in hosts], "") if ask else []
    rows = _rows(answers)
    names = {row["name"] for row in rows}
    beats = remote_beats.every(project)
    asked = {one.host for one in answers if one.error is None}
    places = {w: one.name for one in hosts if one.name not in asked for w in one.workers}
    places |= {w: seen.beat.host for w, seen in beats.items() if w not in places}
    for name, host in places.items():
        if name not in names:
            rows.append(_seen(name, host, beats.get(name), project.around.now()))
    return rows, _unanswered(answers)


def _seen(name: str, host: str, seen: Seen | None, now: float) -> dict[str, object]:
    """A worker by its last heartbeat on the remote; without one nothing is known."""
    age = round(max(0.0, now - seen.since), 1) if seen is not None else None
    state = NOT_ASKED
    if seen is not None:
        state = "silent" if is_silent(seen, now) else "alive"
    beat = seen.beat if seen is not None else None
    return {
        "name": name, "worktree": "", "state": state,
        "phase": beat.phase if beat is not None else "",
        "task": (beat.task if beat is not None else "") or None,
        "age_s": age, "done": (), "blocked": (), "how": "", "pid": 0, "host": host,
    }  # fmt: skip


def _rows(answers: Iterable[Answer]) -> list[dict[str, object]]:
    return [{**row, "host": one.host} for one in answers for row in one.rows]


def _started(name: str, row: dict[str, object], where: str) -> str:
    name, top, why = safe(name), safe(str(row["worktree"])), safe(str(row["why"]))
    place = "here" if where == "here" else f"on {where}"
    if row["state"] == "running":
        return f"{name} runs already {place} (process {row['pid']}); left alone."
    if row["state"] == "ended":
        return f"{name} started {place}, and has ended: {why}."
    if row["state"] == "failed":
        return f"{name} ended at once {place}: {why or 'it did not say why'}"
    return f"{name} started {place} (process {row['pid']}), in {top}."


def _ending(row: dict[str, object], where: str) -> str:
    name, task = safe(str(row["name"])), safe(str(row["task"]))
    place = "here" if where == "here" else f"on {where}"
    if row["ended"]:
        return f"{name} has ended {place}."
    return f"{name} {place} ends after {task}." if task else f"{name} {place} still runs."


def row(one: dict[str, object], where: str) -> tuple[str, ...]:
    age, done, blocked = one["age_s"], one["done"], one["blocked"]
    assert isinstance(done, (tuple, list)) and isinstance(blocked, (tuple, list))
    beat = f"{age:.0f} s ago" if isinstance(age, (int, float)) else "-"
    name, top, state = (str(one[key]) for key in ("name", "worktree", "state"))
    now = (str(one["phase"] or "-"), str(one["task"] or "-"), beat)
    return (name, top or "-", state, *now, str(len(done)), str(len(blocked)), where)


def _failed(names: Sequence[str], number: int) -> RalphError | None:
    if not names:
        return None
    more = "" if len(names) == number else "; the others run"
    return Refused(
        f"the worker {', '.join(names)} ended at once{more}",
        code="not_started", hint="ralphgit fleet status --fetch",
    )  # fmt: skip


def _late(rows: Sequence[dict[str, object]], *, now: bool) -> RalphError | None:
    late = [str(row["name"]) for row in rows if not row["ended"] and (now or not row["task"])]
    if not late:
        return None
    return Refused(
        f"asked to end, and still there: {', '.join(late)}",
        code="still_running", hint="ralphgit fleet down --now",
    )  # fmt: skip


def _unanswered(answers: Sequence[Answer]) -> RalphError | None:
    """The error of the hosts that could not do it, with the words of each."""
    errors = [one.error for one in answers if one.error is not None]
    if not errors:
        return None
    first, more = errors[0], [one.message for one in errors[1:]]
    also = "" if len(errors) == len(answers) else "; the others have answered"
    return RemoteUnavailable(first.message + also, hint=first.hint, lines=more)
