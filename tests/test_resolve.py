"""`resolve`: the policy of docs/resolve.md row by row, and the command in real merges."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from laws import adding
from test_laws import RANDOMS, prop
from world import ROOT, Place, Result, World

from ralphgit.app.resolving import Decided, decide
from ralphgit.model.threeway import Side, ThreeWay
from ralphgit.records import attempts, graph, pieces

# -- the policy ----------------------------------------------------------------------------

G = "task-graph.yaml"
HEAD = "version: 1\ntasks:\n"
CLAIM = """\
    status: in-progress
    claim:
      id: {id}
      by: {by}
      at: "2026-11-21T10:00:00Z"
"""


def task(id: str, *lines: str, status: str = "    status: pending\n") -> str:
    return f"  - id: {id}\n    title: {id}\n{status}" + "".join(f"    {line}\n" for line in lines)


def claimed(id: str, *lines: str, claim: str = "k1", by: str = "alpha") -> str:
    return task(id, *lines, status=CLAIM.format(id=claim, by=by))


def complete(id: str, *lines: str, claim: str = "k1", result: str = "r1") -> str:
    status = CLAIM.format(id=claim, by="alpha").replace("in-progress", "complete")
    done = f'    result: {{id: {result}, claim: {claim}, outcome: done, at: "x"}}\n'
    return task(id, *lines, status=status + done)


def reset(id: str, *lines: str, claim: str = "k1", new: str = "s1") -> str:
    made = f"    status: pending\n    reset: {{id: {new}, claim: {claim}, by: ann}}\n    epoch: 1\n"
    return task(id, *lines, status=made)


A, B, C = task("T-1"), task("T-2"), task("T-3")
Files = dict[str, str]


def decided(
    base: Files | str, one: Files | str, other: Files | str, given_up: dict[str, Side] | None = None
) -> Decided:
    """The decision, which is the same with the sides in each other's place."""
    versions = [
        {G: HEAD + side} if isinstance(side, str) else side for side in (base, one, other)
    ]
    made = _decide(versions, given_up or {})
    swapped = {task: side.other for task, side in (given_up or {}).items()}
    again = _decide([versions[0], versions[2], versions[1]], swapped)
    assert made.files == again.files
    assert asked(made) == asked(again)
    return made


def _decide(versions: list[Files], given_up: dict[str, Side]) -> Decided:
    base, one, other = versions
    conflicted, clean = {}, {}
    for path in dict.fromkeys([*base, *one, *other]):
        stages = [_pieces(side.get(path), path) for side in versions]
        # As git has it: what one side alone has made is there without a conflict.
        if path not in base and (path not in one or path not in other):
            clean[path] = next(stage for stage in stages if stage)
        else:
            conflicted[path] = ThreeWay(*stages)
    return decide(conflicted, clean, given_up=given_up, limit=1 << 20)


def _pieces(text: str | None, path: str) -> pieces.Pieces | None:
    return None if text is None else pieces.split(text.encode(), path=path, limit=1 << 20)


def asked(made: Decided) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(one.task, one.question.code, tuple(sorted(one.question.about))) for one in made.open}


def joins(base: str, one: str, other: str, result: str) -> None:
    made = decided(base, one, other)
    assert (asked(made), made.files) == (set(), {G: (HEAD + result).encode()})


def asks(base: str, one: str, other: str, code: str, *about: str, task: str = "T-1") -> None:
    made = decided(base, one, other)
    assert (asked(made), made.files) == ({(task, code, about)}, {})


def row_1() -> None:
    joins(A + B, A + C + B, A + B, A + C + B)


def row_2() -> None:
    joins(A, A + B, A + B, A + B)
    joins(A, A + B, A + B.replace("title: T-2", 'title: "T-2"'), A + B.replace("T-2\n    s", '"T-2"\n    s'))


def row_3() -> None:
    asks(A, A + B, A + B.replace("title: T-2", "title: Else"), "same_id", "title", task="T-2")


def row_4() -> None:
    new = claimed("T-2")
    joins(A, A + B, A + new, A + new)
    asks(A, A + claimed("T-2"), A + claimed("T-2", claim="k2"), "double_claim", task="T-2")


def row_5() -> None:
    ten, nine, last = task("T-10"), task("T-9"), task("T-4")
    joins(A, A + ten + last, A + nine, A + nine + ten + last)
    joins(A + B, A + ten + B, nine + A + B, nine + A + ten + B)
    joins(f"{A}\n{B}", f"{A}{ten}\n{B}", f"{A}{nine}\n{B}", f"{A}{nine}\n{ten}\n{B}")


def row_6() -> None:
    odd = "  - {id: T-1,   title: 'T-1', status: pending}  # odd\n"
    joins(A + B, odd + B, A + claimed("T-2"), odd + claimed("T-2"))


def row_7() -> None:
    joins(A, task("T-1", "story: S-1"), task("T-1", "story: S-1"), task("T-1", "story: S-1"))
    spelled = task("T-1", 'story: "S-1"')
    joins(A, task("T-1", "story: S-1"), spelled, spelled)


def row_8() -> None:
    joins(A + B, A, A + B, A)
    joins(A + B + C, B + C, A + B, B)
    assert decided(A, "", "").files == {G: b"version: 1\ntasks: []\n"}


def row_9() -> None:
    asks(A + B, A, A + claimed("T-2"), "deleted", task="T-2")


def row_10() -> None:
    before = task("T-1", "# why", "priority: 1  # high", "verify: ['true']")
    edited = task("T-1", "# why not", "priority: 2  # low", "verify: ['true']", "story: S-1")
    after = claimed("T-1", "# why not", "priority: 2  # low", "verify: ['true']", "story: S-1")
    joins(before, claimed("T-1", "# why", "priority: 1  # high", "verify: ['true']"), edited, after)
    # What the title is followed by in one must not part the lifecycle fields in the other.
    joins(A, claimed("T-1"), task("T-1", "acceptance: [x]"), claimed("T-1", "acceptance: [x]"))
    # On one line, by values.
    flow = "  - {id: T-1, title: T-1, status: pending}\n"
    ours = "  - {id: T-1, title: T-1, status: in-progress, claim: {id: k1, by: alpha, at: t, base: b, contract: c}}\n"
    other = "  - {id: T-1, title: Another, status: pending}  # said\n"
    joins(flow, ours, other, ours.replace("title: T-1", "title: Another").replace("\n", "  # said\n"))


def row_11() -> None:
    base = task("T-1", "story: S-1", "priority: 1")
    joins(
        base,
        task("T-1", "story: S-2", "priority: 1", "x-own: {a: 1}"),
        task("T-1", "story: S-1", "depends_on: [T-2]", "priority: 3"),
        task("T-1", "story: S-2", "depends_on: [T-2]", "priority: 3", "x-own: {a: 1}"),
    )


def row_12() -> None:
    base = task("T-1", "depends_on: [T-2]", "scope: {write: [a], read: [b]}")
    one = task("T-1", "depends_on: [T-2, T-10]", "scope: {write: [a], read: [b, c]}")
    other = task("T-1", "depends_on: [T-2, T-9, T-10]", "scope: {write: [a, d], read: [b]}")
    joins(base, one, other, task(
        "T-1", "depends_on:", "  - T-2", "  - T-9", "  - T-10",
        "scope:", "  write:", "    - a", "    - d", "  read:", "    - b", "    - c",
    ))  # fmt: skip
    ids = task("T-1", "acceptance:", "  - {id: A-1, text: one}")
    more = task("T-1", "acceptance:", "  - {id: A-1, text: one}", "  - {id: A-2, text: two}")
    joins(ids, more, more.replace("A-2, text: two", "A-3, text: three"), task(
        "T-1", "acceptance:", "  - id: A-1", "    text: one", "  - id: A-2", "    text: two",
        "  - id: A-3", "    text: three",
    ))  # fmt: skip


def row_13() -> None:
    base = task("T-1", "outputs: [a, b]")
    asks(base, task("T-1", "outputs: [a]"), task("T-1", "outputs: [a, b, c]"), "field", "outputs")
    plain = task("T-1", "acceptance: [one]")
    more = [task("T-1", f"acceptance: [one, {word}]") for word in ("two", "three")]
    asks(plain, *more, "field", "acceptance")


def row_14() -> None:
    one, other = A.replace("title: T-1", "title: One"), A.replace("title: T-1", "title: Other")
    asks(A, one, other, "field", "title")


def row_15() -> None:
    base = task("T-1", "# said", "priority: 1")
    one = task("T-1", "# so", "priority: 1")
    asks(base, one, task("T-1", "# not so", "priority: 1"), "comments", "priority")
    asks(B + "  # about\n" + A, B + "  # one\n" + A, B + "  # other\n" + A, "comments")
    listed = task("T-1", "outputs:", "  - a  # the first")
    more = [task("T-1", "outputs:", "  - a  # the first", f"  - {name}") for name in "bc"]
    asks(listed, *more, "comments", "outputs")


def row_16() -> None:
    asks(A, claimed("T-1"), claimed("T-1", claim="k2"), "double_claim")
    mine = claimed("T-1")
    asks(mine, complete("T-1"), complete("T-1", result="r2"), "double_claim")
    # What else could be decided in the file waits with it.
    asks(A + B, claimed("T-1") + claimed("T-2"), claimed("T-1", claim="k2") + B, "double_claim")
    # One of them given up: the other's lifecycle, and all other fields of both.
    one, other = claimed("T-1", "story: S-1"), claimed("T-1", "priority: 1", claim="k2")
    made = decided(A, one, other, {"T-1": Side.OURS})
    assert made.files == {G: (HEAD + claimed("T-1", "priority: 1", "story: S-1", claim="k2")).encode()}
    assert [told.how for told in made.told[G]] == ["yielded"]


def row_17() -> None:
    joins(A, claimed("T-1"), complete("T-1"), complete("T-1"))
    joins(A, claimed("T-1", "story: S-1"), complete("T-1"), complete("T-1", "story: S-1"))


def row_18() -> None:
    asks(claimed("T-1"), reset("T-1"), complete("T-1"), "double_claim")
    asks(A, reset("T-1"), claimed("T-1"), "double_claim")


def row_19() -> None:
    base = {G: HEAD + A + B}
    moved = {"graph/one.yaml": HEAD + A, "graph/two.yaml": HEAD + B}
    made = decided(base, moved, {G: HEAD + A + claimed("T-2")})
    assert asked(made) == set()
    assert made.files == {G: None, "graph/two.yaml": (HEAD + claimed("T-2")).encode()}
    # Each in its own file changed, too.
    other = {G: HEAD + A + task("T-2", "story: S-1")}
    moved["graph/two.yaml"] = HEAD + claimed("T-2")
    made = decided(base, moved, other)
    assert made.files["graph/two.yaml"] == (HEAD + claimed("T-2", "story: S-1")).encode()
    # Two claims: the files of both layouts wait.
    made = decided(base, moved, {G: HEAD + A + claimed("T-2", claim="k2")})
    assert (asked(made), made.files) == ({("T-2", "double_claim", ())}, {})


def row_20() -> None:
    base = {G: HEAD + A + B, "a.yaml": HEAD + C, "b.yaml": HEAD + task("T-4")}
    one = {G: HEAD + A, "a.yaml": HEAD + C + B, "b.yaml": HEAD + task("T-4")}
    other = {G: HEAD + A, "a.yaml": HEAD + C, "b.yaml": HEAD + task("T-4") + B}
    made = decided(base, one, other)
    assert (asked(made), made.files) == ({("T-2", "moved", ("a.yaml", "b.yaml"))}, {})


def row_21() -> None:
    joins(A + B + C, C + A + B, A + claimed("T-2") + C, C + A + claimed("T-2"))
    new = task("T-4")
    joins(A + B + C, C + A + B, A + new + B + C, C + A + new + B)


def row_22() -> None:
    asks(A + B + C, C + A + B, B + A + C, "order", task="")


def row_23() -> None:
    made = decided({G: "# a\n" + HEAD + A}, {G: "# b\n" + HEAD + A}, {G: "# c\n" + HEAD + A})
    assert asked(made) == {("", "frame", ())}
    one, other = {G: "# b\n" + HEAD + A}, {G: "# a\n" + HEAD + A + "stories: []\n"}
    made = decided({G: "# a\n" + HEAD + A}, one, other)
    assert made.files == {G: f"# b\n{HEAD}{A}stories: []\n".encode()}


def row_24() -> None:
    """Seen where all files are: `test_an_id_that_differs_by_case`."""


def row_25() -> None:
    def event(hour: str, kind: str) -> str:
        return f'  - at: "{hour}"\n    event: {kind}\n    by: ann\n    from: a\n    to: b\n'

    head = "# kept\nid: k1\nkind: event\ntask: T-1\nclaim: k1\nevents:\n"
    base = head + event("10", "claimed")
    one, other = base + event("12", "resumed"), base + event("11", "blocked") + event("13", "lost")
    every = base + event("11", "blocked") + event("12", "resumed") + event("13", "lost")
    for ancestor in (base, None):
        for pair in ((one, other), (other, one)):
            versions = ThreeWay(*(text and text.encode() for text in (ancestor, *pair)))
            made = attempts.joined(versions)
            assert made is not None
            assert made.decode().replace("# kept\n", "") == every.replace("# kept\n", "")
            if ancestor:
                assert made.decode() == every


def row_26() -> None:
    for base in (b"id: e1\nshows: a\n", None):
        assert attempts.joined(ThreeWay(base, b"id: e1\nshows: b\n", b"id: e1\nshows: c\n")) is None


def row_27() -> None:
    """Seen in a real merge: `test_a_file_that_cannot_be_read`."""


ROWS = {name.removeprefix("row_"): made for name, made in globals().items() if name[:4] == "row_"}


@pytest.mark.parametrize("number", ROWS)
def test_the_policy(number: str) -> None:
    ROWS[number]()


def test_every_row_of_the_policy_is_tested() -> None:
    text = (ROOT / "docs" / "resolve.md").read_text()
    assert re.findall(r"(?m)^\| (\d+) \|", text) == [*ROWS]
