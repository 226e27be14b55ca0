"""`board`: what it shows, follows and writes; in Textual's own pilot, and in a real terminal."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from bench import graphs
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, RichLog, Static
from world import PATIENCE, Place, World
from world import until as wait_until

from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.board.app import Board
from ralphgit.board.dialogs import Choice, Help, Reset
from ralphgit.board.follow_repository import Follower, Pace
from ralphgit.board.long_list import Rows
from ralphgit.board.snapshot import gather
from ralphgit.cli.commands import show
from ralphgit.model import extras
from ralphgit.model.ids import record_id

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Measure
    status: pending
    story: S-1
    priority: 1
  - id: T-2
    title: Draw it
    status: pending
    story: S-2
    depends_on: [T-1]
  - id: T-3
    title: Say it
    status: pending
    story: S-2
  - id: T-4
    title: Ask around
    status: pending
  - id: T-5
    title: Forget it
    status: cancelled
"""
#: Every look counts here; nobody waits for the next second.
QUICK = Pace(look=0.1, beat=0.0, ask=0.0, retry=0.1, idle=60.0)

Script = Callable[[Board, Pilot[None]], Awaitable[None]]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("Begin")
    return made


def around(place: Place) -> Surroundings:
    return Surroundings(
        directory=str(place.path), environ=place.environ, now=time.time,
        new_id=lambda: record_id(os.urandom(8)),
    )  # fmt: skip


def play(
    place: Place, script: Script, *, size: tuple[int, int] = (120, 36), pace: Pace = QUICK
) -> Board:
    """Show the board of a place, have `script` use it, and leave it."""
    board = Board(around(place), show.lines, pace=pace)
    setattr(board, "NOTIFICATION_TIMEOUT", PATIENCE)  # noqa: B010 - of the class, to mypy

    async def run() -> None:
        async with board.run_test(size=size, notifications=True):
            pilot = Hands(board)
            await until(pilot, lambda: board.view.seen is not None)
            await quiet(board)
            await script(board, pilot)

    try:
        asyncio.run(run())
    finally:
        if board.failure is not None:
            raise board.failure
    return board


class Hands(Pilot[None]):
    """Waits after each key until all is done that it leads to, however slow the machine is."""

    async def press(self, *keys: str) -> None:
        for key in keys:
            await super().press(key)
            await quiet(self.app)


async def quiet(app: App[None]) -> None:
    """Wait until no part of the board has anything to do."""
    calm = 0
    while calm < 3 and app.is_running:
        await asyncio.sleep(0.005)
        screens = app.screen_stack
        parts = [app, *screens, *(part for screen in screens for part in screen.walk_children())]
        waits = any(part.message_queue_size or part._next_callbacks for part in parts)
        draws = any(one._layout_required or one._dirty_widgets or one._callbacks for one in screens)
        calm = 0 if waits or draws else calm + 1


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await pilot.pause(0.01)
    await quiet(pilot.app)


def titles(board: Board) -> list[str]:
    """The headings of the columns that are shown."""
    columns = [board.view.query_one(f"#{name}", Rows) for name in board.view._shown()]
    return [str(rows._border_title) for rows in columns]


def keys(board: Board, name: str) -> list[str]:
    return [entry.key for entry in board.view.query_one(f"#{name}", Rows).entries]


def text(board: Board, name: str) -> str:
    return str(board.screen.query_one(f"#{name}", Static).content)


def drawn(board: Board) -> str:
    """The screen as text."""
    lines = board.screen._compositor.render_strips()
    return "\n".join(line.text.rstrip() for line in lines)


def blocked(place: Place, task: str, question: str, *options: str) -> str:
    claim = place.claim(task)
    words = [word for option in options for word in ("--option", option)]
    done = place.ralph("block", task, "--question", question, *words)
    assert done.code == 0, done.err
    return claim


def beat(place: Place, task: str, claim: str, pid: int, *, age: float = 0.0) -> None:
    noted = heartbeat.noted(pid)
    made = heartbeat.Heartbeat(*noted, place.path.name, task, claim, "agent", time.time() - age)
    heartbeat.write(str(place.path), made)


# -- what is shown -------------------------------------------------------------------------


@pytest.mark.slow
def test_columns_workers_inbox_and_the_selected_task(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    claim = alpha.claim("T-1")
    beat(alpha, "T-1", claim, os.getpid())
    blocked(beta, "T-4", "Whom?", "all of them", "nobody")

    async def script(board: Board, pilot: Pilot[None]) -> None:
        assert titles(board) == [
            "waiting 1", "ready 1", "at work 1", "in review 0", "blocked 1", "complete 0",
        ]  # fmt: skip
        assert keys(board, "at-work") == ["T-1"]
        assert text(board, "project").split("  ")[:2] == ["proj", "1 waits for you"]
        assert board.focused is not None and board.focused.id == "inbox"
        # The selected question, and all that `show` tells of its task.
        shown = text(board, "text").splitlines()
        assert shown[0] == "T-4  Ask around"
        assert {"Whom?", "1  all of them", "2  nobody", "  state         blocked"} <= set(shown)
        await pilot.press("tab")
        assert "● alpha      T-1 " in drawn(board)
        assert [(one.name, one.at) for one in gather(around(world)).workers] == [
            ("alpha", "planning 0 (+0, -0)"),
            ("beta", "stuck 0 (+0, -0)"),
        ]
        assert board.view.context.border_title == "log of alpha"
        await pilot.press("tab", "tab")
        assert board.focused.id == "ready"
        assert text(board, "text") + "\n" == world.ralph("show", "T-3").out
        await pilot.press("c")
        assert titles(board)[-1] == "cancelled 1"
        await pilot.press("c", "question_mark")
        assert isinstance(board.screen, Help)
        await pilot.press("escape", "t", "q")
        assert board.theme == "ralphgit-light"

    play(world, script)


@pytest.mark.slow
def test_the_selected_task_stays_selected_when_it_changes_its_column(world: World) -> None:
    alpha = world.worktree("alpha")

    async def script(board: Board, pilot: Pilot[None]) -> None:
        await pilot.press("down")
        rows = board.view.query_one("#ready", Rows)
        assert board.focused is rows and rows.entry is not None
        chosen = rows.entry.key
        alpha.claim(chosen)
        await until(pilot, lambda: keys(board, "at-work") == [chosen])
        assert (board.focused or board).id == "at-work"
        assert board.view.context.border_title == f"task {chosen}"
        # From the details, too: who goes back finds it.
        await pilot.press("enter")
        assert alpha.ralph("release", chosen).code == 0
        await until(pilot, lambda: chosen in keys(board, "ready"))
        await pilot.press("escape")
        assert (board.focused or board).id == "ready"
        assert rows.entry is not None and rows.entry.key == chosen

    play(world, script)


@pytest.mark.slow
def test_search_and_story(world: World) -> None:
    async def script(board: Board, pilot: Pilot[None]) -> None:
        assert board.focused is not None and board.focused.id == "ready"
        await pilot.press("slash", *"IT")
        assert titles(board)[:2] == ["waiting 1", "ready 1 of 3"]
        await pilot.press("enter")
        assert (board.focused.id, text(board, "doing")) == ("ready", "/IT")
        await pilot.press("escape", "s", "down", "enter")
        assert titles(board)[:2] == ["waiting 0 of 1", "ready 1 of 3"]
        assert (keys(board, "ready"), text(board, "doing")) == (["T-1"], "story S-1")
        await pilot.press("s")
        assert isinstance(board.screen, Choice)
        await pilot.press("home", "enter", "slash", "q", "escape")
        assert titles(board)[:2] == ["waiting 1", "ready 3"]

    play(world, script)


@pytest.mark.slow
def test_the_mouse_and_a_small_terminal(world: World) -> None:
    async def script(board: Board, pilot: Pilot[None]) -> None:
        await pilot.click("#ready", offset=(3, 2))
        assert (board.focused or board).id == "ready"
        assert board.view.context.border_title == "task T-3"
        # The columns beyond the edge come when somebody goes there.
        await pilot.press(*["right"] * 5)
        await pilot.pause()
        assert (board.focused or board).id == "complete"
        assert "complete 0" in drawn(board).splitlines()[1]
        # Where nothing is selected, keys that need something say so.
        await pilot.press("l", "r", "a")
        said = [one.message for one in board._notifications]
        assert said == ["Select a task or a worker first."] * 3
        await pilot.press("z")
        assert "inbox" not in drawn(board)
        await pilot.press("escape")
        assert "inbox 0" in drawn(board)

    play(world, script, size=(80, 24))


HOSTILE = """\
version: 1
tasks:
  - id: T-1
    title: "[red]x[/red] [@click=app.bell]y[/] \\u2066[31mz \\u202eevil [bold"
    status: pending
"""


@pytest.mark.slow
def test_what_a_repository_says_stays_text(world: World) -> None:
    world.write_graph(HOSTILE)
    world.commit()
    name = "x[ @click=!] [ red]y"
    world.git("worktree", "add", "--quiet", "-b", "x", f"../proj-{name}")
    alpha = Place(world.folder / f"proj-{name}", world.environ, world)
    claim = blocked(alpha, "T-1", "[red]Why[/red] \u2066[2J \u2067?", "[@click=quit]no[/]")
    beat(alpha, "T-1", claim, os.getpid())
    said = "[red]log[/red] \x1b[2J\x1b]0;owned\x07 \u202eend\n"
    alpha.write(f".ralph/logs/T-1-{claim}.log", said)

    async def script(board: Board, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: board.focused is not None)
        seen = drawn(board)
        assert "[red]Why[/red] \\u2066[2J \\u2067?" in text(board, "text")
        assert "[@click=quit]no[/]" in seen
        await pilot.press("tab")
        assert f"─log of {name}─" in drawn(board)
        log = board.view.query_one("#log", RichLog)
        await until(pilot, lambda: log.lines)
        assert "[red]log[/red] \\e[2J\\e]0;owned\\x07 \\u202eend" in drawn(board)
        board.view.query_one("#blocked").focus()
        await pilot.pause()
        title = "[red]x[/red] [@click=app.bell]y[/] \\u2066[31mz \\u202eevil [bold"
        assert title in text(board, "text")
        assert "[red]x[/red]" in drawn(board)
        await pilot.press("r")
        assert "[red]x[/red]" in drawn(board)
        await pilot.press("escape")
        assert not set(drawn(board)) & {"\x1b", "\x07", "\u202e"}

    play(world, script, size=(160, 40))


@pytest.mark.slow
def test_notes_of_a_worktree_may_say_anything(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = alpha.claim("T-1")
    note = f'{{pid: {os.getpid()}, claim: {claim}, phase: "a\\nb [red] \\u2066", time: -.inf}}\n'
    alpha.write(".ralph/heartbeat", note)
    os.mkfifo(alpha.write(".ralph/logs/x", "").with_name("T-1-x.log"))

    async def script(board: Board, pilot: Pilot[None]) -> None:
        await pilot.press("l")
        await until(pilot, lambda: "There is no log yet." in drawn(board))
        assert "a\\nb [red] \\u2066" in drawn(board)
        for size in ((40, 10), (8, 3)):
            await pilot.resize_terminal(*size)
            await pilot.press("tab")
        world.path.rename(world.folder / "away")
        await until(pilot, lambda: "proj is not a folder" in text(board, "trouble"))
        await pilot.press("s", "escape")

    play(world, script, pace=QUICK._replace(retry=60.0))
    (world.folder / "away").rename(world.path)
    found = world.ralph("fleet", "status", "--json", env={"PYTHONWARNINGS": "error"})
    assert found.data["workers"][0]["age_s"] > 0


@pytest.mark.slow
def test_what_breaks_the_board_is_told_once_it_is_left(world: World) -> None:
    async def script(board: Board, pilot: Pilot[None]) -> None:
        board.call_later(lambda: 1 // 0)
        while board.failure is None:
            await asyncio.sleep(0)

    with pytest.raises(ZeroDivisionError):
        play(world, script)


# -- what is followed ----------------------------------------------------------------------


@pytest.mark.slow
def test_what_others_do_is_seen(world: World) -> None:
    alpha = world.worktree("alpha")

    async def script(board: Board, pilot: Pilot[None]) -> None:
        claim = alpha.claim("T-1")
        await until(pilot, lambda: keys(board, "at-work") == ["T-1"])
        await pilot.press("l")  # of the task that was selected before
        log = board.view.query_one("#log", RichLog)
        await until(pilot, lambda: "There is no log yet." in drawn(board))
        path = alpha.write(f".ralph/logs/T-1-{claim}.log", "one\ntwo\nhal")
        await until(pilot, lambda: [line.text for line in log.lines] == ["one", "two"])
        with path.open("a") as file:
            file.write("f\nthree\n")
        await until(pilot, lambda: "half" in drawn(board))
        assert [line.text for line in log.lines] == ["one", "two", "half", "three"]
        # Its loop shows itself, and is killed.
        loop = await asyncio.create_subprocess_exec("sleep", "600")
        beat(alpha, "T-1", claim, loop.pid, age=3)
        await until(pilot, lambda: "● alpha      T-1 3 s  agent" in drawn(board))
        beat(alpha, "T-1", claim, loop.pid, age=100)
        await until(pilot, lambda: "◐ alpha      T-1 1 min  agent" in drawn(board))
        loop.kill()
        await loop.wait()
        await until(pilot, lambda: "✕ alpha      T-1 gone" in drawn(board))
        await until(pilot, lambda: keys(board, "inbox") == [f"T-1 {claim}"])
        # A graph that is broken is said, and the last good state stays.
        world.write_graph("version: 1\ntasks: [\n")
        world.commit("Break it")
        banner = board.view.query_one("#trouble")
        await until(pilot, lambda: banner.display)
        assert text(board, "trouble").startswith("main:task-graph.yaml:")
        assert "Shown is what was seen at " in text(board, "trouble")
        assert keys(board, "at-work") == ["T-1"]
        world.git("revert", "--no-edit", "HEAD")
        await until(pilot, lambda: not banner.display)

    play(world, script)


def started(log: Path) -> int:
    """How many git processes ralphgit has started; those of git itself do not count."""
    events = [json.loads(line) for line in log.read_text().splitlines()]
    return sum(event["event"] == "start" and "/" not in event["sid"] for event in events)


def test_git_is_asked_when_something_has_changed_and_not_too_often(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = alpha.claim("T-1")
    beat(alpha, "T-1", claim, os.getpid())
    log = world.folder / "trace"
    place = around(Place(world.path, {**world.environ, "GIT_TRACE2_EVENT": str(log)}))
    follower = Follower(place, Pace(ask=0.2, idle=float("inf"), beat=0.0))
    assert follower.look().snapshot is not None
    once = started(log)
    assert once <= 4
    # What was not looked at before git was asked may have changed meanwhile.
    wait_until(lambda: follower.look().snapshot)
    for age in range(100):
        beat(alpha, "T-1", claim, os.getpid(), age=age % 10)
        assert follower.look().snapshot is None
    assert started(log) == 2 * once
    # Many changes in a short time are one.
    begun = time.monotonic()
    for number in range(50):
        world.git("update-ref", f"refs/heads/b{number}", "HEAD")
        follower.look()
    wait_until(lambda: follower.look().snapshot or started(log) > 2 * once)
    most = min(50, (time.monotonic() - begun) // 0.2 + 1)
    assert 3 * once <= started(log) <= (2 + most) * once


@pytest.mark.parametrize(
    "change",
    [
        lambda world, alpha: world.git("update-ref", "refs/heads/new/one", "HEAD"),
        lambda world, alpha: world.git("branch", "-D", "gone"),
        lambda world, alpha: world.git("pack-refs", "--all"),
        lambda world, alpha: alpha.git("checkout", "--quiet", "--detach"),
        lambda world, alpha: alpha.write("task-graph.yaml", GRAPH + "# more\n"),
        lambda world, alpha: alpha.write(".ralph/pulls.yaml", "pulls: []\n"),
        lambda world, alpha: world.git("config", "ralph.lease", "off"),
        lambda world, alpha: world.worktree("beta"),
    ],
    ids=["ref", "deleted", "packed", "HEAD", "graph", "pulls", "config", "worktree"],
)
def test_a_change_is_noticed_without_git(
    world: World, change: Callable[[World, Place], object]
) -> None:
    alpha = world.worktree("alpha")
    world.git("branch", "gone")
    follower = Follower(around(world), Pace(ask=60.0, idle=float("inf")))
    follower.look()
    follower.look()
    follower._changed = False
    follower.look()
    assert not follower._changed
    change(world, alpha)
    follower.look()
    assert follower._changed


@pytest.mark.slow
def test_two_thousand_tasks_stay_fluid(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(graphs.files(2000)["task-graph.yaml"])
    world.commit()
    began = time.monotonic()
    assert sum(map(len, gather(around(world)).columns.values())) == 2000
    looking = time.monotonic() - began

    async def script(board: Board, pilot: Pilot[None]) -> None:
        assert len(list(board.view.query("*"))) < 60  # no widget for a task
        ready = board.view.query_one("#ready", Rows)
        ready.focus()
        await pilot.press("end")
        assert board.view.context.border_title == f"task {ready.entries[-1].key}"
        found = board.view.seen
        began = time.process_time()
        for _ in range(10):
            board.view.show(found, ())
        assert (time.process_time() - began) / 10 < max(0.1, looking)

    play(world, script, pace=QUICK._replace(ask=60.0))


# -- what is written -----------------------------------------------------------------------


@pytest.mark.slow
def test_reply_in_place_frees_the_task(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = blocked(alpha, "T-1", "Which unit?", "kelvin", "celsius")

    async def script(board: Board, pilot: Pilot[None]) -> None:
        await pilot.press("2", "end", "exclamation_mark", "escape")
        box = board.view.query_one("#answer", Input)
        assert (board.focused or board).id == "inbox"
        await pilot.press("right", "a")  # elsewhere nothing asks; the words stay
        assert "T-1" in (board.view.context.border_title or "")
        assert box.value == "celsius!"
        # Meanwhile it was answered, and asks something else.
        assert world.ralph("reply", "T-1", "kelvin").code == 0
        beta = world.worktree("beta")
        blocked(beta, "T-1", "And which range?")
        await pilot.press("enter")
        said = board.view.query_one("#said", Static)
        await until(pilot, lambda: said.display)
        assert text(board, "said") == (
            "T-1 now asks another question; nothing was changed\nhint: ralphgit inbox"
        )
        await until(pilot, lambda: claim not in keys(board, "inbox")[0])
        await pilot.press("escape", "enter", *"wide", "slash", "q", "enter")
        await until(pilot, lambda: keys(board, "ready")[0] == "T-1")
        assert keys(board, "inbox") == []
        await until(pilot, lambda: "T-1 is answered, and free again." in drawn(board))

    play(world, script)
    assert world.task("T-1")["state"] == "ready"
    folder = world.path / "records" / "guidance" / "T-1"
    answers = "".join(path.read_text() for path in folder.iterdir())
    assert "text: wide/q" in answers


@pytest.mark.slow
def test_reset_asks_first_and_for_force_where_the_holder_lives(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = alpha.claim("T-1")
    beat(alpha, "T-1", claim, os.getpid())
    alpha.write("work", "half\n")

    async def script(board: Board, pilot: Pilot[None]) -> None:
        await pilot.press("r")
        dialog = board.screen
        assert isinstance(dialog, Reset)
        told = " ".join(drawn(board).split())
        assert "It is taken from alpha (worktree ../proj-alpha, ● heartbeat" in told
        assert f"is kept under refs/ralph/rescue/T-1/{claim}" in told
        await pilot.press("enter")
        await until(pilot, lambda: "a reset needs a reason" in text(board, "said"))
        await pilot.press(*"stuck", "enter")
        alive = "alpha is alive in worktree ../proj-alpha"
        await until(pilot, lambda: alive in text(board, "said"))
        await pilot.press("enter", *"yes", "enter")
        assert board.screen is dialog and world.task("T-1")["state"] == "claimed"
        await pilot.press(*["backspace"] * 3, *"force", "enter")
        await until(pilot, lambda: board.screen is board.view)
        await until(pilot, lambda: "T-1" in keys(board, "ready"))
        await until(pilot, lambda: f"Kept: refs/ralph/rescue/T-1/{claim}" in drawn(board))
        assert (board.focused or board).id == "ready"
        assert board.view.context.border_title == "task T-1"

    play(world, script)
    assert world.task("T-1")["state"] == "ready"
    assert world.git("show", f"refs/ralph/rescue/T-1/{claim}:work") == "half"
    events = world.ralph("log", "T-1").out
    assert "stuck (forced)" in events


@pytest.mark.slow
def test_a_reset_from_a_linked_worktree_is_made_from_the_main_one(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")

    async def script(board: Board, pilot: Pilot[None]) -> None:
        await pilot.press("r", *"gone", "enter")
        await until(pilot, lambda: "T-1" in keys(board, "ready"))

    play(alpha, script)
    assert world.task("T-1")["state"] == "ready"


# -- a real terminal -----------------------------------------------------------------------


class Terminal:
    """A shell in tmux, in which keys are typed and the screen is read."""

    def __init__(self, world: World, sockets: str) -> None:
        env = {"TMUX_TMPDIR": sockets, "SHELL": "/bin/sh", "TERM": "xterm-256color", "PS1": "$ "}
        self.place = Place(world.path, {**world.environ, **env})
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", "100", "-y", "30", "sh")

    def tmux(self, *words: str) -> str:
        done = self.place.run("tmux", *words)
        assert done.code == 0, done.err
        return done.out

    def type(self, *keys: str) -> None:
        self.tmux("send-keys", "-t", "t", *keys)

    def line(self, text: str) -> None:
        self.tmux("send-keys", "-t", "t", "-l", text)
        self.type("Enter")

    @property
    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", "t")

    def shows(self, text: str) -> None:
        wait_until(lambda: text in self.screen)

    def state(self) -> str:
        """Whether programs have left the terminal as it was: its modes, and tmux' own."""
        flags = "#{alternate_on} #{mouse_any_flag} #{cursor_flag} #{keypad_flag}"
        device = self.tmux("display", "-pt", "t", "#{pane_tty}").strip()
        modes = self.place.run("stty", "-F", device, "-a")
        return self.tmux("display", "-pt", "t", flags) + modes.out


@pytest.fixture
def terminal(world: World) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    sockets = tempfile.mkdtemp(prefix="ralphgit-")
    made = Terminal(world, sockets)
    yield made
    made.tmux("kill-server")
    shutil.rmtree(sockets)


BOARD = f"{sys.executable} -m ralphgit board"


@pytest.mark.slow
def test_in_a_terminal_an_answer_and_a_reset(world: World, terminal: Terminal) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    blocked(alpha, "T-1", "Which unit?")
    beta.claim("T-3")
    wait_until(lambda: "$" in terminal.screen)
    before = terminal.state()
    terminal.line(BOARD)
    terminal.shows("Which unit?")
    terminal.shows("Your answer")
    assert terminal.state() != before
    terminal.type("Enter")
    wait_until(lambda: "Zoom" not in terminal.screen)  # from here on keys are words
    terminal.line("kelvin")
    terminal.shows("T-1 is answered")
    assert world.task("T-1")["state"] == "ready"
    terminal.shows("workers 1")  # alpha holds nothing any more
    terminal.type("Tab")
    terminal.shows("log of beta")
    terminal.type("r")
    terminal.shows("Reset T-3  Say it")
    terminal.line("it hangs")
    terminal.shows("T-3 is free again.")
    assert world.task("T-3")["state"] == "ready"
    terminal.type("C-z")
    terminal.shows("Stopped")
    assert terminal.state() == before
    terminal.line("clear; fg")
    terminal.shows("in review 0")
    terminal.type("q")
    wait_until(lambda: terminal.state() == before)


@pytest.mark.slow
def test_a_signal_leaves_the_terminal_usable(world: World, terminal: Terminal) -> None:
    wait_until(lambda: "$" in terminal.screen)
    before = terminal.state()
    for number, word, code in (
        (signal.SIGTERM, "terminated", 143), (signal.SIGHUP, "hung up", 129),
        (signal.SIGINT, "interrupted", 130),
    ):  # fmt: skip
        terminal.line(f"clear; sh -c 'echo $$ > ../pid; exec {BOARD}'; echo ended $?")
        terminal.shows("Nothing waits for a person.")
        os.kill(int((world.folder / "pid").read_text()), number)
        terminal.shows(f"ended {code}")
        assert f"{word}\nended {code}\n" in terminal.screen
        assert terminal.state() == before


# -- where there is none -------------------------------------------------------------------


def test_off_a_terminal_it_is_refused(world: World, terminal: Terminal) -> None:
    assert world.ralph("board") == (
        2, "", "error: there is no terminal to draw the board on\nhint: ralphgit status\n",
    )  # fmt: skip
    asked = world.ralph("board", "--json")
    assert (asked.code, asked.error, asked.json["error"]["hint"]) == (
        2, "usage", "ralphgit status --json",
    )  # fmt: skip
    # Without Textual, as Python sees it where the extra is not installed.
    (world.folder / "sitecustomize.py").write_text("import sys; sys.modules['textual'] = None\n")
    terminal.line(f"PYTHONPATH=..:$PYTHONPATH {BOARD}; echo ended $?")
    terminal.shows("ended 8")
    told = (
        f"error: textual is not installed, which draws the board\nhint: {extras.install('board')}\n"
    )
    # A space at the end of a line of the terminal is not told from none.
    assert "".join(told.split()) in "".join(terminal.screen.split())
    # What every command says where there is nothing to look at, it says before it draws.
    terminal.line(f"clear; {BOARD} -C {world.folder}; echo ended $?")
    terminal.shows("ended 2")
    told = f"error: {world.folder} is not in a git repository\nhint: git init\n"
    assert "".join(told.split()) in "".join(terminal.screen.split())
