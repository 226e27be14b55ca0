"""Render the page: its data, the script that draws it, and a list for readers without scripts.

Everything that comes from the repository is untrusted. The template engine escapes it, or makes it
JSON in an element that nothing runs; and the page's own policy lets it load nothing and run and
style itself by nothing but the two elements whose digests it names.
"""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Mapping
from typing import Any

from ralphgit import digests
from ralphgit.app.report import palette
from ralphgit.app.report.attempts import Attempt
from ralphgit.app.report.compiled_page import root
from ralphgit.app.report.gather import Gathered, Shown
from ralphgit.app.report.template_runtime import Context
from ralphgit.model.evidence import Evidence
from ralphgit.model.printable import is_seen, safe_lines
from ralphgit.model.review import Review
from ralphgit.model.task_status import State
from ralphgit.rules.evidence_verdict import Judged
from ralphgit.rules.picture_layout import Box, Layout

#: What every page begins with.
MARK = "<!doctype html>\n<!-- ralphgit report -->\n"
_HERE = os.path.dirname(os.path.abspath(__file__))
_SCRIPTS = ("core.js", "graph.js", "panel.js", "lists.js", "start.js")
#: The parts that hold no state of the reader's, and the element that each is.
PARTS = {"states": "ul", "needs": "section", "workers": "section", "usage": "section"}
#: How much of what a command printed is shown, in characters from its end.
_TAIL = 4000


def document(found: Gathered, *, version: int = 0) -> bytes:
    """Render the page, in UTF-8. The same findings make the same bytes.

    One with a `version` is to be served, and asks its server for what has changed since that.
    """
    return (MARK + _rendered(found, data(found), version)).encode("utf-8")


def sections(found: Gathered) -> dict[str, str]:
    """Render those parts of the page that a browser takes over as they are, by their ids."""
    page = _rendered(found._replace(tasks=()), {}, 1)
    made = {}
    for name in PARTS:
        start = page.index(f'<{PARTS[name]} id="{name}"')
        made[name] = page[start : page.index(f"</{PARTS[name]}>", start)] + f"</{PARTS[name]}>"
    return made


def _rendered(found: Gathered, told: object, version: int) -> str:
    return "".join(root(Context({**values(found, version=version), "data": told})))


def values(found: Gathered, *, version: int = 0) -> dict[str, object]:
    """Return what the page is rendered with, but for its data."""
    style = palette.style() + _read("page.css")
    script = "".join(map(_read, (*_SCRIPTS, *(("live.js",) if version else ()))))
    return {
        "found": found,
        "policy": _policy(style, script) + ("; connect-src 'self'" if version else ""),
        "style": style,
        "script": script,
        "version": version,
    }


def _read(name: str) -> str:
    with open(os.path.join(_HERE, name), encoding="utf-8") as file:
        return file.read()


def _policy(style: str, script: str) -> str:
    def source(text: str) -> str:
        data = text.encode()
        digest = base64.b64encode(digests.begin("sha256", data, len(data)).digest()).decode()
        return f"'sha256-{digest}'"

    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _printable(value: object) -> object:
    """`value` with every text as a person may see it, and no number that JSON has no word for."""
    if isinstance(value, dict) and _is_seen_as_it_is(value):
        return value
    if isinstance(value, str):
        return value if is_seen(value) else "\n".join(safe_lines(value))
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _is_seen_as_it_is(value: Mapping[str, object]) -> bool:
    """Whether nothing in it has to be escaped, seen at once: mostly nothing has."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return False
    return is_seen(text) and "\\" not in text.replace('\\"', "")


# -- data ------------------------------------------------------------------------------------


def data(found: Gathered) -> dict[str, Any]:
    """Return what the page's script draws, as plain values that a person may see."""
    value = _printable(_data(found))
    assert isinstance(value, dict)
    return value


def _data(found: Gathered) -> dict[str, object]:
    box = Box()
    opened = {(one.review.id, one.finding.id) for one in found.open_findings}
    return {
        "generated": found.generated,
        "layout": {
            "width": found.layout.width,
            "height": found.layout.height,
            "box": [box.width, box.height],
            "alone": found.layout.alone,
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
        "unverified": task_state.state == State.COMPLETE
        and task.claim is not None
        and not (proofs and proofs.is_verified),
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
                "support": support[item.id].support if item.id in support else "open",
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
