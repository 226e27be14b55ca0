"""`show`: one task, whole."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from ralphgit.app.status import task_list
from ralphgit.app.status.task_list import Shown
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import NOBODY, Outcome, safe, safe_lines, stored_task, waits_for


class Options(NamedTuple):
    task: str
    at: str = ""


def run(call: Call, options: Options) -> Outcome:
    found = task_list.shown(call.project(), options.task, at=options.at)
    failed = _failed(found)
    if call.screen.json:
        if found.contract:
            call.warnings.append(_contract_changed(found))
        about: dict[str, object] = {"attempts": failed._asdict()} if failed else {}
        if found.archived:
            about["archived"] = True
        if record := _record_elsewhere(found):
            about["blocked"] = record
        return Outcome(stored_task(found.row, found.task_state, **about))
    told = [*lines(found)]
    if failed:
        told += [*_section("attempts"), *_table([("failed", str(failed.failed))])]
        told += _table([("the last", failed.why)])
    return Outcome(None, before=told)


class FailedAttempts(NamedTuple):
    failed: int
    why: str
    """Of the last one, in a sentence."""


def _failed(found: Shown) -> FailedAttempts | None:
    """The failed attempts at the task, as the loop that has it on this machine notes them."""
    holder = found.task_state.holder
    if holder is None or not holder.path:
        return None
    from ralphgit.loop import attempt_memory

    known = attempt_memory.attempts(holder.path, holder.claim)
    return FailedAttempts(known.failed, known.feedback.split("\n")[0]) if known.failed else None


def _contract_changed(found: Shown) -> str:
    row = found.row
    where = f" on {found.changed_on}" if found.changed_on else ""
    sentence = (
        f"the contract of {row.id} has changed{where} since {row.by} claimed it "
        f"({row.contract} -> {found.contract})"
    )
    if row.status in ("in-progress", "blocked"):
        sentence += ": completing it will need --accept-contract"
    if found.changed_on:
        import shlex

        sentence += f"; ralphgit show {row.id} --at {shlex.quote(found.changed_on)}"
    return sentence


def _record_elsewhere(found: Shown) -> dict[str, Any]:
    """The `blocked` record of the branch that has it, where these files do not."""
    holder = found.task_state.holder
    if not _blocked_elsewhere(found) or holder is None:
        return {}
    record = json.loads(holder.stored or "{}").get("blocked")
    return record if isinstance(record, dict) else {}


def _blocked_elsewhere(found: Shown) -> str:
    """Why the task is blocked, where these files do not say it: its block is on a branch."""
    holder = found.task_state.holder
    is_here = bool(found.stored.get("blocked"))
    return holder.note if holder and found.task_state.state == "blocked" and not is_here else ""


#: Fields that have a place of their own below; the others are named at the end.
_RECORDS = ("claim", "result", "blocked", "reset", "cancelled")
_KNOWN = {
    *("id", "title", "status", "epoch", "story", "priority", "mode", "complexity"),
    *("agent", "review", "risk", "needs", "budget"),
    *("depends_on", "description", "acceptance", "verify", "outputs", "scope"),
    *_RECORDS,
}


def lines(found: Shown) -> Iterator[str]:
    """Describe the task for people; all of its text is untrusted."""
    row, task_state, stored = found.row, found.task_state, found.stored
    yield f"{row.id}  {safe(row.title)}"
    yield ""
    facts = [
        (
            "state",
            task_state.state
            + (", stale" if task_state.stale else "")
            + (", archived" if found.archived else ""),
        ),
        ("holder", ""),
        ("pull request", ""),
        ("waits for", waits_for(task_state)),
        ("blocked", _blocked_elsewhere(found)),
        ("options", "\n".join(_list(_record_elsewhere(found).get("options") or []))),
        ("story", row.story),
        ("priority", str(row.priority)),
        ("mode", row.mode),
        ("complexity", stored.get("complexity") or ""),
        ("agent", stored.get("agent") or ""),
        ("review", stored.get("review") or ""),
        ("risk", stored.get("risk") or ""),
        ("needs", ", ".join(_list(stored.get("needs") or []))),
        ("budget", str(stored.get("budget") or "")),
        ("epoch", str(row.epoch) if row.epoch else ""),
        ("file", f"{row.file}:{row.line}"),
        ("also has", ", ".join(sorted(set(stored) - _KNOWN))),
    ]
    if (holder := task_state.holder) is not None:
        since = f", since {holder.at}" if holder.at else ""
        facts[1] = ("holder", f"{holder.by or NOBODY}, {holder.where}{since}")
        if holder.pull is not None:
            facts[2] = ("pull request", f"{holder.pull.words}\n{holder.pull.place}")
    yield from _table(facts)
    if found.contract:
        yield from ("", safe(_contract_changed(found)))
    if found.dependencies:
        yield from _section("depends on")
        yield from _table([(other.task, other.state) for other in found.dependencies])
    if stored.get("description"):
        yield from _section("description")
        yield from _indented(stored["description"])
    if stored.get("acceptance"):
        yield from _section("acceptance")
        for number, item in enumerate(stored["acceptance"], 1):
            own = {"id": f"ACC-{number}", "text": item} if isinstance(item, str) else item
            yield from _table([(own["id"], own["text"])])
    for name in ("verify", "outputs"):
        if stored.get(name):
            yield from _section(name)
            for item in stored[name]:
                yield from _indented(item if isinstance(item, str) else _command(item))
    scope = {name: items for name, items in (stored.get("scope") or {}).items() if items}
    if scope:
        yield from _section("scope")
        yield from _table([(name, item) for name, items in scope.items() for item in _list(items)])
    for name in _RECORDS:
        if stored.get(name):
            yield from _section(name)
            items = [(key, item) for key, one in stored[name].items() for item in _list(one)]
            yield from _table(items)


def _command(item: dict[str, Any]) -> str:
    """A verify command with the criteria that it proves."""
    proves = ", ".join(_list(item.get("proves") or []))
    return f"{item['run']}  (proves {proves})" if proves else str(item["run"])


def _section(name: str) -> tuple[str, str]:
    return "", f"{name}:"


def _list(value: Any) -> list[str]:
    """One text, or several, as texts."""
    return [str(item) for item in (value if isinstance(value, list) else [value])]


def _table(facts: list[tuple[str, str]]) -> Iterator[str]:
    """Names and texts in two columns; a text of several lines goes on below itself."""
    for name, text in facts:
        first, *rest = safe_lines(text) or [""]
        if first or rest:
            yield f"  {safe(name):<12}  {first}"
            yield from (f"{'':16}{line}".rstrip() for line in rest)


def _indented(text: str) -> Iterator[str]:
    for line in safe_lines(text):
        yield f"  {line}".rstrip()
