"""The board by night and by day, as a terminal would show it."""

from __future__ import annotations

import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import Browser
from scene import NOW, Scene, seconds

from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.board.app import Board
from ralphgit.board.snapshot import gather
from ralphgit.cli.commands import show
from ralphgit.model.ids import record_id

#: What an agent may have printed.
_LOG = """\
Reading station/store.py and the contract of ST-201.
latest() takes the newest row; an empty table has none, so the answer is 204.
$ python -m unittest -k latest
..
Ran 2 tests in 0.004s

OK
The second criterion: the answer says when it was measured.
$ git commit -m 'Answer with the latest reading'
"""
#: Textual's picture would fetch a font.
_FONT_FACE = re.compile(r"@font-face \{.*?\}", re.S)
_FONT = "DejaVu Sans Mono"


def pictures(scene: Scene, browser: Browser, folder: Path) -> list[Path]:
    """A question that waits, and the log of a worker in a small terminal."""
    alpha = scene.workers["alpha"]
    alpha.write(f".ralph/logs/ST-202-{alpha.task('ST-202')['claim']['id']}.log", _LOG)
    return [
        _taken(scene, browser, folder / "board.png", (), (138, 38), light=False),
        _taken(scene, browser, folder / "board-log.png", ("tab",), (80, 24), light=True),
    ]


def _taken(
    scene: Scene,
    browser: Browser,
    picture: Path,
    keys: tuple[str, ...],
    size: tuple[int, int],
    *,
    light: bool,
) -> Path:
    # Playwright's loop is the one of this thread; Textual gets another.
    with ThreadPoolExecutor(1) as pool:
        svg = pool.submit(asyncio.run, _drawn(scene, keys, size, light)).result()
    svg = _FONT_FACE.sub("", svg).replace("Fira Code", _FONT)
    page = browser.new_page(viewport={"width": 1600, "height": 1200}, device_scale_factor=1)
    page.set_content(f'<body style="margin: 0">{svg}</body>')
    page.locator("svg").first.screenshot(path=picture, omit_background=True)
    page.close()
    return picture


async def _drawn(scene: Scene, keys: tuple[str, ...], size: tuple[int, int], light: bool) -> str:
    around = Surroundings(
        directory=str(scene.main.path),
        environ=scene.main.environ,
        now=lambda: seconds(NOW),
        new_id=lambda: record_id(os.urandom(8)),
    )
    board = Board(around, show.lines, first=gather(around), light=light)
    board.title = "ralphgit board"
    async with board.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause(0.5)
        return board.export_screenshot()
