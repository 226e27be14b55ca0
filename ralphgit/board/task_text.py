"""Write tasks, workers and questions as the board shows them. All of it is untrusted text."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from textual.content import Content

from ralphgit.app.handoff import questions
from ralphgit.app.handoff.questions import Question
from ralphgit.app.status.overview import Attention
from ralphgit.app.workspace import heartbeat
from ralphgit.board.snapshot import WARNING, Card, Snapshot, Worker
from ralphgit.errors import RalphError
from ralphgit.model.printable import duration, safe, safe_lines

MUTED, FAINT, GOOD, CARE, BAD, STRONG = "$muted", "$faint", "$success", "$warning", "$error", "bold"
#: How the heading of each column is coloured.
COLOURS = {
    "waiting": MUTED, "ready": "$success", "at work": "$warning", "in review": "$primary",
    "blocked": "$error", "complete": MUTED, "cancelled": MUTED,
}  # fmt: skip
_BAR = 12


# -- rows ----------------------------------------------------------------------------------


def card(one: Card, width: int, tall: int) -> list[Content]:
    """Draw id and title; with two lines, its holder or what it waits for is beside the id."""
    loud = one.stale or one.lost or one.state == "blocked"
    head = Content.assemble((one.id, f"bold {BAD}" if loud else STRONG))
    title = Content(safe(one.title))
    if tall == 1:
        return [Content.assemble(head, " ", title)]
    said = _beside(one)
    room = width - head.cell_length - 2
    if said and room > 3:
        beside = Content(said).truncate(room, ellipsis=True)
        head = Content.assemble(head, "  ", beside.stylize(BAD if one.stale or one.lost else MUTED))
    return [head, title]


def _beside(one: Card) -> str:
    if one.stale:
        return f"{safe(one.worker)} is silent"
    if one.state == "waiting":
        return "after " + safe(", ".join(one.waits))
    if one.state == "in-review" and one.pull:
        return safe(f"{one.pull}, {one.worker}")
    return safe(one.worker or one.story)


def question(one: Question, tall: int) -> list[Content]:
    waited = "" if one.waiting_s is None else duration(one.waiting_s)
    asked = safe(one.question or one.reason)
    head = Content.assemble((one.task, f"bold {BAD}"), (f"  {waited}", MUTED))
    return [Content.assemble(head, "  ", asked)] if tall == 1 else [head, Content(asked)]


def note(one: Attention, tall: int) -> list[Content]:
    colour = MUTED if one.code == WARNING else CARE
    return [Content.assemble(("! ", colour), safe(one.message)), Content("")][:tall]


def _age(one: Worker, now: float) -> float | None:
    return None if one.beat is None else max(0.0, now - one.beat)


def sign(one: Worker, now: float) -> tuple[str, str]:
    """Return how alive a worker is, as a character and a colour; each suffices alone."""
    age = _age(one, now)
    if one.state == "alive":
        return "●", GOOD
    if one.state in ("silent", "starting"):
        late = age is not None and age > heartbeat.SILENT_S
        return ("✕", BAD) if late else ("◐", CARE)
    return ("✕", BAD) if one.state == "gone" else ("○", MUTED)


def worker(one: Worker, now: float) -> Content:
    """Draw a worker: its name, how alive it is, its phase and task, and since when."""
    character, colour = sign(one, now)
    age = _age(one, now)
    beat = {"": "no loop", "ended": "ended", "gone": "gone"}.get(
        one.state, one.state if age is None else duration(age)
    )
    held = since(one.since, now) if one.task else ""
    counts = f"{one.done} done" if one.done else ""
    counts += f"{', ' if counts else ''}{one.blocked} blocked" if one.blocked else ""
    return Content.assemble(
        (f"{character} ", colour),
        (f"{safe(one.name):<10} ", STRONG),
        (f"{one.task} " if one.task else "", STRONG),
        (beat, colour),
        (f"  {safe(one.phase)}" if one.phase else "", MUTED),
        (f"  {one.at}" if one.at else "", MUTED),
        (f"  for {held}" if held else "", MUTED),
        (f"  {counts}" if counts else "", MUTED),
    )


def since(stamp: str, now: float) -> str:
    """Return how long ago a recorded time is; "" for what is not a time."""
    try:
        then = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    return duration(max(0.0, now - (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()))


# -- the head ------------------------------------------------------------------------------


def head(found: Snapshot) -> Content:
    done = found.counts["complete"]
    total = sum(found.counts.values()) - found.counts["cancelled"]
    filled = _BAR * done // total if total else 0
    waiting = len(found.questions)
    return Content.assemble(
        (safe(found.project), STRONG),
        (f"  {waiting} wait{'' if waiting > 1 else 's'} for you" if waiting else "", f"bold {BAD}"),
        (f"  {safe(found.base)} {found.commit[:7]}  ", MUTED),
        ("━" * filled, GOOD),
        ("━" * (_BAR - filled), FAINT),
        f"  {done} of {total} complete",
    )


def trouble(error: RalphError, seen: Snapshot | None) -> Content:
    """Draw why nothing new is shown."""
    kept = ""
    if seen is not None:
        kept = f"Shown is what was seen at {time.strftime('%H:%M:%S', time.localtime(seen.at))}."
    return Content("\n".join(filter(None, (refusal(error), kept))))


def refusal(error: RalphError) -> str:
    """Format an error as a few lines of text."""
    hint = f"hint: {safe(error.hint)}" if error.hint else ""
    return "\n".join(filter(None, (safe(str(error)), *map(safe, error.lines), hint)))


# -- the context ---------------------------------------------------------------------------


def task(found: Iterable[str], about: Content | None) -> Content:
    """Draw the lines of `show`, its headings set off; `about` is below the first."""
    first, *rest = found
    parts = [Content(first).stylize(STRONG), *([about] if about is not None else ())]
    for line in rest:
        heading = line.endswith(":") and not line.startswith(" ")
        parts.append(Content(line).stylize(MUTED if heading else ""))
    return Content("\n").join(parts)


def asked(one: Question, *, here: bool) -> Content:
    """Draw a whole question; `here`: it can be answered in place."""
    waited = "" if one.waiting_s is None else f", {duration(one.waiting_s)} ago"
    who = f"{safe(one.worker) or 'unknown worker'}{waited}: {safe(one.reason)}"
    parts = [Content(who).stylize(BAD), *map(Content, ["", *safe_lines(one.question), ""])]
    parts += [
        Content.assemble((f"{n}  ", MUTED), safe(option)) for n, option in enumerate(one.options, 1)
    ]
    if one.options:
        parts.append(Content(""))
    key = "a, or " if here else ""
    if one.reason in (questions.STALE, *questions.PULLS):
        key = "r, or "
    parts.append(Content(f"{key}{safe(one.command)}").stylize(MUTED))
    return Content("\n").join(parts)


def noted(one: Attention) -> Content:
    message, hint = Content(safe(one.message)), Content(safe(one.hint)).stylize(MUTED)
    return Content("\n\n").join([message, hint])


def answerable(found: Snapshot, one: Question) -> bool:
    """Whether `reply` is what the question waits for."""
    task_state = found.claim_map.task_states.get(one.task)
    special = (questions.STALE, *questions.PULLS, questions.UNREVIEWED, questions.CONCERNS)
    return task_state is not None and task_state.state == "blocked" and one.reason not in special
