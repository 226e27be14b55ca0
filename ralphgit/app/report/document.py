"""The page as HTML: what was gathered as data, what draws it, and a list for readers without it.

Everything that comes from the repository is untrusted. It stands in the page as text (escaped, or
as JSON in an element that nothing runs), and the page's own policy lets it load nothing and run
and style itself by nothing but the two elements whose digests it names.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import os
import re
from collections.abc import Iterator, Mapping

from ralphgit.app.report import palette
from ralphgit.app.report.attempts import Attempt
from ralphgit.app.report.gather import Gathered, Need, Shown
from ralphgit.model.evidence import Evidence
from ralphgit.model.printable import safe, safe_lines
from ralphgit.model.review import Review
from ralphgit.rules.assessment import Judged
from ralphgit.rules.picture_layout import Box, Layout

#: What every page begins with.
MARK = "<!doctype html>\n<!-- ralphgit report -->\n"
_HERE = os.path.dirname(os.path.abspath(__file__))
_SCRIPTS = ("core.js", "graph.js", "panel.js", "lists.js", "start.js")
#: How much of what a command printed is shown, in characters from its end.
_TAIL = 4000


def document(found: Gathered) -> bytes:
    """The page, in UTF-8. The same findings make the same bytes."""
    style = palette.style() + _read("page.css")
    script = "".join(map(_read, _SCRIPTS))
    title = f"{found.repository}: {found.label}"
    parts = {
        "policy": _policy(style, script),
        "title": _text(title),
        "repository": _text(found.repository),
        "label": _text(found.label),
        "commit": _text(found.commit[:12]),
        "generated": _text(found.generated),
        "needs": "\n".join(map(_need_item, found.needs)),
        "needs-hidden": "" if found.needs else "hidden",
        "needs-count": str(len(found.needs)),
        "counts": "\n".join(_counts(found.counts)) or "<li>no tasks</li>",
        "tasks": "\n".join(map(_task_item, found.tasks)),
        "style": style,
        "script": script,
        "data": island(_data(found)),
    }
    body = re.sub(r"@([a-z-]+)@", lambda m: parts[m[1]], _read("page.html"))
    return (MARK + body).encode("utf-8")


def _read(name: str) -> str:
    with open(os.path.join(_HERE, name), encoding="utf-8") as file:
        return file.read()


def _policy(style: str, script: str) -> str:
    def source(text: str) -> str:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        return f"'sha256-{digest}'"

    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


#: What could end the element, begin another, or end a line of script.
_ISLAND = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def island(value: object) -> str:
    """JSON that can stand inside an element of HTML."""
    text = json.dumps(_shown(value), ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ISLAND)


def _shown(value: object) -> object:
    """`value` with every text as a person may see it."""
    if isinstance(value, str):
        return value if value.isprintable() else "\n".join(safe_lines(value))
    if isinstance(value, Mapping):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no word for it
    return value


def _text(value: str) -> str:
    return html.escape(safe(value))


# -- without a script ------------------------------------------------------------------------


def _need_item(need: Need) -> str:
    about = (
        f'<a class="id" href="#{_text(need.task)}">{_text(need.task)}</a> '
        f'<span class="quiet">{_text(need.title)}</span>'
        if need.task
        else ""
    )
    options = "".join(f"<li>{_text(option)}</li>" for option in need.options)
    choices = f'<ul class="options">{options}</ul>' if options else ""
    waiting = f'<span class="quiet age">for {_age(need.waiting_s)}</span>' if need.since else ""
    return (
        f'<li><div class="head"><span class="word">{_text(need.code.replace("_", " "))}</span> '
        f"{about}{waiting}</div>"
        f'<div class="message"><p>{_text(need.message)}</p>{choices}</div>'
        f'<div class="command"><code>{_text(need.command)}</code></div></li>'
    )


def _age(seconds: float | None) -> str:
    """A wait in the two largest units that say something."""
    if seconds is None:
        return ""
    minutes = int(seconds // 60)
    for unit, size in (("d", 24 * 60), ("h", 60)):
        if minutes >= size:
            rest = minutes % size // (60 if unit == "d" else 1)
            smaller = "h" if unit == "d" else "min"
            return f"{minutes // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{minutes} min"


def _counts(counts: Mapping[str, int]) -> Iterator[str]:
    for state, number in counts.items():
        if number:
            yield (
                f'<li><button type="button" class="chip {state}" data-state="{state}" '
                f'aria-pressed="false"><b>{number}</b> {state}</button></li>'
            )


def _task_item(one: Shown) -> str:
    task, task_state = one.task, one.task_state
    holder = task_state.holder
    waits = f"waits for {', '.join(task_state.blocked_on)}" if task_state.blocked_on else ""
    note = holder.by if holder is not None and holder.by else waits
    word = task_state.state + (" (stale)" if task_state.stale else "")
    return (
        f'<li><a href="#{_text(task.id)}"><span class="id">{_text(task.id)}</span>'
        f'<span class="chip {task_state.state}">{word}</span>'
        f'<span class="what">{_text(task.title)}</span>'
        f'<span class="quiet story">{_text(task.story)}</span>'
        f'<span class="quiet note">{_text(note)}</span></a></li>'
    )


# -- data ------------------------------------------------------------------------------------


def _data(found: Gathered) -> dict[str, object]:
    box = Box()
    opened = {(one.review.id, one.finding.id) for one in found.open_findings}
    return {
        "generated": found.generated,
        "layout": {
            "width": found.layout.width,
            "height": found.layout.height,
            "box": [box.width, box.height],
            "arrows": [[a.dependency, a.task, *a.through] for a in found.layout.arrows],
        },
        "tasks": [_task(one, found.layout, opened) for one in found.tasks],
        "attempts": [_attempt(one) for one in found.attempts],
    }


def _task(one: Shown, places: Layout, opened: set[tuple[str, str]]) -> dict[str, object]:
    task, task_state, lifecycle = one.task, one.task_state, one.lifecycle
    holder = task_state.holder
    proofs = one.proofs
    support = {entry.criterion: entry for entry in proofs.criteria} if proofs else {}
    x, y = places.places[task.id]
    value: dict[str, object] = {
        "id": task.id,
        "title": task.title,
        "state": task_state.state,
        "stale": task_state.stale,
        "story": task.story,
        "priority": task.priority,
        "mode": task.mode,
        "complexity": task.complexity,
        "risk": task.risk,
        "epoch": task.epoch,
        "worker": holder.by if holder is not None else "",
        "since": holder.at if holder is not None else "",
        "where": one.where,
        "needs": task.depends_on,
        "waits": task_state.blocked_on,
        "description": task.description,
        "acceptance": [
            {
                "id": item.id,
                "text": item.text,
                "support": support[item.id].support if item.id in support else "unsupported",
                "by": support[item.id].by if item.id in support else (),
            }
            for item in task.acceptance
        ],
        "verify": task.verify,
        "outputs": task.outputs,
        "write": task.scope.write,
        "read": task.scope.read,
        "resources": task.scope.resources,
        "concerns": lifecycle.result.concerns if lifecycle.result else (),
        "question": lifecycle.blocked.question if lifecycle.blocked else "",
        "cancelled": lifecycle.cancelled.reason if lifecycle.cancelled else "",
        "reset": lifecycle.reset.reason if lifecycle.reset else "",
        "evidence": [_evidence(judged) for judged in proofs.judged] if proofs else (),
        "reviews": [_review(made, opened) for made in one.reviews],
        "at": [x, y],
    }
    kept = ("id", "title", "state", "at")
    return {key: entry for key, entry in value.items() if entry or key in kept}


def _evidence(judged: Judged) -> dict[str, object]:
    one: Evidence = judged.evidence
    output = one.output
    tail = output.tail if output else ""
    worth = "superseded" if judged.superseded else "fresh" if judged.fresh else "stale"
    value: dict[str, object] = {
        "id": one.id,
        "kind": one.kind,
        "worth": worth,
        "failed": one.failed,
        "at": one.at,
        "by": one.by,
        "command": one.command,
        "exit": one.exit_code,
        "took": one.duration_s,
        "shows": one.shows,
        "not": one.does_not_show,
        "supports": [[entry.criterion, entry.verdict] for entry in one.supports],
        "artifact": one.artifact.path if one.artifact else "",
        "commit": one.subject.commit[:12] if one.subject else "",
        "bytes": output.bytes if output else 0,
        "tail": tail[-_TAIL:],
    }
    return {key: entry for key, entry in value.items() if entry or (entry == 0 and key == "exit")}


def _review(one: Review, opened: set[tuple[str, str]]) -> dict[str, object]:
    return {
        "id": one.id,
        "by": one.by,
        "at": one.at,
        "target": one.target,
        "verdict": one.verdict,
        "lenses": one.lenses,
        "risk": one.residual_risk,
        "findings": [
            {
                "id": finding.id,
                "severity": finding.severity,
                "text": finding.text,
                "open": (one.id, finding.id) in opened,
            }
            for finding in one.findings
        ],
    }


def _attempt(one: Attempt) -> dict[str, object]:
    return {
        "task": one.task,
        "claim": one.claim,
        "by": one.by,
        "began": one.began,
        "ended": one.ended,
        "outcome": one.outcome,
        "events": [
            {"at": e.at, "event": e.event, "by": e.by, "note": e.note, "where": ", ".join(e.where)}
            for e in one.events
        ],
    }
