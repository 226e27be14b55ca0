"""`resolve`: the policy of docs/resolve.md row by row, and the command in real merges."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import adding
from test_laws import prop
from world import ROOT, Place, Result, World

from ralphgit.app.conflicts.task_merge import Decided, decide
from ralphgit.errors import InvalidRecord
from ralphgit.model.task import Claim, Event, Lifecycle, Reset
from ralphgit.model.task_status import Status
from ralphgit.model.three_way_merge import Side, ThreeWay
from ralphgit.records import audit_merge, graph_sections, question_file
from ralphgit.rules import merge_policy

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
    versions = [{G: HEAD + side} if isinstance(side, str) else side for side in (base, one, other)]
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


def _pieces(text: str | None, path: str) -> graph_sections.Pieces | None:
    return None if text is None else graph_sections.split(text.encode(), path=path, limit=1 << 20)


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
    joins(
        A,
        A + B,
        A + B.replace("title: T-2", 'title: "T-2"'),
        A + B.replace("T-2\n    s", '"T-2"\n    s'),
    )


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
    # A comment is a change, too.
    asks(A + B, A, A + "  # not yet\n" + B, "deleted", task="T-2")
    asks(A + B, A, A + B.replace("title: T-2", "title: T-2  # why"), "deleted", task="T-2")


def row_10() -> None:
    before = task("T-1", "# why", "priority: 1  # high", "verify: ['true']")
    edited = task("T-1", "# why not", "priority: 2  # low", "verify: ['true']", "story: S-1")
    after = claimed("T-1", "# why not", "priority: 2  # low", "verify: ['true']", "story: S-1")
    joins(before, claimed("T-1", "# why", "priority: 1  # high", "verify: ['true']"), edited, after)
    # What the title is followed by in one must not part the lifecycle fields in the other.
    joins(A, claimed("T-1"), task("T-1", "acceptance: [x]"), claimed("T-1", "acceptance: [x]"))
    # On one line, by values.
    flow = "  - {id: T-1, title: T-1, status: pending}\n"
    claim = "claim: {id: k1, by: alpha, at: t, base: b, contract: c}"
    ours = f"  - {{id: T-1, title: T-1, status: in-progress, {claim}}}\n"
    other = "  - {id: T-1, title: Another, status: pending}  # said\n"
    joins(
        flow, ours, other, ours.replace("title: T-1", "title: Another").replace("\n", "  # said\n")
    )


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
    # Behind a value that the other side has changed, or has said something else behind.
    plain, noted = task("T-1", "priority: 1"), task("T-1", "priority: 1  # said", "story: S-1")
    asks(plain, noted, task("T-1", "priority: 2"), "comments", "priority")
    asks(plain, noted, task("T-1", "priority: 1  # not so"), "comments", "priority")


def row_16() -> None:
    asks(A, claimed("T-1"), claimed("T-1", claim="k2"), "double_claim")
    mine = claimed("T-1")
    asks(mine, complete("T-1"), complete("T-1", result="r2"), "double_claim")
    # What else could be decided in the file waits with it.
    asks(A + B, claimed("T-1") + claimed("T-2"), claimed("T-1", claim="k2") + B, "double_claim")
    # One of them given up: the other's lifecycle, and all other fields of both.
    one, other = claimed("T-1", "story: S-1"), claimed("T-1", "priority: 1", claim="k2")
    made = decided(A, one, other, {"T-1": Side.OURS})
    assert made.files == {
        G: (HEAD + claimed("T-1", "priority: 1", "story: S-1", claim="k2")).encode()
    }
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
            versions = ThreeWay(
                *(None if text is None else text.encode() for text in (ancestor, *pair))
            )
            made = audit_merge.joined(versions)
            assert made is not None
            assert made.decode().replace("# kept\n", "") == every.replace("# kept\n", "")
            if ancestor:
                assert made.decode() == every


def row_26() -> None:
    for base in (b"id: e1\nshows: a\n", None):
        assert (
            audit_merge.joined(ThreeWay(base, b"id: e1\nshows: b\n", b"id: e1\nshows: c\n")) is None
        )


def row_27() -> None:
    """Also seen in a real merge: `test_a_file_that_cannot_be_read`."""
    for data in (b"version: 1\r\ntasks:\r\n  - {id: T-1, title: \xff}\r\n", b"version: 2\n"):
        with pytest.raises(InvalidRecord):
            graph_sections.split(data, path=G, limit=1 << 20)


def row_28() -> None:
    """A block that was answered, and a release that others went on from; also in real merges:
    `test_a_block_and_its_answer_are_one_history`."""
    claim = Claim("k1", "alpha", "", "", "")
    here = [_event("claimed"), _event("blocked")]
    blocked = Lifecycle(Status.BLOCKED, claim)
    working = Lifecycle(Status.IN_PROGRESS, claim)
    assert merge_policy.is_past(blocked, here, [_event("answered")])
    assert merge_policy.is_past(blocked, here, [*here, _event("reset")])
    assert merge_policy.is_past(working, here[:1], here)
    free = Lifecycle(reset=Reset("s1", "k1", "alpha", "", ""), epoch=1)
    released = [_event("claimed"), _event("released")]
    assert merge_policy.is_past(free, released, released)
    # A claim that others have taken away is lost, and a completion that nobody has seen is open.
    assert not merge_policy.is_past(working, here[:1], [_event("claimed"), _event("reset")])
    assert not merge_policy.is_past(working, here[:1], here[:1])
    done = Lifecycle(Status.COMPLETE, claim)
    completed = [_event("claimed"), _event("completed")]
    assert not merge_policy.is_past(done, completed, [_event("claimed"), _event("reset")])
    assert not merge_policy.is_past(done, completed, [_event("answered")])


def _event(event: str) -> Event:
    return Event("2026-11-21T10:00:00Z", event, "alpha", "", "")


def row_29() -> None:
    asked = b"id: g1\ntask: T-1\nclaim: k1\nquestion: Why?\nat: x\nby: alpha\n"
    answered = asked + b"answer: {by: ann, at: y, text: So.}\n"
    for ancestor in (asked, None):
        for pair in ((asked, answered), (answered, asked)):
            assert question_file.joined(ThreeWay(ancestor, *pair)) == answered
    other = asked + b"answer: {by: ben, at: y, text: No.}\n"
    assert question_file.joined(ThreeWay(asked, answered, other)) is None
    assert question_file.joined(ThreeWay(asked, asked.replace(b"Why", b"How"), answered)) is None


ROWS = {name.removeprefix("row_"): made for name, made in globals().items() if name[:4] == "row_"}


@pytest.mark.parametrize("number", ROWS)
def test_the_policy(number: str) -> None:
    ROWS[number]()


def test_every_row_of_the_policy_is_tested() -> None:
    text = (ROOT / "docs" / "resolve.md").read_text()
    assert re.findall(r"(?m)^\| (\d+) \|", text) == [*ROWS]


@pytest.mark.slow
@prop(40)
@given(st.integers(0, 1 << 32))
def test_l2_tasks_added_on_two_branches_are_joined_without_questions(seed: int) -> None:
    base, ours, theirs = adding.triple(random.Random(seed))
    adding.judge(base, ours, theirs, adding.joined(base, ours, theirs))


# -- real merges ---------------------------------------------------------------------------

PLAN = HEAD + A + "\n" + B


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(PLAN)
    made.commit("Plan")
    return made


def unmerged(place: Place) -> list[str]:
    return place.git("diff", "--name-only", "--diff-filter=U").splitlines()


def conflicts(place: Place, *words: str) -> None:
    done = place.run("git", *words)
    assert done.code == 1 and unmerged(place), done


def rival_claims(world: World) -> tuple[Place, str, str]:
    """beta works on T-1 under a claim that main does not have; main has gamma's. Both claims."""
    beta = world.worktree("beta")
    mine = beta.claim("T-1")
    beta.write("work.txt", "half\n")
    beta.commit("Half of it")
    lease = world.git("rev-parse", "refs/ralph/leases/T-1")
    world.git("update-ref", "-d", "refs/ralph/leases/T-1")
    line = ("claim", "T-1", "--worker", "gamma", "--force", "in a race", "--json")
    winner = world.ralph(*line).data["task"]["claim"]["id"]
    world.commit("Gamma begins")
    world.git("update-ref", "refs/ralph/leases/T-1", lease)
    return beta, mine, winner


@pytest.mark.parametrize("ends", ["lf", "crlf", "crlf in the worktree"])
def test_added_tasks_are_joined_to_the_same_bytes_on_both_branches(world: World, ends: str) -> None:
    crlf = ends != "lf"
    world.git("config", "merge.conflictStyle", "zdiff3" if ends == "crlf" else "merge")
    if ends == "crlf in the worktree":
        world.write(".gitattributes", "*.yaml text eol=crlf\n")
    if crlf:
        world.write_graph(PLAN.replace("\n", "\r\n"))
        world.commit("Another system")
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    for place, id in ((alpha, "T-4"), (beta, "T-3")):
        assert place.ralph("add", "--id", id, "--title", id).code == 0
        place.commit(id)
    conflicts(alpha, "merge", "beta")
    conflicts(beta, "rebase", "alpha")
    before = world.snapshot()
    shown = alpha.ralph("resolve", "--dry-run")
    assert shown == Result(
        0,
        f"would be resolved: {G}\n  added on alpha: T-4\n  added on beta: T-3\n",
        "",
    )
    assert world.snapshot() == before
    assert alpha.ralph("resolve") == Result(
        0,
        f"resolved: {G}\n  added on alpha: T-4\n  added on beta: T-3\nnext: git merge --continue\n",
        "",
    )
    done = beta.ralph("resolve", "--json")
    assert (done.code, done.data["next"]) == (0, "git rebase --continue")
    result = PLAN + C + task("T-4")
    for place in (alpha, beta):
        assert place.read() == (result.replace("\n", "\r\n") if crlf else result)
        assert place.git("diff", "--name-only") == "" and not unmerged(place)
    beta.git("-c", "core.editor=true", "rebase", "--continue")
    alpha.git("commit", "--quiet", "--no-edit")
    assert alpha.git("rev-parse", f"HEAD:{G}") == beta.git("rev-parse", f"HEAD:{G}")
    assert alpha.ralph("resolve") == Result(0, "No record is in conflict.\n", "")


def test_two_claims_in_a_merge(world: World) -> None:
    beta, mine, winner = rival_claims(world)
    conflicts(beta, "merge", "main")
    before = beta.read(), beta.git("ls-files", "-u")
    left = beta.ralph("resolve")
    since = re.findall(r"\d{4}-\S+Z", left.out)
    assert left == Result(
        5,
        f"left: {G}: T-1 has two claims or state changes, and only one of them can stay\n"
        f"  the base's (main): in-progress by gamma, claim {winner}, {since[0]}\n"
        f"  the branch's (beta): in-progress by beta, claim {mine}, {since[1]}\n",
        "error: T-1: two claims conflict, and one of them has to be given up\n"
        "  to go on without the branch's claim: ralphgit resolve --yield T-1\n"
        "hint: git merge --abort && ralphgit complete T-1\n",
    )
    assert (beta.read(), beta.git("ls-files", "-u")) == before
    told = beta.ralph("resolve", "--json")
    assert (told.error, told.json["error"]["tasks"]) == ("double_claim", ["T-1"])
    assert [(s["whose"], s["claim"]) for s in told.data["open"][0]["sides"]] == [
        ("base", winner), ("branch", mine),
    ]  # fmt: skip
    # Only the branch's can be given up here, and only of this task.
    assert beta.ralph("resolve", "--yield", f"T-1/{winner}", "--json").error == "landed"
    assert beta.ralph("resolve", "--yield", "T-1/k9", "--json").error == "which_claim"
    assert beta.ralph("resolve", "--yield", "T-2", "--json").error == "nothing_to_yield"
    shown = beta.ralph("resolve", "--yield", "T-1", "--dry-run", "--json")
    assert (shown.code, shown.data["yielded"][0]["rescue"]) == (0, None)
    assert (beta.read(), beta.git("ls-files", "-u")) == before
    assert beta.ralph("claim", "T-2").err.endswith("hint: ralphgit resolve\n")

    ref = f"refs/ralph/rescue/T-1/{mine}"
    done = beta.ralph("resolve", "--yield", "T-1")
    assert done == Result(
        0,
        f"resolved: {G}\n  claim given up: T-1\n"
        f"claim {mine} of beta on T-1 is given up, its work is kept in {ref}\n"
        f"  taken out: records/audit/T-1/{mine}.yaml\n"
        "What was done under the claim is still in this merge: take out what should not stay.\n"
        "next: git merge --continue\n",
        "",
    )
    again = beta.ralph("resolve", "--yield", "T-1", "--json")
    assert again.json["warnings"] == [f"T-1 was yielded already (claim {mine})"]
    assert beta.git("rev-parse", ref) == beta.head
    assert beta.read() == world.read()
    assert beta.git("for-each-ref", "refs/ralph/leases") == ""
    beta.git("commit", "--quiet", "--no-edit")
    assert beta.git("ls-tree", "-r", "--name-only", "HEAD").splitlines() == [
        f"records/audit/T-1/{winner}.yaml", G, "work.txt",
    ]  # fmt: skip
    told = beta.ralph("check", "--base", "main", "--json").data["problems"]
    assert [problem["code"] for problem in told] == ["other_work"]
    beta.run(*told[0]["hint"].split())
    beta.git("commit", "--quiet", "--amend", "--no-edit")
    assert beta.ralph("check", "--base", "main").code == 0


def test_two_claims_in_a_rebase_and_on_the_base(world: World) -> None:
    beta, mine, winner = rival_claims(world)
    # On the base, the branch's claim is the one that is being merged.
    conflicts(world, "merge", "beta")
    told = world.ralph("resolve", "--json")
    assert [(s["whose"], s["claim"]) for s in told.data["open"][0]["sides"]] == [
        ("base", winner), ("branch", mine),
    ]  # fmt: skip
    assert told.data["base_side"] == "ours"
    world.git("merge", "--abort")
    # In a rebase it is "theirs", and HEAD is the base's.
    conflicts(beta, "rebase", "main")
    told = beta.ralph("resolve", "--json")
    assert (told.data["base_side"], told.data["ours"], told.data["theirs"]) == (
        "ours", "main", "beta",
    )  # fmt: skip
    before = beta.git("rev-parse", "ORIG_HEAD")
    done = beta.ralph("resolve", "--yield", "T-1", "--json")
    assert (done.code, done.data["next"]) == (0, "git rebase --continue")
    assert beta.git("rev-parse", f"refs/ralph/rescue/T-1/{mine}") == before
    beta.git("-c", "core.editor=true", "rebase", "--continue")
    assert beta.git("diff", "--name-only", "main").splitlines() == ["work.txt"]
    # A commit of which nothing is left.
    beta.git("reset", "--quiet", "--hard", before)
    world.write("work.txt", "half\n")
    world.commit("The work, by somebody else")
    conflicts(beta, "rebase", "main")
    assert beta.ralph("resolve", "--yield", "T-1", "--json").data["next"] == "git rebase --skip"
    beta.git("rebase", "--skip")
    assert beta.head == world.head


def test_a_reset_on_the_base_wins_only_by_a_word(world: World) -> None:
    beta = world.worktree("beta")
    mine = beta.claim("T-1")
    beta.commit("Half of it")
    assert world.ralph("reset", "T-1", "--reason", "silent").code == 0
    # A cherry-pick of the reset conflicts as a merge of it does.
    conflicts(beta, "cherry-pick", "main")
    left = beta.ralph("resolve")
    assert left.code == 5
    assert re.sub(r"(claim|,) \S+(?=,|\n|Z)", r"\1 <x>", left.out).splitlines()[2:] == [
        "  the base's (main): pending, reset by Ann Author (epoch 1), claim <x>, <x>",
        "  the branch's (beta): in-progress by beta, claim <x>, <x>",
    ]
    assert beta.ralph("resolve", "--yield", "T-1").code == 0
    assert beta.read() == world.read()
    assert mine in beta.git("for-each-ref", "refs/ralph/rescue")
    beta.git("-c", "core.editor=true", "cherry-pick", "--continue")


@pytest.mark.parametrize("how", ["merge", "rebase"])
def test_a_block_and_its_answer_are_one_history(world: World, how: str) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("half.txt", "half\n")
    alpha.commit("Half of it")
    assert alpha.ralph("block", "T-1", "--question", "Why?").code == 0
    assert world.ralph("reply", "T-1", "Because.").code == 0
    conflicts(alpha, how, "main")
    for _ in range(3):
        done = alpha.ralph("resolve", "--json")
        assert (done.code, done.data["open"]) == (0, []), done.out
        if not done.data["next"].endswith("--skip"):
            alpha.run("git", "-c", "core.editor=true", *done.data["next"].split()[1:])
        else:
            alpha.git(*done.data["next"].split()[1:])
        if not unmerged(alpha):
            break
    told = alpha.task("T-1")
    assert (told["status"], told["epoch"]) == ("pending", 1)
    assert alpha.git("diff", "--name-only", "main", "--", "records/guidance") == ""
    assert alpha.read("half.txt") == "half\n"
    assert alpha.ralph("claim", "T-1").code == 0


def test_a_release_and_a_later_claim_are_one_history(world: World) -> None:
    """The base has the release from a squash merge, and somebody has claimed the task since."""
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("half.txt", "half\n")
    alpha.commit("Half of it")
    assert alpha.ralph("release", "T-1", "--reason", "tired").code == 0
    alpha.commit("Released")
    world.git("merge", "--quiet", "--squash", "alpha")
    world.commit("Half of it")
    claim = world.claim("T-1", "--force", "alone")
    world.commit("Begun again")
    conflicts(alpha, "merge", "main")
    done = alpha.ralph("resolve", "--json")
    assert (done.code, done.data["open"]) == (0, []), done.out
    assert alpha.task("T-1")["claim"]["id"] == claim


def test_neither_side_has_landed(world: World) -> None:
    beta, mine, winner = rival_claims(world)
    world.git("branch", "gamma")
    world.git("reset", "--quiet", "--hard", "HEAD~1")
    conflicts(beta, "merge", "gamma")
    asked_ = beta.ralph("resolve", "--yield", "T-1", "--json")
    assert (asked_.code, asked_.error) == (2, "which_claim")
    assert asked_.json["error"]["hint"] == ("ralphgit resolve --yield T-1/CLAIM")
    assert beta.ralph("resolve", "--yield", f"T-1/{winner}").code == 0
    assert f"id: {mine}\n" in beta.read() and f"id: {winner}\n" not in beta.read()
    assert beta.git(
        "for-each-ref", "--format=%(objectname)", f"refs/ralph/rescue/T-1/{winner}"
    ) == (world.git("rev-parse", "gamma"))


def test_what_a_person_has_edited_is_left(world: World) -> None:
    alpha = world.worktree("alpha")
    for place, id in ((world, "T-3"), (alpha, "T-4")):
        place.ralph("add", "--id", id, "--title", id)
        place.write("notes", id)
        place.commit(id)
    conflicts(alpha, "merge", "main")
    written = alpha.read()
    for text in (PLAN + C, written.replace("title: T-3", "title: Mine"), written[:-1]):
        alpha.write(G, text)
        left = alpha.ralph("resolve")
        assert left == Result(
            1,
            f"left: {G}: {G} was edited, by hand or by rerere, since git merged it\n"
            "not a record: notes\n",
            "error: 1 conflict left for you to decide\n"
            f"  to have {G} decided again: git checkout --merge -- {G} && ralphgit resolve\n"
            f"hint: git add {G}\n",
        )
        assert alpha.read() == text and G in unmerged(alpha)
    # As the hint says: git's own conflict again, with other names at the marks.
    alpha.git("checkout", "--quiet", "--merge", "--", G)
    assert alpha.read() != written
    done = alpha.ralph("resolve")
    assert done.out.endswith("next: resolve notes, git add; then: git merge --continue\n")
    assert (done.code, alpha.read(), unmerged(alpha)) == (0, PLAN + C + task("T-4"), ["notes"])
    # Killed after the file was written: it is what it should be, and is staged.
    alpha.git("checkout", "--quiet", "--merge", "--", G)
    alpha.write(G, PLAN + C + task("T-4"))
    assert alpha.ralph("resolve").code == 0


def test_another_layout_on_the_base(world: World) -> None:
    """The base has moved the graph to a file for each task; the branch goes on in the old one."""
    alpha = world.worktree("alpha")
    claim = alpha.claim("T-1")
    alpha.commit("Half of it")
    world.git("update-ref", "-d", "refs/ralph/leases/T-1")
    world.write("ralph.toml", 'graph = ["graph/*.yaml"]\n')
    for id, block in (("T-1", A), ("T-2", B)):
        world.write(f"graph/{id}.yaml", HEAD + block)
    (world.path / G).unlink()
    world.commit("A file for each task")
    conflicts(alpha, "merge", "main")
    done = alpha.ralph("resolve", "--json")
    assert (done.code, done.data["open"]) == (0, [])
    assert alpha.git("ls-files", "graph", G).splitlines() == ["graph/T-1.yaml", "graph/T-2.yaml"]
    assert not (alpha.path / G).exists() and alpha.read("graph/T-2.yaml") == HEAD + B
    alpha.git("commit", "--quiet", "--no-edit")
    assert alpha.task("T-1")["claim"]["id"] == claim
    assert alpha.ralph("check", "--base", "main").code == 0


def test_an_attempt_goes_on_after_its_squash_merge(world: World) -> None:
    """The base knows the claim from a squash merge, and has seen more since; so has the branch."""
    alpha = world.worktree("alpha")
    claim = alpha.claim("T-1")
    alpha.write("work.txt", "half\n")
    alpha.commit("Half of it")
    world.git("merge", "--quiet", "--squash", "alpha")
    world.commit("The claim")
    log = f"records/audit/T-1/{claim}.yaml"
    more = '  - {{at: "{}", event: resumed, by: alpha, from: in-progress, to: in-progress}}\n'
    world.write(log, world.read(log) + more.format("2026-11-21T10:00:00Z"))
    world.replace("title: T-1", "title: Better said\n    outputs: [work.txt]")
    world.commit("Seen")
    assert alpha.ralph("block", "T-1", "--question", "Why?").code == 0
    conflicts(alpha, "merge", "main")
    done = alpha.ralph("resolve", "--json")
    assert done.code == 0, done
    assert {one["file"] for one in done.data["resolved"]} == {G, log}
    assert done.json["warnings"] == [
        f"the contract of T-1 has changed under claim {claim}: completing it will need "
        "--accept-contract"
    ]
    told = alpha.task("T-1")
    assert (told["title"], told["status"], told["claim"]["id"]) == ("Better said", "blocked", claim)
    assert re.findall(r"event: (\w+)", alpha.read(log)) == ["resumed", "claimed", "blocked"] or (
        re.findall(r"event: (\w+)", alpha.read(log)) == ["claimed", "resumed", "blocked"]
    )


def test_without_a_merge_under_way(world: World) -> None:
    """`stash pop` and `merge --squash` leave stages, and no word of what was brought in."""
    world.ralph("add", "--id", "T-4", "--title", "T-4")
    world.git("stash", "--quiet")
    world.ralph("add", "--id", "T-3", "--title", "T-3")
    world.commit("T-3")
    conflicts(world, "stash", "pop")
    done = world.ralph("resolve")
    assert done.out == (
        f"resolved: {G}\n  added on main: T-3\n  added on the other side: T-4\nnext: git commit\n"
    )
    assert world.read() == PLAN + C + task("T-4")


def test_an_id_that_differs_by_case(world: World) -> None:
    alpha = world.worktree("alpha")
    for place, id in ((world, "T-x"), (alpha, "T-X")):
        place.write_graph(PLAN + task(id))
        place.commit(id)
    conflicts(alpha, "merge", "main")
    left = alpha.ralph("resolve", "--json")
    assert (left.code, left.error) == (1, "undecided")
    assert {(one["code"], one["task"]) for one in left.data["open"]} == {
        ("duplicate_id", "T-x"), ("duplicate_id", "T-X"),
    }  # fmt: skip


def test_a_file_that_cannot_be_read(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.write_graph(PLAN + "  - id: T-3\n    title: [\n")
    alpha.commit("Not YAML")
    world.write_graph(PLAN + C)
    world.commit("T-3")
    conflicts(alpha, "merge", "main")
    left = alpha.ralph("resolve", "--json")
    assert (left.code, [one["code"] for one in left.data["open"]]) == (1, ["unreadable"])
    assert left.data["open"][0]["message"].startswith("alpha: task-graph.yaml:")
    # The settings come first: they say which files the graph is.
    alpha.git("merge", "--abort")
    for place, name in ((world, "a"), (alpha, "b")):
        place.write("ralph.toml", f'worker = "{name}"\n')
        place.commit("Settings")
    conflicts(alpha, "merge", "main")
    left = alpha.ralph("resolve", "--json")
    assert (left.code, left.error) == (1, "settings_conflict")


def test_both_have_found_a_cycle_together(world: World) -> None:
    alpha = world.worktree("alpha")
    world.ralph("edit", "T-1", "--depends-on", "T-2", "--title", "One")
    world.ralph("add", "--id", "T-3", "--title", "T-3")
    world.commit("One way")
    alpha.ralph("edit", "T-2", "--depends-on", "T-1")
    alpha.ralph("add", "--id", "T-4", "--title", "T-4")
    alpha.commit("The other way")
    conflicts(alpha, "merge", "main")
    done = alpha.ralph("resolve", "--json")
    assert (done.code, done.json["warnings"]) == (
        0,
        [
            "the two sides together make a dependency cycle: T-1 needs T-2 needs T-1; "
            "see ralphgit check"
        ],
    )
