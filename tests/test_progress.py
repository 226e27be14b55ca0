"""What takes long shows itself: one line on a terminal, gone at the end; a line a step in a log."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import pytest
from world import World

from ralphgit.app.workspace.surroundings import Item, Progress
from ralphgit.cli.progress_line import ProgressLine, Step, last_line, line

TASK = "  - id: T-1\n    title: Say hello\n    status: pending\n    verify: ['{}']\n"


def test_the_line_says_what_how_many_and_how_long() -> None:
    steps = [Step("complete", 0, 0, 10.0), Step("just test", 2, 3, 40.0)]
    assert line(steps, 100.0) == "complete: just test (2 of 3), 1m"
    steps[-1].output = b"collecting\n\x1b[32m.....\x1b[0m [ 40%]\r\x1b[32m......\x1b[0m [ 60%]\n\n"
    assert line(steps, 100.0) == "complete: just test (2 of 3), 1m  ...... [ 60%]"


@pytest.mark.parametrize(
    ("output", "said"),
    [(b"", ""), (b"\n \n", ""), (b"a\nb", "b"), (b"a\x1b]0;x\x07\n", "a\\e]0;x\\x07"),
     (b"\xff\n", "\N{REPLACEMENT CHARACTER}")],
)  # fmt: skip
def test_the_last_line_is_safe_to_show(output: bytes, said: str) -> None:
    assert last_line(output) == said


def test_off_a_terminal_a_step_that_takes_long_has_one_line() -> None:
    for quiet in (False, True):
        stream, time = io.StringIO(), [0.0]
        progress = ProgressLine(stream, quiet=quiet, now=partial(max, time))
        with progress.step("integrate"):
            with progress.step("alpha", 1, 2):
                progress.heard(b"so far\n")
            time[0] = 31.0
            with progress.step("beta", 2, 2):
                for _ in range(3):
                    progress.heard(b"so far\n")
                with progress.step("just test", 1, 1):
                    pass
        told = ["integrate: beta (2 of 2)", "integrate: beta (2 of 2): just test (1 of 1)"]
        assert stream.getvalue().splitlines() == ([] if quiet else told)


def test_many_small_things_are_counted() -> None:
    """In a log they have one line, and an error among them leaves no step behind."""
    stream, time = io.StringIO(), [0.0]
    progress = ProgressLine(stream, now=partial(max, time))
    with progress.step("check"):
        for number in progress.through("records", range(1000)):
            time[0] = number / 10
        assert stream.getvalue() == "check: records (400 of 1000)\n"
        with pytest.raises(ValueError), progress.step("tasks"):
            for _ in progress.through("more", (1, 2)):
                raise ValueError
    assert progress.steps == []


class Heard(Progress):
    """What a command goes through."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def through(self, what: str, items: Sequence[Item]) -> Iterable[Item]:
        self.told.append((what, len(items)))
        return items


def test_the_commands_that_take_long_say_how_far_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    world.write("PLAN.md", "- [ ] T-1 One\n- [ ] T-2 Two\n")
    world.commit()
    heard = Heard()
    monkeypatch.setattr("ralphgit.cli.main._progress", lambda _: heard)

    def through(*words: str) -> list[tuple[str, int]]:
        heard.told.clear()
        assert world.ralph(*words, apart=False).code == 0
        return heard.told

    assert through("import", "PLAN.md") == [("reading", 1), ("tasks", 2)]
    world.commit()
    world.claim("T-1")
    judged = [("tasks in task-graph.yaml", 1), ("records", 1)]
    assert through("check") == [("tasks", 2), *judged]
    assert through("check") == judged  # the base was judged before
    world.commit()
    assert ("tasks", 2) in through("report", "report.html")


def test_on_a_terminal_the_line_is_gone_when_the_command_ends(tmp_path: Path) -> None:
    world = World(tmp_path)
    command = "echo begun; until test -e $HOME/go; do sleep 0.05; done"
    world.write_graph("version: 1\ntasks:\n" + TASK.format(command))
    world.commit()
    assert world.ralph("trust", "--yes").code == 0
    world.claim("T-1")
    world.write("hello.txt", "hello\n")
    screen, end = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "complete"],
        cwd=world.path, env={**world.environ, "TERM": "xterm", "COLUMNS": "200"},
        stdin=end, stdout=subprocess.PIPE, stderr=end,
    )  # fmt: skip
    os.close(end)
    words = rf"complete: {re.escape(command)} \(1 of 1\), \d+[sm]  begun"
    shown = ""
    try:
        while chunk := os.read(screen, 1 << 16):
            shown += chunk.decode()
            if re.search(words, shown):
                Path(world.environ["HOME"], "go").touch()
    except OSError:
        pass  # the terminal is closed
    os.close(screen)
    printed = done.communicate()[0].decode()
    assert done.returncode == 0
    assert printed.startswith("T-1 is complete")
    assert re.search(words, shown), shown
    # What was drawn last is taken away again: the line is cleared, and the cursor is back.
    assert shown.endswith("\x1b[1A\x1b[2K"), shown  # one line up, and that is cleared
