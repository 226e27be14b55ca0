"""`report`: the file that it writes, and what it does not."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import compiled_page
import pytest
from world import ROOT, Place, World

from ralphgit.app.report.attempts import attempts
from ralphgit.app.report.compiled_page import root as compiled
from ralphgit.app.report.template_runtime import Context, TemplateRuntimeError
from ralphgit.app.status.log import Entry
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.rules.readiness import TaskState

MARK = "<!doctype html>\n<!-- ralphgit report -->\n"
HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u202egnp\u200b {{ 7 * 7 }}"
)
GRAPH = f"""\
version: 1
tasks:
  - id: T-1
    title: Write the greeting
    status: pending
    story: S-1
    acceptance:
      - id: ACC-1
        text: it says hello
    verify:
      - cat greeting
    scope:
      write: [greeting]
  - id: T-2
    title: {json.dumps(HOSTILE)}
    status: pending
    story: S-1
    depends_on: [T-1]
    description: {json.dumps(HOSTILE)}
  - id: T-3
    title: Ask somebody
    status: pending
    story: S-2
"""


def data(page: str) -> dict[str, object]:
    """What the page knows, as its script reads it."""
    islands = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert len(islands) == 1
    found: dict[str, object] = json.loads(islands[0])
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One task is complete on a branch, another is blocked on one."""
    made = World(tmp_path_factory.mktemp("report"))
    made.write_graph(GRAPH)
    made.commit("The graph")
    assert made.ralph("trust", "--yes").code == 0
    alpha, beta = made.worktree("alpha"), made.worktree("beta")
    alpha.claim("T-1", "--no-fetch")
    alpha.write("greeting", "hello\n")
    alpha.complete()
    beta.claim("T-3", "--no-fetch")
    asks = ("--reason", "needs_context", "--question", "Which <b>colour</b>?")
    assert beta.ralph("block", *asks).code == 0
    return made


def test_it_writes_one_file_and_nothing_else(world: World) -> None:
    first = world.ralph("report")
    assert first == (0, ".ralph/report.html\n", "")
    before = world.snapshot()
    again = world.ralph("report", "--json")
    page = world.read(".ralph/report.html")
    assert again.data == {
        "file": ".ralph/report.html", "tasks": 3, "bytes": len(page.encode()), "text": None,
    }  # fmt: skip
    after = world.snapshot()
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} <= {
        "proj/.ralph/report.html"
    }
    assert world.git("status", "--porcelain") == ""
    printed = world.ralph("report", "-")
    assert printed.out.startswith(MARK)
    assert world.snapshot() == after
    told = world.ralph("report", "-", "--json")
    assert (told.data["file"], told.data["text"][: len(MARK)]) == (None, MARK)
    # Nothing of this machine's folders, wherever it is made.
    beta = Place(world.folder / "proj-beta", world.environ)
    for place in (world, beta):
        assert str(world.folder) not in place.ralph("report", "-").out


def test_a_graph_without_tasks_says_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks: []\n")
    world.commit()
    assert "<li>no tasks</li>" in world.ralph("report", "-").out


def test_the_same_state_at_the_same_time_is_the_same_page(world: World) -> None:
    line = (sys.executable, str(ROOT / "tests" / "clocked.py"), "1795278000", "report", "-")
    first, again = world.run(*line), world.run(*line)
    assert first.code == 0, first.err
    assert first == again
    assert "2026-11-21T16:20:00Z" in first.out


def test_the_page_is_compiled_anew_where_its_template_changes() -> None:
    """`just page` does it."""
    assert compiled_page.COMPILED.read_text(encoding="utf-8") == compiled_page.compiled()


def test_the_compiled_page_is_what_jinja_renders(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    values: dict[str, object] = {}

    def kept(context: Context) -> Iterator[str]:
        values.update(context.values)
        return compiled(context)

    monkeypatch.setattr("ralphgit.app.report.document.root", kept)
    page = world.ralph("report", "-").out
    assert HOSTILE not in page
    engine = compiled_page.engine()
    assert page == MARK + engine.from_string(compiled_page.template()).render(values)
    with pytest.raises(TemplateRuntimeError, match="'version' is undefined"):
        list(compiled(Context({})))


def test_what_people_wrote_stays_text(world: World) -> None:
    page = world.ralph("report", "-").out
    assert page.count("<script") == 2
    assert "<img" not in page
    assert "<b>colour" not in page
    assert "\u200b" not in page and "\u202e" not in page
    # Neither HTML nor the template's own language is read in it.
    escaped = "&lt;img src=x onerror=alert(2)&gt; \\u202egnp\\u200b {{ 7 * 7 }}"
    assert page.count(escaped) == 1
    tasks = data(page)["tasks"]
    assert isinstance(tasks, list)
    shown = HOSTILE.replace("\u202e", "\\u202e").replace("\u200b", "\\u200b")
    assert (tasks[1]["title"], tasks[1]["description"]) == (shown, shown)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/]+=*'; script-src 'sha256-[\w+/]+=*'; "
        "base-uri 'none'; form-action 'none'",
        policy[1],
    )


def test_it_tells_what_stands_on_branches_too(world: World) -> None:
    page = world.ralph("report", "-").out
    found = data(page)
    tasks, attempts = found["tasks"], found["attempts"]
    assert isinstance(tasks, list) and isinstance(attempts, list)
    one, two, three = tasks
    assert [task["state"] for task in tasks] == ["in-review", "waiting", "blocked"]
    assert (one["worker"], one["where"]) == ("alpha", "worktree ../proj-alpha (branch alpha)")
    assert one["acceptance"][0]["support"] == "assumed"
    assert [(e["command"], e["worth"], e["tail"].strip()) for e in one["evidence"]] == [
        ("cat greeting", "fresh", "hello")
    ]
    assert two["waits"] == ["T-1"]
    assert three["question"] == "Which <b>colour</b>?"
    assert [(a["task"], a["by"], a["outcome"]) for a in attempts] == [
        ("T-1", "alpha", "completed"), ("T-3", "beta", "blocked"),
    ]  # fmt: skip
    # A reader without JavaScript has the tasks, and what waits for a person comes first.
    assert page.index("Which &lt;b&gt;colour") < page.index('<span class="id">T-1</span>')
    assert "<code>ralphgit reply T-3 &#34;TEXT&#34;</code>" in page


def test_it_shows_what_each_worker_is_at(world: World) -> None:
    """The rows of `status`, without a folder of this machine; none of a revision."""
    shown = world.ralph("status", "--json").data["workers"]
    page = world.ralph("report", "-").out
    (section,) = re.findall(r'<section id="workers".*?</section>', page, re.S)
    rows = re.findall(r"<li><b>(.*?)</b> <span class=\"word\">(.*?)</span>", section)
    assert rows == [(one["worker"], one["state"]) for one in shown]
    assert ("beta", "stuck") in rows and "Which" in section
    assert str(world.folder) not in section
    of_main = world.ralph("report", "-", "--at", "main").out
    assert '<section id="workers" aria-labelledby="workers-title" hidden>' in of_main


def test_a_revision_is_told_by_itself(world: World) -> None:
    found = data(world.ralph("report", "-", "--at", "alpha").out)
    tasks, attempts = found["tasks"], found["attempts"]
    assert isinstance(tasks, list) and isinstance(attempts, list)
    assert [task["state"] for task in tasks] == ["complete", "ready", "ready"]
    assert [(a["task"], a["outcome"]) for a in attempts] == [("T-1", "completed")]
    assert len(tasks[0]["evidence"]) == 1
    assert world.ralph("report", "-", "--at", "nowhere") == (
        2, "", "error: nowhere is not a commit here\nhint: git log\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("events", "outcome", "ended"),
    [
        (("claimed",), "unfinished", ""),
        (("claimed", "completed"), "completed", "2"),
        (("claimed", "completed", "reviewed", "landed"), "landed", "2"),
        (("claimed", "landed"), "landed", "2"),
        (("claimed", "blocked", "answered"), "answered", "3"),
        (("claimed", "reset"), "reset", "2"),
        (("claimed", "blocked", "resumed", "force-completed"), "force-completed", "4"),
        (("claimed", "blocked", "resumed"), "unfinished", ""),
    ],
)
def test_how_an_attempt_ended(events: tuple[str, ...], outcome: str, ended: str) -> None:
    entries = [
        Entry("T-1", "c", str(at), event, "alpha" if event != "landed" else "ann", "", ("main",))
        for at, event in enumerate(events, 1)
    ]
    (found,) = attempts(entries, {}, ())
    assert (found.by, found.began, found.ended, found.outcome) == ("alpha", "1", ended, outcome)
    holder = ActiveClaim(
        "T-1", "in-progress", "c", "alpha", "1", 0, "lease", "worktree ../proj-alpha"
    )
    (held,) = attempts(entries, {"T-1": TaskState("claimed", holder)}, ())
    assert held.outcome == ("in progress" if outcome == "unfinished" else outcome)


def test_a_review_alone_is_no_attempt() -> None:
    assert attempts([Entry("T-1", "c", "1", "reviewed", "ann", "", ("main",))], {}, ()) == []


def test_only_a_report_is_replaced(world: World, tmp_path: Path) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("<p>my own page</p>\n")
    refused = world.ralph("report", str(mine))
    assert refused == (
        8, "",
        f"error: {mine} exists and is not a report of ralphgit; nothing was written\n"
        "hint: name another file, or replace it with --force\n",
    )  # fmt: skip
    assert mine.read_text() == "<p>my own page</p>\n"
    link = tmp_path / "link.html"
    link.symlink_to(mine)
    assert world.ralph("report", str(link)).code == 8
    assert world.ralph("report", str(mine), "--force") == (0, f"{mine}\n", "")
    assert mine.read_text().startswith(MARK)
    assert world.ralph("report", str(mine)).code == 0
    assert sorted(os.listdir(tmp_path)) == ["link.html", "mine.html"]
    assert world.ralph("report", "task-graph.yaml", "--force").code == 8
    for name in ("ralph.toml", "records/audit/T-1/x.yaml"):
        for command in ("report", "export"):
            assert world.ralph(command, name, "--force") == (
                8, "", f"error: {name} is a place of settings or records; nothing was written\n"
                "hint: name another file\n",
            )  # fmt: skip
    assert world.ralph("report", ".git/x").code == 8
    assert world.ralph("report", str(tmp_path)).code == 2
    os.mkfifo(tmp_path / "pipe")
    for command in ("report", "export"):
        assert world.ralph(command, str(tmp_path / "pipe"), "--force") == (
            2, "", f"error: {tmp_path}/pipe is not a regular file; nothing was written\n"
            "hint: name a file, or - for stdout\n",
        )  # fmt: skip
    # What a clone brings in .ralph/ is not followed.
    own = world.path / ".ralph" / "report.html"
    own.parent.mkdir(exist_ok=True)
    own.unlink(missing_ok=True)
    own.symlink_to(mine)
    mine.write_text("<p>mine</p>\n")
    assert world.ralph("report", "--force").code == 0
    assert not own.is_symlink() and mine.read_text() == "<p>mine</p>\n"


def test_a_bare_repository_has_to_be_told_where(world: World, tmp_path: Path) -> None:
    bare = Place(tmp_path / "bare.git", world.environ)
    world.git("clone", "--quiet", "--bare", str(world.path), str(bare.path))
    assert bare.ralph("report") == (
        2, "",
        "error: a bare repository has no place for the report; - is stdout\n"
        "hint: ralphgit report FILE\n",
    )  # fmt: skip
    assert bare.ralph("report", str(tmp_path / "x.html")) == (0, f"{tmp_path}/x.html\n", "")
