"""One task of a graph file, as somebody may have written it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ralphgit.model.ids import record_id
from ralphgit.records import task_mapping as records
from ralphgit.rules.contract_digest import contract

LIFECYCLE = ("status", "claim", "reset", "cancelled", "result", "blocked", "epoch")

SECOND = "2026-11-21T10:00:00Z"
WORKERS = ("alpha", "beta", "gamma")
BASES = ("3f2a9c1d5e60", "000000000000", "123456789012", "1e5000000000")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a task's block, without its end."""

    text: str
    field: str | None = None
    """The task's key whose value this line belongs to; None for comments and blank lines."""
    around: tuple[str, str] = ("", "")
    """What stands before and after the value, on the line of `status`."""


@dataclass(frozen=True, slots=True)
class Block:
    """One task as written."""

    id: str
    lines: tuple[Line, ...]
    gap: tuple[str, ...] = ()
    """Blank lines and comments between this task and the next."""
    pieces: tuple[tuple[str, str], ...] = ()
    """The entries of a flow-style task, by key; empty in block style."""

    @property
    def flow(self) -> bool:
        return bool(self.pieces)

    @property
    def opens_with_lifecycle(self) -> bool:
        return self.flow or self.lines[0].field in LIFECYCLE

    @property
    def ends_with_lifecycle(self) -> bool:
        return self.flow or self.lines[-1].field in LIFECYCLE


@dataclass(frozen=True, slots=True)
class Layout:
    ids: random.Random
    dash: int
    eol: str
    flow: float
    chatter: float
    odd: bool
    bracket: bool
    """All tasks between brackets: `tasks: [`, one a line, `]`."""


def id_source(rng: random.Random) -> random.Random:
    """Where record ids come from: not from `rng`, as Hypothesis would make all the same."""
    return random.Random(rng.getrandbits(64))


def fresh_id(ids: random.Random) -> str:
    """A record id as ralphgit makes them."""
    return record_id(ids.getrandbits(64).to_bytes(8, "big"))


def chance(rng: random.Random, probability: float) -> bool:
    return rng.random() < probability


_COMMENTS = (
    "# a comment",
    "#",
    "#status: pending",
    "# - id: T-1",
    "#   claim:",
    "# ünï: code — 統",
    '# it\'s "here": [x, {y',
    "# tasks:",
)


def _comment(rng: random.Random, column: int) -> str:
    return " " * column + rng.choice(_COMMENTS)


def between(rng: random.Random, layout: Layout, columns: Sequence[int]) -> list[str]:
    """Comments and blank lines for one place, mostly none."""
    lines: list[str] = []
    while chance(rng, layout.chatter) and len(lines) < 4:
        lines.append("" if chance(rng, 0.4) else _comment(rng, rng.choice(columns)))
    return lines


def may_read_on(lines: Sequence[Line]) -> bool:
    """Whether a deep comment below could be read as text of the value above it.

    Also when what stands between is a record that may go.
    """
    fields = [line.field for line in lines if line.field not in (None, *LIFECYCLE[1:])]
    return bool(fields) and fields[-1] not in ("id", "title", "status", "priority")


_TITLES = (
    "Create SvelteKit API client module",
    "Größe der Kacheln prüfen",
    "タスクを終える",
    "Ship it 🚀",
    "e\u0301 is not é",
    "עברית",
    "Fix: colon inside",
    "# not a comment",
    'it\'s "quoted" twice',
    "- id: T-001",
    "status: pending",
    "100 %",
    "@home & *away*",
    "yes",
    "null",
    "2024-01-01",
    "1e3",
    "0x1F",
    "{braces} and [brackets], commas",
    "back\\slash",
    "x",
    "a title that is so long that somebody would have wrapped it long before it came to this",
)
_TEXTS = (
    "npm test -- api-client",
    "src/lib/api/**",
    "package-lock.json",
    "every call goes through the client",
    "echo 'a: b' # c",
    "test -f out && ! grep -q x *.y",
    "true",
    "7",
    "größer: 統",
)
_LETTERS = r"A-Za-zÀ-ÿ\u3040-\u30ff"
_PLAIN = re.compile(rf"[{_LETTERS}][{_LETTERS}0-9 _./()-]*[{_LETTERS}0-9)]")
_WORDS = frozenset({"yes", "no", "true", "false", "null", "on", "off", "y", "n"})


def scalar(rng: random.Random, text: str) -> str:
    """`text` in one of the spellings that mean it."""
    plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    style = rng.randrange(6)
    if plain and style < 4:
        return text
    if style % 2:
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=False)


def _inline(rng: random.Random, value: Any) -> str:
    """`value` in flow style."""
    if isinstance(value, Mapping):
        entries = (f"{key}: {_inline(rng, child)}" for key, child in value.items())
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(rng, child) for child in value) + "]"
    if isinstance(value, str):
        return scalar(rng, value)
    return json.dumps(value)


def _lines(rng: random.Random, key: str, value: Any, column: int) -> list[str]:
    """`key: value` with the key at `column`."""
    pad = " " * column
    if not isinstance(value, (Mapping, list)) or not value or chance(rng, 0.25):
        return [f"{pad}{key}:{' ' * rng.choice((1, 1, 1, 3))}{_inline(rng, value)}"]
    lines = [f"{pad}{key}:{rng.choice(('', '', '', '  # below'))}"]
    if isinstance(value, Mapping):
        inner = column + rng.choice((2, 2, 2, 1, 4))
        for name, child in value.items():
            lines += _lines(rng, name, child, inner)
        return lines
    inner = column + rng.choice((2, 2, 0))
    gap = rng.choice((1, 1, 3))
    for item in value:
        if isinstance(item, Mapping) and item and chance(rng, 0.7):
            below: list[str] = []
            for name, child in item.items():
                below += _lines(rng, name, child, inner + 1 + gap)
            below[0] = " " * inner + "-" + " " * gap + below[0][inner + 1 + gap :]
            lines += below
        else:
            lines.append(f"{' ' * inner}-{' ' * gap}{_inline(rng, item)}")
    return lines


def _texts(rng: random.Random, most: int = 3) -> list[str]:
    return [rng.choice(_TEXTS) for _ in range(rng.randint(1, most))]


def _promised(rng: random.Random, id: str, earlier: Sequence[str]) -> dict[str, Any]:
    """The fields of SPEC 3.1 that are not of the lifecycle."""
    made: dict[str, Any] = {}
    optional: dict[str, Callable[[], Any]] = {
        "story": lambda: rng.choice(("S-024", "S-1", "backend")),
        "priority": lambda: rng.randint(0, 5),
        "complexity": lambda: rng.choice("SML"),
        "depends_on": lambda: [rng.choice(earlier)] if earlier else [],
        "description": lambda: rng.choice(_TITLES),
        "acceptance": lambda: [
            {"id": f"ACC-{number}", "text": text} if chance(rng, 0.7) else text
            for number, text in enumerate(_texts(rng), 1)
        ],
        "verify": lambda: _texts(rng),
        "outputs": lambda: _texts(rng, 2),
        "scope": lambda: {
            key: _texts(rng, 2)
            for key in ("write", "read", "resources")
            if key == "write" or chance(rng, 0.4)
        },
        "mode": lambda: rng.choice(("parallel", "sequential", "verify")),
    }
    share = rng.choice((0.0, 0.15, 0.5))
    for key, value in optional.items():
        if chance(rng, share):
            made[key] = value()
    return {"id": id, "title": rng.choice(_TITLES), **made}


def _status_records(
    rng: random.Random, layout: Layout, promised: Mapping[str, Any]
) -> dict[str, Any]:
    """A status and the records that go with it, as stored."""
    often = ("pending", "pending", "pending", "in-progress", "in-progress")
    status = rng.choice((*often, "blocked", "complete", "cancelled"))
    by, at = rng.choice(WORKERS), SECOND
    made: dict[str, Any] = {"status": status}
    claim: dict[str, object] = {
        "id": fresh_id(layout.ids),
        "by": by,
        "at": at,
        "base": rng.choice(BASES),
        "contract": contract(records.task({**promised, "status": status})),
    }
    if chance(rng, 0.1):
        claim["session"] = {"host": "somewhere", "tries": 2}
    if status == "pending" and chance(rng, 0.3):
        made["reset"] = {
            "id": fresh_id(layout.ids),
            "claim": fresh_id(layout.ids),
            "by": by,
            "at": at,
            "reason": "gone",
        }
    if status != "pending" and (status != "cancelled" or chance(rng, 0.5)):
        made["claim"] = claim
    if status == "blocked":
        made["blocked"] = {
            "id": fresh_id(layout.ids), "reason": rng.choice(("needs_context", "scope")),
            "question": "which one?", "options": ["a", "b"], "at": at,
        }  # fmt: skip
    if status == "complete":
        made["result"] = {
            "id": fresh_id(layout.ids),
            "claim": claim["id"],
            "outcome": "done",
            "at": at,
        }
        if chance(rng, 0.2):
            made["result"] |= {"outcome": "done_with_concerns", "concerns": ["slow: very"]}
    if status == "cancelled":
        made["cancelled"] = {"id": fresh_id(layout.ids), "by": by, "at": at, "reason": "not needed"}
    if "reset" in made or chance(rng, 0.2):
        made["epoch"] = rng.randint(1, 3)
    if status == "complete" and chance(rng, 0.1):
        del made["claim"], made["result"]  # came from another tool
    if chance(rng, 0.05):
        made.setdefault(rng.choice(LIFECYCLE[1:]), None)
    return made


def _status_word(rng: random.Random, status: str) -> str:
    if status == "pending":
        return rng.choice(("pending", "pending", "pending", "ready", "open"))
    if status == "complete":
        return rng.choice(("complete", "complete", "done", "closed"))
    return status


def _status_spelling(rng: random.Random, status: str) -> str:
    status = _status_word(rng, status)
    return rng.choice((status, status, status, f"'{status}'", f'"{status}"'))


def _unknown(rng: random.Random, layout: Layout, column: int) -> list[tuple[str, list[str]]]:
    """Fields that ralphgit does not know, some made to look like ones that it does."""
    pad, deep = " " * column, " " * (column + rng.choice((2, 2, 4, 1)))
    lookalike = [
        f"{deep}status: pending",
        f"{deep}- id: T-001",
        f"{deep}  claim:",
        "",
        f"{deep}# no comment",
        f"{deep}epoch: 4",
    ]
    choices: list[tuple[str, list[str]]] = [
        ("notes", [f"{pad}notes: {rng.choice(('|', '>', '|-', '>-', '|  # text'))}", *lookalike]),
        ("indented", [f"{pad}indented: |1", f"{pad}   status: complete", f"{pad} - id: T-002"]),
        ("meta", [
            f"{pad}meta:", f"{deep}status: complete", f"{deep}claim: {{id: zz}}",
            f"{deep}tasks:", f"{deep}  - id: T-001", f"{deep}    status: ready",
        ]),
        ("meta_list", [
            f"{pad}meta_list:", f"{pad}- status", f"{pad}- id: T-001", f"{pad}  status: done",
        ]),
        ("due date", [f'{pad}"due date": 2026-01-01']),
        ("Status", [f"{pad}'Status': open"]),
        ("it's", [f"{pad}'it''s': \"status: pending\""]),
        ("a:b", [f"{pad}a:b: 1"]),
        ("-x", [f"{pad}-x: 1"]),
        ("x-y.z/ü", [f"{pad}x-y.z/ü: [status, {{claim: 1}}]"]),
        ("summary", [f"{pad}summary: first line", f"{deep}and a second, status pending"]),
        ("quote", [f'{pad}quote: "first', f"{deep}status: pending", f'{deep}- id: T-001"']),
        ("matrix", [f"{pad}matrix: [a,", f"{deep}status,", f"{deep}b]"]),
        ("owner", [f"{pad}owner:"]),
        ("nothing", [f"{pad}nothing: ~"]),
        ("estimate", [f"{pad}estimate: 1.50"]),
        ("statusline", [f"{pad}statusline: x"]),
    ]  # fmt: skip
    if layout.odd:
        outer = " " * layout.dash
        choices += [
            ("kept", [f"{pad}kept: |+", *lookalike[:2]]),
            ("shallow", [f'{pad}shallow: "1', f"{outer}- id: T-001", f'{pad}status: pending"']),
            ("deceit", [f"{pad}deceit: 'x", f"{pad}claim: y", f"{pad}epoch: 9'"]),
            ("? key", [f"{pad}? key", f"{pad}: value"]),
        ]
    return rng.sample(choices, rng.choice((0, 0, 1, 1, 2, 4)))


def _order(rng: random.Random, keys: list[str]) -> list[str]:
    """The keys of a task in some order, `id` mostly first."""
    group = [key for key in LIFECYCLE if key in keys]
    others = [key for key in keys if key not in group and key not in ("id", "title")]
    if chance(rng, 0.4):
        rng.shuffle(others)
    front = ["id", "title"]
    together = chance(rng, 0.7)
    tail = [] if together else group[1:]
    inner = group if together else group[:1]
    where = rng.random()
    if where < 0.6:
        order = [*front, *inner, *others]
    elif where < 0.7:
        order = [*inner, *front, *others]
    elif where < 0.85:
        order = [*front, *others, *inner]
    else:
        order = [*front, *others]
        place = rng.randint(1, len(order))
        order[place:place] = inner
    for key in tail:
        order.insert(rng.randint(0 if chance(rng, 0.05) else 1, len(order)), key)
    if order[0] == "id" and chance(rng, 0.1):
        place = order.index("title")
        order[0], order[place] = order[place], order[0]
    return order


def task_block(rng: random.Random, layout: Layout, id: str, earlier: Sequence[str]) -> Block:
    promised = _promised(rng, id, earlier)
    values = {**promised, **_status_records(rng, layout, promised)}
    if layout.bracket or chance(rng, layout.flow):
        return _flow_block(rng, layout, id, values)
    alone = chance(rng, 0.1)
    gap = rng.choice((1, 1, 1, 1, 2, 3))
    column = layout.dash + (rng.randint(1, 4) if alone else 1 + gap)
    unknown = dict(_unknown(rng, layout, column))
    lines: list[Line] = []
    order = _order(rng, [*values, *unknown])
    for place, key in enumerate(order):
        if key in unknown:
            made = [Line(text, key) for text in unknown[key]]
        elif key == "status":
            made = [_status_line(rng, layout, values[key], column)]
        else:
            made = [Line(text, key) for text in _known(rng, layout, key, values[key], column)]
        lines += made
        if place + 1 < len(order):
            columns = [0, layout.dash, column]
            if layout.odd or not may_read_on(lines):
                columns += [column + 2, column + 4]
            lines += [Line(text) for text in between(rng, layout, columns)]
    dash = " " * layout.dash + "-"
    if alone:
        first = Line(dash + rng.choice(("", "", " ", "  # new")))
        return Block(id, (first, *_between_first(rng, layout, column), *lines))
    first = lines[0]
    head = dash + " " * gap
    around = (head + first.around[0][column:], first.around[1]) if first.around[0] else first.around
    lines[0] = Line(head + first.text[column:], first.field, around)
    return Block(id, tuple(lines))


def _between_first(rng: random.Random, layout: Layout, column: int) -> list[Line]:
    return [Line(text) for text in between(rng, layout, (0, column))]


def _status_line(rng: random.Random, layout: Layout, status: str, column: int) -> Line:
    key = rng.choice(("status", "status", "status", "status", '"status"', "status "))
    before = " " * column + key + ":" + " " * rng.choice((1, 1, 1, 2))
    after = rng.choice(("", "", "", "", "  # next: go", " #'x'", "  "))
    value = _status_spelling(rng, status)
    return Line(before + value + after, "status", (before, after))


def _known(rng: random.Random, layout: Layout, key: str, value: Any, column: int) -> list[str]:
    """The lines of a field of SPEC 3.1."""
    name = rng.choice((key, key, key, key, key, f'"{key}"', f"'{key}'"))
    if key == "id":
        plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*|[0-9]+(e[0-9]+)?", value) is not None
        spelled = value if plain and chance(rng, 0.8) else scalar(rng, value)
        return [f"{' ' * column}{name}: {spelled}{rng.choice(('', '', '', '  # first'))}"]
    if key == "description" and chance(rng, 0.5):
        pad = " " * (column + 2)
        return [f"{' ' * column}{name}: >-", f"{pad}One place that knows", f"{pad}status: pending"]
    if key in LIFECYCLE and isinstance(value, dict) and chance(rng, 0.2):
        entries = list(value.items())
        rng.shuffle(entries)
        value = dict(entries)
    return _lines(rng, name, value, column)


def _flow_block(rng: random.Random, layout: Layout, id: str, values: dict[str, Any]) -> Block:
    """A task on one line."""
    order = _order(rng, list(values))
    while order[0] in LIFECYCLE[1:]:
        order.append(order.pop(0))
    pieces = []
    compact = chance(rng, 0.2)
    for key in order:
        if compact:
            value = _status_word(rng, values[key]) if key == "status" else values[key]
            made = json.dumps({key: value}, ensure_ascii=False, separators=(",", ":"))
            pieces.append((key, made[1:-1]))
            continue
        name = rng.choice((key, key, key, key, f'"{key}"'))
        value = _status_spelling(rng, values[key]) if key == "status" else _inline(rng, values[key])
        pieces.append((key, f"{name}: {value}"))
    comma = rng.choice((", ", ", ", ",", " , "))
    pad = rng.choice(("", "", " "))
    dash = "" if layout.bracket else "-" + " " * rng.choice((1, 1, 3))
    text = (
        " " * layout.dash + dash + "{" + pad
        + comma.join(piece for _, piece in pieces)
        + rng.choice(("", "", ",")) + pad + ("}," if layout.bracket else "}")
        + rng.choice(("", "", "", "  # one, line"))
    )  # fmt: skip
    return Block(id, (Line(text),), pieces=tuple(pieces))
